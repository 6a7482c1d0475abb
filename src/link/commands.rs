//! What people and programs may ask of the link.

use super::{
    candidate::{Candidate, Intent},
    handle::{PairError, PairOrder, PairingPolicy},
    live::Live,
    machine::{Answer, Effect, Machine, Now, ReplyId, Weight},
};
use crate::wa::Slot;

impl Machine {
    pub(super) fn pair(&mut self, order: PairOrder, reply: ReplyId, now: Now) {
        let answer = |result| Effect::Answer(reply, Answer::Pair(result));
        self.asked_at = now.mono;
        let linking = self.candidate.as_ref().is_some_and(Candidate::is_linked);
        // Beside a live link a newcomer that does not get in may be given up
        // for another one.
        let free = if self.live.is_some() {
            order.replace
        } else {
            !linking
        };
        if !free {
            self.effect(answer(Err(PairError::AlreadyLinked)));
            return;
        }
        if let Some(candidate) = &mut self.candidate
            && candidate.asks_for(&order)
        {
            match candidate.code() {
                Some(code) => {
                    let code = code.clone().at(now.wall);
                    self.effect(answer(Ok(code)));
                }
                None => candidate.add_waiter(reply, now),
            }
            return;
        }
        if let Some(why) = self.no_code_for(&order.phone, now) {
            self.effect(answer(Err(why)));
            return;
        }
        // An order to pair means to be online.
        if self.paused {
            self.end_pause();
            if self.live.is_some() {
                self.open_live(now);
            }
        }
        self.forget_failure();
        self.begin_pairing(
            Intent::Code {
                phone: order.phone,
                custom: order.custom_code,
                ordered: true,
            },
            now,
        );
        if let Some(candidate) = &mut self.candidate {
            candidate.add_waiter(reply, now);
        }
    }

    pub(super) fn pause(&mut self, now: Now) {
        if self.paused {
            return;
        }
        if self.live.as_ref().is_some_and(Live::is_leaving) {
            self.farewell(false, now);
        }
        self.paused = true;
        self.remember();
        if self.candidate.as_ref().is_some_and(Candidate::is_linked) {
            self.rest_candidate(now);
        } else {
            self.end_candidate(PairError::Unreachable(
                "the connection was paused".to_owned(),
            ));
        }
        self.rest_live();
        self.reason = None;
        self.trouble = None;
        self.logged_out = false;
    }

    /// The daemon ends: both sessions close, and nothing begins any more.
    pub(super) fn stop(&mut self) {
        self.stopping = true;
        self.end_candidate(PairError::Stopping);
        self.rest_live();
    }

    fn rest_live(&mut self) {
        if let Some(live) = &mut self.live {
            live.rest();
            self.effect(Effect::Close {
                slot: Slot::Live,
                unlink: false,
            });
        }
    }

    pub(super) fn resume(&mut self, now: Now) {
        if !self.paused {
            return;
        }
        self.end_pause();
        self.asked_at = now.mono;
        self.backoff.reset();
        if self.live.is_some() {
            self.open_live(now);
        }
        if self.candidate.is_some() {
            self.resume_candidate(now);
        } else if self.live.is_none() {
            self.begin_pairing(self.next_intent(now), now);
        }
    }

    pub(super) fn end_pause(&mut self) {
        self.paused = false;
        self.remember();
        self.record("admin.resumed", Weight::Notice, "the pause has ended");
    }

    pub(super) fn reconnect(&mut self, now: Now) {
        if self.paused {
            return;
        }
        self.backoff.reset();
        self.asked_at = now.mono;
        if self.live.as_ref().is_some_and(|live| !live.is_leaving()) {
            if self
                .live
                .as_ref()
                .is_some_and(|live| live.generation().is_some())
            {
                self.effect(Effect::Close {
                    slot: Slot::Live,
                    unlink: false,
                });
            }
            self.open_live(now);
        } else if self.live.is_none() {
            self.hurry_candidate(now);
        }
    }

    pub(super) fn reload(&mut self, policy: PairingPolicy, reply: ReplyId, now: Now) {
        let before = std::mem::replace(&mut self.policy, policy);
        let unchanged = before.code_for == self.policy.code_for;
        let linked = self.candidate.as_ref().is_some_and(Candidate::is_linked);
        if linked || (self.paused && self.live.is_some()) {
            // Cannot be acted on now: the next reload is to find it new.
            self.policy.code_for.clone_from(&before.code_for);
        }
        let began = if self.paused {
            None
        } else if let Some(live) = self.live.as_ref().filter(|_| !linked) {
            let number = live.who.number.clone();
            self.policy
                .code_for
                .clone()
                .filter(|wanted| !unchanged && wanted.digits() != number)
        } else if linked {
            None
        } else {
            // Back to QR codes, also when somebody ordered a pairing code, unless
            // that code has led to the passkey step.
            let ordered = self
                .candidate
                .as_ref()
                .is_some_and(|candidate| candidate.is_ordered() && candidate.gate().is_none());
            if self.policy.code_for.is_none() && (!unchanged || ordered) {
                self.begin_pairing(Intent::Qr, now);
            }
            self.policy.code_for.clone()
        };
        let began = began.filter(|phone| match self.no_code_for(phone, now) {
            None => true,
            Some(why) => {
                // Whatever is shown stays, and the next reload finds it new.
                self.policy.code_for.clone_from(&before.code_for);
                self.record("pairing.limited", Weight::Warning, why.to_string());
                false
            }
        });
        if let Some(phone) = began.clone() {
            // A request under way for this number is as fresh as a new one, and
            // a passkey step for it is further.
            let under_way = self.candidate.as_ref().is_some_and(|candidate| {
                candidate.is_requesting(&phone) || candidate.is_at_gate(&phone)
            });
            if !under_way {
                self.asked_at = now.mono;
                self.begin_pairing(
                    Intent::Code {
                        phone,
                        custom: None,
                        ordered: false,
                    },
                    now,
                );
            }
        }
        self.effect(Effect::Answer(reply, Answer::Reload(began)));
    }

    pub(super) fn asked(&mut self, now: Now) {
        self.asked_at = now.mono;
        if self.is_idle() {
            self.begin_pairing(self.next_intent(now), now);
        }
    }
}
