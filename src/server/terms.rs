//! What a reload may change about connections; holds for new ones.

use super::Secure;
use ipnet::IpNet;
use std::{net::IpAddr, time::Duration};

/// The limits, and how TCP connections are secured.
#[derive(Debug, Clone)]
pub struct Terms {
    /// From a request's first byte to the end of its headers; as much again for
    /// the TLS handshake before.
    pub header_timeout: Duration,
    /// At once, over all TCP listeners; the control sockets have as many again
    /// for themselves, so that a crowd on TCP does not lock the operator out.
    pub max_connections: usize,
    /// Of these, how many one address or one local user may have.
    pub max_connections_per_client: usize,
    /// Their addresses stand for many clients.
    pub trusted_proxies: Vec<IpNet>,
    /// HTTPS instead of plain HTTP on TCP.
    pub secure: Option<Secure>,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(5),
            max_connections: 1024,
            max_connections_per_client: 1000,
            trusted_proxies: Vec::new(),
            secure: None,
        }
    }
}

impl Terms {
    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let mut trusted = self.trusted_proxies.iter();
        trusted.any(|network| network.contains(&address))
    }
}
