//! How fast and how small walinkd is, beside floors that are measured in the same
//! run: hyper alone that gives the same bytes, nginx, and a bare client of the
//! library. `tests/bench/run` builds it and writes RESULTS.md.
//!
//! The floors and the load are this program again, in processes of their own.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the terminal"
)]

mod child;
mod client;
mod crowd;
mod daemon;
mod figures;
mod floor;
mod http;
mod link;
mod load;
mod machine;
mod memory;
mod nginx;
mod status;
mod streams;
mod table;
mod whatsapp;

use anyhow::Result;
use clap::{Parser, Subcommand};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::{path::PathBuf, time::Duration};
use table::Report;
use tokio::runtime::{self, Runtime};
use whatsapp::WhatsApp;

#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    mode: Mode,
}

#[derive(Debug, Subcommand)]
enum Mode {
    /// Measures, and writes the report.
    Run {
        /// Seconds instead of minutes, and figures to look at only.
        #[arg(long)]
        quick: bool,
        /// Only these parts.
        parts: Vec<Part>,
        #[arg(long)]
        out: PathBuf,
    },
    Floor(floor::Floor),
    Load(load::Load),
    Client(client::Client),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Starts,
    Losses,
    Status,
    Memory,
    Streams,
    Crowd,
    Size,
}

/// How often and for how long.
struct Pace {
    starts: usize,
    losses: usize,
    /// Of load.
    rounds: usize,
    seconds: f64,
    /// Before memory is looked at.
    settle: Duration,
    /// At rest.
    stretch: Duration,
    /// Whether to simulate one.
    day: bool,
    streams: usize,
    crowds: &'static [usize],
}

const FULL: Pace = Pace {
    starts: 15,
    losses: 7,
    rounds: 7,
    seconds: 2.0,
    settle: Duration::from_secs(12),
    stretch: Duration::from_secs(120),
    day: true,
    streams: 1000,
    crowds: &[1, 10, 50],
};

const QUICK: Pace = Pace {
    starts: 2,
    losses: 1,
    rounds: 2,
    seconds: 0.5,
    settle: Duration::from_secs(1),
    stretch: Duration::from_secs(5),
    day: false,
    streams: 100,
    crowds: &[1, 3],
};

fn main() -> Result<()> {
    // Its children inherit it.
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
    match Arguments::parse().mode {
        Mode::Run { quick, parts, out } => {
            let pace = if quick { &QUICK } else { &FULL };
            let text = threads(2)?.block_on(measure(pace, &parts))?;
            std::fs::write(out, text)?;
        }
        Mode::Floor(floor) => {
            let listening = |ports| println!("{ports}");
            threads(floor::THREADS)?.block_on(floor.run(listening))?;
        }
        Mode::Load(load) => {
            let one = runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            let outcome = one.block_on(load.run())?;
            println!("{}", serde_json::to_string(&outcome)?);
        }
        Mode::Client(client) => {
            threads(floor::THREADS)?.block_on(client.run())?;
            println!("a QR code");
        }
    }
    Ok(())
}

fn threads(many: usize) -> Result<Runtime> {
    let mut builder = runtime::Builder::new_multi_thread();
    Ok(builder.worker_threads(many).enable_all().build()?)
}

async fn measure(pace: &Pace, parts: &[Part]) -> Result<String> {
    let mut report = Report::default();
    let wanted = |part| parts.is_empty() || parts.contains(&part);
    let run = machine::about()?;
    let whatsapp = WhatsApp::start().await?;
    if wanted(Part::Starts) {
        link::starts(&whatsapp, pace, &mut report).await?;
    }
    if wanted(Part::Losses) {
        link::losses(&whatsapp, pace, &mut report).await?;
    }
    if wanted(Part::Status) {
        status::measure(&whatsapp, pace, &mut report).await?;
    }
    if wanted(Part::Memory) {
        memory::measure(&whatsapp, pace, &mut report).await?;
    }
    if wanted(Part::Streams) {
        streams::measure(&whatsapp, pace, &mut report).await?;
    }
    if wanted(Part::Crowd) {
        crowd::measure(&whatsapp, pace, &mut report).await?;
    }
    if wanted(Part::Size) {
        machine::sizes(&mut report)?;
    }
    Ok(report.markdown("walinkd, measured", &run))
}
