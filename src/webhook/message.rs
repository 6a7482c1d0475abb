//! What is sent: the body and what it is signed with.

use crate::wire::{Event, Gap, PairingCode, Timestamp};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::Sha256;

/// One message, the same each time that it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    /// The header `webhook-id`: a receiver that has seen it before has seen the
    /// whole message.
    pub(super) id: String,
    pub(super) body: String,
}

#[derive(Serialize)]
struct Body<'a> {
    id: u64,
    #[serde(rename = "type")]
    kind: &'a str,
    timestamp: Timestamp,
    data: Value,
}

impl Message {
    /// An event, with its pairing code where that is to be in it.
    pub(super) fn event(event: &Event, code: Option<&PairingCode>) -> Self {
        let mut data = json!(event);
        if let Value::Object(fields) = &mut data {
            // They stand outside.
            for name in ["id", "type", "at"] {
                fields.remove(name);
            }
            if let Some(code) = code {
                fields.insert("pairingCode".to_owned(), json!(code.pairing_code));
                fields.insert("expiresAt".to_owned(), json!(code.expires_at));
            }
        }
        Self::new(event.id.to_string(), event.id, &event.kind, event.at, data)
    }

    /// Tells of events that were removed before they could be sent.
    pub(super) fn gap(gap: Gap, now: Timestamp) -> Self {
        let id = format!("gap-{}-{}", gap.from, gap.to);
        Self::new(id, gap.to, "gap", now, json!(gap))
    }

    /// What nothing has happened for.
    pub(super) fn test(now: Timestamp) -> Self {
        let data = json!({"message": "this is a test: nothing has happened"});
        Self::new(
            format!("test-{}", now.millis()),
            0,
            "webhook.test",
            now,
            data,
        )
    }

    fn new(id: String, event: u64, kind: &str, timestamp: Timestamp, data: Value) -> Self {
        let body = Body {
            id: event,
            kind,
            timestamp,
            data,
        };
        let body = json!(body).to_string();
        Self { id, body }
    }

    /// The header `webhook-signature` for a message sent at this time, which is
    /// in whole seconds: a signature with each of the secrets.
    pub(super) fn signatures(&self, secrets: &[Vec<u8>], seconds: i64) -> String {
        let signed = format!("{}.{seconds}.{}", self.id, self.body);
        let signatures = secrets.iter().map(|secret| {
            let mut mac =
                Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of every length");
            mac.update(signed.as_bytes());
            format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
        });
        signatures.collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Severity;

    fn event() -> Event {
        Event {
            id: 42,
            kind: "pairing.code".to_owned(),
            at: Timestamp::from_millis(1_766_811_600_000),
            severity: Severity::Info,
            message: "a pairing code for 62812*****89 is ready".to_owned(),
            state: None,
            reason: None,
            peer: None,
            key: None,
            suppressed: None,
        }
    }

    #[test]
    fn a_message_reads_as_the_specification_has_it() {
        let message = Message::event(&event(), None);
        assert_eq!(message.id, "42");
        let body: Value = serde_json::from_str(&message.body).expect("JSON");
        assert_eq!(
            body,
            json!({
                "id": 42,
                "type": "pairing.code",
                "timestamp": "2025-12-27T05:00:00.000Z",
                "data": {"severity": "info", "message": "a pairing code for 62812*****89 is ready"},
            })
        );
        let gap = Message::gap(Gap { from: 3, to: 9 }, event().at);
        assert_eq!(gap.id, "gap-3-9");
        assert!(
            gap.body.contains(r#""data":{"from":3,"to":9}"#),
            "{}",
            gap.body
        );
    }

    /// The example of the specification's own reference implementations.
    #[test]
    fn the_signature_is_the_one_of_the_specification() {
        let message = Message {
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned(),
            body: r#"{"test": 2432232314}"#.to_owned(),
        };
        let secret = BASE64_STANDARD
            .decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
            .expect("base64");
        let one = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        let signed = |secrets: &[Vec<u8>]| message.signatures(secrets, 1_614_265_330);
        assert_eq!(signed(std::slice::from_ref(&secret)), one);
        let other = signed(&[b"another".to_vec()]);
        let both = signed(&[b"another".to_vec(), secret]);
        assert_eq!(both, format!("{other} {one}"));
    }
}
