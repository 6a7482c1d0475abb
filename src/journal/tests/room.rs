//! What goes when there is no room, on the disk or in the queue.

use super::{KEEP, NOON, SOON, bench, entry, folder, messages, until};
use crate::{
    journal::{Entry, Journal, QUEUE, store::MAX_BYTES},
    wire::{Severity, Timestamp},
};
use std::{
    fs,
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

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
