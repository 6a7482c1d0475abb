//! Webhooks by the Standard Webhooks specification: each endpoint is sent the
//! events that it asks for, one at a time and in order, until it has taken them.
//!
//! Owns the workers, one for each endpoint, their schedule, and what is sent and
//! how it is signed. Must not know the link's state, nor hold anybody up: a
//! worker reads the journal as every other reader does, and what a receiver has
//! not taken is there again after a restart.

mod delivery;
mod desk;
mod message;
mod schedule;
mod standing;
mod worker;

pub use delivery::{Codes, Tools};
pub use desk::Desk;
