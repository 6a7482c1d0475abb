//! Every call with its right. A call that is not here does not exist, and there
//! is no line without a right.

use super::{
    App, disconnect,
    guard::{Guard, guard},
    health, pairing, passkey, pause, qr, query, reconnect, reload, status,
};
use crate::{
    auth::Scope,
    wire::{Code, Problem},
};
use axum::{
    Router,
    handler::Handler,
    http::Method,
    middleware,
    routing::{self, MethodRouter},
};
use std::{sync::Arc, time::Duration};

/// What a call asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Right {
    /// Nothing.
    Open,
    Read,
    Manage,
}

impl Right {
    pub(super) fn scope(self) -> Option<Scope> {
        match self {
            Self::Open => None,
            Self::Read => Some(Scope::Read),
            Self::Manage => Some(Scope::Manage),
        }
    }
}

/// The kind of listener a request came in by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Tcp,
    Control,
}

/// Where a call can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Everywhere,
    /// On TCP the path does not exist.
    ControlOnly,
}

impl Reach {
    pub(super) fn includes(self, place: Place) -> bool {
        self == Self::Everywhere || place == Place::Control
    }
}

pub(super) struct Route {
    #[cfg_attr(not(test), expect(dead_code, reason = "only the tests walk the table"))]
    pub method: Method,
    pub path: &'static str,
    pub right: Right,
    pub reach: Reach,
    longest_wait: Duration,
    serve: MethodRouter<Arc<App>>,
}

#[rustfmt::skip]
pub(super) fn table() -> Vec<Route> {
    use {Reach::{ControlOnly, Everywhere}, Right::{Manage, Open, Read}};
    vec![
        get("/connection/status", Read, Everywhere, status::show).waiting(),
        get("/connection/qr", Read, Everywhere, qr::show).waiting(),
        get("/connection/pairing", Read, Everywhere, pairing::show),
        post("/connection/pairing", Manage, Everywhere, pairing::begin),
        get("/connection/passkey", Manage, Everywhere, passkey::show).waiting(),
        post("/connection/passkey", Manage, Everywhere, passkey::answer_challenge),
        delete("/connection/passkey", Manage, Everywhere, passkey::cancel),
        post("/connection/passkey/confirm", Manage, Everywhere, passkey::confirm),
        post("/connection/disconnect", Manage, Everywhere, disconnect::disconnect),
        post("/connection/pause", Manage, Everywhere, pause::pause),
        post("/connection/resume", Manage, Everywhere, pause::resume),
        post("/connection/reconnect", Manage, Everywhere, reconnect::reconnect),
        get("/livez", Open, Everywhere, health::live),
        get("/readyz", Open, Everywhere, health::ready),
        post("/admin/reload", Manage, ControlOnly, reload::reload),
    ]
}

/// `HEAD` comes with it.
fn get<T: 'static>(
    path: &'static str,
    right: Right,
    reach: Reach,
    handler: impl Handler<T, Arc<App>>,
) -> Route {
    route(Method::GET, path, right, reach, routing::get(handler))
}

fn post<T: 'static>(
    path: &'static str,
    right: Right,
    reach: Reach,
    handler: impl Handler<T, Arc<App>>,
) -> Route {
    route(Method::POST, path, right, reach, routing::post(handler))
}

fn delete<T: 'static>(
    path: &'static str,
    right: Right,
    reach: Reach,
    handler: impl Handler<T, Arc<App>>,
) -> Route {
    route(Method::DELETE, path, right, reach, routing::delete(handler))
}

fn route(
    method: Method,
    path: &'static str,
    right: Right,
    reach: Reach,
    serve: MethodRouter<Arc<App>>,
) -> Route {
    Route {
        method,
        path,
        right,
        reach,
        longest_wait: Duration::ZERO,
        serve,
    }
}

impl Route {
    /// Takes `?wait=`.
    fn waiting(mut self) -> Self {
        self.longest_wait = query::LONGEST_WAIT;
        self
    }
}

/// The calls that can be made at `place`.
pub(super) fn router(app: &Arc<App>, place: Place) -> Router {
    let mut router = Router::new();
    for route in table() {
        if route.reach.includes(place) {
            let guarded = Guard {
                app: Arc::clone(app),
                right: route.right,
                longest_wait: route.longest_wait,
            };
            let layer = middleware::from_fn_with_state(guarded, guard);
            router = router.route(route.path, route.serve.route_layer(layer));
        }
    }
    router
        .fallback(no_such_path)
        .method_not_allowed_fallback(wrong_method)
        .with_state(Arc::clone(app))
}

async fn no_such_path() -> Problem {
    Problem::new(
        Code::NotFound,
        "No such path. The connection is at /connection/status.",
    )
}

async fn wrong_method(method: Method) -> Problem {
    Problem::new(
        Code::MethodNotAllowed,
        format!("{method} does not work here. The Allow header names what does."),
    )
}
