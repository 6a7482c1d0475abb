//! Files that cannot be opened, are damaged, or were left by a crash.

use super::{SOON, bench, entry, folder, messages, open, until};
use crate::journal::Reader;
use std::{fs, sync::Arc};

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
