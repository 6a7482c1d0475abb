//! The daemon that is measured: the one that lies beside this program.

use crate::{
    child::{Child, SOON},
    http::{self, Door},
};
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::{
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::{net::UnixDatagram, time::timeout};

/// The key it takes.
pub(crate) const KEY: &str = "a-key-for-benchmarks-0123456789abcdef0123456789abcdef";

pub(crate) fn binary() -> Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name("walinkd"))
}

/// Where a daemon lives; outlives it, so that another can follow.
pub(crate) struct Home {
    dir: TempDir,
    port: u16,
    tls: bool,
    /// What libfaketime is told, if the clock is its.
    pub(crate) clock: Option<Vec<(&'static str, String)>>,
}

impl Home {
    pub(crate) fn new(whatsapp: &str) -> Result<Self> {
        Self::with(whatsapp, None)
    }

    /// With HTTPS, when there are a certificate and its key.
    pub(crate) fn with(whatsapp: &str, tls: Option<(&Path, &Path)>) -> Result<Self> {
        let dir = tempfile::Builder::new()
            .prefix("walinkd-bench-")
            .tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let secure = tls
            .map(|(certificate, key)| format!("tls_cert = {certificate:?}\ntls_key = {key:?}\n"));
        // The limits are in force, and high enough that none is met.
        let text = format!(
            "[http]\nlisten = [\"127.0.0.1:{port}\"]\nmax_connections = 4000\n\
             max_connections_per_client = 4000\nmax_streams_per_key = 4000\n{}\
             [http.rate_limit]\nrequests_per_second = 1000000\nburst = 1000000\n\
             [control]\nsocket = {:?}\n[whatsapp]\nurl = {whatsapp:?}\n\
             [storage]\nstate_dir = {:?}\n[log]\ntarget = \"stderr\"\n",
            secure.unwrap_or_default(),
            dir.path().join("control.sock"),
            dir.path().join("state"),
        );
        fs::write(dir.path().join("walinkd.toml"), text)?;
        Ok(Self {
            dir,
            port,
            tls: tls.is_some(),
            clock: None,
        })
    }

    pub(crate) fn control(&self) -> Door {
        Door::Unix(self.dir.path().join("control.sock"))
    }

    pub(crate) fn tcp(&self) -> Door {
        let address = ([127, 0, 0, 1], self.port).into();
        if self.tls {
            Door::Tls(address)
        } else {
            Door::Tcp(address)
        }
    }

    /// A daemon that is ready.
    pub(crate) async fn start(&self) -> Result<Daemon<'_>> {
        self.spawn()?.ready().await
    }

    pub(crate) fn spawn(&self) -> Result<Starting<'_>> {
        let path = self.dir.path().join("notify.sock");
        // The one of the last start.
        let _ = fs::remove_file(&path);
        let manager = UnixDatagram::bind(&path)?;
        let mut command = Command::new(binary()?);
        command
            .arg("--config")
            .arg(self.dir.path().join("walinkd.toml"))
            .env_clear()
            .env("API_KEY", KEY)
            .env("NOTIFY_SOCKET", path)
            .envs(
                self.clock
                    .iter()
                    .flatten()
                    .map(|(name, value)| (name, value)),
            )
            .stderr(File::create(self.log())?);
        let began = Instant::now();
        let child = Child::start(&mut command)?;
        Ok(Starting {
            home: self,
            child,
            began,
            manager,
        })
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("log")
    }
}

/// A daemon that has been started.
pub(crate) struct Starting<'a> {
    home: &'a Home,
    child: Child,
    began: Instant,
    manager: UnixDatagram,
}

impl<'a> Starting<'a> {
    pub(crate) async fn ready(self) -> Result<Daemon<'a>> {
        let mut message = [0; 4096];
        let told = async {
            loop {
                let length = self.manager.recv(&mut message).await?;
                let text = String::from_utf8_lossy(&message[..length]);
                if text.lines().any(|line| line == "READY=1") {
                    return Ok(self.began.elapsed());
                }
            }
        };
        let ready = match timeout(SOON, told).await {
            Ok(told) => told,
            Err(_) => Err(anyhow::anyhow!("it does not become ready")),
        };
        let ready = ready.with_context(|| self.home.told())?;
        Ok(Daemon {
            home: self.home,
            child: self.child,
            began: self.began,
            ready,
            _manager: self.manager,
        })
    }
}

impl Home {
    /// What its daemon has logged, for an error.
    fn told(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }
}

pub(crate) struct Daemon<'a> {
    pub(crate) home: &'a Home,
    child: Child,
    began: Instant,
    /// From its exec to `READY=1`.
    pub(crate) ready: Duration,
    _manager: UnixDatagram,
}

impl Daemon<'_> {
    pub(crate) fn pid(&self) -> i32 {
        self.child.pid()
    }

    /// Since its exec.
    pub(crate) fn age(&self) -> Duration {
        self.began.elapsed()
    }

    pub(crate) async fn post(&self, path: &str) -> Result<Value> {
        self.call("POST", path).await
    }

    /// `data` of an answer on the control socket.
    async fn call(&self, method: &str, path: &str) -> Result<Value> {
        let control = self.home.control();
        let answer = timeout(SOON, http::call(&control, method, path)).await?;
        let answer = answer.with_context(|| self.home.told())?;
        ensure!(answer.is_ok(), "{method} {path}: {answer:?}");
        let json: Value = serde_json::from_slice(answer.body())?;
        Ok(json["data"].clone())
    }

    /// Waits until the status is as wanted, which is told at once.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Result<Value> {
        let deadline = Instant::now() + SOON;
        let mut status = self.call("GET", "/connection/status").await?;
        while !holds(&status) {
            if Instant::now() > deadline {
                bail!("waited for {what}: {status:#}\n{}", self.home.told());
            }
            let path = format!("/connection/status?after={}&wait=5s", status["generation"]);
            status = self.call("GET", &path).await?;
        }
        Ok(status)
    }

    pub(crate) async fn until_connected(&self) -> Result<()> {
        let connected = |status: &Value| status["isConnected"] == true;
        self.until("connected", connected).await.map(drop)
    }

    pub(crate) async fn until_qr(&self) -> Result<()> {
        let shown = |status: &Value| status["hasQRCode"] == true;
        self.until("a QR code", shown).await.map(drop)
    }

    pub(crate) async fn qr(&self) -> Result<String> {
        self.until_qr().await?;
        let qr = self.call("GET", "/connection/qr").await?;
        Ok(qr["qrCode"].as_str().context("a text")?.to_owned())
    }

    pub(crate) async fn stop(self) -> Result<()> {
        self.child.stop().await
    }
}
