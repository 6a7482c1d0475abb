//! What a session is opened with.

use super::{
    dial::Dialer,
    former::Former,
    store::{Slot, Vault},
    version::VersionSource,
};
use crate::wire::{PhoneNumber, Timestamp};
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
    /// Whether what is paired may be the device that was linked before. A QR
    /// code does not know its phone; a pairing code names it.
    pub(super) fn may_inherit(&self, former: &Former) -> bool {
        self.code_for
            .as_ref()
            .is_none_or(|(phone, _)| former.is_of(phone.digits()))
    }
}
