//! What every call passes first: its right, and the time it may take.

use super::{
    App,
    audit::{self, By},
    problem,
    table::Right,
};
use crate::{
    auth::{Caller, Guest, Refusal, Refused, Scope},
    wire::{Code, Problem, Timestamp},
};
use axum::{
    body::{Body, HttpBody as _},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::StreamExt;
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

/// Tells a caller that was let in what it may, so that a page can say beforehand
/// which of its buttons would be refused.
pub(super) const RIGHT: HeaderName = HeaderName::from_static("x-walinkd-right");

#[derive(Clone)]
pub(super) struct Guard {
    pub app: Arc<App>,
    pub right: Right,
    /// The longest wait the caller may ask for on top of the request's time.
    pub longest_wait: Duration,
    /// Its answer goes on for as long as the caller likes.
    pub streams: bool,
}

pub(super) async fn guard(
    State(guard): State<Guard>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(needed) = guard.right.scope() else {
        return guard.answer(request, next).await;
    };
    let app = &guard.app;
    let Some(guest) = request.extensions().get::<Guest>() else {
        tracing::error!("a request comes without who it is from");
        return problem::internal().into_response();
    };
    let caller = match admit(app, needed, guest, request.headers(), (app.now)()) {
        Ok(caller) => caller,
        Err(refusal) => return refusal.into_response(),
    };
    request.extensions_mut().insert(By {
        caller: caller.clone(),
        app: Arc::clone(app),
    });
    let scope = caller.scope;
    let mut response = if guard.streams {
        guard.answer_streaming(caller, request, next).await
    } else if guard.may_wait(&request) {
        guard.answer_waiting(&caller, request, next).await
    } else {
        guard.answer(request, next).await
    };
    tell_right(response.headers_mut(), scope);
    response
}

/// Who calls, if they may.
pub(super) fn admit(
    app: &App,
    needed: Scope,
    guest: &Guest,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<Caller, Problem> {
    let admitted = app.gate.admit(&guest.origin, headers, needed, now);
    guest.acquaintance.make(admitted.is_ok());
    admitted.map_err(|refused| app.refuse(refused))
}

pub(super) fn tell_right(headers: &mut HeaderMap, scope: Scope) {
    let right = HeaderValue::from_static(match scope {
        Scope::Read => "read",
        Scope::Manage => "manage",
    });
    headers.insert(RIGHT, right);
}

impl App {
    /// Records it, and tells the caller what to do.
    fn refuse(&self, refused: Box<Refused>) -> Problem {
        self.meter.refused(&refused);
        audit::refused(&self.recorder, &refused);
        refused.refusal.into()
    }
}

impl Guard {
    /// Only what stands in the query makes a call wait.
    fn may_wait(&self, request: &Request) -> bool {
        !self.longest_wait.is_zero() && request.uri().query().is_some()
    }

    async fn answer(&self, request: Request, next: Next) -> Response {
        let limit = self.app.settings().request_timeout;
        match timeout(limit + self.longest_wait, next.run(request)).await {
            Ok(response) => response,
            Err(_) => too_slow(limit).into_response(),
        }
    }

    /// One of not too many that wait, and not for longer than the caller's key
    /// is in force.
    async fn answer_waiting(&self, caller: &Caller, request: Request, next: Next) -> Response {
        let gate = &self.app.gate;
        let _counted = match gate.stream(caller) {
            Ok(stream) => stream,
            Err(refused) => return self.app.refuse(refused).into_response(),
        };
        tokio::select! {
            response = self.answer(request, next) => response,
            () = gate.revoked(caller, self.app.now) => {
                self.app.meter.revoked();
                Problem::from(Refusal::Revoked).into_response()
            }
        }
    }

    /// As [`Guard::answer_waiting`], for as long as the answer lasts: it ends
    /// when the right to it does.
    async fn answer_streaming(&self, caller: Caller, request: Request, next: Next) -> Response {
        let counted = match self.app.gate.stream(&caller) {
            Ok(stream) => stream,
            Err(refused) => return self.app.refuse(refused).into_response(),
        };
        let response = self.answer(request, next).await;
        if !response.status().is_success() || response.body().is_end_stream() {
            return response;
        }
        let app = Arc::clone(&self.app);
        let revoked = async move {
            app.gate.revoked(&caller, app.now).await;
            drop(counted);
        };
        response.map(|body| Body::from_stream(body.into_data_stream().take_until(revoked)))
    }
}

pub(super) fn too_slow(limit: Duration) -> Problem {
    Problem::new(
        Code::Timeout,
        format!(
            "The request was not done within {limit:?}. Send its body without pauses, then try again."
        ),
    )
}
