//! `POST /connection/disconnect`.

use super::{App, audit::By, body, problem::answer};
use crate::wire::{Disconnected, Done, Problem};
use axum::{
    Extension,
    extract::{Request, State},
    response::Response,
};
use std::sync::Arc;

pub(super) async fn disconnect(
    State(app): State<Arc<App>>,
    Extension(by): Extension<By>,
    request: Request,
) -> Result<Response, Problem> {
    body::none(request, app.settings().max_body).await?;
    by.record("admin.disconnect", "unlinking and wiping the session")?;
    let data = app.link.disconnect().await?;
    Ok(answer(&disconnected(data)))
}

pub(super) fn disconnected(data: Disconnected) -> Done<Disconnected> {
    Done {
        success: true,
        message: "Disconnected successfully. Scan QR or use pairing code to reconnect.".to_owned(),
        data: Some(data),
    }
}
