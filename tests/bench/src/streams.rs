//! What many open streams of events cost.

use crate::{
    Pace,
    child::SOON,
    daemon::{Daemon, Home},
    figures::{self, Memory, Minute},
    http::{self, Stream},
    memory::row,
    table::{Report, Samples},
    whatsapp::WhatsApp,
};
use anyhow::{Context, Result};
use std::time::{Duration, Instant};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    sync::mpsc::{Receiver, Sender, channel},
    task::JoinSet,
    time::{sleep, timeout},
};

/// Events that are delivered to all.
const EVENTS: u32 = 50;
/// By what they are known in the stream.
const EVENT: &str = "event: admin.pause";

pub(crate) async fn measure(whatsapp: &WhatsApp, pace: &Pace, report: &mut Report) -> Result<()> {
    let home = Home::new(&whatsapp.url())?;
    let daemon = home.start().await?;
    daemon.post("/connection/pause").await?;
    sleep(pace.settle).await;
    let streams = pace.streams;
    let memory = || Memory::of(daemon.pid());
    let cpu = || figures::cpu(daemon.pid());
    let none = memory()?;
    let mut rows = vec![row("no stream", none)];

    let before = cpu()?;
    let (sender, mut told) = channel(streams);
    let mut followers = JoinSet::new();
    for _ in 0..streams {
        let stream = home.tcp().connect(None).await?;
        followers.spawn(follow(stream, sender.clone()));
    }
    all(&mut told, streams).await?;
    let opening = cpu()? - before;
    let with = memory()?;
    rows.push(row(&format!("{streams} streams"), with));
    let minute = Minute::of(daemon.pid(), pace.stretch).await?;
    let (event, times) = deliver(&daemon, &mut told, streams).await?;
    rows.push(row("after the events", memory()?));
    followers.shutdown().await;
    sleep(pace.settle).await;
    rows.push(row("all closed", memory()?));

    report.section(
        "Streams of events",
        &format!(
            "{streams} open streams of a daemon that is paused, and {EVENTS} events. Their \
             clients run on the same machine."
        ),
    );
    report.table(&["MiB", "RSS", "PSS", "anonymous"], &rows);
    let each = (with.resident.saturating_sub(none.resident)) as f64 / streams as f64;
    let [median, least, most] = times.times();
    let rows = [
        ("memory of one stream, KiB", format!("{each:.1}")),
        ("CPU to open them all, ms", millis(opening)),
        ("CPU in a quiet minute, ms", millis(minute.cpu)),
        (
            "wake-ups of threads in a quiet minute",
            format!("{:.0}", minute.wakeups),
        ),
        ("CPU of an event with its order, ms", millis(event)),
        (
            "from the order to all clients, ms",
            format!("{median} ({least} to {most})"),
        ),
    ];
    report.table(
        &["", ""],
        &rows.map(|(what, figure)| vec![what.to_owned(), figure]),
    );
    Ok(())
}

/// One stream: says when it is open, and then when it is told each event.
async fn follow(mut stream: Box<dyn Stream>, told: Sender<()>) -> Result<()> {
    let request = http::request("GET", "/connection/events");
    stream.write_all(request.as_bytes()).await?;
    let mut stream = BufReader::with_capacity(1024, stream);
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 0 {
        if line.starts_with(EVENT) || line.starts_with("event: status") {
            told.send(()).await?;
        }
        line.clear();
    }
    Ok(())
}

/// CPU for one event, and how long each took to reach all.
async fn deliver(
    daemon: &Daemon<'_>,
    told: &mut Receiver<()>,
    streams: usize,
) -> Result<(Duration, Samples)> {
    let mut times = Samples::default();
    let before = figures::cpu(daemon.pid())?;
    for _ in 0..EVENTS {
        let began = Instant::now();
        daemon.post("/connection/pause").await?;
        all(told, streams).await?;
        times.add_time(began.elapsed());
    }
    Ok(((figures::cpu(daemon.pid())? - before) / EVENTS, times))
}

/// Waits until so many have been told.
async fn all(told: &mut Receiver<()>, many: usize) -> Result<()> {
    for _ in 0..many {
        let next = timeout(SOON, told.recv()).await?;
        next.context("a stream has ended")?;
    }
    Ok(())
}

fn millis(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e3)
}
