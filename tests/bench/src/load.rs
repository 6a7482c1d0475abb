//! The load: connections that each ask for the next status as soon as they have the
//! last one, in a process of its own with one thread.

use crate::{
    child::Child,
    figures,
    http::{self, Answer, Door},
};
use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};
use tokio::{io::AsyncWriteExt, sync::Barrier, task::JoinSet, time::sleep_until};

/// What comes before is not counted: the first answers wait for memory and caches.
const WARM_UP: Duration = Duration::from_millis(300);

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Load {
    #[arg(long)]
    pub(crate) door: Door,
    #[arg(long)]
    pub(crate) connections: usize,
    #[arg(long)]
    pub(crate) seconds: f64,
    /// Processes of the server, whose processor time counts.
    #[arg(long)]
    pub(crate) pid: Vec<i32>,
    /// Whose HTTPS is trusted.
    #[arg(long)]
    pub(crate) certificate: PathBuf,
}

/// Times are in microseconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) per_second: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// Of the server, for one answer.
    pub(crate) cpu: f64,
    /// Of the load itself, for one answer.
    pub(crate) own_cpu: f64,
}

impl Load {
    /// Has it done by a process of its own.
    pub(crate) async fn outcome(&self) -> Result<Outcome> {
        let mut child = self.begin()?;
        let line = child.line().await.with_context(|| format!("{self:?}"))?;
        Ok(serde_json::from_str(&line)?)
    }

    pub(crate) fn begin(&self) -> Result<Child> {
        let mut arguments = vec![
            format!("--door={}", self.door),
            format!("--connections={}", self.connections),
            format!("--seconds={}", self.seconds),
            format!("--certificate={}", self.certificate.display()),
        ];
        arguments.extend(self.pid.iter().map(|pid| format!("--pid={pid}")));
        Child::itself("load", arguments)
    }

    pub(crate) async fn run(self) -> Result<Outcome> {
        let trust = http::trust(&std::fs::read(&self.certificate)?)?;
        let window = Arc::new(Window {
            all: Barrier::new(self.connections + 1),
            begins: OnceLock::new(),
            lasts: Duration::from_secs_f64(self.seconds),
        });
        let mut clients = JoinSet::new();
        for _ in 0..self.connections {
            let stream = self.door.connect(Some(&trust)).await?;
            clients.spawn(ask(stream, Arc::clone(&window)));
        }
        let (from, until) = window.open().await;
        sleep_until(from.into()).await;
        let (began, busy, own) = (Instant::now(), self.cpu()?, own_cpu()?);
        sleep_until(until.into()).await;
        let lasted = began.elapsed().as_secs_f64();
        let (busy, own) = (self.cpu()? - busy, own_cpu()? - own);
        let mut took = Vec::new();
        while let Some(client) = clients.join_next().await {
            took.append(&mut client??);
        }
        took.sort_unstable();
        ensure!(!took.is_empty(), "nothing was answered");
        let per_second = took.len() as f64 / self.seconds;
        let each = |busy: Duration| busy.as_secs_f64() * 1e6 / lasted / per_second;
        let part = |per_cent: usize| took[(took.len() - 1) * per_cent / 100].as_secs_f64() * 1e6;
        Ok(Outcome {
            per_second,
            p50: part(50),
            p99: part(99),
            cpu: each(busy),
            own_cpu: each(own),
        })
    }

    fn cpu(&self) -> Result<Duration> {
        self.pid.iter().map(|pid| figures::cpu(*pid)).sum()
    }
}

fn own_cpu() -> Result<Duration> {
    figures::cpu(std::process::id().cast_signed())
}

/// When answers count.
struct Window {
    all: Barrier,
    begins: OnceLock<Instant>,
    lasts: Duration,
}

impl Window {
    /// Waits until every connection is there; the same times for all.
    async fn open(&self) -> (Instant, Instant) {
        self.all.wait().await;
        let from = *self.begins.get_or_init(|| Instant::now() + WARM_UP);
        (from, from + self.lasts)
    }
}

/// How long each answer took that came in the window.
async fn ask(mut stream: Box<dyn http::Stream>, window: Arc<Window>) -> Result<Vec<Duration>> {
    let request = http::request("GET", "/connection/status");
    let mut answer = Answer::default();
    let mut took = Vec::new();
    let (from, until) = window.open().await;
    let mut began = Instant::now();
    while began < until {
        stream.write_all(request.as_bytes()).await?;
        stream.flush().await?;
        answer.read(&mut stream).await?;
        let body = answer.body();
        let whole = body.starts_with(br#"{"success":true,"#) && body.ends_with(b"}");
        ensure!(answer.is_ok() && whole, "a bad answer: {answer:?}");
        let ended = Instant::now();
        if (from..until).contains(&ended) {
            took.push(ended - began);
        }
        began = ended;
    }
    Ok(took)
}
