//! The journal as a whole, on real files.

mod damage;
mod order;
mod room;

use super::{Entry, Journal, QUEUE, Reader, Recorder, shared::Shared, writer::Writer};
use crate::wire::{Event, Severity, Timestamp};
use std::{
    path::Path,
    sync::{Arc, mpsc::sync_channel},
    time::Duration,
};
use tempfile::TempDir;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(30);
const KEEP: Duration = Duration::from_secs(30 * 86_400);
const NOON: Timestamp = Timestamp::from_millis(1_766_811_600_000);

fn noon() -> Timestamp {
    NOON
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

fn open(dir: &TempDir) -> Journal {
    Journal::open(dir.path(), KEEP, noon)
}

fn entry(message: impl Into<String>) -> Entry {
    Entry::new("admin.test", Severity::Info, message)
}

/// Waits until so many events were written since the file was opened.
async fn until(reader: &Reader, last: &str) -> Vec<Event> {
    let mut newest = reader.newest();
    let written = async {
        loop {
            newest.borrow_and_update();
            let events = reader.before(None, 100_000).await.expect("it reads");
            if events.first().is_some_and(|event| event.message == last) {
                return events;
            }
            newest.changed().await.expect("the journal is open");
        }
    };
    timeout(SOON, written).await.expect("written in time")
}

fn messages(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.message.as_str()).collect()
}

/// A writer whose turns are taken by hand.
struct Bench {
    writer: Writer,
    recorder: Recorder,
    shared: Arc<Shared>,
}

fn bench(dir: &Path) -> (Bench, Recorder) {
    let shared = Arc::new(Shared::new(dir.join("journal.db"), KEEP));
    let (orders, queue) = sync_channel(QUEUE);
    let writer = Writer::new(Arc::clone(&shared), queue, noon);
    let recorder = Recorder {
        orders,
        shared: Arc::clone(&shared),
        ear: None,
        clock: noon,
    };
    let bench = Bench {
        writer,
        recorder: recorder.clone(),
        shared,
    };
    (bench, recorder)
}

impl Bench {
    fn orders(&self, count: usize, message: &str) {
        for _ in 0..count {
            self.recorder.record(entry(message));
        }
    }

    /// What is in the file, the oldest first.
    async fn kept(&self) -> Vec<(String, String)> {
        let reader = Reader::new(Arc::clone(&self.shared));
        let events = reader.before(None, 100_000).await.expect("it reads");
        let events = events.into_iter().rev();
        events.map(|event| (event.kind, event.message)).collect()
    }

    fn newest(&self) -> u64 {
        *self.shared.newest().borrow()
    }
}
