//! One state takes another's place, in steps of which each can be the last that
//! a crash lets happen:
//!
//! 1. `restore.new/new/` is filled from the copy. A crash leaves rubbish.
//! 2. It is renamed to `restore.out`: from here on the restore will be done.
//! 3. The old files go to `restore.out/old/`.
//! 4. It is renamed to `restore.in`: no old file is left.
//! 5. The new ones come in from `restore.in/new/`.
//! 6. `restore.in/old` gets a name with the time, and the rest goes.

use super::{Archive, BackupError, DATABASES, SCRATCH, TEXTS};
use crate::wire::Timestamp;
use std::{
    fs::{self, DirBuilder, File},
    io::{self, ErrorKind},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

const FILLING: &str = "restore.new";
const GOING_OUT: &str = "restore.out";
const COMING_IN: &str = "restore.in";

/// Puts what is in the copy in the place of what is in `dir`, which nobody uses,
/// and says where the old files went, if there were any. When this fails before
/// it has begun, all is as it was; after that, [`finish`] completes it.
///
/// # Errors
///
/// When the copy's databases are not sound, or a file cannot be written or moved.
pub fn restore(
    archive: &Archive,
    dir: &Path,
    now: Timestamp,
) -> Result<Option<PathBuf>, BackupError> {
    let filling = dir.join(FILLING);
    discard(&filling)?;
    let filled = private_dir(&filling.join("new"))
        .and_then(|()| private_dir(&filling.join("old")))
        .map_err(BackupError::io(&filling))
        .and_then(|()| archive.unpack(&filling.join("new")))
        .and_then(|()| sync(&filling.join("new")));
    if let Err(error) = filled {
        discard(&filling)?;
        return Err(error);
    }
    rename(&filling, &dir.join(GOING_OUT))?;
    finish(dir, now)
}

/// Completes a restore that a crash has cut short, if there is one.
///
/// # Errors
///
/// When a file cannot be moved.
pub fn finish(dir: &Path, now: Timestamp) -> Result<Option<PathBuf>, BackupError> {
    // What a crash may have left, with keys in it.
    discard(&dir.join(SCRATCH))?;
    discard(&dir.join(FILLING))?;
    let (going, coming) = (dir.join(GOING_OUT), dir.join(COMING_IN));
    if going.exists() {
        for name in replaced() {
            move_if_there(&dir.join(&name), &going.join("old").join(&name))?;
        }
        sync(&going.join("old"))?;
        rename(&going, &coming)?;
    }
    if !coming.exists() {
        return Ok(None);
    }
    for name in DATABASES.iter().chain(&TEXTS) {
        move_if_there(&coming.join("new").join(name), &dir.join(name))?;
    }
    sync(dir)?;
    let old = coming.join("old");
    let is_empty = |folder: &Path| fs::read_dir(folder).map(|mut files| files.next().is_none());
    let aside = match is_empty(&old) {
        Ok(false) => {
            let stamp = now.to_string();
            let stamp: String = stamp.chars().filter(char::is_ascii_alphanumeric).collect();
            let aside = dir.join(format!("replaced-{stamp}"));
            rename(&old, &aside)?;
            Some(aside)
        }
        // Set aside before the crash, or there was nothing.
        Ok(true) | Err(_) => None,
    };
    discard(&coming)?;
    Ok(aside)
}

/// When the linked device in `dir` was last used, as far as its files tell.
pub fn last_use(dir: &Path) -> Option<Timestamp> {
    let newest = beside(DATABASES[0])
        .iter()
        .filter_map(|name| {
            let written = fs::metadata(dir.join(name)).ok()?.modified().ok()?;
            written.duration_since(UNIX_EPOCH).ok()
        })
        .max()?;
    let millis = i64::try_from(newest.as_millis()).unwrap_or(i64::MAX);
    Some(Timestamp::from_millis(millis))
}

/// All that makes the old state, a pairing that is not finished included.
fn replaced() -> Vec<String> {
    let texts = TEXTS.iter().map(|name| (*name).to_owned());
    let databases = DATABASES.iter().chain(&["candidate.db"]);
    databases
        .flat_map(|name| beside(name))
        .chain(texts)
        .collect()
}

/// A database and what SQLite keeps beside it.
fn beside(name: &str) -> [String; 4] {
    ["", "-wal", "-shm", "-journal"].map(|suffix| format!("{name}{suffix}"))
}

pub(super) fn private_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn move_if_there(from: &Path, to: &Path) -> Result<(), BackupError> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(BackupError::io(from)(error)),
        _ => Ok(()),
    }
}

fn rename(from: &Path, to: &Path) -> Result<(), BackupError> {
    fs::rename(from, to).map_err(BackupError::io(from))?;
    sync(to.parent().unwrap_or(Path::new("/")))
}

pub(super) fn discard(folder: &Path) -> Result<(), BackupError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(BackupError::io(folder)(error)),
        _ => Ok(()),
    }
}

fn sync(folder: &Path) -> Result<(), BackupError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(BackupError::io(folder))
}
