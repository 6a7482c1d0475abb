//! `GET /livez` and `GET /readyz`: the daemon itself. A lost link never turns
//! them red, since restarting the daemon would not bring it back.

use super::{App, problem::answer};
use crate::wire::{Code, Problem, Success};
use axum::{extract::State, response::Response};
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize)]
struct Live {
    live: bool,
}

#[derive(Serialize)]
struct Ready {
    ready: bool,
}

pub(super) async fn live() -> Response {
    answer(&Success::new(Live { live: true }))
}

pub(super) async fn ready(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    if app.stopping.is_cancelled() {
        return Err(crate::link::Stopping.into());
    }
    if !*app.ready.borrow() {
        let starting = "The daemon is still starting. Ask again in a second.";
        return Err(Problem::new(Code::Starting, starting).retry_after(1));
    }
    Ok(answer(&Success::new(Ready { ready: true })))
}
