//! A stand-in for WhatsApp's server *and* the phone, on loopback, with real
//! cryptography: the Noise handshake, binary stanzas, linking by QR code and by
//! pairing code, the passkey gate, logins, logouts, and faults on demand.
//!
//! ```no_run
//! # async fn story(show_me_the_code: impl AsyncFn(&str) -> String) -> Result<(), Box<dyn std::error::Error>> {
//! use walinkd_sandbox::{Fault, Options, Sandbox, Target};
//! use std::time::Duration;
//!
//! let sandbox = Sandbox::start(Options::default()).await?;
//! let phone = sandbox.add_phone("628123456789");
//! let qr = show_me_the_code(&sandbox.url()).await;
//! let device = phone.scan(&qr).await?;
//! sandbox.wait_for(|state| state.online() == 1, Duration::from_secs(10)).await?;
//! sandbox.inject(Fault::stream_error(503), Target::device(&device.jid))?;
//! phone.unlink(&device);
//! # Ok(()) }
//! ```
//!
//! What the phone and the server verify, this verifies; where it falls short of
//! them, the README says so. Rooms, from the wire up: `keys`, `noise`, `wire`;
//! `passkey` for what a gate verifies and holds; `state` behind `world`'s lock;
//! `server` for one connection, `phone` for what a person does; `sandbox` and
//! `control` on top.

mod adv;
mod clock;
mod control;
mod faults;
mod keys;
mod noise;
mod options;
mod passkey;
mod payload;
mod phone;
mod sandbox;
mod server;
mod snapshot;
mod state;
mod wire;
mod world;

pub use adv::AdvError;
pub use faults::{ArmedFault, Fault, FaultError, Injected, Stage, Target, Who};
pub use keys::KeyBytes;
pub use options::Options;
pub use passkey::{
    AssertionError, Authenticator, BadPasskey, ExchangeError, GateStage, GateView, PasskeyError,
    PasskeyGate,
};
pub use payload::{ClientInfo, Login, Registration, SignedPrekey};
pub use phone::{CodeError, LinkError, Phone, QrCode, QrError, ScanError};
pub use sandbox::{Sandbox, SandboxError};
pub use snapshot::{
    CodeView, ConnectionStage, ConnectionView, Handshakes, LinkedDevice, PhoneView, Snapshot, Stats,
};
pub use world::Elapsed;
