//! Clients that ask all the time, over restarts, and compare what they are told
//! with what the sandbox knows.

use crate::support::SOON;
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::UnixStream,
    task::JoinSet,
    time::{sleep, timeout},
};
use walinkd_sandbox::Sandbox;

/// How long a status may say connected when nothing is.
const LIE: Duration = Duration::from_secs(60);
const EVERY: Duration = Duration::from_millis(100);

#[derive(Default)]
struct Seen {
    /// The first thing that must not be.
    wrong: Option<String>,
    asked: u64,
    /// The ids that a stream of events told.
    told: Vec<u64>,
    streams: u64,
}

pub(crate) struct Onlooker {
    seen: Arc<Mutex<Seen>>,
    socket: PathBuf,
    _tasks: JoinSet<()>,
}

impl Onlooker {
    pub(crate) fn begin(socket: &Path, sandbox: Arc<Sandbox>) -> Self {
        let seen = Arc::<Mutex<Seen>>::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(ask(socket.to_owned(), sandbox, Arc::clone(&seen)));
        tasks.spawn(follow(socket.to_owned(), Arc::clone(&seen)));
        Self {
            seen,
            socket: socket.to_owned(),
            _tasks: tasks,
        }
    }

    /// Fails with what was seen that must not be.
    pub(crate) fn check(&self) {
        let wrong = self.seen.lock().unwrap().wrong.clone();
        assert!(wrong.is_none(), "{}", wrong.unwrap_or_default());
    }

    /// Each event once and in order, and none that the log does not have.
    pub(crate) async fn compare(&self) -> String {
        let log = log(&self.socket).await;
        let deadline = Instant::now() + SOON;
        loop {
            {
                let seen = self.seen.lock().unwrap();
                let first = seen.told.first().copied().unwrap_or(u64::MAX);
                let last = log.last().copied().unwrap_or_default();
                let expected = log.iter().filter(|id| **id >= first);
                if seen.told.last().is_some_and(|told| *told >= last) {
                    let told = seen.told.iter().filter(|id| **id <= last);
                    assert!(told.eq(expected), "the stream and the log differ");
                    return format!(
                        "{} answers, {} events by {} streams",
                        seen.asked,
                        seen.told.len(),
                        seen.streams
                    );
                }
            }
            assert!(Instant::now() < deadline, "the stream is behind");
            sleep(EVERY).await;
        }
    }
}

/// The body of an answer, or none when there is no daemon that gives one.
pub(crate) async fn call(socket: &Path, method: &str, path: &str, body: &str) -> Option<Value> {
    let mut stream = UnixStream::connect(socket).await.ok()?;
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    let whole = stream.read_to_string(&mut answer);
    timeout(SOON, whole).await.ok()?.ok()?;
    let (_, body) = answer.split_once("\r\n\r\n")?;
    serde_json::from_str(body).ok()
}

async fn get(socket: &Path, path: &str) -> Option<Value> {
    call(socket, "GET", path, "").await
}

/// The ids in the log, the oldest first.
async fn log(socket: &Path) -> Vec<u64> {
    let mut ids = Vec::new();
    let mut path = "/connection/log?limit=1000".to_owned();
    loop {
        let page = get(socket, &path).await.expect("a page");
        let events = page["data"].as_array().expect("events").clone();
        ids.extend(events.iter().filter_map(|event| event["id"].as_u64()));
        let Some(last) = ids.last().filter(|_| !events.is_empty()) else {
            break;
        };
        path = format!("/connection/log?limit=1000&before={last}");
    }
    ids.reverse();
    assert!(ids.is_sorted_by(|one, next| one < next), "ids are in order");
    ids
}

async fn ask(socket: PathBuf, sandbox: Arc<Sandbox>, seen: Arc<Mutex<Seen>>) {
    let others = [
        "/connection/qr",
        "/connection/pairing",
        "/connection/log?limit=5",
        "/readyz",
    ];
    let mut generation = 0;
    let mut untrue: Option<Instant> = None;
    for round in 0_usize.. {
        sleep(EVERY).await;
        get(&socket, others[round % others.len()]).await;
        let status = get(&socket, "/connection/status").await;
        let online = sandbox.snapshot().online() > 0;
        let mut seen = seen.lock().unwrap();
        let Some(data) = status.as_ref().map(|status| &status["data"]) else {
            untrue = None;
            continue;
        };
        seen.asked += 1;
        let now = data["generation"].as_u64().unwrap_or_default();
        let mut wrong = None;
        if now < generation {
            wrong = Some(format!(
                "generation {generation} was before {now}: {data:#}"
            ));
        }
        generation = now;
        if data["isConnected"] == true && !online {
            if untrue.get_or_insert_with(Instant::now).elapsed() > LIE {
                wrong = Some(format!("connected, it says, and it is not: {data:#}"));
            }
        } else {
            untrue = None;
        }
        if seen.wrong.is_none() {
            seen.wrong = wrong;
        }
    }
}

/// HTTP/1.0, so that the events come without chunks around them.
async fn follow(socket: PathBuf, seen: Arc<Mutex<Seen>>) {
    loop {
        sleep(EVERY).await;
        let Ok(mut stream) = UnixStream::connect(&socket).await else {
            continue;
        };
        let last = seen.lock().unwrap().told.last().copied();
        let place = last.map_or(String::new(), |id| format!("Last-Event-ID: {id}\r\n"));
        let request = format!("GET /connection/events HTTP/1.0\r\n{place}\r\n");
        if stream.write_all(request.as_bytes()).await.is_err() {
            continue;
        }
        seen.lock().unwrap().streams += 1;
        let mut lines = BufReader::new(stream).lines();
        let (mut id, mut event) = (None, String::new());
        while let Ok(Some(line)) = lines.next_line().await {
            if let Some(told) = line.strip_prefix("id: ") {
                id = told.parse::<u64>().ok();
            } else if let Some(kind) = line.strip_prefix("event: ") {
                kind.clone_into(&mut event);
            } else if line.is_empty() {
                let (id, event) = (id.take(), std::mem::take(&mut event));
                let mut seen = seen.lock().unwrap();
                if event == "gap" {
                    seen.wrong.get_or_insert("the stream has a gap".to_owned());
                } else if let Some(id) = id.filter(|_| !event.is_empty()) {
                    if seen.told.last().is_some_and(|last| *last >= id) {
                        seen.wrong.get_or_insert(format!("event {id} came again"));
                    }
                    seen.told.push(id);
                }
            }
        }
    }
}
