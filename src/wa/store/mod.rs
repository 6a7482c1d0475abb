//! The files a linked device lives in: `session.db` for the live link,
//! `candidate.db` for one that is being paired.
//!
//! A pairing always begins in a fresh candidate, so a failed one cannot harm
//! a link. A candidate that is linked is promoted: its file takes the live
//! one's name, in one rename.

mod error;

pub use error::StoreError;

use super::{former::Keepsake, signal::Linked};
use crate::wire::Timestamp;
use error::is_circumstance;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::{
    fs, io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use whatsapp_rust::store::{
    SqliteStore, SqliteStoreConfig, Synchronous, error::StoreError as LibraryError,
    persistence_manager::PersistenceManager,
};

/// Which of the two files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Slot {
    Live,
    Candidate,
}

impl Slot {
    const fn file(self) -> &'static str {
        match self {
            Self::Live => "session.db",
            Self::Candidate => "candidate.db",
        }
    }
}

/// The session files in the state directory.
#[derive(Debug, Clone)]
pub struct Vault {
    dir: PathBuf,
    pub(super) keepsake: Keepsake,
}

/// An open session file.
pub struct Store {
    pub(super) backend: Arc<SqliteStore>,
    path: PathBuf,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// A write takes milliseconds; a disk under load, a second or two.
const STORED_WITHIN: Duration = Duration::from_secs(5);

/// How long a closed session's last users may keep the store open. They only
/// finish what they began; past this the file is used all the same.
const SETTLE: Duration = Duration::from_millis(300);

impl Vault {
    /// The files in `dir`, which exists.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            keepsake: Keepsake::default(),
        }
    }

    /// Forgets the link that its phone has ended: nobody is to come back as
    /// that device.
    pub fn forget(&self) {
        self.keepsake.set(None);
    }

    fn path(&self, slot: Slot) -> PathBuf {
        self.dir.join(slot.file())
    }

    /// Whether there is a file in this slot.
    pub fn exists(&self, slot: Slot) -> bool {
        self.path(slot).exists()
    }

    /// Opens the slot's file, making it when there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] when the file is not a sound database; the
    /// others when it cannot be read or written.
    pub async fn open(&self, slot: Slot) -> Result<Store, StoreError> {
        let path = self.path(slot);
        let checked = path.clone();
        tokio::task::spawn_blocking(move || prepare(&checked))
            .await
            .map_err(|error| StoreError::Unusable {
                path: path.clone(),
                why: error.to_string(),
            })??;
        let url = path
            .to_str()
            .ok_or_else(|| StoreError::BadPath(path.clone()))?;
        // FULL: a finished link survives a power cut, not only a crash. The
        // device writes a few times a minute, so it costs next to nothing.
        let config = SqliteStoreConfig {
            synchronous: Synchronous::Full,
            ..SqliteStoreConfig::default()
        };
        let backend = SqliteStore::with_config(url, config)
            .await
            .map_err(|error| {
                let (path, why) = (path.clone(), error.to_string());
                match error {
                    // A database, but not one of ours.
                    LibraryError::Migration(_) => StoreError::Damaged { path, why },
                    _ => StoreError::Unusable { path, why },
                }
            })?;
        Ok(Store {
            backend: Arc::new(backend),
            path,
        })
    }

    /// Removes the slot's file and everything SQLite keeps beside it. True
    /// when there was one.
    ///
    /// # Errors
    ///
    /// When a file is there and cannot be removed.
    pub fn wipe(&self, slot: Slot) -> Result<bool, StoreError> {
        let path = self.path(slot);
        let mut wiped = false;
        for file in with_companions(&path) {
            match fs::remove_file(&file) {
                Ok(()) => wiped = true,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(StoreError::Io { path: file, source }),
            }
        }
        self.sync_dir()?;
        Ok(wiped)
    }

    /// Makes the candidate the live link, in a fresh file: tasks of the library
    /// may hold the candidate's open beyond its session's end.
    ///
    /// # Errors
    ///
    /// When a file operation fails; then the candidate is still a candidate,
    /// and the next start promotes it.
    pub fn promote(&self) -> Result<(), StoreError> {
        let candidate = self.path(Slot::Candidate);
        let live = self.path(Slot::Live);
        let fresh = self.dir.join("session.db.new");
        let io_error = |path: &Path, source| StoreError::Io {
            path: path.to_owned(),
            source,
        };
        remove(&fresh)?;
        // Made here, so that nobody else can ever read it.
        let file = private(&fresh).map_err(|source| io_error(&fresh, source))?;
        let copied = Connection::open(&candidate).and_then(|connection| {
            let target = fresh.to_string_lossy();
            connection.execute("VACUUM INTO ?1", [target.as_ref()])
        });
        copied.map_err(|error| StoreError::Unusable {
            path: candidate.clone(),
            why: error.to_string(),
        })?;
        file.sync_all().map_err(|source| io_error(&fresh, source))?;
        // The old link's log first: SQLite would replay it into the new file.
        for beside in with_companions(&live).into_iter().skip(1) {
            remove(&beside)?;
        }
        fs::rename(&fresh, &live).map_err(|source| io_error(&fresh, source))?;
        self.sync_dir()?;
        self.forget();
        self.wipe(Slot::Candidate).map(|_| ())
    }

    /// Moves a damaged file out of the way, under a name with the time in it,
    /// and says which.
    ///
    /// # Errors
    ///
    /// When it cannot be renamed.
    pub fn set_aside(&self, slot: Slot, now: Timestamp) -> Result<PathBuf, StoreError> {
        let path = self.path(slot);
        let stamp: String = now
            .to_string()
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        let aside = self.dir.join(format!("{}.damaged-{stamp}", slot.file()));
        for (from, to) in with_companions(&path)
            .into_iter()
            .zip(with_companions(&aside))
        {
            match fs::rename(&from, &to) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(StoreError::Io { path: from, source }),
            }
        }
        self.sync_dir()?;
        Ok(aside)
    }

    fn sync_dir(&self) -> Result<(), StoreError> {
        fs::File::open(&self.dir)
            .and_then(|dir| dir.sync_all())
            .map_err(|source| StoreError::Io {
                path: self.dir.clone(),
                source,
            })
    }
}

impl Store {
    /// Who this device is, when it is linked.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub async fn linked(&self) -> Result<Option<Linked>, StoreError> {
        let manager = PersistenceManager::new(Arc::clone(&self.backend) as _)
            .await
            .map_err(|error| {
                let (path, why) = (self.path.clone(), error.to_string());
                if is_circumstance(&why) {
                    StoreError::Unusable { path, why }
                } else {
                    StoreError::Damaged { path, why }
                }
            })?;
        let device = manager.get_device_snapshot();
        if !device.is_registered() {
            return Ok(None);
        }
        Ok(device.pn.as_ref().map(|jid| Linked {
            jid: jid.to_string(),
            number: jid.user.to_string(),
            push_name: Some(device.push_name.clone()).filter(|name| !name.is_empty()),
        }))
    }

    /// Waits until the file holds the link that the phone has accepted. The
    /// library writes it in the background, and says so before it has.
    pub(super) async fn wait_until_linked(&self) {
        let stored = async {
            while !matches!(self.linked().await, Ok(Some(_))) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if tokio::time::timeout(STORED_WITHIN, stored).await.is_err() {
            tracing::warn!("the new link is not on the disk yet; it may have to be made again");
        }
    }

    /// Waits until the ended session has let go of the file.
    pub(super) async fn settle(&self) {
        let released = async {
            while Arc::strong_count(&self.backend) > 1 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if tokio::time::timeout(SETTLE, released).await.is_err() {
            tracing::debug!("the ended session still holds its store");
        }
    }
}

fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(StoreError::Io {
            path: path.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}

/// Opens a file, made for its owner only when it is not there.
fn private(path: &Path) -> io::Result<fs::File> {
    fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

/// Makes the file with tight permissions, or checks the one that is there.
fn prepare(path: &Path) -> Result<(), StoreError> {
    let io_error = |source| StoreError::Io {
        path: path.to_owned(),
        source,
    };
    let file = private(path).map_err(io_error)?;
    if file.metadata().map_err(io_error)?.len() == 0 {
        return Ok(());
    }
    drop(file);
    check(path)
}

fn check(path: &Path) -> Result<(), StoreError> {
    let judge = |error: rusqlite::Error| {
        let why = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => StoreError::Damaged {
                path: path.to_owned(),
                why,
            },
            _ => StoreError::Unusable {
                path: path.to_owned(),
                why,
            },
        }
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(judge)?;
    let verdict: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(judge)?;
    if verdict == "ok" {
        Ok(())
    } else {
        Err(StoreError::Damaged {
            path: path.to_owned(),
            why: verdict,
        })
    }
}

/// The main file first, then what SQLite keeps beside it.
fn with_companions(path: &Path) -> [PathBuf; 4] {
    let beside = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    [
        path.to_owned(),
        beside("-wal"),
        beside("-shm"),
        beside("-journal"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(dir)
            .expect("the directory is there")
            .map(|entry| {
                entry
                    .expect("readable")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn a_new_store_is_private_and_unlinked() {
        let dir = tempfile::tempdir().expect("a directory");
        let vault = Vault::new(dir.path());
        let store = vault.open(Slot::Live).await.expect("it opens");
        assert_eq!(store.linked().await.expect("it reads"), None);
        let mode = fs::metadata(dir.path().join("session.db")).expect("it is there");
        assert_eq!(mode.permissions().mode() & 0o777, 0o600);
    }

    #[tokio::test]
    async fn a_damaged_file_is_told_and_set_aside() {
        let dir = tempfile::tempdir().expect("a directory");
        let vault = Vault::new(dir.path());
        fs::write(
            dir.path().join("session.db"),
            b"this is no database, only some text",
        )
        .expect("written");
        let error = vault.open(Slot::Live).await.expect_err("it is damaged");
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
        let aside = vault
            .set_aside(Slot::Live, Timestamp::from_millis(0))
            .expect("renamed");
        assert_eq!(
            fs::read(aside).expect("kept"),
            b"this is no database, only some text"
        );
        assert!(!vault.exists(Slot::Live));
    }

    #[tokio::test]
    async fn promotion_leaves_one_file_and_wiping_none() {
        let dir = tempfile::tempdir().expect("a directory");
        let vault = Vault::new(dir.path());
        drop(vault.open(Slot::Live).await.expect("it opens"));
        drop(vault.open(Slot::Candidate).await.expect("it opens"));
        vault.promote().expect("both are closed");
        assert!(vault.exists(Slot::Live) && !vault.exists(Slot::Candidate));
        vault
            .open(Slot::Live)
            .await
            .expect("still a sound database");
        assert!(vault.wipe(Slot::Live).expect("wiped"));
        assert!(!vault.wipe(Slot::Live).expect("nothing there is fine"));
        assert_eq!(names(dir.path()), Vec::<String>::new());
    }
}
