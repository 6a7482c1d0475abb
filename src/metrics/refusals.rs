//! Callers that were not let in.

use super::families;
use crate::auth::Refusal;
use prometheus::{IntCounter, IntCounterVec, Registry};

/// What [`word`] may say.
const REASONS: &[&str] = &[
    "no_key",
    "unknown_key",
    "expired_key",
    "read_key",
    "read_peer",
    "foreign_page",
    "locked_out",
    "rate_limited",
    "too_many_streams",
    "revoked",
];

#[derive(Debug)]
pub(super) struct Refusals {
    refused: IntCounterVec,
    lockouts: IntCounter,
}

impl Refusals {
    pub(super) fn new(registry: &Registry) -> Self {
        let refused = families::counters(
            registry,
            "walinkd_auth_refusals_total",
            "Calls that were refused for who made them, by the reason.",
            &["reason"],
        );
        for reason in REASONS {
            refused.with_label_values(&[*reason]);
        }
        Self {
            refused,
            lockouts: families::counter(
                registry,
                "walinkd_auth_lockouts_total",
                "Addresses that were locked out for too many wrong keys.",
            ),
        }
    }

    pub(super) fn refused(&self, refusal: &Refusal) {
        self.refused.with_label_values(&[word(refusal)]).inc();
    }

    pub(super) fn locked_out(&self) {
        self.lockouts.inc();
    }
}

fn word(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::NoKey => "no_key",
        Refusal::UnknownKey => "unknown_key",
        Refusal::Expired { .. } => "expired_key",
        Refusal::ReadKey { .. } => "read_key",
        Refusal::ReadPeer => "read_peer",
        Refusal::ForeignPage => "foreign_page",
        Refusal::LockedOut(_) => "locked_out",
        Refusal::TooFast { .. } => "rate_limited",
        Refusal::TooManyStreams => "too_many_streams",
        Refusal::Revoked => "revoked",
    }
}
