//! Starts the real binary in a directory of its own and talks to it from
//! outside. What a daemon logs is kept, and when it is dropped its log is
//! searched for everything that must never be in one.

mod following;
mod manager;
mod program;
mod receiver;
pub(crate) mod scanner;
pub(crate) mod verbs;
mod window;

pub(crate) use following::{Block, By, Following};
pub(crate) use manager::Manager;
pub(crate) use program::Program;
pub(crate) use receiver::{Mood, Received, Receiver};
pub(crate) use window::Window;

use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, StatusCode, body::Bytes, client::conn::http1, header::HeaderMap};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener},
    os::{fd::OwnedFd, unix::net::UnixListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::net::{TcpStream, UnixStream};

pub(crate) const WALINKD: &str = env!("CARGO_BIN_EXE_walinkd");

/// Long enough for a loaded machine; a passing test never waits for it.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// The key a test daemon takes on TCP.
pub(crate) const KEY: &str = "a-key-for-tests-0123456789abcdef0123456789abcdef";

/// Where a daemon lives; outlives the daemon, so that another can follow it.
pub(crate) struct Home {
    dir: TempDir,
    pub(crate) port: u16,
    url: String,
    secrets: Mutex<BTreeSet<String>>,
}

impl Home {
    pub(crate) fn new(url: &str) -> Arc<Self> {
        let dir = tempfile::Builder::new()
            .prefix("walinkd-")
            .tempdir()
            .expect("a directory");
        let home = Self {
            dir,
            port: free_port(),
            url: url.to_owned(),
            secrets: Mutex::new(BTreeSet::from([KEY.to_owned()])),
        };
        home.configure("");
        Arc::new(home)
    }

    /// Writes the configuration: the test's own places, then `extra` sections.
    pub(crate) fn configure(&self, extra: &str) {
        self.configure_with("", extra);
    }

    /// The same, with further keys of the section `http`.
    pub(crate) fn configure_with(&self, http: &str, extra: &str) {
        let text = format!(
            "[http]\nlisten = [\"127.0.0.1:{}\"]\n{http}[control]\nsocket = \"{}\"\n[whatsapp]\nurl = \"{}\"\n\
             [storage]\nstate_dir = \"{}\"\n[log]\nlevel = \"debug\"\ntarget = \"stderr\"\n{extra}\n",
            self.port,
            self.socket().display(),
            self.url,
            self.state().display(),
        );
        std::fs::write(self.config(), text).unwrap();
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.dir.path().join("walinkd.toml")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.path().join("control.sock")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// Something that no log may hold.
    pub(crate) fn keep_secret(&self, secret: &str) {
        self.secrets.lock().unwrap().insert(secret.to_owned());
    }

    /// What may not be in a log may not be among the kept events either.
    fn assert_discreet_journal(&self) {
        for name in ["journal.db", "journal.db-wal"] {
            let bytes = std::fs::read(self.state().join(name)).unwrap_or_default();
            // The search in a text is fast, where a long run has seen many secrets.
            let text = String::from_utf8_lossy(&bytes);
            for secret in self.secrets.lock().unwrap().iter() {
                assert!(!text.contains(secret), "{name} holds {secret}");
            }
        }
    }

    pub(crate) fn start(self: &Arc<Self>) -> Daemon {
        self.start_with(&[])
    }

    pub(crate) fn start_with(self: &Arc<Self>, env: &[(&str, &str)]) -> Daemon {
        let mut command = Command::new(WALINKD);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        self.start_by(command, env)
    }

    /// Starts the daemon on the sockets that somebody else holds, as systemd
    /// would.
    pub(crate) fn start_on(self: &Arc<Self>, http: &TcpListener, control: &UnixListener) -> Daemon {
        let mut command = Command::new("/bin/sh");
        command
            .args([
                "-c",
                r#"LISTEN_PID=$$ exec "$0" "$@" 3<&0 4<&1 </dev/null >/dev/null"#,
                WALINKD,
            ])
            .stdin(OwnedFd::from(http.try_clone().expect("a copy")))
            .stdout(OwnedFd::from(control.try_clone().expect("a copy")));
        self.start_by(
            command,
            &[("LISTEN_FDS", "2"), ("LISTEN_FDNAMES", "http:control")],
        )
    }

    /// `command` runs walinkd with the arguments it gets here.
    pub(crate) fn start_by(self: &Arc<Self>, mut command: Command, env: &[(&str, &str)]) -> Daemon {
        command
            .arg("--config")
            .arg(self.config())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.dir.path())
            .env("API_KEY", KEY)
            .envs(env.iter().copied())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the daemon starts");
        let log = Arc::new(Mutex::new(String::new()));
        let lines = BufReader::new(child.stderr.take().expect("piped"));
        let kept = Arc::clone(&log);
        let reader = std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                let mut kept = kept.lock().unwrap();
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        Daemon {
            home: Arc::clone(self),
            child,
            log,
            reader: Some(reader),
        }
    }
}

/// A running daemon; killed when dropped.
pub(crate) struct Daemon {
    pub(crate) home: Arc<Home>,
    child: Child,
    log: Arc<Mutex<String>>,
    reader: Option<std::thread::JoinHandle<()>>,
}

/// An answer of the API.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
    /// The same, as far as it is text.
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Daemon {
    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a PID")
    }

    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until its log has this: what it writes is read beside.
    pub(crate) async fn until_logged(&self, text: &str) {
        let deadline = Instant::now() + SOON;
        while !self.log().contains(text) {
            assert!(
                Instant::now() < deadline,
                "waited for {text:?}; log:\n{}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) fn signal(&self, signal: nix::sys::signal::Signal) {
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(self.pid()), signal).expect("it lives");
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("our child").is_none()
    }

    /// Waits for the process to end by itself.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + SOON;
        loop {
            if let Some(status) = self.child.try_wait().expect("our child") {
                // So that all it wrote is in the log.
                if let Some(reader) = self.reader.take() {
                    let _ = reader.join();
                }
                return status;
            }
            assert!(Instant::now() < deadline, "it still runs\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// `kill -9`, and gone when this returns.
    pub(crate) fn kill(mut self) -> Arc<Home> {
        self.child.kill().expect("it lives");
        Arc::clone(&self.home)
    }

    /// A call over the control socket.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let deadline = Instant::now() + SOON;
        let stream = loop {
            match UnixStream::connect(self.home.socket()).await {
                Ok(stream) => break stream,
                Err(error) => {
                    assert!(Instant::now() < deadline, "{error}\n{}", self.log());
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        };
        let answer = request(TokioIo::new(stream), method, path, body, &[]).await;
        self.learn(&answer);
        answer
    }

    /// A call over TCP with these headers.
    pub(crate) async fn call_tcp(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let stream = TcpStream::connect(self.address())
            .await
            .expect("it listens");
        let answer = request(TokioIo::new(stream), method, path, body, headers).await;
        self.learn(&answer);
        answer
    }

    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.home.port))
    }

    /// Remembers the codes an answer shows: none may be in the log.
    fn learn(&self, answer: &Answer) {
        let Ok(json) = serde_json::from_str::<Value>(&answer.text) else {
            return;
        };
        for code in ["qrCode", "pairingCode", "code"] {
            if let Some(code) = json["data"][code].as_str() {
                self.home.keep_secret(code);
                self.home.keep_secret(&code.replace('-', ""));
            }
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str) -> Answer {
        self.call(Method::POST, path, None).await
    }

    /// `data` of the status.
    pub(crate) async fn status(&self) -> Value {
        self.get("/connection/status").await.json()["data"].clone()
    }

    /// Waits until the status is as wanted, looking after each change of it.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        self.until_within(SOON, what, holds).await
    }

    pub(crate) async fn until_within(
        &self,
        limit: Duration,
        what: &str,
        holds: impl Fn(&Value) -> bool,
    ) -> Value {
        let deadline = Instant::now() + limit;
        let mut status = self.status().await;
        while !holds(&status) {
            assert!(
                Instant::now() < deadline,
                "waited for {what}; status: {status:#}\nlog:\n{}",
                self.log()
            );
            let path = format!("/connection/status?after={}&wait=1s", status["generation"]);
            status = self.get(&path).await.json()["data"].clone();
        }
        status
    }

    pub(crate) async fn until_state(&self, state: &str) -> Value {
        self.until(state, |status| status["state"] == state).await
    }

    pub(crate) async fn until_connected(&self) -> Value {
        self.until("connected", |status| status["isConnected"] == true)
            .await
    }

    /// The QR code on offer, waiting for it.
    pub(crate) async fn qr(&self) -> String {
        self.until("a QR code", |status| status["hasQRCode"] == true)
            .await;
        let answer = self.get("/connection/qr").await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.json()["data"]["qrCode"]
            .as_str()
            .expect("a string")
            .to_owned()
    }

    /// The pairing code on offer, waiting for it. A code may be withdrawn
    /// between the two calls, when a fresh one is on its way.
    pub(crate) async fn code(&self) -> String {
        let deadline = Instant::now() + SOON;
        loop {
            self.until("a pairing code", |status| status["hasPairingCode"] == true)
                .await;
            let answer = self.get("/connection/pairing").await;
            if answer.status == StatusCode::OK {
                let code = &answer.json()["data"]["pairingCode"];
                return code.as_str().expect("a string").to_owned();
            }
            assert!(Instant::now() < deadline, "{answer:?}");
        }
    }

    /// Runs a verb of the command line against this daemon. Not on the test's
    /// own thread: the sandbox lives there.
    pub(crate) async fn cli(&self, arguments: &[&str]) -> std::process::Output {
        let mut command = Command::new(WALINKD);
        command
            .arg("--socket")
            .arg(self.home.socket())
            .args(arguments)
            .env_clear()
            .stdin(Stdio::null());
        tokio::task::spawn_blocking(move || command.output())
            .await
            .expect("no panic")
            .expect("it runs")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        let log = self.log();
        if std::thread::panicking() {
            return;
        }
        for secret in self.home.secrets.lock().unwrap().iter() {
            let line = log.find(secret).map(|at| log[at..].lines().next());
            assert!(line.is_none(), "the log shows {secret}: {line:?}");
        }
        assert!(!log.contains("panicked"), "{log}");
        self.home.assert_discreet_journal();
    }
}

async fn request<S>(
    stream: TokioIo<S>,
    method: Method,
    path: &str,
    body: Option<Value>,
    headers: &[(&str, &str)],
) -> Answer
where
    TokioIo<S>: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(stream).await.expect("HTTP");
    let driver = tokio::spawn(connection);
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let bytes = match body {
        Some(json) => {
            request = request.header("content-type", "application/json");
            Bytes::from(json.to_string())
        }
        None => Bytes::new(),
    };
    let request = request.body(Full::new(bytes)).expect("a request");
    let answer = sender.send_request(request).await.expect("an answer");
    let (parts, body) = answer.into_parts();
    let bytes = body.collect().await.expect("a body").to_bytes();
    driver.abort();
    Answer {
        status: parts.status,
        headers: parts.headers,
        text: String::from_utf8_lossy(&bytes).into_owned(),
        bytes,
    }
}

/// A port nobody listens on at the moment.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it has an address").port()
}

/// Every file under `dir`, with its contents.
pub(crate) fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let bytes = std::fs::read(&path).unwrap_or_default();
            found.push((path, bytes));
        }
    }
    found
}
