//! What every call passes first: its right, and the time it may take.

use super::{App, audit::By, problem, table::Right};
use crate::{
    auth::Origin,
    wire::{Code, Problem},
};
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

#[derive(Clone)]
pub(super) struct Guard {
    pub app: Arc<App>,
    pub right: Right,
    /// The longest wait the caller may ask for on top of the request's time.
    pub longest_wait: Duration,
}

pub(super) async fn guard(
    State(guard): State<Guard>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(needed) = guard.right.scope() {
        let Some(origin) = request.extensions().get::<Origin>().cloned() else {
            tracing::error!("a listener passes requests on without saying where they come from");
            return problem::internal().into_response();
        };
        let now = (guard.app.now)();
        let admitted = guard
            .app
            .gate
            .admit(&origin, request.headers(), needed, now);
        match admitted {
            Ok(caller) => request.extensions_mut().insert(By {
                who: caller.who,
                origin,
            }),
            Err(refusal) => return Problem::from(refusal).into_response(),
        };
    }
    let limit = guard.app.settings().request_timeout;
    match timeout(limit + guard.longest_wait, next.run(request)).await {
        Ok(response) => response,
        Err(_) => too_slow(limit).into_response(),
    }
}

fn too_slow(limit: Duration) -> Problem {
    Problem::new(
        Code::Timeout,
        format!(
            "The request was not done within {limit:?}. Send its body without pauses, then try again."
        ),
    )
}
