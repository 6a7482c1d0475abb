//! The passkey step of a pairing: WhatsApp's challenge, the browser's answer,
//! the code to compare, the confirmation.
//!
//! Owns what the step waits for and when it is given up. Whatever fails, the
//! attempt is over and another one begins: what the real server does after a
//! refusal is not publicly known, and a fresh session never is a wrong start.

mod challenge;
mod credential;
mod order;

pub(super) use challenge::Challenge;
pub use credential::BadCredential;
use order::browser_failure;
pub use order::{PasskeyError, PasskeyOrder};

use super::{
    candidate::{Candidate, Phase},
    handle::PairError,
    machine::{Answer, Effect, Machine, Now, ReplyId, Weight},
    view::wall_at,
};
use crate::{
    wa::{Secret, Slot},
    wire::{PasskeyStage, PasskeyStep, Timestamp},
};
use std::time::Duration;

/// WhatsApp checks the answer, and the phone makes its half of the code:
/// people are asked to keep it open meanwhile. The library's own patience ends
/// after 75 s, in words that tell nobody anything.
const CHECK_WITHIN: Duration = Duration::from_secs(70);

/// A person needs so long to compare a code, however late the answer came.
const COMPARE_AT_LEAST: Duration = Duration::from_secs(2 * 60);

/// After the confirmation the phone links the device; somebody may have to tap
/// there first.
const LINK_WITHIN: Duration = Duration::from_secs(2 * 60);

/// Where the step stands.
#[derive(Debug)]
pub(super) enum Step {
    Challenge(Challenge),
    /// The answer is with WhatsApp, then with the phone.
    Checking {
        challenge: Challenge,
        reply: Option<ReplyId>,
    },
    /// A person compares the code.
    Confirm {
        code: Secret,
    },
    /// The confirmation is on its way; the phone links the device.
    Confirming {
        reply: Option<ReplyId>,
    },
}

/// The passkey step of a candidate.
#[derive(Debug)]
pub(super) struct Gate {
    pub(super) step: Step,
    /// When this step is given up; `expires_at` on the wall clock.
    pub(super) until: Duration,
    pub(super) expires_at: Timestamp,
    /// When WhatsApp's challenge runs out.
    ends: Duration,
}

impl Gate {
    /// What is asked of somebody, if anything is.
    pub(super) fn shown(&self) -> Option<PasskeyStep> {
        let stage = match &self.step {
            Step::Challenge(challenge) => challenge.stage(),
            Step::Checking { .. } => PasskeyStage::Checking,
            Step::Confirm { code } => PasskeyStage::Confirm {
                code: code.0.clone(),
            },
            Step::Confirming { .. } => return None,
        };
        Some(PasskeyStep {
            stage,
            expires_at: self.expires_at,
        })
    }
}

impl Machine {
    /// WhatsApp demands the passkey.
    pub(super) fn passkey_asked(&mut self, options: &str, now: Now) {
        let generation = match self.candidate.as_ref().map(|candidate| &candidate.phase) {
            Some(
                Phase::Connecting { generation, .. }
                | Phase::ShowingQr { generation, .. }
                | Phase::ShowingCode { generation, .. }
                | Phase::Passkey {
                    generation,
                    gate:
                        Gate {
                            step: Step::Challenge(_),
                            ..
                        },
                    ..
                },
            ) => *generation,
            // Only a new challenge says that the answer was not accepted; once
            // it was, nothing does.
            Some(Phase::Passkey { gate, .. }) => {
                let renewed = matches!(&gate.step, Step::Checking { challenge, .. }
                    if Challenge::parse(options).is_ok_and(|new| new != *challenge));
                if !renewed {
                    return;
                }
                let why = "WhatsApp asked for the passkey anew".to_owned();
                self.passkey_failed("passkey_refused", why, PasskeyError::Refused, now);
                return;
            }
            _ => return,
        };
        match Challenge::parse(options) {
            Ok(challenge) => {
                let valid_for = challenge.valid_for;
                self.forget_failure();
                let ends = now.mono + valid_for;
                self.set_candidate(Phase::Passkey {
                    generation,
                    gate: Gate {
                        step: Step::Challenge(challenge),
                        until: ends,
                        expires_at: wall_at(ends, now),
                        ends,
                    },
                });
                self.record(
                    "pairing.passkey",
                    Weight::Warning,
                    "WhatsApp asks for the account's passkey before it links: run walinkd passkey",
                );
            }
            Err(why) => {
                let why = format!("WhatsApp's passkey challenge cannot be read ({why})");
                self.passkey_failed("passkey_unreadable", why, PasskeyError::Refused, now);
            }
        }
    }

    fn enter(&mut self, step: Step, lasts: Duration, now: Now) {
        if let Some(gate) = self.gate_mut() {
            gate.step = step;
            gate.until = now.mono + lasts;
            gate.expires_at = wall_at(gate.until, now);
        }
    }

    pub(super) fn gate(&self) -> Option<&Gate> {
        self.candidate.as_ref().and_then(Candidate::gate)
    }

    fn gate_mut(&mut self) -> Option<&mut Gate> {
        match &mut self.candidate.as_mut()?.phase {
            Phase::Passkey { gate, .. } => Some(gate),
            _ => None,
        }
    }

    /// The order of a caller.
    pub(super) fn passkey(&mut self, order: PasskeyOrder, reply: ReplyId, now: Now) {
        self.asked_at = now.mono;
        let Some(gate) = self.gate() else {
            let error = PasskeyError::NotAsked(self.passkey_ended.clone());
            self.answer_passkey(reply, Err(error));
            return;
        };
        let wrong_stage = match (&gate.step, &order) {
            (Step::Checking { .. }, PasskeyOrder::Confirm) => {
                "WhatsApp and the phone are still checking the passkey's answer: wait for the code"
            }
            (Step::Challenge(_), PasskeyOrder::Confirm) => {
                "There is no code to confirm yet: answer the passkey challenge first"
            }
            (Step::Checking { .. } | Step::Confirm { .. }, PasskeyOrder::Answer(_)) => {
                "The passkey challenge has been answered already"
            }
            (Step::Checking { .. } | Step::Confirm { .. }, PasskeyOrder::BrowserFailed(_)) => {
                "The passkey challenge has been answered already"
            }
            (Step::Confirming { .. }, _) => "The code has been confirmed already",
            (Step::Challenge(challenge), PasskeyOrder::Answer(answer)) => {
                match credential::check(answer, challenge) {
                    Ok(assertion) => {
                        let challenge = challenge.clone();
                        self.effect(Effect::AnswerPasskey(assertion));
                        let reply = Some(reply);
                        self.enter(Step::Checking { challenge, reply }, CHECK_WITHIN, now);
                        self.forget_failure();
                        self.record(
                            "pairing.passkey_answered",
                            Weight::Notice,
                            "the passkey has answered; WhatsApp and the phone check it",
                        );
                    }
                    Err(error) => {
                        let message = format!("not sent to WhatsApp: {error}");
                        self.record("pairing.passkey_bad", Weight::Notice, message);
                        self.answer_passkey(reply, Err(error.into()));
                    }
                }
                return;
            }
            (Step::Challenge(challenge), PasskeyOrder::BrowserFailed(name)) => {
                let message = browser_failure(name, &challenge.page());
                self.explain_pairing("passkey_cancelled", &message);
                self.record("pairing.passkey_cancelled", Weight::Notice, message.clone());
                self.answer_passkey(reply, Err(PasskeyError::Browser(message)));
                return;
            }
            (Step::Confirm { .. }, PasskeyOrder::Confirm) => {
                self.effect(Effect::ConfirmPasskey);
                let reply = Some(reply);
                self.enter(Step::Confirming { reply }, LINK_WITHIN, now);
                return;
            }
            (
                Step::Challenge(_) | Step::Checking { .. } | Step::Confirm { .. },
                PasskeyOrder::Cancel,
            ) => {
                let why = "the passkey step was cancelled".to_owned();
                self.passkey_failed("passkey_cancelled", why, PasskeyError::Ended, now);
                self.answer_passkey(reply, Ok(None));
                return;
            }
        };
        self.answer_passkey(reply, Err(PasskeyError::Stage(wrong_stage)));
    }

    /// The phone has made its half of the code.
    pub(super) fn passkey_code(&mut self, code: Secret, compare: bool, now: Now) {
        let Some(Gate {
            step: Step::Checking { reply, .. },
            ends,
            ..
        }) = self.gate_mut()
        else {
            return;
        };
        let reply = reply.take();
        let left = ends.saturating_sub(now.mono);
        let next = if compare {
            self.enter(Step::Confirm { code }, left.max(COMPARE_AT_LEAST), now);
            self.record(
                "pairing.passkey_code",
                Weight::Notice,
                "the phone shows a code: compare it with walinkd's (walinkd passkey) and confirm",
            );
            self.gate().and_then(Gate::shown)
        } else {
            self.effect(Effect::ConfirmPasskey);
            self.enter(Step::Confirming { reply: None }, LINK_WITHIN, now);
            None
        };
        if let Some(reply) = reply {
            self.answer_passkey(reply, Ok(next));
        }
    }

    /// The confirmation has arrived, or even the link: whoever waits hears it.
    pub(super) fn passkey_confirmed(&mut self) {
        if let Some(Gate {
            step: Step::Checking { reply, .. } | Step::Confirming { reply },
            ..
        }) = self.gate_mut()
            && let Some(reply) = reply.take()
        {
            self.answer_passkey(reply, Ok(None));
        }
    }

    pub(super) fn passkey_refused(&mut self, why: &str, now: Now) {
        // It also comes alone: when WhatsApp's question itself was lost.
        let concerns = self.candidate.as_ref().is_some_and(|candidate| {
            matches!(
                candidate.phase,
                Phase::Connecting { .. }
                    | Phase::ShowingQr { .. }
                    | Phase::ShowingCode { .. }
                    | Phase::Passkey { .. }
            )
        });
        if !concerns {
            return;
        }
        let why = format!("WhatsApp did not accept the passkey step ({why})");
        self.passkey_failed("passkey_refused", why, PasskeyError::Refused, now);
    }

    pub(super) fn passkey_deadline(&mut self, now: Now) {
        let Some(gate) = self.gate() else { return };
        let (code, why) = match gate.step {
            Step::Challenge(_) => ("passkey_expired", "the passkey was not used in time"),
            Step::Confirm { .. } => (
                "passkey_expired",
                "the code of the passkey step was not confirmed in time",
            ),
            Step::Checking { .. } | Step::Confirming { .. } => (
                "passkey_unanswered",
                "WhatsApp and the phone did not answer in the passkey step",
            ),
        };
        self.passkey_failed(code, why.to_owned(), PasskeyError::Ended, now);
    }

    /// The step has failed, and with it the attempt. Alone, the next attempt
    /// begins; beside a live link, that link is what stays.
    pub(super) fn passkey_failed(
        &mut self,
        code: &str,
        why: String,
        error: fn(String) -> PasskeyError,
        now: Now,
    ) {
        let message = format!("{why}: nothing is linked, start again");
        self.end_passkey(&error(message.clone()));
        // If it was the proof of the former link that displeased, the next
        // attempt goes without.
        self.forget_former();
        self.asked_at = now.mono;
        self.explain_pairing(code, &message);
        self.passkey_ended = Some(message.clone());
        let kind = format!("pairing.{code}");
        self.record(&kind, Weight::Warning, message.clone());
        let intent = self.candidate_intent();
        let beside = self.live.is_some();
        // What there is to say of the step has been said.
        self.set_candidate(Phase::Waiting {
            until: now.mono,
            state: None,
        });
        self.effect(Effect::Close {
            slot: Slot::Candidate,
            unlink: false,
        });
        if beside {
            self.end_candidate(PairError::Refused(message));
        } else {
            self.begin_pairing(intent, now);
        }
    }

    /// Nobody is to come back as the device that was linked before. True when
    /// somebody could have.
    pub(super) fn forget_former(&mut self) -> bool {
        self.effect(Effect::Forget);
        std::mem::take(&mut self.has_former)
    }

    /// Tells whoever waits for the next step that there is none.
    pub(super) fn end_passkey(&mut self, error: &PasskeyError) {
        let waiting = match self.gate_mut().map(|gate| &mut gate.step) {
            Some(Step::Checking { reply, .. } | Step::Confirming { reply }) => reply.take(),
            Some(Step::Challenge(_) | Step::Confirm { .. }) | None => None,
        };
        if let Some(reply) = waiting {
            self.answer_passkey(reply, Err(error.clone()));
        }
    }

    /// Another order ends the attempt, and the step with it.
    pub(super) fn drop_passkey(&mut self, why: &PairError) {
        if self.gate().is_some() {
            let error = PasskeyError::from(why);
            self.end_passkey(&error);
            self.record("pairing.passkey_dropped", Weight::Notice, error.to_string());
        }
    }

    fn answer_passkey(
        &mut self,
        reply: ReplyId,
        result: Result<Option<PasskeyStep>, PasskeyError>,
    ) {
        self.effect(Effect::Answer(reply, Answer::Passkey(result)));
    }
}
