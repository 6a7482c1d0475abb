//! Events that the journal could not keep, counted.

use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug, Default)]
pub(super) struct Losses {
    /// Since the daemon began.
    all: AtomicU64,
    /// Of these, the ones that no event has told of yet.
    untold: AtomicU64,
}

impl Losses {
    pub(super) fn add(&self, events: u64) {
        self.all.fetch_add(events, Ordering::Relaxed);
        self.untold.fetch_add(events, Ordering::Relaxed);
    }

    /// Those that are to be told of now.
    pub(super) fn take(&self) -> u64 {
        self.untold.swap(0, Ordering::Relaxed)
    }

    /// These could not be told of either.
    pub(super) fn put_back(&self, events: u64) {
        self.untold.fetch_add(events, Ordering::Relaxed);
    }

    pub(super) fn all(&self) -> u64 {
        self.all.load(Ordering::Relaxed)
    }
}
