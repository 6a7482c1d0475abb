//! Every call with its right. A call that is not here does not exist, and there
//! is no line without a right.

use super::{
    App, backup, config, dashboard, disconnect, events,
    guard::{Guard, guard},
    health, keys, listeners, log, log_level, metrics, openapi, pairing, passkey, pause, qr,
    query::{self, Parameter, WAIT},
    reconnect, reload, status, webhooks,
};
use crate::{
    auth::Scope,
    wire::{Code, Problem},
};
use axum::{
    Extension, Router,
    handler::Handler,
    http::Method,
    middleware,
    routing::{self, MethodFilter, MethodRouter},
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
pub enum Place {
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
    pub method: Method,
    pub path: &'static str,
    pub right: Right,
    pub reach: Reach,
    /// What it does or gives, in sentences.
    pub summary: &'static str,
    /// What may stand behind the `?`.
    pub parameters: &'static [Parameter],
    pub longest_wait: Duration,
    /// Its answer has no end of its own.
    pub streams: bool,
    serve: MethodRouter<Arc<App>>,
}

#[rustfmt::skip]
pub(super) fn table() -> Vec<Route> {
    use {Reach::{ControlOnly, Everywhere}, Right::{Manage, Open, Read}};
    vec![
        route(GET, status::PATH, Read, Everywhere, status::show,
            "How the connection stands. With ?after=GENERATION it answers as soon as the generation is another one, after 30 s at the latest or after ?wait=.").taking(&[status::AFTER, WAIT]),
        route(GET, "/connection/qr", Read, Everywhere, qr::show,
            "The QR code to scan now; 404 when there is none. ?wait=10s waits for the first. By ?format=, or the header Accept, it comes as a picture too.").taking(&[WAIT, qr::FORMAT, qr::SIZE, qr::MARGIN]),
        route(GET, "/connection/pairing", Read, Everywhere, pairing::show,
            "The pairing code that can be entered now; 404 when there is none. By ?format=text, or the header Accept, it comes alone.").taking(&[pairing::FORMAT]),
        route(POST, "/connection/pairing", Manage, Everywhere, pairing::begin,
            "A pairing code for the number in the body. While its code lives, the same number gets the same one."),
        route(GET, "/connection/passkey", Manage, Everywhere, passkey::show,
            "What the passkey step waits for; 404 when WhatsApp asks for none. ?wait=10s waits until a person is asked something.").taking(&[WAIT]),
        route(POST, "/connection/passkey", Manage, Everywhere, passkey::answer_challenge,
            "The passkey's answer, as PublicKeyCredential.toJSON() gives it; answers with the next stage."),
        route(DELETE, "/connection/passkey", Manage, Everywhere, passkey::cancel,
            "Gives the passkey step up; pairing begins anew."),
        route(POST, "/connection/passkey/confirm", Manage, Everywhere, passkey::confirm,
            "Says that the phone shows the same code; answers with the next stage."),
        route(POST, "/connection/disconnect", Manage, Everywhere, disconnect::disconnect,
            "Unlinks the device at WhatsApp, wipes its session and begins to pair anew; tells what was really done. Nothing linked is no error."),
        route(POST, "/connection/pause", Manage, Everywhere, pause::pause,
            "Goes offline and stays so, also over a restart; the link is kept."),
        route(POST, "/connection/resume", Manage, Everywhere, pause::resume,
            "Ends a pause."),
        route(POST, "/connection/reconnect", Manage, Everywhere, reconnect::reconnect,
            "Drops the connection, skips any wait, and connects now; not while paused or in the passkey step, as the message then says."),
        route(GET, "/connection/log", Read, Everywhere, log::show,
            "What has happened, the newest first: 100 events, or ?limit= up to 1000. ?before=ID, with the id of the last one, goes on from there.").taking(&[log::LIMIT, log::BEFORE]),
        route(GET, "/connection/events", Read, Everywhere, events::show,
            "What happens, as it happens, by server-sent events: the status, then each event with its id as it comes. With the header Last-Event-ID, or ?after=ID, it goes on behind that event.").taking(&[events::AFTER, events::STATUS]).streaming(),
        route(GET, "/metrics", Read, Everywhere, metrics::show,
            "Figures for Prometheus, in its text format: the connection, the requests, the process. A scrape does not count as somebody who asks."),
        route(GET, "/livez", Open, Everywhere, health::live,
            "Whether the daemon lives. A lost link changes nothing here."),
        route(GET, "/readyz", Open, Everywhere, health::ready,
            "Whether the daemon has started and is not stopping; 503 otherwise. A lost link changes nothing here."),
        route(GET, "/openapi.json", Open, Everywhere, openapi::show,
            "These calls, described for programs by OpenAPI 3.1. The control socket's description has its own calls too."),
        route(GET, "/", Open, Everywhere, dashboard::show,
            "The dashboard: a page to look at the connection and to steer it. It holds nothing itself and asks for a key; 404 when http.dashboard is false."),
        route(POST, "/admin/reload", Manage, ControlOnly, reload::reload,
            "Reads the configuration anew and tells which keys have changed and which wait for a restart; 400 with every fault when it is refused."),
        route(POST, "/admin/backup", Manage, ControlOnly, backup::make,
            "A copy of the state with its keys, for walinkd restore: an SQLite file. Who has it can read and write as the linked device."),
        route(GET, "/admin/listeners", Read, ControlOnly, listeners::list,
            "Where the daemon listens."),
        route(GET, "/admin/keys", Read, ControlOnly, keys::list,
            "The API keys in force, without the keys themselves."),
        route(POST, "/admin/keys", Manage, ControlOnly, keys::add,
            "Makes an API key of the name, scope and expires in the body, and shows it this once."),
        route(DELETE, "/admin/keys", Manage, ControlOnly, keys::remove,
            "Removes the API key that ?name= or name in the body names; what waits with it ends.").taking(&[keys::NAME]),
        route(GET, "/admin/config", Read, ControlOnly, config::show,
            "The configuration in force: each key with its value and where it comes from. Secrets and phone numbers are masked."),
        route(PUT, "/admin/log-level", Manage, ControlOnly, log_level::set,
            "Logs at the level in the body, until the next reload or restart; a filter such as info,walinkd=debug will do too."),
        route(GET, "/admin/webhooks", Read, ControlOnly, webhooks::list,
            "The webhooks, and how far each has been served."),
        route(POST, "/admin/webhooks/test", Manage, ControlOnly, webhooks::test,
            "Sends a test event to the webhook that ?name= names, or to all, at once, and tells what came of it within 9 s.").taking(&[webhooks::NAME]),
        route(POST, "/admin/webhooks/resume", Manage, ControlOnly, webhooks::resume,
            "Ends the pause of the webhook that ?name= names, or of all; those that wait after a failure are tried at once.").taking(&[webhooks::NAME]),
    ]
}

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const PUT: Method = Method::PUT;
const DELETE: Method = Method::DELETE;

/// `HEAD` comes with `GET`.
fn route<T: 'static>(
    method: Method,
    path: &'static str,
    right: Right,
    reach: Reach,
    handler: impl Handler<T, Arc<App>>,
    summary: &'static str,
) -> Route {
    let filter = MethodFilter::try_from(method.clone()).expect("one of those above");
    Route {
        method,
        path,
        right,
        reach,
        summary,
        parameters: &[],
        longest_wait: Duration::ZERO,
        streams: false,
        serve: routing::on(filter, handler),
    }
}

impl Route {
    fn taking(mut self, parameters: &'static [Parameter]) -> Self {
        self.parameters = parameters;
        if parameters.contains(&WAIT) {
            self.longest_wait = query::LONGEST_WAIT;
        }
        self
    }

    fn streaming(mut self) -> Self {
        self.streams = true;
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
                streams: route.streams,
            };
            let layer = middleware::from_fn_with_state(guarded, guard);
            router = router.route(route.path, route.serve.route_layer(layer));
        }
    }
    router
        .fallback(no_such_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(Extension(place))
        .with_state(Arc::clone(app))
}

/// What a call that exists, and is not open to everybody, asks of its caller.
pub(super) fn right_to(path: &str) -> Scope {
    let found = table().into_iter().find(|route| route.path == path);
    found
        .and_then(|route| route.right.scope())
        .expect("the path is in the table")
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
