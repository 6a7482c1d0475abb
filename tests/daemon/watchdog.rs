//! The watchdog is fed by the task that owns the link, and by nobody else.

use crate::{link, support::Manager, world};
use nix::sys::signal::Signal;
use std::time::{Duration, Instant};

/// A beat is due each 200 ms.
const ALLOWED: (&str, &str) = ("WATCHDOG_USEC", "400000");

#[tokio::test(flavor = "multi_thread")]
async fn a_stuck_owner_starves_it_while_the_api_still_answers() {
    let (_sandbox, phone, home) = world().await;
    let manager = Manager::of(&home);
    let mut daemon = home.start_with(&[("NOTIFY_SOCKET", manager.path()), ALLOWED]);
    link(&daemon, &phone).await;
    for _ in 0..3 {
        manager.hear(&["WATCHDOG=1"]);
    }

    daemon.signal(Signal::SIGUSR2);
    manager.hear_no_more("WATCHDOG=1", Duration::from_secs(3));
    assert!(daemon.is_running());
    assert_eq!(daemon.get("/livez").await.status, 200);
    assert_eq!(daemon.get("/connection/status").await.status, 200);

    // Nor does a stuck owner hold up the stop.
    let told = Instant::now();
    daemon.signal(Signal::SIGTERM);
    assert_eq!(daemon.ended().await.code(), Some(1));
    assert!(
        told.elapsed() < Duration::from_secs(6),
        "{:?}",
        told.elapsed()
    );
    assert!(daemon.log().contains("does not answer"), "{}", daemon.log());

    // What it owned is on the disk.
    drop(daemon);
    home.start().until_connected().await;
    assert_eq!(phone.devices().len(), 1);
}
