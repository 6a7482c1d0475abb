//! The ciphers after the handshake: one key and one counter per direction.

use super::NoiseError;
use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};

/// The counter fills the last four of the nonce's twelve bytes.
fn nonce(counter: u32) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[8..].copy_from_slice(&counter.to_be_bytes());
    nonce
}

fn cipher(key: &[u8; 32]) -> Aes256Gcm {
    Aes256Gcm::new(key.into())
}

pub(super) fn seal_parts(
    key: &[u8; 32],
    counter: u32,
    aad: &[u8],
    msg: &[u8],
) -> Result<Vec<u8>, NoiseError> {
    cipher(key)
        .encrypt(&Nonce::from(nonce(counter)), Payload { msg, aad })
        .map_err(|_| NoiseError::Decrypt)
}

pub(super) fn open_parts(
    key: &[u8; 32],
    counter: u32,
    aad: &[u8],
    msg: &[u8],
) -> Result<Vec<u8>, NoiseError> {
    cipher(key)
        .decrypt(&Nonce::from(nonce(counter)), Payload { msg, aad })
        .map_err(|_| NoiseError::Decrypt)
}

/// Encrypts what the server sends.
pub(crate) struct Sealer {
    cipher: Aes256Gcm,
    counter: u32,
}

/// Decrypts what the client sent.
pub(crate) struct Opener {
    cipher: Aes256Gcm,
    counter: u32,
}

impl Sealer {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self {
            cipher: cipher(key),
            counter: 0,
        }
    }

    pub(crate) fn seal(&mut self, plaintext: &[u8]) -> Result<Vec<u8>, NoiseError> {
        let counter = self.counter;
        self.counter = counter.checked_add(1).ok_or(NoiseError::Exhausted)?;
        self.cipher
            .encrypt(&Nonce::from(nonce(counter)), plaintext)
            .map_err(|_| NoiseError::Decrypt)
    }
}

impl Opener {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self {
            cipher: cipher(key),
            counter: 0,
        }
    }

    pub(crate) fn open(&mut self, sealed: &[u8]) -> Result<Vec<u8>, NoiseError> {
        let counter = self.counter;
        self.counter = counter.checked_add(1).ok_or(NoiseError::Exhausted)?;
        self.cipher
            .decrypt(&Nonce::from(nonce(counter)), sealed)
            .map_err(|_| NoiseError::Decrypt)
    }
}
