//! Who calls, and may they: API keys, scopes, the peers of the control socket.
//!
//! Owns the comparison of presented keys with the kept hashes and the rights of
//! local peers. Must not know routes: what a call needs is told by whoever
//! asks.

mod caller;
mod gate;
mod keys;
mod peer;

pub use caller::{Caller, Origin, Refusal, Who};
pub use gate::{Gate, Rules};
pub use keys::{Key, Keyring, Scope};
pub use peer::{NoSuchGroup, Peer, group_id};
