//! What WhatsApp asks of the account's passkey, and the script that asks it.

use crate::wire::PasskeyStage;
use base64::{
    Engine as _,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde_json::Value;
use std::{fmt, time::Duration};

/// Base64url, as WebAuthn writes it; the padding that some add is let be.
pub(super) const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// WhatsApp's own, when it names no other.
const RP_ID: &str = "whatsapp.com";

/// Where its passkeys are used.
const PAGE: &str = "https://web.whatsapp.com";

/// What WhatsApp allows, when it does not say.
const VALID_FOR: Duration = Duration::from_secs(10 * 60);

/// A longer time than this is a mistake.
const LONGEST: Duration = Duration::from_secs(60 * 60);

const SCRIPT: &str = include_str!("script.js");

/// `PublicKeyCredentialRequestOptions`.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::link) struct Challenge {
    options: Value,
    pub(super) bytes: Vec<u8>,
    rp_id: String,
    pub(in crate::link) valid_for: Duration,
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Challenge")
    }
}

/// It is written into a script and on terminals.
fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
}

impl Challenge {
    /// Reads what WhatsApp sent.
    ///
    /// # Errors
    ///
    /// Names the part that cannot be read.
    pub(in crate::link) fn parse(json: &str) -> Result<Self, String> {
        let options: Value = serde_json::from_str(json).map_err(|error| error.to_string())?;
        let bytes = options
            .get("challenge")
            .and_then(Value::as_str)
            .and_then(|text| BASE64URL.decode(text).ok())
            .filter(|bytes| !bytes.is_empty())
            .ok_or("it has no challenge")?;
        let rp_id = match options.get("rpId") {
            None | Some(Value::Null) => RP_ID.to_owned(),
            Some(Value::String(id)) if is_host(id) => id.clone(),
            Some(_) => return Err("its rpId is no host name".to_owned()),
        };
        let valid_for = options
            .get("timeout")
            .and_then(Value::as_u64)
            .filter(|millis| *millis > 0)
            .map_or(VALID_FOR, Duration::from_millis)
            .min(LONGEST);
        Ok(Self {
            options,
            bytes,
            rp_id,
            valid_for,
        })
    }

    /// The page whose console the script is for.
    pub(super) fn page(&self) -> String {
        match self.rp_id.as_str() {
            RP_ID => PAGE.to_owned(),
            other => format!("https://{other}"),
        }
    }

    /// Whether a page of this origin may use the passkeys of the account: the
    /// browsers' own rule, <https://www.w3.org/TR/webauthn-3/#rp-id>.
    pub(super) fn is_for(&self, origin: &str) -> bool {
        let Some((scheme, rest)) = origin.split_once("://") else {
            return false;
        };
        let host = match rest.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => rest,
        };
        let secure = scheme == "https"
            || scheme == "http" && (host == "localhost" || host.ends_with(".localhost"));
        let inside = host == self.rp_id
            || host
                .strip_suffix(self.rp_id.as_str())
                .is_some_and(|head| head.ends_with('.') && head.len() > 1);
        secure && inside && !host.contains(['/', '@', '?', '#'])
    }

    pub(in crate::link) fn stage(&self) -> PasskeyStage {
        // A JSON text is a JavaScript expression. In short lines, since a
        // terminal that wraps a longer one breaks it when it is copied.
        let options = format!("{:#}", self.options).replace('\n', "\n  ");
        let script = SCRIPT
            .replace("PAGE", &self.page())
            .replace("OPTIONS", &options);
        PasskeyStage::Challenge {
            public_key: self.options.clone(),
            page: self.page(),
            script,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPTURED: &str = r#"{"challenge":"a-_b","timeout":600000,"rpId":"whatsapp.com","allowCredentials":[],"userVerification":"required","extensions":{"uvm":true}}"#;

    #[test]
    fn what_whatsapp_sends_is_read() {
        let challenge = Challenge::parse(CAPTURED).expect("read");
        assert_eq!(challenge.bytes, [0x6b, 0xef, 0xdb]);
        assert_eq!(challenge.valid_for, Duration::from_secs(600));
        assert_eq!(challenge.page(), "https://web.whatsapp.com");
        let spare = Challenge::parse(r#"{"challenge":"AA=="}"#).expect("read");
        assert_eq!((spare.rp_id.as_str(), spare.valid_for), (RP_ID, VALID_FOR));
        let never = Challenge::parse(r#"{"challenge":"AA","timeout":0}"#).expect("read");
        assert_eq!(never.valid_for, VALID_FOR);
        for bad in [
            "",
            "[]",
            "{}",
            r#"{"challenge":""}"#,
            r#"{"challenge":"a+/b"}"#,
            r#"{"challenge":"AA","rpId":7}"#,
            r#"{"challenge":"AA","rpId":"x\nalert(1)"}"#,
        ] {
            assert!(Challenge::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_pages_of_the_account_may_answer() {
        let challenge = Challenge::parse(CAPTURED).expect("read");
        for good in [
            "https://web.whatsapp.com",
            "https://whatsapp.com",
            "https://web.whatsapp.com:443",
        ] {
            assert!(challenge.is_for(good), "{good}");
        }
        for bad in [
            "http://web.whatsapp.com",
            "https://evil.example",
            "https://notwhatsapp.com",
            "https://whatsapp.com.evil.example",
            "https://.whatsapp.com",
            "https://evil.example/.whatsapp.com",
            "https://user@web.whatsapp.com",
            "https://evil.example#.whatsapp.com",
            "web.whatsapp.com",
            "null",
            "",
        ] {
            assert!(!challenge.is_for(bad), "{bad}");
        }
        let local = Challenge::parse(r#"{"challenge":"AA","rpId":"localhost"}"#).expect("read");
        assert!(local.is_for("http://localhost:8080"));
        assert!(!local.is_for("http://example.org:8080"));
    }

    #[test]
    fn the_script_holds_the_challenge_and_calls_nobody() {
        let stage = Challenge::parse(CAPTURED).expect("read").stage();
        let PasskeyStage::Challenge {
            script, public_key, ..
        } = stage
        else {
            panic!("a challenge");
        };
        assert_eq!(public_key["extensions"]["uvm"], true);
        assert!(script.contains(r#""challenge": "a-_b""#), "{script}");
        assert!(script.contains("https://web.whatsapp.com\n"), "{script}");
        for line in script.lines() {
            assert!(line.len() < 80, "{line}");
        }
        for call in [
            "fetch",
            "XMLHttpRequest",
            "WebSocket",
            "sendBeacon",
            "import(",
        ] {
            assert!(!script.contains(call), "{call}");
        }
        assert!(!script.contains("OPTIONS") && !script.contains("PAGE"));
    }
}
