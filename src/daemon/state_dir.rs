//! The state directory: there, private, and ours alone.

use crate::{backup, wire::Timestamp};
use anyhow::{Context, anyhow};
use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
};
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

/// Holds the state directory for this process, until it is dropped.
pub(super) struct Held {
    _lock: Flock<File>,
}

/// Makes the directory if need be and takes its lock.
pub(super) fn hold(dir: &Path) -> anyhow::Result<Held> {
    let shown = dir.display();
    if fs::metadata(dir).is_ok_and(|there| !there.is_dir()) {
        return Err(anyhow!(
            "{shown}: is not a directory: move it away, or choose another storage.state_dir"
        ));
    }
    DirBuilder::new().recursive(true).mode(0o700).create(dir).with_context(|| {
        format!("{shown}: cannot be made: choose another storage.state_dir, or make it for this user")
    })?;
    let path = dir.join("walinkd.lock");
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .with_context(|| {
            format!("{shown}: not writable for this user: change its owner, or storage.state_dir")
        })?;
    let mut lock = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => lock,
        Err((mut file, Errno::EWOULDBLOCK)) => {
            let mut pid = String::new();
            // Empty only in the instant between the other's lock and its note.
            let _ = file.read_to_string(&mut pid);
            return Err(anyhow!(
                "{shown}: in use by another walinkd (PID {}): stop that one, or give this one its own storage.state_dir",
                pid.trim()
            ));
        }
        Err((_, error)) => return Err(anyhow!("{shown}: cannot be locked: {error}")),
    };
    if let Err(error) = sign(&mut lock) {
        // The lock holds without a name on it.
        tracing::warn!("{}: {error}: free some space", path.display());
    }
    // Before anybody looks at the files: they may be half old, half new.
    backup::finish(dir, Timestamp::now())?;
    Ok(Held { _lock: lock })
}

/// Over what is there, so that a full disk has a place for it.
fn sign(lock: &mut File) -> io::Result<()> {
    let pid = format!("{}\n", std::process::id());
    lock.rewind()?;
    lock.write_all(pid.as_bytes())?;
    lock.set_len(pid.len() as u64)
}
