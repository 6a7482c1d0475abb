//! `GET /connection/events`: what happens, as it happens, by server-sent events.
//!
//! Each connection is a cursor of the journal's, polled by whoever sends its
//! answer: it reads on only when the client has taken what was read before, so a
//! slow one costs a page of events and nobody's time.

pub(super) mod frames;

pub use frames::Frames;

use super::{
    App,
    query::{Kind, Parameter, Params, bad},
};
use crate::{
    journal::{Cursor, ReadError},
    link::{Attendance, Snapshot, Stopping},
    wire::Problem,
};
use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderName, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, Interval, MissedTickBehavior, interval_at},
};

/// The server-sent events' own type.
pub(super) const MEDIA: &str = "text/event-stream";

/// Sent again by a client that lost its stream: the last id that it has seen.
pub(super) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// nginx and its like would gather what is sent until there is a page of it.
const NO_BUFFERING: (HeaderName, &str) = (HeaderName::from_static("x-accel-buffering"), "no");

/// A comment goes out so often: proxies close what is quiet for a minute, and a
/// client that has heard nothing for longer knows that it is alone.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Events read at once for a client that catches up.
const PAGE: usize = 32;

pub(super) const AFTER: Parameter = Parameter {
    name: "after",
    required: false,
    kind: Kind::Number {
        least: 0,
        most: u64::MAX,
    },
    about: "The id of the last event seen: goes on behind it; 0 begins with the oldest. The header Last-Event-ID says the same, and comes first.",
};

pub(super) const STATUS: Parameter = Parameter {
    name: "status",
    required: false,
    kind: Kind::Word(&["live"]),
    about: "live: the status comes again whenever its generation changes.",
};

pub(super) async fn show(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, Problem> {
    let after = place(&headers, &params)?;
    let live = match params.get(STATUS.name) {
        None => false,
        Some("live") => true,
        Some(_) => return Err(bad("status is live, or left out.".to_owned())),
    };
    if app.stopping.is_cancelled() {
        return Err(Stopping.into());
    }
    let follower = Follower::new(app, after, live);
    let frames = stream::unfold(follower, async |mut follower| {
        let frame = follower.next().await?;
        Some((Ok::<_, Infallible>(frame), follower))
    });
    let headers = [(CONTENT_TYPE, MEDIA), NO_BUFFERING];
    Ok((headers, Body::from_stream(frames)).into_response())
}

/// Behind which id to go on; `None` begins with the next event. The header comes
/// first: a client that resumes by it repeats the address it began with.
fn place(headers: &HeaderMap, params: &Params) -> Result<Option<u64>, Problem> {
    let hint = "take the id of the last event you have seen";
    match headers.get(LAST_EVENT_ID).filter(|value| !value.is_empty()) {
        None => params.number(AFTER.name, hint),
        Some(value) => {
            let id = value.to_str().ok().and_then(|id| id.parse().ok());
            let id = id.ok_or_else(|| bad(format!("Last-Event-ID is a whole number: {hint}.")))?;
            Ok(Some(id))
        }
    }
}

/// One client, and what it has been told.
struct Follower {
    app: Arc<App>,
    cursor: Cursor,
    statuses: watch::Receiver<Arc<Snapshot>>,
    /// Whether the status is told again when it changes.
    live: bool,
    /// What it is told first.
    first: bool,
    resumed: bool,
    heartbeat: Interval,
    #[expect(dead_code, reason = "an open stream asks, until it is dropped")]
    attendance: Attendance,
}

impl Follower {
    fn new(app: Arc<App>, after: Option<u64>, live: bool) -> Self {
        let mut heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            // Before the status is read: what happens in between is told twice
            // rather than not at all.
            cursor: app.events.cursor(after),
            statuses: app.link.watch(),
            attendance: app.link.attend(),
            live,
            first: true,
            resumed: after.is_some(),
            heartbeat,
            app,
        }
    }

    /// What to send next; `None` is the end.
    async fn next(&mut self) -> Option<Bytes> {
        if std::mem::take(&mut self.first) {
            return Some(self.greeting());
        }
        let at = self.cursor.id();
        tokio::select! {
            biased;
            () = self.app.stopping.cancelled() => None,
            Ok(()) = self.statuses.changed(), if self.live => {
                self.statuses.borrow_and_update();
                Some(frames::status(&self.app.status()))
            }
            page = self.cursor.next(PAGE) => match page {
                Ok(page) => Some(self.app.frames.page(at, &page)),
                Err(ReadError::Stopping) => None,
                Err(error) => {
                    // It comes back for the rest, with the last id it has.
                    tracing::error!("a stream of events ends: {error}");
                    None
                }
            },
            _ = self.heartbeat.tick() => Some(frames::HEARTBEAT),
        }
    }

    /// The status, and for a client without one an id to resume with.
    fn greeting(&self) -> Bytes {
        let status = frames::status(&self.app.status());
        if self.resumed {
            return status;
        }
        [status, frames::place(self.cursor.id())].concat().into()
    }
}
