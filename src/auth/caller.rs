//! Where a request came from, and who turned out to be behind it.

use super::{Peer, Scope};
use crate::wire::Timestamp;
use std::{fmt, net::SocketAddr, sync::Arc};
use thiserror::Error;

/// Where a connection came from; the server puts it into each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    Tcp(SocketAddr),
    Unix(Peer),
}

impl fmt::Display for Origin {
    /// As it stands in the log: `192.0.2.1:4711` or `uid=1000 pid=4711`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(peer) => show_peer(f, peer.uid, peer.pid),
        }
    }
}

/// Who calls, in a form that may be logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    Key { name: Arc<str> },
    Peer { uid: u32, pid: Option<i32> },
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key { name } => write!(f, "key {name}"),
            Self::Peer { uid, pid } => show_peer(f, *uid, *pid),
        }
    }
}

fn show_peer(f: &mut fmt::Formatter<'_>, uid: u32, pid: Option<i32>) -> fmt::Result {
    write!(f, "uid={uid}")?;
    pid.map_or(Ok(()), |pid| write!(f, " pid={pid}"))
}

/// A caller that may do what it asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub who: Who,
    pub scope: Scope,
}

/// Why a caller may not.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error("an API key is needed: send it in the x-api-key header or as Authorization: Bearer")]
    NoKey,
    #[error(
        "this API key is not known: check it; the keys are in auth.keys of the configuration, or without any there in the file api-key of the state directory"
    )]
    UnknownKey,
    #[error("this API key expired at {at}: use a newer one")]
    Expired { name: Arc<str>, at: Timestamp },
    #[error("this API key may only read: use one with scope manage")]
    ReadKey { name: Arc<str> },
    #[error(
        "this user may only read over the control socket: call as root, as the daemon's user or as a member of control.group"
    )]
    ReadPeer,
}
