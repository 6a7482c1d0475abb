//! The journal as a whole, on real files.

use super::{
    Entry, Journal, QUEUE, Reader, Recorder,
    shared::Shared,
    store::{MAX_BYTES, Store},
    writer::{Order, Writer},
};
use crate::wire::{Event, Severity, State, Timestamp};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
        mpsc::sync_channel,
    },
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

#[tokio::test]
async fn events_are_kept_whole_and_in_order() {
    let dir = folder();
    let journal = open(&dir);
    let recorder = journal.recorder();
    let whole = entry("one")
        .state(State::WaitingQr)
        .reason(Some("network"))
        .peer("192.0.2.1:4711")
        .key(Some("dashboard"))
        .suppressed(3);
    recorder.record(whole);
    recorder.record(Entry::new("auth.refused", Severity::Warning, "two"));
    let long = "ä".repeat(4_000);
    recorder.record(entry(long.as_str()));
    recorder.record(entry("four"));
    let reader = journal.reader();
    let events = until(&reader, "four").await;
    let [four, cut, two, one] = &events[..] else {
        panic!("{events:?}");
    };
    assert!(one.id < two.id && two.id < cut.id && cut.id < four.id);
    let expected = Event {
        id: one.id,
        kind: "admin.test".to_owned(),
        at: NOON,
        severity: Severity::Info,
        message: "one".to_owned(),
        state: Some(State::WaitingQr),
        reason: Some("network".to_owned()),
        peer: Some("192.0.2.1:4711".to_owned()),
        key: Some("dashboard".to_owned()),
        suppressed: Some(3),
    };
    assert_eq!(*one, expected);
    assert_eq!((two.severity, &two.key), (Severity::Warning, &None));
    assert!(long.starts_with(&cut.message) && cut.message.len() == 4096);
    let mode = fs::metadata(dir.path().join("journal.db")).expect("there");
    assert_eq!(mode.permissions().mode() & 0o777, 0o600);

    let earlier = reader.before(Some(cut.id), 1).await.expect("it reads");
    assert_eq!(messages(&earlier), ["two"]);
    let page = reader.after(one.id, 2).await.expect("it reads");
    assert_eq!((page.gap, page.next), (false, cut.id));
    assert_eq!(page.events[0], *two);
    for id in [0, u64::MAX] {
        let none = reader.before(Some(id), 10).await.expect("it reads");
        assert_eq!(none.len(), if id == 0 { 0 } else { 4 });
    }
}

#[tokio::test]
async fn no_id_comes_twice() {
    let dir = folder();
    let mut last = 0;
    for round in ["first", "again", "after it was emptied", "from a lost file"] {
        if round == "from a lost file" {
            fs::remove_file(dir.path().join("journal.db")).expect("removed");
        }
        let clock = match round {
            "from a lost file" => || NOON.plus_millis(60_000),
            _ => noon,
        };
        let journal = Journal::open(dir.path(), KEEP, clock);
        journal.recorder().record(entry(round));
        let id = until(&journal.reader(), round).await[0].id;
        assert!(id > last, "{round}: {id} after {last}");
        last = id;
        journal.close(SOON);
        if round == "again" {
            let (mut store, _) =
                Store::open(&dir.path().join("journal.db"), NOON, 0).expect("opens");
            let all = Timestamp::from_millis(i64::MAX);
            assert_eq!(store.prune(all, 100).expect("pruned").0, 2);
        }
    }
    // JavaScript reads it exactly.
    assert!(last < 1 << 53);
}

#[tokio::test]
async fn a_cursor_waits_and_misses_nothing() {
    let dir = folder();
    let journal = open(&dir);
    let recorder = journal.recorder();
    let mut cursor = journal.reader().cursor(None);
    let writer = std::thread::spawn(move || {
        for number in 0..2_000 {
            let append = || Order::Append(NOON, entry(number.to_string()));
            // The queue is shorter than this.
            while recorder.orders.try_send(append()).is_err() {
                std::thread::yield_now();
            }
        }
    });
    let mut seen = Vec::new();
    while seen.len() < 2_000 {
        let at = cursor.id();
        // Dropped in the middle, it has not moved.
        let page = match timeout(Duration::ZERO, cursor.next(7)).await {
            Ok(page) => page,
            Err(_) => {
                assert_eq!(cursor.id(), at);
                timeout(SOON, cursor.next(7)).await.expect("in time")
            }
        };
        let page = page.expect("it reads");
        assert!(!page.gap && page.events.len() <= 7 && page.events[0].id > at);
        seen.extend(page.events.into_iter().map(|event| event.message));
    }
    writer.join().expect("no panic");
    let expected: Vec<String> = (0..2_000).map(|number| number.to_string()).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_gap_is_told_once() {
    let dir = folder();
    let journal = open(&dir);
    for number in 0..10 {
        journal.recorder().record(entry(number.to_string()));
    }
    let events = until(&journal.reader(), "9").await;
    journal.close(SOON);
    let (mut store, _) = Store::open(&dir.path().join("journal.db"), NOON, 0).expect("opens");
    let all = Timestamp::from_millis(i64::MAX);
    assert_eq!(store.prune(all, 4).expect("pruned").0, 4);
    drop(store);

    let journal = open(&dir);
    let reader = journal.reader();
    let ids: Vec<u64> = events.iter().rev().map(|event| event.id).collect();
    for (id, gap, first) in [
        (0, false, "4"),
        (ids[2], true, "4"),
        // What was removed last is not missing to whoever has it.
        (ids[3], false, "4"),
        (ids[8], false, "9"),
        // Of another journal.
        (ids[0] - 1, true, "4"),
        (u64::MAX, true, "4"),
    ] {
        let page = reader.after(id, 100).await.expect("it reads");
        assert_eq!((page.gap, &*page.events[0].message), (gap, first), "{id}");
        assert_eq!(page.next, ids[9]);
    }
    let mut cursor = reader.cursor(Some(ids[0]));
    assert!(cursor.next(1).await.expect("it reads").gap);
    assert!(!cursor.next(1).await.expect("it reads").gap);
}

#[tokio::test]
async fn memory_and_disk_tell_the_same() {
    let dir = folder();
    let journal = open(&dir);
    let recorder = journal.recorder();
    recorder.record(entry("one").state(State::Idle).reason(Some("network")));
    recorder.record(entry("two").peer("192.0.2.1:4711").key(Some("dashboard")));
    recorder.record(Entry::new("auth.refused", Severity::Warning, "three").suppressed(3));
    let reader = journal.reader();
    let mut disk = until(&reader, "three").await;
    disk.reverse();
    let shared = &journal.shared;
    for (at, event) in disk.iter().enumerate() {
        let (memory, next) = shared.after(event.id, 100).expect("it is recent");
        assert_eq!(memory, disk[at + 1..]);
        assert_eq!(next, disk[2].id);
        let page = reader.after(event.id, 100).await.expect("it reads");
        assert_eq!((page.gap, page.events, page.next), (false, memory, next));
    }
    // Only the disk knows whether there was one before the first.
    assert_eq!(shared.after(0, 100), None);
}

#[tokio::test]
async fn old_events_go_and_a_reload_changes_how_old() {
    static CLOCK: AtomicI64 = AtomicI64::new(0);
    fn clock() -> Timestamp {
        NOON.plus_millis(CLOCK.load(Ordering::Relaxed))
    }
    let dir = folder();
    let journal = Journal::open(dir.path(), KEEP, clock);
    let (recorder, reader) = (journal.recorder(), journal.reader());
    recorder.record(entry("old"));
    let old = until(&reader, "old").await[0].id;
    CLOCK.store(3_600_000, Ordering::Relaxed);
    recorder.record(entry("new"));
    until(&reader, "new").await;
    journal.keeper().set(Duration::from_secs(1_800));
    let deadline = std::time::Instant::now() + SOON;
    // Memory, which tells of it here, forgets it after the disk does.
    loop {
        let page = reader.after(old - 1, 10).await.expect("it reads");
        if page.gap {
            assert_eq!(messages(&page.events), ["new"]);
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{page:?}");
        tokio::task::yield_now().await;
    }
    let events = reader.before(None, 10).await.expect("it reads");
    assert_eq!(messages(&events), ["new"]);
}

#[test]
fn the_file_stays_within_its_bound() {
    let dir = folder();
    let (mut bench, _recorder) = bench(dir.path());
    let message = "x".repeat(4_000);
    let batches = MAX_BYTES / 4_096 / 256 * 3 / 2;
    let path = dir.path().join("journal.db");
    for _ in 0..batches {
        bench.orders(256, &message);
        bench.writer.turn();
        let size = fs::metadata(&path).expect("there").len();
        assert!(size < MAX_BYTES + (4 << 20), "{size}");
        let log = fs::metadata(path.with_extension("db-wal")).expect("there");
        assert!(log.len() < 12 << 20, "{}", log.len());
    }
    let store = bench.writer.store.as_ref().expect("open");
    assert!(store.used().expect("it answers") <= MAX_BYTES);
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

#[tokio::test]
async fn a_flood_is_counted_and_nobody_waits() {
    let dir = folder();
    let (mut bench, _) = bench(dir.path());
    bench.orders(QUEUE + 7, "flood");
    for _ in 0..QUEUE / 256 {
        assert!(bench.writer.turn());
    }
    let kept = bench.kept().await;
    let (notes, flood): (Vec<_>, Vec<_>) = kept
        .iter()
        .partition(|(kind, _)| kind == "admin.events_lost");
    assert_eq!(flood.len(), QUEUE);
    assert_eq!(notes.len(), 1);
    assert!(notes[0].1.starts_with("7 events"), "{notes:?}");
    assert_eq!(bench.shared.lost.all(), 7);
}

#[tokio::test]
async fn a_full_disk_costs_only_events() {
    let dir = folder();
    let (mut bench, _) = bench(dir.path());
    bench.orders(1, "before");
    bench.writer.turn();
    let before = bench.newest();
    let store = bench.writer.store.as_ref().expect("open");
    store.fill();
    let long = "x".repeat(4_000);
    for _ in 0..3 {
        bench.orders(20, &long);
        bench.writer.turn();
    }
    let trouble = bench.shared.trouble().expect("told");
    assert!(
        trouble.contains("journal.db") && trouble.contains("full"),
        "{trouble}"
    );
    assert_eq!(bench.newest(), before);
    // Room again.
    bench.writer.store = None;
    bench.writer.retry_at = None;
    bench.orders(1, "after");
    bench.writer.turn();
    assert_eq!(bench.shared.trouble(), None);
    let kept = bench.kept().await;
    let kept: Vec<&str> = kept.iter().map(|(_, message)| message.as_str()).collect();
    let lost = "60 events could not be kept: they are only in the log";
    assert_eq!(kept, ["before", lost, "after"]);
    assert_eq!(bench.shared.lost.all(), 60);
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_tried_again() {
    let dir = folder();
    let path = dir.path().join("journal.db");
    fs::create_dir(&path).expect("made");
    let (mut bench, _) = bench(dir.path());
    assert!(bench.shared.trouble().is_some());
    let reader = Reader::new(Arc::clone(&bench.shared));
    let error = reader.before(None, 1).await.expect_err("nothing to read");
    assert!(error.to_string().contains("journal.db"), "{error}");
    bench.orders(2, "lost");
    bench.writer.turn();
    fs::remove_dir(&path).expect("removed");
    bench.writer.retry_at = None;
    bench.orders(1, "kept");
    bench.writer.turn();
    assert_eq!(bench.shared.trouble(), None);
    let kept = bench.kept().await;
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert!(kept[0].1.starts_with("2 events"), "{kept:?}");
}

#[tokio::test]
async fn a_damaged_file_is_set_aside_and_a_new_one_begins() {
    let other = tempfile::NamedTempFile::new().expect("a file");
    let connection = rusqlite::Connection::open(other.path()).expect("opens");
    connection
        .execute_batch("CREATE TABLE t (x)")
        .expect("made");
    drop(connection);
    let foreign = fs::read(other.path()).expect("read");
    for rubbish in [b"this is no database, only some text", &*foreign] {
        let dir = folder();
        fs::write(dir.path().join("journal.db"), rubbish).expect("written");
        let journal = open(&dir);
        journal.recorder().record(entry("new"));
        let events = until(&journal.reader(), "new").await;
        let [_, told] = &events[..] else {
            panic!("{events:?}")
        };
        assert_eq!(told.kind, "connection.store");
        let aside = dir.path().join("journal.db.damaged-20251227T050000000Z");
        let name = aside.to_string_lossy();
        assert!(told.message.contains(&*name), "{told:?}");
        let kept = fs::read(&aside).expect("kept");
        assert!(kept == rubbish, "it was changed");
    }
}

#[tokio::test]
async fn refusals_make_room_first() {
    let dir = folder();
    let (mut bench, recorder) = bench(dir.path());
    for number in 0..20 {
        recorder.record(entry("admin"));
        let refused = format!("refused {number}");
        recorder.record(Entry::new("auth.refused", Severity::Warning, refused));
    }
    bench.writer.turn();
    let store = bench.writer.store.as_mut().expect("open");
    assert_eq!(store.prune_refusals(5).expect("written"), 15);
    assert_eq!(store.prune_refusals(5).expect("written"), 0);
    let kept = bench.kept().await;
    let refusals = kept.iter().filter(|(_, told)| told.starts_with("refused"));
    let refusals: Vec<_> = refusals.map(|(_, told)| told.as_str()).collect();
    assert_eq!(refusals.len(), 5, "{refusals:?}");
    assert!(refusals.contains(&"refused 19") && refusals.contains(&"refused 15"));
    assert_eq!(kept.len(), 25);
}

#[tokio::test]
async fn damage_while_it_is_open_is_noticed() {
    let dir = folder();
    let path = dir.path().join("journal.db");
    let (mut bench, _) = bench(dir.path());
    bench.orders(200, &"x".repeat(1_000));
    bench.writer.turn();
    let reader = Reader::new(Arc::clone(&bench.shared));
    let old = reader.before(None, 1).await.expect("it reads")[0].id;
    bench.writer.store.as_ref().expect("open").let_go();
    let mut bytes = fs::read(&path).expect("read");
    // Behind the first page, which SQLite would not read again.
    bytes[4_096..].fill(0xaa);
    fs::write(&path, bytes).expect("written");
    bench.orders(1, "after");
    bench.writer.turn();
    // The same reader goes on with the new file.
    let page = reader.after(old, 10).await.expect("it reads");
    assert!(!page.gap, "the newest was known");
    assert_eq!(messages(&page.events)[1..], ["after"]);
    assert!(page.events[0].id > old);
    assert!(reader.after(old - 1, 10).await.expect("it reads").gap);
}

#[tokio::test]
async fn a_crash_loses_nothing_that_was_told() {
    let dir = folder();
    let journal = open(&dir);
    for number in 0..500 {
        journal.recorder().record(entry(number.to_string()));
    }
    let events = until(&journal.reader(), "499").await;
    // As `kill -9` leaves the files: nothing closed, nothing checkpointed.
    let after = folder();
    for name in ["journal.db", "journal.db-wal"] {
        fs::copy(dir.path().join(name), after.path().join(name)).expect("copied");
    }
    let revived = open(&after);
    assert_eq!(
        revived
            .reader()
            .before(None, 1_000)
            .await
            .expect("it reads"),
        events
    );
}

#[tokio::test]
async fn a_reader_does_not_hold_the_writer_up() {
    let dir = folder();
    let journal = open(&dir);
    let recorder = journal.recorder();
    recorder.record(entry("first"));
    let reader = journal.reader();
    until(&reader, "first").await;
    let connection = super::store::open_to_read(&dir.path().join("journal.db")).expect("opens");
    connection.execute_batch("BEGIN").expect("begun");
    let count = || -> i64 {
        let sql = "SELECT count(*) FROM event";
        connection
            .query_row(sql, [], |row| row.get(0))
            .expect("it reads")
    };
    assert_eq!(count(), 1);
    recorder.record(entry("second"));
    until(&reader, "second").await;
    assert_eq!(count(), 1, "it sees what was there when it began");
    let refused = connection.execute("DELETE FROM event", []);
    assert!(refused.is_err(), "and can write nothing");
}

#[tokio::test]
async fn closing_writes_what_is_in_the_queue() {
    let dir = folder();
    let journal = open(&dir);
    for number in 0..600 {
        journal.recorder().record(entry(number.to_string()));
    }
    journal.close(SOON);
    let journal = open(&dir);
    let events = journal
        .reader()
        .before(None, 1_000)
        .await
        .expect("it reads");
    assert_eq!(events.len(), 600);
}
