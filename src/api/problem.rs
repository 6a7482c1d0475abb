//! The one place where problems become HTTP, and where bodies are written.

use crate::{
    auth::Refusal,
    journal::ReadError,
    link::{PairError, PasskeyError, Stopping},
    wire::{Code, InvalidCode, InvalidPhone, Problem, whole_seconds},
};
use axum::{
    body::Bytes,
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use serde::Serialize;

pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// Seconds a stopping daemon is given to be there again.
const RESTART: u64 = 5;
/// Seconds after which WhatsApp, unreachable now, is worth another try.
const UNREACHABLE: u64 = 10;

/// 200 with a JSON body.
pub(super) fn answer(body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(body) => json(body.into()),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            internal().into_response()
        }
    }
}

/// 200 with a body that is JSON already.
pub(super) fn json(body: Bytes) -> Response {
    ([(CONTENT_TYPE, JSON)], body).into_response()
}

pub(super) fn after_panic() -> Response {
    internal().into_response()
}

pub(super) fn internal() -> Problem {
    Problem::new(
        Code::Internal,
        "Something went wrong inside walinkd; its log says more (journalctl -u walinkd).",
    )
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = answer(&self);
        *response.status_mut() = status_of(self.code);
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

pub(super) fn status_of(code: Code) -> StatusCode {
    match code {
        Code::BadRequest
        | Code::BadPhoneNumber
        | Code::BadCustomCode
        | Code::BadPasskey
        | Code::PasskeyCancelled
        | Code::PasskeyRefused
        | Code::BadConfig => StatusCode::BAD_REQUEST,
        Code::BadKey | Code::NotPermitted => StatusCode::FORBIDDEN,
        Code::NotFound
        | Code::NoSuchKey
        | Code::NoSuchWebhook
        | Code::NoQrCode
        | Code::NoPairingCode
        | Code::NoPasskey
        | Code::PasskeyEnded => StatusCode::NOT_FOUND,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::Timeout => StatusCode::REQUEST_TIMEOUT,
        Code::AlreadyLinked | Code::PasskeyStage | Code::KeyExists | Code::KeyFixed => {
            StatusCode::CONFLICT
        }
        Code::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::PairingLimited | Code::RateLimited | Code::LockedOut | Code::TooManyStreams => {
            StatusCode::TOO_MANY_REQUESTS
        }
        Code::PairingRefused | Code::Unreachable | Code::Starting | Code::Stopping => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal {
            Refusal::NoKey | Refusal::UnknownKey | Refusal::Expired { .. } => Code::BadKey,
            Refusal::ReadKey { .. }
            | Refusal::ReadPeer
            | Refusal::ForeignPage
            | Refusal::Revoked => Code::NotPermitted,
            Refusal::LockedOut(_) => Code::LockedOut,
            Refusal::TooFast { .. } => Code::RateLimited,
            Refusal::TooManyStreams => Code::TooManyStreams,
        };
        let problem = Self::new(code, sentence(&refusal.to_string()));
        match refusal.retry_after() {
            Some(seconds) => problem.retry_after(seconds),
            None => problem,
        }
    }
}

impl From<InvalidPhone> for Problem {
    fn from(invalid: InvalidPhone) -> Self {
        Self::new(Code::BadPhoneNumber, sentence(&invalid.to_string()))
    }
}

impl From<InvalidCode> for Problem {
    fn from(invalid: InvalidCode) -> Self {
        Self::new(Code::BadCustomCode, sentence(&invalid.to_string()))
    }
}

impl From<Stopping> for Problem {
    fn from(stopping: Stopping) -> Self {
        Self::new(Code::Stopping, sentence(&stopping.to_string())).retry_after(RESTART)
    }
}

impl From<PairError> for Problem {
    fn from(error: PairError) -> Self {
        let text = sentence(&error.to_string());
        match error {
            PairError::AlreadyLinked => Self::new(Code::AlreadyLinked, text),
            PairError::Limited { retry_after, .. } | PairError::Spaced { retry_after } => {
                Self::new(Code::PairingLimited, text).retry_after(whole_seconds(retry_after))
            }
            PairError::Refused(_) => Self::new(Code::PairingRefused, text),
            PairError::Unreachable(_) => {
                let text = format!("{text} Try again when it is back; the status shows when.");
                Self::new(Code::Unreachable, text).retry_after(UNREACHABLE)
            }
            PairError::Stopping => Stopping.into(),
        }
    }
}

impl From<PasskeyError> for Problem {
    fn from(error: PasskeyError) -> Self {
        let text = sentence(&error.to_string());
        let code = match error {
            PasskeyError::NotAsked(None) => Code::NoPasskey,
            PasskeyError::Stage(_) => Code::PasskeyStage,
            PasskeyError::Bad(_) => Code::BadPasskey,
            PasskeyError::Browser(_) => Code::PasskeyCancelled,
            PasskeyError::Refused(_) => Code::PasskeyRefused,
            PasskeyError::NotAsked(Some(_)) | PasskeyError::Ended(_) => Code::PasskeyEnded,
            PasskeyError::Stopping(stopping) => return stopping.into(),
        };
        Self::new(code, text)
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Sqlite { .. } => {
                tracing::error!("{error}");
                internal()
            }
            ReadError::Stopping => Stopping.into(),
        }
    }
}

/// With a capital and a full stop, as the API's other texts.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first
        .into_iter()
        .chain(letters)
        .chain((!text.ends_with('.')).then_some('.'))
        .collect()
}

/// One of the daemon's, told as the API's own.
pub(super) fn spoken(problem: Problem) -> Problem {
    Problem {
        error: sentence(&problem.error),
        ..problem
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_sentences() {
        assert_eq!(sentence("what is wrong"), "What is wrong.");
        assert_eq!(sentence("Done."), "Done.");
        assert_eq!(sentence(""), ".");
    }
}
