//! Where events come in.

use super::{entry::Entry, writer::Order};
use crate::wire::Timestamp;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
    mpsc::SyncSender,
};

/// Takes events: a cheap, cloneable hold on the journal that never waits.
#[derive(Debug, Clone)]
pub struct Recorder {
    pub(super) orders: SyncSender<Order>,
    /// How many found the queue full, or the disk.
    pub(super) lost: Arc<AtomicU64>,
    pub(super) clock: fn() -> Timestamp,
}

impl Recorder {
    /// Writes the line in the log, and has the event appended to the journal.
    /// Where the journal cannot keep up the event is lost to it, and counted.
    pub fn record(&self, entry: Entry) {
        let entry = entry.short();
        entry.tell();
        let order = Order::Append((self.clock)(), entry);
        if self.orders.try_send(order).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Has the writer look around. When the queue is full it is awake.
    pub(super) fn wake(&self) {
        let _ = self.orders.try_send(Order::Wake);
    }
}
