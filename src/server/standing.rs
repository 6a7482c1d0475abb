//! How a connection stands: whether anybody knows it, and whether it is at work.

use crate::auth::Acquaintance;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio::sync::Notify;

/// Shared by a connection's stream, its requests, and the list of all
/// connections.
///
/// hyper's own time limit for headers runs between requests too, so it cannot
/// tell a slow header from a quiet keep-alive; what is counted here tells them
/// apart.
#[derive(Debug, Clone)]
pub(super) struct Standing(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    acquaintance: Acquaintance,
    begun: AtomicU64,
    ended: AtomicU64,
    heard: AtomicU64,
    turns: Arc<Turns>,
}

/// What the connections of one kind of listener share.
#[derive(Debug, Default)]
pub(super) struct Turns {
    next: AtomicU64,
    /// Rung when a connection turns quiet or ends.
    pub(super) moved: Notify,
}

impl Turns {
    /// Numbers arrivals and answers in their order.
    pub(super) fn take(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }
}

/// A request that is being answered, until dropped.
#[derive(Debug)]
pub(super) struct Answering(Standing);

impl Standing {
    pub(super) fn new(arrival: u64, turns: Arc<Turns>) -> Self {
        Self(Arc::new(Inner {
            acquaintance: Acquaintance::default(),
            begun: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            heard: AtomicU64::new(arrival),
            turns,
        }))
    }

    /// For those who let its calls in.
    pub(super) fn acquaintance(&self) -> Acquaintance {
        self.0.acquaintance.clone()
    }

    pub(super) fn is_known(&self) -> bool {
        self.0.acquaintance.is_made()
    }

    pub(super) fn begin(&self) -> Answering {
        self.0.begun.fetch_add(1, Ordering::Relaxed);
        Answering(self.clone())
    }

    pub(super) fn is_answering(&self) -> bool {
        self.0.begun.load(Ordering::Relaxed) != self.0.ended.load(Ordering::Relaxed)
    }

    /// How many requests have begun.
    pub(super) fn begun(&self) -> u64 {
        self.0.begun.load(Ordering::Relaxed)
    }

    /// Names one stretch between two changes: a beginning or an end.
    pub(super) fn stretch(&self) -> u64 {
        self.begun() + self.0.ended.load(Ordering::Relaxed)
    }

    /// Who was heard before whom. A stranger is not heard, however much it
    /// says: it stays where it came in.
    pub(super) fn heard(&self) -> u64 {
        self.0.heard.load(Ordering::Relaxed)
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let standing = &self.0.0;
        standing.ended.fetch_add(1, Ordering::Relaxed);
        if standing.acquaintance.is_made() {
            let turn = standing.turns.take();
            standing.heard.store(turn, Ordering::Relaxed);
            standing.turns.moved.notify_waiters();
        }
    }
}
