//! The file: its tables, how it is opened, and what is done when it is
//! damaged.

use super::{
    bookmark::{self, Bookmark},
    entry::Entry,
};
use crate::wire::{Event, Severity, State, Timestamp};
use rusqlite::{Connection, ErrorCode, OpenFlags, Row, params};
use serde::{
    Deserialize,
    de::{
        IntoDeserializer,
        value::{Error as NotAWord, StrDeserializer},
    },
};
use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};
use thiserror::Error;

/// Of the file, in bytes. Past it the oldest events go, and their pages are
/// used again; some 300,000 events of the usual length fit.
pub(super) const MAX_BYTES: u64 = 32 << 20;

/// What SQLite keeps of its write-ahead log between checkpoints, in bytes.
const MAX_LOG: i64 = 4 << 20;

/// The shape of the tables below.
const VERSION: i64 = 1;

/// AUTOINCREMENT: no id comes twice, whatever has been removed. `pruned` has
/// the highest id that is not there any more, and one row.
const TABLES: &str = "
    CREATE TABLE event (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL, -- milliseconds since the Unix epoch
        type TEXT NOT NULL,
        severity TEXT NOT NULL,
        message TEXT NOT NULL,
        state TEXT,
        reason TEXT,
        peer TEXT,
        key TEXT,
        suppressed INTEGER
    ) STRICT;
    CREATE TABLE pruned (through INTEGER NOT NULL) STRICT;
    CREATE INDEX refusal ON event (id) WHERE type = 'auth.refused';
";

/// Somebody who looks into the file with a tool of their own may hold it up
/// for so long.
const BUSY: Duration = Duration::from_secs(1);

/// Why the file cannot be used.
#[derive(Debug, Error)]
pub(super) enum StoreError {
    #[error("{path}: {source}", path = path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{path}: {source}", path = path.display())]
    Sqlite {
        path: PathBuf,
        source: rusqlite::Error,
    },
    #[error("{path}: damaged: {why}", path = path.display())]
    Damaged { path: PathBuf, why: String },
}

/// The open file, for its one writer.
#[derive(Debug)]
pub(super) struct Store {
    connection: Connection,
}

impl Store {
    /// Opens the file, making it when there is none. A damaged one is set
    /// aside, and the sentence about that is given beside the new one. The ids
    /// that follow are higher than `given`.
    ///
    /// # Errors
    ///
    /// When the file can be neither used nor set aside.
    pub(super) fn open(
        path: &Path,
        now: Timestamp,
        given: u64,
    ) -> Result<(Self, Option<String>), StoreError> {
        // An old copy may have taken the file's place, or it begins anew: whoever
        // kept an id is not to be served from this one as if it were the same.
        // No journal gets a thousand events a second for long, so the clock in
        // milliseconds is beyond all that were ever given.
        let given = to_sql(given).max(now.millis());
        match Self::open_sound(path, given) {
            Err(damaged @ StoreError::Damaged { .. }) => {
                let aside = set_aside(path, now)?;
                let store = Self::open_sound(path, given)?;
                let told = format!(
                    "{damaged}; the file was set aside as {}: a new one begins, and the events in the old one are not told any more",
                    aside.display()
                );
                Ok((store, Some(told)))
            }
            opened => opened.map(|store| (store, None)),
        }
    }

    fn open_sound(path: &Path, given: i64) -> Result<Self, StoreError> {
        make_private(path)?;
        let damaged = |why: String| StoreError::Damaged {
            path: path.to_owned(),
            why,
        };
        let judge = |source: rusqlite::Error| {
            if is_damage(&source) {
                return damaged(source.to_string());
            }
            StoreError::Sqlite {
                path: path.to_owned(),
                source,
            }
        };
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags).map_err(judge)?;
        connection.busy_timeout(BUSY).map_err(judge)?;
        if let Some(why) = check(&connection).map_err(judge)? {
            return Err(damaged(why));
        }
        begin(&mut connection, given).map_err(judge)?;
        Ok(Self { connection })
    }

    /// The id of the newest event, or that of the last one removed.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub(super) fn newest(&self) -> rusqlite::Result<u64> {
        newest(&self.connection)
    }

    /// Appends all of them or none, and gives them as they are told.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub(super) fn append(&mut self, batch: &[(Timestamp, Entry)]) -> rusqlite::Result<Vec<Event>> {
        let transaction = self.connection.transaction()?;
        let mut events = Vec::with_capacity(batch.len());
        let mut insert = transaction.prepare(
            "INSERT INTO event (at, type, severity, message, state, reason, peer, key, suppressed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?;
        for (at, entry) in batch {
            insert.execute(params![
                at.millis(),
                entry.kind,
                entry.severity.as_str(),
                entry.message,
                entry.state.map(State::as_str),
                entry.reason,
                entry.peer,
                entry.key,
                entry.suppressed.map(to_sql),
            ])?;
            let id = from_sql(transaction.last_insert_rowid());
            events.push(entry.clone().told(id, *at));
        }
        drop(insert);
        transaction.commit()?;
        Ok(events)
    }

    /// Writes these bookmarks, and removes those that are `None`.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub(super) fn mark(
        &mut self,
        bookmarks: &BTreeMap<String, Option<Bookmark>>,
    ) -> rusqlite::Result<()> {
        bookmark::write(&mut self.connection, bookmarks)
    }

    /// Removes the oldest events, at most `most` of them, as long as they are
    /// from before `cutoff`; gives their number and the id of the last. Where the clock was set back
    /// an older event may stand behind a newer one: it goes with that one.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or written.
    pub(super) fn prune(&mut self, cutoff: Timestamp, most: u32) -> rusqlite::Result<(usize, u64)> {
        let transaction = self.connection.transaction()?;
        let through: Option<i64> = transaction.query_row(
            "SELECT max(id) FROM (
                 SELECT id FROM event
                 WHERE id < coalesce(
                     (SELECT id FROM event WHERE at >= ?1 ORDER BY id LIMIT 1),
                     (SELECT max(id) + 1 FROM event))
                 ORDER BY id LIMIT ?2)",
            params![cutoff.millis(), most],
            |row| row.get(0),
        )?;
        let Some(through) = through else {
            return Ok((0, 0));
        };
        let removed = transaction.execute("DELETE FROM event WHERE id <= ?1", [through])?;
        transaction.execute("UPDATE pruned SET through = ?1", [through])?;
        transaction.commit()?;
        Ok((removed, from_sql(through)))
    }

    /// Removes the oldest refusals but for `kept` of them; gives their number.
    /// Anybody can cause them, without any right: what else has happened is not
    /// to make room for them. A reader that goes on from before one of these
    /// sees no gap.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or written.
    pub(super) fn prune_refusals(&mut self, kept: u32) -> rusqlite::Result<usize> {
        self.connection.execute(
            "DELETE FROM event WHERE type = 'auth.refused' AND id <= (
                 SELECT id FROM event WHERE type = 'auth.refused'
                 ORDER BY id DESC LIMIT 1 OFFSET ?1)",
            [kept],
        )
    }

    /// The bytes in use; what is free in the file is not counted.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub(super) fn used(&self) -> rusqlite::Result<u64> {
        let number = |name| -> rusqlite::Result<u64> {
            let number = self
                .connection
                .pragma_query_value(None, name, |row| row.get(0))?;
            Ok(from_sql(number))
        };
        let pages = number("page_count")?.saturating_sub(number("freelist_count")?);
        Ok(pages.saturating_mul(number("page_size")?))
    }

    /// Has everything in the file, and nothing of it in memory.
    #[cfg(test)]
    pub(super) fn let_go(&self) {
        for pragma in ["PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA shrink_memory"] {
            let mut statement = self.connection.prepare(pragma).expect("it is one");
            let mut rows = statement.query([]).expect("it runs");
            while rows.next().expect("it runs").is_some() {}
        }
    }

    /// Makes the disk full, as far as SQLite can tell.
    #[cfg(test)]
    pub(super) fn fill(&self) {
        let pages: i64 = self
            .connection
            .pragma_query_value(None, "page_count", |row| row.get(0))
            .expect("it answers");
        self.connection
            .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
            .expect("it is set");
    }
}

/// Opens the file to read, beside its writer.
///
/// # Errors
///
/// When it is not there or cannot be read.
pub(super) fn open_to_read(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    Ok(connection)
}

/// What `event` reads.
pub(super) const COLUMNS: &str =
    "id, at, type, severity, message, state, reason, peer, key, suppressed";

/// The event in a row of [`COLUMNS`]. A state that this version does not know
/// is left out.
///
/// # Errors
///
/// When a column is not of its type.
pub(super) fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    let severity: String = row.get(3)?;
    let state: Option<String> = row.get(5)?;
    let suppressed: Option<i64> = row.get(9)?;
    Ok(Event {
        id: from_sql(row.get(0)?),
        at: Timestamp::from_millis(row.get(1)?),
        kind: row.get(2)?,
        severity: word(&severity).unwrap_or(Severity::Info),
        message: row.get(4)?,
        state: state.as_deref().and_then(word),
        reason: row.get(6)?,
        peer: row.get(7)?,
        key: row.get(8)?,
        suppressed: suppressed.map(from_sql),
    })
}

/// As [`Store::newest`].
pub(super) fn newest(connection: &Connection) -> rusqlite::Result<u64> {
    connection
        .query_row(
            "SELECT max(coalesce((SELECT max(id) FROM event), 0), through) FROM pruned",
            [],
            |row| row.get(0),
        )
        .map(from_sql)
}

/// The highest id that is not there any more.
pub(super) fn pruned(connection: &Connection) -> rusqlite::Result<u64> {
    connection
        .query_row("SELECT through FROM pruned", [], |row| row.get(0))
        .map(from_sql)
}

/// An id as SQLite takes it; none is ever near its end.
pub(super) fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn from_sql(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn word<'w, W: Deserialize<'w>>(text: &'w str) -> Option<W> {
    let text: StrDeserializer<'w, NotAWord> = text.into_deserializer();
    W::deserialize(text).ok()
}

/// Whether an error says that the file is not a sound database.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)
    )
}

/// What is wrong with the file, if anything is.
fn check(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Ok(Some(verdict.replace('\n', " ")));
    }
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    // There may be others: somebody's ANALYZE makes one.
    let (ours, all): (i64, i64) = connection.query_row(
        "SELECT count(*) FILTER (WHERE name IN ('event', 'pruned', 'sqlite_sequence')), count(*)
         FROM sqlite_schema WHERE type = 'table'",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(match (version, ours, all) {
        (0, _, 0) | (VERSION, 3, _) => None,
        (VERSION, ..) => Some("tables are missing".to_owned()),
        _ => Some(format!(
            "it is of version {version}, and this walinkd writes {VERSION}"
        )),
    })
}

/// Makes the tables where there are none, and has ids go on behind `given`.
fn begin(connection: &mut Connection, given: i64) -> rusqlite::Result<()> {
    // FULL: an id that somebody has seen is not given again after a power cut.
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "journal_size_limit", MAX_LOG)?;
    let transaction = connection.transaction()?;
    let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version == 0 {
        transaction.execute_batch(TABLES)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
        transaction.execute(
            "INSERT INTO sqlite_sequence (name, seq) VALUES ('event', 0)",
            [],
        )?;
        transaction.execute("INSERT INTO pruned (through) VALUES (?1)", [given])?;
    }
    transaction.execute_batch(bookmark::TABLE)?;
    transaction.execute(
        "UPDATE sqlite_sequence SET seq = max(seq, ?1) WHERE name = 'event'",
        [given],
    )?;
    transaction.commit()
}

/// Made here, so that nobody else can ever read it; SQLite gives the files
/// beside it the same mode.
fn make_private(path: &Path) -> Result<(), StoreError> {
    let made = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .and_then(|_| sync_folder(path));
    made.map_err(|source| StoreError::Io {
        path: path.to_owned(),
        source,
    })
}

/// Moves the file out of the way, under a name with the time in it, and says
/// which.
fn set_aside(path: &Path, now: Timestamp) -> Result<PathBuf, StoreError> {
    let stamp: String = now
        .to_string()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    let aside = beside(path, &format!(".damaged-{stamp}"));
    // The log of the old one first: SQLite would replay it into the new one.
    for suffix in ["-wal", "-shm", ""] {
        let (from, to) = (beside(path, suffix), beside(&aside, suffix));
        match fs::rename(&from, &to) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::Io { path: from, source });
            }
            _ => {}
        }
    }
    sync_folder(path).map_err(|source| StoreError::Io {
        path: path.to_owned(),
        source,
    })?;
    Ok(aside)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
