//! A passkey that says yes to everything: what a browser's
//! `navigator.credentials.get` gives, without a browser.

use super::keys::Point;
use crate::keys::random;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// User present and verified; a passkey that is, and may be, backed up.
const FLAGS: u8 = 0x01 | 0x04 | 0x08 | 0x10;

/// A test authenticator that holds one passkey of an account.
#[derive(Clone)]
pub struct Authenticator(Arc<Passkey>);

struct Passkey {
    id: [u8; 16],
    user_handle: [u8; 16],
    key: EcdsaKeyPair,
}

/// As browsers write it, order included.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ClientData<'a> {
    r#type: &'static str,
    challenge: &'a str,
    origin: &'a str,
    cross_origin: bool,
}

impl Authenticator {
    pub(crate) fn generate() -> Self {
        let (algorithm, random_source) = (&ECDSA_P256_SHA256_ASN1_SIGNING, SystemRandom::new());
        let key = EcdsaKeyPair::generate_pkcs8(algorithm, &random_source)
            .ok()
            .and_then(|pkcs8| {
                EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random_source).ok()
            })
            .expect("fails only when the system has no randomness");
        Self(Arc::new(Passkey {
            id: random(),
            user_handle: random(),
            key,
        }))
    }

    /// The credential's id, raw.
    pub fn id(&self) -> &[u8] {
        &self.0.id
    }

    /// The passkey's public key: an uncompressed P-256 point.
    pub fn public_key(&self) -> Point {
        let mut point = [0; 65];
        point.copy_from_slice(self.0.key.public_key().as_ref());
        point
    }

    /// Answers these `PublicKeyCredentialRequestOptions` (as JSON) for a page
    /// of `origin`: what `PublicKeyCredential.toJSON()` gives. It asks nobody,
    /// and does not mind whether page and options go together.
    pub fn answer(&self, public_key: &Value, origin: &str) -> Value {
        self.sign(public_key, origin, &[])
    }

    /// The same, with a signature of something else.
    pub fn wrong_signature(&self, public_key: &Value, origin: &str) -> Value {
        self.sign(public_key, origin, b"something else")
    }

    /// Signs what it should, and `besides`.
    fn sign(&self, public_key: &Value, origin: &str, besides: &[u8]) -> Value {
        let host = origin.split_once("://").map_or(origin, |(_, host)| host);
        let rp_id = public_key["rpId"].as_str().unwrap_or(host);
        self.credential(
            &ClientData {
                r#type: "webauthn.get",
                challenge: public_key["challenge"].as_str().unwrap_or_default(),
                origin,
                cross_origin: false,
            },
            rp_id,
            FLAGS,
            besides,
        )
    }

    fn credential(
        &self,
        client_data: &ClientData<'_>,
        rp_id: &str,
        flags: u8,
        besides: &[u8],
    ) -> Value {
        let client_data = serde_json::to_vec(client_data).expect("three strings and a flag");
        // Passkeys that are synchronised do not count their signatures.
        let mut authenticator_data = Sha256::digest(rp_id.as_bytes()).to_vec();
        authenticator_data.extend([flags, 0, 0, 0, 0]);
        let digest = Sha256::digest(&client_data);
        let message = [&authenticator_data[..], &digest, besides].concat();
        let signature = self
            .0
            .key
            .sign(&SystemRandom::new(), &message)
            .expect("fails only when the system has no randomness");
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({
            "id": text(&self.0.id),
            "rawId": text(&self.0.id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": text(&client_data),
                "authenticatorData": text(&authenticator_data),
                "signature": text(signature.as_ref()),
                "userHandle": text(&self.0.user_handle),
            },
        })
    }
}

#[cfg(test)]
impl Authenticator {
    /// An answer that says of itself what a real one would not.
    pub(super) fn odd(
        &self,
        r#type: &'static str,
        challenge: &str,
        origin: &str,
        rp_id: &str,
        flags: u8,
    ) -> Value {
        let client_data = ClientData {
            r#type,
            challenge,
            origin,
            cross_origin: false,
        };
        self.credential(&client_data, rp_id, flags, &[])
    }
}
