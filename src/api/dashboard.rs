//! `GET /`: the dashboard.

use super::{App, table::Place};
use crate::{
    dashboard::{self, Entrance},
    wire::{Code, Problem},
};
use axum::{
    Extension,
    extract::State,
    http::{
        HeaderMap, HeaderName, StatusCode,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
    },
    response::{IntoResponse, Response},
};
use std::sync::Arc;

pub(super) const MEDIA: &str = "text/html; charset=utf-8";

/// Kept by the browser, and asked for again each time: with the daemon the page
/// changes too.
const REVALIDATE: &str = "no-cache";

/// A page that opens this one gets no hold on it.
const OPENER: (HeaderName, &str) = (
    HeaderName::from_static("cross-origin-opener-policy"),
    "same-origin",
);

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Extension(place): Extension<Place>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if !app.settings().dashboard {
        return Err(Problem::new(
            Code::NotFound,
            "The dashboard is turned off: http.dashboard is false.",
        ));
    }
    let page = dashboard::page(match place {
        Place::Tcp => Entrance::Key,
        Place::Control => Entrance::Peer,
    });
    let about = [
        (CACHE_CONTROL, REVALIDATE),
        (CONTENT_SECURITY_POLICY, dashboard::policy()),
        (ETAG, &page.etag),
        OPENER,
    ];
    if is_known(&headers, &page.etag) {
        return Ok((StatusCode::NOT_MODIFIED, about).into_response());
    }
    let html = [(CONTENT_TYPE, MEDIA)];
    Ok((about, html, page.html.as_str()).into_response())
}

/// Whether the browser has this very page.
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let known = headers.get_all(IF_NONE_MATCH).into_iter();
    let known = known.filter_map(|value| value.to_str().ok());
    known
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|one| one == "*" || one.trim_start_matches("W/") == etag)
}
