//! Where a reader that outlives the process has come to.

use super::store;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Came later than the others; a file without it gets it, and an older walinkd
/// lets it be.
pub(super) const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS bookmark (
        name TEXT PRIMARY KEY,
        after INTEGER NOT NULL,
        note TEXT NOT NULL
    ) STRICT;
";

/// A place in the journal, kept in the file under its reader's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bookmark {
    /// Behind which id to go on.
    pub after: u64,
    /// What else the reader wants to know again; nobody else's business.
    pub note: String,
}

/// Bookmarks on their way to the disk, the latest of each name; `None` for one
/// to be removed. They stay here until they are on the disk, so that whoever
/// looks here first and then there misses none.
#[derive(Debug, Default)]
pub(super) struct Pending(Mutex<BTreeMap<String, Option<Bookmark>>>);

impl Pending {
    pub(super) fn set(&self, name: &str, bookmark: Option<Bookmark>) {
        self.lock().insert(name.to_owned(), bookmark);
    }

    pub(super) fn get(&self, name: &str) -> Option<Option<Bookmark>> {
        self.lock().get(name).cloned()
    }

    pub(super) fn all(&self) -> BTreeMap<String, Option<Bookmark>> {
        self.lock().clone()
    }

    /// These are on the disk; what has changed meanwhile is not.
    pub(super) fn written(&self, written: &BTreeMap<String, Option<Bookmark>>) {
        self.lock()
            .retain(|name, bookmark| written.get(name) != Some(bookmark));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Option<Bookmark>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes these, and removes those that are `None`; all of them or none.
///
/// # Errors
///
/// When the file cannot be written.
pub(super) fn write(
    connection: &mut Connection,
    bookmarks: &BTreeMap<String, Option<Bookmark>>,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for (name, bookmark) in bookmarks {
        match bookmark {
            Some(Bookmark { after, note }) => transaction.execute(
                "INSERT OR REPLACE INTO bookmark (name, after, note) VALUES (?1, ?2, ?3)",
                params![name, store::to_sql(*after), note],
            )?,
            None => transaction.execute("DELETE FROM bookmark WHERE name = ?1", [name])?,
        };
    }
    transaction.commit()
}

/// As `Reader::bookmark`.
pub(super) fn read(connection: &Connection, name: &str) -> rusqlite::Result<Option<Bookmark>> {
    let sql = "SELECT after, note FROM bookmark WHERE name = ?1";
    let bookmark = |row: &Row<'_>| {
        Ok(Bookmark {
            after: store::from_sql(row.get(0)?),
            note: row.get(1)?,
        })
    };
    connection.query_row(sql, [name], bookmark).optional()
}

/// As `Reader::bookmarked`.
pub(super) fn names(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT name FROM bookmark")?;
    let names = statement.query_map([], |row| row.get(0))?;
    names.collect()
}
