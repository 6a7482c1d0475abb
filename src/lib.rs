//! walinkd keeps one WhatsApp linked device alive.
//!
//! The rooms, in the order of their dependencies; ARCHITECTURE.md walks
//! through them.

pub mod api;
pub mod auth;
pub mod config;
pub mod daemon;
pub mod link;
pub mod server;
pub mod wa;
pub mod wire;
