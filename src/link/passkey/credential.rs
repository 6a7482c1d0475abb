//! A browser's answer to a challenge, checked before it goes to WhatsApp: a
//! bad one costs the person a new attempt there.

use super::challenge::{BASE64URL, Challenge};
use crate::wa::Assertion;
use base64::Engine as _;
use serde_json::Value;
use thiserror::Error;

/// Which part of the answer is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadCredential {
    #[error("the answer is not the JSON object that the script prints")]
    NotAnObject,
    #[error("the answer's {0} is missing: copy the whole answer that the script prints")]
    Missing(&'static str),
    #[error("the answer's {0} is not a text in base64url (letters, digits, - and _)")]
    Encoding(&'static str),
    #[error("the answer's {part} is {found:?}, not {expected:?}")]
    Kind {
        part: &'static str,
        found: String,
        expected: &'static str,
    },
    #[error("the answer's id and rawId name different credentials")]
    Ids,
    #[error("the answer's response.clientDataJSON is not the JSON text that a browser makes")]
    ClientData,
    #[error(
        "the challenge in response.clientDataJSON is not the one that WhatsApp asks now: run the present script, each is good once"
    )]
    Challenge,
    #[error(
        "the origin in response.clientDataJSON is {found:?}: run the script in the console of {page}"
    )]
    Origin { found: String, page: String },
    #[error(
        "the answer's response.authenticatorData is too short to be what an authenticator makes"
    )]
    AuthenticatorData,
}

/// Flags, counter and the hash before them: <https://www.w3.org/TR/webauthn-3/#authenticator-data>.
const AUTHENTICATOR_DATA: usize = 37;

/// Longer texts of others are cut in messages.
const QUOTED: usize = 80;

/// Checks an answer as `PublicKeyCredential.toJSON()` gives it.
///
/// # Errors
///
/// Names the part that is wrong.
pub(super) fn check(answer: &Value, challenge: &Challenge) -> Result<Assertion, BadCredential> {
    if !answer.is_object() {
        return Err(BadCredential::NotAnObject);
    }
    expect(answer, "/type", "type", "public-key")?;
    let credential_id = decoded(answer, "/rawId", "rawId")?;
    if let Some(id) = answer.get("id")
        && id.as_str().and_then(|id| BASE64URL.decode(id).ok()) != Some(credential_id.clone())
    {
        return Err(BadCredential::Ids);
    }
    let client_data = decoded(
        answer,
        "/response/clientDataJSON",
        "response.clientDataJSON",
    )?;
    check_client_data(&client_data, challenge)?;
    let authenticator_data = decoded(
        answer,
        "/response/authenticatorData",
        "response.authenticatorData",
    )?;
    if authenticator_data.len() < AUTHENTICATOR_DATA {
        return Err(BadCredential::AuthenticatorData);
    }
    let signature = decoded(answer, "/response/signature", "response.signature")?;
    let user_handle = match answer.pointer("/response/userHandle") {
        None | Some(Value::Null) => None,
        // So Safari writes none.
        Some(Value::String(handle)) if handle.is_empty() => None,
        Some(_) => Some(decoded(
            answer,
            "/response/userHandle",
            "response.userHandle",
        )?),
    };
    Ok(Assertion {
        credential_id,
        client_data,
        authenticator_data,
        signature,
        user_handle,
    })
}

/// <https://www.w3.org/TR/webauthn-3/#dictionary-client-data>
fn check_client_data(text: &[u8], challenge: &Challenge) -> Result<(), BadCredential> {
    let data: Value = serde_json::from_slice(text)
        .ok()
        .filter(Value::is_object)
        .ok_or(BadCredential::ClientData)?;
    expect(
        &data,
        "/type",
        "type in response.clientDataJSON",
        "webauthn.get",
    )?;
    let signed = data
        .get("challenge")
        .and_then(Value::as_str)
        .and_then(|text| BASE64URL.decode(text).ok());
    if signed.as_deref() != Some(&challenge.bytes[..]) {
        return Err(BadCredential::Challenge);
    }
    let origin = data.get("origin").and_then(Value::as_str);
    match origin {
        Some(origin) if challenge.is_for(origin) => Ok(()),
        origin => Err(BadCredential::Origin {
            found: cut(origin.unwrap_or_default()),
            page: challenge.page(),
        }),
    }
}

fn expect(
    value: &Value,
    pointer: &str,
    part: &'static str,
    expected: &'static str,
) -> Result<(), BadCredential> {
    match value.pointer(pointer) {
        None => Err(BadCredential::Missing(part)),
        Some(Value::String(found)) if found == expected => Ok(()),
        Some(other) => Err(BadCredential::Kind {
            part,
            found: cut(other.as_str().unwrap_or("no text")),
            expected,
        }),
    }
}

fn decoded(answer: &Value, pointer: &str, part: &'static str) -> Result<Vec<u8>, BadCredential> {
    match answer.pointer(pointer) {
        None | Some(Value::Null) => Err(BadCredential::Missing(part)),
        Some(value) => value
            .as_str()
            .and_then(|text| BASE64URL.decode(text).ok())
            .filter(|bytes| !bytes.is_empty())
            .ok_or(BadCredential::Encoding(part)),
    }
}

fn cut(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(QUOTED)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn challenge() -> Challenge {
        Challenge::parse(r#"{"challenge":"AQID","rpId":"whatsapp.com"}"#).expect("read")
    }

    fn client_data(kind: &str, challenge: &str, origin: &str) -> String {
        let data = json!({"type": kind, "challenge": challenge, "origin": origin});
        BASE64URL.encode(data.to_string())
    }

    fn answer() -> Value {
        json!({
            "id": "BAUG",
            "rawId": "BAUG",
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": client_data("webauthn.get", "AQID", "https://web.whatsapp.com"),
                "authenticatorData": BASE64URL.encode([7; 37]),
                "signature": "CAkK",
                "userHandle": null,
            },
        })
    }

    #[test]
    fn a_browsers_answer_passes() {
        let assertion = check(&answer(), &challenge()).expect("good");
        assert_eq!(assertion.credential_id, [4, 5, 6]);
        assert_eq!(assertion.signature, [8, 9, 10]);
        assert_eq!(assertion.user_handle, None);
        assert_eq!(assertion.authenticator_data, [7; 37]);
        let mut with_handle = answer();
        with_handle["response"]["userHandle"] = json!("CwwN");
        let assertion = check(&with_handle, &challenge()).expect("good");
        assert_eq!(assertion.user_handle, Some(vec![11, 12, 13]));
        with_handle["response"]["userHandle"] = json!("");
        let assertion = check(&with_handle, &challenge()).expect("good");
        assert_eq!(assertion.user_handle, None);
    }

    #[test]
    fn each_wrong_part_is_named() {
        let kind = |part, found: &str, expected| BadCredential::Kind {
            part,
            found: found.to_owned(),
            expected,
        };
        let text = client_data;
        let origin = |found: &str| BadCredential::Origin {
            found: found.to_owned(),
            page: "https://web.whatsapp.com".to_owned(),
        };
        let web = "https://web.whatsapp.com";
        for (pointer, value, expected) in [
            (
                "/type",
                json!("password"),
                kind("type", "password", "public-key"),
            ),
            ("/type", json!(3), kind("type", "no text", "public-key")),
            ("/rawId", json!(null), BadCredential::Missing("rawId")),
            ("/rawId", json!("a+b/"), BadCredential::Encoding("rawId")),
            ("/rawId", json!(""), BadCredential::Encoding("rawId")),
            ("/id", json!("AAAA"), BadCredential::Ids),
            (
                "/response",
                json!({}),
                BadCredential::Missing("response.clientDataJSON"),
            ),
            (
                "/response/signature",
                json!("?"),
                BadCredential::Encoding("response.signature"),
            ),
            (
                "/response/userHandle",
                json!("?"),
                BadCredential::Encoding("response.userHandle"),
            ),
            (
                "/response/authenticatorData",
                json!("AAAA"),
                BadCredential::AuthenticatorData,
            ),
            (
                "/response/clientDataJSON",
                json!("AAAA"),
                BadCredential::ClientData,
            ),
            (
                "/response/clientDataJSON",
                json!(text("webauthn.create", "AQID", web)),
                kind(
                    "type in response.clientDataJSON",
                    "webauthn.create",
                    "webauthn.get",
                ),
            ),
            (
                "/response/clientDataJSON",
                json!(text("webauthn.get", "AQIE", web)),
                BadCredential::Challenge,
            ),
            (
                "/response/clientDataJSON",
                json!(text("webauthn.get", "AQID", "https://evil.example")),
                origin("https://evil.example"),
            ),
        ] {
            let mut answer = answer();
            *answer.pointer_mut(pointer).expect("it is there") = value.clone();
            assert_eq!(
                check(&answer, &challenge()),
                Err(expected),
                "{pointer} {value}"
            );
        }
        assert_eq!(
            check(&json!("x"), &challenge()),
            Err(BadCredential::NotAnObject)
        );
        assert_eq!(
            check(&json!({}), &challenge()),
            Err(BadCredential::Missing("type"))
        );
    }
}
