//! A terminal's window with a program in it, and what a person sees there.

use super::{Home, SOON, WALINKD};
use nix::{
    libc,
    pty::{Winsize, openpty},
};
use std::{
    fs::File,
    io::{Read as _, Write as _},
    num::NonZeroU16,
    os::fd::AsRawFd as _,
    process::{Child, Command},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// Killed when dropped.
pub(crate) struct Window {
    child: Child,
    keys: File,
    screen: Arc<Mutex<vt100::Parser>>,
    /// Ends when nothing more can come.
    reader: std::thread::JoinHandle<()>,
}

fn winsize((columns, lines): (u16, u16)) -> Winsize {
    Winsize {
        ws_row: lines,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}

fn some(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).expect("some")
}

impl Window {
    /// A verb in a window of so many columns and lines, in this locale.
    pub(crate) fn open(home: &Home, verb: &[&str], size: (u16, u16), env: &[(&str, &str)]) -> Self {
        let socket = home.socket();
        let socket = socket.to_str().expect("UTF-8");
        Self::begin(&[&["--socket", socket], verb].concat(), size, env)
    }

    /// The same with all of the arguments.
    pub(crate) fn begin(arguments: &[&str], size: (u16, u16), env: &[(&str, &str)]) -> Self {
        let pty = openpty(&winsize(size), None).expect("a pseudo-terminal");
        let side = || pty.slave.try_clone().expect("a descriptor");
        // A shell that only makes the terminal its own, so that its keys are
        // signals and a new size is told.
        let child = Command::new("setsid")
            .args(["--ctty", WALINKD])
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("TERM", "xterm-256color")
            .envs(env.iter().copied())
            .stdin(side())
            .stdout(side())
            .stderr(side())
            .spawn()
            .expect("setsid is part of every system");
        let (columns, lines) = size;
        let screen = vt100::Parser::new(some(lines), some(columns), 0);
        let screen = Arc::new(Mutex::new(screen));
        let mut output = File::from(pty.master.try_clone().expect("a descriptor"));
        let shown = Arc::clone(&screen);
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                shown.lock().unwrap().process(&bytes[..count]);
            }
        });
        let keys = File::from(pty.master);
        Self {
            child,
            keys,
            screen,
            reader,
        }
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("a terminal");
    }

    pub(crate) fn resize(&self, size: (u16, u16)) {
        let (columns, lines) = size;
        let mut screen = self.screen.lock().unwrap();
        screen.set_size(some(lines), some(columns));
        let size = winsize(size);
        #[expect(unsafe_code, reason = "the kernel is told by an ioctl")]
        // SAFETY: the descriptor is open, and the size lives through the call.
        let told = unsafe { libc::ioctl(self.keys.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
        assert_eq!(told, 0);
    }

    /// What is to be seen now.
    pub(crate) fn screen(&self) -> vt100::Screen {
        self.screen.lock().unwrap().screen().clone()
    }

    /// Waits until that is as wanted.
    pub(crate) async fn until(
        &self,
        what: &str,
        holds: impl Fn(&vt100::Screen) -> bool,
    ) -> vt100::Screen {
        let deadline = Instant::now() + SOON;
        loop {
            let screen = self.screen();
            if holds(&screen) {
                return screen;
            }
            let seen = screen.contents();
            assert!(Instant::now() < deadline, "waited for {what}:\n{seen}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) async fn until_text(&self, text: &str) -> vt100::Screen {
        self.until(text, |screen| screen.contents().contains(text))
            .await
    }

    /// Waits for the program to end by itself; gives its exit status and the
    /// screen it leaves.
    pub(crate) async fn end(mut self) -> (i32, vt100::Screen) {
        let deadline = Instant::now() + SOON;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("our child") {
                break status;
            }
            let seen = self.screen().contents();
            assert!(Instant::now() < deadline, "it still runs:\n{seen}");
            sleep(Duration::from_millis(10)).await;
        };
        // What it wrote last may still be on its way.
        while !self.reader.is_finished() {
            assert!(Instant::now() < deadline, "its terminal stays open");
            sleep(Duration::from_millis(10)).await;
        }
        let screen = self.screen();
        assert!(!screen.alternate_screen(), "it leaves its own screen");
        (status.code().expect("no signal"), screen)
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
