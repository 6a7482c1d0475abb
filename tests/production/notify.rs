//! What systemd hears.

use crate::{nowhere, support::Manager};
use nix::sys::signal::Signal;
use std::os::unix::process::ExitStatusExt;

#[tokio::test(flavor = "multi_thread")]
async fn ready_status_reload_watchdog_and_stop() {
    let home = nowhere();
    let manager = Manager::of(&home);
    let mut daemon = home.start_with(&[
        ("NOTIFY_SOCKET", manager.path()),
        ("WATCHDOG_USEC", "400000"),
    ]);
    manager.hear(&["READY=1"]);
    manager.hear(&["STATUS=connecting to WhatsApp"]);
    manager.hear(&["WATCHDOG=1"]);

    daemon.signal(Signal::SIGHUP);
    manager.hear(&["RELOADING=1", "MONOTONIC_USEC="]);
    manager.hear(&["READY=1"]);

    // Also when the file is refused: the daemon is as ready as before.
    home.configure("[nonsense]\n");
    daemon.signal(Signal::SIGHUP);
    manager.hear(&["RELOADING=1", "MONOTONIC_USEC="]);
    manager.hear(&["READY=1"]);

    daemon.signal(Signal::SIGTERM);
    manager.hear(&["STOPPING=1"]);
    assert_eq!(daemon.ended().await.code(), Some(0));
}

/// With the feature `sandbox` it makes the owner of the link stuck; here
/// nothing listens, and it does what it does to every program.
#[tokio::test]
async fn nothing_makes_the_owner_stuck_on_purpose() {
    let mut daemon = nowhere().start();
    daemon.status().await;
    daemon.signal(Signal::SIGUSR2);
    let ended = daemon.ended().await;
    assert_eq!(ended.signal(), Some(Signal::SIGUSR2 as i32), "{ended:?}");
}
