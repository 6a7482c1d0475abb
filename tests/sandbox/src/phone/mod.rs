//! The phone: what a person does with it, and the keys it holds.

mod code;
mod key_share;
mod link;
mod passkey;
mod qr;

pub(crate) use key_share::share_key;

pub use code::CodeError;
pub use link::LinkError;
pub(crate) use passkey::Linking;
pub use qr::{QrCode, QrError, ScanError};

use crate::passkey::{Authenticator, BadPasskey, GateView, PasskeyError, PasskeyGate};
use crate::server::{Ending, Order};
use crate::snapshot::{LinkedDevice, PhoneView};
use crate::state::{DeviceId, PhoneState};
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
        self.update(|phone| phone.business_name = Some(name.to_owned()));
    }

    /// Scans a QR code: links the client that shows it, or says why not.
    ///
    /// # Errors
    ///
    /// When the phone would not link the client, or the client itself refuses.
    pub async fn scan(&self, qr: &str) -> Result<LinkedDevice, ScanError> {
        Ok(self.start_scan(qr)?.finished().await?)
    }

    pub(crate) fn start_scan(&self, qr: &str) -> Result<Linking, ScanError> {
        qr::scan(&self.world, &self.number, qr)
    }

    /// Enters a pairing code, as it is displayed or without its hyphen.
    ///
    /// # Errors
    ///
    /// When nobody asked for the code, it is wrong or old, or linking fails.
    pub async fn enter_code(&self, code: &str) -> Result<LinkedDevice, CodeError> {
        Ok(self.start_code(code).await?.finished().await?)
    }

    pub(crate) async fn start_code(&self, code: &str) -> Result<Linking, CodeError> {
        code::enter(&self.world, &self.number, code).await
    }

    /// From now on this account's pairings go through a passkey gate:
    /// [`Phone::scan`] and [`Phone::enter_code`] end when the client is through
    /// it and linked, or the gate is over.
    pub fn require_passkey(&self, gate: PasskeyGate) {
        self.update(|phone| phone.demands = Some(gate));
    }

    /// From now on this account's pairings go through no gate. One that is
    /// open stays.
    pub fn waive_passkey(&self) {
        self.update(|phone| phone.demands = None);
    }

    /// What the account demands of its next pairing.
    pub fn demands(&self) -> Option<PasskeyGate> {
        self.world
            .read(|state| state.phones.get(&self.number)?.demands.clone())
    }

    /// A passkey of the account: made on first use, then the same.
    pub fn passkey(&self) -> Authenticator {
        // A phone that is no more has no use for one either.
        self.update(PhoneState::passkey)
            .unwrap_or_else(Authenticator::generate)
    }

    /// Adds a passkey that is elsewhere, such as in a browser: its raw id, and
    /// its public key as an uncompressed P-256 point or as the DER of a
    /// `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    ///
    /// When the id is empty or the key is no such key.
    pub fn register_passkey(&self, id: &[u8], public_key: &[u8]) -> Result<(), BadPasskey> {
        self.update(|phone| phone.passkeys.register(id, public_key))
            .unwrap_or(Ok(()))
    }

    /// What the phone shows while a client is at its passkey gate.
    pub fn gate(&self) -> Option<GateView> {
        self.view()?.gate
    }

    /// The person taps Cancel: the gate is over, and the server ends the
    /// client's stream. `false` if there was no gate.
    pub fn cancel_passkey(&self) -> bool {
        self.world.update(|state| {
            let Some(connection) = state.gates.over(&self.number, Err(PasskeyError::Cancelled))
            else {
                return false;
            };
            if let Some(connection) = state.connections.get(&connection) {
                // A connection that takes no orders any more is ending anyway.
                let _: Result<(), _> = connection.orders.try_send(Order::End(Ending::stream_end()));
            }
            true
        })
    }

    fn update<T>(&self, change: impl FnOnce(&mut PhoneState) -> T) -> Option<T> {
        self.world
            .update(|state| state.phones.get_mut(&self.number).map(change))
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
