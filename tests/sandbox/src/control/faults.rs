//! `/faults`: arming, listing and clearing them.

use super::problem::{Body, Problem};
use crate::faults::{Fault, Target, Who};
use crate::sandbox::Core;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Injection {
    fault: Fault,
    /// Everybody, if it is left out.
    #[serde(default = "everybody")]
    target: Who,
    #[serde(default)]
    standing: bool,
}

fn everybody() -> Who {
    Who::All
}

pub(super) async fn list(State(core): State<Arc<Core>>) -> Json<Value> {
    Json(json!(core.snapshot().faults))
}

pub(super) async fn inject(
    State(core): State<Arc<Core>>,
    Body(injection): Body<Injection>,
) -> Result<Json<Value>, Problem> {
    let mut target = Target::new(injection.target);
    if injection.standing {
        target = target.standing();
    }
    let injected = core
        .world()
        .inject(injection.fault, target)
        .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error))?;
    Ok(Json(json!(injected)))
}

pub(super) async fn clear(State(core): State<Arc<Core>>) -> Json<Value> {
    core.clear_faults();
    Json(json!({ "faults": [] }))
}
