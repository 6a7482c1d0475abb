//! Webhooks of the real daemon, to a receiver that verifies each message by the
//! specification's own library: nothing is lost, whatever happens to either.

use crate::{
    events::{logged, make},
    support::{Daemon, Home, KEY, Mood, Received, Receiver, SOON, free_port},
    world,
};
use hyper::Method;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

pub(crate) const SECRET: &str = "whsec_c2VjcmV0LW9mLTI0LWJ5dGVzLW9yLW1vcmU=";

/// A daemon that need not reach anybody.
pub(crate) fn home() -> Arc<Home> {
    let home = Home::new("ws://127.0.0.1:9/");
    home.keep_secret(SECRET);
    home
}

pub(crate) fn endpoint(name: &str, url: &str, more: &str) -> String {
    format!("[[webhook]]\nname = \"{name}\"\nurl = \"{url}\"\nsecret = \"{SECRET}\"\n{more}\n")
}

pub(crate) async fn started(home: &Arc<Home>) -> Daemon {
    let daemon = home.start();
    daemon.status().await;
    daemon
}

pub(crate) async fn reload(daemon: &Daemon) {
    let answer = daemon.post("/admin/reload").await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// The webhook of this name, once it is as wanted.
pub(crate) async fn listed(daemon: &Daemon, name: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + SOON;
    loop {
        let answer = daemon.get("/admin/webhooks").await;
        let all = answer.json();
        let mut all = all["data"].as_array().expect("a list").iter();
        if let Some(found) = all.find(|one| one["name"] == name && holds(one)) {
            return found.clone();
        }
        assert!(Instant::now() < deadline, "{answer:?}\n{}", daemon.log());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The ids of events in the order in which they first came.
fn first_ids<'r>(received: impl IntoIterator<Item = &'r Received>) -> Vec<u64> {
    let mut seen = BTreeSet::new();
    let ids = received.into_iter().filter(|one| !one.id.contains('-'));
    ids.map(|one| {
        assert_eq!(one.body["id"].to_string(), one.id);
        one.body["id"].as_u64().expect("a number")
    })
    .filter(|id| seen.insert(*id))
    .collect()
}

const EVENTS: usize = 10_000;
const KILLS: usize = 3;

/// Half of the time it does not take anything, in each of its ways, as a seed
/// has it.
fn moody(receiver: &Arc<Receiver>) -> Arc<AtomicBool> {
    const BAD: [Mood; 4] = [
        Mood::Answer(500, ""),
        Mood::Hang,
        Mood::Down,
        Mood::DieMidBody,
    ];
    let over = Arc::new(AtomicBool::new(false));
    let (receiver, ends) = (Arc::clone(receiver), Arc::clone(&over));
    tokio::spawn(async move {
        let mut seed = 7_u64;
        while !ends.load(Ordering::Relaxed) {
            for good in [true, false] {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let dice = seed >> 33;
                let mood = BAD[usize::try_from(dice % 4).expect("small")].clone();
                receiver.set(if good { Mood::Take } else { mood });
                tokio::time::sleep(Duration::from_millis(300 + dice % 900)).await;
            }
        }
        receiver.set(Mood::Take);
    });
    over
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_events_reach_a_moody_receiver_over_three_kills() {
    let home = home();
    let receiver = Arc::new(Receiver::start(SECRET).await);
    home.configure(&endpoint("moody", &receiver.url(), "events = [\"*\"]"));
    let over = moody(&receiver);
    let mut daemon = started(&home).await;
    for kill in 1..=KILLS {
        make(Arc::clone(&home), EVENTS / (KILLS + 1)).await;
        // In the middle of what is to be sent.
        let enough = EVENTS * kill / (KILLS + 1) / 2;
        receiver
            .until_within(10 * SOON, "half", |all| first_ids(all).len() >= enough)
            .await;
        daemon = started(&daemon.kill()).await;
    }
    make(Arc::clone(&home), EVENTS / (KILLS + 1)).await;
    // What was done may be answered before it is on the disk.
    let deadline = Instant::now() + SOON;
    let all = loop {
        let all = logged(&daemon, 0).await;
        if all.len() >= EVENTS {
            break all;
        }
        assert!(Instant::now() < deadline, "only {}", all.len());
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    let last = *all.last().expect("events");
    let up_to_last = |received: &[Received], taken: bool| {
        let mut ids = first_ids(received.iter().filter(|one| one.taken || !taken));
        ids.retain(|id| *id <= last);
        ids
    };
    // Each is told to be taken, at the last.
    receiver
        .until_within(16 * SOON, "the last one", |received| {
            let id = last.to_string();
            received.iter().rev().any(|one| one.taken && one.id == id)
        })
        .await;
    over.store(true, Ordering::Relaxed);
    let received = receiver.received();
    assert!(
        up_to_last(&received, false) == all,
        "what first came and what was logged are not the same"
    );
    assert!(
        up_to_last(&received, true) == all,
        "some were never taken, or not in order"
    );
    assert!(
        received.iter().any(|one| !one.taken),
        "it was in no bad mood"
    );
    receiver.assert_no_faults();
    assert!(!received.iter().any(|one| one.text.contains(KEY)));
}

#[tokio::test]
async fn redirects_and_answers_that_never_end_are_no_success() {
    let home = home();
    let (receiver, elsewhere) = (Receiver::start(SECRET).await, Receiver::start(SECRET).await);
    let location: &'static str = format!("location: {}\r\n", elsewhere.url()).leak();
    let url = receiver.url().replace("http://", "http://me:p%40ss-word@") + "?token=sesame-open";
    for secret in ["p@ss-word", "p%40ss-word", "sesame-open"] {
        home.keep_secret(secret);
    }
    home.configure(&endpoint("shop", &url, "events = [\"admin.*\"]"));
    let daemon = started(&home).await;
    receiver.until_type("admin.start").await;
    let head = &receiver.received()[0].head;
    assert!(
        head.starts_with("POST /hook?token=sesame-open HTTP/1.1"),
        "{head}"
    );
    // me:p@ss-word
    assert!(head.contains("Basic bWU6cEBzcy13b3Jk"), "{head}");

    receiver.set(Mood::Answer(302, location));
    assert_eq!(daemon.post("/connection/resume").await.status, 200);
    let failing = listed(&daemon, "shop", |one| one["lastFailure"].is_object()).await;
    let why = failing["lastFailure"]["message"]
        .as_str()
        .expect("a reason");
    assert!(why.contains("302") && why.contains("not followed"), "{why}");
    assert!(failing["backlog"].as_u64() >= Some(1), "{failing}");
    assert!(failing["nextAttemptAt"].is_string(), "{failing}");
    assert_eq!(failing["url"], json!(receiver.url()));
    let (code, _, err) = cli(&daemon, &["webhook", "test", "shop"]).await;
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("1 of 1 did not take it"), "{err}");

    // It hangs once; when the time is over it is asked again.
    receiver.set(Mood::Hang);
    let before = receiver.received().len();
    receiver
        .until("another try", |all| all.len() > before)
        .await;
    receiver.set(Mood::Take);
    receiver
        .until("the event", |all| {
            all.iter()
                .any(|one| one.taken && one.body["type"] == "admin.resume")
        })
        .await;
    let done = listed(&daemon, "shop", |one| one["backlog"] == 0).await;
    assert!(done["nextAttemptAt"].is_null() && done["lastSuccessAt"].is_string());
    assert!(elsewhere.received().is_empty(), "the redirect was followed");
    receiver.assert_no_faults();

    let (code, out, err) = cli(&daemon, &["webhook", "test"]).await;
    assert_eq!(
        (code, out.as_str()),
        (0, "shop: taken, the receiver answered 200\n"),
        "{err}"
    );
    let test = receiver.until_type("webhook.test").await;
    assert!(test.id.starts_with("test-"), "{test:?}");
    receiver.until_type("admin.webhook_test").await;
    let (_, out, _) = cli(&daemon, &["webhook", "list"]).await;
    assert!(
        out.contains("waiting for events") && !out.contains("sesame"),
        "{out}"
    );
    for arguments in [["webhook", "test", "none"], ["webhook", "resume", "none"]] {
        let (code, _, err) = cli(&daemon, &arguments).await;
        assert_eq!(code, 1);
        assert!(err.contains("walinkd webhook list"), "{err}");
    }
    let tcp = daemon
        .call_tcp(Method::GET, "/admin/webhooks", None, &[("x-api-key", KEY)])
        .await;
    assert_eq!(tcp.status, 404);
}

pub(crate) async fn cli(daemon: &Daemon, arguments: &[&str]) -> (i32, String, String) {
    let output = daemon.cli(arguments).await;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code().expect("no signal");
    (code, text(&output.stdout), text(&output.stderr))
}

#[tokio::test]
async fn a_paused_endpoint_says_so_and_loses_nothing() {
    let home = home();
    let receiver = Receiver::start(SECRET).await;
    home.configure(&endpoint("shop", &receiver.url(), "events = [\"admin.*\"]"));
    let daemon = started(&home).await;
    receiver.until_type("admin.start").await;
    receiver.set(Mood::Answer(410, ""));
    daemon.post("/connection/resume").await;
    listed(&daemon, "shop", |one| one["paused"] == true).await;
    let tries = receiver.received().len();
    // Over a restart too.
    let daemon = started(&daemon.kill()).await;
    let paused = listed(&daemon, "shop", |one| one["paused"] == true).await;
    assert_eq!(paused["nextAttemptAt"], Value::Null);
    let health = daemon.status().await["health"].to_string();
    assert!(health.contains("walinkd webhook resume shop"), "{health}");
    receiver.set(Mood::Take);
    daemon.post("/connection/resume").await;
    assert_eq!(receiver.received().len(), tries, "it is left alone");
    let (code, out, _) = cli(&daemon, &["webhook", "resume", "shop"]).await;
    assert_eq!((code, out.as_str()), (0, "Trying again now: shop.\n"));
    receiver.until_type("admin.webhook_resume").await;
    listed(&daemon, "shop", |one| {
        one["backlog"] == 0 && one["paused"] == false
    })
    .await;
    let all = logged(&daemon, 0).await;
    let taken: Vec<_> = receiver
        .received()
        .into_iter()
        .filter(|one| one.taken)
        .collect();
    let admin = receiver.received();
    assert!(
        admin
            .iter()
            .all(|one| one.body["type"].as_str().unwrap().starts_with("admin."))
    );
    let kinds: Vec<_> = taken.iter().map(|one| one.body["type"].clone()).collect();
    for kind in [
        "admin.resume",
        "admin.webhook_paused",
        "admin.start",
        "admin.webhook_resume",
    ] {
        assert!(
            kinds.contains(&json!(kind)),
            "{kind} of {}: {kinds:?}",
            all.len()
        );
    }
    assert_eq!(
        daemon.status().await["health"].to_string().find("webhook"),
        None
    );

    // Three days later.
    receiver.set(Mood::Answer(500, "retry-after: 0\r\n"));
    daemon.post("/connection/resume").await;
    listed(&daemon, "shop", |one| one["nextAttemptAt"].is_string()).await;
    let home = daemon.kill();
    let journal = rusqlite::Connection::open(home.state().join("journal.db")).unwrap();
    let sql = r#"UPDATE bookmark SET note = json_set(note, '$.failingSince', '2001-01-01T00:00:00.000Z')"#;
    assert_eq!(journal.execute(sql, []).expect("written"), 1);
    drop(journal);
    let daemon = started(&home).await;
    listed(&daemon, "shop", |one| one["paused"] == true).await;
    daemon.until_logged("for three days now").await;
    receiver.set(Mood::Take);
    assert_eq!(daemon.post("/admin/webhooks/resume").await.status, 200);
    listed(&daemon, "shop", |one| {
        one["backlog"] == 0 && one["paused"] == false
    })
    .await;
    receiver.assert_no_faults();
}

#[tokio::test]
async fn a_reload_adds_changes_and_removes_endpoints() {
    let home = home();
    let (one, two) = (Receiver::start(SECRET).await, Receiver::start(SECRET).await);
    let secret = home.config().with_file_name("secret");
    fs::write(&secret, format!("{SECRET}\n")).expect("written");
    let daemon = started(&home).await;
    make(Arc::clone(&home), 4).await;
    let deadline = Instant::now() + SOON;
    while logged(&daemon, 0).await.len() < 5 {
        assert!(Instant::now() < deadline, "{}", daemon.log());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let events = "events = [\"admin.*\"]";
    home.configure(&endpoint("shop", &one.url(), events));
    reload(&daemon).await;
    daemon.post("/connection/reconnect").await;
    one.until_type("admin.reconnect").await;
    // It has begun at the present.
    assert!(
        !one.received()
            .iter()
            .any(|one| one.body["type"] == "admin.start")
    );
    one.set(Mood::Down);
    daemon.post("/connection/pause").await;
    listed(&daemon, "shop", |one| one["lastFailure"].is_object()).await;
    // Another address and another way to have the secret, and it goes on there.
    home.configure(&format!(
        "[[webhook]]\nname = \"shop\"\nurl = \"{}\"\nsecret_file = \"{}\"\n{events}\n",
        two.url(),
        secret.display()
    ));
    reload(&daemon).await;
    two.until_type("admin.pause").await;
    // Every secret of a file is read anew.
    let other = "whsec_YW5vdGhlci1vbmUtb2YtMjQtYnl0ZXMtb3ItbW9yZQ==";
    home.keep_secret(other);
    let three = Receiver::start(other).await;
    fs::write(&secret, other).expect("written");
    reload(&daemon).await;
    home.configure(&format!(
        "[[webhook]]\nname = \"shop\"\nurl = \"{}\"\nsecret_file = \"{}\"\n{events}\n",
        three.url(),
        secret.display()
    ));
    reload(&daemon).await;
    daemon.post("/connection/resume").await;
    three.until_type("admin.resume").await;
    three.assert_no_faults();
    // A bad one changes nothing.
    home.configure(&endpoint(
        "shop",
        "ftp://example.org",
        "events = [\"nothing.*\"]",
    ));
    let refused = daemon.post("/admin/reload").await;
    assert_eq!(refused.status, 400);
    assert!(
        refused.text.contains("webhook[0].url") && refused.text.contains("webhook[0].events"),
        "{refused:?}"
    );
    daemon.post("/connection/pause").await;
    three.until_type("admin.pause").await;
    home.configure("");
    reload(&daemon).await;
    assert_eq!(
        daemon.get("/admin/webhooks").await.json()["data"],
        json!([])
    );
    let none = daemon.post("/admin/webhooks/test").await;
    assert_eq!(none.json()["code"], "no_such_webhook");
    // What comes back later begins anew.
    home.configure(&endpoint("shop", &two.url(), "events = [\"connection.*\"]"));
    daemon.post("/connection/resume").await;
    reload(&daemon).await;
    let begun = listed(&daemon, "shop", |_| true).await;
    assert_eq!(begun["lastSuccessAt"], Value::Null, "{begun}");
}

#[tokio::test]
async fn what_was_removed_meanwhile_is_one_gap() {
    let home = home();
    let receiver = Receiver::start(SECRET).await;
    home.configure(&endpoint("shop", &receiver.url(), "events = [\"admin.*\"]"));
    let daemon = started(&home).await;
    receiver.until_type("admin.start").await;
    let first = first_ids(&receiver.received())[0];
    receiver.set(Mood::Down);
    make(Arc::clone(&home), 40).await;
    let deadline = Instant::now() + SOON;
    while logged(&daemon, 0).await.len() < 40 {
        assert!(Instant::now() < deadline, "{}", daemon.log());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let home = daemon.kill();
    let journal = rusqlite::Connection::open(home.state().join("journal.db")).unwrap();
    let aged = journal.execute("UPDATE event SET at = at - 40 * 86400000", []);
    assert!(aged.expect("written") >= 40);
    drop(journal);
    let daemon = started(&home).await;
    let deadline = Instant::now() + SOON;
    while logged(&daemon, 0)
        .await
        .first()
        .is_none_or(|id| *id <= first + 40)
    {
        assert!(Instant::now() < deadline, "they stay");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let before = receiver.received().len();
    receiver.set(Mood::Take);
    receiver
        .until("a gap", |all| {
            all[before..]
                .iter()
                .any(|one| one.taken && one.body["type"] == "gap")
                || all[before..].iter().filter(|one| one.taken).count() > 45
        })
        .await;
    daemon.post("/connection/pause").await;
    receiver.until_type("admin.pause").await;
    let gaps: Vec<_> = receiver
        .received()
        .into_iter()
        .filter(|one| one.taken && one.body["type"] == "gap")
        .collect();
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    receiver.assert_no_faults();
}

/// A proxy that lets through what asks it by CONNECT, and counts.
async fn proxy() -> (u16, tokio::sync::watch::Receiver<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let (tell, told) = tokio::sync::watch::channel(Vec::new());
    let tell = Arc::new(tell);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let tell = Arc::clone(&tell);
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let Ok(byte) = stream.read_u8().await else {
                        return;
                    };
                    head.push(byte);
                }
                let head = String::from_utf8_lossy(&head).into_owned();
                let target = head.split(' ').nth(1).expect("a target").to_owned();
                tell.send_modify(|all| all.push(target.clone()));
                let Ok(mut other) = TcpStream::connect(target).await else {
                    return;
                };
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
                let _ = copy_bidirectional(&mut stream, &mut other).await;
            });
        }
    });
    (port, told)
}

#[tokio::test]
async fn what_goes_out_goes_by_the_proxy_and_never_past_it() {
    let receiver = Receiver::start(SECRET).await;
    let (living, mut asked) = proxy().await;
    let through = |home: &Home, port: u16| {
        home.configure(&endpoint("shop", &receiver.url(), "events = [\"admin.*\"]"));
        let text = fs::read_to_string(home.config()).unwrap();
        let proxy = format!("[whatsapp]\nproxy = \"http://127.0.0.1:{port}\"\n");
        fs::write(home.config(), text.replace("[whatsapp]\n", &proxy)).unwrap();
    };
    let home = home();
    through(&home, free_port());
    let daemon = started(&home).await;
    let failing = listed(&daemon, "shop", |one| one["lastFailure"].is_object()).await;
    let why = failing["lastFailure"]["message"]
        .as_str()
        .expect("a reason");
    assert!(why.contains("proxy"), "{why}");
    let tested = daemon.post("/admin/webhooks/test").await.json();
    assert_eq!(tested["data"][0]["delivered"], false, "{tested}");
    assert!(
        receiver.received().is_empty(),
        "the dead proxy was passed by"
    );
    let home = daemon.kill();
    through(&home, living);
    let daemon = started(&home).await;
    receiver.until_type("admin.start").await;
    let target = format!("127.0.0.1:{}", receiver.port);
    asked
        .wait_for(|asked| asked.contains(&target))
        .await
        .expect("told");
    receiver.assert_no_faults();
    drop(daemon);
}

#[tokio::test]
async fn what_links_is_sent_by_name_only() {
    let (_sandbox, _phone, home) = world().await;
    home.keep_secret(SECRET);
    let (plain, asking) = (Receiver::start(SECRET).await, Receiver::start(SECRET).await);
    let all = "events = [\"*\"]";
    home.configure(&format!(
        "{}{}",
        endpoint("plain", &plain.url(), all),
        endpoint(
            "asking",
            &asking.url(),
            &format!("{all}\ninclude = [\"pairing_code\"]")
        ),
    ));
    let daemon = home.start();
    let qr = daemon.qr().await;
    let body = json!({"phoneNumber": crate::NUMBER});
    let started = daemon
        .call(Method::POST, "/connection/pairing", Some(body))
        .await;
    assert_eq!(started.status, 200, "{started:?}");
    let code = started.json()["data"]["pairingCode"]
        .as_str()
        .expect("a code")
        .to_owned();
    let told = asking.until_type("pairing.code").await;
    assert_eq!(told.body["data"]["pairingCode"], code, "{told:?}");
    assert!(told.body["data"]["expiresAt"].is_string());
    plain.until_type("pairing.code").await;
    plain.assert_no_faults();
    asking.assert_no_faults();
    let digits = code.replace('-', "");
    for secret in [&*qr, KEY, SECRET, crate::NUMBER] {
        for one in plain.received().iter().chain(&asking.received()) {
            assert!(!one.text.contains(secret), "{}", one.text);
        }
    }
    for one in plain.received() {
        assert!(
            !one.text.contains(&code) && !one.text.contains(&digits),
            "{}",
            one.text
        );
    }
}

#[tokio::test]
async fn the_stop_waits_for_no_receiver() {
    let home = home();
    let receiver = Receiver::start(SECRET).await;
    receiver.set(Mood::Hang);
    home.configure(&endpoint("shop", &receiver.url(), "events = [\"*\"]"));
    let mut daemon = started(&home).await;
    receiver.until("a message", |all| !all.is_empty()).await;
    let told = Instant::now();
    daemon.signal(Signal::SIGTERM);
    assert_eq!(daemon.ended().await.code(), Some(0), "{}", daemon.log());
    assert!(
        told.elapsed() < Duration::from_secs(5),
        "{:?}",
        told.elapsed()
    );
    // And what it had is there again.
    drop(daemon);
    receiver.set(Mood::Take);
    let daemon = started(&home).await;
    receiver
        .until("the stop and the start", |all| {
            let kinds: Vec<_> = all
                .iter()
                .filter(|one| one.taken)
                .map(|one| &one.body["type"])
                .collect();
            kinds.contains(&&json!("admin.stop"))
                && kinds.iter().filter(|kind| ***kind == "admin.start").count() == 2
        })
        .await;
    drop(daemon);
}
