//! A WebSocket that carries frames, and the ways it can end.

use super::frame::{Deframer, FrameError, frame};
use futures_util::{SinkExt as _, StreamExt as _};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_websockets::{CloseCode, Message, ServerBuilder, WebSocketStream};

/// How long a closing server waits for the client to read what it was sent:
/// closing a socket with unread input would reset it and lose the last stanza.
const LINGER: Duration = Duration::from_secs(3);

const UPGRADE: Duration = Duration::from_secs(20);

#[derive(Debug, thiserror::Error)]
pub(crate) enum SocketError {
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error("websocket: {0}")]
    WebSocket(#[from] tokio_websockets::Error),
    #[error("{0:?} is not the chat endpoint")]
    Path(String),
    #[error("no upgrade in time")]
    UpgradeTimeout,
}

/// How the server lets go of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closing {
    /// A WebSocket close frame with this code.
    WebSocket(u16),
    /// The TCP connection just ends.
    Drop,
}

pub(crate) struct Socket {
    ws: WebSocketStream<TcpStream>,
    deframer: Deframer,
}

impl Socket {
    /// Takes the HTTP upgrade.
    pub(crate) async fn accept(tcp: TcpStream) -> Result<Self, SocketError> {
        let builder = ServerBuilder::new();
        let (request, ws) = tokio::time::timeout(UPGRADE, builder.accept(tcp))
            .await
            .map_err(|_| SocketError::UpgradeTimeout)??;
        let path = request.uri().path();
        if path != "/ws/chat" {
            return Err(SocketError::Path(path.to_owned()));
        }
        Ok(Self {
            ws,
            deframer: Deframer::default(),
        })
    }

    /// The next frame, or `None` when the client has closed. Cancel-safe.
    pub(crate) async fn recv(&mut self) -> Result<Option<Vec<u8>>, SocketError> {
        loop {
            if let Some(message) = self.deframer.next()? {
                return Ok(Some(message));
            }
            match self.ws.next().await {
                Some(Ok(message)) if message.is_binary() => {
                    self.deframer.feed(&message.into_payload());
                }
                Some(Ok(message)) if message.is_close() => return Ok(None),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => return Ok(None),
            }
        }
    }

    pub(crate) async fn send(&mut self, message: &[u8]) -> Result<(), SocketError> {
        let framed = frame(message)?;
        Ok(self.ws.send(Message::binary(framed)).await?)
    }

    /// Whether the client presented a routing token.
    pub(crate) fn routed(&self) -> bool {
        self.deframer.routing().is_some()
    }

    /// Reads and forgets until the client goes: an open socket that never
    /// answers.
    pub(crate) async fn swallow(&mut self) {
        while let Some(Ok(message)) = self.ws.next().await {
            if message.is_close() {
                return;
            }
        }
    }

    /// Lets go of the connection.
    pub(crate) async fn close(mut self, how: Closing) {
        if let Closing::WebSocket(code) = how {
            let code = CloseCode::try_from(code).unwrap_or(CloseCode::NORMAL_CLOSURE);
            let farewell = async {
                if self.ws.send(Message::close(Some(code), "")).await.is_ok() {
                    self.swallow().await;
                }
            };
            // A client that does not close its side in time is cut off.
            let _: Result<(), _> = tokio::time::timeout(LINGER, farewell).await;
        }
    }
}
