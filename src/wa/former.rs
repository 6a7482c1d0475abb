//! What is kept of a link that its phone has ended: enough to prove to the
//! same phone that it is the same device coming back, so that it asks for no
//! code after the passkey. It is kept in memory, and in the file of the pairing
//! that inherits it for as long as that pairing lasts; after a restart the code
//! is compared like the first time.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};
use whatsapp_rust::{
    Client, store::commands::DeviceCommand, waproto::whatsapp::ADVSignedDeviceIdentity,
};

/// A device that was linked.
#[derive(Clone)]
pub(super) struct Former {
    account: Arc<ADVSignedDeviceIdentity>,
    secret: [u8; 32],
}

impl fmt::Debug for Former {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Former")
    }
}

impl Former {
    /// The device of this session, if it is linked.
    pub(super) fn of(client: &Client) -> Option<Self> {
        let device = client.persistence_manager().get_device_snapshot();
        device.pn.as_ref()?;
        Some(Self {
            account: device.account.clone()?,
            secret: device.adv_secret_key,
        })
    }

    /// Makes a fresh device the heir: a device that has an account but no
    /// number is for the library one that comes back.
    pub(super) async fn pass_on(self, client: &Client) {
        let manager = client.persistence_manager();
        manager
            .process_command(DeviceCommand::SetAccount(Some((*self.account).clone())))
            .await;
        manager
            .process_command(DeviceCommand::SetAdvSecretKey(self.secret))
            .await;
    }
}

/// Where the sessions of one vault leave it for each other.
#[derive(Debug, Clone, Default)]
pub(super) struct Keepsake(Arc<Mutex<Option<Former>>>);

impl Keepsake {
    pub(super) fn set(&self, former: Option<Former>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = former;
    }

    pub(super) fn get(&self) -> Option<Former> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
