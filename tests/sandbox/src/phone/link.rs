//! Linking a client, once the phone and it share a secret: the end that
//! pairing by QR code and by pairing code have in common. The passkey gate is
//! in front of [`link`] and changes nothing in it.

use crate::adv::{AdvError, Vouching};
use crate::clock;
use crate::keys::BadKey;
use crate::passkey::PasskeyError;
use crate::payload::Registration;
use crate::server::{Ending, Order};
use crate::snapshot::LinkedDevice;
use crate::state::{Device, DeviceId, State};
use crate::wire::node::{SERVER, attr, bytes, child, has, leaf, parent};
use crate::world::World;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};
use waproto::buffa::Message as _;
use waproto::whatsapp::ClientPairingProps;

#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    #[error("the client is linked, or being linked, already")]
    Taken,
    #[error("the phone has as many linked devices as it can have")]
    TooManyDevices,
    #[error("the client did not answer")]
    NoAnswer,
    #[error("the client refused with {code}: {text}")]
    Refused { code: u16, text: String },
    #[error(transparent)]
    Adv(#[from] AdvError),
    /// The gate of an account that demands a passkey.
    #[error("the passkey gate: {0}")]
    Passkey(#[from] PasskeyError),
    #[error("a key cannot be used")]
    Key,
}

impl From<BadKey> for LinkError {
    fn from(_: BadKey) -> Self {
        Self::Key
    }
}

/// An unlinked client on a live connection.
pub(super) struct Candidate {
    pub(super) connection: u64,
    pub(super) registration: Arc<Registration>,
    pub(super) orders: mpsc::Sender<Order>,
}

impl Candidate {
    pub(super) fn on(state: &State, id: u64) -> Option<Self> {
        let connection = state.connections.get(&id)?;
        Some(Self {
            connection: id,
            registration: Arc::clone(connection.registration.as_ref()?),
            orders: connection.orders.clone(),
        })
    }
}

/// What the phone sets aside for the new device.
struct Reserved {
    id: DeviceId,
    lid: String,
    business_name: Option<String>,
    key_index: u32,
    timestamp: u64,
}

/// Links the client: vouches for it with `secret`, and has it vouch for
/// itself.
pub(super) async fn link(
    world: &World,
    number: &str,
    candidate: Candidate,
    secret: &[u8; 32],
) -> Result<LinkedDevice, LinkError> {
    // One phone at a time: what is taken here comes back if it fails.
    world.update(|state| {
        let connection = state.connections.get_mut(&candidate.connection);
        connection
            .and_then(|connection| connection.registration.take())
            .ok_or(LinkError::Taken)
    })?;
    let linked = try_link(world, number, &candidate, secret).await;
    if linked.is_err() {
        world.update(|state| {
            state.stats.pairings_failed += 1;
            if let Some(connection) = state.connections.get_mut(&candidate.connection) {
                connection.registration = Some(candidate.registration);
            }
        });
    }
    linked
}

async fn try_link(
    world: &World,
    number: &str,
    candidate: &Candidate,
    secret: &[u8; 32],
) -> Result<LinkedDevice, LinkError> {
    let registration = &candidate.registration;
    let max = world.options.max_devices;
    let (reserved, account, raw_id) = world.update(|state| {
        let phone = state.phones.get_mut(number).ok_or(LinkError::NoAnswer)?;
        if phone.devices.len() >= max {
            return Err(LinkError::TooManyDevices);
        }
        phone.last_device += 1;
        phone.last_key_index += 1;
        let reserved = Reserved {
            id: DeviceId {
                number: number.to_owned(),
                device: phone.last_device,
            },
            lid: phone.lid.clone(),
            business_name: phone.business_name.clone(),
            key_index: phone.last_key_index,
            timestamp: clock::unix(),
        };
        Ok((reserved, phone.identity.clone(), phone.raw_id))
    })?;
    let (vouched, container) = Vouching {
        account: &account,
        device_identity: &registration.identity_key,
        raw_id,
        timestamp: reserved.timestamp,
        key_index: reserved.key_index,
    }
    .sign(secret)?;

    let (reply, answer) = oneshot::channel();
    let query = pair_success(&reserved, container);
    candidate
        .orders
        .send(Order::Ask { query, reply })
        .await
        .map_err(|_| LinkError::NoAnswer)?;
    let answer = tokio::time::timeout(world.options.answer_timeout, answer)
        .await
        .map_err(|_| LinkError::NoAnswer)?
        .map_err(|_| LinkError::NoAnswer)?;
    let (signed, key_index) = countersigned(&answer)?;
    vouched.check(&signed, key_index)?;
    commit(world, &reserved, candidate, secret, signed).ok_or(LinkError::NoAnswer)
}

/// `<pair-success>`, with what a client learns of the account.
fn pair_success(reserved: &Reserved, container: Vec<u8>) -> Node {
    let device = NodeBuilder::new("device")
        .attr("jid", reserved.id.jid())
        .attr(
            "lid",
            Jid::lid_device(reserved.lid.as_str(), reserved.id.device),
        )
        .build();
    let platform = NodeBuilder::new("platform").attr("name", "android").build();
    let props = ClientPairingProps {
        is_chat_db_lid_migrated: Some(true),
        ..Default::default()
    };
    let mut children = vec![
        leaf("device-identity", container),
        device,
        platform,
        leaf("client-props", props.encode_to_vec()),
    ];
    if let Some(name) = &reserved.business_name {
        children.push(NodeBuilder::new("biz").attr("name", name).build());
    }
    let success = parent("pair-success", children);
    NodeBuilder::new("iq")
        .attr("from", SERVER)
        .attr("type", "set")
        .attr("xmlns", "md")
        .attr("t", clock::unix())
        .children([success])
        .build()
}

/// The client's signed identity and its key index, or its refusal.
fn countersigned(answer: &Node) -> Result<(Vec<u8>, u32), LinkError> {
    if has(answer, "type", "error") {
        let error = child(answer, "error");
        return Err(LinkError::Refused {
            code: error
                .and_then(|error| attr(error, "code"))
                .and_then(|code| code.parse().ok())
                .unwrap_or(0),
            text: error
                .and_then(|error| attr(error, "text"))
                .unwrap_or_default(),
        });
    }
    let identity = child(answer, "pair-device-sign")
        .and_then(|sign| child(sign, "device-identity"))
        .ok_or(AdvError::Malformed)?;
    let key_index = attr(identity, "key-index")
        .and_then(|index| index.parse().ok())
        .ok_or(AdvError::Malformed)?;
    Ok((bytes(identity).to_vec(), key_index))
}

/// Takes the device in, spends its refs, and ends its stream: the device comes
/// back with a login.
fn commit(
    world: &World,
    reserved: &Reserved,
    candidate: &Candidate,
    secret: &[u8; 32],
    signed_identity: Vec<u8>,
) -> Option<LinkedDevice> {
    let registration = &candidate.registration;
    world.update(|state| {
        let phone = state.phones.get_mut(&reserved.id.number)?;
        phone.devices.insert(
            reserved.id.device,
            Device {
                registration: Registration::clone(registration),
                key_index: reserved.key_index,
                linked_at: reserved.timestamp,
                logins: 0,
                signed_prekey: registration.signed_prekey.clone(),
                prekeys: BTreeMap::new(),
                signed_identity,
                key_shared: false,
                dirty: true,
            },
        );
        phone.adv_secrets.push(*secret);
        state.stats.pairings += 1;
        state
            .refs
            .retain(|_, reference| reference.connection != candidate.connection);
        let ending = Ending::stream_error(Some(515), None).after(world.options.settle);
        // A client that left early needs no telling.
        let _: Result<(), _> = candidate.orders.try_send(Order::End(ending));
        state.view_device(&reserved.id)
    })
}
