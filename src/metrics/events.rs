//! What the events say that are told: the connection's states and the ends of
//! pairings.

use super::{families, words};
use crate::{
    journal::Entry,
    wire::{Severity, State},
};
use prometheus::{IntCounter, IntCounterVec, Registry};
use std::sync::{Mutex, PoisonError};

/// Here from the start: an alert sees the first time too only when there was a
/// zero before it.
const ALARMING: &[(State, &str)] = &[
    (State::Degraded, "silent"),
    (State::Reconnecting, "network"),
    (State::Reconnecting, "silent"),
    (State::LoggedOut, "account_locked"),
    (State::LoggedOut, "device_removed"),
    (State::LoggedOut, "logged_out"),
    (State::Replaced, "replaced"),
    (State::Banned, "banned"),
    (State::Outdated, "outdated"),
];

const OUTCOMES: &[&str] = &[
    "linked",
    "wrong_code",
    "expired",
    "limited",
    "refused",
    "failed",
    PASSKEY,
];

/// However the passkey step has failed.
const PASSKEY: &str = "passkey_failed";

#[derive(Debug)]
pub(super) struct Events {
    transitions: IntCounterVec,
    reconnects: IntCounter,
    codes: IntCounter,
    pairings: IntCounterVec,
    link: Mutex<Link>,
}

/// What the last states come to.
#[derive(Debug)]
struct Link {
    state: State,
    /// It was connected, and has not been given up since.
    kept: bool,
}

impl Events {
    pub(super) fn new(registry: &Registry) -> Self {
        let transitions = families::counters(
            registry,
            "walinkd_state_transitions_total",
            "Changes of the connection's state, by the new state and its reason.",
            &["to", "reason"],
        );
        for (state, reason) in ALARMING {
            transitions.with_label_values(&[state.as_str(), *reason]);
        }
        let pairings = families::counters(
            registry,
            "walinkd_pairings_total",
            "Pairings that came to an end, by what became of them. A QR code that nobody scanned is none.",
            &["outcome"],
        );
        for outcome in OUTCOMES {
            pairings.with_label_values(&[*outcome]);
        }
        Self {
            transitions,
            reconnects: families::counter(
                registry,
                "walinkd_reconnects_total",
                "Times the same link was connected again, on a new socket.",
            ),
            codes: families::counter(
                registry,
                "walinkd_pairing_codes_total",
                "Pairing codes that WhatsApp gave.",
            ),
            pairings,
            link: Mutex::new(Link {
                state: State::Starting,
                kept: false,
            }),
        }
    }

    pub(super) fn hear(&self, entry: &Entry) {
        match (entry.kind().split_once('.'), entry.connection()) {
            (Some(("connection", word)), Some(state)) if word == state.as_str() => {
                self.moved(state, entry.reason_code());
            }
            (Some(("pairing", word)), _) => self.paired(word, entry.severity()),
            _ => {}
        }
    }

    fn moved(&self, to: State, reason: Option<&str>) {
        let labels = [to.as_str(), words::reason(reason)];
        self.transitions.with_label_values(&labels).inc();
        let mut link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        match to {
            State::Connected => {
                // Degraded, it heard WhatsApp again on the same socket.
                if link.kept && link.state != State::Degraded {
                    self.reconnects.inc();
                }
                link.kept = true;
            }
            State::Idle
            | State::Linking
            | State::LoggedOut
            | State::Paused
            | State::Stopping
            | State::WaitingCode
            | State::WaitingPasskey
            | State::WaitingQr => link.kept = false,
            State::Banned
            | State::Connecting
            | State::Degraded
            | State::Outdated
            | State::Reconnecting
            | State::Replaced
            | State::Starting => {}
        }
        link.state = to;
    }

    fn paired(&self, word: &str, severity: Severity) {
        let outcome = match word {
            "code" => {
                self.codes.inc();
                return;
            }
            "passkey_expired" | "passkey_lost" | "passkey_refused" | "passkey_unanswered"
            | "passkey_unreadable" => PASSKEY,
            // A browser that gave no passkey may be asked again.
            "passkey_cancelled" if severity == Severity::Warning => PASSKEY,
            word if OUTCOMES.contains(&word) => word,
            _ => return,
        };
        self.pairings.with_label_values(&[outcome]).inc();
    }
}
