//! One daemon's life through all of it, and what must hold.

use crate::support::{Daemon, Home, SOON};
use crate::{disk::Disk, figures::Figures, names::Names, onlooker::Onlooker};
use nix::sys::signal::Signal;
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::{sleep, timeout};
use walinkd_sandbox::{Options, Phone, Sandbox};

const NUMBERS: [&str; 2] = ["628123456789", "6281987654321"];

/// How long a link may take to be back once nothing stands against it.
const BACK: Duration = Duration::from_secs(60);

/// How long it may take to link by codes: one whose connection has died without
/// a word is replaced within 40 s, and a phone tries each for 20.
pub(crate) const LINKED: Duration = Duration::from_secs(90);

pub(crate) struct Run {
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) phones: [Phone; 2],
    /// Which phone it is linked to.
    pub(crate) linked: usize,
    pub(crate) home: Arc<Home>,
    pub(crate) disk: Option<Disk>,
    pub(crate) clock: Option<Clock>,
    pub(crate) names: Option<Names>,
    daemon: Option<Daemon>,
    onlooker: Onlooker,
    began: Instant,
    /// What this process held when it had settled first.
    base: Option<Figures>,
    settled: u32,
}

impl Run {
    pub(crate) async fn begin() -> Self {
        let sandbox = Sandbox::start(Options::default()).await.expect("a sandbox");
        let sandbox = Arc::new(sandbox);
        let phones = NUMBERS.map(|number| sandbox.add_phone_named(number, "Ayu"));
        let names = Names::find();
        let url = sandbox.url();
        let home = Home::new(&names.as_ref().map_or(url.clone(), |names| names.url(&url)));
        for number in NUMBERS {
            home.keep_secret(number);
        }
        let disk = Disk::mount(&home.state());
        let clock = Clock::find(&home);
        let onlooker = Onlooker::begin(&home.socket(), Arc::clone(&sandbox));
        let mut run = Self {
            sandbox,
            phones,
            linked: 0,
            home,
            disk,
            clock,
            names,
            daemon: None,
            onlooker,
            began: Instant::now(),
            base: None,
            settled: 0,
        };
        run.start();
        run.link().await;
        run
    }

    pub(crate) fn told(&self) -> String {
        let has = |there: bool| if there { "yes" } else { "no" };
        format!(
            "a disk that fills: {}, a clock that jumps: {}, a name that is forgotten: {}",
            has(self.disk.is_some()),
            has(self.clock.is_some()),
            has(self.names.is_some())
        )
    }

    pub(crate) fn age(&self) -> Duration {
        self.began.elapsed()
    }

    pub(crate) fn phone(&self) -> &Phone {
        &self.phones[self.linked]
    }

    pub(crate) fn daemon(&self) -> &Daemon {
        self.daemon.as_ref().expect("it runs")
    }

    pub(crate) fn disk(&self) -> &Disk {
        self.disk.as_ref().expect("there is one")
    }

    fn start(&mut self) {
        let env = self.clock.as_ref().map(Clock::env).unwrap_or_default();
        let env: Vec<_> = env
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        self.daemon = Some(match &self.names {
            Some(names) => self.home.start_by(names.daemon(), &env),
            None => self.home.start_with(&env),
        });
        self.base = None;
    }

    pub(crate) fn kill(&mut self) {
        self.daemon.take().expect("it runs").kill();
        self.start();
    }

    pub(crate) async fn stop(&mut self) {
        let mut daemon = self.daemon.take().expect("it runs");
        daemon.signal(Signal::SIGTERM);
        let status = daemon.ended().await;
        assert_eq!(status.code(), Some(0), "{}", daemon.log());
        drop(daemon);
        self.start();
    }

    /// Links the phone in turn, by QR code.
    pub(crate) async fn link(&mut self) {
        let deadline = Instant::now() + LINKED;
        while self.phone().devices().is_empty() {
            assert!(
                Instant::now() < deadline,
                "it does not link\n{}",
                self.daemon().log()
            );
            let offer =
                |status: &Value| status["hasQRCode"] == true || status["hasPairingCode"] == true;
            let status = self.daemon().until("an offer", offer).await;
            // What it offers may be withdrawn meanwhile.
            if status["hasPairingCode"] == true {
                // One that was begun beside the link, for the other phone.
                let number = &status["phoneNumber"];
                let owner = NUMBERS.iter().position(|known| number == known);
                self.linked = owner.expect("one of the two");
                let code = self.daemon().code().await;
                let _ = self.phone().enter_code(&code).await;
            } else {
                let qr = self.daemon().qr().await;
                let _ = self.phone().scan(&qr).await;
            }
        }
        self.until_connected().await;
    }

    /// The server listens again. Another program's connection may have been given
    /// its port meanwhile; it gives it back.
    pub(crate) async fn accept(&self) {
        let deadline = Instant::now() + SOON;
        while let Err(error) = self.sandbox.accept() {
            assert!(Instant::now() < deadline, "the port is lost: {error}");
            sleep(Duration::from_millis(100)).await;
        }
    }

    pub(crate) async fn until_connected(&self) -> Value {
        self.daemon()
            .until_within(BACK, "the link", |status| status["isConnected"] == true)
            .await
    }

    /// Takes all faults away; then the link must come back, and what the process
    /// holds must be what it held before.
    pub(crate) async fn settle(&mut self) {
        self.sandbox.clear_faults();
        self.accept().await;
        let (deadline, mut asked) = (Instant::now() + BACK, None::<Instant>);
        loop {
            let status = self.daemon().status().await;
            let here = status["isConnected"] == true && self.sandbox.snapshot().online() > 0;
            if here {
                let number = self.phone().number();
                assert_eq!(status["phoneNumber"], number, "{status:#}");
                break;
            }
            assert!(
                Instant::now() < deadline,
                "it does not come back: {status:#}\n{}",
                self.daemon().log()
            );
            // Without this it would wait out its back-off, up to five minutes.
            if asked.is_none_or(|at| at.elapsed() > Duration::from_secs(5)) {
                self.daemon().post("/connection/resume").await;
                self.daemon().post("/connection/reconnect").await;
                asked = Some(Instant::now());
            }
            sleep(Duration::from_millis(50)).await;
        }
        self.check();
        assert_eq!(self.phone().devices().len(), 1, "the phone has one device");
        self.settled += 1;
        let pid = self.daemon().pid();
        let Some(base) = self.base else {
            self.base = Some(Figures::of(pid));
            return;
        };
        let deadline = Instant::now() + SOON;
        while !Figures::of(pid).is_back_at(&base) {
            let now = Figures::of(pid);
            assert!(
                Instant::now() < deadline,
                "it keeps {now:?}, and had {base:?}\n{}",
                Figures::descriptors(pid)
            );
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// What holds at any moment.
    pub(crate) fn check(&mut self) {
        let daemon = self.daemon.as_mut().expect("it runs");
        assert!(daemon.is_running(), "it ended by itself\n{}", daemon.log());
        self.onlooker.check();
        let devices = self.phone().devices().len();
        assert!(devices > 0, "the link is lost\n{}", self.daemon().log());
    }

    pub(crate) async fn end(mut self) -> String {
        let told = self.onlooker.compare().await;
        let figures = Figures::of(self.daemon().pid());
        let stats = self.sandbox.stats();
        timeout(SOON, self.stop()).await.expect("it stops");
        format!(
            "{told}\nsettled {} times, {} connections, {} logins; at the end {figures:?}",
            self.settled, stats.tcp_connections, stats.logins
        )
    }
}

/// A wall clock that can be set, by libfaketime.
pub(crate) struct Clock {
    library: PathBuf,
    file: PathBuf,
}

impl Clock {
    fn find(home: &Home) -> Option<Self> {
        let places = ["x86_64-linux-gnu", "aarch64-linux-gnu"];
        let library = places
            .iter()
            .map(|place| {
                Path::new("/usr/lib")
                    .join(place)
                    .join("faketime/libfaketime.so.1")
            })
            .find(|path| path.exists())?;
        let clock = Self {
            library,
            file: home.config().with_file_name("clock"),
        };
        clock.set(0);
        Some(clock)
    }

    /// So many seconds from the true time.
    pub(crate) fn set(&self, seconds: i64) {
        let new = self.file.with_extension("new");
        std::fs::write(&new, format!("{seconds:+}\n")).expect("written");
        std::fs::rename(new, &self.file).expect("renamed");
    }

    fn env(&self) -> Vec<(&'static str, String)> {
        vec![
            ("LD_PRELOAD", self.library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
    }
}
