//! The end of a link on request.

use super::{
    candidate::Candidate,
    handle::PairError,
    live::{Live, Phase},
    machine::{Answer, Effect, Machine, Now, ReplyId, Weight},
};
use crate::{
    wa::Slot,
    wire::{Disconnected, Reason},
};
use std::time::Duration;

/// A farewell is bounded inside the session; this is the net below.
const FAREWELL_DEADLINE: Duration = Duration::from_secs(9);

/// A request to disconnect whose wipe is under way.
#[derive(Debug)]
pub(super) struct Leave {
    reply: ReplyId,
    /// WhatsApp has confirmed the unlinking.
    unlinked: bool,
    /// There was a file, and it is gone.
    wiped: bool,
}

impl Machine {
    /// The request to unlink and wipe.
    pub(super) fn disconnect(&mut self, reply: ReplyId, now: Now) {
        if self.paused {
            self.end_pause();
        }
        self.asked_at = now.mono;
        let heir = self.forget_former();
        let Some(live) = &mut self.live else {
            self.disconnect_unlinked(reply, heir, now);
            return;
        };
        match &mut live.phase {
            Phase::Leaving { replies, .. } => replies.push(reply),
            Phase::Online { generation, .. } | Phase::Degraded { generation, .. } => {
                live.phase = Phase::Leaving {
                    generation: *generation,
                    until: now.mono + FAREWELL_DEADLINE,
                    replies: vec![reply],
                };
                self.effect(Effect::Close {
                    slot: Slot::Live,
                    unlink: true,
                });
                self.end_candidate(PairError::Refused("the link was disconnected".to_owned()));
            }
            _ => {
                let open = live.generation().is_some();
                live.phase = Phase::Leaving {
                    generation: 0,
                    until: now.mono,
                    replies: vec![reply],
                };
                if open {
                    self.effect(Effect::Close {
                        slot: Slot::Live,
                        unlink: false,
                    });
                }
                self.end_candidate(PairError::Refused("the link was disconnected".to_owned()));
                self.farewell(false, now);
            }
        }
    }

    /// Nothing is linked: say so, and pair by the configuration again. An `heir`
    /// of an ended link holds a secret of it.
    fn disconnect_unlinked(&mut self, reply: ReplyId, heir: bool, now: Now) {
        if self.candidate.as_ref().is_some_and(Candidate::is_linked) {
            // Accepted by a phone, never logged in: its keys go all the same.
            self.disconnects.push(Leave {
                reply,
                unlinked: false,
                wiped: false,
            });
            self.end_candidate(PairError::Refused("the link was disconnected".to_owned()));
            self.effect(Effect::Wipe(Slot::Live));
            self.begin_pairing(self.next_intent(now), now);
            return;
        }
        let answer = Disconnected {
            unlinked_at_whatsapp: false,
            wiped: false,
        };
        self.effect(Effect::Answer(reply, Answer::Disconnect(answer)));
        let showing = self
            .candidate
            .as_ref()
            .is_some_and(|candidate| !candidate.is_ordered() && candidate.gate().is_none());
        if heir || !showing {
            self.begin_pairing(self.next_intent(now), now);
        }
    }

    /// The farewell is over, one way or the other.
    pub(super) fn farewell(&mut self, unlinked: bool, now: Now) {
        let Some(Live {
            phase: Phase::Leaving { replies, .. },
            ..
        }) = self.live.take()
        else {
            return;
        };
        let leave = |reply| Leave {
            reply,
            unlinked,
            wiped: false,
        };
        self.disconnects.extend(replies.into_iter().map(leave));
        let reason = Reason {
            code: "disconnected".to_owned(),
            message: "disconnected on request".to_owned(),
        };
        self.note_disconnect(reason.clone(), now);
        self.logged_out = true;
        self.reason = Some(reason);
        self.backoff.reset();
        self.attempts = 0;
        self.effect(Effect::Wipe(Slot::Live));
        let how = if unlinked {
            "unlinked at WhatsApp"
        } else {
            "not unlinked at WhatsApp: remove it on the phone"
        };
        self.record(
            "admin.disconnected",
            Weight::Notice,
            format!("disconnected on request, {how}"),
        );
        self.begin_pairing(self.next_intent(now), now);
    }

    /// A wipe is done. When it was the live file's, those who asked for it
    /// hear how it went.
    pub(super) fn answer_disconnects(&mut self, slot: Slot, wiped: bool) {
        for leave in &mut self.disconnects {
            leave.wiped |= wiped;
        }
        if slot != Slot::Live {
            return;
        }
        for leave in std::mem::take(&mut self.disconnects) {
            let answer = Disconnected {
                unlinked_at_whatsapp: leave.unlinked,
                wiped: leave.wiped,
            };
            self.effect(Effect::Answer(leave.reply, Answer::Disconnect(answer)));
        }
    }
}
