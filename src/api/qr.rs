//! `GET /connection/qr`.

use super::{
    App,
    problem::answer,
    query::{Kind, Parameter, Params, bad},
};
use crate::wire::{Code, Problem, Success};
use axum::{extract::State, response::Response};
use std::sync::Arc;

pub(super) const FORMAT: Parameter = Parameter {
    name: "format",
    required: false,
    kind: Kind::Word(&["json"]),
    about: "May be left out.",
};

pub(super) async fn show(State(app): State<Arc<App>>, params: Params) -> Result<Response, Problem> {
    if params
        .get(FORMAT.name)
        .is_some_and(|format| format != "json")
    {
        return Err(bad(
            "The only format is json: leave format out and draw the picture from qrCode."
                .to_owned(),
        ));
    }
    let wait = params.wait()?.unwrap_or_default();
    app.link.asked();
    app.until(wait, |snapshot| {
        let now = (app.now)();
        snapshot.qr.as_ref().is_some_and(|qr| qr.expires_at > now)
    })
    .await;
    let now = (app.now)();
    match app.link.qr(now) {
        Some(qr) => Ok(answer(&Success::new(qr.body(now)))),
        None => Err(none()),
    }
}

pub(super) fn none() -> Problem {
    Problem::new(
        Code::NoQrCode,
        "No QR code available. Bot might already be connected.",
    )
}
