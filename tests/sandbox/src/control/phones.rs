//! `/phones`: what a person would do with one.

use super::problem::{Body, Problem};
use crate::phone::{CodeError, LinkError, Linking, Phone, ScanError};
use crate::sandbox::Core;
use crate::snapshot::LinkedDevice;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) type Answer = Result<Json<Value>, Problem>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPhone {
    number: String,
    push_name: Option<String>,
    business_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scan {
    qr: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Code {
    code: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Unlink {
    /// The device's number or JID; all devices if it is left out.
    device: Option<Value>,
}

pub(super) async fn list(State(core): State<Arc<Core>>) -> Json<Value> {
    Json(json!(core.snapshot().phones))
}

pub(super) async fn add(State(core): State<Arc<Core>>, Body(new): Body<NewPhone>) -> Answer {
    if new.number.len() < 7 || !new.number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "a number is at least seven digits, country code first",
        ));
    }
    let phone = core.add_phone(new.number, new.push_name.as_deref());
    if let Some(name) = &new.business_name {
        phone.set_business_name(name);
    }
    Ok(Json(json!(phone.view())))
}

pub(super) async fn one(State(core): State<Arc<Core>>, Path(number): Path<String>) -> Answer {
    Ok(Json(json!(phone(&core, &number)?.view())))
}

pub(super) async fn scan(
    State(core): State<Arc<Core>>,
    Path(number): Path<String>,
    Body(body): Body<Scan>,
) -> Result<Response, Problem> {
    let linking = phone(&core, &number)?.start_scan(body.qr.trim());
    let linking = linking.map_err(|error| {
        let status = match &error {
            ScanError::NotACode(_) => StatusCode::BAD_REQUEST,
            ScanError::NoPhone => StatusCode::NOT_FOUND,
            ScanError::Link(error) => link_status(error),
            _ => StatusCode::CONFLICT,
        };
        Problem::new(status, error)
    })?;
    answer(linking).await
}

pub(super) async fn code(
    State(core): State<Arc<Core>>,
    Path(number): Path<String>,
    Body(body): Body<Code>,
) -> Result<Response, Problem> {
    let linking = phone(&core, &number)?.start_code(&body.code).await;
    let linking = linking.map_err(|error| {
        let status = match &error {
            CodeError::Malformed => StatusCode::BAD_REQUEST,
            CodeError::NoPhone => StatusCode::NOT_FOUND,
            CodeError::TooManyAttempts => StatusCode::TOO_MANY_REQUESTS,
            CodeError::Link(error) => link_status(error),
            _ => StatusCode::CONFLICT,
        };
        Problem::new(status, error)
    })?;
    answer(linking).await
}

/// The linked device, or word that the passkey gate is in front of it, which
/// may take longer than a caller waits.
async fn answer(linking: Linking) -> Result<Response, Problem> {
    if linking.gated() {
        let challenged = Json(json!({ "passkey": "challenge" }));
        return Ok((StatusCode::ACCEPTED, challenged).into_response());
    }
    let linked: LinkedDevice = linking
        .finished()
        .await
        .map_err(|error| Problem::new(link_status(&error), error))?;
    Ok(Json(json!(linked)).into_response())
}

pub(super) async fn unlink(
    State(core): State<Arc<Core>>,
    Path(number): Path<String>,
    Body(body): Body<Unlink>,
) -> Answer {
    let phone = phone(&core, &number)?;
    let unlinked = match body.device {
        None => phone.unlink_all(),
        Some(wanted) => {
            let device = phone
                .devices()
                .into_iter()
                .find(|device| wanted == json!(device.device) || wanted == json!(device.jid))
                .ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "no such device"))?;
            usize::from(phone.unlink(&device))
        }
    };
    Ok(Json(json!({ "unlinked": unlinked })))
}

pub(super) fn phone(core: &Core, number: &str) -> Result<Phone, Problem> {
    core.phone(number).ok_or_else(|| Problem::no_phone(number))
}

fn link_status(error: &LinkError) -> StatusCode {
    match error {
        LinkError::NoAnswer => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::CONFLICT,
    }
}
