//! `walinkd check-config`: what the daemon would say to a configuration.

use super::{Common, failure::Failure, screen::say};
use crate::config;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The file to check [default: the one the daemon would read]
    #[arg(value_name = "FILE", conflicts_with_all = ["config", "instance"])]
    file: Option<PathBuf>,
}

pub(super) fn run(common: &Common, arguments: Arguments) -> Result<(), Failure> {
    let mut sources = common.sources()?;
    let instance = || common.instance.as_ref().map(super::Instance::config);
    // The conflict above is not seen when --config stands before the verb.
    sources.file = arguments.file.or(sources.file).or_else(instance);
    // A user's own daemon passes over a system's file that it may not read;
    // asked to check it, that is a fault.
    if sources.file.is_none() && sources.default_file.exists() {
        sources.file = Some(sources.default_file.clone());
    }
    let config = config::load(&sources).map_err(|faults| Failure::faults(&faults))?;
    match config.file {
        Some(file) => say(&format!("{}: OK", file.display())),
        None => say(&format!(
            "{}: not there, the defaults hold: OK",
            sources.default_file.display()
        )),
    }
}
