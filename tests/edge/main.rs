//! The API on real sockets: what goes wrong below a request, who stands behind
//! a control connection, how it all ends.

use sha2::{Digest, Sha256};
use std::{
    io::{Read, Write},
    net::SocketAddr,
    os::{
        fd::OwnedFd,
        unix::{fs::PermissionsExt, net, process::CommandExt},
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, UnixStream},
    sync::watch,
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use walinkd::{
    api::{App, EventFrames, Front, Office, Settings, Work, Written, log_turns, routers},
    auth::{Gate, Key, Keyring, Rules, Scope},
    journal::Journal,
    link::{self, Inbox, Snapshot},
    metrics::Meter,
    server::{ControlSocket, Server, Terms, bind_tcp, inherited},
    wire::{
        ConfigReport, KeyInfo, KeyRemoved, KeyRequest, LogLevel, NewKey, ReloadReport, State,
        Status, Timestamp,
    },
};

const NOW: Timestamp = Timestamp::from_millis(1_766_811_600_000);
/// Long enough for a busy machine; only a failing test waits for it.
const DEADLINE: Duration = Duration::from_secs(20);
const KEY: &str = "x-api-key: manager\r\n";

fn snapshot(generation: u64) -> Snapshot {
    Snapshot {
        status: Status {
            is_connected: false,
            has_qr_code: false,
            has_pairing_code: false,
            phone_number: None,
            last_qr_update: None,
            last_pairing_update: None,
            state: State::Idle,
            state_since: NOW,
            reason: None,
            user_action: None,
            jid: None,
            push_name: None,
            last_heard_at: None,
            last_disconnect: None,
            next_attempt_at: None,
            attempts: 0,
            health: Vec::new(),
            generation,
            started_at: NOW,
            version: "0.0.0".to_owned(),
        },
        qr: None,
        pairing: None,
        passkey: None,
        passkey_ended: None,
        summary: String::new(),
    }
}

fn rules(control_group: Option<u32>) -> Arc<Rules> {
    Arc::new(Rules {
        keyring: Keyring::new(
            vec![Key {
                name: "manager".into(),
                sha256: Sha256::digest("manager").into(),
                scope: Scope::Manage,
                expires: None,
            }],
            None,
        ),
        control_group,
        max_streams_per_key: 8,
        ..Rules::default()
    })
}

/// A daemon that changes nothing.
struct Idle;

impl Office for Idle {
    fn reload(&self) -> Work<'_, ReloadReport> {
        Box::pin(async { Ok(ReloadReport::default()) })
    }

    fn keys(&self) -> Work<'_, Vec<KeyInfo>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn add_key(&self, _: KeyRequest) -> Work<'_, NewKey> {
        Box::pin(std::future::pending())
    }

    fn remove_key(&self, _: String) -> Work<'_, KeyRemoved> {
        Box::pin(std::future::pending())
    }

    fn config(&self) -> Work<'_, ConfigReport> {
        Box::pin(std::future::pending())
    }

    fn set_log_level(&self, _: String) -> Work<'_, LogLevel> {
        Box::pin(std::future::pending())
    }

    fn backup(&self) -> Work<'_, std::fs::File> {
        Box::pin(std::future::pending())
    }
}

/// The whole edge on a free port and a socket of its own.
struct Edge {
    address: SocketAddr,
    socket: PathBuf,
    /// Commands stay unanswered unless a test answers them.
    inbox: Inbox,
    rules: watch::Sender<Arc<Rules>>,
    stop: CancellationToken,
    done: JoinHandle<()>,
    _folder: tempfile::TempDir,
}

async fn edge(max_connections: usize, header_timeout: Duration, request_timeout: Duration) -> Edge {
    let folder = tempfile::tempdir().expect("a folder");
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open).expect("ours");
    let socket = folder.path().join("control.sock");
    let (link, inbox) = link::channel(snapshot(1));
    let (rules, rules_now) = watch::channel(rules(None));
    let (_, settings) = watch::channel(Arc::new(Settings {
        cors_origins: Vec::new(),
        dashboard: true,
        request_timeout,
        max_body: 1024,
    }));
    let (_, terms) = watch::channel(Arc::new(Terms {
        header_timeout,
        max_connections,
        ..Terms::default()
    }));
    let (_, ready) = watch::channel(true);
    let journal = Journal::open(folder.path(), Duration::from_secs(86_400), || NOW);
    let routers = routers(App {
        link,
        gate: Gate::new(rules_now.clone()),
        recorder: journal.recorder(),
        events: journal.reader(),
        settings,
        ready,
        stopping: CancellationToken::new(),
        office: Box::new(Idle),
        listening: Box::new(Vec::new),
        logs: log_turns(),
        meter: Arc::new(Meter::new("0.0.0")),
        frames: EventFrames::default(),
        written: Written::default(),
        now: || NOW,
    });
    let answers = |front: Front| {
        move |guest| {
            let clerk = front.welcome(guest);
            move |request| clerk.answer(request)
        }
    };
    let (tcp, control) = (answers(routers.tcp), answers(routers.control));
    let mut server = Server::new(tcp, control, terms, rules_now);
    let listener = bind_tcp(([127, 0, 0, 1], 0).into()).expect("a port");
    let address = listener.local_addr().expect("an address");
    server.listen_tcp(listener);
    let control = ControlSocket::bind(&socket, None).await.expect("a socket");
    server.listen_control(control);
    let stop = CancellationToken::new();
    let done = tokio::spawn(server.run(stop.clone()));
    Edge {
        address,
        socket,
        inbox,
        rules,
        stop,
        done,
        _folder: folder,
    }
}

async fn plain_edge() -> Edge {
    edge(64, DEADLINE, DEADLINE).await
}

impl Edge {
    async fn tcp(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("it listens")
    }

    async fn unix(&self) -> UnixStream {
        UnixStream::connect(&self.socket).await.expect("it listens")
    }
}

/// Sends and reads until the other side closes.
async fn talk(mut stream: impl AsyncRead + AsyncWrite + Unpin, text: &str) -> String {
    stream
        .write_all(text.as_bytes())
        .await
        .expect("it is taken");
    rest(&mut stream).await
}

async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut answer = Vec::new();
    timeout(DEADLINE, stream.read_to_end(&mut answer))
        .await
        .expect("the connection closes in time")
        .expect("it closes in order");
    String::from_utf8(answer).expect("text")
}

/// Reads one answer with a `Content-Length` of a connection that stays open.
async fn one_answer(stream: &mut TcpStream) -> String {
    let mut answer = String::new();
    let whole = async {
        loop {
            let mut chunk = [0; 4096];
            let count = stream.read(&mut chunk).await.expect("an answer");
            assert_ne!(count, 0, "closed after {answer:?}");
            answer += std::str::from_utf8(&chunk[..count]).expect("text");
            let Some((head, body)) = answer.split_once("\r\n\r\n") else {
                continue;
            };
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .expect("a length");
            if body.len() >= length.parse().expect("a number") {
                return answer;
            }
        }
    };
    timeout(DEADLINE, whole).await.expect("an answer in time")
}

fn request(line: &str, headers: &str, body: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n{body}")
}

fn is(answer: &str, status: &str) {
    assert!(
        answer.starts_with(&format!("HTTP/1.1 {status}")),
        "{answer}"
    );
}

#[tokio::test]
async fn tcp_asks_for_a_key_and_the_control_socket_for_a_user() {
    let edge = plain_edge().await;
    let status = request("GET /connection/status", "", "");
    let answer = talk(edge.tcp().await, &status).await;
    is(&answer, "403");
    assert!(answer.contains(r#""code":"bad_key""#));
    is(&talk(edge.unix().await, &status).await, "200");
    let status = request("GET /connection/status", KEY, "");
    is(&talk(edge.tcp().await, &status).await, "200");

    let reload = request("POST /admin/reload", KEY, "");
    is(&talk(edge.tcp().await, &reload).await, "404");
    let answer = talk(edge.unix().await, &reload).await;
    is(&answer, "200");
    assert!(answer.contains(r#""applied":[]"#));
}

#[tokio::test]
async fn head_answers_without_a_body() {
    let edge = plain_edge().await;
    let answer = talk(edge.tcp().await, &request("HEAD /livez", "", "")).await;
    is(&answer, "200");
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    assert!(answer.contains("content-length: "));
}

#[tokio::test]
async fn requests_in_a_row_are_answered_in_order() {
    let edge = plain_edge().await;
    let first = format!("GET /livez HTTP/1.1\r\nHost: x\r\n{KEY}\r\n");
    let text = first + &request("GET /connection/pairing", KEY, "");
    let answer = talk(edge.tcp().await, &text).await;
    let live = answer.find(r#"{"live":true}"#).expect("the first answer");
    let none = answer
        .find("No pairing code available.")
        .expect("the second");
    assert!(live < none);
}

#[tokio::test]
async fn what_is_no_http_is_refused() {
    let edge = plain_edge().await;
    is(&talk(edge.tcp().await, "WHAT IS THIS\r\n\r\n").await, "400");
    let large = format!("x-large: {}\r\n", "x".repeat(20_000));
    let answer = talk(edge.tcp().await, &request("GET /livez", &large, "")).await;
    is(&answer, "431");
}

#[tokio::test]
async fn a_slow_head_and_silence_are_cut() {
    let edge = edge(64, Duration::from_millis(50), DEADLINE).await;
    for text in ["GET /livez HTTP/1.1\r\nHost: x\r\nx-slow: ", ""] {
        let answer = talk(edge.tcp().await, text).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"));
    }
}

#[tokio::test]
async fn a_slow_body_is_told_and_cut() {
    let edge = edge(64, DEADLINE, Duration::from_millis(50)).await;
    let headers = format!("{KEY}Content-Type: application/json\r\nContent-Length: 40\r\n");
    let text = request("POST /connection/pairing", &headers, "{\"phone");
    let answer = talk(edge.tcp().await, &text).await;
    is(&answer, "408");
    assert!(answer.contains(r#""code":"timeout""#));
}

#[tokio::test]
async fn a_large_body_gets_its_answer_and_not_a_reset() {
    let edge = plain_edge().await;
    let body = "x".repeat(200_000);
    let headers = format!("{KEY}Content-Length: {}\r\n", body.len());
    let text = request("POST /connection/disconnect", &headers, &body);
    let answer = talk(edge.tcp().await, &text).await;
    is(&answer, "413");
    assert!(answer.contains(r#""code":"body_too_large""#));

    let headers = format!("{KEY}Content-Length: 99999999999\r\n");
    let text = request("POST /connection/disconnect", &headers, "");
    is(&talk(edge.tcp().await, &text).await, "413");
}

#[tokio::test]
async fn a_stranger_goes_for_a_newcomer_and_who_is_at_work_stays() {
    let mut edge = edge(1, DEADLINE, DEADLINE).await;
    let mut stranger = edge.tcp().await;
    let live = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
    stranger.write_all(live.as_bytes()).await.expect("taken");
    is(&one_answer(&mut stranger).await, "200");

    let mut first = edge.tcp().await;
    let wait = format!("GET /connection/status?after=1 HTTP/1.1\r\nHost: x\r\n{KEY}\r\n");
    first.write_all(wait.as_bytes()).await.expect("taken");
    let asked = timeout(DEADLINE, edge.inbox.commands.recv()).await;
    asked.expect("the request is in").expect("a command");
    assert_eq!(rest(&mut stranger).await, "");

    let second = edge.tcp().await;
    let text = request("GET /livez", "", "");
    let waiting = tokio::spawn(async move { talk(second, &text).await });
    // TCP being full does not lock the operator out.
    is(
        &talk(edge.unix().await, &request("GET /livez", "", "")).await,
        "200",
    );
    assert!(!waiting.is_finished());
    edge.inbox.snapshots.send_replace(Arc::new(snapshot(2)));
    is(&one_answer(&mut first).await, "200");
    // Quiet now, so it goes.
    is(&waiting.await.expect("no panic"), "200");
    assert_eq!(rest(&mut first).await, "");
}

#[tokio::test]
async fn a_waiting_call_ends_when_its_key_is_removed() {
    let mut edge = plain_edge().await;
    let mut first = edge.tcp().await;
    let wait = format!("GET /connection/status?after=1 HTTP/1.1\r\nHost: x\r\n{KEY}\r\n");
    first.write_all(wait.as_bytes()).await.expect("taken");
    let asked = timeout(DEADLINE, edge.inbox.commands.recv()).await;
    asked.expect("the request is in").expect("a command");
    edge.rules.send_replace(Arc::new(Rules::default()));
    let answer = one_answer(&mut first).await;
    is(&answer, "403");
    assert!(answer.contains(r#""code":"not_permitted""#), "{answer}");
}

#[tokio::test]
async fn what_is_being_answered_is_finished_at_the_stop() {
    let edge = plain_edge().await;
    // Quiet, and no reason to wait.
    let mut quiet = edge.tcp().await;
    let mut waiting = edge.tcp().await;
    let text = format!("GET /connection/status?after=1&wait=60s HTTP/1.1\r\nHost: x\r\n{KEY}\r\n");
    waiting.write_all(text.as_bytes()).await.expect("taken");
    let mut commands = edge.inbox.commands;
    let asked = timeout(DEADLINE, commands.recv()).await;
    asked.expect("the request is in").expect("a command");

    edge.stop.cancel();
    assert_eq!(rest(&mut quiet).await, "");
    let refused = async { while TcpStream::connect(edge.address).await.is_ok() {} };
    timeout(DEADLINE, refused).await.expect("the door closes");
    edge.inbox.snapshots.send_replace(Arc::new(snapshot(2)));
    let answer = rest(&mut waiting).await;
    is(&answer, "200");
    assert!(answer.contains(r#""generation":2"#));
    let done = timeout(DEADLINE, edge.done).await;
    done.expect("it ends in time").expect("no panic");
    assert!(!edge.socket.exists());
}

#[tokio::test]
async fn what_was_on_its_way_at_the_stop_is_answered() {
    let edge = plain_edge().await;
    let mut fresh = edge.tcp().await;
    let mut kept = edge.tcp().await;
    let live = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
    kept.write_all(live.as_bytes()).await.expect("taken");
    is(&one_answer(&mut kept).await, "200");

    edge.stop.cancel();
    // By now every connection has heard of it.
    let refused = async { while TcpStream::connect(edge.address).await.is_ok() {} };
    timeout(DEADLINE, refused).await.expect("the door closes");
    for stream in [&mut fresh, &mut kept] {
        stream.write_all(live.as_bytes()).await.expect("taken");
        let answer = rest(stream).await;
        is(&answer, "200");
        assert!(answer.contains("connection: close"), "{answer}");
    }
}

#[tokio::test]
async fn what_does_not_finish_is_cut_after_the_drain() {
    let edge = plain_edge().await;
    let mut waiting = edge.tcp().await;
    let text = request("POST /connection/pause", KEY, "");
    waiting.write_all(text.as_bytes()).await.expect("taken");
    let mut commands = edge.inbox.commands;
    let command = timeout(DEADLINE, commands.recv()).await;
    let unanswered = command.expect("the request is in").expect("a command");
    edge.stop.cancel();
    let done = timeout(Duration::from_secs(10), edge.done).await;
    done.expect("it ends in time").expect("no panic");
    assert_eq!(rest(&mut waiting).await, "");
    drop(unanswered);
}

/// `nobody` on Debian and most others; any user that is not ours would do.
const STRANGER: u32 = 65_534;

#[tokio::test]
async fn strangers_read_and_members_manage() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("left out: only root can call as another user");
        return;
    }
    let edge = plain_edge().await;
    let everybody = std::fs::Permissions::from_mode(0o666);
    std::fs::set_permissions(&edge.socket, everybody).expect("ours");
    let mut inbox = edge.inbox;
    tokio::spawn(async move {
        while let Some(command) = inbox.commands.recv().await {
            if let link::Command::Pause(answer) = command {
                let _ = answer.send(());
            }
        }
    });
    let status = request("GET /connection/status", "", "");
    let pause = request("POST /connection/pause", "", "");
    for (group, text, status) in [
        (None, &status, "200"),
        (None, &pause, "403"),
        (Some(STRANGER), &pause, "200"),
        (Some(STRANGER - 1), &pause, "403"),
    ] {
        edge.rules.send_replace(rules(group));
        // The socket was given to the new group, with its mode as it was.
        let socket = edge.socket.clone();
        let text = text.clone();
        let called = tokio::task::spawn_blocking(move || as_stranger(&socket, &text)).await;
        match called.expect("no panic") {
            Ok(answer) => is(&answer, status),
            Err(why) => return eprintln!("left out: {why}"),
        }
    }
}

/// Runs `the_stranger` below in a process of its own.
fn as_stranger(socket: &Path, text: &str) -> Result<String, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new(own)
        .args(["--exact", "the_stranger", "--ignored", "--nocapture"])
        .env("EDGE_SOCKET", socket)
        .env("EDGE_REQUEST", text)
        .current_dir("/")
        .uid(STRANGER)
        .gid(STRANGER)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("nobody cannot run this test: {error}"))?;
    let shown = String::from_utf8_lossy(&output.stdout);
    let answer = shown.split_once("ANSWER ").map(|(_, answer)| answer);
    Ok(answer.unwrap_or(&shown).to_owned())
}

#[test]
#[ignore = "run by strangers_read_and_members_manage, as another user"]
fn the_stranger() {
    let socket = std::env::var("EDGE_SOCKET").expect("given");
    let text = std::env::var("EDGE_REQUEST").expect("given");
    let mut stream = net::UnixStream::connect(socket).expect("it may open it");
    stream.write_all(text.as_bytes()).expect("taken");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    println!("ANSWER {answer}");
}

#[test]
fn sockets_of_the_service_manager_are_taken_over_by_name() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let own = std::env::current_exe().expect("this test");
    for (name, told) in [
        ("http", format!("listening on {address}")),
        ("control", "is no Unix socket".to_owned()),
        ("ftp", "has a name that is not known".to_owned()),
    ] {
        let socket = OwnedFd::from(listener.try_clone().expect("a copy"));
        let output = Command::new("/bin/sh")
            .args(["-c", r#"LISTEN_PID=$$ exec "$0" "$@" 3<&0"#])
            .arg(&own)
            .args(["--exact", "the_heir", "--ignored", "--nocapture"])
            .env("LISTEN_FDS", "1")
            .env("LISTEN_FDNAMES", name)
            .stdin(socket)
            .output()
            .expect("a shell");
        let shown = String::from_utf8_lossy(&output.stdout);
        assert!(shown.contains(&told), "{name}: {shown}");
    }
}

#[tokio::test]
#[ignore = "run by sockets_of_the_service_manager_are_taken_over_by_name"]
async fn the_heir() {
    match inherited() {
        Ok(inherited) => {
            let address = inherited.tcp[0].local_addr().expect("an address");
            println!("listening on {address}");
        }
        Err(error) => println!("{error}"),
    }
}
