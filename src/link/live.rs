//! The live link: online, lost, and back again, until it ends for good.

use super::{
    backoff::STABLE,
    machine::{Effect, Machine, Now, ReplyId},
    openings::Purpose,
    verdict::{self, Class},
};
use crate::{
    wa::{End, Linked, Signal, Slot},
    wire::{Disconnection, Reason},
};
use std::time::Duration;

/// From opening a session to its login. The library gives up black holes
/// after 20 s for the connection and 20 s for the handshake.
pub(super) const CONNECT_DEADLINE: Duration = Duration::from_secs(45);

/// Without any word on a ping for so long, the session itself is stuck. A
/// ping is sent every 20 s and judged after 10.
const LIFE_DEADLINE: Duration = Duration::from_secs(40);

/// A refused login is tried once more after this long.
pub(super) const CONFIRM_AFTER: Duration = Duration::from_secs(10);

/// Outdated is outdated until somebody updates something.
pub(super) const OUTDATED_RETRY: Duration = Duration::from_secs(60 * 60);

/// WhatsApp restarts a stream once; a loop of restarts is a fault of its own.
const RESTARTS_AT_ONCE: u32 = 3;

/// The least wait after WhatsApp said 429.
const RATE_LIMIT_WAIT: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Live {
    pub(super) who: Linked,
    pub(super) phase: Phase,
    /// Paired a moment ago and not logged in yet.
    pub(super) fresh: bool,
    /// A login was refused; the next refusal is believed.
    suspect: bool,
    restarts: u32,
}

/// Each phase holds what is true in it.
#[derive(Debug)]
pub(super) enum Phase {
    /// Not even trying: paused, or about to begin.
    Resting,
    Connecting {
        generation: u64,
        until: Duration,
    },
    Online {
        generation: u64,
        since: Duration,
        until: Duration,
    },
    /// A ping went unanswered; the next one decides.
    Degraded {
        generation: u64,
        until: Duration,
    },
    /// Saying goodbye to WhatsApp, on request.
    Leaving {
        generation: u64,
        until: Duration,
        replies: Vec<ReplyId>,
    },
    Waiting {
        until: Duration,
    },
    Replaced,
    Banned {
        until: Duration,
    },
    Outdated {
        until: Duration,
    },
}

impl Live {
    pub(super) fn new(who: Linked) -> Self {
        Self {
            who,
            phase: Phase::Resting,
            fresh: false,
            suspect: false,
            restarts: 0,
        }
    }

    pub(super) fn fresh(who: Linked) -> Self {
        Self {
            fresh: true,
            ..Self::new(who)
        }
    }

    pub(super) fn generation(&self) -> Option<u64> {
        match self.phase {
            Phase::Connecting { generation, .. }
            | Phase::Online { generation, .. }
            | Phase::Degraded { generation, .. }
            | Phase::Leaving { generation, .. } => Some(generation),
            Phase::Resting
            | Phase::Waiting { .. }
            | Phase::Replaced
            | Phase::Banned { .. }
            | Phase::Outdated { .. } => None,
        }
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        match self.phase {
            Phase::Connecting { until, .. }
            | Phase::Online { until, .. }
            | Phase::Degraded { until, .. }
            | Phase::Leaving { until, .. }
            | Phase::Waiting { until }
            | Phase::Banned { until }
            | Phase::Outdated { until } => Some(until),
            Phase::Resting | Phase::Replaced => None,
        }
    }

    pub(super) fn rest(&mut self) {
        self.phase = Phase::Resting;
    }

    pub(super) fn is_leaving(&self) -> bool {
        matches!(self.phase, Phase::Leaving { .. })
    }
}

impl Machine {
    /// Connects the live link, now.
    pub(super) fn open_live(&mut self, now: Now) {
        let generation = self.next_generation();
        let Some(live) = &mut self.live else { return };
        let replaced = live.generation().is_some();
        live.phase = Phase::Connecting {
            generation,
            until: now.mono + CONNECT_DEADLINE,
        };
        self.attempts = self.attempts.saturating_add(1);
        if replaced {
            self.effect(Effect::Close {
                slot: Slot::Live,
                unlink: false,
            });
        }
        self.effect(Effect::Open {
            slot: Slot::Live,
            generation,
            purpose: Purpose::Login,
        });
    }

    pub(super) fn live_signal(&mut self, signal: Signal, now: Now) {
        let Some(live) = &mut self.live else { return };
        match signal {
            Signal::LoggedIn(who) => {
                if let Phase::Connecting { generation, .. } = live.phase {
                    let push_name = who.push_name.or_else(|| live.who.push_name.take());
                    live.who = Linked { push_name, ..who };
                    live.fresh = false;
                    live.suspect = false;
                    live.phase = Phase::Online {
                        generation,
                        since: now.mono,
                        until: now.mono + LIFE_DEADLINE,
                    };
                    self.attempts = 0;
                    self.reason = None;
                    self.logged_out = false;
                    self.old_device_back();
                }
            }
            Signal::PushName(name) => live.who.push_name = Some(name),
            Signal::Alive => match live.phase {
                Phase::Online { ref mut until, .. } => *until = now.mono + LIFE_DEADLINE,
                Phase::Degraded { generation, .. } => {
                    live.phase = Phase::Online {
                        generation,
                        since: now.mono,
                        until: now.mono + LIFE_DEADLINE,
                    };
                    self.reason = None;
                }
                _ => {}
            },
            Signal::Silent => self.live_silent(now),
            Signal::Ended(end) => self.live_ended(&end, now),
            Signal::Open
            | Signal::Qr { .. }
            | Signal::Code { .. }
            | Signal::CodeRefused(_)
            | Signal::CodeSpent
            | Signal::PasskeyAsked(_)
            | Signal::PasskeyCode { .. }
            | Signal::PasskeyConfirmed
            | Signal::PasskeyRefused(_)
            | Signal::Paired(_)
            | Signal::PairFailed(_) => {}
        }
    }

    pub(super) fn live_deadline(&mut self, now: Now) {
        let Some(live) = &mut self.live else { return };
        match live.phase {
            Phase::Waiting { .. } | Phase::Banned { .. } | Phase::Outdated { .. } => {
                self.open_live(now);
            }
            Phase::Connecting { .. } => {
                self.reason = Some(timeout_reason());
                self.effect(Effect::Close {
                    slot: Slot::Live,
                    unlink: false,
                });
                self.wait_live(Duration::ZERO, now);
            }
            Phase::Online { .. } | Phase::Degraded { .. } => self.live_silent(now),
            Phase::Leaving { .. } => self.farewell(false, now),
            Phase::Resting | Phase::Replaced => {}
        }
    }

    /// WhatsApp did not answer on an open socket: once is a doubt, twice is
    /// the end of that socket.
    fn live_silent(&mut self, now: Now) {
        let Some(live) = &mut self.live else { return };
        let reason = verdict::reason(&End::Silent);
        match live.phase {
            Phase::Online {
                generation, since, ..
            } => {
                if now.mono - since >= STABLE {
                    self.backoff.reset();
                }
                live.phase = Phase::Degraded {
                    generation,
                    until: now.mono + CONFIRM_AFTER * 3 / 2,
                };
                self.reason = Some(reason);
            }
            Phase::Degraded { .. } => {
                self.note_disconnect(reason, now);
                self.open_live(now);
            }
            _ => {}
        }
    }

    fn live_ended(&mut self, end: &End, now: Now) {
        let reason = verdict::reason(end);
        let Some(live) = &mut self.live else { return };
        let was_online = match live.phase {
            Phase::Leaving { .. } => {
                let unlinked = matches!(end, End::Closed { unlinked: true } | End::Removed);
                self.farewell(unlinked, now);
                return;
            }
            Phase::Online { since, .. } => {
                if now.mono - since >= STABLE {
                    self.backoff.reset();
                    live.restarts = 0;
                }
                true
            }
            Phase::Degraded { .. } => true,
            _ => false,
        };
        let class = verdict::class(end);
        if was_online || !matches!(class, Class::Retry | Class::AtOnce) {
            self.note_disconnect(reason.clone(), now);
        }
        let Some(live) = &mut self.live else { return };
        match class {
            Class::AtOnce if live.restarts < RESTARTS_AT_ONCE => {
                live.restarts += 1;
                self.reason = Some(reason);
                self.open_live(now);
            }
            Class::Retry | Class::AtOnce => {
                self.reason = Some(reason);
                self.wait_live(Duration::ZERO, now);
            }
            Class::Slower => {
                self.reason = Some(reason);
                self.wait_live(RATE_LIMIT_WAIT, now);
            }
            Class::Hold => {
                live.phase = Phase::Replaced;
                self.reason = Some(reason);
            }
            Class::Suspect if !live.suspect => {
                live.suspect = true;
                live.phase = Phase::Waiting {
                    until: now.mono + CONFIRM_AFTER,
                };
                self.reason = Some(reason);
            }
            Class::Suspect | Class::Gone => self.live_gone(reason, now),
            Class::Banned(lasts) => {
                // A ban that is over at once must not become a hot loop.
                let lasts = lasts.max(self.backoff.next());
                live.phase = Phase::Banned {
                    until: now.mono.saturating_add(lasts),
                };
                self.reason = Some(reason);
            }
            Class::Outdated => {
                live.phase = Phase::Outdated {
                    until: now.mono + OUTDATED_RETRY,
                };
                self.reason = Some(reason);
            }
        }
    }

    fn wait_live(&mut self, at_least: Duration, now: Now) {
        let wait = self.backoff.next().max(at_least);
        if let Some(live) = &mut self.live {
            live.phase = Phase::Waiting {
                until: now.mono + wait,
            };
        }
    }

    /// The device is not linked any more: nothing of it stays on the disk.
    fn live_gone(&mut self, reason: Reason, now: Now) {
        self.live = None;
        self.has_former = true;
        self.logged_out = true;
        self.reason = Some(reason);
        self.backoff.reset();
        self.attempts = 0;
        self.effect(Effect::Wipe(Slot::Live));
        // Somebody is to notice and link again; codes are made for as long as
        // after a start.
        self.asked_at = now.mono;
        match &self.candidate {
            Some(candidate) if candidate.is_linked() => self.take_over(),
            Some(_) => {}
            None => self.begin_pairing(self.next_intent(now), now),
        }
    }

    pub(super) fn note_disconnect(&mut self, reason: Reason, now: Now) {
        self.last_disconnect = Some(Disconnection {
            code: reason.code,
            message: reason.message,
            at: now.wall,
        });
        self.remember();
    }
}

pub(super) fn timeout_reason() -> Reason {
    Reason {
        code: "timeout".to_owned(),
        message: "WhatsApp did not answer in time".to_owned(),
    }
}
