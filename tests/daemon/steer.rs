//! Pause, resume, reconnect, and the end of the daemon itself.

use crate::{link, support::SOON, world};
use nix::sys::signal::Signal;
use walinkd_sandbox::{Fault, Stage, Target};

#[tokio::test]
async fn a_pause_lasts_over_a_restart_and_keeps_the_link() {
    let (sandbox, phone, home) = world().await;
    let daemon = home.start();
    link(&daemon, &phone).await;
    for _ in 0..2 {
        assert_eq!(daemon.post("/connection/pause").await.status, 200);
    }
    assert_eq!(daemon.status().await["state"], "paused");
    sandbox
        .wait_for(|state| state.connections.is_empty(), SOON)
        .await
        .expect("offline");
    let home = daemon.kill();
    let daemon = home.start();
    daemon.until_state("paused").await;
    assert_eq!(sandbox.stats().logins, 1);
    assert_eq!(daemon.post("/connection/resume").await.status, 200);
    daemon.until_connected().await;
    assert_eq!(phone.devices().len(), 1);
}

#[tokio::test]
async fn reconnect_skips_the_back_off() {
    let (sandbox, phone, home) = world().await;
    let daemon = home.start();
    link(&daemon, &phone).await;
    sandbox.refuse().await;
    sandbox
        .inject(Fault::Drop { at: Stage::Live }, Target::all())
        .expect("dropped");
    daemon
        .until("a long wait", |status| {
            status["attempts"].as_u64() > Some(3)
        })
        .await;
    sandbox.accept().expect("open again");
    daemon.post("/connection/reconnect").await;
    daemon
        .until_within(std::time::Duration::from_secs(3), "connected", |s| {
            s["isConnected"] == true
        })
        .await;
    let logins = sandbox.stats().logins;
    daemon.post("/connection/reconnect").await;
    sandbox
        .wait_for(|state| state.stats.logins > logins, SOON)
        .await
        .expect("a new login");
    daemon.until_connected().await;
}

#[tokio::test]
async fn told_to_stop_it_closes_in_good_order() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let (sandbox, phone, home) = world().await;
        let mut daemon = home.start();
        link(&daemon, &phone).await;
        daemon.signal(signal);
        let status = daemon.ended().await;
        assert_eq!(status.code(), Some(0), "{}", daemon.log());
        assert!(!home.socket().exists(), "the socket is gone");
        assert_eq!(phone.devices().len(), 1, "the link is kept");
        drop(daemon);
        sandbox
            .wait_for(|state| state.online() == 0, SOON)
            .await
            .expect("offline");
        home.start().until_connected().await;
    }
}

#[tokio::test]
async fn generations_grow_also_when_the_clock_was_set_back() {
    let (_sandbox, _phone, home) = world().await;
    let daemon = home.start();
    daemon.qr().await;
    let home = daemon.kill();
    // As if it had begun tomorrow.
    let file = home.state().join("state.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let line = text.lines().find(|line| line.starts_with("generation = "));
    let line = line.expect("it is kept");
    let kept: u64 = line["generation = ".len()..].parse().unwrap();
    let tomorrow = kept + 24 * 60 * 60 * 1000;
    let changed = text.replace(line, &format!("generation = {tomorrow}"));
    std::fs::write(&file, changed).unwrap();
    let daemon = home.start();
    let now = daemon.status().await["generation"].as_u64();
    assert!(now > Some(tomorrow), "{now:?}");
    assert!(!daemon.log().contains("state.toml"), "{}", daemon.log());
}
