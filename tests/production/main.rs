//! The daemon as it is shipped, with the real WhatsApp out of reach: how it
//! starts, what it refuses, and how it goes on without a network.

// What is shipped is built without it; with it the proxy would have no version
// to fetch, and `ws://` would be fine.
#![cfg(not(feature = "sandbox"))]
#![expect(
    clippy::unwrap_used,
    reason = "a test that panics is a test that fails"
)]

#[path = "../support/mod.rs"]
#[allow(
    clippy::allow_attributes,
    dead_code,
    unused_imports,
    reason = "shared by test programs that each use a part of it"
)]
mod support;

mod notify;
mod proxy;
mod refusals;

use std::sync::Arc;
use support::Home;

/// A home whose WhatsApp is the loopback's closed port: no network is needed
/// to find it out of reach.
fn nowhere() -> Arc<Home> {
    Home::new("wss://127.0.0.1:9/ws/chat")
}

#[tokio::test]
async fn without_a_network_it_stays_up_retries_and_says_so() {
    let home = Home::new("wss://no-such-host.invalid/ws/chat");
    let mut daemon = home.start();
    let status = daemon
        .until("a reason", |status| status["reason"]["code"] == "dns")
        .await;
    assert_eq!(status["state"], "connecting");
    assert_eq!(status["isConnected"], false);
    assert!(
        status["health"][0]
            .as_str()
            .is_some_and(|text| text.contains("DNS")),
        "{status}"
    );
    assert!(status["nextAttemptAt"].is_string());
    daemon
        .until("more attempts", |status| {
            status["attempts"].as_u64() > Some(1)
        })
        .await;
    assert!(daemon.is_running());
    for path in ["/livez", "/readyz"] {
        assert_eq!(
            daemon
                .call_tcp(hyper::Method::GET, path, None, &[])
                .await
                .status,
            200
        );
    }
}

#[tokio::test]
async fn the_api_key_opens_tcp_and_nothing_else_does() {
    let daemon = nowhere().start();
    daemon.status().await;
    let get = |headers: &'static [(&'static str, &'static str)]| {
        daemon.call_tcp(hyper::Method::GET, "/connection/status", None, headers)
    };
    assert_eq!(get(&[("x-api-key", support::KEY)]).await.status, 200);
    assert_eq!(get(&[]).await.status, 403);
    assert_eq!(
        get(&[(
            "x-api-key",
            "daa8ce0ff449a97c15a9159156cfb20a48bda1037450457f1c26e19159d7818a"
        )])
        .await
        .status,
        403
    );
    let reload = daemon
        .call_tcp(
            hyper::Method::POST,
            "/admin/reload",
            None,
            &[("x-api-key", support::KEY)],
        )
        .await;
    assert_eq!(reload.status, 404, "only on the control socket");
}
