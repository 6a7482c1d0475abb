//! What an operator reads while WhatsApp comes and goes: each turn once, and no
//! line for each attempt.

use crate::{
    link,
    support::{Daemon, SOON},
    world,
};
use std::time::{Duration, Instant};
use walinkd_sandbox::{Fault, Stage, Target};

/// The lines at info and above, without their times.
fn told(daemon: &Daemon) -> Vec<String> {
    let log = daemon.log();
    let lines = log.lines().filter_map(|line| line.split_once(' '));
    lines
        .map(|(_, text)| text.to_owned())
        .filter(|text| !text.starts_with("debug: ") && !text.starts_with("trace: "))
        .collect()
}

async fn until_attempts(daemon: &Daemon, count: u64) {
    daemon
        .until("more attempts", |status| {
            status["attempts"].as_u64() >= Some(count)
        })
        .await;
}

#[tokio::test]
async fn a_link_out_of_reach_is_one_warning() {
    let (sandbox, phone, home) = world().await;
    let daemon = home.start();
    link(&daemon, &phone).await;
    let before = told(&daemon).len();
    sandbox.refuse().await;
    sandbox
        .inject(Fault::Drop { at: Stage::Live }, Target::all())
        .expect("cut");
    until_attempts(&daemon, 4).await;
    let lines = told(&daemon).split_off(before);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(
        lines[0].starts_with("warning: linked as 62812"),
        "{lines:?}"
    );

    sandbox.accept().expect("open again");
    daemon.post("/connection/reconnect").await;
    daemon.until_connected().await;
    let lines = told(&daemon).split_off(before + 1);
    assert_eq!(lines.len(), 2, "asked for, and connected: {lines:#?}");
    assert!(lines[1].starts_with("connected as 62812"), "{lines:?}");
}

#[tokio::test]
async fn nothing_to_link_at_is_one_warning() {
    let (sandbox, _phone, home) = world().await;
    sandbox.refuse().await;
    let daemon = home.start();
    until_attempts(&daemon, 4).await;
    let lines = told(&daemon);
    let warnings = lines.iter().filter(|line| line.starts_with("warning: "));
    assert_eq!(warnings.count(), 1, "{lines:#?}");
    assert!(!lines.iter().any(|line| line.starts_with("error: ")));
    assert!(lines.len() <= 4, "{lines:#?}");
}

/// Four times up and at once down again takes 5 s at the least, the next four
/// more than a minute; each is told twice.
async fn flaps(linked: bool) {
    let (sandbox, phone, home) = world().await;
    let daemon = home.start();
    if linked {
        link(&daemon, &phone).await;
    } else {
        daemon.qr().await;
    }
    let before = told(&daemon).len();
    let connections = sandbox.stats().tcp_connections;
    let began = Instant::now();
    sandbox
        .inject(Fault::Drop { at: Stage::Live }, Target::all().standing())
        .expect("armed");
    sandbox
        .wait_for(|state| state.stats.tcp_connections >= connections + 4, SOON)
        .await
        .expect("it tries again");
    assert!(
        began.elapsed() > Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    let lines = told(&daemon).split_off(before);
    assert!(!lines.iter().any(|line| line.starts_with("error: ")));
    assert!((1..=10).contains(&lines.len()), "{lines:#?}");
}

#[tokio::test]
async fn a_flapping_link_is_told_in_few_lines() {
    flaps(true).await;
}

#[tokio::test]
async fn flapping_codes_are_told_in_few_lines() {
    flaps(false).await;
}
