//! A service manager's ear: what the daemon tells systemd.

use super::Home;
use std::{
    os::unix::net::UnixDatagram,
    path::PathBuf,
    time::{Duration, Instant},
};

/// A message is read at once or after this long again.
const GLANCE: Duration = Duration::from_millis(200);

pub(crate) struct Manager {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Manager {
    pub(crate) fn of(home: &Home) -> Self {
        let path = home.config().with_file_name("notify.sock");
        let socket = UnixDatagram::bind(&path).expect("bound");
        socket.set_read_timeout(Some(GLANCE)).expect("set");
        Self { socket, path }
    }

    /// The daemon's `NOTIFY_SOCKET`.
    pub(crate) fn path(&self) -> &str {
        self.path.to_str().expect("UTF-8")
    }

    /// Reads until a message holds all of `parts`; gives that message.
    pub(crate) fn hear(&self, parts: &[&str]) -> String {
        let deadline = Instant::now() + super::SOON;
        let mut heard = Vec::new();
        loop {
            if let Some(message) = self.next() {
                if parts.iter().all(|part| message.contains(part)) {
                    return message;
                }
                heard.push(message);
            }
            assert!(Instant::now() < deadline, "no {parts:?} in {heard:?}");
        }
    }

    /// Reads until no message has held `part` for `quiet`.
    pub(crate) fn hear_no_more(&self, part: &str, quiet: Duration) {
        let deadline = Instant::now() + super::SOON;
        let mut last = Instant::now();
        while last.elapsed() < quiet {
            if self.next().is_some_and(|message| message.contains(part)) {
                last = Instant::now();
            }
            assert!(Instant::now() < deadline, "{part} goes on");
        }
    }

    fn next(&self) -> Option<String> {
        let mut buffer = [0; 4096];
        let length = self.socket.recv(&mut buffer).ok()?;
        Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
    }
}
