//! The candidate: a fresh device identity on its way to being linked.

use super::{
    handle::PairOrder,
    machine::{Now, ReplyId},
    passkey::Gate,
};
use crate::{
    wa::Linked,
    wire::{PairingCode, PhoneNumber, QrCode, State},
};
use std::time::Duration;

/// A caller of the API hears within 9 s; this leaves room for the way there.
const ANSWER_WITHIN: Duration = Duration::from_millis(8_500);

/// What is to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Intent {
    Qr,
    /// `ordered` by a caller, as against by the configuration.
    Code {
        phone: PhoneNumber,
        custom: Option<String>,
        ordered: bool,
    },
}

#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) intent: Intent,
    pub(super) phase: Phase,
    pub(super) began: Duration,
    /// Callers waiting for the code, each with its deadline.
    pub(super) waiters: Vec<(ReplyId, Duration)>,
    /// The QR code on offer, also while a pairing code is asked for.
    pub(super) qr: Option<(QrCode, Duration)>,
    /// WhatsApp was asked for its code.
    pub(super) counted: bool,
    /// Its first login was refused; the next refusal is believed.
    pub(super) suspect: bool,
}

/// Each phase holds what is true in it.
#[derive(Debug)]
pub(super) enum Phase {
    Connecting {
        generation: u64,
        until: Duration,
    },
    ShowingQr {
        generation: u64,
        qr: QrCode,
        until: Duration,
    },
    ShowingCode {
        generation: u64,
        code: PairingCode,
        until: Duration,
    },
    /// WhatsApp demands the account's passkey first.
    Passkey {
        generation: u64,
        gate: Gate,
    },
    /// The phone has accepted; WhatsApp restarts the stream.
    Accepted {
        generation: u64,
        who: Linked,
        until: Duration,
    },
    /// Beside a live link: the login that decides.
    LoggingIn {
        generation: u64,
        who: Linked,
        until: Duration,
    },
    LoginWaiting {
        who: Linked,
        until: Duration,
    },
    /// It is in; the old device is on its way back, to say its farewell.
    LoggedIn {
        generation: u64,
        who: Linked,
        until: Duration,
    },
    /// Its file is becoming the live one.
    Promoting {
        who: Linked,
        retry_at: Option<Duration>,
    },
    /// `state` when WhatsApp refuses for a reason that has a state of its own.
    Waiting {
        until: Duration,
        state: Option<State>,
    },
}

impl Candidate {
    pub(super) fn generation(&self) -> Option<u64> {
        match self.phase {
            Phase::Connecting { generation, .. }
            | Phase::ShowingQr { generation, .. }
            | Phase::ShowingCode { generation, .. }
            | Phase::Passkey { generation, .. }
            | Phase::Accepted { generation, .. }
            | Phase::LoggingIn { generation, .. }
            | Phase::LoggedIn { generation, .. } => Some(generation),
            Phase::LoginWaiting { .. } | Phase::Promoting { .. } | Phase::Waiting { .. } => None,
        }
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        let phase = match &self.phase {
            Phase::Connecting { until, .. }
            | Phase::ShowingQr { until, .. }
            | Phase::ShowingCode { until, .. }
            | Phase::Accepted { until, .. }
            | Phase::LoggingIn { until, .. }
            | Phase::LoginWaiting { until, .. }
            | Phase::LoggedIn { until, .. }
            | Phase::Waiting { until, .. } => Some(*until),
            Phase::Passkey { gate, .. } => Some(gate.until),
            Phase::Promoting { retry_at, .. } => *retry_at,
        };
        self.waiters
            .iter()
            .map(|(_, until)| *until)
            .chain(phase)
            .min()
    }

    /// The phone has accepted this device.
    pub(super) fn is_linked(&self) -> bool {
        matches!(
            self.phase,
            Phase::Accepted { .. }
                | Phase::LoggingIn { .. }
                | Phase::LoggedIn { .. }
                | Phase::LoginWaiting { .. }
                | Phase::Promoting { .. }
        )
    }

    pub(super) fn gate(&self) -> Option<&Gate> {
        match &self.phase {
            Phase::Passkey { gate, .. } => Some(gate),
            _ => None,
        }
    }

    /// Whether the code for `number` has led to the passkey step.
    pub(super) fn is_at_gate(&self, number: &PhoneNumber) -> bool {
        self.gate().is_some()
            && matches!(&self.intent, Intent::Code { phone, .. } if phone == number)
    }

    pub(super) fn may_idle(&self) -> bool {
        self.waiters.is_empty()
            && matches!(
                self.phase,
                Phase::Connecting { .. } | Phase::ShowingQr { .. } | Phase::Waiting { .. }
            )
    }

    pub(super) fn is_ordered(&self) -> bool {
        matches!(self.intent, Intent::Code { ordered: true, .. })
    }

    /// Whether it is after just what `order` asks for.
    pub(super) fn asks_for(&self, order: &PairOrder) -> bool {
        let reachable = matches!(
            self.phase,
            Phase::Connecting { .. } | Phase::ShowingCode { .. }
        );
        match &self.intent {
            Intent::Code { phone, custom, .. } => {
                let same_code = match (&order.custom_code, self.code()) {
                    (None, _) => true,
                    (Some(wish), Some(code)) => code.pairing_code.replace('-', "") == *wish,
                    (wish, None) => wish == custom,
                };
                reachable && *phone == order.phone && same_code
            }
            Intent::Qr => false,
        }
    }

    /// Whether a code for `number` has been asked for and not come yet.
    pub(super) fn is_requesting(&self, number: &PhoneNumber) -> bool {
        matches!(self.phase, Phase::Connecting { .. })
            && matches!(&self.intent, Intent::Code { phone, .. } if phone == number)
    }

    pub(super) fn code(&self) -> Option<&PairingCode> {
        match &self.phase {
            Phase::ShowingCode { code, .. } => Some(code),
            _ => None,
        }
    }

    pub(super) fn add_waiter(&mut self, reply: ReplyId, now: Now) {
        self.waiters.push((reply, now.mono + ANSWER_WITHIN));
    }
}
