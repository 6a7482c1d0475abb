//! What holds for every call: paths, methods, origins, the daemon's own state.

use super::{GROUP, Settings, assert_problem, bench, bench_with, call, send};
use crate::{
    auth::{Origin, Peer},
    wire::{Code, Problem, State},
};
use serde_json::{Value, json};
use std::sync::Arc;

#[tokio::test]
async fn unknown_paths_and_methods_are_told() {
    let bench = bench();
    for path in [
        "/index.html",
        "/connection",
        "/connection/status/",
        "/metrics/",
        "/%2e%2e/livez",
    ] {
        assert_problem(&bench.get(path).await, 404, "not_found");
    }
    for (method, path, allow) in [
        ("POST", "/connection/status", "GET,HEAD"),
        ("DELETE", "/connection/pairing", "GET,HEAD,POST"),
        ("GET", "/connection/disconnect", "POST"),
        ("PUT", "/livez", "GET,HEAD"),
    ] {
        let answer = send(&bench.routers.tcp, call(method, path, "")).await;
        assert_problem(&answer, 405, "method_not_allowed");
        assert_eq!(answer.header("allow"), allow, "{method} {path}");
    }
}

/// What most ask is answered at once; a `?` sends it the way of all the rest.
#[tokio::test]
async fn the_status_is_the_same_at_once_and_by_the_table() {
    let bench = bench();
    for key in ["reader", "manager", "wrong", ""] {
        for router in [&bench.routers.tcp, &bench.routers.control] {
            let ask = |path| send(router, call("GET", path, key));
            let at_once = ask("/connection/status").await;
            let mut by_table = ask("/connection/status?").await;
            assert_eq!(at_once.status, by_table.status, "{key}");
            // hyper writes the one, and only a page reads the other.
            for name in ["content-length", "access-control-expose-headers"] {
                by_table.headers.remove(name);
            }
            assert_eq!(at_once.headers, by_table.headers, "{key}");
            assert_eq!(at_once.body, by_table.body, "{key}");
        }
    }
}

#[tokio::test]
async fn head_works_where_get_does() {
    let bench = bench();
    for path in ["/connection/status", "/livez", "/readyz"] {
        let answer = send(&bench.routers.tcp, call("HEAD", path, "reader")).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.body, Value::Null);
        assert_ne!(answer.header("content-length"), "");
    }
    let answer = send(&bench.routers.tcp, call("HEAD", "/connection/status", "")).await;
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn pages_call_from_the_origins_that_are_allowed() {
    let bench = bench();
    let from = |method: &str, origin: &str| {
        let mut request = call(method, "/connection/pairing", "");
        for (name, value) in [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type,x-api-key"),
        ] {
            let value = value.parse().expect("a header value");
            request.headers_mut().insert(name, value);
        }
        request
    };
    let answer = send(&bench.routers.tcp, from("OPTIONS", "https://a.example")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("access-control-allow-origin"),
        "https://a.example"
    );
    assert_eq!(
        answer.header("access-control-allow-methods"),
        "GET,POST,DELETE"
    );
    assert_eq!(
        answer.header("access-control-allow-headers"),
        "x-api-key,authorization,content-type,last-event-id"
    );
    assert_eq!(answer.header("access-control-max-age"), "600");
    assert_eq!(answer.header("vary"), "origin");
    assert_eq!(answer.header("cache-control"), "no-store");

    let mut settings = Settings::clone(&bench.settings.borrow());
    settings.cors_origins = vec!["https://b.example".to_owned()];
    bench.settings.send_replace(Arc::new(settings));
    for (origin, allowed) in [
        ("https://a.example", ""),
        ("https://b.example", "https://b.example"),
        ("https://b.example.evil", ""),
        ("null", ""),
    ] {
        // A refusal too must be readable for the page.
        let answer = send(&bench.routers.tcp, from("GET", origin)).await;
        assert_problem(&answer, 403, "bad_key");
        assert_eq!(answer.header("access-control-allow-origin"), allowed);
        assert_eq!(answer.header("vary"), "origin");
    }
}

#[tokio::test]
async fn a_panic_is_an_answer() {
    let bench = bench_with(|| panic!("made up"));
    let mut request = call("POST", "/admin/reload", "");
    let peer = Peer::made_up(0, &[]);
    request.extensions_mut().insert(Origin::Unix(peer));
    let answer = send(&bench.routers.control, request).await;
    assert_problem(&answer, 500, "internal");
}

#[tokio::test]
async fn reload_reports_or_refuses() {
    let reload = || {
        let mut request = call("POST", "/admin/reload", "");
        let peer = Peer::made_up(54_321, &[GROUP]);
        request.extensions_mut().insert(Origin::Unix(peer));
        request
    };
    let answer = send(&bench().routers.control, reload()).await;
    assert_eq!(
        answer.body,
        json!({"success": true, "data": {"applied": ["auth.keys"], "needsRestart": []}})
    );
    let refusing = bench_with(|| {
        let told = "walinkd.toml:3:1: http.lisen: unknown key";
        Err(Problem::new(Code::BadConfig, told))
    });
    let answer = send(&refusing.routers.control, reload()).await;
    assert_problem(&answer, 400, "bad_config");
}

#[tokio::test]
async fn readiness_follows_the_start_and_not_the_link() {
    let bench = bench();
    bench.ready.send_replace(false);
    let answer = send(&bench.routers.tcp, call("GET", "/readyz", "")).await;
    assert_problem(&answer, 503, "starting");
    bench.ready.send_replace(true);
    bench.publish(|next| next.status.state = State::Banned);
    for path in ["/livez", "/readyz"] {
        let answer = send(&bench.routers.tcp, call("GET", path, "")).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.body["success"], true);
    }
}
