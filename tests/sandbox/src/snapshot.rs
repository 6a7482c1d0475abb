//! What tests and the control API get to see of a sandbox.

use crate::faults::ArmedFault;
use crate::passkey::GateView;
use crate::payload::{Login, Registration};
use serde::Serialize;
use std::collections::BTreeMap;

/// Everything at one moment.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Snapshot {
    pub stats: Stats,
    /// Whether the listener is open.
    pub accepting: bool,
    pub connections: Vec<ConnectionView>,
    pub phones: BTreeMap<String, PhoneView>,
    pub faults: Vec<ArmedFault>,
    pub last_registration: Option<Registration>,
    pub last_login: Option<Login>,
}

impl Snapshot {
    /// A phone's devices; none when there is no such phone.
    pub fn devices(&self, number: &str) -> &[LinkedDevice] {
        self.phones
            .get(number)
            .map_or(&[], |phone| phone.devices.as_slice())
    }

    /// The device with this JID.
    pub fn device(&self, jid: &str) -> Option<&LinkedDevice> {
        self.phones
            .values()
            .flat_map(|phone| &phone.devices)
            .find(|device| device.jid == jid)
    }

    /// How many connections are logged in.
    pub fn online(&self) -> usize {
        self.at(ConnectionStage::Online)
    }

    /// How many connections hold refs, so can be scanned.
    pub fn pairing(&self) -> usize {
        self.at(ConnectionStage::Pairing)
    }

    fn at(&self, stage: ConnectionStage) -> usize {
        self.connections
            .iter()
            .filter(|connection| connection.stage == stage)
            .count()
    }
}

/// What has happened since the sandbox started.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Stats {
    pub tcp_connections: u64,
    pub handshakes: Handshakes,
    /// Unlinked clients that came to pair.
    pub registrations: u64,
    /// Logins that got `<success>`.
    pub logins: u64,
    pub logins_by_device: BTreeMap<String, u64>,
    /// `<failure>` stanzas by reason, injected ones included.
    pub failures: BTreeMap<u16, u64>,
    pub refs_issued: u64,
    pub code_requests: u64,
    pub code_refusals: u64,
    /// Passkey gates that opened, assertions that passed, and steps in a gate
    /// that were refused, on demand or not.
    pub passkey_challenges: u64,
    pub passkey_assertions: u64,
    pub passkey_refusals: u64,
    pub pairings: u64,
    pub pairings_failed: u64,
    /// Devices that took themselves off (a client's logout).
    pub removals: u64,
    /// Devices the phone took off.
    pub unlinks: u64,
    /// Connections ended because the device logged in elsewhere.
    pub replaced: u64,
    /// Pings from clients, answered or not.
    pub pings: u64,
    pub pings_ignored: u64,
    /// Pings from the server, and the answers to them.
    pub server_pings: u64,
    pub server_pongs: u64,
    pub prekey_uploads: u64,
    pub app_state_syncs: u64,
    pub key_shares: u64,
    pub faults_hit: u64,
    /// Frames that did not decrypt or did not decode.
    pub bad_frames: u64,
    /// Queries the sandbox has no answer for, by namespace and first child.
    pub unknown_queries: BTreeMap<String, u64>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Handshakes {
    pub xx: u64,
    pub ik: u64,
    pub fallback: u64,
    pub failed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionStage {
    Tcp,
    Upgrade,
    Handshake,
    Pairing,
    Online,
    /// Open, but the server does not listen.
    BlackHole,
    /// The server has said its last words, or is about to.
    Closing,
}

#[derive(Clone, Debug, Serialize)]
pub struct ConnectionView {
    pub id: u64,
    pub stage: ConnectionStage,
    /// The device that is logged in here.
    pub device: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct PhoneView {
    pub number: String,
    pub lid: String,
    pub push_name: String,
    pub business_name: Option<String>,
    pub devices: Vec<LinkedDevice>,
    /// A client waits for its pairing code to be entered here.
    pub code: Option<CodeView>,
    /// A client is at the passkey gate.
    pub gate: Option<GateView>,
}

/// What a phone shows when it is asked for a pairing code.
#[derive(Clone, Debug, Serialize)]
pub struct CodeView {
    /// Browser and system, as the client gave them.
    pub display: String,
    pub expires_in_secs: u64,
    pub attempts: u32,
}

/// A row of the phone's Linked devices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LinkedDevice {
    pub jid: String,
    pub lid: String,
    pub phone: String,
    pub device: u16,
    pub key_index: u32,
    /// Unix seconds.
    pub linked_at: u64,
    pub logins: u64,
    pub online: bool,
    /// Who unlinked clients said they were when they registered.
    pub registration: Registration,
}
