//! Who calls, and may they: API keys, scopes, the peers of the control socket.
//!
//! Owns the comparison of presented keys with the kept hashes and the rights of
//! local peers. Must not know routes: what a call needs is told by whoever
//! asks.

mod caller;
mod forwarded;
mod gate;
mod keyfile;
mod keys;
mod lockout;
mod page;
mod peer;

pub use crate::wire::Scope;
pub use caller::{Acquaintance, Caller, Guest, Origin, Refusal, Refused, Who};
pub use gate::{Gate, Rules, Stream};
pub use keyfile::{KeyFile, KeyFileError, StoredKey};
pub use keys::{Key, Keyring, Rate};
pub use lockout::household;
pub use peer::{NoSuchGroup, Peer, group_id};
