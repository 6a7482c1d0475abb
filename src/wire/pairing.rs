//! Bodies of `/connection/qr`, `/connection/pairing` and the plain commands.

use super::{PhoneNumber, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A QR code that is live now. `Debug` does not show it: who scans it owns the link.
#[derive(Clone, PartialEq, Eq)]
pub struct QrCode {
    pub code: String,
    pub shown_at: Timestamp,
    pub expires_at: Timestamp,
}

impl fmt::Debug for QrCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QrCode")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// `data` of `GET /connection/qr`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct QrCodeBody {
    pub qr_code: String,
    pub timestamp: Timestamp,
    /// The true time left, `"N seconds"`.
    pub expires_in: String,
    pub expires_at: Timestamp,
    /// The code as a picture, `data:image/png;base64,…`, when it is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_url: Option<String>,
}

impl QrCode {
    pub fn body(&self, now: Timestamp) -> QrCodeBody {
        QrCodeBody {
            qr_code: self.code.clone(),
            timestamp: self.shown_at,
            expires_in: expires_in(self.expires_at, now),
            expires_at: self.expires_at,
            data_url: None,
        }
    }
}

/// A pairing code that is live now; `data` of `/connection/pairing`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PairingCode {
    /// `ABCD-EFGH`, as the phone asks for it.
    pub pairing_code: String,
    pub phone_number: String,
    pub timestamp: Timestamp,
    /// The true time left, `"N seconds"`.
    pub expires_in: String,
    pub expires_at: Timestamp,
}

impl PairingCode {
    /// `code` has eight characters; the dash is put in here.
    pub fn new(code: &str, phone: &PhoneNumber, shown: Timestamp, expires: Timestamp) -> Self {
        let pairing_code = match code.split_at_checked(4) {
            Some((head, tail)) if !tail.starts_with('-') => format!("{head}-{tail}"),
            _ => code.to_owned(),
        };
        Self {
            pairing_code,
            phone_number: phone.digits().to_owned(),
            timestamp: shown,
            expires_in: expires_in(expires, shown),
            expires_at: expires,
        }
    }

    /// The same code with the time left as of `now`.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        self.expires_in = expires_in(self.expires_at, now);
        self
    }
}

impl fmt::Debug for PairingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PairingCode")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// `"N seconds"`, rounded up, so that a live code never says 0.
pub fn expires_in(expires: Timestamp, now: Timestamp) -> String {
    let millis = expires.millis().saturating_sub(now.millis()).max(0);
    let seconds = millis.saturating_add(999) / 1000;
    if seconds == 1 {
        "1 second".to_owned()
    } else {
        format!("{seconds} seconds")
    }
}

/// The body of `POST /connection/pairing`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PairingRequest {
    /// In international form; written as people do, with a `+` or spaces.
    // As text, so that a wrong one gets a hint and not a JSON error.
    #[schemars(regex(pattern = PhoneNumber::PATTERN))]
    pub phone_number: String,
    /// Eight characters of `1-9` and `A-Z` without I, O and U.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = CODE_PATTERN))]
    pub custom_code: Option<String>,
    /// Pair beside a live link and take over from it when the new one is linked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schemars(with = "Option<bool>")]
    pub replace: bool,
}

/// The answer to `POST /connection/pairing`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PairingStarted {
    #[schemars(extend("const" = true))]
    pub success: bool,
    pub message: String,
    pub instruction: String,
    pub data: PairingCode,
}

/// What `disconnect` really did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Disconnected {
    /// WhatsApp has confirmed that the device is no longer linked.
    #[serde(rename = "unlinkedAtWhatsApp")]
    pub unlinked_at_whatsapp: bool,
    /// There was key material, and it is gone from the disk.
    pub wiped: bool,
}

/// The answer to a plain command, with `data` where there is some.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Done<T> {
    #[schemars(extend("const" = true))]
    pub success: bool,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<T>,
}

/// A custom pairing code that is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a custom pairing code has 8 characters out of 1-9 and A-Z without I, O and U, for example ABCD-EFGH"
)]
pub struct InvalidCode;

/// WhatsApp's own alphabet for pairing codes: Crockford's without 0.
const CODE_ALPHABET: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTVWXYZ";

/// What [`custom_code`] takes, as a regular expression.
const CODE_PATTERN: &str = r"^\s*-*([1-9A-HJ-NP-TV-Za-hj-np-tv-z]-*){8}\s*$";

/// Checks a code a person chose; the dash and small letters are taken as meant.
///
/// # Errors
///
/// When it has not exactly eight characters of WhatsApp's code alphabet.
pub fn custom_code(text: &str) -> Result<String, InvalidCode> {
    let code: String = text
        .trim()
        .chars()
        .filter(|c| *c != '-')
        .map(|c| c.to_ascii_uppercase())
        .collect();
    if code.len() == 8 && code.bytes().all(|b| CODE_ALPHABET.contains(&b)) {
        Ok(code)
    } else {
        Err(InvalidCode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_is_rounded_up_and_never_negative() {
        let at = Timestamp::from_millis;
        assert_eq!(expires_in(at(60_000), at(0)), "60 seconds");
        assert_eq!(expires_in(at(60_000), at(59_500)), "1 second");
        assert_eq!(expires_in(at(60_000), at(61_000)), "0 seconds");
    }

    #[test]
    fn custom_codes_are_checked() {
        assert_eq!(custom_code("abcd-efgh"), Ok("ABCDEFGH".to_owned()));
        for bad in [
            "",
            "ABCDEFG",
            "ABCDEFGHJ",
            "ABCDEFG0",
            "ABCDEFGI",
            "ÄBCDEFGH",
        ] {
            assert_eq!(custom_code(bad), Err(InvalidCode), "{bad}");
        }
    }

    #[test]
    fn codes_are_shown_with_their_dash() {
        let phone = PhoneNumber::parse("628123456789").expect("valid");
        let at = Timestamp::from_millis;
        let code = PairingCode::new("ABCDEFGH", &phone, at(0), at(180_000));
        assert_eq!(code.pairing_code, "ABCD-EFGH");
        assert!(!format!("{code:?}").contains("ABCD"));
    }
}
