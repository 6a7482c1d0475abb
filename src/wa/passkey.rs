//! The session's part in the passkey step: the answer and the confirmation on
//! their way to WhatsApp.

use super::signal::Signal;
use std::{fmt, sync::Arc};
use tokio::sync::mpsc;
use whatsapp_rust::{
    Client,
    passkey::{Assertion as LibraryAssertion, build_webauthn_assertion_json},
};

/// A passkey's answer to a challenge, decoded: a WebAuthn assertion.
#[derive(Clone, PartialEq, Eq)]
pub struct Assertion {
    pub credential_id: Vec<u8>,
    /// The JSON text that the browser signed for.
    pub client_data: Vec<u8>,
    pub authenticator_data: Vec<u8>,
    pub signature: Vec<u8>,
    pub user_handle: Option<Vec<u8>>,
}

impl fmt::Debug for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Assertion")
    }
}

/// What the owner tells a session in the passkey step.
#[derive(Debug)]
pub(super) enum Order {
    Answer(Assertion),
    Confirm,
}

/// Carries an order out beside the session's own loop: each takes round trips.
pub(super) fn carry_out(
    order: Order,
    client: Arc<Client>,
    generation: u64,
    signals: mpsc::Sender<(u64, Signal)>,
) {
    tokio::spawn(async move {
        let done = match order {
            Order::Answer(assertion) => {
                // The library gives a pairing code up 60 s after its entry, and
                // replaces the secret then: also the one that this step makes.
                client.cancel_pair_code().await;
                client
                    .send_passkey_response(assertion.into())
                    .await
                    .map(|()| None)
            }
            Order::Confirm => client
                .send_passkey_confirmation()
                .await
                .map(|()| Some(Signal::PasskeyConfirmed)),
        };
        let signal = match done {
            // The phone's word follows by itself.
            Ok(None) => return,
            Ok(Some(signal)) => signal,
            // A connection that broke is no refusal: its end tells of it.
            Err(_) if !client.is_connected() => return,
            Err(error) => Signal::PasskeyRefused(heart(&error.to_string())),
        };
        // The receiver outlives every session but the last.
        let _ = signals.send((generation, signal)).await;
    });
}

/// The heart of the library's error: it wraps the same words around it at
/// every step.
pub(super) fn heart(text: &str) -> String {
    let mut inner = text;
    for wrapping in ["iq failed: ", "passkey linking flow error: "] {
        if let Some((_, rest)) = inner.rsplit_once(wrapping) {
            inner = rest;
        }
    }
    inner.to_owned()
}

impl From<Assertion> for LibraryAssertion {
    fn from(assertion: Assertion) -> Self {
        Self {
            assertion_json: build_webauthn_assertion_json(
                &assertion.credential_id,
                &assertion.client_data,
                &assertion.authenticator_data,
                &assertion.signature,
                assertion.user_handle.as_deref(),
            ),
            credential_id: assertion.credential_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_heart_of_an_error_is_told() {
        for (text, told) in [
            (
                "passkey linking flow error: passkey_prologue iq failed: passkey linking flow error: received a server error response: code=401, text='not-authorized'",
                "received a server error response: code=401, text='not-authorized'",
            ),
            (
                "missing primary_ephemeral_identity",
                "missing primary_ephemeral_identity",
            ),
        ] {
            assert_eq!(heart(text), told);
        }
    }
}
