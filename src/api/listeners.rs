//! `GET /admin/listeners`, on the control socket only.

use super::{App, problem::answer};
use crate::wire::Success;
use axum::{extract::State, response::Response};
use std::sync::Arc;

pub(super) async fn list(State(app): State<Arc<App>>) -> Response {
    answer(&Success::new((app.listening)()))
}
