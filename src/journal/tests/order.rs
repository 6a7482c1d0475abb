//! Each event once and in order, to each who reads.

use super::{KEEP, NOON, SOON, entry, folder, messages, noon, open, until};
use crate::{
    journal::{
        Entry, Journal,
        store::{self, Store},
        writer::Order,
    },
    wire::{Event, Severity, State, Timestamp},
};
use std::{fs, os::unix::fs::PermissionsExt, time::Duration};
use tokio::time::timeout;

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
async fn a_reader_does_not_hold_the_writer_up() {
    let dir = folder();
    let journal = open(&dir);
    let recorder = journal.recorder();
    recorder.record(entry("first"));
    let reader = journal.reader();
    until(&reader, "first").await;
    let connection = store::open_to_read(&dir.path().join("journal.db")).expect("opens");
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
