//! What is to be recorded, before it has a number.

use crate::wire::{Event, Severity, State, Timestamp};
use std::fmt::Display;

/// Longer messages are cut, in bytes: so a page of events has a size. Only the
/// faults of a long configuration come near it, and the log has those whole.
const LONGEST_MESSAGE: usize = 4 * 1024;

/// Something worth telling. It must be fit for a log: numbers masked, and no
/// keys, codes or QR strings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub(super) kind: String,
    pub(super) severity: Severity,
    pub(super) message: String,
    pub(super) state: Option<State>,
    pub(super) reason: Option<String>,
    pub(super) peer: Option<String>,
    pub(super) key: Option<String>,
    pub(super) suppressed: Option<u64>,
}

impl Entry {
    /// `kind` begins with `connection.`, `pairing.`, `admin.` or `auth.`, and has
    /// its entry in `daemon::catalog`.
    pub fn new(kind: impl Into<String>, severity: Severity, message: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            severity,
            message: message.into(),
            state: None,
            reason: None,
            peer: None,
            key: None,
            suppressed: None,
        }
    }

    /// How the connection stands.
    #[must_use]
    pub fn state(mut self, state: State) -> Self {
        self.state = Some(state);
        self
    }

    /// The code of the reason, if there is one.
    #[must_use]
    pub fn reason(mut self, code: Option<&str>) -> Self {
        self.reason = code.map(str::to_owned);
        self
    }

    /// Who called.
    #[must_use]
    pub fn peer(mut self, peer: impl Display) -> Self {
        self.peer = Some(peer.to_string());
        self
    }

    /// The name of the caller's key, if it has one.
    #[must_use]
    pub fn key(mut self, name: Option<&str>) -> Self {
        self.key = name.map(str::to_owned);
        self
    }

    /// How many of the same were only counted, since the last one told.
    #[must_use]
    pub fn suppressed(mut self, count: u64) -> Self {
        self.suppressed = Some(count);
        self
    }

    pub fn kind(&self) -> &str {
        &self.kind
    }

    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// How the connection stood.
    pub fn connection(&self) -> Option<State> {
        self.state
    }

    pub fn reason_code(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// With as much of the message as is kept.
    pub(super) fn short(mut self) -> Self {
        let end = self.message.floor_char_boundary(LONGEST_MESSAGE);
        self.message.truncate(end);
        self
    }

    /// The event that it becomes.
    pub(super) fn told(self, id: u64, at: Timestamp) -> Event {
        Event {
            id,
            kind: self.kind,
            at,
            severity: self.severity,
            message: self.message,
            state: self.state,
            reason: self.reason,
            peer: self.peer,
            key: self.key,
            suppressed: self.suppressed,
        }
    }

    /// The line in the log. The fields are the journal's, as systemd names it.
    pub(super) fn tell(&self) {
        macro_rules! tell {
            ($level:ident) => {
                tracing::$level!(
                    walinkd_event = self.kind,
                    walinkd_state = self.state.map(State::as_str),
                    walinkd_reason = self.reason,
                    walinkd_peer = self.peer,
                    walinkd_key = self.key,
                    suppressed = self.suppressed,
                    "{}",
                    self.message
                )
            };
        }
        match self.severity {
            Severity::Debug => tell!(debug),
            Severity::Info => tell!(info),
            Severity::Warning => tell!(warn),
            Severity::Error => tell!(error),
        }
    }
}
