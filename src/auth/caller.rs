//! Where a request came from, and who turned out to be behind it.

use super::{Peer, Scope};
use crate::wire::{Timestamp, whole_seconds};
use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use thiserror::Error;

/// Where a connection came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    Tcp(SocketAddr),
    /// What a proxy of ours says of a request.
    Forwarded {
        client: IpAddr,
        proxy: SocketAddr,
    },
    Unix(Peer),
}

impl Origin {
    /// The address that a crowd of requests is counted by; none on the control
    /// socket.
    pub fn client(&self) -> Option<IpAddr> {
        match self {
            Self::Tcp(address) => Some(address.ip()),
            Self::Forwarded { client, .. } => Some(*client),
            Self::Unix(_) => None,
        }
    }
}

impl fmt::Display for Origin {
    /// As it stands in the log: `192.0.2.1:4711`, `203.0.113.5 via 10.0.0.1:4711`
    /// or `uid=1000 pid=4711`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Forwarded { client, proxy } => write!(f, "{client} via {proxy}"),
            Self::Unix(peer) => show_peer(f, peer.uid, peer.pid),
        }
    }
}

/// Who calls, in a form that may be logged.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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
    /// The client, also when a proxy called for it.
    pub origin: Origin,
    /// What it may at most.
    pub scope: Scope,
    /// The right that it was let in by.
    pub(super) needed: Scope,
    /// Of a key: the hash it was known by.
    pub(super) sha256: Option<[u8; 32]>,
}

/// Who is at the other end of a connection. The server says so once, to whatever
/// answers there.
#[derive(Debug, Clone)]
pub struct Guest {
    pub origin: Origin,
    pub acquaintance: Acquaintance,
}

/// Whether a connection has shown a right to anything yet. So the server knows
/// whom to keep when it has to choose.
#[derive(Debug, Clone, Default)]
pub struct Acquaintance(Arc<AtomicBool>);

impl Acquaintance {
    /// A call over this connection was let in, or refused: the last one counts.
    pub fn make(&self, admitted: bool) {
        self.0.store(admitted, Ordering::Relaxed);
    }

    pub fn is_made(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Why a caller may not.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error("an API key is needed: send it in the x-api-key header or as Authorization: Bearer")]
    NoKey,
    #[error(
        "this API key is not known: check it; on the server walinkd key list names those in force, and walinkd key add makes one"
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
    #[error(
        "pages of other places may not call over the control socket: open it as http://localhost"
    )]
    ForeignPage,
    #[error(
        "too many wrong API keys came from this address: wait {} s before the next call, with any key",
        whole_seconds(*.0)
    )]
    LockedOut(Duration),
    #[error(
        "this API key has sent too many requests: wait {} s; the limits are http.rate_limit.requests_per_second and burst",
        whole_seconds(*.left)
    )]
    TooFast { name: Arc<str>, left: Duration },
    #[error(
        "too many calls of this caller wait already: end some; the limit is http.max_streams_per_key"
    )]
    TooManyStreams,
    #[error("the right to this call was taken away while it waited: use another API key")]
    Revoked,
}

/// A refusal, and what there is to tell of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub refusal: Refusal,
    /// The client, also when a proxy called for it.
    pub origin: Origin,
    /// Set when it is to be told; then how many were only counted before it.
    pub tell: Option<u64>,
    /// Set when it was the wrong key too many: whom it locks out, for how long.
    pub locks_out: Option<(IpAddr, Duration)>,
}

impl Refusal {
    /// After how many seconds the same call may succeed, never 0.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::LockedOut(left) | Self::TooFast { left, .. } => Some(whole_seconds(*left)),
            Self::TooManyStreams => Some(1),
            _ => None,
        }
    }
}
