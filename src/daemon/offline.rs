//! What is done to the state directory while no daemon runs on it.

use super::state_dir;
use crate::{
    backup::{self, Archive},
    config::Config,
    wire::Timestamp,
};
use anyhow::{Context as _, bail};
use std::{
    fs::{self, File},
    os::unix::fs::{MetadataExt as _, lchown},
    path::{Path, PathBuf},
};

/// A copy of a state.
#[derive(Debug)]
pub struct BackupFile(Archive);

/// What a restore has done.
#[derive(Debug)]
pub struct Restored {
    pub state_dir: PathBuf,
    /// Where what was there is now.
    pub aside: Option<PathBuf>,
}

impl BackupFile {
    /// Reads a copy and finds it whole.
    ///
    /// # Errors
    ///
    /// When it is none of ours, or damaged.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        Ok(Self(Archive::open(path)?))
    }

    pub fn made_at(&self) -> Timestamp {
        self.0.made_at
    }

    pub fn is_linked(&self) -> bool {
        self.0.is_linked()
    }
}

/// Copies the state into the new file `target`; `None` when there is none.
///
/// # Errors
///
/// When a daemon holds it, or it cannot be read, or the copy not written.
pub fn back_up(config: &Config, target: &Path) -> anyhow::Result<Option<()>> {
    let dir = &config.storage.state_dir;
    match fs::read_dir(dir) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("{}", dir.display())),
    }
    let _held = state_dir::hold(dir)?;
    let made = backup::make(dir, target, Timestamp::now);
    give_to_owner(dir)?;
    made?;
    Ok(Some(()))
}

/// Puts the copy in the place of what is there.
///
/// # Errors
///
/// When a daemon runs there; when the device there was used after the copy was made,
/// unless `force` is set; when the copy is damaged, or files cannot be written.
pub fn restore(config: &Config, copy: &BackupFile, force: bool) -> anyhow::Result<Restored> {
    let dir = &config.storage.state_dir;
    let _held = state_dir::hold(dir)?;
    if let Some(used) = backup::last_use(dir).filter(|used| *used > copy.made_at() && !force) {
        bail!(
            "the copy is of {}, and the device in {} was used until {used}: old keys in place of \
             newer ones break what WhatsApp and your contacts send; --force restores it all the same",
            copy.made_at(),
            dir.display()
        );
    }
    let aside = backup::restore(&copy.0, dir, Timestamp::now());
    give_to_owner(dir)?;
    Ok(Restored {
        state_dir: dir.clone(),
        aside: aside?,
    })
}

/// Root works here for the daemon's user, to whom the directory belongs.
fn give_to_owner(dir: &Path) -> anyhow::Result<()> {
    let shown = || {
        format!(
            "{}: cannot be given to its owner: chown -R it",
            dir.display()
        )
    };
    let owner = fs::metadata(dir).with_context(shown)?;
    if nix::unistd::geteuid().is_root() && owner.uid() != 0 {
        give(dir, owner.uid(), owner.gid()).with_context(shown)?;
        File::open(dir)
            .and_then(|dir| dir.sync_all())
            .with_context(shown)?;
    }
    Ok(())
}

fn give(dir: &Path, uid: u32, gid: u32) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        lchown(entry.path(), Some(uid), Some(gid))?;
        if entry.file_type()?.is_dir() {
            give(&entry.path(), uid, gid)?;
        }
    }
    Ok(())
}
