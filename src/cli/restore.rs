//! `walinkd restore`: the way back from a copy.

use super::{
    Common,
    failure::Failure,
    screen::{clock, say},
};
use crate::daemon::{self, BackupFile};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// What walinkd backup has made
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Also when the device that is there was used since the copy was made
    #[arg(long)]
    force: bool,
}

pub(super) fn run(common: &Common, arguments: &Arguments) -> Result<(), Failure> {
    let failed = |error: anyhow::Error| Failure::work("restore", &error);
    let copy = BackupFile::open(&arguments.file).map_err(failed)?;
    let config = common.daemon()?;
    let restored = daemon::restore(&config, &copy, arguments.force).map_err(failed)?;
    let linked = if copy.is_linked() {
        ""
    } else {
        ", without a linked device"
    };
    let made_at = clock(copy.made_at());
    let dir = restored.state_dir.display();
    say(&format!(
        "Restored the state of {made_at}{linked}, in {dir}."
    ))?;
    if let Some(aside) = restored.aside {
        let aside = aside.display();
        say(&format!(
            "What was there is in {aside}; it holds keys until you remove it."
        ))?;
    }
    say("Start the daemon now.")
}
