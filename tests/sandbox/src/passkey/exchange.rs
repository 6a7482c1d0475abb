//! The phone's half of the exchange that follows an accepted assertion. The
//! companion has committed itself to a nonce before it sees the phone's, so
//! neither can choose the code that both then show; the pairing request comes
//! under a key that only these two ends have.

use crate::keys::{BadKey, CODE_LETTERS, KeyBytes, Pair, derive, random};
use aes_gcm::aead::Aead as _;
use aes_gcm::{Aes256Gcm, KeyInit as _, Nonce};
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};
use waproto::buffa::{Enumeration as _, Message as _};
use waproto::whatsapp::{
    CompanionEphemeralIdentity, EncryptedPairingRequest, PairingRequest, PrimaryEphemeralIdentity,
    ProloguePayload,
};

/// Forty bits, five to a letter.
const CODE_BYTES: usize = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    #[error("the client's prologue is not readable")]
    Prologue,
    #[error("the client's prologue names another ref than it was given")]
    Reference,
    #[error("the client's nonce is not the one it committed itself to")]
    Commitment,
    #[error("the client's pairing request does not open")]
    Sealed,
    #[error("the pairing request is not for the keys the client registered")]
    Keys,
}

impl From<BadKey> for ExchangeError {
    fn from(_: BadKey) -> Self {
        Self::Prologue
    }
}

pub(super) struct Exchange {
    ephemeral: Pair,
    nonce: [u8; 32],
    /// The companion's identity as it came, which is what it is committed to.
    identity: Vec<u8>,
    commitment: Vec<u8>,
    key: [u8; 32],
}

impl Exchange {
    /// Takes up a companion's prologue, which must name `reference`.
    pub(super) fn begin(prologue: &[u8], reference: &str) -> Result<Self, ExchangeError> {
        let prologue =
            ProloguePayload::decode_from_slice(prologue).map_err(|_| ExchangeError::Prologue)?;
        let identity = prologue
            .companion_ephemeral_identity
            .ok_or(ExchangeError::Prologue)?;
        let commitment = prologue
            .commitment
            .into_option()
            .and_then(|commitment| commitment.hash)
            .ok_or(ExchangeError::Prologue)?;
        let companion = CompanionEphemeralIdentity::decode_from_slice(&identity)
            .map_err(|_| ExchangeError::Prologue)?;
        if companion.r#ref.as_deref() != Some(reference) {
            return Err(ExchangeError::Reference);
        }
        let public: KeyBytes = companion
            .public_key
            .and_then(|key| key.try_into().ok())
            .ok_or(ExchangeError::Prologue)?;
        let device_type = companion.device_type.ok_or(ExchangeError::Prologue)?;
        let salt = format!(
            "Companion Pairing {} with ref {reference}",
            device_type.to_i32()
        );
        let ephemeral = Pair::generate();
        let key = derive(
            Some(salt.as_bytes()),
            &ephemeral.agree(&public)?,
            b"Pairing Information Encryption Key",
        );
        Ok(Self {
            ephemeral,
            nonce: random(),
            identity,
            commitment,
            key,
        })
    }

    /// The phone's answer to the prologue.
    pub(super) fn identity(&self) -> Vec<u8> {
        PrimaryEphemeralIdentity {
            public_key: Some(self.ephemeral.public().to_vec()),
            nonce: Some(self.nonce.to_vec()),
        }
        .encode_to_vec()
    }

    /// The code to show, if this is the nonce the companion is committed to.
    pub(super) fn code(&self, companion_nonce: &[u8]) -> Result<String, ExchangeError> {
        let commitment = Sha256::new()
            .chain_update(&self.identity)
            .chain_update(companion_nonce)
            .finalize();
        if companion_nonce.len() != 32 || self.commitment != commitment[..] {
            return Err(ExchangeError::Commitment);
        }
        let digest = Sha256::new()
            .chain_update(companion_nonce)
            .chain_update(self.ephemeral.public())
            .finalize();
        let bits = self
            .nonce
            .iter()
            .zip(digest)
            .take(CODE_BYTES)
            .fold(0, |bits, (ours, theirs)| {
                bits << 8 | u64::from(ours ^ theirs)
            });
        Ok(letters(bits))
    }

    /// The companion's new ADV secret, if the request is for the Noise and the
    /// identity key it registered.
    pub(super) fn open(
        &self,
        request: &[u8],
        noise_key: &KeyBytes,
        identity_key: &KeyBytes,
    ) -> Result<[u8; 32], ExchangeError> {
        let sealed = EncryptedPairingRequest::decode_from_slice(request)
            .map_err(|_| ExchangeError::Sealed)?;
        let iv: [u8; 12] = sealed
            .iv
            .and_then(|iv| iv.try_into().ok())
            .ok_or(ExchangeError::Sealed)?;
        let payload = sealed.encrypted_payload.ok_or(ExchangeError::Sealed)?;
        let opened = Aes256Gcm::new(&self.key.into())
            .decrypt(&Nonce::from(iv), &payload[..])
            .map_err(|_| ExchangeError::Sealed)?;
        let request =
            PairingRequest::decode_from_slice(&opened).map_err(|_| ExchangeError::Sealed)?;
        let registered = request.companion_public_key.as_deref() == Some(noise_key)
            && request.companion_identity_key.as_deref() == Some(identity_key);
        if !registered {
            return Err(ExchangeError::Keys);
        }
        request
            .adv_secret
            .and_then(|secret| secret.try_into().ok())
            .ok_or(ExchangeError::Sealed)
    }
}

/// Whether a companion that sent `proof` with this prologue knows `secret`.
pub(super) fn proves(proof: &[u8], prologue: &[u8], secret: &[u8; 32]) -> bool {
    let key = derive(None, secret, b"shortcake-passkey-handoff-v1");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes a key of any length");
    mac.update(prologue);
    mac.verify_slice(proof).is_ok()
}

/// Forty bits as people compare them.
fn letters(bits: u64) -> String {
    let mut code = String::with_capacity(9);
    for at in (0..8).rev() {
        if at == 3 {
            code.push('-');
        }
        let [letter, ..] = (bits >> (5 * at) & 31).to_le_bytes();
        code.push(char::from(CODE_LETTERS[usize::from(letter)]));
    }
    code
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use waproto::buffa::MessageField;
    use waproto::whatsapp::CompanionCommitment;
    use waproto::whatsapp::device_props::PlatformType;

    pub(in super::super) const REF: &str = "2@fresh";

    /// The companion's half.
    pub(in super::super) struct Companion {
        ephemeral: Pair,
        pub(in super::super) nonce: [u8; 32],
        pub(in super::super) secret: [u8; 32],
    }

    impl Companion {
        pub(in super::super) fn new() -> Self {
            Self {
                ephemeral: Pair::generate(),
                nonce: random(),
                secret: random(),
            }
        }

        pub(in super::super) fn prologue(&self) -> Vec<u8> {
            let identity = CompanionEphemeralIdentity {
                public_key: Some(self.ephemeral.public().to_vec()),
                device_type: Some(PlatformType::CHROME),
                r#ref: Some(REF.to_owned()),
            }
            .encode_to_vec();
            let hash = Sha256::digest([&identity[..], &self.nonce].concat()).to_vec();
            ProloguePayload {
                companion_ephemeral_identity: Some(identity),
                commitment: MessageField::some(CompanionCommitment { hash: Some(hash) }),
            }
            .encode_to_vec()
        }

        pub(in super::super) fn proof(&self, prologue: &[u8], secret: &[u8; 32]) -> Vec<u8> {
            let key = derive(None, secret, b"shortcake-passkey-handoff-v1");
            let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("any length");
            mac.update(prologue);
            mac.finalize().into_bytes().to_vec()
        }

        pub(in super::super) fn code(&self, primary: &[u8]) -> String {
            let (public, nonce) = read(primary);
            let digest = Sha256::digest([&self.nonce[..], &public].concat());
            let mut bits = 0;
            for at in 0..5 {
                bits = bits << 8 | u64::from(digest[at] ^ nonce[at]);
            }
            letters(bits)
        }

        pub(in super::super) fn request(
            &self,
            primary: &[u8],
            noise_key: &KeyBytes,
            identity_key: &KeyBytes,
        ) -> Vec<u8> {
            let shared = self.ephemeral.agree(&read(primary).0).expect("agrees");
            // CHROME is 1.
            let salt = format!("Companion Pairing 1 with ref {REF}");
            let key = derive(
                Some(salt.as_bytes()),
                &shared,
                b"Pairing Information Encryption Key",
            );
            let request = PairingRequest {
                companion_public_key: Some(noise_key.to_vec()),
                companion_identity_key: Some(identity_key.to_vec()),
                adv_secret: Some(self.secret.to_vec()),
            }
            .encode_to_vec();
            let iv: [u8; 12] = random();
            let sealed = Aes256Gcm::new(&key.into())
                .encrypt(&Nonce::from(iv), &request[..])
                .expect("seals");
            EncryptedPairingRequest {
                encrypted_payload: Some(sealed),
                iv: Some(iv.to_vec()),
            }
            .encode_to_vec()
        }
    }

    fn read(primary: &[u8]) -> (KeyBytes, [u8; 32]) {
        let primary = PrimaryEphemeralIdentity::decode_from_slice(primary).expect("reads");
        let array = |bytes: Option<Vec<u8>>| {
            bytes
                .and_then(|bytes| bytes.try_into().ok())
                .expect("32 bytes")
        };
        (array(primary.public_key), array(primary.nonce))
    }

    #[test]
    fn both_ends_show_one_code_and_one_secret_crosses() {
        let (companion, noise, identity) = (Companion::new(), random(), random());
        let exchange = Exchange::begin(&companion.prologue(), REF).expect("begins");
        let code = exchange.code(&companion.nonce).expect("as committed");
        assert_eq!(code, companion.code(&exchange.identity()));
        let request = companion.request(&exchange.identity(), &noise, &identity);
        assert_eq!(
            exchange.open(&request, &noise, &identity),
            Ok(companion.secret)
        );
    }

    #[test]
    fn a_code_is_two_groups_of_four() {
        assert_eq!(letters(0), "1111-1111");
        assert_eq!(letters(0xff_ffff_ffff), "ZZZZ-ZZZZ");
        assert_eq!(letters(1 << 35), "2111-1111");
    }

    #[test]
    fn the_nonce_must_be_the_one_committed_to() {
        let companion = Companion::new();
        let exchange = Exchange::begin(&companion.prologue(), REF).expect("begins");
        for bad in [&random::<32>()[..], &companion.nonce[..31], &[]] {
            assert_eq!(exchange.code(bad), Err(ExchangeError::Commitment));
        }
    }

    #[test]
    fn the_prologue_must_name_the_ref() {
        let companion = Companion::new();
        let begin = |bytes: &[u8], reference| Exchange::begin(bytes, reference).err();
        assert_eq!(
            begin(&companion.prologue(), "2@other"),
            Some(ExchangeError::Reference)
        );
        for bad in [&[][..], &[0xff]] {
            assert_eq!(begin(bad, REF), Some(ExchangeError::Prologue));
        }
    }

    #[test]
    fn a_request_must_be_for_this_phone_and_these_keys() {
        let (companion, noise, identity) = (Companion::new(), random(), random());
        let exchange = Exchange::begin(&companion.prologue(), REF).expect("begins");
        let another = Exchange::begin(&companion.prologue(), REF).expect("begins");
        let sealed = companion.request(&another.identity(), &noise, &identity);
        assert_eq!(
            exchange.open(&sealed, &noise, &identity),
            Err(ExchangeError::Sealed)
        );
        assert_eq!(
            exchange.open(&[], &noise, &identity),
            Err(ExchangeError::Sealed)
        );
        let sealed = companion.request(&exchange.identity(), &random(), &identity);
        assert_eq!(
            exchange.open(&sealed, &noise, &identity),
            Err(ExchangeError::Keys)
        );
    }

    #[test]
    fn a_proof_holds_for_one_secret_and_one_prologue() {
        let companion = Companion::new();
        let (prologue, secret) = (companion.prologue(), random());
        let proof = companion.proof(&prologue, &secret);
        assert!(proves(&proof, &prologue, &secret));
        assert!(!proves(&proof, &prologue, &random()));
        assert!(!proves(&proof, b"another", &secret));
        assert!(!proves(&proof[..31], &prologue, &secret));
    }
}
