//! The real daemon against the sandbox: every way to link, to lose a link and
//! to get it back.

#![expect(
    clippy::unwrap_used,
    reason = "a test that panics is a test that fails"
)]

#[path = "../support/mod.rs"]
#[allow(
    clippy::allow_attributes,
    dead_code,
    unused_imports,
    reason = "shared by test programs that each use a part of it"
)]
mod support;

mod answers;
mod backup;
mod ban;
mod code;
mod config;
mod disconnect;
mod doctor;
mod events;
mod exposition;
mod faults;
mod keys;
mod lines;
mod log;
mod metrics;
mod noise;
mod passkey;
mod picture;
mod qr;
mod reload;
mod secure;
mod steer;
mod stop;
mod terminal;
mod transcript;
mod verbs;
mod wait;
mod watch;
mod watchdog;
mod webhook;
mod webhook_metrics;
mod webhook_trust;

use std::sync::Arc;
use support::{Daemon, Home};
use walinkd_sandbox::{LinkedDevice, Options, Phone, Sandbox};

const NUMBER: &str = "628123456789";
const OTHER: &str = "6281987654321";

/// A sandbox with a phone, and a home for a daemon that uses it.
async fn world() -> (Sandbox, Phone, Arc<Home>) {
    let sandbox = Sandbox::start(Options::default()).await.expect("a sandbox");
    let phone = sandbox.add_phone_named(NUMBER, "Ayu");
    let home = Home::new(&sandbox.url());
    home.keep_secret(NUMBER);
    home.keep_secret(OTHER);
    (sandbox, phone, home)
}

/// Links by QR code, and gives the phone's idea of the new device.
async fn link(daemon: &Daemon, phone: &Phone) -> LinkedDevice {
    let qr = daemon.qr().await;
    let device = phone.scan(&qr).await.expect("the phone accepts");
    daemon.until_connected().await;
    device
}
