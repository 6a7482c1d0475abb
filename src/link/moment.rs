//! How the link stands at a moment.

use super::handle::Snapshot;
use crate::wire::{Status, Timestamp};
use std::sync::Arc;

/// How things stand at a moment: cheap to take, and to hold against the next.
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
        let (has_qr_code, has_pairing_code) = codes(&snapshot, now);
        Self {
            has_qr_code,
            has_pairing_code,
            last_heard_at,
            snapshot,
        }
    }

    /// Whether it would be made again out of these.
    pub(super) fn lasts(
        &self,
        snapshot: &Arc<Snapshot>,
        last_heard_at: Option<Timestamp>,
        now: Timestamp,
    ) -> bool {
        Arc::ptr_eq(&self.snapshot, snapshot)
            && (self.has_qr_code, self.has_pairing_code) == codes(snapshot, now)
            && self.last_heard_at == last_heard_at
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

/// Whether there is a QR code and a pairing code. One past its time is none,
/// also while its successor is on the way.
fn codes(snapshot: &Snapshot, now: Timestamp) -> (bool, bool) {
    let (qr, code) = (snapshot.qr.as_ref(), snapshot.pairing.as_ref());
    (
        qr.is_some_and(|qr| qr.expires_at > now),
        code.is_some_and(|code| code.expires_at > now),
    )
}
