//! The sandbox in WhatsApp's place, in this process, and phones for it.

use crate::{
    child::{Child, SOON},
    daemon::{Daemon, Home},
};
use anyhow::Result;
use std::{
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};
use walinkd_sandbox::{Fault, Options, Sandbox, Stage, Target};

pub(crate) struct WhatsApp {
    sandbox: Sandbox,
    phones: AtomicU32,
}

/// From a process's exec.
pub(crate) struct Begun {
    pub(crate) dialled: Duration,
    pub(crate) qr: Duration,
}

impl WhatsApp {
    pub(crate) async fn start() -> Result<Self> {
        Ok(Self {
            sandbox: Sandbox::start(Options::default()).await?,
            phones: AtomicU32::new(10_000),
        })
    }

    pub(crate) fn url(&self) -> String {
        self.sandbox.url()
    }

    /// Waits for one more connection than there have been.
    async fn dialled(&self, began: Instant) -> Result<Duration> {
        let before = self.sandbox.stats().tcp_connections;
        self.sandbox
            .wait_for(|state| state.stats.tcp_connections > before, SOON)
            .await?;
        Ok(began.elapsed())
    }

    /// A daemon that shows its first QR code.
    pub(crate) async fn begin<'a>(&self, home: &'a Home) -> Result<(Daemon<'a>, Begun)> {
        let shown = async {
            let daemon = home.start().await?;
            daemon.until_qr().await?;
            let age = daemon.age();
            anyhow::Ok((daemon, age))
        };
        let (dialled, (daemon, qr)) = tokio::try_join!(self.dialled(Instant::now()), shown)?;
        Ok((daemon, Begun { dialled, qr }))
    }

    /// The same by a bare client of the library.
    pub(crate) async fn begin_bare(&self, folder: &Path) -> Result<Begun> {
        let began = Instant::now();
        let shown = async {
            let arguments = [
                format!("--url={}", self.url()),
                format!("--folder={}", folder.display()),
            ];
            let mut child = Child::itself("client", arguments)?;
            child.line().await?;
            anyhow::Ok(began.elapsed())
        };
        let (dialled, qr) = tokio::try_join!(self.dialled(began), shown)?;
        Ok(Begun { dialled, qr })
    }

    /// From the scan to connected, by a phone that has no device yet.
    pub(crate) async fn link(&self, daemon: &Daemon<'_>) -> Result<Duration> {
        let number = self.phones.fetch_add(1, Ordering::Relaxed);
        let phone = self.sandbox.add_phone(format!("62812345{number}"));
        let qr = daemon.qr().await?;
        let began = Instant::now();
        let connected = async {
            daemon.until_connected().await?;
            anyhow::Ok(began.elapsed())
        };
        let scanned = async { anyhow::Ok(phone.scan(&qr).await?) };
        let (took, _) = tokio::try_join!(connected, scanned)?;
        Ok(took)
    }

    /// Every TCP connection ends without a word.
    pub(crate) fn cut(&self) -> Result<()> {
        self.sandbox
            .inject(Fault::Drop { at: Stage::Live }, Target::all())?;
        Ok(())
    }

    /// There is no way to it.
    pub(crate) async fn vanish(&self) -> Result<()> {
        self.sandbox.refuse().await;
        self.cut()
    }

    pub(crate) fn come_back(&self) -> Result<()> {
        Ok(self.sandbox.accept()?)
    }
}
