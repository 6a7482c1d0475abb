//! The HTTP shape of the program: extract, call a handle, map the answer.
//!
//! Owns paths, rights, status codes and messages; `table` is the list of every
//! call with its right. Must not hold state, know SQL or WhatsApp.

mod audit;
mod backup;
mod body;
mod config;
mod cors;
mod dashboard;
mod disconnect;
mod events;
mod format;
mod front;
mod guard;
mod health;
mod keys;
mod listeners;
mod log;
mod log_level;
mod metrics;
mod openapi;
mod pairing;
mod passkey;
mod pause;
mod problem;
mod qr;
mod query;
mod reconnect;
mod reference;
mod reload;
mod status;
mod table;
mod webhooks;
#[cfg(test)]
mod tests;

pub use events::Frames as EventFrames;
pub use front::{Answer, Clerk, Front, Reply};
pub use openapi::description;
pub use reference::{Call, reference};
pub use status::Written;
pub use table::Place;

use crate::{
    auth::Gate,
    journal::{Reader, Recorder},
    link,
    metrics::Meter,
    wire::{
        ConfigReport, KeyInfo, KeyRemoved, KeyRequest, LogLevel, NewKey, Problem, ReloadReport,
        Status, Timestamp, WebhookInfo, WebhookTested, WebhooksResumed,
    },
};
use axum::{
    Router,
    http::{
        HeaderMap, HeaderName, HeaderValue,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS},
    },
    middleware,
    response::Response,
};
use std::{fs::File, future::Future, pin::Pin, sync::Arc, time::Duration};
use tokio::{
    sync::{Semaphore, watch},
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;

/// What a reload may change about the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Web origins whose pages may call with a key; `"*"` allows any.
    pub cors_origins: Vec<String>,
    /// Whether there is a page at `/`.
    pub dashboard: bool,
    /// From the last header to the answer; what `?wait=` asks for comes on top.
    pub request_timeout: Duration,
    /// Bytes.
    pub max_body: usize,
}

/// An order to the daemon as a whole, waiting for its report.
///
/// Dropped when its caller hangs up, so the work must not live in it: it hands
/// the order over and waits.
pub type Work<'a, T> = Pin<Box<dyn Future<Output = Result<T, Problem>> + Send + 'a>>;

/// What only the daemon as a whole can do.
pub trait Office: Send + Sync {
    /// Re-reads the configuration.
    fn reload(&self) -> Work<'_, ReloadReport>;
    /// The API keys in force.
    fn keys(&self) -> Work<'_, Vec<KeyInfo>>;
    fn add_key(&self, request: KeyRequest) -> Work<'_, NewKey>;
    fn remove_key(&self, name: String) -> Work<'_, KeyRemoved>;
    /// The configuration in force.
    fn config(&self) -> Work<'_, ConfigReport>;
    /// Until the next reload.
    fn set_log_level(&self, level: String) -> Work<'_, LogLevel>;
    /// A copy of the state, to be read.
    fn backup(&self) -> Work<'_, File>;
    /// An office without webhooks need not speak of them.
    fn webhooks(&self) -> Work<'_, Vec<WebhookInfo>> {
        Box::pin(async { Ok(Vec::new()) })
    }
    /// The one of this name, or all.
    fn test_webhooks(&self, _name: Option<String>) -> Work<'_, Vec<WebhookTested>> {
        Box::pin(async { Ok(Vec::new()) })
    }
    fn resume_webhooks(&self, _name: Option<String>) -> Work<'_, WebhooksResumed> {
        let resumed = Vec::new();
        Box::pin(async { Ok(WebhooksResumed { resumed }) })
    }
    /// What somebody should look after.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Everything the calls reach.
pub struct App {
    pub link: link::Handle,
    pub gate: Gate,
    pub recorder: Recorder,
    pub events: Reader,
    pub settings: watch::Receiver<Arc<Settings>>,
    /// True once listeners, control socket and store are open.
    pub ready: watch::Receiver<bool>,
    /// Cancelled when the daemon begins to stop; ends the waits.
    pub stopping: CancellationToken,
    pub office: Box<dyn Office>,
    /// Where the daemon can be reached, for people.
    pub listening: Box<dyn Fn() -> Vec<String> + Send + Sync>,
    /// Turns at sending the log; see [`log_turns`].
    pub logs: Arc<Semaphore>,
    pub meter: Arc<Meter>,
    /// What is sent to many, written once.
    pub frames: EventFrames,
    pub written: Written,
    pub now: fn() -> Timestamp,
}

/// On every answer that does not say otherwise. Codes are not to be kept, and an
/// answer is no page: a browser shall run nothing in it, guess no type for it,
/// and show it in nobody's frame.
const HEADERS: [(HeaderName, &str); 4] = [
    (CACHE_CONTROL, "no-store"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    ),
    (REFERRER_POLICY, "no-referrer"),
];

/// One for each kind of listener.
#[derive(Clone)]
pub struct Routers {
    pub tcp: Front,
    pub control: Front,
}

/// So many callers are sent the log at once.
pub fn log_turns() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(log::AT_ONCE))
}

/// The calls of `table`, ready to serve.
pub fn routers(app: App) -> Routers {
    let app = Arc::new(app);
    let cors = cors::layer(app.settings.clone());
    let counted = middleware::from_fn_with_state(Arc::clone(&app.meter), metrics::count);
    let finish = |router: Router, varies| {
        let sealed = middleware::map_response(async |mut response: Response| {
            seal(response.headers_mut());
            response
        });
        let calls = router.layer(sealed).layer(counted.clone());
        Front::new(Arc::clone(&app), varies, calls)
    };
    let calls = |place| {
        table::router(&app, place).layer(CatchPanicLayer::custom(|_| problem::after_panic()))
    };
    Routers {
        tcp: finish(calls(Place::Tcp).layer(cors), true),
        control: finish(calls(Place::Control), false),
    }
}

fn seal(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
}

impl App {
    /// Waits until `holds` is true of a snapshot, at most `limit`; gives up at
    /// once when the daemon stops.
    async fn until(&self, limit: Duration, holds: impl FnMut(&link::Snapshot) -> bool) {
        let wait = self.stopping.run_until_cancelled(self.link.wait_for(holds));
        // However it ends, the caller looks at how things stand then.
        let _ = timeout(limit, wait).await;
    }

    /// How the connection stands, whether that can be kept, and told.
    fn status(&self) -> Status {
        let mut status = self.link.status();
        status.health.extend(self.health());
        status
    }

    /// What somebody should look after besides the connection.
    fn health(&self) -> Vec<String> {
        let mut health = self.office.warnings();
        health.extend(self.events.trouble());
        health
    }

    fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.borrow())
    }
}
