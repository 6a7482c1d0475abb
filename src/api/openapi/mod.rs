//! The API described for programs: `GET /openapi.json`, OpenAPI 3.1.
//!
//! Owns how the description is put together. What it says comes from where it
//! is true: calls, rights and parameters from the route table, schemas from the
//! wire types, the status of a refusal from `problem`. `calls` has the rest,
//! one line of it for each call.

mod calls;
mod content;
mod credential;
mod examples;
mod operation;
mod refusals;

use super::{
    problem::answer,
    table::{Place, table},
};
use axum::{Extension, response::Response};
use operation::Operations;
use serde_json::{Value, json};
use std::sync::LazyLock;

const ABOUT: &str = "\
Answers are JSON in UTF-8, unless the call names another type, and not to be cached. A request \
that is served is answered with 200 and `\"success\": true`. Every refusal is `{\"success\": false, \"error\": …, \"code\": …}`: \
`error` is for people, `code` for programs; where waiting helps, `Retry-After` and `retryAfter` \
give the seconds.

`HEAD` works where `GET` does, without a body. Any other method on a path here is refused with \
405 and `method_not_allowed`, and `Allow` names what works; any other path with 404 and \
`not_found`. What is refused before it is read as a request (400, 408, 431, 501, 505) may have \
no body.";

const ABOUT_TCP: &str = "\
On TCP a key is needed, in `x-api-key` or as `Authorization: Bearer`, never in the address. A key \
has the right to read, or to manage, which includes it; the header `X-Walinkd-Right` of an answer \
says which. Pages of other origins may call as \
`http.cors_origins` says; their browsers ask first, with `OPTIONS`, which needs no key.";

const ABOUT_CONTROL: &str = "\
On the control socket no key is needed: the kernel says who calls. Root, the daemon's user and the \
members of `control.group` may manage, others who can open it may read. The calls marked with \
`x-walinkd-control-only` are here and not on TCP.";

/// The description of the calls that can be made at `place`.
pub fn description(place: Place) -> Value {
    let mut operations = Operations::new(place);
    for route in table() {
        if route.reach.includes(place)
            && let Some(call) = calls::call(&route.method, route.path)
        {
            operations.add(&route, call);
        }
    }
    let (paths, components) = operations.into_parts();
    let about = match place {
        Place::Tcp => ABOUT_TCP,
        Place::Control => ABOUT_CONTROL,
    };
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "walinkd",
            "summary": "One WhatsApp linked device: how its connection stands, and what to do about it.",
            "description": format!("{ABOUT}\n\n{about}"),
            "version": env!("CARGO_PKG_VERSION"),
            "license": {
                "name": "MIT OR Apache-2.0",
                "identifier": env!("CARGO_PKG_LICENSE"),
            },
        },
        // Relative to where the description is served.
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": components,
    })
}

/// It holds no secret, and whoever writes a client has no key yet.
pub(super) async fn show(Extension(place): Extension<Place>) -> Response {
    static TCP: LazyLock<Value> = LazyLock::new(|| description(Place::Tcp));
    static CONTROL: LazyLock<Value> = LazyLock::new(|| description(Place::Control));
    answer(match place {
        Place::Tcp => &*TCP,
        Place::Control => &*CONTROL,
    })
}
