//! Bytes on a connection of their own.

use std::{io, net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

/// Long enough for each of the daemon's own limits.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A connection from an address of this machine: 127.0.0.`host`.
pub(crate) async fn connect_from(host: u8, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from(([127, 0, 0, host], 0)))?;
    socket.connect(to).await
}

/// Attackers come from here.
pub(crate) async fn connect(to: SocketAddr) -> io::Result<TcpStream> {
    connect_from(1, to).await
}

/// Sends, and reads until the other side closes. What it says before it hangs
/// up is kept, however it does that.
pub(crate) async fn talk(stream: impl AsyncRead + AsyncWrite + Unpin, bytes: &[u8]) -> String {
    let (mut read, mut write) = tokio::io::split(stream);
    let mut said = Vec::new();
    let send = async {
        // The other side may hang up in the middle.
        let _ = write.write_all(bytes).await;
        std::future::pending::<()>().await;
    };
    let hear = async {
        let _ = read.read_to_end(&mut said).await;
    };
    let talk = async {
        tokio::select! {
            () = send => {}
            () = hear => {}
        }
    };
    let ended = timeout(PATIENCE, talk).await.is_ok();
    let said = String::from_utf8_lossy(&said).into_owned();
    if ended {
        said
    } else {
        format!("{said}[still open]")
    }
}

/// One request on a connection of its own, and the whole answer.
pub(crate) async fn send(to: SocketAddr, bytes: &[u8]) -> String {
    match connect(to).await {
        Ok(stream) => talk(stream, bytes).await,
        Err(error) => format!("[{error}]"),
    }
}

/// The statuses of all answers in a row; `closed` without any.
pub(crate) fn statuses(said: &str) -> String {
    let mut found: Vec<&str> = said
        .match_indices("HTTP/1.1 ")
        .filter_map(|(at, head)| said.get(at + head.len()..at + head.len() + 3))
        .collect();
    if said.ends_with("[still open]") {
        found.push("still open");
    }
    match found[..] {
        [] => "closed".to_owned(),
        _ => found.join("+"),
    }
}
