//! An encrypted connection: stanzas in, stanzas out, queries of the server's
//! own.

use super::Ending;
use crate::noise::{NoiseError, Opener, Sealer};
use crate::wire::node::{self, attr};
use crate::wire::{Closing, Socket, SocketError};
use crate::world::World;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::oneshot;
use wacore_binary::{BinaryError, Node};

pub(super) struct Session {
    pub(super) world: Arc<World>,
    pub(super) id: u64,
    socket: Socket,
    sealer: Sealer,
    opener: Opener,
    /// The server's queries that the client has not answered yet.
    asked: HashMap<String, oneshot::Sender<Node>>,
    last_query: u64,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    #[error(transparent)]
    Socket(#[from] SocketError),
    #[error("a stanza does not encode: {0}")]
    Encode(#[from] BinaryError),
    #[error(transparent)]
    Noise(#[from] NoiseError),
    #[error("a frame of the client's does not decrypt or decode")]
    BadFrame,
}

impl Session {
    pub(super) fn new(
        world: Arc<World>,
        id: u64,
        socket: Socket,
        sealer: Sealer,
        opener: Opener,
    ) -> Self {
        Self {
            world,
            id,
            socket,
            sealer,
            opener,
            asked: HashMap::new(),
            last_query: 0,
        }
    }

    /// The next stanza, or `None` when the client has closed. Cancel-safe.
    pub(super) async fn recv(&mut self) -> Result<Option<Node>, SessionError> {
        let Some(frame) = self.socket.recv().await? else {
            return Ok(None);
        };
        let stanza = self
            .opener
            .open(&frame)
            .ok()
            .and_then(|plaintext| node::decode(&plaintext).ok());
        let Some(stanza) = stanza else {
            self.world.update(|state| state.stats.bad_frames += 1);
            return Err(SessionError::BadFrame);
        };
        tracing::trace!(connection = self.id, tag = %stanza.tag, "received");
        Ok(Some(stanza))
    }

    pub(super) async fn send(&mut self, stanza: &Node) -> Result<(), SessionError> {
        tracing::trace!(connection = self.id, tag = %stanza.tag, "sent");
        let sealed = self.sealer.seal(&node::encode(stanza)?)?;
        Ok(self.socket.send(&sealed).await?)
    }

    /// Sends a frame that no key decrypts.
    pub(super) async fn send_garbage(&mut self) -> Result<(), SessionError> {
        Ok(self.socket.send(&crate::keys::random::<48>()).await?)
    }

    /// Sends a query of the server's under an id of its own.
    pub(super) async fn ask(
        &mut self,
        mut query: Node,
        reply: oneshot::Sender<Node>,
    ) -> Result<(), SessionError> {
        self.last_query += 1;
        let id = format!("{}-{}", self.id, self.last_query);
        query.attrs.insert("id", id.as_str());
        self.asked.insert(id, reply);
        self.send(&query).await
    }

    /// Hands an answer to whoever asked; `false` if nobody did.
    pub(super) fn answered(&mut self, stanza: &Node) -> bool {
        if stanza.tag != "iq"
            || !matches!(attr(stanza, "type").as_deref(), Some("result" | "error"))
        {
            return false;
        }
        let Some(reply) = attr(stanza, "id").and_then(|id| self.asked.remove(&id)) else {
            return false;
        };
        // Whoever asked may have stopped waiting.
        let _: Result<(), Node> = reply.send(stanza.clone());
        true
    }

    /// Swallows all that comes, until the client gives up.
    pub(super) async fn swallow(&mut self) {
        self.socket.swallow().await;
    }

    pub(super) async fn end(mut self, ending: Ending) {
        self.world.update(|state| state.end_connection(self.id));
        if !ending.pause.is_zero() {
            tokio::time::sleep(ending.pause).await;
        }
        for stanza in &ending.stanzas {
            if let Err(error) = self.send(stanza).await {
                tracing::debug!(connection = self.id, %error, "the client was gone already");
                break;
            }
        }
        self.socket.close(ending.closing).await;
    }

    pub(super) async fn drop_now(self) {
        self.socket.close(Closing::Drop).await;
    }
}
