//! A command that is followed while it runs.

use nix::pty::openpty;
use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read, Write as _},
    process::{Child, Command},
    sync::mpsc::{Receiver, Sender, channel},
    thread::{JoinHandle, spawn},
    time::{Duration, Instant},
};

const PATIENCE: Duration = Duration::from_secs(20);

/// A command under way, its lines as they come on either stream.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    err: JoinHandle<String>,
}

impl Running {
    pub(crate) fn new(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the binary runs");
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let (send, lines) = channel();
        follow(out.expect("piped"), send.clone());
        let err = follow(err.expect("piped"), send);
        Self { child, lines, err }
    }

    /// Reads until a line with `text` comes.
    pub(crate) fn until(&self, text: &str) -> String {
        until(&self.lines, text)
    }

    /// Exit status and standard error.
    pub(crate) fn end(mut self) -> (i32, String) {
        let status = self.child.wait().expect("an end");
        let err = self.err.join().expect("no panic");
        (status.code().expect("no signal"), err)
    }
}

/// A command on a terminal, with a person before it.
pub(crate) struct Terminal {
    child: Child,
    keys: File,
    lines: Receiver<String>,
}

impl Terminal {
    pub(crate) fn new(mut command: Command) -> Self {
        let pty = openpty(None, None).expect("a pseudo-terminal");
        let side = || pty.slave.try_clone().expect("a descriptor");
        command.stdin(side()).stdout(side()).stderr(side());
        let child = command.spawn().expect("the binary runs");
        let screen = File::from(pty.master.try_clone().expect("a descriptor"));
        let (send, lines) = channel();
        follow(screen, send);
        let keys = File::from(pty.master);
        Self { child, keys, lines }
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("a terminal");
    }

    /// Reads until a line with `text` comes; what is typed comes as well.
    pub(crate) fn until(&self, text: &str) -> String {
        until(&self.lines, text)
    }

    /// Exit status.
    pub(crate) fn end(mut self) -> i32 {
        let status = self.child.wait().expect("an end");
        status.code().expect("no signal")
    }
}

/// Passes the lines on, and gives them all in the end.
fn follow(stream: impl Read + Send + 'static, lines: Sender<String>) -> JoinHandle<String> {
    spawn(move || {
        let mut all = String::new();
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            all.push_str(&line);
            all.push('\n');
            // Nobody may be listening any more; the end is still asked for.
            let _ = lines.send(line);
        }
        all
    })
}

fn until(lines: &Receiver<String>, text: &str) -> String {
    let deadline = Instant::now() + PATIENCE;
    let mut before = Vec::new();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match lines.recv_timeout(left) {
            Ok(line) if line.contains(text) => return line,
            Ok(line) => before.push(line),
            Err(_) => panic!("no line with {text} after {before:#?}"),
        }
    }
}
