//! TCP listeners.

use super::ListenError;
use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
};
use tokio::net::{TcpListener, TcpSocket};

/// Connections that may wait to be accepted, as many as Linux allows unless told
/// otherwise (net.core.somaxconn). When more come at once the kernel drops them,
/// whose they are, and the client tries again a second later.
const QUEUE: u32 = 4_096;

/// Listens on an address; port 0 takes a free one.
///
/// # Errors
///
/// Says why the address cannot be had and what to do.
pub fn bind_tcp(address: SocketAddr) -> Result<TcpListener, ListenError> {
    listen(address).map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => ListenError::PortInUse(address),
        ErrorKind::PermissionDenied => ListenError::PortForbidden(address),
        ErrorKind::AddrNotAvailable => ListenError::NoSuchAddress(address),
        _ => ListenError::Tcp(address, error),
    })
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A restart does not wait for connections that are still closing.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(QUEUE)
}

/// Says so in the log when other machines can reach an address without TLS: a
/// key would cross the network in the clear.
pub fn warn_if_exposed(address: SocketAddr) {
    if !address.ip().to_canonical().is_loopback() {
        tracing::warn!(
            "listening on {address} without TLS: API keys and pairing codes cross the network readable; set http.tls_cert and http.tls_key, or listen on 127.0.0.1 and put a TLS proxy in front"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_port_is_told_with_what_to_do() {
        let first = bind_tcp(([127, 0, 0, 1], 0).into()).expect("a port");
        let address = first.local_addr().expect("an address");
        let error = bind_tcp(address).expect_err("it is taken");
        assert!(matches!(error, ListenError::PortInUse(_)));
        assert!(error.to_string().contains("http.listen"));
    }

    #[tokio::test]
    async fn a_foreign_address_is_told() {
        let error = bind_tcp(([192, 0, 2, 1], 0).into()).expect_err("not ours");
        assert!(matches!(error, ListenError::NoSuchAddress(_)));
    }
}
