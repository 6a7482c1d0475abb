//! A small disk for the state, where one can be mounted.

use crate::names::inside;
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

pub(crate) struct Disk {
    at: PathBuf,
}

impl Disk {
    /// None without the right to mount.
    pub(crate) fn mount(at: &Path) -> Option<Self> {
        fs::create_dir_all(at).expect("a directory");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=24m,mode=0700", "walinkd-endure"])
            .arg(at)
            .stderr(Stdio::null())
            .status();
        let at = at.to_owned();
        mounted
            .is_ok_and(|status| status.success())
            .then_some(Self { at })
    }

    fn filler(&self) -> PathBuf {
        self.at.join("filler")
    }

    /// Leaves no byte.
    pub(crate) fn fill(&self) {
        let mut file = fs::File::create(self.filler()).expect("a file");
        let block = [0; 4096];
        while file.write_all(&block).is_ok() {}
    }

    /// Whatever the daemon opens from now on can only be read. (What it has open
    /// keeps a file system from being write-protected as a whole.)
    pub(crate) fn protect(&self, pid: i32) {
        // Made aside: in its place the daemon might open a file in between.
        let script = r#"mkdir -p "$0.ro" && mount --bind "$0" "$0.ro" \
            && mount -o remount,bind,ro "$0.ro" && mount --move "$0.ro" "$0""#;
        inside(pid, script, &self.at);
    }

    pub(crate) fn unprotect(&self, pid: i32) {
        inside(pid, r#"umount --lazy "$0""#, &self.at);
    }

    pub(crate) fn free(&self) {
        fs::remove_file(self.filler()).expect("it was there");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.at).status();
    }
}
