//! What the writer and everybody else know of each other.

use super::{bookmark::Pending, losses::Losses, recent::Recent};
use crate::wire::Event;
use std::{
    path::PathBuf,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::watch;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) path: PathBuf,
    /// What found the queue full, or the disk.
    pub(super) lost: Losses,
    /// In milliseconds.
    keep: AtomicU64,
    closing: AtomicBool,
    /// Grows when another file takes the name.
    file: AtomicU64,
    /// The id of the newest event that is on the disk.
    newest: watch::Sender<u64>,
    recent: Mutex<Recent>,
    pub(super) bookmarks: Pending,
    /// Why events cannot be kept, while they cannot.
    trouble: watch::Sender<Option<String>>,
}

impl Shared {
    pub(super) fn new(path: PathBuf, keep: Duration) -> Self {
        let shared = Self {
            path,
            lost: Losses::default(),
            keep: AtomicU64::new(0),
            closing: AtomicBool::new(false),
            file: AtomicU64::new(0),
            newest: watch::Sender::new(0),
            recent: Mutex::default(),
            bookmarks: Pending::default(),
            trouble: watch::Sender::new(None),
        };
        shared.set_keep(keep);
        shared
    }

    pub(super) fn keep(&self) -> Duration {
        Duration::from_millis(self.keep.load(Ordering::Relaxed))
    }

    pub(super) fn set_keep(&self, keep: Duration) {
        let millis = u64::try_from(keep.as_millis()).unwrap_or(u64::MAX);
        self.keep.store(millis, Ordering::Relaxed);
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Release);
    }

    /// The file was opened, perhaps anew and as another one.
    pub(super) fn opened(&self, newest: u64) {
        self.file.fetch_add(1, Ordering::AcqRel);
        self.recent().begin(newest);
        self.trouble.send_replace(None);
        self.newest.send_replace(newest);
    }

    /// Which opening of the file this is.
    pub(super) fn file(&self) -> u64 {
        self.file.load(Ordering::Acquire)
    }

    /// These are on the disk now.
    pub(super) fn written(&self, events: Vec<Event>) {
        self.trouble.send_replace(None);
        let Some(last) = events.last() else { return };
        let newest = last.id;
        self.recent().extend(events);
        self.newest.send_replace(newest);
    }

    /// Events up to this one are gone.
    pub(super) fn pruned(&self, through: u64) {
        self.recent().prune(through);
    }

    /// As [`Recent::after`].
    pub(super) fn after(&self, id: u64, limit: usize) -> Option<(Vec<Event>, u64)> {
        self.recent().after(id, limit)
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn newest(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble.borrow().clone()
    }

    /// True when there was none before.
    pub(super) fn set_trouble(&self, why: String) -> bool {
        self.trouble.send_replace(Some(why)).is_none()
    }
}
