//! Where the daemon can be reached.

use super::{ControlSocket, Inherited, Terms};
use std::{net::SocketAddr, path::PathBuf, sync::Arc};
use tokio::sync::watch;

/// The places of the listeners, for people: addresses with the ports that the
/// system chose, and the control sockets' paths.
#[derive(Debug, Clone)]
pub struct Listening {
    tcp: Vec<SocketAddr>,
    control: Vec<PathBuf>,
    /// A reload may bring a certificate, or take it away.
    terms: watch::Receiver<Arc<Terms>>,
}

impl Listening {
    pub fn at(listeners: &Inherited, terms: watch::Receiver<Arc<Terms>>) -> Self {
        let tcp = listeners.tcp.iter();
        let control = listeners.control.iter();
        Self {
            tcp: tcp
                .filter_map(|listener| listener.local_addr().ok())
                .collect(),
            control: control.filter_map(ControlSocket::path).collect(),
            terms,
        }
    }

    pub fn places(&self) -> Vec<String> {
        let scheme = match self.terms.borrow().secure {
            Some(_) => "https",
            None => "http",
        };
        let tcp = self.tcp.iter();
        let tcp = tcp.map(|address| format!("{scheme}://{address}"));
        let control = self.control.iter();
        let control = control.map(|path| format!("control socket {}", path.display()));
        tcp.chain(control).collect()
    }
}
