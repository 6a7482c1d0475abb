//! Curve25519 keys and XEdDSA signatures, as plain byte arrays at the edges.

use hkdf::Hkdf;
use sha2::Sha256;
use wacore_libsignal::protocol::{KeyPair, PublicKey};

/// A raw Curve25519 public key, without Signal's type byte.
pub type KeyBytes = [u8; 32];

/// Signal's type byte for a Curve25519 key. Signed prekeys are signed with it
/// in front.
pub(crate) const DJB: u8 = 5;

#[derive(Debug, thiserror::Error)]
#[error("not a usable Curve25519 key")]
pub(crate) struct BadKey;

/// A key pair of the server or of a phone.
#[derive(Clone)]
pub(crate) struct Pair(KeyPair);

impl Pair {
    pub(crate) fn generate() -> Self {
        Self(KeyPair::generate(&mut rand::rng()))
    }

    pub(crate) fn public(&self) -> KeyBytes {
        let mut key = [0; 32];
        key.copy_from_slice(self.0.public_key.public_key_bytes());
        key
    }

    pub(crate) fn agree(&self, theirs: &KeyBytes) -> Result<[u8; 32], BadKey> {
        let theirs = PublicKey::from_djb_public_key_bytes(theirs).map_err(|_| BadKey)?;
        self.0.calculate_agreement(&theirs).map_err(|_| BadKey)
    }

    pub(crate) fn sign(&self, message: &[&[u8]]) -> Result<[u8; 64], BadKey> {
        self.0
            .private_key
            .calculate_signature_for_multipart_message(message, &mut rand::rng())
            .map_err(|_| BadKey)
    }

    pub(crate) fn signal(&self) -> &KeyPair {
        &self.0
    }
}

/// Checks an XEdDSA signature over the concatenation of `message`.
pub(crate) fn verify(key: &KeyBytes, message: &[&[u8]], signature: &[u8]) -> bool {
    PublicKey::from_djb_public_key_bytes(key)
        .is_ok_and(|key| key.verify_signature_for_multipart_message(message, signature))
}

/// Checks a signed prekey the way every Signal peer does.
pub(crate) fn verify_signed_prekey(
    identity: &KeyBytes,
    prekey: &KeyBytes,
    signature: &[u8],
) -> bool {
    verify(identity, &[&[DJB], prekey], signature)
}

/// The letters of codes that people type and compare: Crockford's, less what
/// is easily mistaken.
pub(crate) const CODE_LETTERS: &[u8; 32] = b"123456789ABCDEFGHJKLMNPQRSTVWXYZ";

/// HKDF-SHA256, for one key.
pub(crate) fn derive(salt: Option<&[u8]>, material: &[u8], info: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    Hkdf::<Sha256>::new(salt, material)
        .expand(info, &mut key)
        .expect("32 bytes are within HKDF-SHA256's limit");
    key
}

pub(crate) fn random<const N: usize>() -> [u8; N] {
    use rand::Rng as _;
    let mut bytes = [0; N];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_agree() {
        let (a, b) = (Pair::generate(), Pair::generate());
        assert_eq!(
            a.agree(&b.public()).expect("valid key"),
            b.agree(&a.public()).expect("valid key")
        );
    }

    #[test]
    fn a_signature_binds_key_and_message() {
        let pair = Pair::generate();
        let signature = pair.sign(&[b"one", b"two"]).expect("signs");
        assert!(verify(&pair.public(), &[b"onetwo"], &signature));
        assert!(!verify(&pair.public(), &[b"onetoo"], &signature));
        assert!(!verify(
            &Pair::generate().public(),
            &[b"onetwo"],
            &signature
        ));
        assert!(!verify(&pair.public(), &[b"onetwo"], &signature[..63]));
    }
}
