//! How the link stands at a moment.

use super::handle::Snapshot;
use crate::wire::{Status, Timestamp};
use std::sync::Arc;

/// How things stand at a moment: cheap to take, and to compare.
#[derive(Debug, Clone)]
pub struct Moment {
    snapshot: Arc<Snapshot>,
    has_qr_code: bool,
    has_pairing_code: bool,
    last_heard_at: Option<Timestamp>,
}

impl Moment {
    pub(super) fn new(
        snapshot: Arc<Snapshot>,
        last_heard_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        // A code past its time is none, also while its successor is on the way.
        let (qr, code) = (snapshot.qr.as_ref(), snapshot.pairing.as_ref());
        Self {
            has_qr_code: qr.is_some_and(|qr| qr.expires_at > now),
            has_pairing_code: code.is_some_and(|code| code.expires_at > now),
            last_heard_at,
            snapshot,
        }
    }

    pub fn status(&self) -> Status {
        Status {
            has_qr_code: self.has_qr_code,
            has_pairing_code: self.has_pairing_code,
            last_heard_at: self.last_heard_at,
            ..self.snapshot.status.clone()
        }
    }
}

impl PartialEq for Moment {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.snapshot, &other.snapshot)
            && self.has_qr_code == other.has_qr_code
            && self.has_pairing_code == other.has_pairing_code
            && self.last_heard_at == other.last_heard_at
    }
}
