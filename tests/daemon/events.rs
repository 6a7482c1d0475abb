//! `GET /connection/events` of the real daemon: nothing is missed and nothing
//! told twice, whoever is cut off, and every stream has its end.

use crate::{
    link,
    secure::Pair,
    support::{Block, By, Daemon, Following, Home, KEY, Program, SOON},
    world,
};
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use nix::sys::signal::Signal;
use serde_json::json;
use std::{
    collections::BTreeSet,
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    task::JoinSet,
    time::timeout,
};

const EVENTS: usize = 10_000;
const CUTS: usize = 50;

/// The promise for a stop.
const STOPPED: Duration = Duration::from_secs(5);

/// A daemon that need not reach anybody.
fn home() -> Arc<Home> {
    Home::new("ws://127.0.0.1:9/")
}

async fn started(home: &Arc<Home>) -> Daemon {
    let daemon = home.start();
    daemon.status().await;
    daemon
}

/// The journal takes so many events that wait for a slow disk, and more are lost.
const UNWRITTEN: u64 = 512;

/// Makes so many events, each by a call: nothing is paused, and to end that is
/// told all the same. Not faster than they are written.
pub(crate) async fn make(home: Arc<Home>, count: usize) {
    let made = Arc::new(AtomicU64::new(0));
    let first = newest(&mut caller(&home.socket()).await).await;
    let mut callers = JoinSet::new();
    for number in 0..4 {
        let (socket, made) = (home.socket(), Arc::clone(&made));
        callers.spawn(async move {
            let mut sender = caller(&socket).await;
            for _ in 0..(count + number) / 4 {
                call(&mut sender, Method::POST, "/connection/resume").await;
                let made = made.fetch_add(1, Ordering::Relaxed) + 1;
                while made.is_multiple_of(64)
                    && newest(&mut sender).await + UNWRITTEN < first + made
                {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        });
    }
    callers.join_all().await;
}

type Sender = http1::SendRequest<Full<Bytes>>;

async fn caller(socket: &Path) -> Sender {
    let stream = UnixStream::connect(socket).await.expect("it listens");
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

async fn call(sender: &mut Sender, method: Method, path: &str) -> Bytes {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("host", "localhost");
    let request = request.body(Full::new(Bytes::new())).unwrap();
    let answer = sender.send_request(request).await.expect("an answer");
    assert_eq!(answer.status(), 200);
    answer
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes()
}

/// The id of the last event on the disk.
async fn newest(sender: &mut Sender) -> u64 {
    let log = call(sender, Method::GET, "/connection/log?limit=1").await;
    let log: serde_json::Value = serde_json::from_slice(&log).expect("JSON");
    log["data"][0]["id"].as_u64().unwrap_or_default()
}

/// The ids in the log behind one of them, in order.
pub(crate) async fn logged(daemon: &Daemon, after: u64) -> Vec<u64> {
    let mut ids = Vec::new();
    let mut before = u64::MAX;
    loop {
        let path = format!("/connection/log?limit=1000&before={before}");
        let answer = daemon.get(&path).await.json();
        let page = answer["data"].as_array().expect("a list");
        let page = page.iter().map(|event| event["id"].as_u64().unwrap());
        let more = ids.len();
        ids.extend(page.take_while(|id| *id > after));
        if ids.len() < more + 1000 {
            ids.reverse();
            return ids;
        }
        before = ids[ids.len() - 1];
    }
}

#[tokio::test]
async fn ten_thousand_events_over_fifty_cuts_come_once_and_in_order() {
    let home = home();
    let mut daemon = started(&home).await;
    let (stream, begin) = Following::begin(&daemon, By::Tcp, "", &[])
        .await
        .greeted()
        .await;
    let mut stream = Some(stream);
    let mut maker = tokio::spawn(make(Arc::clone(&home), EVENTS / 2));
    let mut seen: Vec<u64> = Vec::new();
    let mut last = begin;
    for cut in 1..=CUTS {
        let by = if cut % 3 == 0 { By::Control } else { By::Tcp };
        // Some stay for long, some for a moment; together they see them all.
        let enough = EVENTS * cut * cut / CUTS / CUTS;
        let mut following = match stream.take() {
            Some(following) => following,
            None => Following::resume(&daemon, by, last).await,
        };
        while seen.len() < enough {
            let Block { id, event, data } = following.next().await.expect("it goes on");
            assert_ne!(event, "gap", "{data}");
            let Some(id) = id else { continue };
            assert_eq!(data["id"], id);
            assert!(id > last, "{id} comes after {last}");
            last = id;
            seen.push(id);
            if seen.len() == EVENTS / 2 {
                // And once in the middle it is the daemon that goes.
                timeout(SOON, &mut maker).await.expect("in time").unwrap();
                daemon = started(&daemon.kill()).await;
                maker = tokio::spawn(make(Arc::clone(&home), EVENTS / 2));
                break;
            }
        }
    }
    let mut following = Following::resume(&daemon, By::Tcp, last).await;
    timeout(SOON, maker).await.expect("in time").unwrap();
    let all = logged(&daemon, begin).await;
    assert!(all.len() >= EVENTS, "{}", all.len());
    while seen.len() < all.len() {
        seen.extend(following.next().await.expect("it goes on").id);
    }
    assert!(
        seen == all,
        "what was told and what was logged are not the same"
    );
    let log = daemon.get("/connection/log?limit=1000").await;
    assert!(!log.text.contains("admin.events_lost"), "none was lost");
}

#[tokio::test]
async fn what_was_removed_is_one_gap() {
    let home = home();
    let daemon = started(&home).await;
    make(Arc::clone(&home), 50).await;
    // What was done may be answered before it is on the disk.
    let deadline = Instant::now() + SOON;
    let old = loop {
        let old = logged(&daemon, 0).await;
        if old.len() >= 50 {
            break old;
        }
        assert!(Instant::now() < deadline, "only {} came", old.len());
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    let place = *old.last().expect("events");
    // A month passes.
    let home = daemon.kill();
    let journal = rusqlite::Connection::open(home.state().join("journal.db")).unwrap();
    let sql = "UPDATE event SET at = at - 40 * 86400000 WHERE id <= ?1";
    let aged = journal.execute(sql, [i64::try_from(place).unwrap()]);
    assert_eq!(aged.expect("written"), old.len());
    drop(journal);
    let daemon = started(&home).await;
    let deadline = Instant::now() + SOON;
    while logged(&daemon, 0)
        .await
        .first()
        .is_none_or(|id| *id <= place)
    {
        assert!(Instant::now() < deadline, "they stay");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for (by, id) in [
        (By::Tcp, old[3]),
        (By::Control, old[3]),
        (By::Tcp, u64::MAX),
    ] {
        let mut following = Following::resume(&daemon, by, id).await;
        assert_eq!(following.next().await.expect("a block").event, "status");
        let gap = following.next().await.expect("a block");
        assert_eq!((&*gap.event, &gap.data["from"]), ("gap", &json!(id)));
        let to = gap.data["to"].as_u64().expect("a number");
        assert!(to >= place && Some(to) == gap.id, "{gap:?}");
        // Nothing else is missing, and nothing is said twice.
        let left = logged(&daemon, to).await;
        let mut told = Vec::new();
        while told.last() != left.last() {
            let block = following.next().await.expect("a block");
            assert_ne!(block.event, "gap");
            told.extend(block.id);
        }
        assert_eq!(told, left);
        // Whoever was told goes on from there.
        let mut again = Following::resume(&daemon, by, gap.id.expect("an id")).await;
        assert_eq!(again.next().await.expect("a block").event, "status");
        assert_eq!(again.next().await.expect("a block").id, Some(told[0]));
    }
}

#[tokio::test]
async fn a_stream_ends_with_its_key_and_no_other_does() {
    let home = home();
    let daemon = started(&home).await;
    let key = |name| json!({"name": name, "scope": "read"});
    let made = daemon
        .call(Method::POST, "/admin/keys", Some(key("page")))
        .await;
    let secret = made.json()["data"]["key"]
        .as_str()
        .expect("a key")
        .to_owned();
    home.keep_secret(&secret);
    let headers = [("x-api-key", secret.as_str())];
    let (mut page, _) = Following::begin(&daemon, By::Tcp, "", &headers)
        .await
        .greeted()
        .await;
    let (mut other, _) = Following::begin(&daemon, By::Tcp, "", &[])
        .await
        .greeted()
        .await;
    let gone = daemon
        .call(Method::DELETE, "/admin/keys?name=page", None)
        .await;
    assert_eq!(gone.status, 200, "{gone:?}");
    while let Some(block) = page.next().await {
        // It may still have been told of its own removal, and of nothing more.
        assert!(block.event.starts_with("admin.key_"), "{block:?}");
    }
    other.until("admin.key_remove").await;
    daemon.post("/connection/resume").await;
    other.until("admin.resume").await;
    let refused = daemon
        .call_tcp(Method::GET, "/connection/events", None, &headers)
        .await;
    assert_eq!(refused.status, 403);
}

#[tokio::test]
async fn the_stop_ends_every_stream_in_good_order_and_at_once() {
    let home = home();
    let mut daemon = started(&home).await;
    let mut open = Vec::new();
    for number in 0..100 {
        let by = if number % 5 == 0 {
            By::Control
        } else {
            By::Tcp
        };
        open.push(Following::begin(&daemon, by, "", &[]).await.greeted().await);
    }
    let told = Instant::now();
    daemon.signal(Signal::SIGTERM);
    for (following, _) in &mut open {
        while following.next().await.is_some() {}
    }
    let status = daemon.ended().await;
    assert!(told.elapsed() < STOPPED, "{:?}", told.elapsed());
    assert_eq!(status.code(), Some(0), "{}", daemon.log());
    assert!(!daemon.log().contains("are cut"), "{}", daemon.log());
    // What the stop was told of is there for who comes back.
    drop(daemon);
    let daemon = started(&home).await;
    let mut again = Following::resume(&daemon, By::Tcp, open[0].1).await;
    again.until("admin.stop").await;
    again.until("admin.start").await;
}

#[tokio::test]
async fn a_head_tells_of_a_stream_and_ends() {
    let daemon = started(&home()).await;
    let head = daemon.call(Method::HEAD, "/connection/events", None).await;
    assert_eq!((head.status.as_u16(), &*head.text), (200, ""));
    assert_eq!(head.headers["content-type"], "text/event-stream");
    assert_eq!(head.headers["x-accel-buffering"], "no");
    assert_eq!(head.headers["cache-control"], "no-store");
}

/// Takes a heartbeat's time: nothing else can be waited for here.
#[tokio::test]
async fn while_a_stream_is_open_codes_are_made_and_then_no_more() {
    let (_sandbox, phone, home) = world().await;
    home.configure("[pairing]\nidle_after = \"100ms\"\n");
    let daemon = home.start();
    let socket = home.socket();
    let deadline = Instant::now() + SOON;
    while UnixStream::connect(&socket).await.is_err() {
        assert!(Instant::now() < deadline, "{}", daemon.log());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut following = Following::begin(&daemon, By::Tcp, "?after=0", &[]).await;
    following.until("connection.waiting_qr").await;
    // A long time by the measure of `idle_after`.
    let idle = loop {
        let block = following.next().await.expect("it goes on");
        if block.event.is_empty() || block.event == "connection.idle" {
            break block.event;
        }
    };
    assert_eq!(idle, "", "somebody looks on");
    let seen = logged(&daemon, 0).await.pop().expect("events");
    drop(following);
    let deadline = Instant::now() + SOON;
    loop {
        let log = daemon.get("/connection/log?limit=5").await.json();
        let mut events = log["data"].as_array().expect("a list").iter();
        if events
            .any(|event| event["type"] == "connection.idle" && event["id"].as_u64() > Some(seen))
        {
            break;
        }
        assert!(Instant::now() < deadline, "{log:#}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // And to look on again is to ask.
    let mut following = Following::begin(&daemon, By::Control, "", &[]).await;
    following.until("connection.waiting_qr").await;
    link(&daemon, &phone).await;
    following.until("connection.connected").await;
}

#[tokio::test]
async fn curl_follows_it_over_http_1_http_2_and_the_control_socket() {
    let home = home();
    let folder = tempfile::tempdir().expect("a folder");
    let pair = Pair::new(folder.path(), "own");
    home.configure_with(&pair.settings(), "");
    let mut daemon = started(&home).await;
    let url = format!(
        "https://localhost:{}/connection/events?status=live",
        home.port
    );
    let key = format!("x-api-key: {KEY}");
    let (cert, socket) = (
        pair.cert.display().to_string(),
        home.socket().display().to_string(),
    );
    let secure = ["--cacert", &cert, "-H", &key, &url];
    let control = "http://localhost/connection/events?status=live";
    let mut streams = Vec::new();
    for arguments in [
        [&["--http1.1"], &secure[..]].concat(),
        [&["--http2"], &secure[..]].concat(),
        vec!["--unix-socket", &socket, control],
    ] {
        let mut command = Command::new("curl");
        command.args(["-sN", "--noproxy", "*"]).args(arguments);
        let mut curl = Program::begin(&mut command);
        assert_eq!(curl.out.next().await.as_deref(), Some("event: status"));
        curl.out.until("id: ").await;
        streams.push(curl);
    }
    assert_eq!(daemon.post("/connection/pause").await.status, 200);
    for curl in &mut streams {
        let mut left = BTreeSet::from(["status", "admin.pause", "connection.paused"]);
        while !left.is_empty() {
            let line = curl.out.until("event: ").await;
            left.remove(line.trim_start_matches("event: "));
        }
    }
    daemon.signal(Signal::SIGTERM);
    for mut curl in streams {
        while curl.out.next().await.is_some() {}
        assert!(curl.ended().await.success(), "an end in good order");
    }
    assert_eq!(daemon.ended().await.code(), Some(0));
}

/// What the daemon's patience makes slow.
#[tokio::test]
#[ignore = "takes half a minute: run by tests/run patience"]
async fn a_stream_that_nobody_takes_is_cut_and_holds_nobody_up() {
    let home = home();
    let daemon = started(&home).await;
    make(Arc::clone(&home), 4_000).await;
    let mut stalled = Vec::new();
    for _ in 0..20 {
        let mut stream = UnixStream::connect(home.socket())
            .await
            .expect("it listens");
        let request = "GET /connection/events?after=0 HTTP/1.1\r\nhost: x\r\n\r\n";
        stream.write_all(request.as_bytes()).await.expect("taken");
        stalled.push(stream);
    }
    let (mut other, _) = Following::begin(&daemon, By::Control, "", &[])
        .await
        .greeted()
        .await;
    let began = Instant::now();
    for mut stream in stalled {
        // Nothing is read until it was given up: only what lies in the socket is
        // there then, without an end.
        let cut = async {
            while stream.writable().await.is_ok() {
                match stream.try_write(b"\r\n") {
                    Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return,
                    _ => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        };
        timeout(2 * SOON, cut).await.expect("it is cut");
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        assert!(!rest.ends_with(b"0\r\n\r\n"));
    }
    assert!(began.elapsed() > Duration::from_secs(20), "it had its time");
    assert_eq!(daemon.post("/connection/resume").await.status, 200);
    other.until("admin.resume").await;
}
