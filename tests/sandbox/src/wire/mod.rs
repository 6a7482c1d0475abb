//! The wire below the stanzas' meaning: length-prefixed frames with their
//! prologue, the WebSocket that carries them, and helpers to read and write
//! nodes.

mod frame;
pub(crate) mod node;
mod socket;

pub(crate) use frame::PROLOGUE;
pub(crate) use socket::{Closing, Socket, SocketError};
