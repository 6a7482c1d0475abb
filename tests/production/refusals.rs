//! What keeps the daemon from starting, and what it says then.

use crate::{
    nowhere,
    support::{Home, WALINKD},
};
use std::{
    net::TcpListener,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    process::Command,
};

#[tokio::test]
async fn plain_web_sockets_are_for_the_sandbox_only() {
    let mut daemon = Home::new("ws://127.0.0.1:9/ws/chat").start();
    assert_eq!(daemon.ended().await.code(), Some(78));
    assert!(daemon.log().contains("whatsapp.url"), "{}", daemon.log());
}

#[tokio::test]
async fn a_second_daemon_names_the_first() {
    let home = nowhere();
    let first = home.start();
    first.status().await;
    let mut second = home.start();
    assert_eq!(second.ended().await.code(), Some(78));
    let log = second.log();
    assert!(log.contains(&format!("PID {}", first.pid())), "{log}");
    assert_eq!(
        first.get("/livez").await.status,
        200,
        "the first one goes on"
    );
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let home = nowhere();
    let _taken = TcpListener::bind(("127.0.0.1", home.port)).expect("free a moment ago");
    let mut daemon = home.start();
    assert_eq!(daemon.ended().await.code(), Some(1));
    let log = daemon.log();
    assert!(
        log.contains(&home.port.to_string()) && log.contains("in use"),
        "{log}"
    );
}

#[tokio::test]
async fn all_faults_of_a_file_are_told_at_once() {
    let home = nowhere();
    home.configure("[pairing]\nmode = \"pigeon\"\nidle_after = \"soon\"\n[nonsense]\n");
    let mut daemon = home.start();
    assert_eq!(daemon.ended().await.code(), Some(78));
    let log = daemon.log();
    for key in ["pairing.mode", "pairing.idle_after", "nonsense"] {
        assert!(log.contains(key), "{key}: {log}");
    }
}

#[tokio::test]
async fn a_state_directory_that_cannot_be_used_is_named() {
    let home = nowhere();
    std::fs::write(home.state(), "a file, not a directory").expect("written");
    let mut daemon = home.start();
    assert_eq!(daemon.ended().await.code(), Some(78));
    assert!(
        daemon.log().contains("is not a directory: ") && daemon.log().contains("storage.state_dir"),
        "{}",
        daemon.log()
    );
}

#[tokio::test]
async fn a_group_that_is_not_there_is_named_before_a_key_is_made() {
    let home = nowhere();
    let text = std::fs::read_to_string(home.config()).expect("written");
    let text = text.replace("[control]", "[control]\ngroup = \"no-such-group\"");
    std::fs::write(home.config(), text).expect("written");
    let mut daemon = home.start();
    assert_eq!(daemon.ended().await.code(), Some(78));
    assert!(daemon.log().contains("groupadd"), "{}", daemon.log());
    assert!(!home.state().join("api-key").exists());
}

#[test]
fn without_root_and_without_a_file_it_keeps_to_the_home_directory() {
    if !nix::unistd::geteuid().is_root() {
        // The other tests run without root then, and with a file only because
        // they need their own ports.
        return;
    }
    let home = tempfile::Builder::new()
        .prefix("walinkd-")
        .tempdir()
        .expect("a directory");
    std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o777)).expect("ours");
    let binary = home.path().join("walinkd");
    std::fs::copy(WALINKD, &binary).expect("a copy that nobody may run");
    std::fs::set_permissions(&binary, std::fs::Permissions::from_mode(0o755)).expect("ours");
    let mut child = Command::new(&binary)
        .env_clear()
        .env("HOME", home.path())
        .env("PORT", crate::support::free_port().to_string())
        .uid(65534)
        .gid(65534)
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("it starts");
    let state = home.path().join(".local/state/walinkd");
    let status = Command::new(&binary)
        .arg("--socket")
        .arg(state.join("control.sock"))
        .arg("status")
        .env_clear()
        .env("HOME", home.path())
        .uid(65534)
        .output()
        .expect("it runs");
    let key = std::fs::metadata(state.join("api-key"));
    child.kill().expect("it lives");
    child.wait().expect("our child");
    assert_eq!(status.status.code(), Some(3), "not connected: {status:?}");
    assert_eq!(
        key.expect("a key was made").permissions().mode() & 0o777,
        0o600
    );
    let dir = std::fs::metadata(&state).expect("it was made");
    assert_eq!(dir.permissions().mode() & 0o777, 0o700);
}
