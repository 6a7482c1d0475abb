//! `GET /livez` and `GET /readyz`: the daemon itself. A lost link never turns
//! them red, since restarting the daemon would not bring it back.

use super::{App, problem::answer};
use crate::wire::{Code, Problem, Success};
use axum::{extract::State, response::Response};
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize, JsonSchema)]
pub(super) struct Live {
    pub live: bool,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Ready {
    pub ready: bool,
}

pub(super) async fn live() -> Response {
    answer(&Success::new(Live { live: true }))
}

pub(super) async fn ready(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    if app.stopping.is_cancelled() {
        return Err(crate::link::Stopping.into());
    }
    if !*app.ready.borrow() {
        return Err(starting());
    }
    Ok(answer(&Success::new(Ready { ready: true })))
}

pub(super) fn starting() -> Problem {
    let starting = "The daemon is still starting. Ask again in a second.";
    Problem::new(Code::Starting, starting).retry_after(1)
}
