//! `walinkd watch` beside the real daemon.

use crate::{
    link,
    support::{Daemon, Program, WALINKD},
    world,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use std::process::Command;

fn watch(daemon: &Daemon) -> Command {
    let mut command = Command::new(WALINKD);
    let socket = daemon.home.socket();
    command.arg("watch").arg("--socket").arg(socket).env_clear();
    command
}

#[tokio::test]
async fn it_shows_the_status_and_then_each_change_over_a_restart() {
    let (_sandbox, phone, home) = world().await;
    let daemon = home.start();
    daemon.qr().await;
    let mut watching = Program::begin(&mut watch(&daemon));
    watching.out.until("state: not linked").await;
    // Not one event has come, and yet it knows where to go on.
    let home = daemon.kill();
    watching.err.until("waiting for the daemon").await;
    let daemon = home.start();
    watching.out.until(" admin.start: ").await;
    link(&daemon, &phone).await;
    let line = watching.out.until(" connection.connected: ").await;
    assert!(line.ends_with("connected as 62812*****89"), "{line}");
    assert!(line.contains(" UTC ") && !line.contains('\x1b'), "{line}");
    let home = daemon.kill();
    watching.err.until("waiting for the daemon").await;
    let daemon = home.start();
    watching.out.until(" admin.start: ").await;
    watching.out.until(" connection.connected: ").await;
    // What happened while it was not looking is told too.
    drop(daemon);
    let daemon = home.start();
    watching.out.until(" admin.start: ").await;
    daemon.until_connected().await;
    kill(Pid::from_raw(watching.pid()), Signal::SIGINT).expect("it runs");
    assert_eq!(watching.ended().await.code(), Some(0));
}

#[tokio::test]
async fn json_is_one_object_a_line_and_every_event_of_the_log() {
    let (_sandbox, phone, home) = world().await;
    let daemon = home.start();
    daemon.qr().await;
    let mut watching = Program::begin(watch(&daemon).arg("--json"));
    let mut object = async || -> Value {
        let line = watching.out.until("{").await;
        serde_json::from_str(&line).expect("JSON")
    };
    assert_eq!(object().await["state"], "waiting_qr");
    link(&daemon, &phone).await;
    let mut told = Vec::new();
    loop {
        let event = object().await;
        assert!(event["type"].is_string(), "{event}");
        told.push(event);
        if told
            .last()
            .is_some_and(|event| event["type"] == "connection.connected")
        {
            break;
        }
    }
    let log = daemon.get("/connection/log").await.json();
    let log = log["data"].as_array().expect("a list");
    let at = log
        .iter()
        .position(|event| event["type"] == "connection.connected");
    let same: Vec<&Value> = log[at.expect("there")..][..told.len()]
        .iter()
        .rev()
        .collect();
    assert_eq!(told.iter().collect::<Vec<_>>(), same);
}

#[tokio::test]
async fn it_ends_when_nobody_reads_and_when_there_is_no_daemon() {
    let (_sandbox, _phone, home) = world().await;
    let daemon = home.start();
    daemon.qr().await;
    let mut command = watch(&daemon);
    let mut watching = Program::read_for(&mut command, 1);
    watching.out.until("state:").await;
    // Nothing happens meanwhile that could not be written.
    assert_eq!(watching.ended().await.code(), Some(0));
    let _home = daemon.kill();
    let mut watching = Program::begin(&mut command);
    watching.err.until("no daemon answers").await;
    assert_eq!(watching.ended().await.code(), Some(69));
}
