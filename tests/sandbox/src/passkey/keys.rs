//! An account's passkeys: what the server keeps of them.

use ring::agreement;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use std::collections::HashMap;

/// A P-256 point, uncompressed.
pub(super) type Point = [u8; 65];

/// What comes before the point in the `SubjectPublicKeyInfo` of a P-256 key:
/// `id-ecPublicKey` on `prime256v1`, then a bit string.
const SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPasskey {
    #[error("a passkey has an id")]
    NoId,
    #[error(
        "the public key is neither an uncompressed P-256 point nor a SubjectPublicKeyInfo of one"
    )]
    Key,
}

#[derive(Default)]
pub(crate) struct Passkeys(HashMap<Vec<u8>, Point>);

impl Passkeys {
    /// Takes a passkey in, in place of an older one with its id.
    pub(crate) fn register(&mut self, id: &[u8], public_key: &[u8]) -> Result<(), BadPasskey> {
        if id.is_empty() {
            return Err(BadPasskey::NoId);
        }
        let point = public_key.strip_prefix(&SPKI).unwrap_or(public_key);
        let point: Point = point.try_into().map_err(|_| BadPasskey::Key)?;
        if !on_curve(&point) {
            return Err(BadPasskey::Key);
        }
        self.0.insert(id.to_vec(), point);
        Ok(())
    }

    pub(super) fn get(&self, id: &[u8]) -> Option<UnparsedPublicKey<&Point>> {
        let point = self.0.get(id)?;
        Some(UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point))
    }
}

/// Signatures under a point that is none would fail much later; an agreement
/// fails at once.
fn on_curve(point: &Point) -> bool {
    let algorithm = &agreement::ECDH_P256;
    let theirs = agreement::UnparsedPublicKey::new(algorithm, point);
    agreement::EphemeralPrivateKey::generate(algorithm, &SystemRandom::new())
        .and_then(|ours| agreement::agree_ephemeral(ours, &theirs, |_| ()))
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::super::Authenticator;
    use super::*;

    #[test]
    fn both_forms_of_a_key_are_read() {
        let point = Authenticator::generate().public_key();
        let mut keys = Passkeys::default();
        assert_eq!(keys.register(b"raw", &point), Ok(()));
        let spki = [&SPKI[..], &point].concat();
        assert_eq!(keys.register(b"spki", &spki), Ok(()));
        assert!(keys.get(b"raw").is_some() && keys.get(b"spki").is_some());
        assert!(keys.get(b"other").is_none());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let point = Authenticator::generate().public_key();
        let mut keys = Passkeys::default();
        assert_eq!(keys.register(b"", &point), Err(BadPasskey::NoId));
        let mut off = point;
        off[64] ^= 1;
        for bad in [&point[1..], &[], &off] {
            assert_eq!(keys.register(b"id", bad), Err(BadPasskey::Key));
        }
    }
}
