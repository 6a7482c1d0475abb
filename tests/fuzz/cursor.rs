//! Places in the journal, as clients name them: any number.

use crate::edge::{Edge, runtime};
use std::time::{Duration, Instant};
use walinkd::{
    journal::{Entry, Reader},
    wire::{Event, Severity},
};

pub(super) const WORDS: &[&str] = &[
    "0",
    "1",
    "9",
    " ",
    "1766811600000",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
];

const EVENTS: usize = 40;
const DEADLINE: Duration = Duration::from_secs(20);

/// The input is an id and how many events to read at most.
pub(super) fn place() -> impl Fn(&[u8]) {
    let runtime = runtime();
    let edge = Edge::new();
    let reader = edge.journal.reader();
    let all = runtime.block_on(filled(&edge, &reader));
    move |input| {
        let _alive = &edge;
        let text = String::from_utf8_lossy(input);
        let mut numbers = text.split_whitespace().map(str::parse::<u64>);
        let (Some(Ok(id)), Some(Ok(most))) = (numbers.next(), numbers.next()) else {
            return;
        };
        let most = usize::try_from(most).unwrap_or(usize::MAX).max(1);
        runtime.block_on(async {
            before(&reader, &all, id, most).await;
            after(&reader, &all, id, most).await;
        });
    }
}

async fn filled(edge: &Edge, reader: &Reader) -> Vec<Event> {
    let recorder = edge.journal.recorder();
    for number in 0..EVENTS {
        let message = format!("event {number}");
        recorder.record(Entry::new("admin.pause", Severity::Info, message));
    }
    let mut newest = reader.newest();
    let began = Instant::now();
    loop {
        let page = reader.after(0, usize::MAX).await.expect("it is readable");
        if page.events.len() >= EVENTS {
            return page.events;
        }
        assert!(began.elapsed() < DEADLINE, "the events are written");
        newest.changed().await.expect("the journal is open");
    }
}

async fn before(reader: &Reader, all: &[Event], id: u64, most: usize) {
    let events = reader.before(Some(id), most).await.expect("readable");
    let expected = all.iter().rev().filter(|event| event.id < id).take(most);
    assert!(events.iter().eq(expected), "before {id}, at most {most}");
}

/// From any place on, page by page, nothing is left out and nothing comes twice.
async fn after(reader: &Reader, all: &[Event], id: u64, most: usize) {
    let newest = all.last().map_or(0, |event| event.id);
    let foreign = id > newest;
    let first = reader.after(id, most).await.expect("readable");
    assert!(first.gap || !foreign, "after {id}: a gap is told");
    let mut page = first;
    let mut read = Vec::new();
    while !page.events.is_empty() {
        assert!(page.events.len() <= most);
        read.append(&mut page.events);
        page = reader.after(page.next, most).await.expect("readable");
    }
    let from = if foreign { 0 } else { id };
    let expected = all.iter().filter(|event| event.id > from);
    assert!(read.iter().eq(expected), "after {id}, at most {most}");
}
