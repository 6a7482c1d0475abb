//! `POST /connection/reconnect`.

use super::{App, audit::By, body, problem::answer};
use crate::wire::{self, Done, Problem};
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
    by.record("admin.reconnect", "connecting anew")?;
    app.link.reconnect().await?;
    Ok(answer(&reconnecting(app.link.status().state)))
}

pub(super) fn reconnecting(state: wire::State) -> Done<()> {
    let message = match state {
        wire::State::WaitingPasskey => {
            "The passkey step goes on, and nothing was connected anew: end it first with DELETE /connection/passkey."
        }
        wire::State::Paused => {
            "Paused: resume first, with POST /connection/resume. Nothing was connected."
        }
        _ => "Connecting anew. GET /connection/status shows how it goes.",
    };
    Done {
        success: true,
        message: message.to_owned(),
        data: None,
    }
}
