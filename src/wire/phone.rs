//! Phone numbers: E.164 digits, checked with a hint, masked wherever a log or
//! a screen could be read by somebody else.

use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;

/// E.164 digits without the `+`: 7 to 15 of them, not beginning with 0.
///
/// `Display` and `Debug` show the masked form; `digits()` is the number itself.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhoneNumber(String);

/// Why a text is no phone number, with what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidPhone {
    #[error("the phone number is empty: give it in international form, for example 628123456789")]
    Empty,
    #[error(
        "the phone number may hold only digits: give it in international form without letters, for example 628123456789"
    )]
    NotDigits,
    #[error(
        "the phone number begins with 0: leave out the leading zero and begin with the country code, 628… for 08… in Indonesia"
    )]
    LeadingZero,
    #[error(
        "the phone number is too short: E.164 numbers have 7 to 15 digits with the country code"
    )]
    TooShort,
    #[error(
        "the phone number is too long: E.164 numbers have 7 to 15 digits with the country code"
    )]
    TooLong,
}

/// The shortest E.164 numbers in use have 7 digits with their country code.
const MIN_DIGITS: usize = 7;
/// ITU-T E.164, section 6.1.
const MAX_DIGITS: usize = 15;

impl PhoneNumber {
    /// What [`Self::parse`] takes, as a regular expression.
    pub(super) const PATTERN: &str = r"^\s*\+?[ .()-]*[1-9]([ .()-]*[0-9]){6,14}[ .()-]*\s*$";

    /// Reads a number the way people write it: a leading `+`, spaces, dashes,
    /// dots and brackets are left out, anything else is refused.
    ///
    /// # Errors
    ///
    /// Says what is wrong and how to write the number.
    pub fn parse(text: &str) -> Result<Self, InvalidPhone> {
        let text = text.trim();
        let text = text.strip_prefix('+').unwrap_or(text);
        let digits: String = text
            .chars()
            .filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')'))
            .collect();
        if digits.is_empty() {
            return Err(InvalidPhone::Empty);
        }
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(InvalidPhone::NotDigits);
        }
        if digits.starts_with('0') {
            return Err(InvalidPhone::LeadingZero);
        }
        if digits.len() < MIN_DIGITS {
            return Err(InvalidPhone::TooShort);
        }
        if digits.len() > MAX_DIGITS {
            return Err(InvalidPhone::TooLong);
        }
        Ok(Self(digits))
    }

    /// The number itself. Not for logs.
    pub fn digits(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PhoneNumber {
    /// `62812*****89`: the first five and the last two digits; fewer of a
    /// short number, so that at least four are always hidden.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.len().saturating_sub(4).min(7);
        let tail = shown.min(2);
        let head = shown - tail;
        let hidden = self.0.len() - head - tail;
        write!(
            f,
            "{}{}{}",
            &self.0[..head],
            "*".repeat(hidden),
            &self.0[self.0.len() - tail..]
        )
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneNumber({self})")
    }
}

impl TryFrom<String> for PhoneNumber {
    type Error = InvalidPhone;

    fn try_from(text: String) -> Result<Self, InvalidPhone> {
        Self::parse(&text)
    }
}

impl From<PhoneNumber> for String {
    fn from(phone: PhoneNumber) -> Self {
        phone.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_numbers_as_people_write_them() {
        for text in ["628123456789", "+62 812-3456-789", " (62) 812.3456.789 "] {
            assert_eq!(
                PhoneNumber::parse(text).map(|p| p.digits().to_owned()),
                Ok("628123456789".to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_with_the_right_hint() {
        for (text, expected) in [
            ("", InvalidPhone::Empty),
            ("  + ", InvalidPhone::Empty),
            ("62812abc", InvalidPhone::NotDigits),
            ("62812٣٤٥٦", InvalidPhone::NotDigits),
            ("08123456789", InvalidPhone::LeadingZero),
            ("628123", InvalidPhone::TooShort),
            ("6281234567890123", InvalidPhone::TooLong),
        ] {
            assert_eq!(PhoneNumber::parse(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn never_shows_itself_whole() {
        let phone = PhoneNumber::parse("6281234567889").expect("valid");
        assert_eq!(phone.to_string(), "62812******89");
        assert!(!format!("{phone:?}").contains("345678"));
        let short = PhoneNumber::parse("4912345").expect("valid");
        assert_eq!(short.to_string(), "4****45");
    }
}
