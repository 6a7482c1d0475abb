//! `/connection/passkey`.

use super::{Answer, Bench, NOW, assert_problem, bench, call, code_step, send, with_body};
use crate::wire::{PasskeyStage, PasskeyStep};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{task::JoinHandle, time::Instant};

const PATH: &str = "/connection/passkey";

fn challenge() -> PasskeyStep {
    PasskeyStep {
        stage: PasskeyStage::Challenge {
            public_key: json!({"challenge": "AQID", "rpId": "whatsapp.com"}),
            page: "https://web.whatsapp.com".to_owned(),
            script: "navigator.credentials".to_owned(),
        },
        expires_at: NOW.plus_millis(600_000),
    }
}

#[tokio::test]
async fn the_step_is_shown_to_those_who_manage() {
    let bench = bench();
    assert_problem(&bench.get(PATH).await, 403, "not_permitted");
    let answer = send(&bench.routers.tcp, call("GET", PATH, "manager")).await;
    assert_problem(&answer, 404, "no_passkey");

    bench.publish(|next| next.passkey = Some(challenge()));
    let answer = send(&bench.routers.tcp, call("GET", PATH, "manager")).await;
    let expected = json!({"success": true, "data": {
        "stage": "challenge",
        "publicKey": {"challenge": "AQID", "rpId": "whatsapp.com"},
        "page": "https://web.whatsapp.com",
        "script": "navigator.credentials",
        "expiresIn": "600 seconds",
        "expiresAt": NOW.plus_millis(600_000).to_string(),
    }});
    assert_eq!(answer.body, expected);

    bench.publish(|next| next.passkey = Some(code_step()));
    let answer = send(&bench.routers.tcp, call("GET", PATH, "manager")).await;
    assert_eq!(answer.body["data"]["stage"], "confirm");
    assert_eq!(answer.body["data"]["code"], "ABCD-EFGH");
    assert_eq!(answer.body["data"]["expiresIn"], "120 seconds");
}

fn checking() -> PasskeyStep {
    PasskeyStep {
        stage: PasskeyStage::Checking,
        expires_at: NOW.plus_millis(90_000),
    }
}

/// A caller that waits until a person is asked something.
fn wait_for_step(bench: &Bench) -> JoinHandle<Answer> {
    let router = bench.routers.tcp.clone();
    let request = call("GET", "/connection/passkey?wait=30s", "manager");
    tokio::spawn(async move { send(&router, request).await })
}

#[tokio::test]
async fn waiting_is_over_when_somebody_is_asked() {
    let bench = bench();
    bench.publish(|next| next.passkey = Some(checking()));
    let waiting = wait_for_step(&bench);
    bench.publish(|next| next.passkey = Some(code_step()));
    let answer = waiting.await.expect("answered");
    assert_eq!(answer.body["data"]["stage"], "confirm");
}

#[tokio::test]
async fn waiting_is_over_when_the_step_is() {
    let bench = bench();
    bench.publish(|next| next.passkey = Some(checking()));
    let waiting = wait_for_step(&bench);
    tokio::task::yield_now().await;
    bench.publish(|next| {
        next.passkey = None;
        next.passkey_ended = Some("too late".to_owned());
    });
    let answer = waiting.await.expect("answered");
    assert_problem(&answer, 404, "passkey_ended");
    let text = answer.body["error"].as_str().expect("a text");
    assert!(text.contains("too late"), "{text}");
}

#[tokio::test]
async fn each_order_says_what_comes_next() {
    let mut bench = bench();
    let answer = bench.post(PATH, r#"{"id":"good"}"#).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["success"], true);
    assert_eq!(answer.body["data"]["stage"], "confirm");
    assert_eq!(answer.body["data"]["code"], "ABCD-EFGH");
    let answer = bench.post("/connection/passkey/confirm", "").await;
    assert_eq!(answer.body["data"], json!({"stage": "linking"}));
    let answer = send(&bench.routers.tcp, call("DELETE", PATH, "manager")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body.get("data"), None);
    bench.saw("passkey").await;
}

#[tokio::test]
async fn what_is_wrong_has_its_status() {
    let bench = bench();
    for (body, status, code) in [
        ("", 400, "bad_request"),
        ("{", 400, "bad_request"),
        (r#"{"id":"bad"}"#, 400, "bad_passkey"),
        (r#"{"id":"refused"}"#, 400, "passkey_refused"),
        (r#"{"id":"none"}"#, 404, "passkey_ended"),
        (
            r#"{"error":{"name":"NotAllowedError"}}"#,
            400,
            "passkey_cancelled",
        ),
        (r#"{"error":"NotAllowedError"}"#, 400, "passkey_cancelled"),
        (r#"{"error":7}"#, 400, "bad_request"),
    ] {
        assert_problem(&bench.post(PATH, body).await, status, code);
    }
    let answer = bench.post(PATH, r#"{"id":"none"}"#).await;
    let text = answer.body["error"].as_str().expect("a text");
    assert!(
        text.ends_with("The passkey step has ended: too late."),
        "{text}"
    );
    let json = Some("application/json");
    for (method, path) in [
        ("POST", PATH),
        ("DELETE", PATH),
        ("POST", "/connection/passkey/confirm"),
    ] {
        let request = with_body(method, path, "reader", json, "{}");
        assert_problem(
            &send(&bench.routers.tcp, request).await,
            403,
            "not_permitted",
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_check_is_no_failure() {
    let bench = bench();
    bench.publish(|next| next.passkey = Some(checking()));
    let began = Instant::now();
    let answer = bench.post(PATH, r#"{"id":"silent"}"#).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["data"]["stage"], "checking");
    assert_ne!(answer.body["message"], Value::Null);
    assert!(began.elapsed() <= Duration::from_millis(9_001));
}
