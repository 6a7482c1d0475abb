//! Why a session file cannot be used, and whether that may pass.

use super::{Slot, Vault};
use std::{io, path::PathBuf};
use thiserror::Error;

/// Why a session file cannot be used.
#[derive(Debug, Error)]
pub enum StoreError {
    #[error("{path}: {source}: free some space, or make the state directory writable for this user", path = path.display())]
    Io { path: PathBuf, source: io::Error },
    /// SQLite says that the file is not a sound database.
    #[error("{path}: damaged: {why}", path = path.display())]
    Damaged { path: PathBuf, why: String },
    /// The file may be sound; the disk or another program stands against it.
    #[error(
        "{path}: {why}: free some space, and close what else has the file open; if neither helps, dmesg tells what the disk has",
        path = path.display()
    )]
    Unusable { path: PathBuf, why: String },
    #[error("{path}: the path is not UTF-8: choose another storage.state_dir", path = .0.display())]
    BadPath(PathBuf),
}

impl StoreError {
    /// Whether it may pass with nobody touching the configuration.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unusable { .. } => true,
            Self::Io { source, .. } => matches!(
                source.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            ),
            Self::Damaged { .. } | Self::BadPath(_) => false,
        }
    }

    /// A live file that holds no linked device lost it somehow: to be kept and
    /// told like a damaged one.
    pub fn unlinked(vault: &Vault, slot: Slot) -> Self {
        Self::Damaged {
            path: vault.path(slot),
            why: "it holds no linked device".to_owned(),
        }
    }
}

/// What SQLite says when the disk, and not the file, is at fault.
pub(super) fn is_circumstance(why: &str) -> bool {
    let why = why.to_ascii_lowercase();
    [
        "full",
        "readonly",
        "read-only",
        "locked",
        "busy",
        "i/o",
        "unable to open",
    ]
    .iter()
    .any(|word| why.contains(word))
}
