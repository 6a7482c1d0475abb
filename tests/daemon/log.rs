//! `GET /connection/log`: everything that happened, in order, whatever becomes
//! of the daemon.

use crate::{
    link,
    support::{Daemon, KEY, SOON, files},
    world,
};
use hyper::Method;
use nix::sys::signal::Signal;
use serde_json::Value;
use std::{fs, time::Instant};

/// The whole log, the oldest first, once `holds` is true of it.
async fn until(daemon: &Daemon, what: &str, holds: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let deadline = Instant::now() + SOON;
    loop {
        let answer = daemon.get("/connection/log?limit=1000").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let Value::Array(mut events) = answer.json()["data"].clone() else {
            panic!("{answer:?}")
        };
        events.reverse();
        if holds(&events) {
            return events;
        }
        assert!(Instant::now() < deadline, "{what}: {events:#?}");
    }
}

async fn until_last(daemon: &Daemon, kind: &str) -> Vec<Value> {
    until(daemon, kind, |events| {
        events.last().is_some_and(|event| event["type"] == kind)
    })
    .await
}

fn ids(events: &[Value]) -> Vec<u64> {
    let ids: Vec<u64> = events
        .iter()
        .filter_map(|event| event["id"].as_u64())
        .collect();
    assert_eq!(ids.len(), events.len());
    assert!(ids.is_sorted_by(|one, next| one < next), "{ids:?}");
    ids
}

/// Asserts that these kinds are among the events, in this order.
fn assert_told(events: &[Value], kinds: &[&str]) {
    let mut told = events.iter();
    for kind in kinds {
        assert!(
            told.any(|event| event["type"] == *kind),
            "no {kind} at its place in {events:#?}"
        );
    }
}

#[tokio::test]
async fn it_tells_all_in_order_and_outlives_the_daemon() {
    let (_sandbox, phone, home) = world().await;
    let daemon = home.start();
    link(&daemon, &phone).await;
    let wrong = [("x-api-key", "a-key-that-was-guessed")];
    home.keep_secret(wrong[0].1);
    let answer = daemon
        .call_tcp(Method::POST, "/connection/disconnect", None, &wrong)
        .await;
    assert_eq!(answer.status, 403);
    daemon.signal(Signal::SIGHUP);
    until_last(&daemon, "admin.reload").await;
    home.configure("[pairing]\nmode = \"pigeon\"\n");
    daemon.signal(Signal::SIGHUP);
    until_last(&daemon, "admin.reload_refused").await;
    home.configure("");
    let good = [("x-api-key", KEY)];
    daemon
        .call_tcp(Method::POST, "/connection/disconnect", None, &good)
        .await;
    let events = until(&daemon, "pairing anew", |events| {
        let told = |kind: &str| events.iter().rposition(|event| event["type"] == kind);
        told("connection.waiting_qr") > told("admin.disconnect")
    })
    .await;
    let story = [
        "admin.start",
        "connection.waiting_qr",
        "pairing.linked",
        "connection.connected",
        "auth.refused",
        "admin.reload",
        "admin.reload_refused",
        "admin.disconnect",
        "admin.disconnected",
        "connection.waiting_qr",
    ];
    assert_told(&events, &story);
    let find = |kind: &str| {
        let event = events.iter().find(|event| event["type"] == kind);
        event.expect("it was told").clone()
    };
    let connected = find("connection.connected");
    assert_eq!(connected["state"], "connected");
    assert_eq!(connected["message"], "connected as 62812*****89");
    let refused = find("auth.refused");
    assert_eq!(refused["severity"], "warning");
    assert!(refused["peer"].as_str().unwrap().starts_with("127.0.0.1:"));
    assert_eq!(find("admin.disconnect")["key"], "API_KEY");

    // `kill -9`, and a second time in a start.
    let before = ids(&events);
    let home = daemon.kill();
    let home = home.start().kill();
    let daemon = home.start();
    let events = until(&daemon, "a second start", |events| {
        let starts = events.iter().filter(|event| event["type"] == "admin.start");
        starts.count() > 1
    })
    .await;
    assert_eq!(ids(&events)[..before.len()], before);

    // A stop in good order is told to its end.
    let mut daemon = daemon;
    daemon.signal(Signal::SIGTERM);
    assert!(daemon.ended().await.success(), "{}", daemon.log());
    drop(daemon);
    let daemon = home.start();
    let events = until_last(&daemon, "connection.waiting_qr").await;
    ids(&events);
    assert_told(
        &events,
        &[
            "admin.stop",
            "connection.stopping",
            "admin.start",
            "connection.waiting_qr",
        ],
    );
}

#[tokio::test]
async fn a_damaged_journal_costs_the_log_and_not_the_link() {
    let (sandbox, phone, home) = world().await;
    let daemon = home.start();
    link(&daemon, &phone).await;
    let home = daemon.kill();
    let journal = home.state().join("journal.db");
    let _ = fs::remove_file(home.state().join("journal.db-wal"));
    fs::write(&journal, "no journal any more").unwrap();
    let daemon = home.start();
    daemon.until_connected().await;
    let events = until(&daemon, "the damage", |events| {
        events
            .iter()
            .any(|event| event["type"] == "connection.store")
    })
    .await;
    assert_eq!(events[0]["type"], "connection.store");
    daemon.until_logged("journal.db.damaged-").await;
    let aside = files(&home.state()).into_iter().any(|(path, bytes)| {
        path.to_string_lossy().contains("journal.db.damaged-") && bytes == b"no journal any more"
    });
    assert!(aside, "it is kept");
    assert_eq!(sandbox.stats().removals, 0);

    // Nor does one that cannot be used at all.
    let home = daemon.kill();
    for (path, _) in files(&home.state()) {
        if path.to_string_lossy().contains("journal.db") {
            fs::remove_file(path).unwrap();
        }
    }
    fs::create_dir(&journal).unwrap();
    let daemon = home.start();
    let status = daemon.until_connected().await;
    let health = status["health"].to_string();
    assert!(health.contains("journal.db"), "{health}");
}
