//! Sessions that were opened, counted by what they were for.

use crate::wire::PhoneNumber;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// What a session is opened for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Purpose {
    /// As the linked device.
    Login,
    /// To be linked by a QR code.
    Qr,
    /// To be linked by a pairing code for this number, perhaps a chosen one.
    Code(PhoneNumber, Option<String>),
}

/// How many there were since the daemon began, whatever became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Openings {
    pub login: u64,
    pub qr: u64,
    pub code: u64,
}

/// Counts them, in whoever's hands it is.
#[derive(Debug, Clone, Default)]
pub struct Tally(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    login: AtomicU64,
    qr: AtomicU64,
    code: AtomicU64,
}

impl Tally {
    pub(super) fn opened(&self, purpose: &Purpose) {
        let count = match purpose {
            Purpose::Login => &self.0.login,
            Purpose::Qr => &self.0.qr,
            Purpose::Code(..) => &self.0.code,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn so_far(&self) -> Openings {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Openings {
            login: read(&self.0.login),
            qr: read(&self.0.qr),
            code: read(&self.0.code),
        }
    }
}
