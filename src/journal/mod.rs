//! What has happened, in `STATE/journal.db`: in order, durably, each event with
//! an id that never comes again.
//!
//! Owns the file, its one writer, and the cursors that read it. Must not know
//! what events mean, nor hold anybody up: [`Recorder::record`] never waits, and
//! a journal that cannot be written costs the daemon nothing but events.

mod bookmark;
mod cursor;
mod ear;
mod entry;
mod losses;
mod reader;
mod recent;
mod recorder;
mod shared;
mod store;
#[cfg(test)]
mod tests;
mod writer;

pub use bookmark::Bookmark;
pub use cursor::Cursor;
pub use ear::Ear;
pub use entry::Entry;
pub use reader::{Count, Page, ReadError, Reader};
pub use recorder::Recorder;

use crate::wire::Timestamp;
use shared::Shared;
use std::{
    path::Path,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, sync_channel},
    },
    thread,
    time::Duration,
};
use writer::Writer;

/// Events waiting to be written. Calls and the link make a few a second; this
/// is some seconds of a flood, and well below 10 MiB whatever is in them.
const QUEUE: usize = 1024;

/// The open journal. Whoever holds it closes it.
#[derive(Debug)]
pub struct Journal {
    recorder: Recorder,
    reader: Reader,
    shared: Arc<Shared>,
    /// Ends with the writer.
    written: Receiver<()>,
}

impl Journal {
    /// Opens `journal.db` in `state_dir`, which exists, and begins to write. A
    /// damaged file is set aside, with an event. One that cannot be used at all
    /// is tried again later; [`Reader::trouble`] tells of it.
    ///
    /// Events stay for `keep`, unless they are more than 32 MiB.
    pub fn open(state_dir: &Path, keep: Duration, clock: fn() -> Timestamp) -> Self {
        let shared = Arc::new(Shared::new(state_dir.join("journal.db"), keep));
        let (sender, orders) = sync_channel(QUEUE);
        let writer = Writer::new(Arc::clone(&shared), orders, clock);
        let (end, written) = sync_channel::<()>(0);
        let spawned = thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || {
                writer.run();
                drop(end);
            });
        if let Err(error) = spawned {
            shared.set_trouble(format!("events cannot be kept: no thread: {error}"));
        }
        Self {
            recorder: Recorder {
                orders: sender,
                shared: Arc::clone(&shared),
                ear: None,
                clock,
            },
            reader: Reader::new(Arc::clone(&shared)),
            shared,
            written,
        }
    }

    /// Where events go in.
    pub fn recorder(&self) -> Recorder {
        self.recorder.clone()
    }

    /// Where events come out.
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// Changes how long events stay.
    pub fn keeper(&self) -> Keeper {
        Keeper {
            shared: Arc::clone(&self.shared),
            recorder: self.recorder.clone(),
        }
    }

    /// Keeps the places of those who read.
    pub fn bookmarks(&self) -> Bookmarks {
        Bookmarks {
            shared: Arc::clone(&self.shared),
            recorder: self.recorder.clone(),
        }
    }

    /// Writes what has been recorded and closes the file; gives up on a disk
    /// that takes longer than `within`.
    pub fn close(self, within: Duration) {
        self.shared.close();
        self.recorder.wake();
        if self.written.recv_timeout(within) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("the last events were not written in time; they are only in the log");
        }
    }
}

/// A hold on the bookmarks. [`Reader::bookmark`] reads them.
#[derive(Debug, Clone)]
pub struct Bookmarks {
    shared: Arc<Shared>,
    recorder: Recorder,
}

impl Bookmarks {
    /// Has it written, soon. What is set for the same name before that takes its
    /// place.
    pub fn set(&self, name: &str, bookmark: Bookmark) {
        self.put(name, Some(bookmark));
    }

    /// Has it removed, soon.
    pub fn remove(&self, name: &str) {
        self.put(name, None);
    }

    fn put(&self, name: &str, bookmark: Option<Bookmark>) {
        self.shared.bookmarks.set(name, bookmark);
        self.recorder.wake();
    }
}

/// A hold on how long events stay.
#[derive(Debug, Clone)]
pub struct Keeper {
    shared: Arc<Shared>,
    recorder: Recorder,
}

impl Keeper {
    /// Events older than this go, soon.
    pub fn set(&self, keep: Duration) {
        self.shared.set_keep(keep);
        self.recorder.wake();
    }
}
