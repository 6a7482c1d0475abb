//! The one writer, on a thread of its own: a disk that takes its time holds up
//! nobody else.

use super::{
    entry::Entry,
    shared::Shared,
    store::{MAX_BYTES, Store, is_damage},
};
use crate::wire::{Event, Severity, Timestamp};
use rusqlite::ErrorCode;
use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

/// What the writer is told.
#[derive(Debug)]
pub(super) enum Order {
    Append(Timestamp, Entry),
    /// Something else has changed: look.
    Wake,
}

/// Events in one commit. While one is synced the next gather, so a flood costs
/// one sync for each so many.
const BATCH: usize = 256;

/// How often events that have grown too old are looked for.
const PRUNE_EVERY: Duration = Duration::from_secs(3600);

/// So many refusals stay when room is short: some 5 MiB.
const REFUSALS: u32 = 50_000;
/// Events removed in one go: a fraction of a second, then new ones are heard
/// again.
const PRUNE_STEP: u32 = 5_000;

/// How soon the file is tried again after it could not be written.
const RETRY: Duration = Duration::from_secs(10);

pub(super) struct Writer {
    pub(super) shared: Arc<Shared>,
    pub(super) orders: Receiver<Order>,
    pub(super) clock: fn() -> Timestamp,
    /// None while the file cannot be used.
    pub(super) store: Option<Store>,
    /// Past this it is tried again.
    pub(super) retry_at: Option<Instant>,
    /// None: as soon as possible.
    pub(super) pruned_at: Option<Instant>,
    /// The age that was pruned by.
    pub(super) kept: Duration,
}

impl Writer {
    pub(super) fn new(
        shared: Arc<Shared>,
        orders: Receiver<Order>,
        clock: fn() -> Timestamp,
    ) -> Self {
        let mut writer = Self {
            kept: shared.keep(),
            shared,
            orders,
            clock,
            store: None,
            retry_at: None,
            pruned_at: None,
        };
        writer.write(Vec::new());
        writer
    }

    /// Until it is told to close, or nobody can record any more.
    pub(super) fn run(mut self) {
        while self.turn() {}
    }

    /// Waits for events and writes what there is; false when it is the end.
    pub(super) fn turn(&mut self) -> bool {
        // Asked before the queue is emptied: what came in until then is written.
        let closing = self.shared.is_closing();
        let mut next = match self.orders.recv_timeout(self.patience()) {
            Ok(order) => Some(order),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return false,
        };
        let mut batch = Vec::new();
        while let Some(order) = next {
            if let Order::Append(at, entry) = order {
                batch.push((at, entry));
            }
            next = None;
            if batch.len() < BATCH {
                next = self.orders.try_recv().ok();
            }
        }
        let emptied = batch.len() < BATCH;
        self.write(batch);
        self.mark();
        self.prune();
        !(closing && emptied)
    }

    fn patience(&self) -> Duration {
        if self.shared.is_closing() {
            Duration::ZERO
        } else if self.retry_at.is_some() {
            RETRY
        } else if self.pruned_at.is_none() {
            Duration::ZERO
        } else {
            PRUNE_EVERY
        }
    }

    /// Opens the file when it is not, and it is time to try. Gives what there is
    /// to tell of a damaged one.
    fn open(&mut self) -> Option<Entry> {
        let now = Instant::now();
        if self.store.is_some() || self.retry_at.is_some_and(|at| now < at) {
            return None;
        }
        let given = *self.shared.newest().borrow();
        let opened = Store::open(&self.shared.path, (self.clock)(), given)
            .map_err(|error| error.to_string())
            .and_then(|(store, aside)| {
                let newest = store.newest().map_err(|error| error.to_string())?;
                Ok((store, aside, newest))
            });
        match opened {
            Ok((store, aside, newest)) => {
                self.store = Some(store);
                self.retry_at = None;
                self.shared.opened(newest);
                let told = Entry::new("connection.store", Severity::Warning, aside?);
                told.tell();
                Some(told)
            }
            Err(why) => {
                self.failed(&why);
                None
            }
        }
    }

    /// Appends the batch, and how many were lost before it. What cannot be
    /// written is lost: nobody waits for a disk.
    fn write(&mut self, mut batch: Vec<(Timestamp, Entry)>) {
        let lost = self.shared.lost.take();
        let note = (lost > 0).then(|| lost_note(lost));
        let events = batch.len() as u64;
        let now = (self.clock)();
        batch.splice(..0, note.clone().map(|note| (now, note)));
        match self.append(&mut batch) {
            Ok(Some(written)) => {
                self.retry_at = None;
                self.shared.written(written);
                if let Some(note) = note {
                    note.tell();
                }
                return;
            }
            Ok(None) => {}
            Err(error) => self.give_up(&error),
        }
        self.shared.lost.put_back(lost);
        self.shared.lost.add(events);
    }

    /// The events as they were written, if any was.
    fn append(
        &mut self,
        batch: &mut Vec<(Timestamp, Entry)>,
    ) -> rusqlite::Result<Option<Vec<Event>>> {
        let now = (self.clock)();
        batch.splice(..0, self.open().map(|told| (now, told)));
        let Some(store) = self.store.as_mut().filter(|_| !batch.is_empty()) else {
            return Ok(None);
        };
        match store.append(batch) {
            Err(error) if is_damage(&error) => {
                // Opening it anew sets it aside.
                self.store = None;
                batch.splice(..0, self.open().map(|told| (now, told)));
                match &mut self.store {
                    Some(store) => store.append(batch).map(Some),
                    None => Ok(None),
                }
            }
            appended => appended.map(Some),
        }
    }

    /// Writes the bookmarks that have changed. Those that cannot be written stay
    /// for the next turn.
    fn mark(&mut self) {
        let pending = self.shared.bookmarks.all();
        let Some(store) = self.store.as_mut().filter(|_| !pending.is_empty()) else {
            return;
        };
        match store.mark(&pending) {
            Ok(()) => {
                self.shared.bookmarks.written(&pending);
                self.retry_at = None;
                self.shared.written(Vec::new());
            }
            Err(error) => self.give_up(&error),
        }
    }

    /// After a failure that may pass the file stays open, else it is opened
    /// anew later.
    fn give_up(&mut self, error: &rusqlite::Error) {
        let passing = matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
        );
        if !passing {
            self.store = None;
        }
        self.failed(&format!("{}: {error}", self.shared.path.display()));
    }

    /// Says the trouble once, while it lasts.
    fn failed(&mut self, why: &str) {
        self.retry_at = Some(Instant::now() + RETRY);
        let told = format!(
            "events cannot be kept: {why}: free some space, or make the state directory writable; until then they are only in the log"
        );
        if self.shared.set_trouble(told.clone()) {
            // Only in the log, as it says.
            Entry::new("connection.store", Severity::Warning, told).tell();
        }
    }

    /// Removes what is too old or too much, a step at a time.
    fn prune(&mut self) {
        let keep = self.shared.keep();
        let due = keep != self.kept || self.pruned_at.is_none_or(|at| at.elapsed() >= PRUNE_EVERY);
        self.kept = keep;
        let now = (self.clock)();
        let shared = &self.shared;
        let Some(store) = &mut self.store else { return };
        let remove = |store: &mut Store, cutoff| {
            let (removed, through) = store.prune(cutoff, PRUNE_STEP)?;
            shared.pruned(through);
            Ok::<_, rusqlite::Error>(removed)
        };
        let pruned = (|| {
            if store.used()? > MAX_BYTES {
                store.prune_refusals(REFUSALS)?;
            }
            while store.used()? > MAX_BYTES {
                if remove(store, Timestamp::from_millis(i64::MAX))? == 0 {
                    break;
                }
            }
            if !due {
                return Ok(self.pruned_at);
            }
            let age = i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
            let cutoff = Timestamp::from_millis(now.millis().saturating_sub(age));
            let removed = remove(store, cutoff)?;
            let more = removed == PRUNE_STEP as usize;
            Ok::<_, rusqlite::Error>((!more).then(Instant::now))
        })();
        match pruned {
            Ok(pruned_at) => self.pruned_at = pruned_at,
            Err(error) => {
                // Tried again in its time; appending says it aloud.
                self.pruned_at = Some(Instant::now());
                tracing::debug!("old events cannot be removed: {error}");
            }
        }
    }
}

fn lost_note(lost: u64) -> Entry {
    Entry::new(
        "admin.events_lost",
        Severity::Warning,
        format!("{lost} events could not be kept: they are only in the log"),
    )
}
