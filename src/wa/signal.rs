//! What a session says, in this program's words.

use crate::dial::DialError;
use std::time::Duration;

/// Who a linked device is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    /// `628123456789:12@s.whatsapp.net`.
    pub jid: String,
    /// The account's number, digits only.
    pub number: String,
    pub push_name: Option<String>,
}

/// What a session reports, in the order it happened. `Ended` is the last word
/// and comes exactly once; by then the socket and the store are closed.
#[derive(Debug, Clone, PartialEq)]
pub enum Signal {
    /// The encrypted channel to WhatsApp stands.
    Open,
    /// A QR code to show for this long.
    Qr { code: Secret, valid_for: Duration },
    /// A pairing code to enter within this time.
    Code { code: Secret, valid_for: Duration },
    /// There will be no pairing code.
    CodeRefused(CodeRefusal),
    /// The pairing code was used up without a link: a wrong code was entered,
    /// or WhatsApp asks for a fresh one.
    CodeSpent,
    /// WhatsApp demands the account's passkey before it links. These are its
    /// `PublicKeyCredentialRequestOptions`, as JSON text.
    PasskeyAsked(Secret),
    /// The answer was accepted, by WhatsApp and the phone. With `compare`, a
    /// person is to compare this code with the phone first.
    PasskeyCode { code: Secret, compare: bool },
    /// The confirmation has reached the phone.
    PasskeyConfirmed,
    /// The passkey step has failed, and why.
    PasskeyRefused(String),
    /// The phone has accepted this device. A restart of the stream follows.
    Paired(Linked),
    /// The phone's answer did not verify.
    PairFailed(String),
    /// Logged in.
    LoggedIn(Linked),
    /// The account's display name, as it becomes known or changes.
    PushName(String),
    /// WhatsApp answered a ping.
    Alive,
    /// WhatsApp did not answer a ping in time.
    Silent,
    /// The session is over.
    Ended(End),
}

/// A QR string, a code, a challenge: `Debug` says nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// Why WhatsApp gave no pairing code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeRefusal {
    /// WhatsApp limits codes for this number. It says so with 429, and with
    /// `bad-request` for a well-formed number too.
    pub limited: bool,
    /// How long WhatsApp asks to wait, when it says.
    pub backoff: Option<Duration>,
    pub message: String,
}

/// Why a session is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// This side closed it.
    Closed { unlinked: bool },
    /// There was never a socket.
    Unreachable(DialError),
    /// The socket opened, the encrypted channel did not.
    Handshake,
    /// The store cannot be used.
    Store(String),
    /// There is no linked device to connect with any more, and why.
    NoDevice(String),
    /// The connection broke.
    Lost,
    /// WhatsApp stopped answering on the open connection.
    Silent,
    /// WhatsApp ended the stream in good order.
    StreamEnd,
    /// Stream error 515: connect again at once.
    Restart,
    /// Any other stream error that ends the session.
    StreamError(u16),
    /// The same device has connected elsewhere.
    Replaced,
    /// The phone, or WhatsApp, has removed this device.
    Removed,
    /// `<failure>` at login with this reason.
    Refused { code: u16, message: Option<String> },
    /// Login refused with 402; the ban's length when WhatsApp gave it.
    Banned {
        lasts: Option<Duration>,
        message: Option<String>,
    },
    /// Login refused with 405: this client version is too old.
    Outdated,
    /// All QR codes of this session were shown and none was scanned.
    QrExhausted,
}
