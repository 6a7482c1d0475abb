//! Where events come in.

use super::{ear::Ear, entry::Entry, shared::Shared, writer::Order};
use crate::wire::Timestamp;
use std::sync::{Arc, mpsc::SyncSender};

/// Takes events: a cheap, cloneable hold on the journal that never waits.
#[derive(Debug, Clone)]
pub struct Recorder {
    pub(super) orders: SyncSender<Order>,
    pub(super) shared: Arc<Shared>,
    pub(super) ear: Option<Arc<dyn Ear>>,
    pub(super) clock: fn() -> Timestamp,
}

impl Recorder {
    /// The same, heard by `ear`.
    #[must_use]
    pub fn heard_by(self, ear: Arc<dyn Ear>) -> Self {
        Self {
            ear: Some(ear),
            ..self
        }
    }

    /// Writes the line in the log, and has the event appended to the journal.
    /// Where the journal cannot keep up the event is lost to it, and counted.
    pub fn record(&self, entry: Entry) {
        let entry = entry.short();
        entry.tell();
        if let Some(ear) = &self.ear {
            ear.hear(&entry);
        }
        let order = Order::Append((self.clock)(), entry);
        if self.orders.try_send(order).is_err() {
            self.shared.lost.add(1);
        }
    }

    /// Has the writer look around. When the queue is full it is awake.
    pub(super) fn wake(&self) {
        let _ = self.orders.try_send(Order::Wake);
    }
}
