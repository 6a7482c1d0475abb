//! The responder's end of WhatsApp's Noise handshake: XX, IK and XXfallback
//! over Curve25519, AES-256-GCM and SHA-256, the certificate chain the server
//! proves itself with, and the transport ciphers that follow.
//!
//! Written from the Noise specification rather than on top of the client's
//! own crate, so that the two check each other.

mod cert;
mod responder;
mod state;
mod transport;

pub(crate) use cert::ServerIdentity;
pub(crate) use responder::{Established, Opening, respond};
pub(crate) use transport::{Opener, Sealer};

#[derive(Debug, thiserror::Error)]
pub(crate) enum NoiseError {
    #[error("a ciphertext did not authenticate")]
    Decrypt,
    #[error("not a handshake message: {0}")]
    Malformed(&'static str),
    #[error("the message counter is used up")]
    Exhausted,
    #[error(transparent)]
    Key(#[from] crate::keys::BadKey),
}

/// Which handshake a client went through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// Full handshake: pairing, and the first login.
    Xx,
    /// Resumption with a cached server key.
    Ik,
    /// A resumption the server could not read, turned into a full handshake.
    Fallback,
}
