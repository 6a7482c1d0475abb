//! What it holds and what it does when nothing is asked of it, and when much is.

use crate::{
    Pace,
    daemon::{Daemon, Home},
    figures::{Memory, Minute},
    status::under_load,
    table::Report,
    whatsapp::WhatsApp,
};
use anyhow::{Context, Result};
use std::{path::Path, time::Duration};
use tokio::time::sleep;

/// A day passes so many times faster.
const SPEED: u32 = 240;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(crate) async fn measure(whatsapp: &WhatsApp, pace: &Pace, report: &mut Report) -> Result<()> {
    let mut rows = Vec::new();
    let mut minutes = Vec::new();
    let home = Home::new(&whatsapp.url())?;
    let daemon = home.start().await?;
    daemon.post("/connection/pause").await?;
    sleep(pace.settle).await;
    minutes.push(("paused, nothing linked", minute(&daemon, pace).await?));
    rows.push(row("paused, nothing linked", memory(&daemon)?));
    daemon.post("/connection/resume").await?;
    whatsapp.link(&daemon).await?;
    daemon.stop().await?;

    let daemon = home.start().await?;
    daemon.until_connected().await?;
    sleep(pace.settle).await;
    minutes.push(("linked", minute(&daemon, pace).await?));
    let linked = memory(&daemon)?;
    rows.push(row("linked", linked));
    let seconds = pace.settle.as_secs_f64() * 2.0;
    let busy = under_load(&daemon, seconds, async {
        sleep(pace.settle).await;
        memory(&daemon)
    });
    rows.push(row("under load of 64 connections", busy.await?));
    sleep(pace.settle).await;
    rows.push(row("after the load", memory(&daemon)?));
    daemon.stop().await?;
    let day = match pace.day {
        true => a_day(home, &mut rows).await?,
        false => "not simulated in a quick run",
    };

    report.section(
        "Memory and rest",
        &format!(
            "After {} s for things to settle. Anonymous memory is what no file is behind. \
             A day: {day}.",
            pace.settle.as_secs(),
        ),
    );
    report.table(&["MiB", "RSS", "PSS", "anonymous"], &rows);
    let rest: Vec<_> = minutes
        .iter()
        .map(|(what, minute)| {
            vec![
                (*what).to_owned(),
                format!("{:.1}", minute.cpu.as_secs_f64() * 1e3),
                format!("{:.0}", minute.wakeups),
            ]
        })
        .collect();
    report.table(
        &["in a minute at rest", "CPU ms", "wake-ups of threads"],
        &rest,
    );
    report.at_most("linked, anonymous", mib(linked.anonymous), 4.0, "MiB");
    report.at_most("linked, resident", mib(linked.resident), 20.0, "MiB");
    for (what, minute) in minutes {
        let second = minute.wakeups / 60.0;
        report.at_most(&format!("{what}: wake-ups"), second, 1.0, "a second");
    }
    Ok(())
}

/// A linked day by libfaketime: every clock and every wait of the daemon's runs
/// faster, the sandbox's do not.
async fn a_day(mut home: Home, rows: &mut Vec<Vec<String>>) -> Result<&'static str> {
    let found = ["x86_64-linux-gnu", "aarch64-linux-gnu"]
        .map(|of| format!("/usr/lib/{of}/faketime/libfaketime.so.1"))
        .into_iter()
        .find(|path| Path::new(path).exists());
    let Some(library) = found else {
        return Ok("not simulated, libfaketime is not installed");
    };
    home.clock = Some(vec![
        ("LD_PRELOAD", library),
        ("FAKETIME", format!("+0 x{SPEED}")),
    ]);
    let daemon = home.start().await?;
    daemon.until_connected().await?;
    rows.push(row("linked, by libfaketime's clock", memory(&daemon)?));
    sleep(DAY / SPEED).await;
    daemon.until_connected().await?;
    rows.push(row("the same, a day later", memory(&daemon)?));
    daemon.stop().await?;
    Ok(
        "libfaketime lets the daemon's clock, and all it waits for, run 240 times faster for six minutes",
    )
}

async fn minute(daemon: &Daemon<'_>, pace: &Pace) -> Result<Minute> {
    Minute::of(daemon.pid(), pace.stretch).await
}

fn memory(daemon: &Daemon<'_>) -> Result<Memory> {
    Memory::of(daemon.pid()).context("the daemon lives")
}

fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

pub(crate) fn row(what: &str, memory: Memory) -> Vec<String> {
    let cell = |kib| format!("{:.1}", mib(kib));
    vec![
        what.to_owned(),
        cell(memory.resident),
        cell(memory.proportional),
        cell(memory.anonymous),
    ]
}
