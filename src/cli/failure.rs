//! How a command fails: an exit status of the contract, and a line that says
//! what, why, and what to do.

use super::{
    instance,
    screen::{complain, plain},
};
use crate::{
    client,
    config::Faults,
    daemon,
    wire::{Code, Problem},
};
use std::{fmt::Display, io, path::Path, process::ExitCode};
use tokio::signal::unix::SignalKind;

/// Refused or failed.
const FAILED: u8 = 1;
/// Not in the asked state.
const OTHER_STATE: u8 = 3;
/// EX_UNAVAILABLE of sysexits.h: no daemon there.
const NO_DAEMON: u8 = 69;
/// EX_NOPERM.
const NOT_PERMITTED: u8 = 77;
/// EX_CONFIG.
const BAD_CONFIG: u8 = 78;

/// The end of a command that did not do what it was for.
#[derive(Debug)]
pub(super) struct Failure {
    exit: u8,
    /// For standard error; empty when everything is said already.
    message: String,
}

impl Failure {
    /// `walinkd: what: why: what to do`.
    pub(super) fn new(what: impl Display, why: impl Display, hint: impl Display) -> Self {
        Self {
            exit: FAILED,
            message: format!("walinkd: {what}: {why}: {hint}"),
        }
    }

    /// The connection is not in the state that was asked for; said already.
    pub(super) fn other_state() -> Self {
        Self {
            exit: OTHER_STATE,
            message: String::new(),
        }
    }

    /// Somebody wanted it to end, by a signal; the shells' own number for that.
    pub(super) fn interrupted(by: SignalKind) -> Self {
        let number = u8::try_from(by.as_raw_value()).unwrap_or_default();
        Self {
            exit: 128 + number,
            message: String::new(),
        }
    }

    /// Something is wrong, and that is said already.
    pub(super) fn said() -> Self {
        Self {
            exit: FAILED,
            message: String::new(),
        }
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// As [`Failure::new`], for a state that did not come.
    pub(super) fn not_reached(what: impl Display, why: impl Display, hint: impl Display) -> Self {
        Self {
            exit: OTHER_STATE,
            ..Self::new(what, why, hint)
        }
    }

    /// Work on files that failed; the error says why and what to do.
    pub(super) fn work(what: &str, error: &anyhow::Error) -> Self {
        let forbidden = error.chain().any(|cause| {
            let cause = cause.downcast_ref::<io::Error>();
            cause.is_some_and(|cause| cause.kind() == io::ErrorKind::PermissionDenied)
        });
        // An error may tell its cause itself, where that reads best.
        let mut told = String::new();
        for cause in error.chain().map(ToString::to_string) {
            if told.is_empty() {
                told = cause;
            } else if !told.contains(&cause) {
                told = format!("{told}: {cause}");
            }
        }
        Self {
            exit: if forbidden { NOT_PERMITTED } else { FAILED },
            message: format!("walinkd: {what}: {}", plain(&told)),
        }
    }

    /// A file that cannot be used.
    pub(super) fn file(what: &str, path: &Path, error: &io::Error) -> Self {
        let path = path.display();
        let hint = daemon::file_hint(error);
        let forbidden = error.kind() == io::ErrorKind::PermissionDenied;
        Self {
            exit: if forbidden { NOT_PERMITTED } else { FAILED },
            ..Self::new(what, format!("{path}: {error}"), hint)
        }
    }

    /// A call that failed; `what` is the command.
    pub(super) fn call(what: &str, error: client::Error) -> Self {
        use client::Error;
        let failure = |exit, message| Self { exit, message };
        match error {
            Error::NoDaemon { socket, source } => failure(
                NO_DAEMON,
                format!(
                    "walinkd: no daemon answers at {}: {source}: start it, for example with \
                     systemctl start {}, or name its socket with --socket",
                    socket.display(),
                    instance::unit(&socket)
                ),
            ),
            Error::Closed { socket, source } => failure(
                NOT_PERMITTED,
                format!(
                    "walinkd: {} may not be opened: {source}: run this as root, as the daemon's \
                     user, or as a member of the group in control.group",
                    socket.display()
                ),
            ),
            Error::Refused { status, problem } => failure(
                match (status, problem.code) {
                    (403, _) | (_, Code::NotPermitted) => NOT_PERMITTED,
                    (_, Code::BadConfig) => BAD_CONFIG,
                    _ => FAILED,
                },
                format!(
                    "walinkd: {what}: {}{}",
                    lines(&problem.error),
                    wait(&problem)
                ),
            ),
            error => Self::new(
                what,
                plain(&error.to_string()),
                "see what the daemon says: journalctl -u walinkd",
            ),
        }
    }

    /// The configuration that was to be checked, each fault on a line that
    /// begins with its place, as editors and people look for it.
    pub(super) fn faults(faults: &Faults) -> Self {
        Self {
            exit: BAD_CONFIG,
            message: faults.to_string(),
        }
    }

    /// Standard output is closed or full. A closed one is a reader who has
    /// seen enough, and needs no message.
    pub(super) fn output(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self {
                exit: FAILED,
                message: String::new(),
            },
            _ => Self::new("standard output", error, "make room, or write elsewhere"),
        }
    }

    /// Nobody reads the output any more.
    pub(super) fn is_reader_gone(&self) -> bool {
        self.message.is_empty()
    }

    /// Says it, and gives the process its exit status.
    pub(super) fn tell(self) -> ExitCode {
        if !self.message.is_empty() {
            complain(&self.message);
        }
        ExitCode::from(self.exit)
    }
}

impl From<Faults> for Failure {
    /// Each fault on a line of its own.
    fn from(faults: Faults) -> Self {
        let lines: Vec<_> = faults
            .iter()
            .map(|fault| format!("walinkd: configuration: {fault}"))
            .collect();
        Self {
            exit: BAD_CONFIG,
            message: lines.join("\n"),
        }
    }
}

/// How long to wait, where the daemon's own words leave that to a header.
fn wait(problem: &Problem) -> String {
    match (problem.code, problem.retry_after) {
        (Code::PairingLimited, Some(seconds @ 0..120)) => format!(" Try again in {seconds} s."),
        (Code::PairingLimited, Some(seconds)) => {
            format!(" Try again in {} min.", seconds.div_ceil(60))
        }
        _ => String::new(),
    }
}

/// A message of the daemon's: harmless to a terminal, but with its lines.
pub(super) fn lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(plain).collect();
    lines.join("\n")
}
