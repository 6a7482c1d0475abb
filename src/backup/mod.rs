//! A copy of the state directory in one file, and the way back.
//!
//! Owns the form of that file and how one state takes another's place. Must not
//! know who holds the state directory, nor what is in its files.

mod archive;
mod swap;
#[cfg(test)]
mod tests;

pub use archive::{Archive, make, make_beside};
pub use swap::{finish, last_use, restore};

use std::{io, path::PathBuf};
use thiserror::Error;

/// The databases, which are copied through SQLite.
const DATABASES: [&str; 2] = ["session.db", "journal.db"];
/// The small files, which are replaced in one step and so are always whole.
const TEXTS: [&str; 3] = ["keys.toml", "state.toml", "api-key"];

/// Where a copy is made that is sent away.
const SCRATCH: &str = "backup.tmp";

/// Why there is no copy, or no way back from it.
#[derive(Debug, Error)]
pub enum BackupError {
    #[error("{}: {source}: {}", path.display(), hint(source))]
    Io { path: PathBuf, source: io::Error },
    #[error("{}: {source}: see whether the file is sound", path.display())]
    Sqlite {
        path: PathBuf,
        source: rusqlite::Error,
    },
    #[error("{}: {why}: name a file that walinkd backup has made", path.display())]
    NoArchive { path: PathBuf, why: String },
    #[error("{}: damaged: {why}: take another copy", path.display())]
    Damaged { path: PathBuf, why: String },
}

/// What to do about a file that cannot be used.
pub fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "run this as root, or as the daemon's user",
        io::ErrorKind::NotFound => "see whether its folder is there",
        _ => "make room, or see whether its file system can be written to",
    }
}

impl BackupError {
    fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }

    fn sqlite(path: impl Into<PathBuf>) -> impl FnOnce(rusqlite::Error) -> Self {
        let path = path.into();
        move |source| Self::Sqlite { path, source }
    }
}
