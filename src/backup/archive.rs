//! The one file: an SQLite database with a row for each file of the state
//! directory.

use super::{
    BackupError, DATABASES, SCRATCH, TEXTS,
    swap::{discard, private_dir},
};
use crate::wire::Timestamp;
use rusqlite::{Connection, OpenFlags, params};
use sha2::{Digest as _, Sha256};
use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

/// `WLKD`: tells file(1) and us what this database is.
const APPLICATION: i32 = 0x574c_4b44;
/// The shape of the tables.
const VERSION: i32 = 1;

const TABLES: &str = "
    CREATE TABLE about (made_at INTEGER NOT NULL) STRICT; -- milliseconds since the Unix epoch
    CREATE TABLE file (name TEXT PRIMARY KEY, sha256 BLOB NOT NULL, content BLOB NOT NULL) STRICT;
";

/// The daemon writes a few times a minute, for milliseconds.
const BUSY: Duration = Duration::from_secs(5);

/// A copy that was found to be whole.
#[derive(Debug)]
pub struct Archive {
    path: PathBuf,
    pub made_at: Timestamp,
    files: Vec<(String, Vec<u8>)>,
}

/// Copies what is in `dir` into the new file `target`, also while a daemon uses
/// it: each file as it stood at one moment. On a failure there is no `target`.
///
/// # Errors
///
/// When a file cannot be read, or `target` is there already or cannot be written.
pub fn make(dir: &Path, target: &Path, clock: fn() -> Timestamp) -> Result<(), BackupError> {
    // Made here, so that nobody else can ever read it.
    private(target).map_err(BackupError::io(target))?;
    let made = fill(dir, target, clock);
    if made.is_err() {
        // It is there or it is not; the failure counts.
        let _ = fs::remove_file(target);
    }
    made
}

/// As [`make`], into a file that has no name: gone when it is closed.
///
/// # Errors
///
/// As [`make`].
pub fn make_beside(dir: &Path, clock: fn() -> Timestamp) -> Result<File, BackupError> {
    let folder = dir.join(SCRATCH);
    discard(&folder)?;
    private_dir(&folder).map_err(BackupError::io(&folder))?;
    let path = folder.join("copy");
    let made = make(dir, &path, clock).and_then(|()| {
        let file = File::open(&path);
        file.map_err(BackupError::io(&path))
    });
    discard(&folder)?;
    made
}

fn fill(dir: &Path, target: &Path, clock: fn() -> Timestamp) -> Result<(), BackupError> {
    let mut files = Vec::new();
    for name in DATABASES {
        files.extend(database(dir, name, target)?.map(|content| (name, content)));
    }
    for name in TEXTS {
        let path = dir.join(name);
        match fs::read(&path) {
            Ok(content) => files.push((name, content)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(BackupError::io(path)(error)),
        }
    }
    let write = || {
        let mut archive = Connection::open(target)?;
        archive.pragma_update(None, "application_id", APPLICATION)?;
        archive.pragma_update(None, "user_version", VERSION)?;
        let transaction = archive.transaction()?;
        transaction.execute_batch(TABLES)?;
        for (name, content) in &files {
            transaction.execute(
                "INSERT INTO file (name, sha256, content) VALUES (?1, ?2, ?3)",
                params![name, Sha256::digest(content).as_slice(), content],
            )?;
        }
        // Last: what was used before this moment is in the copy.
        transaction.execute("INSERT INTO about VALUES (?1)", [clock().millis()])?;
        transaction.commit()
    };
    write().map_err(BackupError::sqlite(target))?;
    let file = File::open(target).map_err(BackupError::io(target))?;
    file.sync_all().map_err(BackupError::io(target))
}

/// The database as it stands now, its write-ahead log included.
fn database(dir: &Path, name: &str, target: &Path) -> Result<Option<Vec<u8>>, BackupError> {
    let path = dir.join(name);
    if !path.exists() {
        return Ok(None);
    }
    let mut copy = target.as_os_str().to_owned();
    copy.push(format!(".{name}"));
    let copy = PathBuf::from(copy);
    let copied = (|| {
        private(&copy).map_err(BackupError::io(&copy))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let vacuum = || {
            let source = Connection::open_with_flags(&path, flags)?;
            source.busy_timeout(BUSY)?;
            source.execute("VACUUM INTO ?1", [copy.to_string_lossy().as_ref()])
        };
        vacuum().map_err(BackupError::sqlite(&path))?;
        fs::read(&copy).map_err(BackupError::io(&copy))
    })();
    // It holds keys, whatever became of it.
    let _ = fs::remove_file(&copy);
    copied.map(Some)
}

/// A new file that only its owner can read.
fn private(path: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

impl Archive {
    /// Reads the file and finds it whole.
    ///
    /// # Errors
    ///
    /// When it is none of ours, or damaged.
    pub fn open(path: &Path) -> Result<Self, BackupError> {
        let foreign = |why: String| BackupError::NoArchive {
            path: path.to_owned(),
            why,
        };
        let damaged = |why: String| BackupError::Damaged {
            path: path.to_owned(),
            why,
        };
        File::open(path).map_err(|error| match error.kind() {
            ErrorKind::PermissionDenied => BackupError::io(path)(error),
            _ => foreign(error.to_string()),
        })?;
        // It may lie where nobody writes.
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let archive =
            Connection::open_with_flags(path, flags).map_err(|error| foreign(error.to_string()))?;
        let number = |name| archive.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        match number("application_id") {
            Ok(APPLICATION) => {}
            Ok(_) => return Err(foreign("is another program's database".to_owned())),
            Err(error) => return Err(foreign(error.to_string())),
        }
        match number("user_version") {
            Ok(VERSION) => {}
            Ok(other) => return Err(foreign(format!("is of a later walinkd (form {other})"))),
            Err(error) => return Err(damaged(error.to_string())),
        }
        let read = || {
            let made_at = archive.query_row("SELECT made_at FROM about", [], |row| row.get(0))?;
            let mut select = archive.prepare("SELECT name, sha256, content FROM file")?;
            let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            let rows: Vec<(String, Vec<u8>, Vec<u8>)> = rows.collect::<Result<_, _>>()?;
            Ok::<_, rusqlite::Error>((Timestamp::from_millis(made_at), rows))
        };
        let (made_at, rows) = read().map_err(|error| damaged(error.to_string()))?;
        let mut files = Vec::new();
        for (name, sha256, content) in rows {
            // No other name is ever written to.
            if !DATABASES.iter().chain(&TEXTS).any(|known| *known == name) {
                return Err(foreign(format!("holds a file {name:?}")));
            }
            if Sha256::digest(&content).as_slice() != sha256 {
                return Err(damaged(format!("{name} is not what was copied")));
            }
            files.push((name, content));
        }
        let path = path.to_owned();
        Ok(Self {
            path,
            made_at,
            files,
        })
    }

    /// Whether a linked device is in it.
    pub fn is_linked(&self) -> bool {
        self.files.iter().any(|(name, _)| name == DATABASES[0])
    }

    /// Writes the files into `dir`, and sees that the databases are sound.
    pub(super) fn unpack(&self, dir: &Path) -> Result<(), BackupError> {
        for (name, content) in &self.files {
            let path = dir.join(name);
            let mut file = private(&path).map_err(BackupError::io(&path))?;
            let written = file.write_all(content).and_then(|()| file.sync_all());
            written.map_err(BackupError::io(&path))?;
            if DATABASES.contains(&name.as_str()) {
                let verdict = Connection::open(&path).and_then(|database| {
                    database.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))
                });
                let verdict = verdict.unwrap_or_else(|error| error.to_string());
                if verdict != "ok" {
                    return Err(BackupError::Damaged {
                        path: self.path.clone(),
                        why: format!("{name}: {verdict}"),
                    });
                }
            }
        }
        Ok(())
    }
}
