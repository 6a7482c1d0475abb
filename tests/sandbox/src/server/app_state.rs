//! The `w:sync:app:state` namespace, reading only: the phone's push name in
//! `critical_block`, encrypted with the key it shares; the other collections
//! are empty.

use super::session::Session;
use crate::clock;
use crate::keys::random;
use crate::state::{AppStateKey, DeviceId};
use crate::wire::node::{attr, child, children, leaf, parent, result};
use wacore_appstate::hash::{HashState, generate_patch_mac};
use wacore_appstate::{encode_record, expand_app_state_keys};
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;
use waproto::buffa::{Message as _, MessageField};
use waproto::whatsapp::sync_action_value::PushNameSetting;
use waproto::whatsapp::syncd_mutation::SyncdOperation;
use waproto::whatsapp::{KeyId, SyncActionValue, SyncdPatch, SyncdVersion};

const WITH_PUSH_NAME: &str = "critical_block";
/// The first patch, which may come without a snapshot.
const GENESIS: u64 = 1;

pub(super) fn answer(session: &Session, id: &DeviceId, query: &Node) -> Node {
    let (key, name) = session.world.update(|state| {
        state.stats.app_state_syncs += 1;
        let shared = state.device(id).is_some_and(|device| device.key_shared);
        let phone = state.phones.get(&id.number);
        (
            phone
                .filter(|_| shared)
                .map(|phone| phone.app_state.clone()),
            phone
                .map(|phone| phone.push_name.clone())
                .unwrap_or_default(),
        )
    });
    let asked = child(query, "sync").map(children).unwrap_or_default();
    let collections: Vec<Node> = asked
        .iter()
        .filter_map(|collection| {
            let collection_name = attr(collection, "name")?;
            if child(collection, "patch").is_some() {
                return Some(read_only(&collection_name));
            }
            let version: u64 = attr(collection, "version")
                .and_then(|version| version.parse().ok())
                .unwrap_or(0);
            let patches = match &key {
                Some(key) if collection_name == WITH_PUSH_NAME && version < GENESIS => {
                    vec![leaf("patch", push_name_patch(key, &name))]
                }
                _ => Vec::new(),
            };
            let now = version.max(if patches.is_empty() { 0 } else { GENESIS });
            Some(
                NodeBuilder::new("collection")
                    .attr("name", collection_name)
                    .attr("version", now)
                    .children([parent("patches", patches)])
                    .build(),
            )
        })
        .collect();
    result(query, vec![parent("sync", collections)])
}

/// A change that a device wants to make: the sandbox keeps none.
fn read_only(name: &str) -> Node {
    let error = NodeBuilder::new("error")
        .attr("code", "400")
        .attr("text", "bad-request")
        .build();
    NodeBuilder::new("collection")
        .attr("name", name)
        .attr("type", "error")
        .children([error])
        .build()
}

fn push_name_patch(key: &AppStateKey, name: &str) -> Vec<u8> {
    let keys = expand_app_state_keys(&key.data);
    let value = SyncActionValue {
        timestamp: i64::try_from(clock::unix() * 1000).ok(),
        push_name_setting: MessageField::some(PushNameSetting {
            name: Some(name.to_owned()),
        }),
        ..Default::default()
    };
    let (mutation, _) = encode_record(
        SyncdOperation::SET,
        br#"["setting_pushName"]"#,
        &value,
        &keys,
        &key.id,
        &random(),
        1,
    );
    let mutations = vec![mutation];
    let mut state = HashState {
        version: GENESIS,
        ..HashState::default()
    };
    // Nothing came before, so there is no older value to look up.
    let (_, updated) = state.update_hash(&mutations, |_, _| Ok(None));
    debug_assert!(updated.is_ok(), "the lookup cannot fail");
    let mut patch = SyncdPatch {
        version: MessageField::some(SyncdVersion {
            version: Some(GENESIS),
        }),
        mutations,
        snapshot_mac: Some(state.generate_snapshot_mac(WITH_PUSH_NAME, &keys.snapshot_mac)),
        key_id: MessageField::some(KeyId {
            id: Some(key.id.to_vec()),
        }),
        ..Default::default()
    };
    patch.patch_mac = Some(generate_patch_mac(
        &patch,
        WITH_PUSH_NAME,
        &keys.patch_mac,
        GENESIS,
    ));
    patch.encode_to_vec()
}
