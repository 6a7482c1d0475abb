//! The passkey gate: what stands between a scanned QR code, or an entered
//! pairing code, and the link of an account that demands a passkey.
//!
//! ```text
//! challenge ─► assertion ─► exchange ─► code ─► pairing request ─► link
//!     server's verification     └─ the phone's half, server in between ─┘
//! ```
//!
//! Here is the cryptography of both halves and what an open gate holds. The
//! stanzas are `server`'s, what a person does is `phone`'s.

mod assertion;
mod authenticator;
mod exchange;
mod gate;
mod keys;
mod steps;

pub use assertion::AssertionError;
pub use authenticator::Authenticator;
pub use exchange::ExchangeError;
pub use gate::{GateStage, GateView, PasskeyGate};
pub(crate) use gate::{Gates, Passage, Step};
pub use keys::BadPasskey;
pub(crate) use keys::Passkeys;
pub(crate) use steps::Prologue;

/// Why a gate ended without a link.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyError {
    #[error("the assertion is refused: {0}")]
    Assertion(#[from] AssertionError),
    #[error("the proof of continuity holds for no device this account has linked")]
    Handoff,
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    #[error("the client did not keep to the order of the steps")]
    OutOfTurn,
    /// A fault.
    #[error("refused on demand with {code}: {text}")]
    OnDemand { code: u16, text: String },
    #[error("the client did not get through in time")]
    Expired,
    #[error("cancelled on the phone")]
    Cancelled,
    #[error("the phone has begun another pairing since")]
    Superseded,
    #[error("the client's connection ended")]
    Lost,
}

impl PasskeyError {
    /// The code and text of the refusal that the client gets.
    pub(crate) fn refusal(&self) -> (u16, &str) {
        match self {
            Self::Assertion(AssertionError::Malformed(_)) | Self::Exchange(_) | Self::OutOfTurn => {
                (400, "bad-request")
            }
            Self::Assertion(AssertionError::Spent)
            | Self::Expired
            | Self::Cancelled
            | Self::Superseded
            | Self::Lost => (410, "gone"),
            Self::Assertion(_) | Self::Handoff => (401, "not-authorized"),
            Self::OnDemand { code, text } => (*code, text),
        }
    }
}
