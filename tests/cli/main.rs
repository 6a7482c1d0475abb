//! The command line as people and scripts meet it: the real binary, its exit
//! status, and what it writes.

#![expect(
    clippy::disallowed_methods,
    reason = "a test waits on the clock and in threads of its own"
)]

mod alone;
mod linking;
mod passkey;
mod played;
mod running;
mod table;
mod verbs;
#[path = "../support/verbs.rs"]
mod every;

use std::{
    path::Path,
    process::{Command, Output, Stdio},
};
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_walinkd");

/// The binary with nothing of this process's environment that it would heed.
fn walinkd(arguments: &[&str]) -> Command {
    command(Path::new(BINARY), arguments)
}

fn command(binary: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary);
    command.args(arguments).env_clear().stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Exit status, standard output, standard error.
fn outcome(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    let code = output.status.code().expect("no signal");
    (code, text(&output.stdout), text(&output.stderr))
}

fn run(arguments: &[&str]) -> (i32, String, String) {
    outcome(&walinkd(arguments).output().expect("the binary runs"))
}

fn directory() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}
