//! What the calls under `/connection` answer.

use super::{
    LIMITED, LINKED, MAX_BODY, REFUSED, SILENT, UNREACHABLE, assert_problem, bench, call, code, qr,
    send, snapshot, with_body,
};
use crate::{
    api::query::LONGEST_WAIT,
    link,
    wire::{Code, PhoneNumber, Problem, State},
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

#[tokio::test]
async fn status_has_the_original_six_fields_so_spelt() {
    let mut bench = bench();
    let answer = bench.get("/connection/status").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(
        answer.header("content-type"),
        "application/json; charset=utf-8"
    );
    assert_eq!(answer.body["success"], true);
    let data = answer.body["data"].as_object().expect("an object");
    for (field, value) in [
        ("isConnected", json!(false)),
        ("hasQRCode", json!(false)),
        ("hasPairingCode", json!(false)),
        ("phoneNumber", Value::Null),
        ("lastQRUpdate", Value::Null),
        ("lastPairingUpdate", Value::Null),
        ("state", json!("waiting_qr")),
        ("stateSince", json!("2025-12-27T05:00:00.000Z")),
        ("generation", json!(1)),
    ] {
        assert_eq!(data.get(field), Some(&value), "{field}");
    }
    bench.saw("asked").await;
}

#[tokio::test]
async fn status_waits_for_a_change() {
    let bench = bench();
    let router = bench.routers.tcp.clone();
    let path = "/connection/status?after=1&wait=30s";
    let waiting = tokio::spawn(async move { send(&router, call("GET", path, "reader")).await });
    tokio::task::yield_now().await;
    bench.publish(|next| next.status.state = State::Connected);
    let answer = waiting.await.expect("the answer");
    assert_eq!(answer.body["data"]["state"], "connected");
    assert_eq!(answer.body["data"]["generation"], 2);

    // A generation of a daemon before this one is a change too.
    let answer = bench.get("/connection/status?after=4711&wait=30s").await;
    assert_eq!(answer.body["data"]["generation"], 2);

    let answer = bench.get("/connection/status?after=2&wait=1ms").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["data"]["generation"], 2);
}

#[tokio::test(start_paused = true)]
async fn a_wait_outlasts_the_request_time_and_ends_at_its_own() {
    let bench = bench();
    let began = Instant::now();
    let answer = bench.get("/connection/status?after=1&wait=30s").await;
    assert_eq!(answer.status, 200);
    assert_eq!(began.elapsed().as_secs(), 30);

    let began = Instant::now();
    let answer = bench.get("/connection/qr?wait=3600").await;
    assert_problem(&answer, 404, "no_qr_code");
    assert_eq!(began.elapsed().as_secs(), LONGEST_WAIT.as_secs());
}

#[tokio::test]
async fn waits_end_when_the_daemon_stops() {
    let bench = bench();
    bench.stopping.cancel();
    let answer = bench.get("/connection/status?after=1&wait=60s").await;
    assert_eq!(answer.status, 200);
    let answer = bench.get("/connection/qr?wait=60s").await;
    assert_problem(&answer, 404, "no_qr_code");
    assert_problem(&bench.get("/readyz").await, 503, "stopping");
    assert_eq!(bench.get("/livez").await.status, 200);
}

#[tokio::test]
async fn bad_parameters_are_told() {
    let bench = bench();
    for path in [
        "/connection/status?after=x",
        "/connection/status?after=-1",
        "/connection/status?after=1&wait=soon",
        "/connection/status?wait=10s",
        "/connection/qr?wait=1h",
        "/connection/qr?format=gif",
    ] {
        assert_problem(&bench.get(path).await, 400, "bad_request");
    }
    assert_eq!(bench.get("/connection/status?_=123&x").await.status, 200);
}

#[tokio::test]
async fn qr_gives_the_code_with_its_time_left() {
    let mut bench = bench();
    let answer = bench.get("/connection/qr").await;
    assert_problem(&answer, 404, "no_qr_code");
    let text = "No QR code available. Bot might already be connected.";
    assert_eq!(answer.body["error"], text);
    bench.saw("asked").await;

    let router = bench.routers.tcp.clone();
    let path = "/connection/qr?wait=10s&format=json";
    let waiting = tokio::spawn(async move { send(&router, call("GET", path, "reader")).await });
    tokio::task::yield_now().await;
    bench.publish(|next| next.qr = Some(qr()));
    let answer = waiting.await.expect("the answer");
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body,
        json!({"success": true, "data": {
            "qrCode": "2@WsYovQD+qnbgd1tsGtBKn2N9ZBo96rx",
            "timestamp": "2025-12-27T05:00:00.000Z",
            "expiresIn": "60 seconds",
            "expiresAt": "2025-12-27T05:01:00.000Z",
        }})
    );
    assert_eq!(answer.header("vary"), "accept");
}

#[tokio::test]
async fn pairing_gives_the_code_that_is_asked_for() {
    let mut bench = bench();
    let answer = bench.get("/connection/pairing").await;
    assert_problem(&answer, 404, "no_pairing_code");
    let text = "No pairing code available. Start server with pairing mode enabled.";
    assert_eq!(answer.body["error"], text);
    bench.saw("asked").await;

    let body = r#"{"phoneNumber":"+62 812-3456-789","customCode":null,"replace":false,"more":1}"#;
    let answer = bench.post("/connection/pairing", body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.body["success"], true);
    assert!(answer.body["message"].is_string() && answer.body["instruction"].is_string());
    let data = json!({
        "pairingCode": "ABCD-EFGH",
        "phoneNumber": "628123456789",
        "timestamp": "2025-12-27T05:00:00.000Z",
        "expiresIn": "160 seconds",
        "expiresAt": "2025-12-27T05:02:40.000Z",
    });
    assert_eq!(answer.body["data"], data);

    let phone = PhoneNumber::parse("628123456789").expect("valid");
    bench.publish(|next| next.pairing = Some(code(&phone)));
    let answer = bench.get("/connection/pairing").await;
    assert_eq!(answer.body, json!({"success": true, "data": data}));
}

#[tokio::test]
async fn bad_pairing_requests_are_told_what_is_wrong() {
    let bench = bench();
    for (body, code, hint) in [
        ("", "bad_request", "body is missing"),
        ("{", "bad_request", "not valid JSON"),
        ("[]", "bad_request", "JSON object"),
        ("\"628123456789\"", "bad_request", "JSON object"),
        ("{}", "bad_request", "phoneNumber is missing"),
        (
            r#"{"phoneNumber":null}"#,
            "bad_request",
            "phoneNumber is missing",
        ),
        (r#"{"phoneNumber":628123456789}"#, "bad_request", "quotes"),
        (r#"{"phoneNumber":""}"#, "bad_phone_number", "empty"),
        (
            r#"{"phoneNumber":"0812345678"}"#,
            "bad_phone_number",
            "country code",
        ),
        (
            r#"{"phoneNumber":"62812x45678"}"#,
            "bad_phone_number",
            "digits",
        ),
        (
            r#"{"phoneNumber":"62812"}"#,
            "bad_phone_number",
            "too short",
        ),
        (
            r#"{"phoneNumber":"6281234567890123"}"#,
            "bad_phone_number",
            "too long",
        ),
        (
            r#"{"phoneNumber":"628123456789","customCode":"ABC"}"#,
            "bad_custom_code",
            "8 characters",
        ),
        (
            r#"{"phoneNumber":"628123456789","customCode":1}"#,
            "bad_request",
            "customCode",
        ),
        (
            r#"{"phoneNumber":"628123456789","replace":"yes"}"#,
            "bad_request",
            "replace",
        ),
    ] {
        let answer = bench.post("/connection/pairing", body).await;
        assert_problem(&answer, 400, code);
        let text = answer.body["error"].as_str().unwrap_or_default();
        assert!(text.contains(hint), "{body}: {text}");
    }
    let deep = "[".repeat(900);
    let answer = bench.post("/connection/pairing", &deep).await;
    assert_problem(&answer, 400, "bad_request");
}

#[tokio::test]
async fn what_the_link_refuses_has_its_status_and_its_wait() {
    let bench = bench();
    for (number, status, code, retry_after) in [
        (LINKED, 409, "already_linked", ""),
        (LIMITED, 429, "pairing_limited", "90"),
        (UNREACHABLE, 503, "unreachable", "10"),
        (REFUSED, 503, "pairing_refused", ""),
    ] {
        let body = format!(r#"{{"phoneNumber":"{number}"}}"#);
        let answer = bench.post("/connection/pairing", &body).await;
        assert_problem(&answer, status, code);
        assert_eq!(answer.header("retry-after"), retry_after, "{number}");
    }
}

#[tokio::test(start_paused = true)]
async fn pairing_answers_within_nine_seconds() {
    let bench = bench();
    let began = Instant::now();
    let body = format!(r#"{{"phoneNumber":"{SILENT}"}}"#);
    let answer = bench.post("/connection/pairing", &body).await;
    assert_problem(&answer, 503, "unreachable");
    assert!(began.elapsed() <= Duration::from_millis(9_001));
}

#[tokio::test]
async fn bodies_must_be_declared_as_json() {
    let bench = bench();
    let body = r#"{"phoneNumber":"628123456789"}"#;
    for (content_type, status) in [
        (Some("application/json"), 200),
        (Some("application/json; charset=utf-8"), 200),
        (Some("application/x-www-form-urlencoded"), 415),
        (Some("text/plain"), 415),
        (Some(""), 415),
        (None, 415),
    ] {
        let request = with_body("POST", "/connection/pairing", "manager", content_type, body);
        let answer = send(&bench.routers.tcp, request).await;
        assert_eq!(answer.status, status, "{content_type:?}");
        if status == 415 {
            assert_problem(&answer, 415, "unsupported_media_type");
            let text = answer.body["error"].as_str().unwrap_or_default();
            assert!(text.contains("-H 'Content-Type: application/json'"));
        }
    }
    let nothing = call("POST", "/connection/pairing", "manager");
    let answer = send(&bench.routers.tcp, nothing).await;
    assert_problem(&answer, 400, "bad_request");
}

#[tokio::test]
async fn bodies_over_the_limit_are_refused_everywhere() {
    let bench = bench();
    let large = "x".repeat(MAX_BODY + 1);
    let exact = "x".repeat(MAX_BODY);
    for path in [
        "/connection/pairing",
        "/connection/disconnect",
        "/connection/pause",
    ] {
        let answer = bench.post(path, &large).await;
        assert_problem(&answer, 413, "body_too_large");
        assert_ne!(bench.post(path, &exact).await.status, 413);
    }
}

#[tokio::test]
async fn commands_take_any_body_and_none() {
    let mut bench = bench();
    let request = call("POST", "/connection/disconnect", "manager");
    let answer = send(&bench.routers.tcp, request).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body,
        json!({
            "success": true,
            "message": "Disconnected successfully. Scan QR or use pairing code to reconnect.",
            "data": {"unlinkedAtWhatsApp": true, "wiped": true},
        })
    );
    for command in ["pause", "resume", "reconnect"] {
        let answer = bench
            .post(&format!("/connection/{command}"), "not JSON")
            .await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.body["success"], true);
        assert!(answer.body["message"].is_string());
        bench.saw(command).await;
    }
}

#[tokio::test]
async fn commands_promise_only_what_comes() {
    let bench = bench();
    let show = |state, jid: Option<&str>| {
        let mut snapshot = snapshot(2);
        snapshot.status.state = state;
        snapshot.status.jid = jid.map(str::to_owned);
        bench.snapshots.send_replace(Arc::new(snapshot));
    };
    let says = async |command: &str, begins: &str| {
        let answer = bench.post(&format!("/connection/{command}"), "").await;
        assert_eq!(answer.status, 200);
        let message = answer.body["message"].as_str().expect("a text");
        assert!(message.starts_with(begins), "{message}");
    };
    show(State::Paused, None);
    says("reconnect", "Paused: resume first").await;
    says("pause", "Paused. Nothing is linked").await;
    show(State::Paused, Some("6281234567889:3@s.whatsapp.net"));
    says("pause", "Paused. The link is kept").await;
    show(State::Connected, Some("6281234567889:3@s.whatsapp.net"));
    says("reconnect", "Connecting anew").await;
}

#[tokio::test]
async fn a_gone_owner_means_the_daemon_stops() {
    let (link, inbox) = link::channel(snapshot(1));
    drop(inbox);
    let problem = Problem::from(link.pause().await.expect_err("the owner is gone"));
    assert_eq!(problem.code, Code::Stopping);
    assert_eq!(problem.retry_after, Some(5));
}
