//! What the clocks do to the machine: deadlines, and a wall clock that is set.

use super::{
    candidate::{Candidate, Phase},
    handle::PairError,
    live::Live,
    machine::{Machine, Now},
};
use crate::wire::Timestamp;
use std::time::Duration;

/// What is no drift any more but a clock that was set, in milliseconds.
const SET: i64 = 1_000;

impl Machine {
    /// When `Tick` is due.
    pub(super) fn next_deadline(&self) -> Option<Duration> {
        if self.paused {
            return None;
        }
        let live = self.live.as_ref().and_then(Live::deadline);
        let candidate = self.candidate.as_ref().and_then(Candidate::deadline);
        [live, candidate, self.idle_deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    /// When pairing stops for want of anybody asking; none while linked, or
    /// while a code may still be entered.
    fn idle_deadline(&self) -> Option<Duration> {
        let waiting = self.live.is_none()
            && self.candidate.as_ref().is_some_and(Candidate::may_idle)
            && !self.policy.idle_after.is_zero();
        waiting.then(|| self.asked_at.saturating_add(self.policy.idle_after))
    }

    /// Whether somebody asked lately enough to go on making codes.
    pub(super) fn wanted(&self, now: Now) -> bool {
        self.policy.idle_after.is_zero()
            || now.mono < self.asked_at.saturating_add(self.policy.idle_after)
    }

    pub(super) fn tick(&mut self, now: Now) {
        if self.paused {
            return;
        }
        if self
            .live
            .as_ref()
            .and_then(Live::deadline)
            .is_some_and(|at| at <= now.mono)
        {
            self.live_deadline(now);
        }
        if self
            .candidate
            .as_ref()
            .and_then(Candidate::deadline)
            .is_some_and(|at| at <= now.mono)
        {
            self.candidate_deadline(now);
        }
        if self.idle_deadline().is_some_and(|at| at <= now.mono) {
            self.end_candidate(PairError::Unreachable("nobody asked any more".to_owned()));
            self.forget_failure();
            self.logged_out = false;
            self.trouble = None;
        }
    }

    /// A code is good for as long as before when the wall clock is set; that it
    /// ends at another time by it must be told, or it would look like one of the
    /// past, or of a distant future.
    pub(super) fn follow_clock(&mut self, now: Now) {
        let by = now.ahead.saturating_sub(self.ahead);
        if by.abs() < SET {
            return;
        }
        self.ahead = now.ahead;
        if let Some(candidate) = &mut self.candidate {
            for expires in candidate.expiries() {
                *expires = expires.plus_millis(by);
            }
        }
    }
}

impl Candidate {
    /// Every point in time that is told, and still to come.
    fn expiries(&mut self) -> impl Iterator<Item = &mut Timestamp> {
        let phase = match &mut self.phase {
            Phase::ShowingQr { qr, .. } => Some(&mut qr.expires_at),
            Phase::ShowingCode { code, .. } => Some(&mut code.expires_at),
            Phase::Passkey { gate, .. } => Some(&mut gate.expires_at),
            Phase::Connecting { .. }
            | Phase::Accepted { .. }
            | Phase::LoggingIn { .. }
            | Phase::LoginWaiting { .. }
            | Phase::LoggedIn { .. }
            | Phase::Promoting { .. }
            | Phase::Waiting { .. } => None,
        };
        let kept = self.qr.as_mut().map(|(qr, _)| &mut qr.expires_at);
        phase.into_iter().chain(kept)
    }
}
