//! Which web pages may call.

use super::{Settings, events::LAST_EVENT_ID, guard::RIGHT};
use axum::http::{
    HeaderName, Method,
    header::{AUTHORIZATION, CONTENT_TYPE, ORIGIN, RETRY_AFTER},
};
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;
use tower_http::cors::{AllowOrigin, CorsLayer};

/// How long a browser may remember the answer to a preflight. Short enough for
/// a reload of the origins to be felt.
const MAX_AGE: Duration = Duration::from_secs(600);

/// Asks the settings at each request, so that a reload holds at once. Keys are
/// sent in a header the page sets itself, never by the browser, so no
/// credentials are allowed.
pub(super) fn layer(settings: watch::Receiver<Arc<Settings>>) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, _| {
            let settings = settings.borrow();
            let mut allowed = settings.cors_origins.iter();
            allowed.any(|one| one == "*" || one.as_bytes() == origin.as_bytes())
        }))
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([
            HeaderName::from_static("x-api-key"),
            AUTHORIZATION,
            CONTENT_TYPE,
            LAST_EVENT_ID,
        ])
        .expose_headers([RETRY_AFTER, RIGHT])
        .vary([ORIGIN])
        .max_age(MAX_AGE)
}
