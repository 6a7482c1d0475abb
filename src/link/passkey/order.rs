//! What callers want of the passkey step, and why it may not go on.

use super::BadCredential;
use crate::link::handle::{PairError, Stopping};
use serde_json::Value;
use std::fmt;
use thiserror::Error;

/// What a caller wants of the passkey step.
#[derive(Clone, PartialEq)]
pub enum PasskeyOrder {
    /// The browser's answer, as `PublicKeyCredential.toJSON()` gives it.
    Answer(Value),
    /// The name of the error that the browser gave instead.
    BrowserFailed(String),
    /// The code has been compared.
    Confirm,
    /// Give the step up and pair anew.
    Cancel,
}

impl fmt::Debug for PasskeyOrder {
    /// Without the answer.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Answer(_) => "Answer",
            Self::BrowserFailed(_) => "BrowserFailed",
            Self::Confirm => "Confirm",
            Self::Cancel => "Cancel",
        })
    }
}

/// Why the passkey step does not go on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PasskeyError {
    #[error("{}", .0.as_deref().map_or_else(
        || "WhatsApp asks for no passkey now".to_owned(),
        |why| format!("the passkey step has ended: {why}"),
    ))]
    NotAsked(Option<String>),
    #[error("{0}")]
    Stage(&'static str),
    #[error(transparent)]
    Bad(#[from] BadCredential),
    #[error("{0}")]
    Browser(String),
    /// WhatsApp or the phone did not accept it.
    #[error("{0}")]
    Refused(String),
    /// The connection, the time, or the attempt has ended while it was checked.
    #[error("{0}")]
    Ended(String),
    #[error(transparent)]
    Stopping(#[from] Stopping),
}

impl From<&PairError> for PasskeyError {
    /// The attempt was given up, for this reason.
    fn from(why: &PairError) -> Self {
        match why {
            PairError::Stopping => Self::Stopping(Stopping),
            PairError::Refused(why) | PairError::Unreachable(why) => {
                Self::Ended(format!("the passkey step was broken off: {why}"))
            }
            other => Self::Ended(other.to_string()),
        }
    }
}

/// What the browser's error means: <https://www.w3.org/TR/webauthn-3/#sctn-getAssertion>.
pub(super) fn browser_failure(name: &str, page: &str) -> String {
    let name: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(40)
        .collect();
    match name.as_str() {
        "NotAllowedError" | "AbortError" => format!(
            "the browser gave no passkey ({name}): the dialog was closed, or this browser holds no passkey of the account; run the script again, or in a browser that has it"
        ),
        "SecurityError" => {
            format!("the browser refused ({name}): run the script in the console of {page}")
        }
        "" => "the browser gave no passkey: run the script again".to_owned(),
        _ => format!(
            "the browser gave no passkey ({name}): run the script again, or in another browser"
        ),
    }
}
