//! The phone: what a person does with it, and the keys it holds.

mod code;
mod key_share;
mod link;
mod qr;

pub(crate) use key_share::share_key;

pub use code::CodeError;
pub use link::LinkError;
pub use qr::{QrCode, QrError, ScanError};

use crate::server::{Ending, Order};
use crate::snapshot::{LinkedDevice, PhoneView};
use crate::state::DeviceId;
use crate::world::World;
use std::sync::Arc;

/// A handle on one of a sandbox's phones.
#[derive(Clone)]
pub struct Phone {
    world: Arc<World>,
    number: String,
}

impl Phone {
    pub(crate) fn new(world: Arc<World>, number: String) -> Self {
        Self { world, number }
    }

    pub fn number(&self) -> &str {
        &self.number
    }

    /// Makes this a business account of that name.
    pub fn set_business_name(&self, name: &str) {
        self.world.update(|state| {
            if let Some(phone) = state.phones.get_mut(&self.number) {
                phone.business_name = Some(name.to_owned());
            }
        });
    }

    /// Scans a QR code: links the client that shows it, or says why not.
    ///
    /// # Errors
    ///
    /// When the phone would not link the client, or the client itself refuses.
    pub async fn scan(&self, qr: &str) -> Result<LinkedDevice, ScanError> {
        qr::scan(&self.world, &self.number, qr).await
    }

    /// Enters a pairing code, as it is displayed or without its hyphen.
    ///
    /// # Errors
    ///
    /// When nobody asked for the code, it is wrong or old, or linking fails.
    pub async fn enter_code(&self, code: &str) -> Result<LinkedDevice, CodeError> {
        code::enter(&self.world, &self.number, code).await
    }

    /// What the phone shows of itself.
    pub fn view(&self) -> Option<PhoneView> {
        self.world.read(|state| {
            let phone = state.phones.get(&self.number)?;
            Some(state.view_phone(phone))
        })
    }

    /// The phone's Linked devices.
    pub fn devices(&self) -> Vec<LinkedDevice> {
        self.view().map(|phone| phone.devices).unwrap_or_default()
    }

    /// Takes a device off, whether it is online or not; `false` if it was not
    /// linked.
    pub fn unlink(&self, device: &LinkedDevice) -> bool {
        self.unlink_number(device.device)
    }

    /// Takes all devices off; how many there were.
    pub fn unlink_all(&self) -> usize {
        self.devices()
            .iter()
            .filter(|device| self.unlink(device))
            .count()
    }

    /// Takes off the device with this number.
    pub fn unlink_number(&self, device: u16) -> bool {
        let id = DeviceId {
            number: self.number.clone(),
            device,
        };
        self.world.update(|state| {
            let removed = state
                .phones
                .get_mut(&self.number)
                .and_then(|phone| phone.devices.remove(&device))
                .is_some();
            if !removed {
                return false;
            }
            state.stats.unlinks += 1;
            if let Some(orders) = state.orders_of(&id) {
                // A connection that takes no orders any more is ending anyway.
                let _: Result<(), _> = orders.try_send(Order::End(Ending::device_removed()));
            }
            for connection in state.connections.values_mut() {
                if connection.device.as_ref() == Some(&id) {
                    connection.device = None;
                }
            }
            true
        })
    }
}
