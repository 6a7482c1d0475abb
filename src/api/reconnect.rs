//! `POST /connection/reconnect`.

use super::{App, audit::By, body, problem::answer};
use crate::wire::{Done, Problem};
use axum::{
    Extension,
    extract::{Request, State},
    response::Response,
};
use std::sync::Arc;

pub(super) async fn reconnect(
    State(app): State<Arc<App>>,
    Extension(by): Extension<By>,
    request: Request,
) -> Result<Response, Problem> {
    body::none(request, app.settings().max_body).await?;
    by.record("admin.reconnect", "connecting anew");
    app.link.reconnect().await?;
    Ok(answer(&Done::<()> {
        success: true,
        message: "Connecting anew. GET /connection/status shows how it goes.".to_owned(),
        data: None,
    }))
}
