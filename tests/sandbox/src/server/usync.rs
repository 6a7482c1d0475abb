//! The `usync` namespace: which devices a user has, and the user's LID.

use super::session::Session;
use crate::adv::key_index_list;
use crate::clock;
use crate::state::PhoneState;
use crate::wire::node::{attr, child, children, leaf, parent, refusal, result};
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};

pub(super) fn answer(session: &Session, query: &Node) -> Node {
    let Some(usync) = child(query, "usync") else {
        return refusal(query, 400, "bad-request");
    };
    let protocols: Vec<&Node> = child(usync, "query")
        .map(children)
        .unwrap_or_default()
        .iter()
        .collect();
    let asked = |tag: &str| protocols.iter().any(|protocol| protocol.tag == tag);
    let users = child(usync, "list").map(children).unwrap_or_default();
    let found = session.world.read(|state| {
        users
            .iter()
            .filter_map(|user| attr(user, "jid"))
            .filter_map(|text| {
                let jid: Jid = text.parse().ok()?;
                let phone = state.phones.values().find(|phone| {
                    phone.number == jid.user.as_str() || phone.lid == jid.user.as_str()
                })?;
                let mut about = Vec::new();
                if asked("devices") {
                    about.push(devices(phone)?);
                }
                if asked("lid") {
                    let lid = Jid::lid(phone.lid.as_str());
                    about.push(NodeBuilder::new("lid").attr("val", lid).build());
                }
                Some(
                    NodeBuilder::new("user")
                        .attr("jid", text)
                        .children(about)
                        .build(),
                )
            })
            .collect::<Vec<_>>()
    });
    let verdicts = protocols
        .iter()
        .map(|protocol| NodeBuilder::new_dynamic(protocol.tag.to_string()).build());
    let mut reply =
        NodeBuilder::new("usync").children([parent("result", verdicts), parent("list", found)]);
    for name in ["sid", "mode", "context"] {
        if let Some(value) = attr(usync, name) {
            reply = reply.attr(name, value);
        }
    }
    result(
        query,
        vec![reply.attr("index", "0").attr("last", "true").build()],
    )
}

/// The phone and its devices, with the account's signature over which count.
fn devices(phone: &PhoneState) -> Option<Node> {
    let mut list = vec![NodeBuilder::new("device").attr("id", "0").build()];
    list.extend(phone.devices.iter().map(|(id, device)| {
        NodeBuilder::new("device")
            .attr("id", *id)
            .attr("key-index", device.key_index)
            .build()
    }));
    let now = clock::unix();
    let signed = key_index_list(
        &phone.identity,
        phone.raw_id,
        now,
        phone.last_key_index,
        phone
            .devices
            .values()
            .map(|device| device.key_index)
            .collect(),
    )
    .ok()?;
    let mut index = leaf("key-index-list", signed);
    index.attrs.insert("ts", now.to_string());
    Some(parent("devices", [parent("device-list", list), index]))
}
