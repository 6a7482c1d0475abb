//! The sandbox against the real client library: what it takes for the server
//! and the phone, and what it makes of their faults.

#[path = "sandbox_protocol/code.rs"]
mod code;
#[path = "sandbox_protocol/companion.rs"]
mod companion;
#[path = "sandbox_protocol/faults.rs"]
mod faults;
#[path = "sandbox_protocol/life.rs"]
mod life;
#[path = "sandbox_protocol/many.rs"]
mod many;
#[path = "sandbox_protocol/passkey.rs"]
mod passkey;
#[path = "sandbox_protocol/qr.rs"]
mod qr;
