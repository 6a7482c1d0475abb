//! What has happened, as the API tells it: `GET /connection/log` and
//! `GET /connection/events`.

use super::{State, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One event. What does not apply to it is left out of the JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Grows from event to event, with gaps, and never comes again. Below 2^53,
    /// so that JavaScript reads it exactly.
    pub id: u64,
    /// `connection.connected`, `pairing.linked`, `admin.pause`, `auth.refused` …
    #[serde(rename = "type")]
    pub kind: String,
    pub at: Timestamp,
    pub severity: Severity,
    /// For people; phone numbers masked.
    pub message: String,
    /// How the connection stood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// The code of the reason, as in the status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who called: `192.0.2.1:4711`, or `uid=1000 pid=4711`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// The name of the caller's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// How many of the same were only counted, just before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppressed: Option<u64>,
}

/// Every type that an event may have.
pub const EVENT_TYPES: [&str; 60] = [
    "connection.connecting",
    "connection.waiting_qr",
    "connection.waiting_code",
    "connection.waiting_passkey",
    "connection.linking",
    "connection.connected",
    "connection.degraded",
    "connection.reconnecting",
    "connection.idle",
    "connection.paused",
    "connection.logged_out",
    "connection.replaced",
    "connection.banned",
    "connection.outdated",
    "connection.stopping",
    "connection.store",
    "connection.unreachable",
    "pairing.code",
    "pairing.wrong_code",
    "pairing.expired",
    "pairing.limited",
    "pairing.refused",
    "pairing.accepted",
    "pairing.linked",
    "pairing.failed",
    "pairing.old_device_stays",
    "pairing.passkey",
    "pairing.passkey_answered",
    "pairing.passkey_code",
    "pairing.passkey_cancelled",
    "pairing.passkey_bad",
    "pairing.passkey_dropped",
    "pairing.passkey_lost",
    "pairing.passkey_refused",
    "pairing.passkey_unreadable",
    "admin.start",
    "admin.stop",
    "admin.reload",
    "admin.reload_refused",
    "admin.pairing",
    "admin.passkey",
    "admin.disconnect",
    "admin.disconnected",
    "admin.pause",
    "admin.resume",
    "admin.resumed",
    "admin.reconnect",
    "admin.key_add",
    "admin.key_remove",
    "admin.events_lost",
    "admin.backup",
    "admin.log_level",
    "admin.webhook_failing",
    "admin.webhook_delivering",
    "admin.webhook_paused",
    "admin.webhook_resume",
    "admin.webhook_test",
    "auth.key_made",
    "auth.refused",
    "auth.locked_out",
];

/// Events that are not there any more, or never were: `GET /connection/events`
/// tells of them where they would have stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    /// The id that was to be gone on behind.
    pub from: u64,
    /// The id that is gone on behind instead.
    pub to: u64,
}

/// How loud an event is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Debug,
    Info,
    Warning,
    Error,
}

impl Severity {
    /// The word the API uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_told_without_what_it_lacks() {
        let event = Event {
            id: 7,
            kind: "connection.connected".to_owned(),
            at: Timestamp::from_millis(1_766_811_600_000),
            severity: Severity::Info,
            message: "connected".to_owned(),
            state: Some(State::Connected),
            reason: None,
            peer: None,
            key: None,
            suppressed: None,
        };
        let json = r#"{"id":7,"type":"connection.connected","at":"2025-12-27T05:00:00.000Z","severity":"info","message":"connected","state":"connected"}"#;
        assert_eq!(serde_json::to_string(&event).expect("JSON"), json);
        let back: Event = serde_json::from_str(json).expect("and back");
        assert_eq!(back, event);
    }
}
