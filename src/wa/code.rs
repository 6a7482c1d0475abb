//! A session's request for a pairing code.

use super::signal::{CodeRefusal, Secret, Signal};
use crate::wire::PhoneNumber;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::mpsc;
use whatsapp_rust::{
    Client, IqError,
    pair_code::{PairCodeOptions, PairError},
};

/// How long a pairing code lives, counted from before it was asked for.
const CODE_VALIDITY: Duration = Duration::from_secs(180);

/// Asks beside the session's own loop: it takes round trips.
pub(super) fn request_code(
    client: Arc<Client>,
    phone: PhoneNumber,
    custom: Option<String>,
    generation: u64,
    signals: mpsc::Sender<(u64, Signal)>,
) {
    tokio::spawn(async move {
        let began = Instant::now();
        let options = PairCodeOptions {
            phone_number: phone.digits().to_owned(),
            custom_code: custom,
            ..PairCodeOptions::default()
        };
        let signal = match client.pair_with_code(options).await {
            Ok(code) => Signal::Code {
                code: Secret(code),
                valid_for: CODE_VALIDITY.saturating_sub(began.elapsed()),
            },
            Err(error) => match refusal(&error) {
                Some(refusal) => Signal::CodeRefused(refusal),
                // A connection that broke, or an answer that never came, is no
                // refusal: the end of the session or a deadline tells of it.
                None => return,
            },
        };
        let _ = signals.send((generation, signal)).await;
    });
}

/// What WhatsApp, or the library's own check, has refused. WhatsApp limits a
/// number with 429, and with 400 for a well-formed number too; the words beside
/// the number are not to be relied on.
fn refusal(error: &PairError) -> Option<CodeRefusal> {
    let (limited, backoff) = match error {
        PairError::RequestFailed(IqError::ServerError { code, backoff, .. }) => {
            (matches!(code, 400 | 429), *backoff)
        }
        PairError::PairCode(_) => (false, None),
        _ => return None,
    };
    Some(CodeRefusal {
        limited,
        backoff: backoff.map(|seconds| Duration::from_secs(u64::from(seconds))),
        message: error.to_string(),
    })
}
