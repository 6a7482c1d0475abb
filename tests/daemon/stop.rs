//! Stopping, and starting again, while clients are at it.

use crate::{
    link,
    support::{Daemon, Home, KEY, SOON},
    world,
};
use nix::sys::signal::Signal;
use std::{
    io::{self, ErrorKind},
    net::TcpListener,
    os::unix::net::UnixListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, UnixStream},
    task::JoinSet,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

const CLIENTS: usize = 200;

/// The promise.
const STOPPED: Duration = Duration::from_secs(5);

fn request(call: &str, more: &str) -> String {
    format!("{call} HTTP/1.1\r\nHost: x\r\nx-api-key: {KEY}\r\n{more}\r\n")
}

/// A connection that has had one answer and stays open.
async fn client(daemon: &Daemon) -> TcpStream {
    let mut stream = TcpStream::connect(daemon.address())
        .await
        .expect("it listens");
    let text = request("HEAD /livez", "");
    stream.write_all(text.as_bytes()).await.expect("taken");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let byte = timeout(SOON, stream.read_u8()).await.expect("in time");
        answer.push(byte.expect("an answer"));
    }
    stream
}

#[tokio::test]
async fn told_to_stop_under_load_it_answers_what_it_took() {
    let (_sandbox, phone, home) = world().await;
    home.configure("[http.rate_limit]\nrequests_per_second = 0");
    let mut daemon = home.start();
    link(&daemon, &phone).await;
    let generation = &daemon.status().await["generation"];
    let wait = request(
        &format!("GET /connection/status?after={generation}&wait=60s"),
        "",
    );
    let change = request("POST /connection/reconnect", "Content-Length: 0\r\n");
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(client(&daemon).await);
    }
    // These cannot be waited for: half a request, and one that never comes.
    let mut half = client(&daemon).await;
    let text = request("POST /connection/pairing", "Content-Length: 50\r\n");
    half.write_all(text.as_bytes()).await.expect("taken");
    let _quiet = TcpStream::connect(daemon.address())
        .await
        .expect("it listens");
    for (number, stream) in clients.iter_mut().enumerate() {
        let text = if number % 20 == 0 { &change } else { &wait };
        stream.write_all(text.as_bytes()).await.expect("taken");
    }

    let told = Instant::now();
    daemon.signal(Signal::SIGTERM);
    for (number, stream) in clients.iter_mut().enumerate() {
        let mut answer = String::new();
        timeout(SOON, stream.read_to_string(&mut answer))
            .await
            .expect("in time")
            .expect("an end in good order");
        let stopping = number % 20 == 0 && answer.starts_with("HTTP/1.1 503 ");
        assert!(
            answer.starts_with("HTTP/1.1 200 ") || stopping,
            "client {number}: {answer:?}"
        );
        assert!(answer.ends_with('}'), "client {number}: {answer:?}");
    }
    let status = daemon.ended().await;
    assert!(told.elapsed() < STOPPED, "{:?}", told.elapsed());
    assert_eq!(status.code(), Some(0), "{}", daemon.log());
    drop(daemon);
    home.start().until_connected().await;
    assert_eq!(phone.devices().len(), 1, "never paired again");
}

/// One call on a connection of its own.
async fn call(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    let text = request("GET /livez", "Connection: close\r\n");
    stream.write_all(text.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    if answer.starts_with("HTTP/1.1 200 ") {
        return Ok(());
    }
    Err(io::Error::new(ErrorKind::InvalidData, answer))
}

/// Clients that call without a break, until told; any refusal is a panic.
struct Crowd {
    stop: CancellationToken,
    answered: Arc<AtomicUsize>,
    callers: JoinSet<()>,
}

impl Crowd {
    fn at(home: &Arc<Home>) -> Self {
        let stop = CancellationToken::new();
        let answered = Arc::new(AtomicUsize::new(0));
        let mut callers = JoinSet::new();
        for number in 0..8 {
            let (stop, answered) = (stop.clone(), Arc::clone(&answered));
            let (socket, port) = (home.socket(), home.port);
            callers.spawn(async move {
                while !stop.is_cancelled() {
                    let called = async {
                        if number % 2 == 0 {
                            call(TcpStream::connect(("127.0.0.1", port)).await?).await
                        } else {
                            call(UnixStream::connect(&socket).await?).await
                        }
                    };
                    let called = timeout(SOON, called).await.expect("in time");
                    called.expect("an answer");
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        Self {
            stop,
            answered,
            callers,
        }
    }

    /// Waits until each has been answered some more times.
    async fn go_on(&mut self) {
        let goal = self.answered.load(Ordering::Relaxed) + 80;
        let more = async {
            while self.answered.load(Ordering::Relaxed) < goal {
                assert!(self.callers.try_join_next().is_none(), "one has given up");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(SOON, more).await.expect("answers");
    }

    async fn end(self) {
        self.stop.cancel();
        self.callers.join_all().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_on_inherited_sockets_refuses_nobody() {
    let (_sandbox, phone, home) = world().await;
    let http = TcpListener::bind(("127.0.0.1", home.port)).expect("free a moment ago");
    let control = UnixListener::bind(home.socket()).expect("ours");
    let daemon = home.start_on(&http, &control);
    link(&daemon, &phone).await;
    let mut crowd = Crowd::at(&home);
    let mut running = daemon;
    for _ in 0..2 {
        crowd.go_on().await;
        running.signal(Signal::SIGTERM);
        let status = running.ended().await;
        assert_eq!(status.code(), Some(0), "{}", running.log());
        assert!(home.socket().exists(), "not the daemon's to remove");
        running = home.start_on(&http, &control);
    }
    crowd.go_on().await;
    crowd.end().await;
    running.until_connected().await;
    assert_eq!(phone.devices().len(), 1, "never paired again");
}
