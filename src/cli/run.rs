//! No verb: the daemon itself, in the foreground.

use super::{qr, screen};
use crate::{
    config::Sources,
    daemon::{self, Draw},
};
use std::process::ExitCode;

/// Runs the daemon; on a terminal it draws its QR codes there.
pub(super) fn run(sources: Sources) -> ExitCode {
    let draw: Option<Draw> = screen::is_terminal().then(|| {
        let draw: Draw = Box::new(qr::draw);
        draw
    });
    daemon::run(sources, draw)
}
