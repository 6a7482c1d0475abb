//! What the machine looks like from outside.

use super::{
    candidate::{Intent, Phase as CandidatePhase},
    handle::Snapshot,
    live::Phase as LivePhase,
    machine::{Machine, Now},
    passkey::{Gate, Step},
};
use crate::wire::{State, Status, Timestamp};
use std::time::Duration;

impl Machine {
    pub(super) fn derive_state(&self) -> State {
        if self.stopping {
            return State::Stopping;
        }
        if !self.started {
            return State::Starting;
        }
        if self.paused {
            return State::Paused;
        }
        if let Some(live) = &self.live {
            return match live.phase {
                LivePhase::Connecting { .. } | LivePhase::Resting if live.fresh => State::Linking,
                LivePhase::Resting => State::Connecting,
                LivePhase::Connecting { .. } if self.reason.is_none() => State::Connecting,
                LivePhase::Connecting { .. } | LivePhase::Waiting { .. } => State::Reconnecting,
                LivePhase::Online { .. } => State::Connected,
                LivePhase::Degraded { .. } => State::Degraded,
                LivePhase::Leaving { .. } => State::LoggedOut,
                LivePhase::Replaced => State::Replaced,
                LivePhase::Banned { .. } => State::Banned,
                LivePhase::Outdated { .. } => State::Outdated,
            };
        }
        match self.candidate.as_ref().map(|candidate| &candidate.phase) {
            None => State::Idle,
            Some(CandidatePhase::ShowingQr { .. }) => State::WaitingQr,
            Some(CandidatePhase::ShowingCode { .. }) => State::WaitingCode,
            Some(CandidatePhase::Passkey { gate, .. }) => match gate.step {
                Step::Confirming { .. } => State::Linking,
                _ => State::WaitingPasskey,
            },
            Some(
                CandidatePhase::Accepted { .. }
                | CandidatePhase::LoggingIn { .. }
                | CandidatePhase::LoginWaiting { .. }
                | CandidatePhase::LoggedIn { .. }
                | CandidatePhase::Promoting { .. },
            ) => State::Linking,
            Some(CandidatePhase::Waiting {
                state: Some(state), ..
            }) => *state,
            Some(CandidatePhase::Connecting { .. } | CandidatePhase::Waiting { .. }) => {
                if self.logged_out {
                    State::LoggedOut
                } else {
                    State::Connecting
                }
            }
        }
    }

    /// The snapshot of this moment. `generation` and the process's own facts
    /// are the task's.
    pub(super) fn snapshot(
        &self,
        now: Now,
        generation: u64,
        started_at: Timestamp,
        version: &str,
    ) -> Snapshot {
        let candidate = self.candidate.as_ref();
        let qr = match candidate.map(|candidate| &candidate.phase) {
            Some(CandidatePhase::ShowingQr { qr, .. }) => Some(qr.clone()),
            _ => None,
        };
        let pairing = candidate.and_then(|candidate| candidate.code()).cloned();
        let passkey = self.gate().and_then(Gate::shown);
        let live = self.live.as_ref().map(|live| &live.who);
        let accepted = candidate.and_then(|candidate| match &candidate.phase {
            CandidatePhase::Accepted { who, .. }
            | CandidatePhase::LoginWaiting { who, .. }
            | CandidatePhase::Promoting { who, .. } => Some(who),
            _ => None,
        });
        let who = live.or(accepted);
        let phone_number = who
            .map(|who| who.number.clone())
            .or_else(|| pairing.as_ref().map(|code| code.phone_number.clone()));
        let next_attempt = match (&self.live, candidate) {
            (Some(live), _) => match live.phase {
                LivePhase::Waiting { until }
                | LivePhase::Banned { until }
                | LivePhase::Outdated { until } => Some(until),
                _ => None,
            },
            (None, Some(candidate)) => match candidate.phase {
                CandidatePhase::Waiting { until, .. } => Some(until),
                _ => None,
            },
            (None, None) => None,
        };
        let status = Status {
            is_connected: self.state == State::Connected,
            has_qr_code: qr.is_some(),
            has_pairing_code: pairing.is_some(),
            phone_number,
            last_qr_update: self.qr_updated,
            last_pairing_update: self.code_updated,
            state: self.state,
            state_since: self.state_since,
            reason: self.reason.clone(),
            user_action: self.user_action(),
            jid: who.map(|who| who.jid.clone()),
            push_name: who.and_then(|who| who.push_name.clone()),
            // Filled in by the handle, at the time of asking.
            last_heard_at: None,
            last_disconnect: self.last_disconnect.clone(),
            next_attempt_at: next_attempt.map(|until| wall_at(until, now)),
            attempts: self.attempts,
            health: self.warnings(),
            generation,
            started_at,
            version: version.to_owned(),
        };
        Snapshot {
            status,
            qr,
            pairing,
            passkey,
            passkey_ended: self.passkey_ended.clone(),
            summary: sentence(self),
        }
    }

    fn user_action(&self) -> Option<String> {
        let action = match self.state {
            State::WaitingQr => {
                "Scan the QR code: WhatsApp on the phone, Linked devices, Link a device."
            }
            State::WaitingCode => {
                "Enter the pairing code: WhatsApp on the phone, Linked devices, Link a device, Link with phone number instead."
            }
            State::WaitingPasskey => return self.passkey_action(),
            State::Idle => "Ask for a QR code or a pairing code to link a phone.",
            State::Paused => "Resume when the connection is wanted again.",
            State::LoggedOut => "Link a phone again.",
            State::Replaced => {
                "Another program uses this linked device: stop it, then reconnect here."
            }
            State::Banned => "Wait until the ban ends; WhatsApp on the phone says more.",
            State::Outdated => "Update walinkd.",
            State::Connected if self.candidate.as_ref().is_some_and(|c| c.code().is_some()) => {
                "Enter the pairing code on the new phone; the present link stays until then."
            }
            State::Connected => return self.passkey_action(),
            _ => return None,
        };
        Some(action.to_owned())
    }

    /// What a person should do in the passkey step.
    fn passkey_action(&self) -> Option<String> {
        let action = match self.gate()?.step {
            Step::Challenge(_) if self.live.is_some() => {
                "To link the new number in the place of this one, WhatsApp asks for its account's passkey: run walinkd passkey, or answer at /connection/passkey."
            }
            Step::Challenge(_) => {
                "WhatsApp asks for the account's passkey before it links: run walinkd passkey, or answer at /connection/passkey."
            }
            Step::Checking { .. } => {
                "Keep WhatsApp open on the phone: the passkey's answer is being checked."
            }
            Step::Confirm { .. } => {
                "Compare the code on the phone with the one that walinkd passkey or /connection/passkey shows, and confirm it there."
            }
            Step::Confirming { .. } => return None,
        };
        Some(action.to_owned())
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.live.is_some()
            && matches!(
                self.state,
                State::Reconnecting
                    | State::Degraded
                    | State::Replaced
                    | State::Banned
                    | State::Outdated
            )
            && let Some(reason) = &self.reason
        {
            warnings.push(format!("the link is down: {}", reason.message));
        }
        if let Some(trouble) = &self.trouble {
            warnings.push(format!("WhatsApp cannot be reached: {}", trouble.message));
        }
        warnings.extend(self.health.iter().cloned());
        warnings
    }
}

/// The state in a sentence, for `STATUS=` and the journal. Numbers masked.
pub(super) fn sentence(machine: &Machine) -> String {
    let number = machine
        .live
        .as_ref()
        .and_then(|live| crate::wire::PhoneNumber::parse(&live.who.number).ok())
        .map_or_else(String::new, |number| format!(" as {number}"));
    match machine.state {
        State::Starting => "starting".to_owned(),
        State::Connecting => "connecting to WhatsApp".to_owned(),
        State::WaitingQr => "waiting for a phone to scan the QR code".to_owned(),
        State::WaitingCode => match machine
            .candidate
            .as_ref()
            .map(|candidate| &candidate.intent)
        {
            Some(Intent::Code { phone, .. }) => {
                format!("waiting for the pairing code to be entered on {phone}")
            }
            _ => "waiting for the pairing code to be entered".to_owned(),
        },
        State::WaitingPasskey => {
            "waiting for the account's passkey, which WhatsApp asks for".to_owned()
        }
        State::Linking if machine.gate().is_some() => {
            "the passkey step is confirmed; the phone is to link the device".to_owned()
        }
        State::Linking => "a phone has accepted; logging in".to_owned(),
        State::Connected => format!("connected{number}"),
        State::Degraded => format!("linked{number}, but WhatsApp does not answer"),
        State::Reconnecting => format!("linked{number}, reconnecting"),
        State::Idle => "not linked; nobody is asking for a code".to_owned(),
        State::Paused => format!(
            "paused{}",
            if number.is_empty() {
                ""
            } else {
                ", the link is kept"
            }
        ),
        State::LoggedOut => "not linked any more".to_owned(),
        State::Replaced => "the linked device is in use elsewhere".to_owned(),
        State::Banned => "WhatsApp has banned the account for some time".to_owned(),
        State::Outdated => "WhatsApp no longer accepts this version".to_owned(),
        State::Stopping => "stopping".to_owned(),
    }
}

pub(super) fn wall_at(mono: Duration, now: Now) -> Timestamp {
    let ahead = mono.saturating_sub(now.mono).as_millis();
    now.wall
        .plus_millis(i64::try_from(ahead).unwrap_or(i64::MAX))
}
