//! One attempt to hand a message over.

use super::message::Message;
use crate::{
    config::Webhook,
    dial::{DialError, Dialer, Exchange, ExchangeError},
    journal::{Bookmarks, Reader, Recorder},
    wire::{Event, PairingCode, Timestamp, WebhookOutcome},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use chrono::DateTime;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    HeaderMap, Request, StatusCode,
    body::Bytes,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER, USER_AGENT},
};
use std::{future::Future, pin::Pin, sync::Arc, time::Duration};
use tokio::time::timeout;

/// The pairing code that an event of the type `pairing.code` is about, while it
/// is good.
pub type Codes =
    Arc<dyn Fn(Event) -> Pin<Box<dyn Future<Output = Option<PairingCode>> + Send>> + Send + Sync>;

/// What all endpoints work with.
pub struct Tools {
    pub dialer: Dialer,
    pub reader: Reader,
    pub bookmarks: Bookmarks,
    pub recorder: Recorder,
    pub codes: Codes,
    pub clock: fn() -> Timestamp,
}

/// Of an answer so many bytes are read, to see that it comes to its end; nothing
/// of it is kept.
const MAX_ANSWER: usize = 64 * 1024;

const AGENT: HeaderValue = HeaderValue::from_static(concat!("walinkd/", env!("CARGO_PKG_VERSION")));

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    /// For people.
    pub(super) message: String,
    pub(super) outcome: WebhookOutcome,
    pub(super) status: Option<StatusCode>,
    /// How long the receiver asks to be left alone.
    pub(super) retry_after: Option<Duration>,
}

impl Failure {
    fn new(outcome: WebhookOutcome, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            outcome,
            status: None,
            retry_after: None,
        }
    }
}

impl Tools {
    /// Sends a message, once, and gives the receiver's answer when it has taken
    /// it.
    pub(super) async fn send(
        &self,
        webhook: &Webhook,
        message: &Message,
        patience: Duration,
    ) -> Result<StatusCode, Failure> {
        let late = |_| {
            let seconds = patience.as_secs();
            let told = format!("the receiver did not answer within {seconds} s");
            Failure::new(WebhookOutcome::Timeout, told)
        };
        timeout(patience, self.attempt(webhook, message))
            .await
            .map_err(late)?
    }

    async fn attempt(&self, webhook: &Webhook, message: &Message) -> Result<StatusCode, Failure> {
        let now = (self.clock)();
        let request = request(webhook, message, now).map_err(|error| {
            let told = format!("the request cannot be made: {error}");
            Failure::new(WebhookOutcome::Unreachable, told)
        })?;
        let own = webhook.authorities.as_ref();
        let own = own.map(|own| self.dialer.trusting(own.roots()));
        let dialer = own.as_ref().unwrap_or(&self.dialer);
        let exchange = dialer.exchange(request).await;
        let Exchange {
            mut response,
            driver: _driver,
        } = exchange.map_err(|error| no_answer(&error))?;
        let status = response.status();
        if !status.is_success() {
            let (outcome, why) = if status.is_redirection() {
                let why = ": redirects are not followed, set the new address";
                (WebhookOutcome::Redirect, why)
            } else if status.is_client_error() {
                (WebhookOutcome::ClientError, "")
            } else {
                (WebhookOutcome::ServerError, "")
            };
            return Err(Failure {
                message: format!("the receiver answered {}{why}", status.as_u16()),
                outcome,
                status: Some(status),
                retry_after: retry_after(response.headers(), now),
            });
        }
        let mut left = MAX_ANSWER;
        while let Some(frame) = response.frame().await {
            let frame = frame.map_err(|_| {
                let told = "the receiver's answer broke off before its end";
                Failure::new(WebhookOutcome::Broken, told)
            })?;
            let length = frame.data_ref().map_or(0, Bytes::len);
            match left.checked_sub(length) {
                Some(rest) => left = rest,
                None => break,
            }
        }
        Ok(status)
    }
}

fn request(
    webhook: &Webhook,
    message: &Message,
    now: Timestamp,
) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    // Of this attempt, so that a message that had to wait is not taken for one
    // that somebody recorded and sends again.
    let seconds = now.millis().div_euclid(1000);
    let mut request = Request::post(webhook.target.url())
        .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
        .header(USER_AGENT, AGENT)
        .header("webhook-id", &message.id)
        .header("webhook-timestamp", seconds)
        .header(
            "webhook-signature",
            message.signatures(webhook.secrets(), seconds),
        );
    if let Some((user, password)) = &webhook.target.login {
        let login = BASE64_STANDARD.encode(format!("{user}:{}", password.expose()));
        request = request.header(AUTHORIZATION, format!("Basic {login}"));
    }
    request.body(Full::from(message.body.clone()))
}

fn no_answer(error: &ExchangeError) -> Failure {
    let outcome = match error {
        ExchangeError::Broken(_) => {
            let told = "the receiver broke the connection off";
            return Failure::new(WebhookOutcome::Broken, told);
        }
        ExchangeError::Dial(DialError::Untrusted(_)) => {
            let told = format!(
                "{error}: name the certificate of that authority in the webhook's ca_file, and have the receiver show the whole chain"
            );
            return Failure::new(WebhookOutcome::Tls, told);
        }
        ExchangeError::Dial(DialError::Tls { .. }) => WebhookOutcome::Tls,
        ExchangeError::Dial(DialError::Timeout(_)) => WebhookOutcome::Timeout,
        ExchangeError::Dial(_) | ExchangeError::Url => WebhookOutcome::Unreachable,
    };
    Failure::new(outcome, error.to_string())
}

/// Seconds, or a date.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = DateTime::parse_from_rfc2822(text).ok()?.timestamp_millis();
    let ahead = u64::try_from(at.saturating_sub(now.millis())).ok()?;
    Some(Duration::from_millis(ahead))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receivers_wish_is_read_as_http_has_it() {
        let now = Timestamp::from_millis(1_766_811_600_000);
        let read = |text: &'static str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(text))]);
            retry_after(&headers, now)
        };
        assert_eq!(read("120"), Some(Duration::from_secs(120)));
        let date = "Sat, 27 Dec 2025 05:01:00 GMT";
        assert_eq!(read(date), Some(Duration::from_secs(60)));
        assert_eq!(read("Sat, 27 Dec 2025 04:00:00 GMT"), None);
        assert_eq!(read("soon"), None);
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
