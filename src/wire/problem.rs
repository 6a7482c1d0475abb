//! Refusals and failures as the API spells them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// What a program branches on; the sentence beside it is for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The body is missing, not JSON, or not of the expected shape.
    BadRequest,
    /// The phone number cannot be one.
    BadPhoneNumber,
    /// The custom pairing code is not eight characters of the code alphabet.
    BadCustomCode,
    /// No key, an unknown one, or one that has expired.
    BadKey,
    /// The key or the peer may read but not manage.
    NotPermitted,
    /// No such path.
    NotFound,
    /// No API key of this name.
    NoSuchKey,
    /// No webhook of this name is configured, or none at all.
    NoSuchWebhook,
    /// No QR code at the moment.
    NoQrCode,
    /// No pairing code at the moment.
    NoPairingCode,
    /// WhatsApp asks for no passkey at the moment.
    NoPasskey,
    /// The same, and the last step has ended without a link.
    PasskeyEnded,
    /// The answer is not what a passkey's answer to this challenge looks like.
    BadPasskey,
    /// The browser gave no answer: cancelled, or no passkey there.
    PasskeyCancelled,
    /// WhatsApp did not accept the passkey's answer; pairing begins anew.
    PasskeyRefused,
    /// The passkey step waits for something else now.
    PasskeyStage,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// The request took longer to arrive or to answer than it may.
    Timeout,
    /// A device is linked and `replace` was not asked for.
    AlreadyLinked,
    /// There is an API key of this name already.
    KeyExists,
    /// The API key stands where only the operator can remove it.
    KeyFixed,
    /// The body is larger than `http.max_body`.
    BodyTooLarge,
    /// The body is not declared as JSON.
    UnsupportedMediaType,
    /// No more pairing codes for this number for now: WhatsApp says so, or it has
    /// had five in ten minutes.
    PairingLimited,
    /// WhatsApp refused to give a pairing code, for a reason that waiting does
    /// not mend.
    PairingRefused,
    /// WhatsApp cannot be reached, or did not answer in time.
    Unreachable,
    /// The key sends more requests than it may.
    RateLimited,
    /// Too many wrong keys came from the client's address; a good one is not
    /// looked at either.
    LockedOut,
    /// The caller holds as many waiting calls as it may.
    TooManyStreams,
    /// The daemon has not finished starting.
    Starting,
    /// The daemon is shutting down.
    Stopping,
    /// The configuration file is refused; the running one stays.
    BadConfig,
    /// Anything else; the journal has the details.
    Internal,
}

/// The body of every error: `{"success":false,"error":…,"code":…}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    #[schemars(extend("const" = false))]
    pub success: bool,
    /// For people: what is wrong and what to do.
    pub error: String,
    pub code: Code,
    /// Seconds after which the same request may succeed; also in `Retry-After`.
    #[serde(
        rename = "retryAfter",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub retry_after: Option<u64>,
}

impl Problem {
    pub fn new(code: Code, error: impl Into<String>) -> Self {
        Self {
            success: false,
            error: error.into(),
            code,
            retry_after: None,
        }
    }

    /// Names the seconds after which trying again makes sense.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

/// A time as `Retry-After` tells it: rounded up, and never 0, which would ask
/// for a storm.
pub fn whole_seconds(time: Duration) -> u64 {
    let up = u64::from(time.subsec_nanos() > 0);
    time.as_secs().saturating_add(up).max(1)
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error)
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_told_in_whole_seconds() {
        assert_eq!(whole_seconds(Duration::ZERO), 1);
        assert_eq!(whole_seconds(Duration::from_millis(1_001)), 2);
        assert_eq!(whole_seconds(Duration::from_secs(3)), 3);
    }
}
