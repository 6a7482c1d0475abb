//! `/phones/{number}/passkey`: the gate, and a passkey to pass it with.

use super::phones::{Answer, phone};
use super::problem::{Body, Problem};
use crate::passkey::PasskeyGate;
use crate::sandbox::Core;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Demand {
    rp_id: Option<String>,
    origin: Option<String>,
    timeout_ms: Option<u64>,
    #[serde(default)]
    options_by_query: bool,
    credential: Option<Credential>,
}

/// A passkey that is elsewhere.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credential {
    id: String,
    public_key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ask {
    #[serde(rename = "publicKey")]
    public_key: Value,
    /// Where the page is that asks; where the gate wants it, if left out.
    origin: Option<String>,
    #[serde(default)]
    wrong_signature: bool,
}

pub(super) async fn require(
    State(core): State<Arc<Core>>,
    Path(number): Path<String>,
    Body(demand): Body<Demand>,
) -> Answer {
    let phone = phone(&core, &number)?;
    let defaults = PasskeyGate::default();
    let gate = PasskeyGate {
        rp_id: demand.rp_id.unwrap_or(defaults.rp_id),
        origin: demand.origin.unwrap_or(defaults.origin),
        timeout: demand
            .timeout_ms
            .map_or(defaults.timeout, Duration::from_millis),
        options_by_query: demand.options_by_query,
    };
    if let Some(credential) = demand.credential {
        let bad = |what: String| Problem::new(StatusCode::BAD_REQUEST, what);
        let decode = |text: &str, what: &str| {
            URL_SAFE_NO_PAD.decode(text).map_err(|_| {
                bad(format!(
                    "credential.{what} is not Base64URL without padding"
                ))
            })
        };
        let id = decode(&credential.id, "id")?;
        let public_key = decode(&credential.public_key, "public_key")?;
        phone
            .register_passkey(&id, &public_key)
            .map_err(|error| bad(error.to_string()))?;
    }
    let required = json!({
        "required": true,
        "rp_id": gate.rp_id,
        "origin": gate.origin,
        "timeout_ms": gate.timeout.as_millis(),
        "options_by_query": gate.options_by_query,
    });
    phone.require_passkey(gate);
    Ok(Json(required))
}

pub(super) async fn waive(State(core): State<Arc<Core>>, Path(number): Path<String>) -> Answer {
    phone(&core, &number)?.waive_passkey();
    Ok(Json(json!({ "required": false })))
}

pub(super) async fn shown(State(core): State<Arc<Core>>, Path(number): Path<String>) -> Answer {
    let gate = phone(&core, &number)?.gate().ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "no client is at this phone's passkey gate",
        )
    })?;
    Ok(Json(json!(gate)))
}

pub(super) async fn answer(
    State(core): State<Arc<Core>>,
    Path(number): Path<String>,
    Body(ask): Body<Ask>,
) -> Answer {
    let phone = phone(&core, &number)?;
    let origin = ask
        .origin
        .unwrap_or_else(|| phone.demands().unwrap_or_default().origin);
    let passkey = phone.passkey();
    let credential = if ask.wrong_signature {
        passkey.wrong_signature(&ask.public_key, &origin)
    } else {
        passkey.answer(&ask.public_key, &origin)
    };
    Ok(Json(credential))
}

pub(super) async fn cancel(State(core): State<Arc<Core>>, Path(number): Path<String>) -> Answer {
    let cancelled = phone(&core, &number)?.cancel_passkey();
    Ok(Json(json!({ "cancelled": cancelled })))
}
