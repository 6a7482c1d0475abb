//! Noise's symmetric state: transcript hash, chaining key, cipher key.

use super::NoiseError;
use super::transport::{open_parts, seal_parts};
use hkdf::Hkdf;
use sha2::{Digest, Sha256};

pub(super) struct Symmetric {
    hash: [u8; 32],
    chain: [u8; 32],
    key: [u8; 32],
    counter: u32,
}

impl Symmetric {
    pub(super) fn new(protocol: &str, prologue: &[u8]) -> Self {
        let name = protocol.as_bytes();
        let mut hash = [0; 32];
        // A name of at most 32 bytes is padded with zeros, a longer one hashed.
        if name.len() <= 32 {
            hash[..name.len()].copy_from_slice(name);
        } else {
            hash = Sha256::digest(name).into();
        }
        let mut state = Self {
            hash,
            chain: hash,
            key: hash,
            counter: 0,
        };
        state.mix_hash(prologue);
        state
    }

    pub(super) fn mix_hash(&mut self, data: &[u8]) {
        self.hash = Sha256::new()
            .chain_update(self.hash)
            .chain_update(data)
            .finalize()
            .into();
    }

    pub(super) fn mix_key(&mut self, secret: &[u8]) {
        let (chain, key) = self.derive(secret);
        self.chain = chain;
        self.key = key;
        self.counter = 0;
    }

    pub(super) fn encrypt(&mut self, plaintext: &[u8]) -> Result<Vec<u8>, NoiseError> {
        let counter = self.step()?;
        let sealed = seal_parts(&self.key, counter, &self.hash, plaintext)?;
        self.mix_hash(&sealed);
        Ok(sealed)
    }

    pub(super) fn decrypt(&mut self, sealed: &[u8]) -> Result<Vec<u8>, NoiseError> {
        let counter = self.step()?;
        let plaintext = open_parts(&self.key, counter, &self.hash, sealed)?;
        self.mix_hash(sealed);
        Ok(plaintext)
    }

    /// The two transport keys: initiator to responder, then back.
    pub(super) fn split(&self) -> ([u8; 32], [u8; 32]) {
        self.derive(&[])
    }

    fn step(&mut self) -> Result<u32, NoiseError> {
        let counter = self.counter;
        self.counter = counter.checked_add(1).ok_or(NoiseError::Exhausted)?;
        Ok(counter)
    }

    fn derive(&self, secret: &[u8]) -> ([u8; 32], [u8; 32]) {
        let mut out = [0; 64];
        Hkdf::<Sha256>::new(Some(&self.chain), secret)
            .expand(&[], &mut out)
            .expect("64 bytes are within HKDF-SHA256's limit");
        let (mut first, mut second) = ([0; 32], [0; 32]);
        first.copy_from_slice(&out[..32]);
        second.copy_from_slice(&out[32..]);
        (first, second)
    }
}
