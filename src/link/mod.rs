//! The one linked device: what it is doing, what happens next, and who may
//! tell it what.
//!
//! Owns the sessions (through `wa`) and the truth about the connection. Must
//! not know HTTP or configuration files. Deciding is pure (`machine`), doing
//! is elsewhere (`task`); the rest of the program holds a [`Handle`].

mod audience;
mod backoff;
mod candidate;
mod clock;
mod commands;
mod farewell;
mod handle;
mod limits;
mod live;
mod machine;
mod memory;
mod moment;
mod openings;
mod pairing;
mod passkey;
mod questions;
mod survey;
mod takeover;
mod task;
#[cfg(test)]
mod tests;
mod verdict;
mod view;
mod waiters;

pub use audience::{Attendance, Audience};
pub use handle::{
    Command, Handle, Inbox, LastHeard, PairError, PairOrder, PairingPolicy, Snapshot, Stopping,
    channel,
};
pub use moment::Moment;
pub use openings::{Openings, Tally};
pub use passkey::{BadCredential, PasskeyError, PasskeyOrder};
pub use survey::Survey;
pub use task::{Settings, Task, new};
