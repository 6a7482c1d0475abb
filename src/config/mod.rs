//! What the operator wrote, checked: TOML, environment and credentials become
//! one [`Config`], or the list of every fault at once, each with its place and
//! a hint.
//!
//! Owns the configuration's keys (`keys`), their defaults, and the difference
//! between two configurations. Must not open sockets or start tasks, and must
//! never put a secret or a phone number into a message.

mod address;
mod api_keys;
mod diff;
mod environment;
mod fault;
mod file;
mod keys;
mod model;
mod reader;
mod reference;
mod secret;
mod show;
mod sources;
#[cfg(test)]
mod tests;
mod tls;
mod value;
mod webhook;

pub use api_keys::{is_published_key, key_expiry, key_hash, key_name};
pub use diff::{Diff, diff, in_force};
pub use fault::{Fault, Faults, Place};
pub use file::{load, load_for_reload};
pub use model::{
    ApiKey, Auth, Config, Control, Http, Log, LogTarget, Mode, Pairing, Platform, Proxy,
    ProxyScheme, RateLimit, Storage, Whatsapp,
};
pub use reference::{Description, reference};
pub use secret::Secret;
pub use show::report;
pub use sources::{DEFAULT_FILE, Sources, VARIABLES};
pub use tls::{Authorities, Identity};
pub use value::{checked_log_level, duration_up_to};
pub use webhook::{Pattern, Target, Webhook};
