//! The server's verification of a WebAuthn assertion. Whether its challenge is
//! one that waits for an answer is the gate's to say.

use super::gate::PasskeyGate;
use super::keys::Passkeys;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// Hash of the relying party's id, flags, signature counter.
const SHORTEST: usize = 32 + 1 + 4;
const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssertionError {
    #[error("the {0} is missing or malformed")]
    Malformed(&'static str),
    #[error("it is not by a passkey of this account")]
    Credential,
    #[error("its client data is of type {0:?}")]
    Type(String),
    #[error("it answers a challenge that was not put to this client")]
    Challenge,
    #[error("its challenge is used, or too old")]
    Spent,
    #[error("it was made on {0:?}, or in a frame")]
    Origin(String),
    #[error("it is for another relying party")]
    RelyingParty,
    #[error("the user was not present")]
    UserPresent,
    #[error("the user was not verified")]
    UserVerified,
    #[error("its signature does not verify")]
    Signature,
}

/// What is sent of a `PublicKeyCredential`; the rest is not looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credential {
    id: String,
    raw_id: String,
    r#type: String,
    response: Response,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    #[serde(rename = "clientDataJSON")]
    client_data_json: String,
    authenticator_data: String,
    signature: String,
    user_handle: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    r#type: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
}

pub(super) struct Assertion {
    credential: Vec<u8>,
    client_data: ClientData,
    challenge: Vec<u8>,
    authenticator_data: Vec<u8>,
    /// What the signature is over.
    signed: Vec<u8>,
    signature: Vec<u8>,
}

impl Assertion {
    /// Reads one whose JSON names the credential that was named beside it.
    pub(super) fn read(credential: &[u8], json: &[u8]) -> Result<Self, AssertionError> {
        let read: Credential =
            serde_json::from_slice(json).map_err(|_| AssertionError::Malformed("credential"))?;
        if read.r#type != "public-key" {
            return Err(AssertionError::Malformed("type"));
        }
        let id = decode(&read.raw_id, "rawId")?;
        if read.id != read.raw_id || id != credential || id.is_empty() {
            return Err(AssertionError::Malformed("id"));
        }
        if let Some(handle) = &read.response.user_handle {
            decode(handle, "userHandle")?;
        }
        let client_data_json = decode(&read.response.client_data_json, "clientDataJSON")?;
        let client_data: ClientData = serde_json::from_slice(&client_data_json)
            .map_err(|_| AssertionError::Malformed("clientDataJSON"))?;
        let authenticator_data = decode(&read.response.authenticator_data, "authenticatorData")?;
        if authenticator_data.len() < SHORTEST {
            return Err(AssertionError::Malformed("authenticatorData"));
        }
        Ok(Self {
            credential: id,
            challenge: decode(&client_data.challenge, "challenge")?,
            signed: [&authenticator_data[..], &Sha256::digest(&client_data_json)].concat(),
            client_data,
            authenticator_data,
            signature: decode(&read.response.signature, "signature")?,
        })
    }

    pub(super) fn challenge(&self) -> &[u8] {
        &self.challenge
    }

    /// Verifies all but the challenge.
    pub(super) fn verify(
        &self,
        terms: &PasskeyGate,
        passkeys: &Passkeys,
    ) -> Result<(), AssertionError> {
        let data = &self.client_data;
        if data.r#type != "webauthn.get" {
            return Err(AssertionError::Type(data.r#type.clone()));
        }
        if data.origin != terms.origin || data.cross_origin {
            return Err(AssertionError::Origin(data.origin.clone()));
        }
        let rp_id = Sha256::digest(terms.rp_id.as_bytes());
        if self.authenticator_data[..32] != rp_id[..] {
            return Err(AssertionError::RelyingParty);
        }
        let flags = self.authenticator_data[32];
        if flags & USER_PRESENT == 0 {
            return Err(AssertionError::UserPresent);
        }
        if flags & USER_VERIFIED == 0 {
            return Err(AssertionError::UserVerified);
        }
        let passkey = passkeys
            .get(&self.credential)
            .ok_or(AssertionError::Credential)?;
        passkey
            .verify(&self.signed, &self.signature)
            .map_err(|_| AssertionError::Signature)
    }
}

fn decode(text: &str, what: &'static str) -> Result<Vec<u8>, AssertionError> {
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| AssertionError::Malformed(what))
}

#[cfg(test)]
mod tests {
    use super::super::Authenticator;
    use super::*;
    use serde_json::{Value, json};

    const CHALLENGE: &str = "AAECAwQF";
    const ORIGIN: &str = "https://web.whatsapp.com";
    const RP_ID: &str = "whatsapp.com";

    fn options() -> Value {
        json!({ "challenge": CHALLENGE, "rpId": RP_ID })
    }

    /// Reads and verifies as the server of an account with this passkey.
    fn check(passkey: &Authenticator, credential: &Value) -> Result<(), AssertionError> {
        let mut passkeys = Passkeys::default();
        passkeys
            .register(passkey.id(), &passkey.public_key())
            .expect("a passkey");
        let assertion = Assertion::read(passkey.id(), credential.to_string().as_bytes())?;
        assert_eq!(assertion.challenge(), [0, 1, 2, 3, 4, 5]);
        assertion.verify(&PasskeyGate::default(), &passkeys)
    }

    #[test]
    fn a_good_one_verifies() {
        let passkey = Authenticator::generate();
        assert_eq!(check(&passkey, &passkey.answer(&options(), ORIGIN)), Ok(()));
        let mut bare = passkey.answer(&options(), ORIGIN);
        let fields = bare.as_object_mut().expect("an object");
        fields.remove("authenticatorAttachment");
        fields.remove("clientExtensionResults");
        fields["response"]["userHandle"] = Value::Null;
        assert_eq!(check(&passkey, &bare), Ok(()));
    }

    #[test]
    fn each_kind_of_bad_one_is_told_apart() {
        let passkey = Authenticator::generate();
        let odd = |r#type, origin, rp_id, flags| {
            check(
                &passkey,
                &passkey.odd(r#type, CHALLENGE, origin, rp_id, flags),
            )
        };
        assert_eq!(odd("webauthn.get", ORIGIN, RP_ID, 5), Ok(()));
        assert_eq!(
            odd("webauthn.create", ORIGIN, RP_ID, 5),
            Err(AssertionError::Type("webauthn.create".to_owned()))
        );
        assert_eq!(
            odd("webauthn.get", "https://example.org", RP_ID, 5),
            Err(AssertionError::Origin("https://example.org".to_owned()))
        );
        assert_eq!(
            odd("webauthn.get", ORIGIN, "web.whatsapp.com", 5),
            Err(AssertionError::RelyingParty)
        );
        assert_eq!(
            odd("webauthn.get", ORIGIN, RP_ID, 4),
            Err(AssertionError::UserPresent)
        );
        assert_eq!(
            odd("webauthn.get", ORIGIN, RP_ID, 1),
            Err(AssertionError::UserVerified)
        );
        assert_eq!(
            check(&passkey, &passkey.wrong_signature(&options(), ORIGIN)),
            Err(AssertionError::Signature)
        );
    }

    #[test]
    fn anothers_passkey_is_not_the_accounts() {
        let (own, foreign) = (Authenticator::generate(), Authenticator::generate());
        let mut passkeys = Passkeys::default();
        passkeys
            .register(own.id(), &own.public_key())
            .expect("a passkey");
        let credential = foreign.answer(&options(), ORIGIN).to_string();
        let assertion = Assertion::read(foreign.id(), credential.as_bytes()).expect("reads");
        assert_eq!(
            assertion.verify(&PasskeyGate::default(), &passkeys),
            Err(AssertionError::Credential)
        );
        // The id alone is no proof.
        passkeys
            .register(foreign.id(), &own.public_key())
            .expect("a passkey");
        assert_eq!(
            assertion.verify(&PasskeyGate::default(), &passkeys),
            Err(AssertionError::Signature)
        );
    }

    #[test]
    fn the_bad_part_is_named() {
        let passkey = Authenticator::generate();
        let good = passkey.answer(&options(), ORIGIN);
        let altered = |pointer: &str, value: Value| {
            let mut bad = good.clone();
            *bad.pointer_mut(pointer).expect("is there") = value;
            check(&passkey, &bad)
        };
        let padded = json!("AAEC=");
        for (pointer, value, what) in [
            ("/type", json!("password"), "type"),
            ("/id", json!("AAAA"), "id"),
            ("/rawId", json!("###"), "rawId"),
            ("/response", Value::Null, "credential"),
            ("/response/signature", padded, "signature"),
            ("/response/userHandle", json!("+"), "userHandle"),
            ("/response/clientDataJSON", json!("AAEC"), "clientDataJSON"),
            (
                "/response/authenticatorData",
                json!("AAEC"),
                "authenticatorData",
            ),
        ] {
            assert_eq!(
                altered(pointer, value),
                Err(AssertionError::Malformed(what)),
                "{pointer}"
            );
        }
        let read = Assertion::read(b"another", good.to_string().as_bytes());
        assert_eq!(read.err(), Some(AssertionError::Malformed("id")));
        let read = Assertion::read(passkey.id(), b"not JSON");
        assert_eq!(read.err(), Some(AssertionError::Malformed("credential")));
    }
}
