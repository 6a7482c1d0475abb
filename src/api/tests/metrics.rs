//! `GET /metrics`, and what it counts of the calls.

use super::{Bench, bench, call, send, served};
use crate::auth::{Origin, Peer};
use http_body_util::BodyExt;

/// What it says over the control socket, which needs no key.
async fn scrape(bench: &Bench) -> String {
    let mut request = call("GET", "/metrics", "");
    let stranger = Origin::Unix(Peer::made_up(54_321, &[]));
    request.extensions_mut().insert(stranger);
    let (parts, body) = served(&bench.routers.control, request).await.into_parts();
    assert_eq!(parts.status, 200);
    let media = "text/plain; version=0.0.4; charset=utf-8";
    assert_eq!(parts.headers["content-type"], media);
    assert_eq!(parts.headers["cache-control"], "no-store");
    let bytes = body.collect().await.expect("a whole body").to_bytes();
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn counted(text: &str, labels: &str) -> Option<u64> {
    let begin = format!("walinkd_http_requests_total{{{labels}}} ");
    let found = text.lines().find_map(|line| line.strip_prefix(&begin));
    found.map(|count| count.parse().expect("a number"))
}

#[tokio::test]
async fn it_asks_for_the_right_to_read() {
    let bench = bench();
    let answer = send(&bench.routers.tcp, call("GET", "/metrics", "")).await;
    super::assert_problem(&answer, 403, "bad_key");
    let request = call("GET", "/metrics", "reader");
    let response = served(&bench.routers.tcp, request).await;
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn a_scrape_is_nobody_asking() {
    let mut bench = bench();
    scrape(&bench).await;
    bench.get("/connection/status").await;
    bench.saw("asked").await;
    assert_eq!(bench.seen.borrow().len(), 1, "{:?}", bench.seen.borrow());
}

#[tokio::test]
async fn calls_count_by_the_route_and_never_by_the_path() {
    let bench = bench();
    bench.get("/connection/status").await;
    bench.get("/connection/status?secret=2").await;
    bench.get("/connection/secret").await;
    bench.get("/admin/keys").await;
    bench.post("/connection/status", "{}").await;
    for method in ["PUT", "BREW"] {
        send(&bench.routers.tcp, call(method, "/livez", "")).await;
    }
    send(&bench.routers.tcp, call("GET", "/connection/status", "no")).await;
    let mut preflight = call("OPTIONS", "/connection/status", "");
    for (name, value) in [
        ("origin", "https://page.example"),
        ("access-control-request-method", "GET"),
    ] {
        preflight
            .headers_mut()
            .insert(name, value.parse().expect("a value"));
    }
    send(&bench.routers.tcp, preflight).await;

    let text = scrape(&bench).await;
    for (labels, count) in [
        (
            r#"method="GET",route="/connection/status",status="200""#,
            Some(2),
        ),
        (
            r#"method="GET",route="/connection/status",status="403""#,
            Some(1),
        ),
        (
            r#"method="POST",route="/connection/status",status="405""#,
            Some(1),
        ),
        (
            r#"method="OPTIONS",route="/connection/status",status="200""#,
            Some(1),
        ),
        (r#"method="GET",route="other",status="404""#, Some(2)),
        (r#"method="PUT",route="/livez",status="405""#, Some(1)),
        (r#"method="other",route="/livez",status="405""#, Some(1)),
        // Itself it counts when it is answered.
        (r#"method="GET",route="/metrics",status="200""#, None),
    ] {
        assert_eq!(counted(&text, labels), count, "{labels} in\n{text}");
    }
    assert!(!text.contains("secret"), "{text}");
    let again = scrape(&bench).await;
    let scrapes = r#"method="GET",route="/metrics",status="200""#;
    assert_eq!(counted(&again, scrapes), Some(1));
}

#[tokio::test]
async fn who_hangs_up_is_counted_too() {
    let bench = bench();
    let path = "/connection/status?after=1&wait=30s";
    let waiting = served(&bench.routers.tcp, call("GET", path, "reader"));
    let waited = tokio::time::timeout(std::time::Duration::from_millis(10), waiting).await;
    assert!(waited.is_err(), "it waits");
    let text = scrape(&bench).await;
    let labels = r#"method="GET",route="/connection/status",status="499""#;
    assert_eq!(counted(&text, labels), Some(1), "{text}");
}

#[tokio::test]
async fn open_streams_are_told() {
    let bench = bench();
    let streams = |text: &str, count: u32| {
        let line = format!("walinkd_event_streams {count}");
        assert!(text.lines().any(|told| told == line), "{text}");
    };
    streams(&scrape(&bench).await, 0);
    let request = call("GET", "/connection/events", "reader");
    let body = served(&bench.routers.tcp, request).await.into_body();
    streams(&scrape(&bench).await, 1);
    drop(body);
    streams(&scrape(&bench).await, 0);
}
