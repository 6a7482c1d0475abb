//! A linked daemon under attack, with a well-behaved client beside. One line a
//! attack: what became of it, how long the client waited, what the daemon's
//! memory grew by, and whether its descriptors are back. Left out of plain test
//! runs for the time it takes; `tests/run` has a step for it.

#![expect(
    clippy::unwrap_used,
    reason = "a test that panics is a test that fails"
)]

#[path = "../support/mod.rs"]
#[allow(
    clippy::allow_attributes,
    dead_code,
    unused_imports,
    reason = "shared by test programs that each use a part of it"
)]
mod support;

mod bystander;
mod flood;
mod http;
mod http2;
mod keys;
mod secure;
mod wire;

use bystander::Bystander;
use hyper::Method;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde_json::Value;
use std::{
    fs,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};
use support::{Daemon, Home};
use walinkd_sandbox::{Options, Sandbox};

/// What the bystander waits at most, but for one request in a hundred.
const P99: Duration = Duration::from_millis(100);
/// What the daemon's resident memory may grow by, in KiB.
const GROWTH: u64 = 20 * 1024;
/// An attack goes on for so long at least, so that there is something to count.
const LASTS: Duration = Duration::from_secs(5);

type Attack = for<'a> fn(&'a Daemon) -> Pin<Box<dyn Future<Output = String> + Send + 'a>>;

/// Makes a line of the table out of an attack.
macro_rules! attack {
    ($name:expr, $attack:path) => {
        ($name, (|daemon| Box::pin($attack(daemon))) as Attack)
    };
}

const ATTACKS: &[(&str, Attack)] = &[
    attack!("slow headers, 500 connections", flood::slow_headers),
    attack!("slow bodies", flood::slow_bodies),
    attack!("10,000 idle connections", flood::idle_connections),
    attack!(
        "10,000 idle connections, same address",
        flood::idle_beside_the_bystander
    ),
    attack!("pipelining without reading", flood::pipelining),
    attack!("flood of the control socket", flood::control_socket),
    attack!("SIGHUP storm", flood::hangups),
    attack!("huge headers", http::huge_headers),
    attack!("huge bodies", http::huge_bodies),
    attack!("malformed HTTP", http::malformed),
    attack!("request smuggling", http::smuggling),
    attack!("path tricks", http::paths),
    attack!("invalid UTF-8, deep JSON", http::bodies),
    attack!("foreign origins", http::foreign_origins),
    attack!("key guessing", keys::guessing),
    attack!("key in address and cookie", keys::elsewhere),
    attack!("TLS on the plain port", secure::tls_on_plain),
    attack!("plain and garbage on the TLS port", secure::garbage_on_tls),
    attack!("HTTP/2 on the TLS port: rapid reset", http2::rapid_reset),
    attack!("HTTP/2 on the TLS port: many streams", http2::streams),
    attack!(
        "HTTP/2 on the TLS port: nothing taken",
        http2::nothing_taken
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes; tests/run runs it by itself"]
async fn the_daemon_under_attack() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
    assert!(
        hard > 12_000,
        "ulimit -Hn is {hard}: too few for 10,000 connections"
    );
    let sandbox = Sandbox::start(Options::default()).await.expect("a sandbox");
    let folder = tempfile::tempdir().expect("a folder");
    let (settings, trust) = secure::settings(folder.path());
    let (plain, linked) = linked(&sandbox, "628123456789", "").await;
    let (https, _) = self::linked(&sandbox, "6281987654321", &settings).await;

    let only = std::env::var("ATTACK").unwrap_or_default();
    let mut faults = Vec::new();
    println!(
        "{:<40} {:>8} {:>8} {:>9} {:>11}  outcome",
        "attack", "asked", "p99", "memory", "descriptors"
    );
    for (name, attack) in ATTACKS.iter().filter(|(name, _)| name.contains(&only)) {
        let (daemon, trust) = match name.contains("TLS port") {
            true => (&https, Some(trust.clone())),
            false => (&plain, None),
        };
        let before = Looks::at(daemon);
        let bystander = Bystander::start(daemon, trust, name.contains("same address"));
        let began = Instant::now();
        let outcome = attack(daemon).await;
        tokio::time::sleep_until((began + LASTS).into()).await;
        let seen = bystander.stop().await;
        let after = Looks::settled(daemon, before.descriptors).await;
        println!(
            "{name:<40} {:>8} {:>5} ms {:>5} KiB {:>5} {:>5}  {outcome}",
            seen.asked,
            seen.p99.as_millis(),
            seen.most_memory.saturating_sub(before.memory),
            before.descriptors,
            after.descriptors,
        );
        let mut fault = |what: String| faults.push(format!("{name}: {what}"));
        if seen.p99 > P99 {
            fault(format!("the bystander's p99 was {:?}", seen.p99));
        }
        if let Some(first) = seen.refused.first() {
            fault(format!(
                "{} of its requests failed: {first}",
                seen.refused.len()
            ));
        }
        if seen.most_memory > before.memory + GROWTH {
            fault(format!(
                "memory grew from {} to {} KiB",
                before.memory, seen.most_memory
            ));
        }
        if after.descriptors > before.descriptors {
            fault(format!(
                "{} descriptors were {} before",
                after.descriptors, before.descriptors
            ));
        }
    }
    let after = plain.status().await;
    for key in ["jid", "stateSince", "isConnected", "lastDisconnect"] {
        assert_eq!(linked[key], after[key], "the link was touched");
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// A daemon with these further keys of the section `http`, linked; and its
/// status.
async fn linked(sandbox: &Sandbox, number: &str, http: &str) -> (Daemon, Value) {
    let phone = sandbox.add_phone_named(number, "Ayu");
    let home = Home::new(&sandbox.url());
    home.keep_secret(number);
    home.configure_with(http, &keys::keys());
    let daemon = home.start();
    let qr = daemon.qr().await;
    phone.scan(&qr).await.expect("the phone accepts");
    daemon.until_connected().await;
    // Its reader has a connection of its own, from the first question on.
    daemon.get("/connection/log").await;
    let status = daemon
        .until("a name", |status| status["pushName"] != Value::Null)
        .await;
    (daemon, status)
}

/// How the daemon looks from outside.
struct Looks {
    /// Resident, in KiB.
    memory: u64,
    descriptors: usize,
}

impl Looks {
    fn at(daemon: &Daemon) -> Self {
        let process = format!("/proc/{}", daemon.pid());
        Self {
            memory: memory(daemon.pid()),
            descriptors: fs::read_dir(format!("{process}/fd")).unwrap().count(),
        }
    }

    /// Once no more descriptors are open than before, or after a while.
    async fn settled(daemon: &Daemon, descriptors: usize) -> Self {
        let deadline = Instant::now() + support::SOON;
        loop {
            let now = Self::at(daemon);
            if now.descriptors <= descriptors || Instant::now() > deadline {
                return now;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn memory(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let digits = line.unwrap().trim().trim_end_matches(" kB");
    digits.parse().unwrap()
}

/// How the daemon is told to go by its file again.
async fn reload(daemon: &Daemon) {
    let answer = daemon.call(Method::POST, "/admin/reload", None).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// Runs many at once, and gives what became of each.
async fn all<T: Send + 'static>(
    many: usize,
    each: impl Fn(usize) -> Pin<Box<dyn Future<Output = T> + Send>>,
) -> Vec<T> {
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..many {
        tasks.spawn(each(number));
    }
    tasks.join_all().await
}

/// `403 × 9, closed × 2`.
fn tally(outcomes: impl IntoIterator<Item = String>) -> String {
    let mut counts = std::collections::BTreeMap::<String, usize>::new();
    for outcome in outcomes {
        *counts.entry(outcome).or_default() += 1;
    }
    let told: Vec<_> = counts
        .into_iter()
        .map(|(outcome, count)| format!("{outcome} × {count}"))
        .collect();
    told.join(", ")
}

fn shared(daemon: &Daemon) -> Arc<Home> {
    Arc::clone(&daemon.home)
}
