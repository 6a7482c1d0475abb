//! A name for the server, which cannot be looked up at times.

use crate::support::WALINKD;
use std::{
    fs::{self, OpenOptions},
    os::unix::fs::FileExt,
    path::Path,
    process::{Command, Stdio},
};
use tempfile::NamedTempFile;

const NAME: &str = "whatsapp.test";

/// A hosts file that one daemon alone sees, and asks alone.
pub(crate) struct Names {
    hosts: NamedTempFile,
    switch: NamedTempFile,
}

impl Names {
    /// None without the right to mount.
    pub(crate) fn find() -> Option<Self> {
        let names = Self {
            hosts: NamedTempFile::new().expect("a file"),
            switch: NamedTempFile::new().expect("a file"),
        };
        // A name server would be asked for a name that is not there.
        fs::write(names.switch.path(), "hosts: files\n").expect("written");
        names.know(true);
        let mut private = names.private("true");
        let works = private.stderr(Stdio::null()).status();
        works.is_ok_and(|status| status.success()).then_some(names)
    }

    /// Whether the name is known from now on.
    pub(crate) fn know(&self, known: bool) {
        let name = if known { NAME } else { "" };
        let text = format!("127.0.0.1 localhost {name:20}\n");
        // In place and at once: it is this file that is mounted, and read.
        let file = OpenOptions::new().write(true).open(self.hosts.path());
        let written = file.and_then(|file| file.write_all_at(text.as_bytes(), 0));
        written.expect("written");
    }

    /// With the name in place of the address.
    pub(crate) fn url(&self, url: &str) -> String {
        url.replace("127.0.0.1", NAME)
    }

    /// Runs walinkd, with the arguments that are still to come.
    pub(crate) fn daemon(&self) -> Command {
        let mut command = self.private(WALINKD);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    fn private(&self, program: &str) -> Command {
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "sh", "-c"])
            .arg(
                r#"mount --bind "$0" /etc/hosts && mount --bind "$1" /etc/nsswitch.conf \
                && shift && exec "$@""#,
            )
            .args([self.hosts.path(), self.switch.path()])
            .arg(program);
        command
    }
}

/// Runs a command where a daemon sees it, and nobody else.
pub(crate) fn inside(pid: i32, script: &str, at: &Path) {
    let status = Command::new("nsenter")
        .args(["--mount", &format!("--target={pid}"), "sh", "-c", script])
        .arg(at)
        .status();
    assert!(status.expect("it runs").success(), "{script}");
}
