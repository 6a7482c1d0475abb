//! What happens next: a pure function of where things stand, what comes in,
//! and the time. No tokio, no clock, no files; `task` performs the effects.
//!
//! Two sessions at most. The *live* one is the link; the *candidate* is being
//! paired, alone or beside the live one.
//!
//! ```text
//!                       asked               scanned, or code entered
//!              idle ◄─────────► waiting_qr ───────────┐
//!               ▲  nobody asks       ▲                 ▼
//!               │                    │ wipe         linking ──promoted──┐
//!  paused ◄──► (any)                 │                 ▲                ▼
//!               ▲                logged_out        waiting_code     connected
//!               │                    ▲                             │   ▲   │
//!               │                    │ removed, 401 twice          │   │   │ ping unanswered
//!               └────────────────────┴──── reconnecting ◄──────────┘   │   ▼
//!                          replaced · banned · outdated ──► retry ─────┴ degraded
//! ```
//!
//! Between a scan, or a code entered, and `linking` WhatsApp may demand the
//! account's passkey: `waiting_passkey`, see `passkey`. Its failures lead back
//! to `waiting_qr` or `waiting_code`, on a fresh identity.
//!
//! Beside a live link a candidate logs in first; then the old device is
//! unlinked, and only then is the candidate promoted. Whatever fails before
//! that leaves the live link as it was.

use super::{
    backoff::Backoff,
    candidate::{Candidate, Intent},
    farewell::Leave,
    handle::{PairError, PairOrder, PairingPolicy},
    live::Live,
    openings::Purpose,
    passkey::{PasskeyError, PasskeyOrder},
};
use crate::{
    wa::{Assertion, Linked, Signal, Slot},
    wire::{
        Disconnected, Disconnection, PairingCode, PasskeyStep, PhoneNumber, Reason, State,
        Timestamp,
    },
};
use std::{collections::HashMap, time::Duration};

/// The time of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Now {
    /// Since the task began; never goes back.
    pub(super) mono: Duration,
    pub(super) wall: Timestamp,
    /// Milliseconds that the wall clock is ahead of the time since the machine
    /// started, its sleep included: another one when the clock has been set.
    pub(super) ahead: i64,
}

/// Whom an answer is for; the task knows the channel.
pub(super) type ReplyId = u64;

/// What comes in.
#[derive(Debug)]
pub(super) enum Input {
    /// The store has been read.
    Start {
        live: Option<Linked>,
        candidate: Option<Linked>,
        paused: bool,
    },
    Signal {
        generation: u64,
        signal: Signal,
    },
    Pair(PairOrder, ReplyId),
    Passkey(PasskeyOrder, ReplyId),
    Disconnect(ReplyId),
    Pause,
    Resume,
    Reconnect,
    Reload(PairingPolicy, ReplyId),
    Asked,
    Stop,
    Wiped {
        slot: Slot,
        result: Result<bool, String>,
    },
    Promoted(Result<(), String>),
    /// A deadline has passed.
    Tick,
}

/// What to do, in order. An effect on a slot waits until the session there,
/// if any, has ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Effect {
    Open {
        slot: Slot,
        generation: u64,
        purpose: Purpose,
    },
    Close {
        slot: Slot,
        unlink: bool,
    },
    Wipe(Slot),
    Promote,
    /// To the candidate's session.
    AnswerPasskey(Assertion),
    ConfirmPasskey,
    /// Nobody is to come back as the device that was linked before.
    Forget,
    Answer(ReplyId, Answer),
    /// Keep over a restart.
    Remember {
        paused: bool,
        last_disconnect: Option<Disconnection>,
    },
    Record(Event),
}

/// An answer to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Pair(Result<PairingCode, PairError>),
    /// What is asked next, if anything.
    Passkey(Result<Option<PasskeyStep>, PasskeyError>),
    Disconnect(Disconnected),
    Reload(Option<PhoneNumber>),
}

/// Something an operator may want to read in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    /// `connection.connected`, `pairing.linked` …
    pub(super) kind: String,
    pub(super) state: State,
    pub(super) reason: Option<Reason>,
    pub(super) message: String,
    pub(super) weight: Weight,
}

/// How loud an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    Detail,
    Notice,
    Warning,
}

/// The whole truth about the link.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) policy: PairingPolicy,
    pub(super) started: bool,
    pub(super) paused: bool,
    pub(super) stopping: bool,
    pub(super) live: Option<Live>,
    pub(super) candidate: Option<Candidate>,
    /// The number of the newest session; what older ones say is dropped.
    pub(super) generation: u64,
    pub(super) backoff: Backoff,
    /// Attempts since the last success.
    pub(super) attempts: u32,
    /// When somebody last wanted to know.
    pub(super) asked_at: Duration,
    /// WhatsApp gives no codes for these numbers before these times.
    pub(super) limited: HashMap<String, Duration>,
    /// When these numbers were given codes, of late.
    pub(super) codes_given: HashMap<String, Vec<Duration>>,
    pub(super) reason: Option<Reason>,
    /// Why pairing does not reach WhatsApp, while it does not.
    pub(super) trouble: Option<Reason>,
    pub(super) last_disconnect: Option<Disconnection>,
    /// The phone has ended the link, and its device may come back.
    pub(super) has_former: bool,
    /// Why the last passkey step has ended without a link.
    pub(super) passkey_ended: Option<String>,
    /// The link has just ended for good; shown until pairing shows a code.
    pub(super) logged_out: bool,
    pub(super) qr_updated: Option<Timestamp>,
    pub(super) code_updated: Option<Timestamp>,
    pub(super) disconnects: Vec<Leave>,
    /// The session of the device that a newcomer took over from, while it
    /// says its farewell.
    pub(super) leaving: Option<u64>,
    /// Restarts of a pairing's stream that were followed at once.
    pub(super) pairing_restarts: u32,
    pub(super) health: Vec<String>,
    pub(super) state: State,
    pub(super) state_since: Timestamp,
    /// What [`Now::ahead`] was, to a second.
    pub(super) ahead: i64,
    effects: Vec<Effect>,
}

impl Machine {
    pub(super) fn new(
        policy: PairingPolicy,
        last_disconnect: Option<Disconnection>,
        health: Vec<String>,
        seed: u64,
        now: Now,
    ) -> Self {
        Self {
            policy,
            started: false,
            paused: false,
            stopping: false,
            live: None,
            candidate: None,
            generation: 0,
            backoff: Backoff::new(seed),
            attempts: 0,
            asked_at: now.mono,
            limited: HashMap::new(),
            codes_given: HashMap::new(),
            reason: None,
            trouble: None,
            last_disconnect,
            has_former: false,
            passkey_ended: None,
            logged_out: false,
            qr_updated: None,
            code_updated: None,
            disconnects: Vec::new(),
            leaving: None,
            pairing_restarts: 0,
            health,
            state: State::Starting,
            state_since: now.wall,
            ahead: now.ahead,
            effects: Vec::new(),
        }
    }

    /// Takes one input and says what to do.
    pub(super) fn step(&mut self, input: Input, now: Now) -> Vec<Effect> {
        if self.stopping {
            return self.refuse(input);
        }
        self.follow_clock(now);
        match input {
            Input::Start {
                live,
                candidate,
                paused,
            } => self.start(live, candidate, paused, now),
            Input::Signal { generation, signal } => self.signal(generation, signal, now),
            Input::Pair(order, reply) => self.pair(order, reply, now),
            Input::Passkey(order, reply) => self.passkey(order, reply, now),
            Input::Disconnect(reply) => self.disconnect(reply, now),
            Input::Pause => self.pause(now),
            Input::Stop => self.stop(),
            Input::Resume => self.resume(now),
            Input::Reconnect => self.reconnect(now),
            Input::Reload(policy, reply) => self.reload(policy, reply, now),
            Input::Asked => self.asked(now),
            Input::Wiped { slot, result } => self.wiped(slot, result),
            Input::Promoted(result) => self.promoted(result, now),
            Input::Tick => self.tick(now),
        }
        self.note_state(now);
        std::mem::take(&mut self.effects)
    }

    /// After `Stop` the only answer left is that one.
    fn refuse(&mut self, input: Input) -> Vec<Effect> {
        if let Input::Pair(_, reply) = input {
            self.effect(Effect::Answer(
                reply,
                Answer::Pair(Err(PairError::Stopping)),
            ));
        }
        std::mem::take(&mut self.effects)
    }

    pub(super) fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    pub(super) fn record(&mut self, kind: &str, weight: Weight, message: impl Into<String>) {
        let event = Event {
            kind: kind.to_owned(),
            state: self.state,
            reason: self.reason.clone(),
            message: message.into(),
            weight,
        };
        self.effect(Effect::Record(event));
    }

    pub(super) fn next_generation(&mut self) -> u64 {
        self.generation += 1;
        self.generation
    }

    pub(super) fn remember(&mut self) {
        self.effect(Effect::Remember {
            paused: self.paused,
            last_disconnect: self.last_disconnect.clone(),
        });
    }

    fn start(&mut self, live: Option<Linked>, candidate: Option<Linked>, paused: bool, now: Now) {
        self.started = true;
        self.paused = paused;
        self.live = live.map(Live::new);
        if let Some(who) = candidate {
            self.resume_takeover(who, now);
        }
        if self.paused {
            return;
        }
        if self.live.is_some() {
            self.open_live(now);
        } else {
            self.begin_pairing(self.policy_intent(), now);
        }
    }

    fn signal(&mut self, generation: u64, signal: Signal, now: Now) {
        if self.live.as_ref().and_then(Live::generation) == Some(generation) {
            self.live_signal(signal, now);
        } else if self.candidate.as_ref().and_then(Candidate::generation) == Some(generation) {
            self.candidate_signal(signal, now);
        } else if self.leaving == Some(generation)
            && let Signal::Ended(end) = &signal
        {
            self.old_device_left(end);
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.started && !self.paused && self.live.is_none() && self.candidate.is_none()
    }

    pub(super) fn policy_intent(&self) -> Intent {
        match &self.policy.code_for {
            Some(phone) => Intent::Code {
                phone: phone.clone(),
                custom: None,
                ordered: false,
            },
            None => Intent::Qr,
        }
    }

    fn wiped(&mut self, slot: Slot, result: Result<bool, String>) {
        let (wiped, failure) = match result {
            Ok(wiped) => (wiped, None),
            Err(why) => (false, Some(why)),
        };
        if let Some(why) = failure {
            let warning = format!("a session file could not be removed: {why}");
            if !self.health.contains(&warning) {
                self.health.push(warning.clone());
            }
            self.record("connection.store", Weight::Warning, warning);
        }
        self.answer_disconnects(slot, wiped);
    }

    /// Sets the state that follows from the phases, and tells of its change.
    fn note_state(&mut self, now: Now) {
        let state = self.derive_state();
        if state == self.state {
            return;
        }
        self.state = state;
        self.state_since = now.wall;
        let asked_for = self
            .reason
            .as_ref()
            .is_none_or(|reason| reason.code == "disconnected");
        let weight = match state {
            State::LoggedOut if asked_for => Weight::Notice,
            State::Reconnecting
            | State::Degraded
            | State::LoggedOut
            | State::Replaced
            | State::Banned
            | State::Outdated => Weight::Warning,
            State::Starting | State::Connecting => Weight::Detail,
            _ => Weight::Notice,
        };
        let sentence = super::view::sentence(self);
        let message = match (&self.reason, state) {
            // The reason says it all.
            (Some(reason), State::Replaced | State::Banned | State::Outdated) => {
                reason.message.clone()
            }
            (Some(reason), _) if weight == Weight::Warning => {
                format!("{sentence}: {}", reason.message)
            }
            _ => sentence,
        };
        self.record(&format!("connection.{state}"), weight, message);
    }
}
