//! Listeners and connections: TCP, TLS, the Unix control socket, sockets inherited
//! from systemd; how many, how slow, and how they end.
//!
//! Owns everything below a request. Must not know routes: it asks whatever it is
//! given for one service a connection, and tells it the [`crate::auth::Guest`].

mod connection;
mod control;
mod inherited;
mod listening;
mod outbox;
mod patience;
mod places;
mod secure;
mod serve;
mod standing;
mod tcp;
mod terms;

pub use connection::Application;
pub use control::ControlSocket;
pub use inherited::{Inherited, inherited};
pub use listening::Listening;
pub use secure::Secure;
pub use serve::Server;
pub use tcp::{bind_tcp, warn_if_exposed};
pub use terms::Terms;

use std::{io, net::SocketAddr, path::PathBuf};
use thiserror::Error;

/// Why there is no listener, with what to do about it.
#[derive(Debug, Error)]
pub enum ListenError {
    #[error(
        "{0} is in use by another program: stop it (ss -ltnp shows which), or set another port in http.listen or PORT"
    )]
    PortInUse(SocketAddr),
    #[error(
        "{0} may not be listened on: ports under 1024 need root or AmbientCapabilities=CAP_NET_BIND_SERVICE; choose a higher port in http.listen"
    )]
    PortForbidden(SocketAddr),
    #[error("{0} is not an address of this machine: correct http.listen (ip address lists them)")]
    NoSuchAddress(SocketAddr),
    #[error("{0} cannot be listened on: {1}: check http.listen")]
    Tcp(SocketAddr, io::Error),
    #[error(
        "{}: another daemon answers on this control socket: stop it, or set another control.socket",
        .0.display()
    )]
    SocketInUse(PathBuf),
    #[error(
        "{}: there is something that is no socket: move it away, or set another control.socket",
        .0.display()
    )]
    NotASocket(PathBuf),
    #[error(
        "{}: the path is too long for a socket: set a shorter control.socket",
        .0.display()
    )]
    PathTooLong(PathBuf),
    #[error(
        "{}: not permitted: let the daemon's user write to the directory, or set another control.socket",
        .0.display()
    )]
    SocketForbidden(PathBuf),
    #[error("{}: the control socket cannot be opened: {error}: check control.socket", path.display())]
    Socket { path: PathBuf, error: io::Error },
    #[error(
        "the sockets passed by the service manager cannot be used: {0}: check walinkd.socket (FileDescriptorName=http for TCP, control for the Unix socket)"
    )]
    Inherited(String),
}
