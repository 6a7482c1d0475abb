//! The connection at a glance: `data` of `GET /connection/status`.

use super::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where the connection stands.
// The diagram is in link::machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Starting,
    Connecting,
    WaitingQr,
    WaitingCode,
    WaitingPasskey,
    Linking,
    Connected,
    Degraded,
    Reconnecting,
    Idle,
    Paused,
    LoggedOut,
    Replaced,
    Banned,
    Outdated,
    Stopping,
}

impl State {
    /// In the order of their declaration, which a test holds to.
    pub const ALL: [Self; 16] = [
        Self::Starting,
        Self::Connecting,
        Self::WaitingQr,
        Self::WaitingCode,
        Self::WaitingPasskey,
        Self::Linking,
        Self::Connected,
        Self::Degraded,
        Self::Reconnecting,
        Self::Idle,
        Self::Paused,
        Self::LoggedOut,
        Self::Replaced,
        Self::Banned,
        Self::Outdated,
        Self::Stopping,
    ];

    /// The word the API uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Connecting => "connecting",
            Self::WaitingQr => "waiting_qr",
            Self::WaitingCode => "waiting_code",
            Self::WaitingPasskey => "waiting_passkey",
            Self::Linking => "linking",
            Self::Connected => "connected",
            Self::Degraded => "degraded",
            Self::Reconnecting => "reconnecting",
            Self::Idle => "idle",
            Self::Paused => "paused",
            Self::LoggedOut => "logged_out",
            Self::Replaced => "replaced",
            Self::Banned => "banned",
            Self::Outdated => "outdated",
            Self::Stopping => "stopping",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why the state is what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// For programs: `network`, `dns`, `replaced`, `device_removed` …
    pub code: String,
    /// For people.
    pub message: String,
}

/// The last end of a connection, kept over restarts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Disconnection {
    pub code: String,
    pub message: String,
    pub at: Timestamp,
}

/// `data` of `GET /connection/status`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// WhatsApp has answered on the live socket within the keepalive period.
    pub is_connected: bool,
    #[serde(rename = "hasQRCode")]
    pub has_qr_code: bool,
    pub has_pairing_code: bool,
    /// The linked number; with a code waiting and no link, the one it is for.
    pub phone_number: Option<String>,
    #[serde(rename = "lastQRUpdate")]
    pub last_qr_update: Option<Timestamp>,
    pub last_pairing_update: Option<Timestamp>,
    pub state: State,
    pub state_since: Timestamp,
    pub reason: Option<Reason>,
    /// What a person should do now, in a sentence.
    pub user_action: Option<String>,
    pub jid: Option<String>,
    pub push_name: Option<String>,
    /// The last byte from WhatsApp.
    pub last_heard_at: Option<Timestamp>,
    pub last_disconnect: Option<Disconnection>,
    pub next_attempt_at: Option<Timestamp>,
    /// Attempts since the last success.
    pub attempts: u32,
    /// Warnings, worst first.
    pub health: Vec<String>,
    /// Grows with each change; `?after=` waits for the next.
    pub generation: u64,
    pub started_at: Timestamp,
    pub version: String,
}

impl fmt::Debug for Status {
    /// Without the number, so that a stray `{:?}` in a log stays harmless.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Status")
            .field("state", &self.state)
            .field("generation", &self.generation)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::State;

    #[test]
    fn all_states_are_there() {
        let places = State::ALL.iter().map(|state| *state as usize);
        assert!(places.eq(0..State::ALL.len()));
        // The last of the enum: a new one behind it fails here.
        assert_eq!(State::Stopping as usize + 1, State::ALL.len());
    }
}
