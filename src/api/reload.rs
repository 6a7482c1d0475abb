//! `POST /admin/reload`, on the control socket only.

use super::{App, audit::By, body, problem::answer};
use crate::wire::{Problem, Success};
use axum::{
    Extension,
    extract::{Request, State},
    response::Response,
};
use std::sync::Arc;

pub(super) async fn reload(
    State(app): State<Arc<App>>,
    Extension(by): Extension<By>,
    request: Request,
) -> Result<Response, Problem> {
    body::none(request, app.settings().max_body).await?;
    by.record("admin.reload", "re-reading the configuration")?;
    let report = app.office.reload().await?;
    Ok(answer(&Success::new(report)))
}
