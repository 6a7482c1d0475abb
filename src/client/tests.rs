//! The client against a small server of its own on a Unix socket.

use super::*;
use crate::wire::{Code, PasskeyStage, Problem};
use axum::{
    Json, Router,
    extract::{RawQuery, Request},
    http::{StatusCode, header},
    response::IntoResponse,
    routing::{get, post},
};
use serde_json::{Value, json};
use std::{os::unix::net::UnixListener as StdListener, path::Path};
use tempfile::TempDir;
use tokio::net::UnixListener;

fn status(generation: u64) -> Value {
    let at = "2025-12-27T05:00:00.000Z";
    json!({"success": true, "data": {
        "isConnected": true, "hasQRCode": false, "hasPairingCode": false,
        "phoneNumber": "628123456789", "lastQRUpdate": null, "lastPairingUpdate": null,
        "state": "connected", "stateSince": at, "reason": null, "userAction": null,
        "jid": null, "pushName": null, "lastHeardAt": null, "lastDisconnect": null,
        "nextAttemptAt": null, "attempts": 0, "health": [], "generation": generation,
        "startedAt": at, "version": "0",
    }})
}

fn router() -> Router {
    let asked = async |RawQuery(query): RawQuery| match query.as_deref() {
        None => Json(status(1)),
        Some("after=1&wait=30s") => Json(status(2)),
        Some(_) => Json(Value::Null),
    };
    let refuse = async || {
        let problem = Problem::new(Code::PairingLimited, "later").retry_after(60);
        (StatusCode::TOO_MANY_REQUESTS, Json(problem))
    };
    Router::new()
        .route("/connection/status", get(asked))
        .route(
            "/connection/qr",
            get(async || (StatusCode::GATEWAY_TIMEOUT, "nothing of the API's")),
        )
        .route("/connection/pairing", post(refuse))
        .route(
            "/connection/pause",
            post(async |request: Request| {
                // A command has no body, and says so.
                let typed = request.headers().contains_key(header::CONTENT_TYPE);
                let message = if typed { "typed" } else { "plain" };
                Json(json!({"success": true, "message": message})).into_response()
            }),
        )
        .route(
            "/connection/disconnect",
            post(async || {
                Json(json!({
                    "success": true, "message": "m",
                    "data": {"unlinkedAtWhatsApp": true, "wiped": true},
                }))
            }),
        )
        .route(
            "/connection/passkey",
            get(async |RawQuery(query): RawQuery| {
                let code = query.unwrap_or_else(|| "ABCD-EFGH".to_owned());
                Json(json!({"success": true, "data": {"stage": "confirm", "code": code}}))
            })
            .post(async |Json(answer): Json<Value>| {
                let data = json!({"stage": "confirm", "code": answer["id"]});
                Json(json!({"success": true, "message": "m", "data": data}))
            })
            .delete(async || Json(json!({"success": true, "message": "ended"}))),
        )
        .route(
            "/connection/passkey/confirm",
            post(async || {
                let data = json!({"stage": "linking"});
                Json(json!({"success": true, "message": "m", "data": data}))
            }),
        )
        .route("/admin/reload", post(async || "{}"))
}

fn serve(directory: &Path) -> PathBuf {
    let socket = directory.join("s");
    let listener = UnixListener::bind(&socket).expect("a socket");
    tokio::spawn(async move { axum::serve(listener, router()).await });
    socket
}

fn directory() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

#[tokio::test]
async fn calls_are_read_as_they_are_sent() {
    let directory = directory();
    let client = Client::new(vec![serve(directory.path())]);
    let answer = client.status().await.expect("a status");
    assert_eq!(answer.data.generation, 1);
    let body: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(body, status(1));
    let next = client.status_after(1, Duration::from_secs(30)).await;
    assert_eq!(next.expect("a status").data.generation, 2);
    let paused = client.pause().await.expect("an answer");
    assert_eq!(paused.data.message, "plain");
    let done = client.disconnect().await.expect("an answer").data.data;
    assert!(done.is_some_and(|done| done.wiped && done.unlinked_at_whatsapp));
}

#[tokio::test]
async fn the_passkey_step_is_called_as_it_goes() {
    let directory = directory();
    let client = Client::new(vec![serve(directory.path())]);
    let stage = |code: &str| PasskeyStage::Confirm {
        code: code.to_owned(),
    };
    for (wait, code) in [(0, "ABCD-EFGH"), (30, "wait=30s")] {
        let step = client.passkey(Duration::from_secs(wait)).await;
        assert_eq!(step.expect("a step").data.stage, stage(code));
    }
    let next = client.answer_passkey(r#"{"id": "JKLM-NPQR"}"#).await;
    let next = next.expect("a step").data.data.expect("what comes next");
    assert_eq!(next.stage, stage("JKLM-NPQR"));
    let last = client.confirm_passkey().await.expect("an answer").data;
    assert_eq!(last.data, Some(PasskeyBody::linking()));
    let ended = client.cancel_passkey().await.expect("an answer").data;
    assert_eq!(ended.message, "ended");
}

#[tokio::test]
async fn refusals_keep_their_code() {
    let directory = directory();
    let client = Client::new(vec![serve(directory.path())]);
    let request = PairingRequest {
        phone_number: "628123456789".to_owned(),
        custom_code: None,
        replace: false,
    };
    match client.pair(&request).await.err() {
        Some(Error::Refused { status, problem }) => {
            assert_eq!((status, problem.code), (429, Code::PairingLimited));
            assert_eq!(problem.retry_after, Some(60));
        }
        other => panic!("{other:?}"),
    }
    match client.qr(Duration::ZERO).await.err() {
        Some(Error::Refused { status, problem }) => {
            assert_eq!((status, problem.code), (504, Code::Internal));
            assert!(problem.error.contains("HTTP 504"), "{problem}");
        }
        other => panic!("{other:?}"),
    }
    let strange = client.reload().await.err();
    assert!(matches!(strange, Some(Error::Strange(_))), "{strange:?}");
}

#[tokio::test]
async fn the_first_socket_that_answers_is_taken() {
    let directory = directory();
    let stale = directory.path().join("stale");
    drop(StdListener::bind(&stale).expect("a socket"));
    let missing = directory.path().join("missing");
    let client = Client::new(vec![missing, stale, serve(directory.path())]);
    client.status().await.expect("a status");
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_is_starting_is_waited_for() {
    let directory = directory();
    let path = directory.path().to_owned();
    let client = Client::new(vec![path.join("s")]);
    let call = tokio::spawn(async move { client.status().await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    serve(&path);
    call.await.expect("no panic").expect("a status");
}

#[tokio::test(start_paused = true)]
async fn nobody_there_is_told_after_a_while() {
    let directory = directory();
    let stale = directory.path().join("stale");
    drop(StdListener::bind(&stale).expect("a socket"));
    let begun = tokio::time::Instant::now();
    let client = Client::new(vec![directory.path().join("missing"), stale.clone()]);
    match client.status().await.err() {
        Some(Error::NoDaemon { socket, .. }) => assert_eq!(socket, stale),
        other => panic!("{other:?}"),
    }
    assert!(begun.elapsed() >= Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_says_nothing_is_given_up() {
    let directory = directory();
    let socket = directory.path().join("s");
    let _silent = UnixListener::bind(&socket).expect("a socket");
    let answer = Client::new(vec![socket]).status().await.err();
    assert!(matches!(answer, Some(Error::Silent)), "{answer:?}");
}
