//! From a phone that has accepted to the live link, alone or in the place of
//! another one.

use super::{
    candidate::{Candidate, Intent, Phase},
    handle::PairError,
    live::{CONFIRM_AFTER, CONNECT_DEADLINE, Live, OUTDATED_RETRY, Phase as LivePhase},
    machine::{Effect, Machine, Now, Weight},
    openings::Purpose,
    verdict::{self, Class},
};
use crate::{
    wa::{End, Linked, Slot},
    wire::Reason,
};
use std::time::Duration;

/// After a failed promotion: a full disk may have room again.
const PROMOTE_AGAIN: Duration = Duration::from_secs(10);

/// How long a newcomer waits for the old device to come back: without a
/// connection it cannot be logged out.
const OLD_DEVICE_WITHIN: Duration = Duration::from_secs(10);

impl Machine {
    /// Found at the start: linked, but its file was never promoted.
    pub(super) fn resume_takeover(&mut self, who: Linked, now: Now) {
        self.candidate = Some(Candidate {
            intent: Intent::Qr,
            phase: Phase::LoginWaiting {
                who,
                until: now.mono,
            },
            began: now.mono,
            waiters: Vec::new(),
            qr: None,
            counted: false,
            suspect: false,
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
            purpose: Purpose::Login,
        });
        let until = now.mono + CONNECT_DEADLINE;
        self.set_candidate(Phase::LoggingIn {
            generation,
            who,
            until,
        });
    }

    /// The newcomer's login beside a live link failed. Servers err: a refusal
    /// is believed the second time.
    pub(super) fn newcomer_failed(&mut self, who: Linked, end: &End, reason: Reason, now: Now) {
        let Some(candidate) = &mut self.candidate else {
            return;
        };
        let wait = match verdict::class(end) {
            Class::Suspect if !candidate.suspect => {
                candidate.suspect = true;
                CONFIRM_AFTER
            }
            Class::Suspect | Class::Gone => {
                let message = format!("the new device was refused: {}", reason.message);
                self.record("pairing.failed", Weight::Warning, message);
                self.end_candidate(PairError::Refused(reason.message));
                return;
            }
            Class::Banned(lasts) => lasts.max(self.backoff.next()),
            Class::Outdated => OUTDATED_RETRY,
            _ => self.backoff.next(),
        };
        let until = now.mono.saturating_add(wait);
        self.set_candidate(Phase::LoginWaiting { who, until });
    }

    /// Goes on with a finished link that a pause held up.
    pub(super) fn resume_candidate(&mut self, now: Now) {
        let Some(candidate) = &self.candidate else {
            return;
        };
        if let Phase::LoginWaiting { who, .. } = &candidate.phase {
            let who = who.clone();
            self.accepted(who, now);
        }
    }

    /// A pause keeps a finished link, though it may not log in yet.
    pub(super) fn rest_candidate(&mut self, now: Now) {
        let Some(candidate) = &self.candidate else {
            return;
        };
        let open = candidate.generation().is_some();
        if let Phase::Accepted { who, .. }
        | Phase::LoggingIn { who, .. }
        | Phase::LoggedIn { who, .. } = &candidate.phase
        {
            let who = who.clone();
            self.set_candidate(Phase::LoginWaiting {
                who,
                until: now.mono,
            });
        }
        if open {
            self.effect(Effect::Close {
                slot: Slot::Candidate,
                unlink: false,
            });
        }
    }

    /// The newcomer's login beside a live link went well. After a start, or a
    /// moment without network, the old device may be on its way back as well.
    pub(super) fn newcomer_in(&mut self, who: Linked, now: Now) {
        let open = match self.live.as_ref().map(|live| &live.phase) {
            Some(LivePhase::Connecting { .. }) => false,
            Some(LivePhase::Waiting { .. }) => true,
            _ => {
                self.take_over();
                return;
            }
        };
        let generation = self.candidate.as_ref().and_then(Candidate::generation);
        let Some(generation) = generation else { return };
        self.set_candidate(Phase::LoggedIn {
            generation,
            who,
            until: now.mono + OLD_DEVICE_WITHIN,
        });
        if open {
            self.open_live(now);
        }
    }

    /// A newcomer may have waited for that.
    pub(super) fn old_device_back(&mut self) {
        let candidate = self.candidate.as_ref().map(|candidate| &candidate.phase);
        if matches!(candidate, Some(Phase::LoggedIn { .. })) {
            self.take_over();
        }
    }

    /// The candidate is in; the old device goes.
    pub(super) fn take_over(&mut self) {
        let Some(candidate) = &mut self.candidate else {
            return;
        };
        let open = candidate.generation().is_some();
        let (Phase::Accepted { who, .. }
        | Phase::LoggingIn { who, .. }
        | Phase::LoggedIn { who, .. }
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
                self.leaving = live.generation().filter(|_| unlink);
            }
            if self.leaving.is_none() {
                self.tell_old_device_stays();
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

    /// The device that a newcomer took over from has said its farewell.
    pub(super) fn old_device_left(&mut self, end: &End) {
        self.leaving = None;
        if !matches!(end, End::Closed { unlinked: true } | End::Removed) {
            self.tell_old_device_stays();
        }
    }

    fn tell_old_device_stays(&mut self) {
        self.record(
            "pairing.old_device_stays",
            Weight::Warning,
            "the old device could not be logged out: remove it on its phone, under Linked devices",
        );
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
                self.trouble = None;
                self.passkey_ended = None;
                self.has_former = false;
                self.logged_out = false;
                self.attempts = 0;
                self.backoff.reset();
                self.pairing_restarts = 0;
                self.record("pairing.linked", Weight::Notice, "a phone is linked");
                if !self.paused {
                    self.open_live(now);
                }
            }
            Err(why) => {
                let reason = Reason {
                    code: "store".to_owned(),
                    message: format!("the new link could not be stored: {why}"),
                };
                // Said once, not at each try.
                if self.reason.as_ref() != Some(&reason) {
                    self.reason = Some(reason.clone());
                    self.record("connection.store", Weight::Warning, reason.message);
                }
                self.set_candidate(Phase::Promoting {
                    who,
                    retry_at: Some(now.mono + PROMOTE_AGAIN),
                });
            }
        }
    }
}
