//! Processes beside this one, ended when they are dropped.

use anyhow::{Context, Result, bail};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    ffi::OsStr,
    process::{Command, Stdio},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::unix::pipe::Receiver,
    time::timeout,
};

/// Long enough for a loaded machine; what works never takes it.
pub(crate) const SOON: Duration = Duration::from_secs(60);

pub(crate) struct Child {
    child: std::process::Child,
    out: BufReader<Receiver>,
}

impl Child {
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{command:?} does not start"))?;
        let out = child.stdout.take().context("its output is piped")?;
        let out = BufReader::new(Receiver::from_owned_fd(out.into())?);
        Ok(Self { child, out })
    }

    /// This program, in another of its modes.
    pub(crate) fn itself(
        mode: &str,
        arguments: impl IntoIterator<Item: AsRef<OsStr>>,
    ) -> Result<Self> {
        Self::start(
            Command::new(std::env::current_exe()?)
                .arg(mode)
                .args(arguments),
        )
    }

    pub(crate) fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// The next line that it writes.
    pub(crate) async fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        let read = timeout(SOON, self.out.read_line(&mut line)).await??;
        if read == 0 {
            bail!("it ended early, {}", self.child.wait()?);
        }
        Ok(line)
    }

    /// Asks it to end, and waits until it has.
    pub(crate) async fn stop(mut self) -> Result<()> {
        kill(Pid::from_raw(self.pid()), Signal::SIGTERM)?;
        // Its end closes what it writes to.
        let mut rest = String::new();
        while timeout(SOON, self.out.read_line(&mut rest)).await?? > 0 {}
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Not SIGKILL: nginx ends its workers. It may have ended by itself.
        let _ = kill(Pid::from_raw(self.pid()), Signal::SIGTERM);
        let _ = self.child.wait();
    }
}
