//! How a call can fail.

use crate::wire::Problem;
use std::{error, io, path::PathBuf};
use thiserror::Error;

/// A call that did not do what it was for.
#[derive(Debug, Error)]
pub enum Error {
    /// Nobody answers, also not a moment later.
    #[error("no daemon answers at {}: {source}", .socket.display())]
    NoDaemon { socket: PathBuf, source: io::Error },
    /// The socket is there, and closed to this user.
    #[error("{} may not be opened: {source}", .socket.display())]
    Closed { socket: PathBuf, source: io::Error },
    /// The daemon says no, and why.
    #[error("{problem}")]
    Refused {
        /// The HTTP status.
        status: u16,
        problem: Problem,
    },
    /// The conversation broke off.
    #[error("the daemon broke off: {0}")]
    Broken(Box<dyn error::Error + Send + Sync>),
    #[error("the daemon does not answer")]
    Silent,
    /// An answer that is none of this API's.
    #[error("the answer makes no sense: {0}")]
    Strange(Box<dyn error::Error + Send + Sync>),
}

impl Error {
    pub(super) fn broken(error: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        Self::Broken(error.into())
    }

    pub(super) fn strange(error: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        Self::Strange(error.into())
    }
}
