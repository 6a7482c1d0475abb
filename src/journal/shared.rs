//! What the writer and everybody else know of each other.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};
use tokio::sync::watch;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) path: PathBuf,
    /// In milliseconds.
    keep: AtomicU64,
    closing: AtomicBool,
    /// Grows when another file takes the name.
    file: AtomicU64,
    /// The id of the newest event that is on the disk.
    newest: watch::Sender<u64>,
    /// Why events cannot be kept, while they cannot.
    trouble: watch::Sender<Option<String>>,
}

impl Shared {
    pub(super) fn new(path: PathBuf, keep: Duration) -> Self {
        let shared = Self {
            path,
            keep: AtomicU64::new(0),
            closing: AtomicBool::new(false),
            file: AtomicU64::new(0),
            newest: watch::Sender::new(0),
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
        self.trouble.send_replace(None);
        self.newest.send_replace(newest);
    }

    /// Which opening of the file this is.
    pub(super) fn file(&self) -> u64 {
        self.file.load(Ordering::Acquire)
    }

    /// A batch is on the disk.
    pub(super) fn written(&self, newest: u64) {
        self.trouble.send_replace(None);
        self.newest.send_replace(newest);
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
