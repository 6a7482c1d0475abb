//! The one linked device: what it is doing, what happens next, and who may
//! tell it what.
//!
//! Owns the session (through `wa`) and the truth about the connection. Must
//! not know HTTP or configuration files.

mod handle;

pub use handle::{
    Command, Handle, Inbox, LastHeard, PairError, PairOrder, PairingPolicy, Snapshot, Stopping,
    channel,
};
