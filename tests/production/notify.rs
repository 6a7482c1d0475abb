//! What systemd hears.

use crate::nowhere;
use nix::sys::signal::Signal;
use std::{
    os::unix::net::UnixDatagram,
    time::{Duration, Instant},
};

struct Manager(UnixDatagram);

impl Manager {
    /// Reads until a message holds all of `parts`; gives that message.
    fn hear(&self, parts: &[&str]) -> String {
        let deadline = Instant::now() + Duration::from_secs(30);
        let mut heard = Vec::new();
        loop {
            let mut buffer = [0; 4096];
            match self.0.recv(&mut buffer) {
                Ok(length) => {
                    let message = String::from_utf8_lossy(&buffer[..length]).into_owned();
                    if parts.iter().all(|part| message.contains(part)) {
                        return message;
                    }
                    heard.push(message);
                }
                Err(_) => assert!(Instant::now() < deadline, "no {parts:?} in {heard:?}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ready_status_reload_watchdog_and_stop() {
    let home = nowhere();
    let path = home.config().with_file_name("notify.sock");
    let socket = UnixDatagram::bind(&path).expect("bound");
    socket
        .set_read_timeout(Some(Duration::from_millis(200)))
        .expect("set");
    let manager = Manager(socket);
    let mut daemon = home.start_with(&[
        ("NOTIFY_SOCKET", path.to_str().expect("UTF-8")),
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
