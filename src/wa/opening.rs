//! What a session is opened with.

use super::{
    store::{Slot, Vault},
    version::VersionSource,
};
use crate::{
    dial::Dialer,
    wire::{PhoneNumber, Timestamp},
};
use std::sync::Arc;

/// What a session is opened with.
#[derive(Clone)]
pub struct Opening {
    pub vault: Vault,
    pub slot: Slot,
    pub url: String,
    pub dialer: Dialer,
    pub versions: Arc<VersionSource>,
    /// What the phone shows under Linked devices.
    pub device_name: String,
    /// The library's name of the platform, in any case: `chrome`.
    pub platform: String,
    /// Ask for a pairing code as soon as the channel stands.
    pub code_for: Option<(PhoneNumber, Option<String>)>,
    /// Told the time of each frame from WhatsApp.
    pub on_heard: Arc<dyn Fn(Timestamp) + Send + Sync>,
    /// The wall clock.
    pub clock: fn() -> Timestamp,
}

impl Opening {
    /// Whether what is paired may come back as the device that was linked
    /// before. A pairing code's exchange makes a new secret, with which nothing
    /// of the former device can be proven.
    pub(super) fn may_inherit(&self) -> bool {
        self.slot == Slot::Candidate && self.code_for.is_none()
    }
}
