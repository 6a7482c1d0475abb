//! What a thousand open streams of events cost: a table, measured from outside.
//!
//!     cargo build --release
//!     WALINKD=target/release/walinkd cargo test --test streams -- --ignored --nocapture
//!
//! `STREAMS` and `SECONDS` change how many there are and how long they are left
//! quiet. It is no test: it asserts only that each stream is told each event, and
//! what the figures are worth depends on the machine, on which clients and daemon
//! run side by side.

#![expect(
    clippy::print_stdout,
    reason = "a measurement, told to who runs it by hand"
)]

use std::{
    env, fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream, UnixStream},
    sync::mpsc::{Receiver, Sender, channel},
    task::JoinSet,
    time::{sleep, timeout},
};

const KEY: &str = "a-key-for-streams-0123456789abcdef0123456789abcdef";
const SOON: Duration = Duration::from_secs(60);
/// Events that are delivered to all.
const ROUNDS: usize = 50;
/// By what they are known in the stream.
const EVENT: &str = "event: admin.pause";

/// A daemon that stays where it is: paused, and without a way out.
struct Daemon {
    child: Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Daemon {
    async fn start(streams: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let free = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let config = folder.path().join("walinkd.toml");
        let most = streams + 100;
        let text = format!(
            "[http]\nlisten = [\"127.0.0.1:{port}\"]\nmax_connections = {most}\n\
             max_connections_per_client = {most}\nmax_streams_per_key = {most}\n\
             [http.rate_limit]\nrequests_per_second = 0\n\
             [control]\nsocket = {:?}\n[whatsapp]\nproxy = \"socks5://127.0.0.1:9\"\n\
             [storage]\nstate_dir = {:?}\n[log]\ntarget = \"stderr\"\n",
            folder.path().join("control.sock"),
            folder.path().join("state"),
        );
        fs::write(&config, text).expect("written");
        let binary = env::var("WALINKD").unwrap_or(env!("CARGO_BIN_EXE_walinkd").to_owned());
        println!("{binary}");
        let child = Command::new(binary)
            .arg("--config")
            .arg(config)
            .env("API_KEY", KEY)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it runs");
        let daemon = Self {
            child,
            folder,
            port,
        };
        daemon.order("pause").await;
        // What only the start needs is given back.
        sleep(Duration::from_secs(2)).await;
        daemon
    }

    /// `POST /connection/…` on the control socket, once it is there.
    async fn order(&self, verb: &str) {
        let socket = self.folder.path().join("control.sock");
        let began = Instant::now();
        let mut stream = loop {
            match UnixStream::connect(&socket).await {
                Ok(stream) => break stream,
                Err(error) => assert!(began.elapsed() < SOON, "{error}"),
            }
            sleep(Duration::from_millis(20)).await;
        };
        let request = format!(
            "POST /connection/{verb} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.expect("taken");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }

    /// Resident and proportional memory, in KiB.
    fn memory(&self) -> (u64, u64) {
        let path = format!("/proc/{}/smaps_rollup", self.child.id());
        let text = fs::read_to_string(path).expect("ours to read");
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let words = line.expect("a line").split_whitespace().next();
            words.expect("a number").parse().expect("a number")
        };
        (field("Rss:"), field("Pss:"))
    }

    /// Processor time, of the program and of the kernel for it.
    fn cpu(&self) -> Duration {
        let schedstat = |task: &Path| {
            let text = fs::read_to_string(task.join("schedstat")).unwrap_or_default();
            let nanos = text.split_whitespace().next().map(str::parse);
            Duration::from_nanos(nanos.and_then(Result::ok).unwrap_or_default())
        };
        let tasks = format!("/proc/{}/task", self.child.id());
        let tasks = fs::read_dir(tasks).expect("ours to read");
        tasks
            .map(|task| schedstat(&task.expect("there").path()))
            .sum()
    }
}

/// One stream: says when it is open, and then when it is told each event.
async fn follow(port: u16, told: Sender<Instant>) {
    let stream = TcpStream::connect(("127.0.0.1", port))
        .await
        .expect("it listens");
    let mut stream = BufReader::with_capacity(1024, stream);
    let request = format!("GET /connection/events HTTP/1.1\r\nhost: x\r\nx-api-key: {KEY}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("taken");
    let mut line = String::new();
    while stream.read_line(&mut line).await.expect("it goes on") > 0 {
        if line.starts_with(EVENT) || line.starts_with("event: status") {
            told.send(Instant::now()).await.expect("somebody counts");
        }
        line.clear();
    }
}

/// When so many have been told.
async fn all(told: &mut Receiver<Instant>, many: usize) -> Vec<Instant> {
    let mut times = Vec::with_capacity(many);
    while times.len() < many {
        let next = timeout(SOON, told.recv()).await.expect("each is told");
        times.push(next.expect("they go on"));
    }
    times
}

fn number(name: &str, usual: usize) -> usize {
    let given = env::var(name).ok().map(|text| text.parse());
    given.map_or(usual, |number| number.expect("a number"))
}

#[tokio::test]
#[ignore = "a measurement, run by hand"]
async fn what_open_streams_cost() {
    let streams = number("STREAMS", 1000);
    let quiet = Duration::from_secs(number("SECONDS", 60) as u64);
    let daemon = Daemon::start(streams).await;
    let (before, before_pss) = daemon.memory();
    println!(
        "{:<36} {before:>8} KiB RSS {before_pss:>8} KiB PSS",
        "no stream"
    );

    let cpu = daemon.cpu();
    let (sender, mut told) = channel(streams);
    let mut followers = JoinSet::new();
    for _ in 0..streams {
        followers.spawn(follow(daemon.port, sender.clone()));
    }
    all(&mut told, streams).await;
    let opening = daemon.cpu() - cpu;
    let (with, with_pss) = daemon.memory();
    println!(
        "{:<36} {with:>8} KiB RSS {with_pss:>8} KiB PSS",
        format!("{streams} streams")
    );
    let each = with.saturating_sub(before) as f64 / streams as f64;
    println!("{:<36} {each:>8.1} KiB", "each");
    println!("{:<36} {opening:>11.1?} CPU", "opening them all");

    let cpu = daemon.cpu();
    sleep(quiet).await;
    let minute = (daemon.cpu() - cpu).mul_f64(60.0 / quiet.as_secs_f64());
    println!("{:<36} {minute:>11.1?} CPU", "a quiet minute");

    let cpu = daemon.cpu();
    let mut times = Vec::new();
    let mut last = Duration::ZERO;
    for _ in 0..ROUNDS {
        let began = Instant::now();
        daemon.order("pause").await;
        let delivered = all(&mut told, streams).await;
        let of_this = delivered.iter().map(|at| at.duration_since(began));
        last += of_this.clone().max().unwrap_or_default();
        times.extend(of_this);
    }
    let event = (daemon.cpu() - cpu) / u32::try_from(ROUNDS).expect("few");
    times.sort_unstable();
    let part = |per_mille: usize| times[(times.len() - 1) * per_mille / 1000];
    println!("{:<36} {event:>11.1?} CPU", "an event, with its order");
    println!(
        "{:<36} p50 {:.1?}, p99 {:.1?}, the last on average {:.1?}",
        "from the order to the client",
        part(500),
        part(990),
        last / u32::try_from(ROUNDS).expect("few"),
    );
    let (busy, busy_pss) = daemon.memory();
    println!(
        "{:<36} {busy:>8} KiB RSS {busy_pss:>8} KiB PSS",
        "after the events"
    );

    followers.shutdown().await;
    sleep(Duration::from_secs(2)).await;
    let (after, after_pss) = daemon.memory();
    println!(
        "{:<36} {after:>8} KiB RSS {after_pss:>8} KiB PSS",
        "all closed"
    );
}
