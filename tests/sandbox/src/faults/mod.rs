//! Faults on demand: which there are, and where in a connection's life each
//! applies.

mod armed;

pub(crate) use armed::Faults;
pub use armed::{ArmedFault, FaultError, Injected, Target, Who};

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Where in its life a connection is cut off or swallowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Accepted, nothing read.
    Tcp,
    /// The upgrade request is read.
    Upgrade,
    /// A WebSocket; the client's hello is read.
    Handshake,
    /// Logged in, or showing QR codes.
    Live,
}

/// A way for the server to misbehave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// The TCP connection ends without a word.
    Drop { at: Stage },
    /// The socket stays open, never answers, and swallows what comes.
    BlackHole { at: Stage },
    /// The server's hello comes late.
    SlowHandshake {
        #[serde(rename = "delay_ms", with = "millis")]
        delay: Duration,
    },
    /// A frame that does not decrypt.
    GarbageFrame,
    /// `<stream:error>`, then the stream's end.
    StreamError {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<u16>,
        /// `replaced`, `device_removed`, …
        #[serde(default, skip_serializing_if = "Option::is_none")]
        conflict: Option<String>,
    },
    /// A bare `<xmlstreamend/>`; the socket stays.
    XmlStreamEnd,
    /// A WebSocket close frame.
    WebSocketClose { code: u16 },
    /// `<failure>` in place of `<success>` or of the first refs.
    ConnectFailure {
        reason: u16,
        /// Which kind of ban, with reason 402.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<u32>,
        /// For how many seconds, with reason 402.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expire: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    /// A request for a pairing code is refused.
    RefuseCode {
        code: u16,
        text: String,
        /// Seconds to wait, when the server says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        backoff: Option<u64>,
    },
    /// A request for a pairing code is never answered.
    HangCode,
    /// The answer to a passkey challenge is refused, whatever it holds.
    RefuseAssertion { code: u16, text: String },
    /// The answer to a passkey challenge is itself never answered.
    HangAssertion,
    /// The answer to a passkey challenge is accepted, and then the phone stays
    /// silent.
    NoContinuation,
    /// The last step of the passkey gate is refused, whatever it holds.
    RefusePairingRequest { code: u16, text: String },
    /// The last step of the passkey gate is never answered.
    HangPairingRequest,
    /// Refs are issued that no phone can scan any more.
    DeadRefs,
    /// Refs are never issued.
    NoRefs,
    /// A client's ping is not answered; everything else is.
    IgnorePings,
}

impl Fault {
    pub fn stream_error(code: u16) -> Self {
        Self::StreamError {
            code: Some(code),
            conflict: None,
        }
    }

    /// Another client took this device's place.
    pub fn replaced() -> Self {
        Self::StreamError {
            code: None,
            conflict: Some("replaced".to_owned()),
        }
    }

    /// The phone removed this device, says the server; the device can still
    /// log in. To really remove it, see [`Phone::unlink`](crate::Phone::unlink).
    pub fn device_removed() -> Self {
        Self::StreamError {
            code: Some(401),
            conflict: Some("device_removed".to_owned()),
        }
    }

    pub fn connect_failure(reason: u16) -> Self {
        Self::ConnectFailure {
            reason,
            code: None,
            expire: None,
            message: None,
        }
    }

    /// A temporary ban.
    pub fn banned(duration: Duration) -> Self {
        Self::ConnectFailure {
            reason: 402,
            code: Some(101),
            expire: Some(duration.as_secs()),
            message: None,
        }
    }

    /// Too many pairing codes asked for.
    pub fn code_rate_limited(backoff: Option<Duration>) -> Self {
        Self::RefuseCode {
            code: 429,
            text: "rate-overlimit".to_owned(),
            backoff: backoff.map(|backoff| backoff.as_secs()),
        }
    }

    /// How the server throttles a single number.
    pub fn code_bad_request() -> Self {
        Self::RefuseCode {
            code: 400,
            text: "bad-request".to_owned(),
            backoff: None,
        }
    }

    pub(crate) fn point(&self) -> Point {
        match self {
            Self::Drop { at } | Self::BlackHole { at } => match at {
                Stage::Tcp => Point::Tcp,
                Stage::Upgrade => Point::Upgrade,
                Stage::Handshake => Point::Handshake,
                Stage::Live => Point::Live,
            },
            Self::SlowHandshake { .. } => Point::Handshake,
            Self::GarbageFrame
            | Self::StreamError { .. }
            | Self::XmlStreamEnd
            | Self::WebSocketClose { .. } => Point::Live,
            Self::ConnectFailure { .. } => Point::Greeting,
            Self::RefuseCode { .. } | Self::HangCode => Point::Code,
            Self::RefuseAssertion { .. } | Self::HangAssertion => Point::Assertion,
            Self::NoContinuation => Point::Continuation,
            Self::RefusePairingRequest { .. } | Self::HangPairingRequest => Point::PairingRequest,
            Self::DeadRefs | Self::NoRefs => Point::Refs,
            Self::IgnorePings => Point::Ping,
        }
    }
}

/// A point of a connection's life at which faults apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Point {
    Tcp,
    Upgrade,
    Handshake,
    Greeting,
    Refs,
    Code,
    Assertion,
    Continuation,
    PairingRequest,
    Ping,
    Live,
}

impl Point {
    /// Whether the server knows by then which device it talks to.
    fn knows_device(self) -> bool {
        matches!(self, Self::Greeting | Self::Ping | Self::Live)
    }
}

/// Durations as whole milliseconds.
mod millis {
    use serde::{Deserialize as _, Deserializer, Serializer};
    use std::time::Duration;

    pub(super) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(value.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_control_api_reads_them() {
        let read = |text: &str| serde_json::from_str::<Fault>(text);
        assert_eq!(
            read(r#"{"kind":"black_hole","at":"upgrade"}"#).expect("reads"),
            Fault::BlackHole { at: Stage::Upgrade }
        );
        assert_eq!(
            read(r#"{"kind":"stream_error","code":515}"#).expect("reads"),
            Fault::stream_error(515)
        );
        assert_eq!(
            read(r#"{"kind":"slow_handshake","delay_ms":250}"#).expect("reads"),
            Fault::SlowHandshake {
                delay: Duration::from_millis(250)
            }
        );
        assert!(read(r#"{"kind":"stream_error","cod":515}"#).is_err());
        assert!(read(r#"{"kind":"gremlins"}"#).is_err());
    }
}
