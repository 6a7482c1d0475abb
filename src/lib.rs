//! walinkd keeps one WhatsApp linked device alive.
//!
//! The rooms, in the order of their dependencies; ARCHITECTURE.md walks
//! through them.

pub mod wire;
pub mod files;
pub mod picture;
pub mod backup;
pub mod config;
pub mod journal;
pub mod dial;
pub mod wa;
pub mod link;
pub mod webhook;
pub mod auth;
pub mod metrics;
pub mod dashboard;
pub mod api;
pub mod server;
pub mod daemon;
pub mod client;
pub mod cli;
