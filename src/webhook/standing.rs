//! How it goes with one endpoint.

use crate::wire::{Timestamp, WebhookFailure, WebhookOutcome};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is told of it, and what its worker goes by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// The id of the last event that is done with.
    pub(super) after: u64,
    pub(super) kept: Kept,
    /// Attempts in this run, by what became of them.
    pub(super) attempts: BTreeMap<WebhookOutcome, u64>,
    /// Failures in a row, in this run.
    pub(super) failures: u32,
    /// Whether somebody was told that it fails.
    pub(super) told: bool,
    pub(super) next_attempt_at: Option<Timestamp>,
}

/// What is known again after a restart; the note at its bookmark.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Kept {
    /// Why nothing is sent until it is resumed.
    pub(super) paused: Option<String>,
    /// Since when no message was taken.
    pub(super) failing_since: Option<Timestamp>,
    pub(super) last_success_at: Option<Timestamp>,
    pub(super) last_failure: Option<WebhookFailure>,
}

impl Standing {
    /// As if it had never failed.
    pub(super) fn afresh(&mut self) {
        self.kept.paused = None;
        self.kept.failing_since = None;
        self.failures = 0;
        self.told = false;
        self.next_attempt_at = None;
    }

    pub(super) fn count(&mut self, outcome: WebhookOutcome) {
        *self.attempts.entry(outcome).or_default() += 1;
    }
}
