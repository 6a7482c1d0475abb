//! The server's side of a connection, from `accept` to its end.
//!
//! ```text
//! accept ─► upgrade ─► handshake ─► payload ─┬─ registration ─► pairing
//!                                            └─ login ────────► online
//! ```
//!
//! Each connection is one task. Others reach it through its [`Order`]s only:
//! a phone that links a client, a login that replaces another, a fault.

mod app_state;
mod connection;
mod keys;
mod link_code;
mod listener;
mod online;
mod pairing;
pub(crate) mod passkey;
mod queries;
mod session;
mod usync;

pub(crate) use listener::Listener;

use crate::faults::Fault;
use crate::wire::Closing;
use std::time::Duration;
use tokio::sync::oneshot;
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

/// What others want of a connection.
pub(crate) enum Order {
    /// Send this query, with an id of the connection's own, and pass on the
    /// client's answer.
    Ask {
        query: Node,
        reply: oneshot::Sender<Node>,
    },
    Tell(Node),
    /// Send this and let go.
    End(Ending),
    Fault(Fault),
}

/// The last words of a connection.
pub(crate) struct Ending {
    pub(crate) stanzas: Vec<Node>,
    pub(crate) closing: Closing,
    /// How long to wait before them.
    pub(crate) pause: Duration,
}

/// A normal end of a WebSocket.
const NORMAL: u16 = 1000;

impl Ending {
    /// A stream error, the stream's end, and a proper close.
    pub(crate) fn stream_error(code: Option<u16>, conflict: Option<&str>) -> Self {
        let mut error = NodeBuilder::new("stream:error");
        if let Some(code) = code {
            error = error.attr("code", code);
        }
        if let Some(kind) = conflict {
            error = error.children([NodeBuilder::new("conflict").attr("type", kind).build()]);
        }
        Self::saying(error.build())
    }

    /// The device is no longer linked.
    pub(crate) fn device_removed() -> Self {
        Self::stream_error(Some(401), Some("device_removed"))
    }

    pub(crate) fn saying(stanza: Node) -> Self {
        Self {
            stanzas: vec![stanza, stream_end()],
            closing: Closing::WebSocket(NORMAL),
            pause: Duration::ZERO,
        }
    }

    /// The stream's end alone.
    pub(crate) fn stream_end() -> Self {
        Self {
            stanzas: vec![stream_end()],
            closing: Closing::WebSocket(NORMAL),
            pause: Duration::ZERO,
        }
    }

    pub(crate) fn after(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    pub(crate) fn quiet(closing: Closing) -> Self {
        Self {
            stanzas: Vec::new(),
            closing,
            pause: Duration::ZERO,
        }
    }
}

fn stream_end() -> Node {
    NodeBuilder::new("xmlstreamend").build()
}
