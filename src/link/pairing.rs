//! From a fresh identity to a phone that accepts it: QR codes, pairing codes,
//! and what goes wrong on the way.

use super::{
    backoff::STABLE,
    candidate::{Candidate, Intent, Phase},
    handle::PairError,
    live::{CONNECT_DEADLINE, timeout_reason},
    machine::{Effect, Machine, Now, Weight},
    openings::Purpose,
    passkey::PasskeyError,
    verdict::{self, Class},
};
use crate::{
    wa::{End, Signal, Slot},
    wire::{PairingCode, QrCode, Reason, State},
};
use std::time::Duration;

/// WhatsApp follows a pairing with a restart of the stream at once.
const RESTART_DEADLINE: Duration = Duration::from_secs(20);

/// A QR code is followed by the next, or by the end of the session.
const QR_GRACE: Duration = Duration::from_secs(5);

impl Machine {
    /// What the configuration wants shown, as far as WhatsApp lets.
    pub(super) fn next_intent(&self, now: Now) -> Intent {
        let intent = self.policy_intent();
        match &intent {
            Intent::Code { phone, .. } if self.no_code_for(phone, now).is_some() => Intent::Qr,
            _ => intent,
        }
    }

    /// Begins on a fresh identity, whatever was there before.
    pub(super) fn begin_pairing(&mut self, intent: Intent, now: Now) {
        let intent = match self.affordable(intent, now) {
            Ok(intent) => intent,
            Err(why) => return self.end_candidate(why),
        };
        self.end_candidate(PairError::Refused("another pairing has begun".to_owned()));
        self.effect(Effect::Wipe(Slot::Candidate));
        let generation = self.next_generation();
        let purpose = match &intent {
            Intent::Qr => Purpose::Qr,
            Intent::Code { phone, custom, .. } => Purpose::Code(phone.clone(), custom.clone()),
        };
        if self.live.is_none() {
            self.attempts = self.attempts.saturating_add(1);
        }
        self.effect(Effect::Open {
            slot: Slot::Candidate,
            generation,
            purpose,
        });
        let phase = Phase::Connecting {
            generation,
            until: now.mono + CONNECT_DEADLINE,
        };
        self.candidate = Some(Candidate {
            intent,
            phase,
            began: now.mono,
            waiters: Vec::new(),
            qr: None,
            counted: false,
            suspect: false,
        });
    }

    /// Gives the candidate up, if there is one, and its waiters the reason.
    pub(super) fn end_candidate(&mut self, why: PairError) {
        self.drop_passkey(&why);
        self.answer_waiters(Err(why));
        if let Some(candidate) = self.candidate.take() {
            if candidate.generation().is_some() {
                self.effect(Effect::Close {
                    slot: Slot::Candidate,
                    unlink: false,
                });
            }
            // A finished link is not lost to the end of the daemon: the next
            // start finds it and goes on.
            if !(self.stopping && candidate.is_linked()) {
                self.effect(Effect::Wipe(Slot::Candidate));
            }
        }
    }

    pub(super) fn candidate_signal(&mut self, signal: Signal, now: Now) {
        let Some(candidate) = &mut self.candidate else {
            return;
        };
        match signal {
            Signal::Qr { code, valid_for } => {
                let qr = QrCode {
                    code: code.0,
                    shown_at: now.wall,
                    expires_at: now.wall.plus_millis(millis(valid_for)),
                };
                candidate.qr = Some((qr, now.mono + valid_for));
                // With the first of these the session asks for its code.
                self.count_code(now);
                self.show_qr(now);
            }
            Signal::Code { code, valid_for } => {
                if let (Phase::Connecting { generation, .. }, Intent::Code { phone, .. }) =
                    (&candidate.phase, &candidate.intent)
                {
                    let expires = now.wall.plus_millis(millis(valid_for));
                    let code = PairingCode::new(&code.0, phone, now.wall, expires);
                    let message = format!("a pairing code for {phone} is ready");
                    candidate.phase = Phase::ShowingCode {
                        generation: *generation,
                        code: code.clone(),
                        until: now.mono + valid_for,
                    };
                    self.count_code(now);
                    self.code_updated = Some(now.wall);
                    self.pairing_shown();
                    self.answer_waiters(Ok(code));
                    self.record("pairing.code", Weight::Notice, message);
                }
            }
            Signal::CodeRefused(refusal) => self.code_refused(refusal, now),
            Signal::CodeSpent => {
                if matches!(candidate.phase, Phase::ShowingCode { .. }) {
                    self.explain_pairing(
                        "wrong_code",
                        "the code entered on the phone did not match",
                    );
                    self.record(
                        "pairing.wrong_code",
                        Weight::Warning,
                        "the code entered on the phone did not match; a fresh one follows",
                    );
                    self.begin_pairing(self.candidate_intent(), now);
                }
            }
            Signal::PasskeyAsked(options) => self.passkey_asked(&options.0, now),
            Signal::PasskeyCode { code, compare } => self.passkey_code(code, compare, now),
            Signal::PasskeyConfirmed => self.passkey_confirmed(),
            Signal::PasskeyRefused(why) => self.passkey_refused(&why, now),
            Signal::Paired(who) => {
                self.passkey_confirmed();
                let Some(candidate) = &mut self.candidate else {
                    return;
                };
                if let Some(generation) = candidate.generation() {
                    candidate.phase = Phase::Accepted {
                        generation,
                        who,
                        until: now.mono + RESTART_DEADLINE,
                    };
                    self.answer_waiters(Err(PairError::AlreadyLinked));
                    self.record(
                        "pairing.accepted",
                        Weight::Notice,
                        "the phone has accepted this device",
                    );
                }
            }
            Signal::PairFailed(why) => {
                let why = format!("the phone's answer did not verify ({why})");
                self.end_passkey(&PasskeyError::Refused(why.clone()));
                self.explain_pairing("pairing_failed", &why);
                self.record(
                    "pairing.failed",
                    Weight::Warning,
                    "the phone's answer did not verify; pairing begins anew",
                );
                self.begin_pairing(self.candidate_intent(), now);
            }
            Signal::LoggedIn(_) => {
                if let Phase::LoggingIn { who, .. } = &candidate.phase {
                    let who = who.clone();
                    self.newcomer_in(who, now);
                }
            }
            Signal::Ended(end) => self.candidate_ended(&end, now),
            Signal::Open | Signal::PushName(_) | Signal::Alive | Signal::Silent => {}
        }
    }

    /// Why pairing is where it is. Beside a live link the reason is the link's.
    pub(super) fn explain_pairing(&mut self, code: &str, message: &str) {
        if self.live.is_none() {
            self.reason = Some(Reason {
                code: code.to_owned(),
                message: message.to_owned(),
            });
        }
    }

    /// What failed before is of no interest any more; why the device is
    /// unlinked is.
    pub(super) fn forget_failure(&mut self) {
        self.passkey_ended = None;
        let ended = self.last_disconnect.as_ref().map(|last| &last.code);
        if self.live.is_none() && ended != self.reason.as_ref().map(|reason| &reason.code) {
            self.reason = None;
        }
    }

    pub(super) fn show_qr(&mut self, now: Now) {
        let Some(candidate) = &mut self.candidate else {
            return;
        };
        let (Some((qr, expires)), Intent::Qr) = (&candidate.qr, &candidate.intent) else {
            return;
        };
        if let Phase::Connecting { generation, .. } | Phase::ShowingQr { generation, .. } =
            candidate.phase
            && *expires > now.mono
        {
            candidate.phase = Phase::ShowingQr {
                generation,
                qr: qr.clone(),
                until: *expires + QR_GRACE,
            };
            self.qr_updated = Some(qr.shown_at);
            self.pairing_shown();
        }
    }

    /// A code is up: reaching WhatsApp has succeeded. Why an earlier attempt
    /// failed stays of interest; why WhatsApp could not be reached does not.
    fn pairing_shown(&mut self) {
        let trouble = self.trouble.take();
        self.logged_out = false;
        if self.live.is_none() {
            self.attempts = 0;
            if self.reason == trouble {
                self.reason = None;
            }
        }
    }

    fn candidate_ended(&mut self, end: &End, now: Now) {
        let Some(candidate) = &mut self.candidate else {
            return;
        };
        let reason = verdict::reason(end);
        match &candidate.phase {
            Phase::Accepted { who, .. } => {
                let who = who.clone();
                self.accepted(who, now);
            }
            Phase::LoggingIn { who, .. } | Phase::LoggedIn { who, .. } => {
                let who = who.clone();
                self.newcomer_failed(who, end, reason, now);
            }
            Phase::Connecting { .. } | Phase::ShowingQr { .. } | Phase::ShowingCode { .. } => {
                self.pairing_broke(end, reason, now);
            }
            Phase::Passkey { .. } => {
                let why = format!("the passkey step broke off ({})", reason.message);
                self.passkey_failed("passkey_lost", why, PasskeyError::Ended, now);
            }
            Phase::LoginWaiting { .. } | Phase::Promoting { .. } | Phase::Waiting { .. } => {}
        }
    }

    /// The session of a pairing ended before the phone accepted.
    fn pairing_broke(&mut self, end: &End, reason: Reason, now: Now) {
        // Not when a code is up: a server that shows one and hangs up would be
        // asked every second.
        let began = self.candidate.as_ref().map(|candidate| candidate.began);
        if began.is_some_and(|began| now.mono - began >= STABLE) {
            self.backoff.reset();
        }
        let failed = PairError::Unreachable(reason.message.clone());
        if *end == End::QrExhausted {
            if self.wanted(now) {
                self.begin_pairing(self.next_intent(now), now);
            } else {
                self.end_candidate(failed);
            }
            return;
        }
        let answered = self.answer_waiters(Err(failed.clone()));
        if self.live.is_some() && answered {
            self.end_candidate(failed);
            return;
        }
        if self.live.is_none() {
            self.tell_unreachable(reason);
        }
        let (wait, state) = match verdict::class(end) {
            Class::AtOnce if self.pairing_restarts < 3 => {
                self.pairing_restarts += 1;
                (Duration::ZERO, None)
            }
            Class::Banned(lasts) => (lasts.max(self.backoff.next()), Some(State::Banned)),
            Class::Outdated => (Duration::from_secs(60 * 60), Some(State::Outdated)),
            _ => (self.backoff.next(), None),
        };
        if answered && let Some(candidate) = &mut self.candidate {
            // The caller has heard that it failed; the configuration rules again.
            candidate.intent = Intent::Qr;
        }
        self.set_candidate(Phase::Waiting {
            until: now.mono.saturating_add(wait),
            state,
        });
    }

    /// Said once for each reason, not at each attempt.
    fn tell_unreachable(&mut self, reason: Reason) {
        let news = self.trouble.as_ref().map(|before| &before.code) != Some(&reason.code);
        let message = format!(
            "WhatsApp cannot be reached, trying again: {}",
            reason.message
        );
        // After the end of a link its reason stays until a code is up.
        if !self.logged_out {
            self.reason = Some(reason.clone());
        }
        self.trouble = Some(reason);
        if news {
            self.record("connection.unreachable", Weight::Warning, message);
        }
    }

    pub(super) fn candidate_deadline(&mut self, now: Now) {
        self.expire_waiters(now);
        let Some(candidate) = &mut self.candidate else {
            return;
        };
        if candidate.deadline().is_none_or(|at| at > now.mono) {
            return;
        }
        match &candidate.phase {
            Phase::Connecting { .. } | Phase::ShowingQr { .. } => {
                self.effect(Effect::Close {
                    slot: Slot::Candidate,
                    unlink: false,
                });
                self.pairing_broke(&End::Lost, timeout_reason(), now);
            }
            Phase::ShowingCode { .. } => self.code_expired(now),
            Phase::Passkey { .. } => self.passkey_deadline(now),
            Phase::Accepted { who, .. } => {
                let who = who.clone();
                self.effect(Effect::Close {
                    slot: Slot::Candidate,
                    unlink: false,
                });
                self.accepted(who, now);
            }
            Phase::LoggingIn { who, .. } => {
                let who = who.clone();
                self.effect(Effect::Close {
                    slot: Slot::Candidate,
                    unlink: false,
                });
                let until = now.mono + self.backoff.next();
                self.set_candidate(Phase::LoginWaiting { who, until });
            }
            Phase::LoginWaiting { who, .. } => {
                let who = who.clone();
                self.log_in_candidate(who, now);
            }
            Phase::LoggedIn { .. } => self.take_over(),
            Phase::Promoting { who, .. } => {
                let who = who.clone();
                self.effect(Effect::Promote);
                self.set_candidate(Phase::Promoting {
                    who,
                    retry_at: None,
                });
            }
            Phase::Waiting { .. } => {
                let intent = match &candidate.intent {
                    Intent::Qr => self.next_intent(now),
                    intent @ Intent::Code { .. } => intent.clone(),
                };
                self.begin_pairing(intent, now);
            }
        }
    }

    fn code_expired(&mut self, now: Now) {
        self.forget_failure();
        let expired = PairError::Unreachable("the pairing code has expired".to_owned());
        self.record(
            "pairing.expired",
            Weight::Notice,
            "the pairing code was not entered in time",
        );
        if self.live.is_some() || !self.wanted(now) {
            self.end_candidate(expired);
        } else {
            self.begin_pairing(self.candidate_intent(), now);
        }
    }

    /// `reconnect` while nothing is linked.
    pub(super) fn hurry_candidate(&mut self, now: Now) {
        match self.candidate.as_ref().map(|candidate| &candidate.phase) {
            None | Some(Phase::ShowingQr { .. }) => {
                self.begin_pairing(self.next_intent(now), now);
            }
            Some(Phase::Waiting { .. }) => {
                self.begin_pairing(self.candidate_intent(), now);
            }
            // A code somebody may be typing, an attempt under way, a link
            // about to stand: none of these gets faster by starting over.
            Some(_) => {}
        }
    }

    /// What the candidate, or the one that is to follow it, is after.
    pub(super) fn candidate_intent(&self) -> Intent {
        let candidate = self.candidate.as_ref();
        candidate.map_or(Intent::Qr, |candidate| candidate.intent.clone())
    }

    pub(super) fn set_candidate(&mut self, phase: Phase) {
        if let Some(candidate) = &mut self.candidate {
            candidate.phase = phase;
        }
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
