//! On what, of what and when it was measured.

use crate::{daemon, table::Report};
use anyhow::{Context, Result};
use std::{env, fs, path::Path, process::Command};

/// What a command says first.
fn said(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).output();
    let output = output.with_context(|| format!("{program} does not run"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn field(file: &str, name: &str) -> Result<String> {
    let text = fs::read_to_string(file)?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let value = line.and_then(|line| line.split_once(':'));
    Ok(value.map_or("?", |(_, value)| value.trim()).to_owned())
}

pub(crate) fn about() -> Result<Vec<Vec<String>>> {
    let cores = std::thread::available_parallelism()?;
    let changed = !said("git", &["status", "--porcelain", "src", "Cargo.lock"])?.is_empty();
    let commit = said("git", &["rev-parse", "HEAD"])?;
    let binary = daemon::binary()?;
    let rows = [
        (
            "processor",
            format!("{}, {cores} cores", field("/proc/cpuinfo", "model name")?),
        ),
        ("memory", field("/proc/meminfo", "MemTotal")?),
        ("kernel", said("uname", &["-sr"])?),
        ("date", said("date", &["--utc", "+%F %R UTC"])?),
        (
            "commit",
            commit + if changed { ", with changes" } else { "" },
        ),
        ("compiler", said("rustc", &["--version"])?),
        ("walinkd", said(&binary.to_string_lossy(), &["--version"])?),
        (
            "command",
            // From the script that builds and starts this.
            env::var("BENCH_COMMAND").unwrap_or_else(|_| "by hand".to_owned()),
        ),
    ];
    Ok(rows
        .map(|(name, value)| vec![name.to_owned(), value])
        .into())
}

/// Sizes on the disk, and how long the build took.
pub(crate) fn sizes(report: &mut Report) -> Result<()> {
    let mib = |path: &Path| anyhow::Ok(fs::metadata(path)?.len() as f64 / 1024.0 / 1024.0);
    let binary = mib(&daemon::binary()?)?;
    let mut rows = vec![vec!["binary, MiB".to_owned(), format!("{binary:.1}")]];
    if let Ok(package) = env::var("BENCH_PACKAGE") {
        let package = mib(Path::new(&package))?;
        rows.push(vec![
            "Debian package, MiB".to_owned(),
            format!("{package:.1}"),
        ]);
    }
    if let Ok(build) = env::var("BENCH_BUILD") {
        rows.push(vec!["build from nothing, s".to_owned(), build]);
    }
    report.section(
        "Size",
        "The binary is built as a release is, with the feature `sandbox` beside.",
    );
    report.table(&["", ""], &rows);
    report.at_most("binary", binary, 16.0, "MiB");
    Ok(())
}
