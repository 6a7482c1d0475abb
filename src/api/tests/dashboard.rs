//! The page at `/`.

use super::{Settings, assert_problem, bench, call, send};
use crate::auth::{Origin, Peer};
use serde_json::Value;
use std::sync::Arc;

#[tokio::test]
async fn the_page_is_open_and_kept_to_itself() {
    let bench = bench();
    let answer = send(&bench.routers.tcp, call("GET", "/", "")).await;
    assert_eq!(answer.status, 200);
    let page = answer.body.as_str().expect("a page");
    assert!(page.starts_with("<!doctype html>"));
    assert!(page.contains("data-entrance=\"key\""));
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-cache");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin");
    let policy = answer.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"));
    assert!(policy.contains("frame-ancestors 'none'"));

    let etag = answer.header("etag");
    let mut again = call("GET", "/", "");
    let known = format!("\"other\", W/{etag}");
    let known = known.parse().expect("a header value");
    again.headers_mut().insert("if-none-match", known);
    let known = send(&bench.routers.tcp, again).await;
    assert_eq!((known.status.as_u16(), known.body), (304, Value::Null));
    assert_eq!(known.headers["etag"], etag);
}

#[tokio::test]
async fn on_the_control_socket_the_page_asks_for_no_key() {
    let bench = bench();
    let mut request = call("GET", "/", "");
    let stranger = Origin::Unix(Peer::made_up(54_321, &[]));
    request.extensions_mut().insert(stranger);
    let answer = send(&bench.routers.control, request).await;
    assert_eq!(answer.status, 200);
    let page = answer.body.as_str().expect("a page");
    assert!(page.contains("data-entrance=\"peer\""));
}

#[tokio::test]
async fn turned_off_there_is_no_page() {
    let bench = bench();
    let mut settings = Settings::clone(&bench.settings.borrow());
    settings.dashboard = false;
    bench.settings.send_replace(Arc::new(settings));
    let answer = send(&bench.routers.tcp, call("GET", "/", "manager")).await;
    assert_problem(&answer, 404, "not_found");
}

#[tokio::test]
async fn who_was_let_in_is_told_what_he_may() {
    let bench = bench();
    for (key, right) in [("reader", "read"), ("manager", "manage"), ("none", "")] {
        let answer = send(&bench.routers.tcp, call("GET", "/connection/status", key)).await;
        assert_eq!(answer.header("x-walinkd-right"), right, "{key}");
    }
}

#[tokio::test]
async fn pages_of_other_places_may_not_call_over_the_control_socket() {
    let bench = bench();
    for (header, value) in [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example"),
        ("host", "evil.example"),
    ] {
        let mut request = call("POST", "/connection/disconnect", "");
        let value = value.parse().expect("a header value");
        request.headers_mut().insert(header, value);
        let root = Origin::Unix(Peer::made_up(0, &[]));
        request.extensions_mut().insert(root);
        let answer = send(&bench.routers.control, request).await;
        assert_problem(&answer, 403, "not_permitted");
    }
    assert!(bench.seen.borrow().is_empty());
}
