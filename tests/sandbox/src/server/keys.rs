//! The `encrypt` namespace: the keys a device leaves with the server for those
//! who want to write to it. Checked as their peers would check them.

use super::queries::Answer;
use super::session::Session;
use crate::keys::{DJB, KeyBytes, verify_signed_prekey};
use crate::payload::SignedPrekey;
use crate::state::{Device, DeviceId, PhoneState};
use crate::wire::node::{
    attr, child, child_bytes, children, has, leaf, number, parent, refusal, result, three_bytes,
};
use sha1::{Digest as _, Sha1};
use std::collections::BTreeMap;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};

/// The number under which a phone's signed prekey is known.
const PHONE_SIGNED_PREKEY: u32 = 1;

pub(super) fn answer(session: &Session, id: &DeviceId, query: &Node) -> Answer {
    let reply = if has(query, "type", "set") {
        match child(query, "rotate") {
            Some(rotate) => self::rotate(session, id, query, rotate),
            None => return upload(session, id, query),
        }
    } else if child(query, "count").is_some() {
        count(session, id, query)
    } else if child(query, "digest").is_some() {
        digest(session, id, query)
    } else if let Some(wanted) = child(query, "key") {
        fetch(session, query, wanted)
    } else {
        refusal(query, 406, "not-acceptable")
    };
    Answer::Reply(reply)
}

fn upload(session: &Session, id: &DeviceId, query: &Node) -> Answer {
    let stored = session.world.update(|state| {
        let device = state.device_mut(id)?;
        let identity = device.registration.identity_key;
        let own = child_bytes(query, "identity")? == identity
            && child_bytes(query, "type")? == [DJB]
            && number(child_bytes(query, "registration")?)? == device.registration.registration_id;
        if !own {
            return None;
        }
        let signed = signed_prekey(child(query, "skey")?, &identity)?;
        let prekeys: BTreeMap<u32, KeyBytes> = children(child(query, "list")?)
            .iter()
            .map(|key| {
                let id = number(child_bytes(key, "id")?)?;
                Some((id, child_bytes(key, "value")?.try_into().ok()?))
            })
            .collect::<Option<_>>()?;
        device.signed_prekey = signed;
        device.prekeys.extend(prekeys);
        state.stats.prekey_uploads += 1;
        Some(())
    });
    match stored {
        Some(()) => Answer::Prekeys(result(query, Vec::new())),
        None => Answer::Reply(refusal(query, 406, "not-acceptable")),
    }
}

fn rotate(session: &Session, id: &DeviceId, query: &Node, rotate: &Node) -> Node {
    let stored = session.world.update(|state| {
        let device = state.device_mut(id)?;
        let skey = child(rotate, "skey")?;
        device.signed_prekey = signed_prekey(skey, &device.registration.identity_key)?;
        Some(())
    });
    match stored {
        Some(()) => result(query, Vec::new()),
        None => refusal(query, 406, "not-acceptable"),
    }
}

fn signed_prekey(skey: &Node, identity: &KeyBytes) -> Option<SignedPrekey> {
    let prekey = SignedPrekey {
        id: number(child_bytes(skey, "id")?)?,
        key: child_bytes(skey, "value")?.try_into().ok()?,
        signature: child_bytes(skey, "signature")?.try_into().ok()?,
    };
    verify_signed_prekey(identity, &prekey.key, &prekey.signature).then_some(prekey)
}

fn count(session: &Session, id: &DeviceId, query: &Node) -> Node {
    let count = session
        .world
        .read(|state| state.device(id).map_or(0, |device| device.prekeys.len()));
    let node = NodeBuilder::new("count")
        .attr("value", count as u64)
        .build();
    result(query, vec![node])
}

/// The server's view of a device's keys, for the device to compare.
fn digest(session: &Session, id: &DeviceId, query: &Node) -> Node {
    let node = session.world.read(|state| {
        let device = state
            .device(id)
            .filter(|device| !device.prekeys.is_empty())?;
        let registration = &device.registration;
        let mut hash = Sha1::new()
            .chain_update(registration.identity_key)
            .chain_update(device.signed_prekey.key)
            .chain_update(device.signed_prekey.signature);
        for key in device.prekeys.values() {
            hash.update(key);
        }
        let ids = device.prekeys.keys().map(|id| leaf("id", three_bytes(*id)));
        Some(parent(
            "digest",
            [
                leaf("registration", registration.registration_id.to_be_bytes()),
                leaf("type", [DJB]),
                leaf("identity", registration.identity_key),
                skey(&device.signed_prekey),
                parent("list", ids),
                leaf("hash", hash.finalize().to_vec()),
            ],
        ))
    });
    match node {
        Some(digest) => result(query, vec![digest]),
        None => refusal(query, 404, "item-not-found"),
    }
}

/// Hands out bundles; each one-time key only once.
fn fetch(session: &Session, query: &Node, wanted: &Node) -> Node {
    let users: Vec<Node> = children(wanted)
        .iter()
        .filter_map(|user| attr(user, "jid"))
        .map(|text| {
            let bundle = text.parse::<Jid>().ok().and_then(|jid| {
                session.world.update(|state| {
                    let phone = state.phones.values_mut().find(|phone| {
                        phone.number == jid.user.as_str() || phone.lid == jid.user.as_str()
                    })?;
                    match jid.device {
                        0 => phone_bundle(phone),
                        id => phone.devices.get_mut(&id).map(device_bundle),
                    }
                })
            });
            let content = bundle.unwrap_or_else(|| {
                let error = NodeBuilder::new("error")
                    .attr("code", "406")
                    .attr("text", "not-acceptable");
                vec![error.build()]
            });
            NodeBuilder::new("user")
                .attr("jid", text.as_str())
                .children(content)
                .build()
        })
        .collect();
    result(query, vec![parent("list", users)])
}

fn phone_bundle(phone: &PhoneState) -> Option<Vec<Node>> {
    let key = phone.signed_prekey.public();
    let signed = SignedPrekey {
        id: PHONE_SIGNED_PREKEY,
        key,
        signature: phone.identity.sign(&[&[DJB], &key]).ok()?,
    };
    Some(vec![
        leaf("registration", phone.registration_id.to_be_bytes()),
        leaf("type", [DJB]),
        leaf("identity", phone.identity.public()),
        skey(&signed),
    ])
}

fn device_bundle(device: &mut Device) -> Vec<Node> {
    let registration = &device.registration;
    let mut nodes = vec![
        leaf("registration", registration.registration_id.to_be_bytes()),
        leaf("type", [DJB]),
        leaf("identity", registration.identity_key),
        skey(&device.signed_prekey),
        leaf("device-identity", device.signed_identity.clone()),
    ];
    if let Some((id, key)) = device.prekeys.pop_first() {
        nodes.push(parent(
            "key",
            [leaf("id", three_bytes(id)), leaf("value", key)],
        ));
    }
    nodes
}

fn skey(prekey: &SignedPrekey) -> Node {
    parent(
        "skey",
        [
            leaf("id", three_bytes(prekey.id)),
            leaf("value", prekey.key),
            leaf("signature", prekey.signature),
        ],
    )
}
