//! `GET /connection/events`: the status, then what happens, as it happens.

use super::{Bench, assert_problem, bench, call, key, send, served};
use crate::{
    auth::{Keyring, Rules, Scope},
    journal::Entry,
    wire::{Event, Severity, State},
};
use axum::{
    body::{Body, BodyDataStream, Bytes},
    http::{Request, Response},
};
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, timeout};

const SOON: Duration = Duration::from_secs(30);

/// A stream, read block by block.
struct Reading {
    body: BodyDataStream,
    text: String,
}

/// A block of it, taken apart.
#[derive(Debug, Default, PartialEq)]
struct Block {
    id: Option<u64>,
    event: String,
    data: Value,
    comment: bool,
}

impl Reading {
    /// The next block; `None` at the end.
    async fn next(&mut self) -> Option<Block> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let block = parse(block);
                self.text = rest.to_owned();
                return Some(block);
            }
            let piece = timeout(SOON, self.body.next()).await.expect("in time");
            let Some(piece) = piece else {
                assert_eq!(self.text, "", "it ends with a whole block");
                return None;
            };
            let piece: Bytes = piece.expect("no error");
            self.text
                .push_str(std::str::from_utf8(&piece).expect("UTF-8"));
        }
    }

    async fn event(&mut self) -> Block {
        loop {
            let block = self.next().await.expect("it goes on");
            if !block.event.is_empty() {
                return block;
            }
        }
    }

    /// Past the status and the place it gives.
    async fn greeted(&mut self) -> Option<u64> {
        assert_eq!(self.event().await.event, "status");
        self.next().await.expect("a place").id
    }
}

fn parse(block: &str) -> Block {
    let mut parsed = Block::default();
    for line in block.lines() {
        match line.split_once(": ").expect("a field") {
            ("", _) => parsed.comment = true,
            ("id", id) => parsed.id = Some(id.parse().expect("a number")),
            ("event", event) => event.clone_into(&mut parsed.event),
            ("data", data) => parsed.data = serde_json::from_str(data).expect("JSON"),
            other => panic!("{other:?}"),
        }
    }
    parsed
}

impl Bench {
    async fn open(&self, request: Request<Body>) -> Response<Body> {
        served(&self.routers.tcp, request).await
    }

    async fn follow(&self, query: &str) -> Reading {
        let path = format!("/connection/events{query}");
        let response = self.open(call("GET", &path, "reader")).await;
        assert_eq!(response.status(), 200, "{query}");
        Reading {
            body: response.into_body().into_data_stream(),
            text: String::new(),
        }
    }

    fn record(&self, message: &str) {
        let entry = Entry::new("admin.test", Severity::Info, message);
        self.journal.recorder().record(entry);
    }

    /// Records them, and gives them as they were written.
    async fn recorded(&self, count: usize) -> Vec<Event> {
        let reader = self.journal.reader();
        let mut cursor = reader.cursor(None);
        for number in 0..count {
            self.record(&number.to_string());
        }
        let mut events = Vec::new();
        while events.len() < count {
            let page = timeout(SOON, cursor.next(1000)).await.expect("in time");
            events.extend(page.expect("it reads").events);
        }
        events
    }
}

#[tokio::test]
async fn the_status_comes_first_and_then_each_event_as_the_log_tells_it() {
    let mut bench = bench();
    let response = bench
        .open(call("GET", "/connection/events", "reader"))
        .await;
    let header = |name: &str| response.headers()[name].to_str().expect("text");
    assert_eq!(response.status(), 200);
    assert_eq!(header("content-type"), "text/event-stream");
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(header("x-accel-buffering"), "no");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert!(!response.headers().contains_key("content-length"));
    let mut reading = Reading {
        body: response.into_body().into_data_stream(),
        text: String::new(),
    };
    let status = reading.next().await.expect("a block");
    let asked = bench.get("/connection/status").await.body["data"].clone();
    assert_eq!((status.id, &*status.event), (None, "status"));
    assert_eq!(status.data, asked);
    bench.saw("asked").await;
    let place = reading.next().await.expect("a block");
    assert_eq!((&*place.event, &place.data), ("", &Value::Null));
    let events = bench.recorded(3).await;
    let log = bench.get("/connection/log").await.body["data"].clone();
    for (event, told) in events
        .iter()
        .zip(log.as_array().expect("a list").iter().rev())
    {
        let block = reading.next().await.expect("a block");
        assert_eq!(block.id, Some(event.id));
        assert_eq!(block.event, "admin.test");
        assert_eq!(block.data, *told);
        assert!(place.id < block.id);
    }
    // From there on nothing was missed either.
    let mut again = bench
        .follow(&format!("?after={}", place.id.expect("one")))
        .await;
    assert_eq!(again.event().await.event, "status");
    assert_eq!(again.next().await.expect("a block").id, Some(events[0].id));
}

#[tokio::test]
async fn it_resumes_behind_the_last_event() {
    let bench = bench();
    let events = bench.recorded(100).await;
    let ids: Vec<u64> = events.iter().map(|event| event.id).collect();
    let path = format!("/connection/events?after={}", ids[0]);
    let mut request = call("GET", &path, "reader");
    let last = ids[40].to_string().parse().expect("a header value");
    request.headers_mut().insert("last-event-id", last);
    let response = bench.open(request).await;
    let mut reading = Reading {
        body: response.into_body().into_data_stream(),
        text: String::new(),
    };
    assert_eq!(reading.next().await.expect("a block").event, "status");
    for id in &ids[41..] {
        assert_eq!(reading.next().await.expect("a block").id, Some(*id));
    }
    let more = bench.recorded(1).await[0].id;
    assert_eq!(reading.next().await.expect("a block").id, Some(more));

    let mut all = bench.follow("?after=0").await;
    assert_eq!(all.next().await.expect("a block").event, "status");
    for id in ids.iter().chain([&more]) {
        assert_eq!(all.next().await.expect("a block").id, Some(*id));
    }
}

#[tokio::test]
async fn what_is_not_there_is_one_gap() {
    let bench = bench();
    let events = bench.recorded(3).await;
    let first = events[0].id;
    for from in [1, events[2].id + 1_000_000] {
        let mut reading = bench.follow(&format!("?after={from}")).await;
        assert_eq!(reading.next().await.expect("a block").event, "status");
        let gap = reading.next().await.expect("a block");
        assert_eq!(gap.event, "gap");
        assert_eq!(gap.data, json!({"from": from, "to": first - 1}));
        for event in &events {
            assert_eq!(reading.next().await.expect("a block").id, Some(event.id));
        }
        // Who was told of it is not told again.
        let mut again = bench
            .follow(&format!("?after={}", gap.id.expect("one")))
            .await;
        assert_eq!(again.next().await.expect("a block").event, "status");
        assert_eq!(again.next().await.expect("a block").id, Some(first));
    }
}

#[tokio::test]
async fn the_status_is_told_again_to_those_who_ask_for_it() {
    let bench = bench();
    let mut live = bench.follow("?status=live").await;
    let mut other = bench.follow("").await;
    live.greeted().await;
    other.greeted().await;
    bench.publish(|next| next.status.state = State::Connected);
    let status = live.next().await.expect("a block");
    assert_eq!((status.id, &*status.event), (None, "status"));
    assert_eq!(status.data["state"], "connected");
    assert_eq!(status.data["generation"], 2);
    let event = bench.recorded(1).await[0].id;
    assert_eq!(live.next().await.expect("a block").id, Some(event));
    assert_eq!(other.next().await.expect("a block").id, Some(event));
}

#[tokio::test(start_paused = true)]
async fn a_quiet_stream_is_heard_every_15_seconds_and_lasts() {
    let bench = bench();
    let mut reading = bench.follow("").await;
    reading.greeted().await;
    let mut before = Instant::now();
    for round in 0..100 {
        let block = reading.next().await.expect("it lasts");
        assert!(block.comment && block.event.is_empty(), "{block:?}");
        let now = Instant::now();
        let between = now.duration_since(before).as_secs_f64();
        assert!(round == 0 || (14.9..15.1).contains(&between), "{between}");
        before = now;
    }
}

#[tokio::test]
async fn there_are_not_too_many_and_each_ends_with_its_key() {
    let bench = bench();
    let mut open = Vec::new();
    for _ in 0..8 {
        open.push(bench.follow("").await);
    }
    let answer = send(
        &bench.routers.tcp,
        call("GET", "/connection/events", "reader"),
    )
    .await;
    assert_problem(&answer, 429, "too_many_streams");
    open.pop();
    open.push(bench.follow("").await);
    let mut other = {
        let response = bench
            .open(call("GET", "/connection/events", "manager"))
            .await;
        Reading {
            body: response.into_body().into_data_stream(),
            text: String::new(),
        }
    };
    other.greeted().await;
    let keys = vec![key("manager", Scope::Manage, None)];
    bench.rules.send_modify(|rules| {
        let mut fewer = Rules::clone(rules);
        fewer.keyring = Keyring::new(keys, None);
        *rules = Arc::new(fewer);
    });
    for mut reading in open {
        while let Some(block) = reading.next().await {
            assert_ne!(block.event, "admin.test");
        }
    }
    // The refusal above is told too, before or after the stream began.
    let event = bench.recorded(1).await[0].id;
    let mut told = 0;
    while told < event {
        told = other.event().await.id.expect("an event");
    }
    assert_eq!(told, event);
}

#[tokio::test]
async fn it_ends_at_the_stop_and_does_not_begin_after_it() {
    let bench = bench();
    let mut reading = bench.follow("").await;
    reading.greeted().await;
    bench.stopping.cancel();
    assert_eq!(reading.next().await, None);
    assert_problem(&bench.get("/connection/events").await, 503, "stopping");
}

#[tokio::test]
async fn a_head_is_no_stream() {
    let bench = bench();
    for _ in 0..20 {
        let response = bench
            .open(call("HEAD", "/connection/events", "reader"))
            .await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut body = response.into_body().into_data_stream();
        assert!(body.next().await.is_none());
    }
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_a_sentence() {
    let bench = bench();
    for (query, hint) in [
        ("after=yesterday", "after is a whole number"),
        ("after=99999999999999999999", "after is a whole number"),
        ("status=dead", "status is live"),
    ] {
        let answer = bench.get(&format!("/connection/events?{query}")).await;
        assert_problem(&answer, 400, "bad_request");
        let told = answer.body["error"].as_str().expect("a sentence");
        assert!(told.contains(hint), "{query}: {told}");
    }
    let mut request = call("GET", "/connection/events", "reader");
    let value = "a\u{e9}".parse().expect("a header value");
    request.headers_mut().insert("last-event-id", value);
    let answer = send(&bench.routers.tcp, request).await;
    assert_problem(&answer, 400, "bad_request");
    let answer = send(
        &bench.routers.tcp,
        call("GET", "/connection/events", "wrong"),
    )
    .await;
    assert_problem(&answer, 403, "bad_key");
}
