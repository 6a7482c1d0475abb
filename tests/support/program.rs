//! A program beside the daemon, its lines read as they come.

use super::SOON;
use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, ExitStatus, Stdio},
    thread::spawn,
    time::Instant,
};
use tokio::{
    sync::mpsc::{Receiver, channel},
    time::{Duration, sleep, timeout},
};

/// A program under way; killed when dropped.
pub(crate) struct Program {
    child: Child,
    pub(crate) out: Lines,
    pub(crate) err: Lines,
}

/// What it writes.
pub(crate) struct Lines(Receiver<String>);

impl Program {
    pub(crate) fn begin(command: &mut Command) -> Self {
        Self::read_for(command, usize::MAX)
    }

    /// After so many lines nobody reads its standard output any more.
    pub(crate) fn read_for(command: &mut Command, lines: usize) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("it is installed");
        let out = Lines::of(child.stdout.take().expect("piped"), lines);
        let err = Lines::of(child.stderr.take().expect("piped"), usize::MAX);
        Self { child, out, err }
    }

    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a PID")
    }

    /// Waits for it to end by itself.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + SOON;
        loop {
            if let Some(status) = self.child.try_wait().expect("our child") {
                return status;
            }
            assert!(Instant::now() < deadline, "it still runs");
            sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Lines {
    fn of(stream: impl Read + Send + 'static, most: usize) -> Self {
        let (sender, lines) = channel(1024);
        spawn(move || {
            let lines = BufReader::new(stream).lines().take(most);
            for line in lines.map_while(Result::ok) {
                if sender.blocking_send(line).is_err() {
                    return;
                }
            }
        });
        Self(lines)
    }

    /// The next one; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<String> {
        timeout(SOON, self.0.recv()).await.expect("in time")
    }

    /// The next one with `text` in it.
    pub(crate) async fn until(&mut self, text: &str) -> String {
        loop {
            let line = self.next().await;
            let line = line.unwrap_or_else(|| panic!("it ended before {text:?}"));
            if line.contains(text) {
                return line;
            }
        }
    }
}
