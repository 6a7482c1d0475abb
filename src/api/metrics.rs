//! `GET /metrics`, and the count of all calls.

use super::{App, problem::internal};
use crate::{
    link::Openings,
    metrics::{MEDIA, Meter, Reading},
    wire::Problem,
};
use axum::{
    extract::{MatchedPath, Request, State},
    http::header::CONTENT_TYPE,
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::sync::Arc;

/// A scrape wants to know nothing for a person: it does not end `idle`.
pub(super) async fn show(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let text = app.meter.text(&app.reading().await).map_err(|error| {
        tracing::error!(%error, "the metrics could not be written");
        internal()
    })?;
    Ok(([(CONTENT_TYPE, MEDIA)], text).into_response())
}

impl App {
    async fn reading(&self) -> Reading {
        let webhooks = self.office.webhooks().await;
        let Openings { login, qr, code } = self.link.openings();
        Reading {
            status: self.status(),
            now: (self.now)(),
            openings: [("login", login), ("qr", qr), ("code", code)],
            streams: self.link.audience(),
            events_lost: self.events.lost(),
            journal_ok: self.events.trouble().is_none(),
            // What can be told without them is told all the same.
            webhooks: webhooks.unwrap_or_default(),
        }
    }
}

/// Around all else, so that what is refused and what goes wrong count too.
pub(super) async fn count(
    State(meter): State<Arc<Meter>>,
    request: Request,
    next: Next,
) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let call = meter.begin(route.map(MatchedPath::as_str), request.method().as_str());
    let response = next.run(request).await;
    call.answered(response.status().as_u16());
    response
}
