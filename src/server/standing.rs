//! How a connection stands: whether anybody knows it, and whether it is at work.

use crate::auth::Acquaintance;
use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};
use tokio::sync::{Notify, futures::Notified};

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
    /// How many requests had begun when there was last nothing more to read.
    read: AtomicU64,
    heard: AtomicU64,
    turns: Arc<Turns>,
}

/// What the connections of one kind of listener share.
#[derive(Debug, Default)]
pub(super) struct Turns {
    next: AtomicU64,
    /// Rung when a connection turns quiet or ends, if anybody listens: it is a
    /// lock, and every answer would take it.
    moved: Notify,
    listening: AtomicUsize,
}

/// Until dropped, connections that turn quiet or end say so.
pub(super) struct Attention<'a>(&'a Turns);

impl Turns {
    /// Numbers arrivals and answers in their order.
    pub(super) fn take(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn listen(&self) -> Attention<'_> {
        self.listening.fetch_add(1, Ordering::SeqCst);
        Attention(self)
    }

    /// A connection has turned quiet or ended. What shows that was written with
    /// [`Ordering::SeqCst`] or under a lock, so that who begins to listen and
    /// then looks misses nothing.
    pub(super) fn moved(&self) {
        if self.listening.load(Ordering::SeqCst) != 0 {
            self.moved.notify_waiters();
        }
    }
}

impl Attention<'_> {
    /// Is heard from its making on, not from when it is waited for.
    pub(super) fn next(&self) -> Notified<'_> {
        self.0.moved.notified()
    }
}

impl Drop for Attention<'_> {
    fn drop(&mut self) {
        self.0.listening.fetch_sub(1, Ordering::SeqCst);
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
            read: AtomicU64::new(0),
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
        // In this order: what has ended had begun.
        let ended = self.0.ended.load(Ordering::SeqCst);
        self.begun() != ended
    }

    /// How many requests have begun.
    pub(super) fn begun(&self) -> u64 {
        self.0.begun.load(Ordering::Relaxed)
    }

    /// All that has come so far is read.
    pub(super) fn has_read_all(&self) {
        self.0.read.store(self.begun(), Ordering::Relaxed);
    }

    /// How many requests have come at once, up to the one that began last. Over
    /// HTTP/2, whose reads tell nothing of it, how many have come at all.
    pub(super) fn in_a_row(&self) -> u64 {
        self.begun() - self.0.read.load(Ordering::Relaxed)
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
        standing.ended.fetch_add(1, Ordering::SeqCst);
        if standing.acquaintance.is_made() {
            let turn = standing.turns.take();
            standing.heard.store(turn, Ordering::Relaxed);
            standing.turns.moved();
        }
    }
}
