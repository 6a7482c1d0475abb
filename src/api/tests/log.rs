//! `GET /connection/log`: what happened, a page at a time.

use super::{Bench, assert_problem, bench, bench_in, call, reloads, send, with_body};
use crate::{
    journal::Entry,
    wire::{Severity, State},
};
use serde_json::{Value, json};
use std::{fs, time::Duration};

/// The log, once its newest event is `last`.
async fn until(bench: &Bench, last: &str) -> Vec<Value> {
    let mut newest = bench.journal.reader().newest();
    let told = async {
        loop {
            newest.borrow_and_update();
            let answer = bench.get("/connection/log?limit=1000").await;
            assert_eq!(
                (answer.status.as_u16(), &answer.body["success"]),
                (200, &json!(true))
            );
            let Value::Array(events) = answer.body["data"].clone() else {
                panic!("{}", answer.body)
            };
            if events.first().is_some_and(|event| event["type"] == last) {
                return events;
            }
            newest.changed().await.expect("the journal is open");
        }
    };
    tokio::time::timeout(Duration::from_secs(30), told)
        .await
        .expect("told in time")
}

#[tokio::test]
async fn calls_and_refusals_are_in_it_and_their_secrets_are_not() {
    let bench = bench();
    assert_eq!(bench.get("/connection/log").await.body["data"], json!([]));
    let body = r#"{"phoneNumber":"628123456789","customCode":"ABCD-EFGH"}"#;
    bench.post("/connection/pairing", body).await;
    let json = Some("application/json");
    let wrong = with_body("POST", "/connection/pairing", "s3cret-guess", json, body);
    assert_problem(&send(&bench.routers.tcp, wrong).await, 403, "bad_key");
    let events = until(&bench, "auth.refused").await;
    let [refused, pairing] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(
        *pairing,
        json!({
            "id": pairing["id"],
            "type": "admin.pairing",
            "at": "2025-12-27T05:00:00.000Z",
            "severity": "info",
            "message": "pairing for 62812*****89, asked for by key manager from 192.0.2.1:4711",
            "peer": "192.0.2.1:4711",
            "key": "manager",
        })
    );
    assert_eq!(
        *refused,
        json!({
            "id": refused["id"],
            "type": "auth.refused",
            "at": "2025-12-27T05:00:00.000Z",
            "severity": "warning",
            "message": "refused 192.0.2.1:4711: unknown key",
            "peer": "192.0.2.1:4711",
            "suppressed": 0,
        })
    );
    assert!(refused["id"].as_u64() > pairing["id"].as_u64());
    for entry in fs::read_dir(bench.folder.path()).expect("readable") {
        let path = entry.expect("readable").path();
        let bytes = fs::read(&path).expect("readable");
        for secret in ["s3cret-guess", "628123456789", "ABCD"] {
            let found = bytes
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert!(!found, "{secret} is in {}", path.display());
        }
    }
}

#[tokio::test]
async fn it_is_read_page_by_page() {
    let bench = bench();
    for number in 0..150 {
        let entry = Entry::new("connection.connected", Severity::Info, number.to_string());
        bench
            .journal
            .recorder()
            .record(entry.state(State::Connected));
    }
    bench
        .journal
        .recorder()
        .record(Entry::new("admin.stop", Severity::Info, "150"));
    assert_eq!(until(&bench, "admin.stop").await.len(), 151);
    let mut path = "/connection/log".to_owned();
    let mut sizes = Vec::new();
    let mut seen = Vec::new();
    loop {
        let answer = bench.get(&path).await;
        let events = answer.body["data"].as_array().expect("a list").clone();
        sizes.push(events.len());
        let Some(last) = events.last() else { break };
        path = format!("/connection/log?before={}&limit=40", last["id"]);
        seen.extend(events);
    }
    assert_eq!(sizes, [100, 40, 11, 0]);
    let told: Vec<&str> = seen
        .iter()
        .filter_map(|event| event["message"].as_str())
        .collect();
    let expected: Vec<String> = (0..=150).rev().map(|number| number.to_string()).collect();
    assert_eq!(told, expected);
    let newest = bench
        .get("/connection/log?before=99999999999999999999&limit=1")
        .await;
    assert_problem(&newest, 400, "bad_request");
    let newest = bench
        .get("/connection/log?before=18446744073709551615&limit=1")
        .await;
    assert_eq!(newest.body["data"][0]["message"], "150");
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_a_sentence() {
    let bench = bench();
    for (query, hint) in [
        ("limit=0", "1 to 1000"),
        ("limit=1001", "1 to 1000"),
        ("limit=ten", "1 to 1000"),
        ("limit=-1", "1 to 1000"),
        ("before=yesterday", "`id`"),
        ("before=", "`id`"),
    ] {
        let answer = bench.get(&format!("/connection/log?{query}")).await;
        assert_problem(&answer, 400, "bad_request");
        let told = answer.body["error"].as_str().expect("a sentence");
        assert!(told.contains(hint), "{query}: {told}");
    }
    let unknown = send(&bench.routers.tcp, call("GET", "/connection/log", "wrong")).await;
    assert_problem(&unknown, 403, "bad_key");
}

#[tokio::test]
async fn a_journal_that_cannot_be_kept_is_told() {
    let folder = tempfile::tempdir().expect("a directory");
    fs::create_dir(folder.path().join("journal.db")).expect("made");
    let bench = bench_in(folder, reloads);
    let answer = bench.get("/connection/log").await;
    assert_problem(&answer, 500, "internal");
    // Everything else works, and the status says what does not.
    let answer = bench.get("/connection/status").await;
    let health = answer.body["data"]["health"].to_string();
    assert!(health.contains("journal.db"), "{health}");
    assert_eq!(bench.post("/connection/pause", "").await.status, 200);
}
