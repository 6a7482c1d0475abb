//! From a phone that has accepted to the live link, alone or in the place of
//! another one.

use super::{
    candidate::{Candidate, Intent, Phase},
    live::{CONNECT_DEADLINE, Live, Phase as LivePhase},
    machine::{Effect, Machine, Now, Weight},
};
use crate::{
    wa::{Linked, Slot},
    wire::Reason,
};
use std::time::Duration;

/// After a failed promotion: a full disk may have room again.
const PROMOTE_AGAIN: Duration = Duration::from_secs(10);

impl Machine {
    /// Found at the start: linked, but its file was never promoted.
    pub(super) fn resume_takeover(&mut self, who: Linked, now: Now) {
        self.candidate = Some(Candidate {
            intent: Intent::Qr,
            phase: Phase::LoginWaiting {
                who,
                until: now.mono,
            },
            waiters: Vec::new(),
            qr: None,
        });
    }

    /// The phone has accepted and the stream has ended: the device is linked.
    pub(super) fn accepted(&mut self, who: Linked, now: Now) {
        if self.live.is_some() {
            self.log_in_candidate(who, now);
        } else {
            self.set_candidate(Phase::Promoting {
                who,
                retry_at: None,
            });
            self.effect(Effect::Promote);
        }
    }

    pub(super) fn log_in_candidate(&mut self, who: Linked, now: Now) {
        let generation = self.next_generation();
        self.effect(Effect::Open {
            slot: Slot::Candidate,
            generation,
            code_for: None,
        });
        let until = now.mono + CONNECT_DEADLINE;
        self.set_candidate(Phase::LoggingIn {
            generation,
            who,
            until,
        });
    }

    /// The candidate is in; the old device goes.
    pub(super) fn take_over(&mut self) {
        let Some(candidate) = &mut self.candidate else {
            return;
        };
        let open = candidate.generation().is_some();
        let (Phase::Accepted { who, .. }
        | Phase::LoggingIn { who, .. }
        | Phase::LoginWaiting { who, .. }
        | Phase::Promoting { who, .. }) = &candidate.phase
        else {
            return;
        };
        let who = who.clone();
        if let Some(live) = self.live.take() {
            if live.generation().is_some() {
                let unlink = matches!(
                    live.phase,
                    LivePhase::Online { .. } | LivePhase::Degraded { .. }
                );
                self.effect(Effect::Close {
                    slot: Slot::Live,
                    unlink,
                });
            }
            self.effect(Effect::Wipe(Slot::Live));
        }
        if open {
            self.effect(Effect::Close {
                slot: Slot::Candidate,
                unlink: false,
            });
        }
        self.set_candidate(Phase::Promoting {
            who,
            retry_at: None,
        });
        self.effect(Effect::Promote);
    }

    pub(super) fn promoted(&mut self, result: Result<(), String>, now: Now) {
        let Some(Candidate {
            phase: Phase::Promoting { who, .. },
            ..
        }) = &self.candidate
        else {
            return;
        };
        let who = who.clone();
        match result {
            Ok(()) => {
                self.candidate = None;
                self.live = Some(Live::fresh(who));
                self.reason = None;
                self.logged_out = false;
                self.attempts = 0;
                self.backoff.reset();
                self.record("pairing.linked", Weight::Notice, "a phone is linked");
                self.open_live(now);
            }
            Err(why) => {
                let message = format!("the new link could not be stored: {why}");
                self.reason = Some(Reason {
                    code: "store".to_owned(),
                    message: message.clone(),
                });
                self.record("connection.store", Weight::Warning, message);
                self.set_candidate(Phase::Promoting {
                    who,
                    retry_at: Some(now.mono + PROMOTE_AGAIN),
                });
            }
        }
    }
}
