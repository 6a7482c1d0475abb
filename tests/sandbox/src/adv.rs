//! ADV: how a phone vouches for a device, and a device for itself. The phone
//! signs the device's identity key with the account's, authenticates the
//! result with the secret only that device knows (from its QR code, or from
//! the key exchange of a pairing by code), and the device countersigns.

use crate::keys::{BadKey, KeyBytes, Pair, verify};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use waproto::buffa::Message as _;
use waproto::whatsapp::{
    ADVDeviceIdentity, ADVEncryptionType, ADVKeyIndexList, ADVSignedDeviceIdentity,
    ADVSignedDeviceIdentityHMAC, ADVSignedKeyIndexList,
};

// What each signature begins with, so that none passes for another.
const ACCOUNT: &[u8] = &[6, 0];
const DEVICE: &[u8] = &[6, 1];
const KEY_INDEX_LIST: &[u8] = &[6, 2];

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AdvError {
    #[error("the device's answer has no signed identity, or not a readable one")]
    Malformed,
    #[error("the device changed what the phone had signed")]
    Altered,
    #[error("the device answers for key index {0}")]
    KeyIndex(u32),
    #[error("the device signature does not verify")]
    DeviceSignature,
}

/// What a phone vouches for.
pub(crate) struct Vouching<'a> {
    pub(crate) account: &'a Pair,
    pub(crate) device_identity: &'a KeyBytes,
    pub(crate) raw_id: u32,
    pub(crate) timestamp: u64,
    pub(crate) key_index: u32,
}

/// What the phone has signed, to compare the device's answer with.
pub(crate) struct Vouched {
    details: Vec<u8>,
    account_key: KeyBytes,
    account_signature: [u8; 64],
    device_identity: KeyBytes,
    key_index: u32,
}

impl Vouching<'_> {
    /// The container for `<device-identity>`, authenticated with `secret`.
    pub(crate) fn sign(&self, secret: &[u8; 32]) -> Result<(Vouched, Vec<u8>), BadKey> {
        let details = ADVDeviceIdentity {
            raw_id: Some(self.raw_id),
            timestamp: Some(self.timestamp),
            key_index: Some(self.key_index),
            account_type: Some(ADVEncryptionType::E2EE),
            device_type: Some(ADVEncryptionType::E2EE),
        }
        .encode_to_vec();
        let account_signature = self
            .account
            .sign(&[ACCOUNT, &details, self.device_identity])?;
        let signed = ADVSignedDeviceIdentity {
            details: Some(details.clone()),
            account_signature_key: Some(self.account.public().to_vec()),
            account_signature: Some(account_signature.to_vec()),
            device_signature: None,
        }
        .encode_to_vec();
        let mut mac =
            Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
        mac.update(&signed);
        let container = ADVSignedDeviceIdentityHMAC {
            details: Some(signed),
            hmac: Some(mac.finalize().into_bytes().to_vec()),
            account_type: Some(ADVEncryptionType::E2EE),
        }
        .encode_to_vec();
        let vouched = Vouched {
            details,
            account_key: self.account.public(),
            account_signature,
            device_identity: *self.device_identity,
            key_index: self.key_index,
        };
        Ok((vouched, container))
    }
}

impl Vouched {
    /// Checks the identity the device sent back, countersigned.
    pub(crate) fn check(&self, signed: &[u8], key_index: u32) -> Result<(), AdvError> {
        let answer =
            ADVSignedDeviceIdentity::decode_from_slice(signed).map_err(|_| AdvError::Malformed)?;
        if key_index != self.key_index {
            return Err(AdvError::KeyIndex(key_index));
        }
        let same = answer.details.as_deref() == Some(&self.details)
            && answer.account_signature_key.as_deref() == Some(&self.account_key)
            && answer.account_signature.as_deref() == Some(&self.account_signature);
        if !same {
            return Err(AdvError::Altered);
        }
        let signature = answer.device_signature.ok_or(AdvError::DeviceSignature)?;
        let message = [
            DEVICE,
            &self.details,
            &self.device_identity,
            &self.account_key,
        ];
        if !verify(&self.device_identity, &message, &signature) {
            return Err(AdvError::DeviceSignature);
        }
        Ok(())
    }
}

/// The account's signed list of the devices that count.
pub(crate) fn key_index_list(
    account: &Pair,
    raw_id: u32,
    timestamp: u64,
    current: u32,
    valid: Vec<u32>,
) -> Result<Vec<u8>, BadKey> {
    let details = ADVKeyIndexList {
        raw_id: Some(raw_id),
        timestamp: Some(timestamp),
        current_index: Some(current),
        valid_indexes: valid,
        account_type: Some(ADVEncryptionType::E2EE),
    }
    .encode_to_vec();
    let signature = account.sign(&[KEY_INDEX_LIST, &details])?;
    Ok(ADVSignedKeyIndexList {
        details: Some(details),
        account_signature: Some(signature.to_vec()),
        account_signature_key: None,
    }
    .encode_to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: [u8; 32] = [7; 32];

    /// The device's end: check the container, countersign.
    fn countersign(container: &[u8], device: &Pair, secret: &[u8; 32]) -> ADVSignedDeviceIdentity {
        let container = ADVSignedDeviceIdentityHMAC::decode_from_slice(container).expect("reads");
        let signed = container.details.expect("details");
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("any length");
        mac.update(&signed);
        mac.verify_slice(&container.hmac.expect("hmac"))
            .expect("authentic");
        let mut identity = ADVSignedDeviceIdentity::decode_from_slice(&signed).expect("reads");
        let details = identity.details.clone().expect("details");
        let account: KeyBytes = identity
            .account_signature_key
            .clone()
            .and_then(|key| key.try_into().ok())
            .expect("a key");
        assert!(verify(
            &account,
            &[ACCOUNT, &details, &device.public()],
            identity.account_signature.as_deref().expect("signed")
        ));
        let signature = device
            .sign(&[DEVICE, &details, &device.public(), &account])
            .expect("signs");
        identity.device_signature = Some(signature.to_vec());
        identity
    }

    fn vouch(device: &Pair) -> (Vouched, Vec<u8>) {
        Vouching {
            account: &Pair::generate(),
            device_identity: &device.public(),
            raw_id: 9,
            timestamp: 1_700_000_000,
            key_index: 3,
        }
        .sign(&SECRET)
        .expect("signs")
    }

    #[test]
    fn a_countersigned_identity_passes() {
        let device = Pair::generate();
        let (vouched, container) = vouch(&device);
        let answer = countersign(&container, &device, &SECRET).encode_to_vec();
        assert_eq!(vouched.check(&answer, 3), Ok(()));
        assert_eq!(vouched.check(&answer, 4), Err(AdvError::KeyIndex(4)));
    }

    #[test]
    fn another_devices_signature_does_not() {
        let device = Pair::generate();
        let (vouched, container) = vouch(&device);
        let mut answer = countersign(&container, &device, &SECRET);
        answer.device_signature = Some(
            Pair::generate()
                .sign(&[b"anything"])
                .expect("signs")
                .to_vec(),
        );
        assert_eq!(
            vouched.check(&answer.encode_to_vec(), 3),
            Err(AdvError::DeviceSignature)
        );
    }

    #[test]
    fn a_changed_identity_does_not() {
        let device = Pair::generate();
        let (vouched, container) = vouch(&device);
        let mut answer = countersign(&container, &device, &SECRET);
        answer.account_signature_key = Some(Pair::generate().public().to_vec());
        assert_eq!(
            vouched.check(&answer.encode_to_vec(), 3),
            Err(AdvError::Altered)
        );
        assert_eq!(vouched.check(&[0xff], 3), Err(AdvError::Malformed));
    }
}
