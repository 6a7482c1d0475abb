//! What the kernel knows of a process.

use anyhow::{Context, Result};
use nix::{
    time::{clock_getcpuclockid, clock_gettime},
    unistd::Pid,
};
use std::{collections::BTreeMap, fs, time::Duration};
use tokio::time::sleep;

/// Processor time, of the program and of the kernel for it, of threads that have
/// ended too.
pub(crate) fn cpu(pid: i32) -> Result<Duration> {
    Ok(clock_gettime(clock_getcpuclockid(Pid::from_raw(pid))?)?.into())
}

/// KiB.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    pub(crate) resident: u64,
    /// What is shared counts in part.
    pub(crate) proportional: u64,
    /// No file is behind it.
    pub(crate) anonymous: u64,
}

impl Memory {
    pub(crate) fn of(pid: i32) -> Result<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
        let field =
            |name| number_after(&text, name).with_context(|| format!("no {name} in {text}"));
        Ok(Self {
            resident: field("Rss:")?,
            proportional: field("Pss:")?,
            anonymous: field("Anonymous:")?,
        })
    }
}

/// A stretch in which nothing was asked of a process, put as a minute.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Minute {
    pub(crate) cpu: Duration,
    /// How often one of its threads was put on a processor.
    pub(crate) wakeups: f64,
}

impl Minute {
    pub(crate) async fn of(pid: i32, stretch: Duration) -> Result<Self> {
        let (busy, switched) = (cpu(pid)?, switches(pid)?);
        sleep(stretch).await;
        let minutes = stretch.as_secs_f64() / 60.0;
        let switched: u64 = switches(pid)?
            .iter()
            .map(|(thread, now)| now - switched.get(thread).copied().unwrap_or_default())
            .sum();
        Ok(Self {
            cpu: (cpu(pid)? - busy).div_f64(minutes),
            wakeups: switched as f64 / minutes,
        })
    }
}

/// How often each thread has left a processor.
fn switches(pid: i32) -> Result<BTreeMap<String, u64>> {
    let mut threads = BTreeMap::new();
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let thread = thread?;
        // A thread may end between the two.
        let Ok(text) = fs::read_to_string(thread.path().join("status")) else {
            continue;
        };
        let switches = ["voluntary_ctxt_switches:", "nonvoluntary_ctxt_switches:"];
        let switches = switches.iter().filter_map(|name| number_after(&text, name));
        threads.insert(thread.file_name().display().to_string(), switches.sum());
    }
    Ok(threads)
}

/// The number in the line that begins so.
fn number_after(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
