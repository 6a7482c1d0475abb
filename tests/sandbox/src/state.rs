//! The sandbox's data: phones, their devices, connections, refs and codes.
//! Plain and synchronous; [`crate::world`] locks it.

use crate::clock;
use crate::faults::Faults;
use crate::keys::{KeyBytes, Pair, random};
use crate::noise::ServerIdentity;
use crate::passkey::{Authenticator, Gates, PasskeyGate, Passkeys};
use crate::payload::{Login, Registration, SignedPrekey};
use crate::server::Order;
use crate::snapshot::{
    CodeView, ConnectionStage, ConnectionView, LinkedDevice, PhoneView, Snapshot, Stats,
};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};
use wacore_binary::Jid;

pub(crate) struct State {
    pub(crate) stats: Stats,
    pub(crate) identity: Arc<ServerIdentity>,
    pub(crate) accepting: bool,
    pub(crate) phones: BTreeMap<String, PhoneState>,
    pub(crate) connections: BTreeMap<u64, Connection>,
    pub(crate) refs: HashMap<String, Ref>,
    /// Pairing codes waiting to be entered, by phone number: the server routes
    /// by number, so a newer request takes the place of an older one.
    pub(crate) codes: HashMap<String, LinkCode>,
    /// The passkey gates that are open.
    pub(crate) gates: Gates,
    pub(crate) faults: Faults,
    pub(crate) last_registration: Option<Registration>,
    pub(crate) last_login: Option<Login>,
    last_connection: u64,
}

/// A connection, as others see it.
pub(crate) struct Connection {
    pub(crate) stage: ConnectionStage,
    pub(crate) orders: mpsc::Sender<Order>,
    /// Set while an unlinked client is on it.
    pub(crate) registration: Option<Arc<Registration>>,
    /// Set while a linked device is on it.
    pub(crate) device: Option<DeviceId>,
}

impl Connection {
    /// Whether stanzas are exchanged on it.
    pub(crate) fn is_live(&self) -> bool {
        matches!(
            self.stage,
            ConnectionStage::Pairing | ConnectionStage::Online
        )
    }
}

/// A phone number and a device number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DeviceId {
    pub(crate) number: String,
    pub(crate) device: u16,
}

impl DeviceId {
    pub(crate) fn jid(&self) -> Jid {
        Jid::pn_device(self.number.as_str(), self.device)
    }
}

/// One QR code's worth of permission to pair with a connection.
pub(crate) struct Ref {
    pub(crate) connection: u64,
    pub(crate) expires: Instant,
}

/// A pairing code in waiting. The server never learns the code itself.
pub(crate) struct LinkCode {
    pub(crate) reference: Vec<u8>,
    pub(crate) connection: u64,
    pub(crate) wrapped_ephemeral: [u8; 80],
    pub(crate) display: String,
    pub(crate) expires: Instant,
    pub(crate) attempts: u32,
    /// Where the companion's answer to the phone's hello goes.
    pub(crate) finish: Option<oneshot::Sender<CompanionFinish>>,
}

/// The companion's half of a pairing by code.
pub(crate) struct CompanionFinish {
    pub(crate) wrapped_bundle: Vec<u8>,
    pub(crate) identity_key: KeyBytes,
}

pub(crate) struct PhoneState {
    pub(crate) number: String,
    pub(crate) lid: String,
    pub(crate) push_name: String,
    /// Set for a business account; a device learns it when it is linked.
    pub(crate) business_name: Option<String>,
    pub(crate) identity: Pair,
    pub(crate) registration_id: u32,
    /// Names this account's list of devices in ADV records.
    pub(crate) raw_id: u32,
    pub(crate) signed_prekey: Pair,
    pub(crate) app_state: AppStateKey,
    pub(crate) devices: BTreeMap<u16, Device>,
    pub(crate) last_device: u16,
    pub(crate) last_key_index: u32,
    /// The ADV secrets of all devices it ever linked: a device that knows one
    /// of them has been here before.
    pub(crate) adv_secrets: Vec<[u8; 32]>,
    /// What a pairing must go through; nothing, if it is not set.
    pub(crate) demands: Option<PasskeyGate>,
    pub(crate) passkeys: Passkeys,
    authenticator: Option<Authenticator>,
}

/// The key with which the phone encrypts what its devices synchronise.
#[derive(Clone)]
pub(crate) struct AppStateKey {
    pub(crate) id: [u8; 6],
    pub(crate) data: [u8; 32],
    pub(crate) created: u64,
}

pub(crate) struct Device {
    pub(crate) registration: Registration,
    pub(crate) key_index: u32,
    pub(crate) linked_at: u64,
    pub(crate) logins: u64,
    /// What the server hands to those who want to write to this device.
    pub(crate) signed_prekey: SignedPrekey,
    pub(crate) prekeys: BTreeMap<u32, KeyBytes>,
    pub(crate) signed_identity: Vec<u8>,
    pub(crate) key_shared: bool,
    pub(crate) dirty: bool,
}

impl State {
    pub(crate) fn new(identity: ServerIdentity) -> Self {
        Self {
            stats: Stats::default(),
            identity: Arc::new(identity),
            accepting: true,
            phones: BTreeMap::new(),
            connections: BTreeMap::new(),
            refs: HashMap::new(),
            codes: HashMap::new(),
            gates: Gates::default(),
            faults: Faults::default(),
            last_registration: None,
            last_login: None,
            last_connection: 0,
        }
    }

    pub(crate) fn open_connection(&mut self, orders: mpsc::Sender<Order>) -> u64 {
        self.stats.tcp_connections += 1;
        self.last_connection += 1;
        self.connections.insert(
            self.last_connection,
            Connection {
                stage: ConnectionStage::Tcp,
                orders,
                registration: None,
                device: None,
            },
        );
        self.last_connection
    }

    /// Forgets a connection and all that was tied to it.
    pub(crate) fn close_connection(&mut self, id: u64) {
        self.connections.remove(&id);
        self.refs.retain(|_, reference| reference.connection != id);
        self.codes.retain(|_, code| code.connection != id);
        self.gates.forget(id);
    }

    /// Marks a connection as ending: whoever was on it is not any more.
    pub(crate) fn end_connection(&mut self, id: u64) {
        self.gates.forget(id);
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.stage = ConnectionStage::Closing;
            connection.device = None;
            connection.registration = None;
        }
    }

    pub(crate) fn set_stage(&mut self, id: u64, stage: ConnectionStage) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.stage = stage;
        }
    }

    pub(crate) fn device(&self, id: &DeviceId) -> Option<&Device> {
        self.phones.get(&id.number)?.devices.get(&id.device)
    }

    pub(crate) fn device_mut(&mut self, id: &DeviceId) -> Option<&mut Device> {
        self.phones.get_mut(&id.number)?.devices.get_mut(&id.device)
    }

    /// The orders of the connection a device is on.
    pub(crate) fn orders_of(&self, id: &DeviceId) -> Option<mpsc::Sender<Order>> {
        self.connections
            .values()
            .find(|connection| connection.device.as_ref() == Some(id))
            .map(|connection| connection.orders.clone())
    }

    pub(crate) fn view_device(&self, id: &DeviceId) -> Option<LinkedDevice> {
        let phone = self.phones.get(&id.number)?;
        let device = phone.devices.get(&id.device)?;
        Some(self.linked(phone, id.device, device))
    }

    pub(crate) fn view_phone(&self, phone: &PhoneState) -> PhoneView {
        PhoneView {
            number: phone.number.clone(),
            lid: Jid::lid(phone.lid.as_str()).to_string(),
            push_name: phone.push_name.clone(),
            business_name: phone.business_name.clone(),
            devices: phone
                .devices
                .iter()
                .map(|(id, device)| self.linked(phone, *id, device))
                .collect(),
            code: self.codes.get(&phone.number).map(|code| CodeView {
                display: code.display.clone(),
                expires_in_secs: code
                    .expires
                    .saturating_duration_since(clock::now())
                    .as_secs(),
                attempts: code.attempts,
            }),
            gate: self.gates.view(&phone.number),
        }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            stats: self.stats.clone(),
            accepting: self.accepting,
            connections: self
                .connections
                .iter()
                .map(|(id, connection)| ConnectionView {
                    id: *id,
                    stage: connection.stage,
                    device: connection.device.as_ref().map(|id| id.jid().to_string()),
                })
                .collect(),
            phones: self
                .phones
                .values()
                .map(|phone| (phone.number.clone(), self.view_phone(phone)))
                .collect(),
            faults: self.faults.armed().to_vec(),
            last_registration: self.last_registration.clone(),
            last_login: self.last_login.clone(),
        }
    }

    fn linked(&self, phone: &PhoneState, id: u16, device: &Device) -> LinkedDevice {
        let key = DeviceId {
            number: phone.number.clone(),
            device: id,
        };
        LinkedDevice {
            jid: key.jid().to_string(),
            lid: Jid::lid_device(phone.lid.as_str(), id).to_string(),
            phone: phone.number.clone(),
            device: id,
            key_index: device.key_index,
            linked_at: device.linked_at,
            logins: device.logins,
            online: self
                .connections
                .values()
                .any(|connection| connection.device.as_ref() == Some(&key)),
            registration: device.registration.clone(),
        }
    }
}

impl PhoneState {
    pub(crate) fn new(number: String, push_name: String, now: u64) -> Self {
        let registration_id = u32::from(u16::from_be_bytes(random())) + 1;
        Self {
            lid: lid_of(&number),
            number,
            push_name,
            business_name: None,
            identity: Pair::generate(),
            registration_id,
            raw_id: u32::from_be_bytes(random()) >> 1,
            signed_prekey: Pair::generate(),
            app_state: AppStateKey {
                id: [0, 0, 0, 0, 0, 1],
                data: random(),
                created: now,
            },
            devices: BTreeMap::new(),
            last_device: 0,
            last_key_index: 0,
            adv_secrets: Vec::new(),
            demands: None,
            passkeys: Passkeys::default(),
            authenticator: None,
        }
    }

    /// The passkey that the sandbox holds for the account.
    pub(crate) fn passkey(&mut self) -> Authenticator {
        let passkey = self.authenticator.get_or_insert_with(|| {
            let made = Authenticator::generate();
            self.passkeys
                .register(made.id(), &made.public_key())
                .expect("its own key is a good one");
            made
        });
        passkey.clone()
    }
}

/// A LID hides the number: fifteen digits that do not tell it, stable for it.
fn lid_of(number: &str) -> String {
    use sha2::{Digest as _, Sha256};
    let digest = Sha256::digest(number.as_bytes());
    let mut eight = [0; 8];
    eight.copy_from_slice(&digest[..8]);
    let base = 100_000_000_000_000;
    (base + u64::from_be_bytes(eight) % (9 * base)).to_string()
}
