//! `POST /connection/pause` and `/connection/resume`.

use super::{App, audit::By, body, problem::answer};
use crate::wire::{Done, Problem};
use axum::{
    Extension,
    extract::{Request, State},
    response::Response,
};
use std::sync::Arc;

pub(super) async fn pause(
    State(app): State<Arc<App>>,
    Extension(by): Extension<By>,
    request: Request,
) -> Result<Response, Problem> {
    body::none(request, app.settings().max_body).await?;
    by.record("admin.pause", "going offline")?;
    app.link.pause().await?;
    Ok(answer(&paused(app.link.status().jid.is_some())))
}

pub(super) fn paused(linked: bool) -> Done<()> {
    let message = if linked {
        "Paused. The link is kept; POST /connection/resume goes online again."
    } else {
        "Paused. Nothing is linked; POST /connection/resume begins to pair again."
    };
    Done {
        success: true,
        message: message.to_owned(),
        data: None,
    }
}

pub(super) async fn resume(
    State(app): State<Arc<App>>,
    Extension(by): Extension<By>,
    request: Request,
) -> Result<Response, Problem> {
    body::none(request, app.settings().max_body).await?;
    by.record("admin.resume", "going online again")?;
    app.link.resume().await?;
    Ok(answer(&resumed()))
}

pub(super) fn resumed() -> Done<()> {
    Done {
        success: true,
        message: "Resumed. GET /connection/status shows how the connection comes up.".to_owned(),
        data: None,
    }
}
