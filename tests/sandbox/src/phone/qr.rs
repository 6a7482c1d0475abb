//! A QR code: its text, and what a phone makes of it.

use super::link::{Candidate, LinkError};
use super::passkey::{self, Linking};
use crate::clock;
use crate::keys::KeyBytes;
use crate::world::World;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::sync::Arc;

/// In front of the code when it is meant for the phone's own camera app.
const DEEP_LINK: &str = "https://wa.me/settings/linked_devices#";

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum QrError {
    /// The phone ignores a code without the client's type at its end.
    #[error("a code has five fields between commas, this one has {0}")]
    Fields(usize),
    #[error("the {0} is not 32 bytes of Base64")]
    Key(&'static str),
    #[error("{0:?} is no client type")]
    ClientType(String),
}

/// What a QR code says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QrCode {
    pub reference: String,
    pub noise_key: KeyBytes,
    pub identity_key: KeyBytes,
    pub adv_secret: [u8; 32],
    pub client_type: char,
}

impl std::str::FromStr for QrCode {
    type Err = QrError;

    fn from_str(text: &str) -> Result<Self, QrError> {
        let text = text.strip_prefix(DEEP_LINK).unwrap_or(text);
        let fields: Vec<&str> = text.split(',').collect();
        let [reference, noise, identity, secret, client_type] = fields[..] else {
            return Err(QrError::Fields(fields.len()));
        };
        let mut letters = client_type.chars();
        let client_type = match (letters.next(), letters.next()) {
            (Some(letter @ ('1'..='9' | 'd'..='f')), None) => letter,
            _ => return Err(QrError::ClientType(client_type.to_owned())),
        };
        Ok(Self {
            reference: reference.to_owned(),
            noise_key: key(noise, "Noise key")?,
            identity_key: key(identity, "identity key")?,
            adv_secret: key(secret, "ADV secret")?,
            client_type,
        })
    }
}

fn key(text: &str, what: &'static str) -> Result<[u8; 32], QrError> {
    STANDARD
        .decode(text)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(QrError::Key(what))
}

#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    #[error(transparent)]
    NotACode(#[from] QrError),
    #[error("there is no such phone")]
    NoPhone,
    #[error("the code's ref is unknown, or its client has gone")]
    UnknownRef,
    #[error("the code is too old")]
    ExpiredRef,
    #[error("the code names another Noise key than its client connected with")]
    NoiseKey,
    #[error("the code names another identity key than its client registered")]
    IdentityKey,
    #[error(transparent)]
    Link(#[from] LinkError),
}

pub(super) fn scan(world: &Arc<World>, number: &str, text: &str) -> Result<Linking, ScanError> {
    let qr: QrCode = text.parse()?;
    let candidate = world.read(|state| {
        if !state.phones.contains_key(number) {
            return Err(ScanError::NoPhone);
        }
        let reference = state.refs.get(&qr.reference).ok_or(ScanError::UnknownRef)?;
        if reference.expires <= clock::now() {
            return Err(ScanError::ExpiredRef);
        }
        let candidate = Candidate::on(state, reference.connection).ok_or(ScanError::UnknownRef)?;
        if candidate.registration.noise_key != qr.noise_key {
            return Err(ScanError::NoiseKey);
        }
        if candidate.registration.identity_key != qr.identity_key {
            return Err(ScanError::IdentityKey);
        }
        Ok(candidate)
    })?;
    Ok(passkey::admit(world, number, candidate, qr.adv_secret)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(fields: &[&str]) -> String {
        fields.join(",")
    }

    fn good() -> Vec<String> {
        let key = |byte: u8| STANDARD.encode([byte; 32]);
        vec!["2@ref".to_owned(), key(1), key(2), key(3), "1".to_owned()]
    }

    fn parse(fields: &[String]) -> Result<QrCode, QrError> {
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        code(&fields).parse()
    }

    #[test]
    fn both_forms_are_read() {
        let plain = parse(&good()).expect("reads");
        assert_eq!(plain.reference, "2@ref");
        assert_eq!((plain.noise_key, plain.identity_key), ([1; 32], [2; 32]));
        assert_eq!((plain.adv_secret, plain.client_type), ([3; 32], '1'));
        let linked: QrCode = format!("{DEEP_LINK}{}", good().join(","))
            .parse()
            .expect("reads");
        assert_eq!(linked, plain);
    }

    #[test]
    fn four_fields_are_too_few() {
        assert_eq!(parse(&good()[..4]), Err(QrError::Fields(4)));
        assert_eq!("hello".parse::<QrCode>(), Err(QrError::Fields(1)));
    }

    #[test]
    fn a_bad_key_is_named() {
        for (at, what) in [(1, "Noise key"), (2, "identity key"), (3, "ADV secret")] {
            for bad in ["", "###", &STANDARD.encode([1; 31])] {
                let mut fields = good();
                fields[at] = bad.to_owned();
                assert_eq!(parse(&fields), Err(QrError::Key(what)));
            }
        }
    }

    #[test]
    fn an_unknown_client_type_is_refused() {
        for bad in ["0", "", "11", "z"] {
            let mut fields = good();
            fields[4] = bad.to_owned();
            assert_eq!(parse(&fields), Err(QrError::ClientType(bad.to_owned())));
        }
    }
}
