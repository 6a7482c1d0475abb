//! Callers that wait for a pairing code.

use super::{
    handle::PairError,
    machine::{Answer, Effect, Machine, Now},
};
use crate::wire::PairingCode;

impl Machine {
    /// Callers that waited long enough hear that there is no answer.
    pub(super) fn expire_waiters(&mut self, now: Now) {
        let Some(candidate) = &mut self.candidate else {
            return;
        };
        let waiters = std::mem::take(&mut candidate.waiters);
        let (late, waiting): (Vec<_>, Vec<_>) = waiters
            .into_iter()
            .partition(|(_, until)| *until <= now.mono);
        if late.is_empty() {
            candidate.waiters = waiting;
            return;
        }
        let nobody_left = waiting.is_empty();
        let ordered = candidate.is_ordered();
        candidate.waiters = waiting;
        let error = PairError::Unreachable("it did not answer in time".to_owned());
        for (reply, _) in late {
            self.effect(Effect::Answer(reply, Answer::Pair(Err(error.clone()))));
        }
        if nobody_left && ordered {
            if self.live.is_some() {
                self.end_candidate(error);
            } else {
                self.begin_pairing(self.next_intent(now), now);
            }
        }
    }

    /// Answers all waiters; true when there were any.
    pub(super) fn answer_waiters(&mut self, result: Result<PairingCode, PairError>) -> bool {
        let Some(candidate) = &mut self.candidate else {
            return false;
        };
        let waiters = std::mem::take(&mut candidate.waiters);
        let any = !waiters.is_empty();
        for (reply, _) in waiters {
            self.effect(Effect::Answer(reply, Answer::Pair(result.clone())));
        }
        any
    }
}
