//! `walinkd doctor`: what it finds with a daemon and without one, and how it
//! tells one trouble on the way to WhatsApp from another.

use crate::{
    link,
    support::{Home, WALINKD},
    world,
};
use serde_json::Value;
use std::{process::Command, sync::Arc};

/// Exit status, and the findings by their check.
async fn doctor(home: &Arc<Home>) -> (Option<i32>, Value) {
    let mut command = Command::new(WALINKD);
    command.arg("--config").arg(home.config());
    command.args(["doctor", "--json"]).env_clear();
    let output = tokio::task::spawn_blocking(move || command.output());
    let output = output.await.expect("no panic").expect("it runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let told: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(told["ok"], output.status.success(), "{told:#}");
    (output.status.code(), told["checks"].clone())
}

/// The verdict on this check, and all of its finding.
fn verdict(checks: &Value, check: &str) -> (String, String) {
    let checks = checks.as_array().expect("a list");
    let finding = checks.iter().find(|finding| finding["check"] == check);
    let finding = finding.unwrap_or_else(|| panic!("no {check} in {checks:#?}"));
    let verdict = finding["verdict"].as_str().expect("a word").to_owned();
    assert_eq!(finding["next"].is_null(), verdict == "ok", "{finding:#}");
    (verdict, finding.to_string())
}

fn assert_verdict(checks: &Value, check: &str, wanted: &str) {
    let (verdict, finding) = verdict(checks, check);
    assert_eq!(verdict, wanted, "{finding}");
}

#[tokio::test]
async fn all_is_well_with_a_linked_daemon_and_it_is_left_alone() {
    let (sandbox, phone, home) = world().await;
    let daemon = home.start();
    link(&daemon, &phone).await;
    let (exit, checks) = doctor(&home).await;
    assert_eq!(exit, Some(0), "{checks:#}");
    for check in [
        "config", "daemon", "link", "state", "lock", "clock", "keys", "dns", "whatsapp",
    ] {
        assert_verdict(&checks, check, "ok");
    }
    // The only key is in the daemon's environment, where no file tells of it.
    assert!(verdict(&checks, "keys").1.contains("1 key holds"));
    let added = daemon.cli(&["key", "add", "old", "--expires", "2999-01-01"]);
    assert!(added.await.status.success());
    let (_, checks) = doctor(&home).await;
    assert!(verdict(&checks, "keys").1.contains("2 keys hold"));
    // It looked without logging in, and took nobody's place.
    assert_eq!(sandbox.stats().logins, 1);
    assert_eq!(daemon.status().await["isConnected"], true);

    let shown = daemon.cli(&["doctor"]).await;
    let shown = String::from_utf8(shown.stdout).expect("UTF-8");
    assert!(shown.contains("config"), "{shown}");
}

#[tokio::test]
async fn without_a_daemon_it_looks_as_well() {
    let (sandbox, phone, home) = world().await;
    let daemon = home.start();
    link(&daemon, &phone).await;
    let home = daemon.kill();
    let (exit, checks) = doctor(&home).await;
    assert_eq!(
        exit,
        Some(0),
        "a daemon that is down is no fault: {checks:#}"
    );
    assert_verdict(&checks, "daemon", "warning");
    assert_verdict(&checks, "lock", "ok");
    assert_verdict(&checks, "whatsapp", "ok");
    assert!(verdict(&checks, "state").1.contains("a device is linked"));

    sandbox.refuse().await;
    let (exit, checks) = doctor(&home).await;
    assert_eq!(exit, Some(1), "{checks:#}");
    assert_verdict(&checks, "dns", "ok");
    assert_verdict(&checks, "whatsapp", "failure");
}

#[tokio::test]
async fn one_trouble_on_the_way_is_told_from_another() {
    let (_sandbox, _phone, home) = world().await;
    for (settings, check) in [
        ("proxy = \"http://127.0.0.1:9\"", "proxy"),
        ("proxy = \"socks5://127.0.0.1:9\"", "proxy"),
        ("url = \"wss://nowhere.invalid/ws/chat\"", "dns"),
    ] {
        let text = std::fs::read_to_string(home.config()).expect("readable");
        let section = match settings.starts_with("url") {
            true => {
                let url = text.lines().find(|line| line.starts_with("url = "));
                text.replace(url.expect("an address"), settings)
            }
            false => text.replace("[whatsapp]", &format!("[whatsapp]\n{settings}")),
        };
        std::fs::write(home.config(), section).expect("written");
        let (exit, checks) = doctor(&home).await;
        assert_eq!(exit, Some(1), "{settings}: {checks:#}");
        assert_verdict(&checks, check, "failure");
        std::fs::write(home.config(), text).expect("written");
    }
    // Somebody who answers, and speaks no TLS.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ =
                tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 no\r\n\r\n").await;
        }
    });
    let text = std::fs::read_to_string(home.config()).expect("readable");
    let url = text.lines().find(|line| line.starts_with("url = "));
    let other = format!("url = \"wss://{address}/ws/chat\"");
    std::fs::write(
        home.config(),
        text.replace(url.expect("an address"), &other),
    )
    .expect("written");
    let (exit, checks) = doctor(&home).await;
    assert_eq!(exit, Some(1), "{checks:#}");
    assert_verdict(&checks, "tls", "failure");
}

#[tokio::test]
async fn a_configuration_with_faults_is_the_first_finding() {
    let (_sandbox, _phone, home) = world().await;
    home.configure("[pairing]\nmode = \"pigeon\"\n");
    let (exit, checks) = doctor(&home).await;
    assert_eq!(exit, Some(1), "{checks:#}");
    assert_verdict(&checks, "config", "failure");
    assert!(verdict(&checks, "config").1.contains("pigeon"));
}
