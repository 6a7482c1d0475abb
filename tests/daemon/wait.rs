//! `walinkd wait` and `walinkd status` beside the real daemon.

use crate::{
    link,
    support::{Daemon, Program, WALINKD},
    world,
};
use std::process::Command;

fn wait(daemon: &Daemon, arguments: &[&str]) -> Program {
    let mut command = Command::new(WALINKD);
    command.arg("wait").args(arguments).arg("--socket");
    Program::begin(command.arg(daemon.home.socket()).env_clear())
}

#[tokio::test]
async fn it_ends_with_the_link_also_over_a_restart() {
    let (_sandbox, phone, home) = world().await;
    let daemon = home.start();
    daemon.qr().await;
    assert_eq!(
        wait(&daemon, &["--for", "unlinked"]).ended().await.code(),
        Some(0)
    );
    let mut waiting = wait(&daemon, &["--timeout", "5m"]);
    let mut short = wait(&daemon, &["--timeout", "10ms"]);
    assert_eq!(short.ended().await.code(), Some(3));
    let home = daemon.kill();
    let daemon = home.start();
    link(&daemon, &phone).await;
    assert_eq!(waiting.ended().await.code(), Some(0));
    assert_eq!(waiting.err.next().await, None);
}

#[tokio::test]
async fn status_says_where_the_daemon_listens_and_for_whom() {
    let (_sandbox, _phone, home) = world().await;
    let daemon = home.start();
    daemon.qr().await;
    let output = daemon.cli(&["status"]).await;
    assert_eq!(output.status.code(), Some(3));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let at = format!("  listens: http://{}\n", daemon.address());
    assert!(text.contains(&at), "{text}");
    let control = format!("  listens: control socket {}\n", home.socket().display());
    assert!(text.contains(&control), "{text}");
    assert!(text.ends_with("     keys: API_KEY (manage)\n"), "{text}");
}
