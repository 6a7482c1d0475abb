//! WhatsApp, through whatsapp-rust: the only room that names the library.
//!
//! Owns a session from its socket to its end, the store a device lives in, the
//! web socket, the version announced to WhatsApp, and the choke point the
//! library's log goes through. Must not know policy: when to try again, what to
//! show, whom to ask is decided in `link`.
//!
//! One [`Session`] is one socket. The library's own reconnecting is switched
//! off: its back-off cannot be cut short or watched, it loops on 515 without a
//! pause, and a client that ended is dead for good. So every attempt is a new
//! client on the same store, and the only schedule is `link`'s.

mod code;
mod ear;
mod former;
mod http;
mod log;
mod opening;
mod passkey;
mod probe;
mod pulse;
mod session;
mod signal;
mod store;
mod tasks;
mod transport;
mod version;

pub use log::{install_log, is_library};
pub use opening::Opening;
pub use passkey::Assertion;
pub use probe::probe;
pub use session::Session;
pub use signal::{CodeRefusal, End, Linked, Secret, Signal};
pub use store::{Slot, Store, StoreError, Vault};
pub use version::{Version, VersionSource};
/// Whom the library trusts in TLS: the authorities that browsers trust.
pub use whatsapp_rust::transport::default_tls_connector as public_trust;
