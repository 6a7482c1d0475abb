//! What the server proves itself with: a leaf key, signed by an intermediate,
//! signed by a root. The shape is WhatsApp's; only the root is the sandbox's
//! own, which is why a client must be told to accept any chain.

use super::NoiseError;
use crate::clock;
use crate::keys::{KeyBytes, Pair};
use waproto::buffa::{Message as _, MessageField};
use waproto::whatsapp::CertChain;
use waproto::whatsapp::cert_chain::NoiseCertificate;
use waproto::whatsapp::cert_chain::noise_certificate::Details;

/// The intermediate must say it was issued by serial 0, WhatsApp's root.
const ROOT_SERIAL: u32 = 0;
const INTERMEDIATE_SERIAL: u32 = 1;
const LEAF_SERIAL: u32 = 2;
const DAY: u64 = 24 * 60 * 60;

pub(crate) struct ServerIdentity {
    root: Pair,
    pub(super) leaf: Pair,
    pub(super) chain: Vec<u8>,
}

impl ServerIdentity {
    pub(crate) fn generate() -> Result<Self, NoiseError> {
        Self::under(Pair::generate())
    }

    /// A new leaf under the same root, as when WhatsApp rotates its servers'
    /// keys: cached keys stop working and resumptions fall back.
    pub(crate) fn rotate(&self) -> Result<Self, NoiseError> {
        Self::under(self.root.clone())
    }

    fn under(root: Pair) -> Result<Self, NoiseError> {
        let (intermediate, leaf) = (Pair::generate(), Pair::generate());
        let chain = CertChain {
            intermediate: MessageField::some(certificate(
                INTERMEDIATE_SERIAL,
                ROOT_SERIAL,
                &intermediate.public(),
                &root,
            )?),
            leaf: MessageField::some(certificate(
                LEAF_SERIAL,
                INTERMEDIATE_SERIAL,
                &leaf.public(),
                &intermediate,
            )?),
        }
        .encode_to_vec();
        Ok(Self { root, leaf, chain })
    }
}

fn certificate(
    serial: u32,
    issuer_serial: u32,
    key: &KeyBytes,
    issuer: &Pair,
) -> Result<NoiseCertificate, NoiseError> {
    let now = clock::unix();
    let details = Details {
        serial: Some(serial),
        issuer_serial: Some(issuer_serial),
        key: Some(key.to_vec()),
        // A day back, for a client whose clock runs behind.
        not_before: Some(now.saturating_sub(DAY)),
        not_after: Some(now + 30 * DAY),
    }
    .encode_to_vec();
    let signature = issuer.sign(&[&details])?;
    Ok(NoiseCertificate {
        details: Some(details),
        signature: Some(signature.to_vec()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::verify;

    fn parts(certificate: NoiseCertificate) -> (Vec<u8>, Details, Vec<u8>) {
        let bytes = certificate.details.expect("details");
        let details = Details::decode_from_slice(&bytes).expect("protobuf");
        (bytes, details, certificate.signature.expect("signature"))
    }

    fn key(details: &Details) -> KeyBytes {
        details
            .key
            .clone()
            .and_then(|key| key.try_into().ok())
            .expect("32 bytes")
    }

    #[test]
    fn the_chain_verifies_up_to_the_root() {
        let identity = ServerIdentity::generate().expect("generates");
        let chain = CertChain::decode_from_slice(&identity.chain).expect("protobuf");
        let (middle_bytes, middle, middle_signature) =
            parts(chain.intermediate.into_option().expect("intermediate"));
        let (leaf_bytes, leaf, leaf_signature) = parts(chain.leaf.into_option().expect("leaf"));
        assert_eq!(middle.issuer_serial, Some(ROOT_SERIAL));
        assert_eq!(leaf.issuer_serial, middle.serial);
        assert_eq!(key(&leaf), identity.leaf.public());
        assert!(verify(
            &identity.root.public(),
            &[&middle_bytes],
            &middle_signature
        ));
        assert!(verify(&key(&middle), &[&leaf_bytes], &leaf_signature));
    }

    #[test]
    fn rotation_keeps_the_root() {
        let old = ServerIdentity::generate().expect("generates");
        let new = old.rotate().expect("rotates");
        assert_eq!(old.root.public(), new.root.public());
        assert_ne!(old.leaf.public(), new.leaf.public());
    }
}
