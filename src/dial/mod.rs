//! The way out: the only place that opens a connection to the network. A
//! configured proxy therefore covers everything, the web socket, the version
//! fetch and the webhooks alike, and is never bypassed.
//!
//! Owns the connection, its TLS, and one HTTP request over it. Must not know
//! whom it calls or why, nor try again.

mod dialer;
mod http;

pub use dialer::{DialError, Dialer, InvalidProxy, Proxy, ProxyKind};
pub use http::{Exchange, ExchangeError};
