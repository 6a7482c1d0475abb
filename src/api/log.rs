//! `GET /connection/log`.

use super::{
    App,
    problem::answer,
    query::{Params, bad},
};
use crate::wire::{Problem, Success};
use axum::{extract::State, response::Response};
use std::sync::Arc;

/// Events in an answer that does not say how many.
const LIMIT: usize = 100;
/// The most that may be asked for: some 200 KiB, and never more than a few MiB.
const MOST: usize = 1000;

pub(super) async fn show(State(app): State<Arc<App>>, params: Params) -> Result<Response, Problem> {
    let limit = match params.number("limit", "ask for 1 to 1000 events")? {
        None => LIMIT,
        Some(limit) => usize::try_from(limit)
            .ok()
            .filter(|limit| (1..=MOST).contains(limit))
            .ok_or_else(|| {
                bad(format!(
                    "limit is out of range: ask for 1 to {MOST} events."
                ))
            })?,
    };
    let before = params.number("before", "take `id` of the last event in the last answer")?;
    let events = app.events.before(before, limit).await?;
    Ok(answer(&Success::new(events)))
}
