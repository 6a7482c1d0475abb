//! The machine, played by hand and at random.

mod ends;
mod pairing;
mod passkey;
mod random;
mod takeover;

use super::{
    handle::{PairError, PairOrder, PairingPolicy, Snapshot},
    machine::{Answer, Effect, Input, Machine, Now, Weight},
    passkey::PasskeyOrder,
};
use crate::{
    dial::DialError,
    metrics,
    wa::{CodeRefusal, End, Linked, Secret, Signal, Slot},
    wire::{PhoneNumber, State, Timestamp},
};
use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

fn phone(number: &str) -> PhoneNumber {
    PhoneNumber::parse(number).expect("a number")
}

fn policy(code_for: Option<&str>) -> PairingPolicy {
    PairingPolicy {
        code_for: code_for.map(phone),
        idle_after: Duration::from_secs(600),
        device_name: "walinkd".to_owned(),
        platform: "chrome".to_owned(),
    }
}

fn linked(number: &str) -> Linked {
    Linked {
        jid: format!("{number}:3@s.whatsapp.net"),
        number: number.to_owned(),
        push_name: None,
    }
}

const A: &str = "628111111111";
const B: &str = "628222222222";

/// Plays the task: keeps what each slot has open, and the answers.
struct Play {
    machine: Machine,
    mono: Duration,
    open: HashMap<Slot, u64>,
    effects: Vec<Effect>,
    answers: HashMap<u64, Answer>,
    live_wiped: u32,
    /// How far the wall clock was set forward, in milliseconds.
    set_by: i64,
    /// Milliseconds that the machine was asleep.
    slept: i64,
    /// How promoting ends.
    promotes: Result<(), String>,
}

impl Play {
    fn new(code_for: Option<&str>, live: Option<&str>) -> Self {
        let now = Now {
            mono: Duration::ZERO,
            wall: Timestamp::from_millis(0),
            ahead: 0,
        };
        let machine = Machine::new(policy(code_for), None, Vec::new(), 1, now);
        let mut play = Self {
            machine,
            mono: Duration::ZERO,
            open: HashMap::new(),
            effects: Vec::new(),
            answers: HashMap::new(),
            live_wiped: 0,
            set_by: 0,
            slept: 0,
            promotes: Ok(()),
        };
        play.feed(Input::Start {
            live: live.map(linked),
            candidate: None,
            paused: false,
        });
        play
    }

    fn now(&self) -> Now {
        let millis = i64::try_from(self.mono.as_millis()).expect("short plays");
        Now {
            mono: self.mono,
            wall: Timestamp::from_millis(millis + self.set_by + self.slept),
            ahead: self.set_by,
        }
    }

    fn feed(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let now = self.now();
            for effect in self.machine.step(input, now) {
                self.effects.push(effect.clone());
                inputs.extend(self.perform(effect));
            }
        }
    }

    /// What the task would do, with sessions that close at once.
    fn perform(&mut self, effect: Effect) -> Option<Input> {
        match effect {
            Effect::Open {
                slot, generation, ..
            } => {
                assert!(!self.open.contains_key(&slot), "two sessions on {slot:?}");
                self.open.insert(slot, generation);
                None
            }
            Effect::Close { slot, unlink } => {
                let generation = self.open.remove(&slot)?;
                let signal = Signal::Ended(End::Closed { unlinked: unlink });
                Some(Input::Signal { generation, signal })
            }
            Effect::Wipe(slot) => {
                assert!(!self.open.contains_key(&slot), "wiped under a session");
                self.live_wiped += u32::from(slot == Slot::Live);
                Some(Input::Wiped {
                    slot,
                    result: Ok(true),
                })
            }
            Effect::Promote => {
                assert!(self.open.is_empty(), "promoted under a session");
                Some(Input::Promoted(self.promotes.clone()))
            }
            Effect::Answer(id, answer) => {
                assert!(self.answers.insert(id, answer).is_none(), "answered twice");
                None
            }
            Effect::AnswerPasskey(_)
            | Effect::ConfirmPasskey
            | Effect::Forget
            | Effect::Remember { .. }
            | Effect::Record(_) => None,
        }
    }

    fn say(&mut self, slot: Slot, signal: Signal) {
        let Some(generation) = self.open.get(&slot).copied() else {
            return;
        };
        if matches!(signal, Signal::Ended(_)) {
            self.open.remove(&slot);
        }
        self.feed(Input::Signal { generation, signal });
    }

    fn end(&mut self, slot: Slot, end: End) {
        self.say(slot, Signal::Ended(end));
    }

    fn wait(&mut self, seconds: u64) {
        let until = self.mono + Duration::from_secs(seconds);
        while let Some(at) = self.machine.next_deadline().filter(|at| *at <= until) {
            self.mono = self.mono.max(at);
            self.feed(Input::Tick);
        }
        self.mono = until;
    }

    fn show_qr(&mut self) {
        let qr = Signal::Qr {
            code: Secret("2@qr".to_owned()),
            valid_for: Duration::from_secs(60),
        };
        self.say(Slot::Candidate, qr);
    }

    fn show_code(&mut self) {
        let code = Secret("ABCDEFGH".to_owned());
        self.say(
            Slot::Candidate,
            Signal::Code {
                code,
                valid_for: Duration::from_secs(180),
            },
        );
    }

    fn log_in(&mut self, slot: Slot, number: &str) {
        self.say(slot, Signal::LoggedIn(linked(number)));
    }

    /// What an operator reads without asking for details.
    fn recorded(&self, weight: Weight) -> Vec<&str> {
        let records = self.effects.iter().filter_map(|effect| match effect {
            Effect::Record(event) if event.weight == weight => Some(event.kind.as_str()),
            _ => None,
        });
        records.collect()
    }

    fn snapshot(&self) -> Snapshot {
        self.machine
            .snapshot(self.now(), 1, Timestamp::from_millis(0), "test")
    }

    fn state(&self) -> State {
        self.snapshot().status.state
    }

    fn reason(&self) -> String {
        self.snapshot()
            .status
            .reason
            .map(|reason| reason.code)
            .unwrap_or_default()
    }

    fn order(&mut self, number: &str, replace: bool, id: u64) {
        let order = PairOrder {
            phone: phone(number),
            custom_code: None,
            replace,
        };
        self.feed(Input::Pair(order, id));
    }
}
