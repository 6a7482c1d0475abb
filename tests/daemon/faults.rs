//! Each fault: the state and the reason it leads to, and the way back without
//! help.

use crate::{
    NUMBER, link,
    support::{Daemon, Home, SOON},
    world,
};
use serde_json::{Value, json};
use std::time::Duration;
use walinkd_sandbox::{Fault, LinkedDevice, Options, Sandbox, Stage, Target};

/// The promise: not connected any more within this long after silence.
const SILENCE: Duration = Duration::from_secs(60);

/// A black hole on the way in is given up after some 20 s, twice in a row at
/// the worst.
const PATIENCE: Duration = Duration::from_secs(90);

async fn linked() -> (Sandbox, walinkd_sandbox::Phone, Daemon, LinkedDevice) {
    let (sandbox, phone, home) = world().await;
    let daemon = home.start();
    let device = link(&daemon, &phone).await;
    (sandbox, phone, daemon, device)
}

fn ended_by(reason: &str) -> impl Fn(&Value) -> bool {
    move |status| status["lastDisconnect"]["code"] == reason
}

#[tokio::test]
async fn lost_connections_come_back_by_themselves() {
    let (sandbox, phone, daemon, device) = linked().await;
    for (fault, reason) in [
        (Fault::Drop { at: Stage::Live }, "network"),
        (Fault::WebSocketClose { code: 1000 }, "network"),
        (Fault::XmlStreamEnd, "stream_end"),
        (Fault::stream_error(503), "server_error"),
        (Fault::stream_error(515), "restart"),
    ] {
        let logins = sandbox.stats().logins;
        sandbox
            .inject(fault.clone(), Target::device(&device.jid))
            .expect("injected");
        daemon.until(reason, ended_by(reason)).await;
        sandbox
            .wait_for(|state| state.stats.logins > logins, SOON)
            .await
            .expect("a new login");
        let status = daemon.until_connected().await;
        assert_eq!(status["reason"], Value::Null, "{fault:?}");
    }
    assert_eq!(phone.devices().len(), 1);
    assert_eq!(sandbox.stats().registrations, 1, "never paired again");
}

#[tokio::test]
async fn replaced_elsewhere_it_holds_until_told() {
    let (sandbox, _phone, daemon, device) = linked().await;
    let logins = sandbox.stats().logins;
    sandbox
        .inject(Fault::replaced(), Target::device(&device.jid))
        .expect("injected");
    let status = daemon.until_state("replaced").await;
    assert_eq!(status["isConnected"], false);
    assert_eq!(status["nextAttemptAt"], Value::Null, "no fight");
    assert_eq!(sandbox.stats().logins, logins);
    daemon.post("/connection/reconnect").await;
    daemon.until_connected().await;
}

#[tokio::test]
async fn told_that_it_was_removed_it_wipes_at_once() {
    let (sandbox, phone, daemon, device) = linked().await;
    sandbox
        .inject(Fault::device_removed(), Target::device(&device.jid))
        .expect("injected");
    daemon
        .until("the removal", ended_by("device_removed"))
        .await;
    assert!(!daemon.home.state().join("session.db").exists());
    phone.unlink_all();
    link(&daemon, &phone).await;
}

#[tokio::test]
async fn one_refused_login_is_tried_again_before_it_is_believed() {
    for (code, reason) in [
        (401, "logged_out"),
        (403, "account_locked"),
        (406, "logged_out"),
    ] {
        let (sandbox, _phone, daemon, device) = linked().await;
        sandbox
            .inject(Fault::connect_failure(code), Target::next(1))
            .expect("armed");
        sandbox
            .inject(Fault::Drop { at: Stage::Live }, Target::device(&device.jid))
            .expect("cut");
        let status = daemon
            .until(reason, |status| status["reason"]["code"] == reason)
            .await;
        assert_eq!(status["state"], "reconnecting", "{code}");
        assert!(daemon.home.state().join("session.db").exists(), "{code}");
        daemon.until_connected().await;

        sandbox
            .inject(Fault::connect_failure(code), Target::all().standing())
            .expect("armed");
        daemon.post("/connection/reconnect").await;
        daemon
            .until("the end", |status| {
                status["lastDisconnect"]["code"] == reason && status["jid"].is_null()
            })
            .await;
        assert!(!daemon.home.state().join("session.db").exists(), "{code}");
        sandbox.clear_faults();
        daemon.post("/connection/reconnect").await;
        daemon.qr().await;
    }
}

#[tokio::test]
async fn a_ban_is_waited_out() {
    let (sandbox, _phone, daemon, _device) = linked().await;
    sandbox
        .inject(Fault::banned(Duration::from_secs(4)), Target::next(1))
        .expect("armed");
    daemon.post("/connection/reconnect").await;
    let status = daemon.until_state("banned").await;
    assert_eq!(status["reason"]["code"], "banned");
    assert!(status["nextAttemptAt"].is_string());
    daemon.until_connected().await;
}

#[tokio::test]
async fn an_outdated_version_is_said_and_tried_hourly() {
    let (sandbox, _phone, daemon, _device) = linked().await;
    sandbox
        .inject(Fault::connect_failure(405), Target::next(1))
        .expect("armed");
    daemon.post("/connection/reconnect").await;
    let status = daemon.until_state("outdated").await;
    assert_eq!(status["userAction"], "Update walinkd.");
    daemon.post("/connection/reconnect").await;
    daemon.until_connected().await;
}

#[tokio::test]
async fn server_errors_at_login_are_retried() {
    let (sandbox, _phone, daemon, _device) = linked().await;
    for code in [500, 503, 418] {
        sandbox
            .inject(Fault::connect_failure(code), Target::next(2))
            .expect("armed");
        let failures = sandbox.stats().failures.get(&code).copied().unwrap_or(0);
        daemon.post("/connection/reconnect").await;
        sandbox
            .wait_for(
                |s| s.stats.failures.get(&code).copied().unwrap_or(0) == failures + 2,
                SOON,
            )
            .await
            .expect("refused twice");
        daemon.until_connected().await;
    }
}

#[tokio::test]
async fn a_closed_port_is_told_and_the_link_is_back_when_it_opens() {
    let (sandbox, _phone, daemon, device) = linked().await;
    sandbox.refuse().await;
    sandbox
        .inject(Fault::Drop { at: Stage::Live }, Target::device(&device.jid))
        .expect("cut");
    let status = daemon
        .until("refused", |status| status["reason"]["code"] == "refused")
        .await;
    assert_eq!(status["state"], "reconnecting");
    assert!(
        status["health"][0]
            .as_str()
            .is_some_and(|text| text.contains("refuses")),
        "{status}"
    );
    sandbox.accept().expect("open again");
    daemon.until_connected().await;
}

async fn black_hole(at: Stage) {
    let (sandbox, _phone, daemon, _device) = linked().await;
    sandbox
        .inject(Fault::BlackHole { at }, Target::next(1))
        .expect("armed");
    daemon.post("/connection/reconnect").await;
    let status = daemon
        .until_within(PATIENCE, "an end of the waiting", |status| {
            status["state"] == "reconnecting" && status["nextAttemptAt"].is_string()
        })
        .await;
    let reason = status["reason"]["code"].as_str().unwrap().to_owned();
    assert!(
        ["timeout", "handshake"].contains(&reason.as_str()),
        "{at:?}: {reason}"
    );
    daemon.until_connected().await;
}

#[tokio::test]
async fn a_black_hole_at_tcp_ends() {
    black_hole(Stage::Tcp).await;
}

#[tokio::test]
async fn a_black_hole_at_the_upgrade_ends() {
    black_hole(Stage::Upgrade).await;
}

#[tokio::test]
async fn a_black_hole_at_the_handshake_ends() {
    black_hole(Stage::Handshake).await;
}

#[tokio::test]
async fn a_slow_handshake_is_no_fault() {
    let (sandbox, phone, home) = world().await;
    let delay = Duration::from_secs(2);
    sandbox
        .inject(Fault::SlowHandshake { delay }, Target::next(1))
        .expect("armed");
    let daemon = home.start();
    link(&daemon, &phone).await;
    assert_eq!(sandbox.stats().registrations, 1);
}

/// Silence on an open socket: not connected within a minute, and a new socket.
async fn silence(fault: Fault) {
    let (sandbox, _phone, daemon, device) = linked().await;
    let connections = sandbox.stats().tcp_connections;
    sandbox
        .inject(fault.clone(), Target::device(&device.jid))
        .expect("injected");
    let status = daemon
        .until_within(SILENCE, "doubt", |status| status["isConnected"] == false)
        .await;
    assert_eq!(status["reason"]["code"], "silent", "{fault:?}");
    sandbox.clear_faults();
    sandbox
        .wait_for(|state| state.stats.tcp_connections > connections, SOON)
        .await
        .expect("the socket is rebuilt");
    daemon.until_connected().await;
}

#[tokio::test]
async fn a_server_that_falls_silent_is_noticed() {
    silence(Fault::BlackHole { at: Stage::Live }).await;
}

#[tokio::test]
async fn one_bad_frame_does_not_leave_a_deaf_zombie() {
    silence(Fault::GarbageFrame).await;
}

#[tokio::test]
async fn unanswered_pings_first_degrade() {
    let (sandbox, _phone, daemon, _device) = linked().await;
    sandbox
        .inject(Fault::IgnorePings, Target::all().standing())
        .expect("armed");
    let status = daemon
        .until_within(SILENCE, "doubt", |s| s["isConnected"] == false)
        .await;
    assert_eq!(status["state"], "degraded");
    sandbox.clear_faults();
    daemon.until_connected().await;
}

/// What no phone can use any more is not shown on: a code is good for nothing
/// once its connection is deaf. The library takes what it cannot read for a sign
/// of life.
async fn codes_that_died(
    env: &[(&str, &str)],
    has: &str,
) -> (Sandbox, walinkd_sandbox::Phone, Daemon) {
    let (sandbox, phone, home) = world().await;
    let daemon = home.start_with(env);
    daemon.until("a code", |status| status[has] == true).await;
    sandbox
        .inject(Fault::GarbageFrame, Target::all())
        .expect("injected");
    sandbox
        .wait_for(|state| state.stats.registrations >= 2, SILENCE)
        .await
        .expect("pairs anew");
    // Of an attempt that reached WhatsApp: it does not wait long.
    let status = daemon
        .until("a fresh code", |status| status[has] == true)
        .await;
    assert_eq!(status["reason"], Value::Null, "{status:#}");
    (sandbox, phone, daemon)
}

#[tokio::test]
async fn qr_codes_of_a_deaf_connection_are_replaced() {
    let (_sandbox, phone, daemon) = codes_that_died(&[], "hasQRCode").await;
    phone
        .scan(&daemon.qr().await)
        .await
        .expect("the phone accepts");
    daemon.until_connected().await;
}

#[tokio::test]
async fn a_pairing_code_of_a_deaf_connection_is_replaced() {
    let env = [("USE_PAIRING_CODE", "true"), ("PHONE_NUMBER", NUMBER)];
    let (_sandbox, phone, daemon) = codes_that_died(&env, "hasPairingCode").await;
    phone
        .enter_code(&daemon.code().await)
        .await
        .expect("the phone accepts");
    daemon.until_connected().await;
}

/// And a connection that answers keeps its code for as long as that is good.
#[tokio::test]
async fn one_answer_that_is_late_costs_no_code() {
    let (sandbox, phone, home) = world().await;
    let env = [("USE_PAIRING_CODE", "true"), ("PHONE_NUMBER", NUMBER)];
    let daemon = home.start_with(&env);
    let code = daemon.code().await;
    sandbox
        .inject(Fault::IgnorePings, Target::all())
        .expect("armed");
    let pings = sandbox.stats().pings;
    sandbox
        .wait_for(|state| state.stats.pings >= pings + 3, SILENCE)
        .await
        .expect("it goes on asking");
    phone.enter_code(&code).await.expect("the phone accepts");
    assert_eq!(sandbox.stats().registrations, 1);
    daemon.until_connected().await;
}

#[tokio::test]
async fn spent_codes_are_followed_by_fresh_ones() {
    let short = Duration::from_secs(1);
    let options = Options {
        ref_count: 1,
        ref_first: short,
        ref_grace: short,
        ..Options::default()
    };
    let sandbox = Sandbox::start(options).await.expect("a sandbox");
    let phone = sandbox.add_phone(NUMBER);
    let home = Home::new(&sandbox.url());
    let daemon = home.start();
    let first = daemon.qr().await;
    sandbox
        .wait_for(|state| state.stats.registrations >= 2, SOON)
        .await
        .expect("pairs anew");
    phone.scan(&first).await.expect_err("a code of the past");
    // With codes this short, a scan may come just too late: take the next.
    let deadline = std::time::Instant::now() + SOON;
    while phone.scan(&daemon.qr().await).await.is_err() {
        assert!(
            std::time::Instant::now() < deadline,
            "no code could be scanned"
        );
    }
    daemon.until_connected().await;
}

#[tokio::test]
async fn a_damaged_session_is_set_aside_and_told() {
    let (_sandbox, phone, daemon, _device) = linked().await;
    let home = daemon.kill();
    let session = home.state().join("session.db");
    std::fs::write(
        &session,
        b"not a database at all, but long enough to look like something",
    )
    .expect("written");
    let daemon = home.start();
    let status = daemon
        .until("a QR code", |status| status["hasQRCode"] == true)
        .await;
    assert!(
        status["health"][0]
            .as_str()
            .is_some_and(|text| text.contains("set aside")),
        "{status}"
    );
    daemon.until_logged("damaged").await;
    let kept = std::fs::read_dir(home.state())
        .expect("readable")
        .any(|entry| {
            entry
                .expect("readable")
                .file_name()
                .to_string_lossy()
                .contains("damaged")
        });
    assert!(kept, "nothing is lost");
    phone.unlink_all();
    link(&daemon, &phone).await;
    assert_eq!(daemon.status().await["phoneNumber"], json!(NUMBER));
}

#[tokio::test]
async fn an_emptied_session_file_is_kept_and_told_as_well() {
    let (_sandbox, phone, daemon, _device) = linked().await;
    let home = daemon.kill();
    for file in ["session.db-wal", "session.db-shm"] {
        let _ = std::fs::remove_file(home.state().join(file));
    }
    std::fs::write(home.state().join("session.db"), b"").expect("emptied");
    let daemon = home.start();
    let status = daemon
        .until("a QR code", |status| status["hasQRCode"] == true)
        .await;
    assert!(
        status["health"][0]
            .as_str()
            .is_some_and(|text| text.contains("no linked device")),
        "{status}"
    );
    phone.unlink_all();
    link(&daemon, &phone).await;
}
