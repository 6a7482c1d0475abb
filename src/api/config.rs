//! `GET /admin/config`, on the control socket only.

use super::{App, problem::answer};
use crate::wire::{Problem, Success};
use axum::{extract::State, response::Response};
use std::sync::Arc;

pub(super) async fn show(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let config = app.office.config().await?;
    Ok(answer(&Success::new(config)))
}
