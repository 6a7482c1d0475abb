//! Reads the file beside its writer, by a connection of its own that can write
//! nothing.

use super::{
    bookmark::{self, Bookmark},
    cursor::Cursor,
    shared::Shared,
    store::{self, COLUMNS},
};
use crate::wire::{Event, Timestamp};
use rusqlite::{Connection, Params, params};
use std::sync::Arc;
use thiserror::Error;
use tokio::{
    sync::{Mutex, watch},
    task::spawn_blocking,
};

/// Why the events cannot be read.
#[derive(Debug, Error)]
pub enum ReadError {
    #[error("the events cannot be read: {path}: {source}")]
    Sqlite {
        path: String,
        source: rusqlite::Error,
    },
    #[error("the daemon is shutting down")]
    Stopping,
}

/// Some events behind an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Events between the id and the first of these are not there any more, or
    /// the id is not of this journal.
    pub gap: bool,
    /// The oldest first.
    pub events: Vec<Event>,
    /// The id to go on behind.
    pub next: u64,
}

/// The events of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    pub kind: String,
    pub events: u64,
    /// When the oldest of them happened.
    pub oldest: Timestamp,
}

/// A cheap, cloneable hold on what was written. However many read, one reads
/// at a time, outside of the runtime's workers.
#[derive(Debug, Clone)]
pub struct Reader {
    shared: Arc<Shared>,
    open: Arc<Mutex<Option<Open>>>,
}

#[derive(Debug)]
struct Open {
    connection: Connection,
    /// When another file has taken the name, this one is not read any more.
    file: u64,
}

impl Reader {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            open: Arc::default(),
        }
    }

    /// The id of the newest event on the disk. After an event is there it rings
    /// here; [`Reader::cursor`] waits for that.
    pub fn newest(&self) -> watch::Receiver<u64> {
        self.shared.newest()
    }

    /// Why events cannot be kept at the moment, in a sentence, if they cannot.
    pub fn trouble(&self) -> Option<String> {
        self.shared.trouble()
    }

    /// How many events could not be kept since the daemon began.
    pub fn lost(&self) -> u64 {
        self.shared.lost.all()
    }

    /// Reads on behind `id`, and waits when there is nothing; `None` begins with
    /// the next event.
    pub fn cursor(&self, id: Option<u64>) -> Cursor {
        Cursor::new(self.clone(), id)
    }

    /// At most `limit` events with a lower id, the newest first; `None` begins
    /// with the newest of all.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub async fn before(&self, id: Option<u64>, limit: usize) -> Result<Vec<Event>, ReadError> {
        let id = id.map_or(i64::MAX, store::to_sql);
        self.read(move |connection| {
            let sql =
                format!("SELECT {COLUMNS} FROM event WHERE id < ?1 ORDER BY id DESC LIMIT ?2");
            events(connection, &sql, params![id, as_limit(limit)])
        })
        .await
    }

    /// At most `limit` events with a higher id, the oldest first. From 0 on
    /// there is no gap.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub async fn after(&self, id: u64, limit: usize) -> Result<Page, ReadError> {
        if let Some((events, next)) = self.shared.after(id, limit) {
            let gap = false;
            return Ok(Page { gap, events, next });
        }
        self.read(move |connection| {
            // One transaction, so that nothing is pruned in between.
            let transaction = connection.transaction()?;
            let newest = store::newest(&transaction)?;
            let foreign = id > newest;
            let gap = foreign || (id > 0 && id < store::pruned(&transaction)?);
            let from = if foreign { 0 } else { store::to_sql(id) };
            let sql = format!("SELECT {COLUMNS} FROM event WHERE id > ?1 ORDER BY id LIMIT ?2");
            let events = events(&transaction, &sql, params![from, as_limit(limit)])?;
            let next = events.last().map_or(newest, |event| event.id);
            Ok(Page { gap, events, next })
        })
        .await
    }

    /// Where the reader of this name has come to, if it is known.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub async fn bookmark(&self, name: &str) -> Result<Option<Bookmark>, ReadError> {
        if let Some(pending) = self.shared.bookmarks.get(name) {
            return Ok(pending);
        }
        let name = name.to_owned();
        self.read(move |connection| bookmark::read(connection, &name))
            .await
    }

    /// The names of all bookmarks.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub async fn bookmarked(&self) -> Result<Vec<String>, ReadError> {
        self.read(|connection| bookmark::names(connection)).await
    }

    /// How many events of each type there are behind `id`.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, which it need not be for the newest `id`.
    pub async fn count(&self, id: u64) -> Result<Vec<Count>, ReadError> {
        if id == *self.newest().borrow() {
            return Ok(Vec::new());
        }
        self.read(move |connection| {
            let sql = "SELECT type, count(*), min(at) FROM event WHERE id > ?1 GROUP BY type";
            let mut statement = connection.prepare(sql)?;
            let counts = statement.query_map([store::to_sql(id)], |row| {
                Ok(Count {
                    kind: row.get(0)?,
                    events: store::from_sql(row.get(1)?),
                    oldest: Timestamp::from_millis(row.get(2)?),
                })
            })?;
            counts.collect()
        })
        .await
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, ReadError> {
        let shared = Arc::clone(&self.shared);
        let mut open = Arc::clone(&self.open).lock_owned().await;
        let reading = spawn_blocking(move || {
            let file = shared.file();
            let result = (|| {
                let fresh = match open.take().filter(|open| open.file == file) {
                    Some(open) => open,
                    None => Open {
                        connection: store::open_to_read(&shared.path)?,
                        file,
                    },
                };
                // Kept only when all went well: another try opens it anew.
                let fresh = open.insert(fresh);
                read(&mut fresh.connection)
            })();
            if result.is_err() {
                *open = None;
            }
            result.map_err(|source| ReadError::Sqlite {
                path: shared.path.display().to_string(),
                source,
            })
        });
        reading.await.map_err(|_| ReadError::Stopping)?
    }
}

fn events(connection: &Connection, sql: &str, params: impl Params) -> rusqlite::Result<Vec<Event>> {
    let mut statement = connection.prepare(sql)?;
    let events = statement.query_map(params, store::event)?;
    events.collect()
}

fn as_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
