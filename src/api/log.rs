//! `GET /connection/log`.

use super::{
    App,
    problem::answer,
    query::{Kind, Parameter, Params, bad},
};
use crate::wire::{Problem, Success};
use axum::{extract::State, response::Response};
use std::sync::Arc;

/// Events in an answer that does not say how many.
const USUAL: usize = 100;
/// The most that may be asked for: some 200 KiB, and never more than a few MiB.
const MOST: usize = 1000;

pub(super) const LIMIT: Parameter = Parameter {
    name: "limit",
    required: false,
    kind: Kind::Number {
        least: 1,
        most: MOST as u64,
    },
    about: "How many events; 100 when it is left out.",
};

pub(super) const BEFORE: Parameter = Parameter {
    name: "before",
    required: false,
    kind: Kind::Number {
        least: 0,
        most: u64::MAX,
    },
    about: "The id of the last event in the last answer: goes on from there.",
};

pub(super) async fn show(State(app): State<Arc<App>>, params: Params) -> Result<Response, Problem> {
    let limit = match params.number(LIMIT.name, "ask for 1 to 1000 events")? {
        None => USUAL,
        Some(limit) => usize::try_from(limit)
            .ok()
            .filter(|limit| (1..=MOST).contains(limit))
            .ok_or_else(|| {
                bad(format!(
                    "limit is out of range: ask for 1 to {MOST} events."
                ))
            })?,
    };
    let before = params.number(
        BEFORE.name,
        "take `id` of the last event in the last answer",
    )?;
    let events = app.events.before(before, limit).await?;
    Ok(answer(&Success::new(events)))
}
