//! The machine, played by hand and at random.

mod passkey;

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
use proptest::prelude::*;
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
    /// How promoting ends.
    promotes: Result<(), String>,
}

impl Play {
    fn new(code_for: Option<&str>, live: Option<&str>) -> Self {
        let now = Now {
            mono: Duration::ZERO,
            wall: Timestamp::from_millis(0),
        };
        let machine = Machine::new(policy(code_for), None, Vec::new(), 1, now);
        let mut play = Self {
            machine,
            mono: Duration::ZERO,
            open: HashMap::new(),
            effects: Vec::new(),
            answers: HashMap::new(),
            live_wiped: 0,
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
            wall: Timestamp::from_millis(millis),
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

#[test]
fn a_qr_code_is_scanned_and_the_link_stands() {
    let mut play = Play::new(None, None);
    assert_eq!(play.state(), State::Connecting);
    play.show_qr();
    assert_eq!(play.state(), State::WaitingQr);
    assert!(play.snapshot().status.has_qr_code && play.snapshot().qr.is_some());
    play.say(Slot::Candidate, Signal::Paired(linked(A)));
    assert_eq!(play.state(), State::Linking);
    assert!(!play.snapshot().status.has_qr_code);
    play.end(Slot::Candidate, End::Restart);
    assert_eq!(play.state(), State::Linking);
    play.log_in(Slot::Live, A);
    let status = play.snapshot().status;
    assert!(status.is_connected && status.attempts == 0 && status.reason.is_none());
    assert_eq!(status.phone_number.as_deref(), Some(A));
}

#[test]
fn the_same_number_gets_the_same_code_while_it_lives() {
    let mut play = Play::new(None, None);
    play.show_qr();
    play.order(A, false, 1);
    play.order(A, false, 2);
    assert!(play.answers.is_empty());
    play.show_code();
    assert_eq!(play.state(), State::WaitingCode);
    assert!(
        !play.snapshot().status.has_qr_code,
        "one way to link at a time"
    );
    play.wait(60);
    play.order(A, false, 3);
    for id in 1..=3 {
        match &play.answers[&id] {
            Answer::Pair(Ok(code)) => assert_eq!(code.pairing_code, "ABCD-EFGH"),
            other => panic!("{other:?}"),
        }
    }
    match &play.answers[&3] {
        Answer::Pair(Ok(code)) => assert_eq!(code.expires_in, "120 seconds"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_expired_code_is_followed_by_a_fresh_one_while_somebody_asks() {
    let mut play = Play::new(Some(A), None);
    play.show_code();
    play.wait(170);
    play.feed(Input::Asked);
    play.wait(20);
    assert_eq!(play.state(), State::Connecting);
    play.show_code();
    assert_eq!(play.state(), State::WaitingCode);
    play.wait(700);
    assert_eq!(play.state(), State::Idle);
    assert!(play.open.is_empty());
    play.feed(Input::Asked);
    assert_eq!(play.state(), State::Connecting);
}

#[test]
fn a_linked_daemon_refuses_another_number_unless_it_replaces() {
    let mut play = Play::new(None, Some(A));
    play.log_in(Slot::Live, A);
    play.order(B, false, 1);
    assert_eq!(
        play.answers[&1],
        Answer::Pair(Err(PairError::AlreadyLinked))
    );
    play.order(B, true, 2);
    play.show_code();
    let status = play.snapshot().status;
    assert!(status.is_connected && status.has_pairing_code);
    assert_eq!(status.phone_number.as_deref(), Some(A), "the linked one");
    play.wait(181);
    assert!(play.snapshot().pairing.is_none());
    assert_eq!(
        play.state(),
        State::Reconnecting,
        "no life signs were played"
    );
    assert_eq!(play.live_wiped, 0);
}

#[test]
fn the_old_link_goes_only_when_the_new_one_is_in() {
    let mut play = Play::new(None, Some(A));
    play.log_in(Slot::Live, A);
    play.order(B, true, 1);
    play.show_code();
    play.say(Slot::Candidate, Signal::Paired(linked(B)));
    play.end(Slot::Candidate, End::Restart);
    assert!(
        play.snapshot().status.is_connected,
        "the old one still answers"
    );
    assert_eq!(play.live_wiped, 0);
    play.log_in(Slot::Candidate, B);
    assert!(play.effects.contains(&Effect::Close {
        slot: Slot::Live,
        unlink: true
    }));
    assert_eq!(play.state(), State::Linking);
    play.log_in(Slot::Live, B);
    assert_eq!(play.snapshot().status.phone_number.as_deref(), Some(B));
    assert_eq!(play.live_wiped, 1);
}

#[test]
fn a_newcomer_refused_twice_leaves_the_old_link() {
    let mut play = Play::new(None, Some(A));
    play.log_in(Slot::Live, A);
    play.order(B, true, 1);
    play.show_code();
    play.say(Slot::Candidate, Signal::Paired(linked(B)));
    play.end(Slot::Candidate, End::Restart);
    for _ in 0..2 {
        play.say(Slot::Live, Signal::Alive);
        play.wait(11);
        play.end(
            Slot::Candidate,
            End::Refused {
                code: 401,
                message: None,
            },
        );
    }
    assert!(play.snapshot().status.is_connected);
    assert_eq!(play.live_wiped, 0);
    assert!(!play.open.contains_key(&Slot::Candidate));
}

#[test]
fn reloads_with_an_unchanged_number_leave_the_link_alone() {
    let mut play = Play::new(Some(A), Some(A));
    play.log_in(Slot::Live, A);
    let before = play.effects.len();
    for id in 0..10 {
        play.feed(Input::Reload(policy(Some(A)), id));
    }
    assert!(
        play.effects[before..]
            .iter()
            .all(|effect| matches!(effect, Effect::Answer(..)))
    );
    play.feed(Input::Reload(policy(Some(B)), 10));
    assert_eq!(play.answers[&10], Answer::Reload(Some(phone(B))));
    assert!(play.open.contains_key(&Slot::Candidate) && play.snapshot().status.is_connected);
}

#[test]
fn a_reload_while_unlinked_makes_a_fresh_code() {
    let mut play = Play::new(Some(A), None);
    play.show_code();
    let first = play.open[&Slot::Candidate];
    play.feed(Input::Reload(policy(Some(A)), 1));
    assert_ne!(play.open[&Slot::Candidate], first);
    play.feed(Input::Reload(policy(Some(B)), 2));
    play.show_code();
    assert_eq!(play.snapshot().pairing.expect("a code").phone_number, B);
}

#[test]
fn one_refused_login_is_a_doubt_and_two_are_the_end() {
    for code in [401, 403, 406] {
        let mut play = Play::new(None, Some(A));
        play.end(
            Slot::Live,
            End::Refused {
                code,
                message: None,
            },
        );
        assert_eq!((play.state(), play.live_wiped), (State::Reconnecting, 0));
        // The network in between proves nothing.
        play.wait(11);
        play.end(Slot::Live, End::Unreachable(DialError::Dns("w".to_owned())));
        play.wait(5);
        play.end(
            Slot::Live,
            End::Refused {
                code,
                message: None,
            },
        );
        assert_eq!(
            (play.state(), play.live_wiped),
            (State::LoggedOut, 1),
            "{code}"
        );
        play.show_qr();
        assert_eq!(play.state(), State::WaitingQr);
        assert_eq!(
            play.snapshot().status.last_disconnect.map(|last| last.code),
            Some(play.reason())
        );
    }
}

#[test]
fn a_login_in_between_clears_the_doubt() {
    let mut play = Play::new(None, Some(A));
    play.end(
        Slot::Live,
        End::Refused {
            code: 401,
            message: None,
        },
    );
    play.wait(11);
    play.log_in(Slot::Live, A);
    play.end(
        Slot::Live,
        End::Refused {
            code: 401,
            message: None,
        },
    );
    assert_eq!(play.live_wiped, 0);
}

#[test]
fn each_end_has_its_state_and_its_next_try() {
    let cases = [
        (End::Lost, State::Reconnecting, "network", Some(1)),
        (End::StreamEnd, State::Reconnecting, "stream_end", Some(1)),
        (
            End::StreamError(503),
            State::Reconnecting,
            "server_error",
            Some(1),
        ),
        (
            End::StreamError(429),
            State::Reconnecting,
            "rate_limited",
            Some(30),
        ),
        (End::Restart, State::Reconnecting, "restart", None),
        (End::Replaced, State::Replaced, "replaced", None),
        (
            End::Refused {
                code: 500,
                message: None,
            },
            State::Reconnecting,
            "server_error",
            Some(1),
        ),
        (
            End::Refused {
                code: 418,
                message: None,
            },
            State::Reconnecting,
            "refused",
            Some(1),
        ),
        (
            End::Banned {
                lasts: Some(Duration::from_secs(500)),
                message: None,
            },
            State::Banned,
            "banned",
            Some(500),
        ),
        (End::Outdated, State::Outdated, "outdated", Some(3600)),
        (
            End::Unreachable(DialError::Dns("w".to_owned())),
            State::Reconnecting,
            "dns",
            Some(1),
        ),
        (End::Handshake, State::Reconnecting, "handshake", Some(1)),
    ];
    for (end, state, reason, wait) in cases {
        let mut play = Play::new(None, Some(A));
        play.log_in(Slot::Live, A);
        play.end(Slot::Live, end.clone());
        assert_eq!(
            (play.state(), play.reason().as_str()),
            (state, reason),
            "{end:?}"
        );
        assert!(!play.snapshot().status.is_connected);
        let next = play
            .snapshot()
            .status
            .next_attempt_at
            .map(Timestamp::millis);
        match wait {
            Some(seconds) => {
                let most = seconds * 1000;
                assert!(
                    next.is_some_and(|next| next <= most && next >= most * 3 / 4),
                    "{end:?}: {next:?}"
                );
            }
            None => assert_eq!(next, None, "{end:?}"),
        }
        assert_eq!(play.live_wiped, 0, "{end:?}");
        play.feed(Input::Reconnect);
        play.log_in(Slot::Live, A);
        assert!(play.snapshot().status.is_connected, "{end:?}");
    }
}

#[test]
fn a_removed_device_is_wiped_at_once() {
    let mut play = Play::new(None, Some(A));
    play.log_in(Slot::Live, A);
    play.end(Slot::Live, End::Removed);
    assert_eq!(
        (play.state(), play.reason().as_str()),
        (State::LoggedOut, "device_removed")
    );
    assert_eq!(play.live_wiped, 1);
    assert!(
        play.open.contains_key(&Slot::Candidate),
        "pairing follows by itself"
    );
}

#[test]
fn a_lost_link_is_told_once_and_not_at_each_attempt() {
    let mut play = Play::new(None, Some(A));
    play.log_in(Slot::Live, A);
    for _ in 0..20 {
        play.end(Slot::Live, End::Lost);
        play.wait(300);
    }
    assert_eq!(play.recorded(Weight::Warning), ["connection.reconnecting"]);
    assert_eq!(play.recorded(Weight::Notice), ["connection.connected"]);
}

#[test]
fn a_server_that_shows_a_code_and_hangs_up_is_asked_less_and_less() {
    let mut play = Play::new(None, None);
    for _ in 0..5 {
        assert!(play.open.contains_key(&Slot::Candidate));
        play.show_qr();
        play.end(Slot::Candidate, End::Lost);
        assert!(!play.open.contains_key(&Slot::Candidate));
        play.wait(16);
    }
    play.show_qr();
    play.end(Slot::Candidate, End::Lost);
    play.wait(20);
    assert!(
        !play.open.contains_key(&Slot::Candidate),
        "after 24 s or more"
    );
    play.wait(20);
    // A session that held begins the count anew.
    play.show_qr();
    play.wait(30);
    play.end(Slot::Candidate, End::Lost);
    play.wait(1);
    assert!(play.open.contains_key(&Slot::Candidate));
}

#[test]
fn a_link_that_cannot_be_stored_is_told_once() {
    let mut play = Play::new(None, None);
    play.promotes = Err("no space left".to_owned());
    play.show_qr();
    play.say(Slot::Candidate, Signal::Paired(linked(A)));
    play.end(Slot::Candidate, End::Restart);
    play.wait(120);
    assert_eq!(play.recorded(Weight::Warning), ["connection.store"]);
    play.promotes = Ok(());
    play.wait(10);
    assert!(play.open.contains_key(&Slot::Live));
}

#[test]
fn restarts_are_followed_at_once_but_not_for_ever() {
    let mut play = Play::new(None, Some(A));
    for _ in 0..3 {
        play.log_in(Slot::Live, A);
        play.end(Slot::Live, End::Restart);
        assert!(play.open.contains_key(&Slot::Live));
    }
    play.log_in(Slot::Live, A);
    play.end(Slot::Live, End::Restart);
    assert!(
        !play.open.contains_key(&Slot::Live),
        "a loop of restarts waits"
    );
}

#[test]
fn silence_degrades_and_then_rebuilds_within_a_minute() {
    let mut play = Play::new(None, Some(A));
    play.log_in(Slot::Live, A);
    let first = play.open[&Slot::Live];
    play.wait(30);
    play.say(Slot::Live, Signal::Silent);
    assert_eq!(
        (play.state(), play.reason().as_str()),
        (State::Degraded, "silent")
    );
    assert!(!play.snapshot().status.is_connected);
    play.say(Slot::Live, Signal::Alive);
    assert!(play.snapshot().status.is_connected);
    play.say(Slot::Live, Signal::Silent);
    play.say(Slot::Live, Signal::Silent);
    assert_ne!(play.open[&Slot::Live], first, "a new socket");
    // A session that says nothing at all is caught by the deadlines.
    play.log_in(Slot::Live, A);
    play.wait(60);
    assert!(!play.snapshot().status.is_connected);
}

#[test]
fn disconnecting_tells_what_happened_and_pairs_again() {
    let mut play = Play::new(None, Some(A));
    play.log_in(Slot::Live, A);
    play.feed(Input::Disconnect(1));
    assert_eq!(
        format!("{:?}", play.answers[&1]),
        "Disconnect(Disconnected { unlinked_at_whatsapp: true, wiped: true })"
    );
    assert!(play.open.contains_key(&Slot::Candidate));
    play.feed(Input::Disconnect(2));
    assert_eq!(
        format!("{:?}", play.answers[&2]),
        "Disconnect(Disconnected { unlinked_at_whatsapp: false, wiped: false })"
    );
    let mut offline = Play::new(None, Some(A));
    offline.end(Slot::Live, End::Lost);
    offline.feed(Input::Disconnect(1));
    assert_eq!(
        format!("{:?}", offline.answers[&1]),
        "Disconnect(Disconnected { unlinked_at_whatsapp: false, wiped: true })"
    );
}

#[test]
fn a_limited_number_is_not_asked_for_again_and_qr_codes_go_on() {
    let mut play = Play::new(Some(A), None);
    play.show_qr();
    play.order(A, false, 1);
    let refusal = CodeRefusal {
        limited: true,
        backoff: None,
        message: "429".to_owned(),
    };
    play.say(Slot::Candidate, Signal::CodeRefused(refusal));
    assert!(matches!(
        play.answers[&1],
        Answer::Pair(Err(PairError::Limited { .. }))
    ));
    assert_eq!(
        (play.state(), play.reason().as_str()),
        (State::WaitingQr, "pairing_limited")
    );
    let opened = play.effects.len();
    play.order(A, false, 2);
    assert!(matches!(
        play.answers[&2],
        Answer::Pair(Err(PairError::Limited { .. }))
    ));
    assert!(
        play.effects[opened..]
            .iter()
            .all(|effect| matches!(effect, Effect::Answer(..)))
    );
}

#[test]
fn a_number_gets_so_many_codes_and_then_qr_codes() {
    let mut play = Play::new(Some(A), None);
    play.show_code();
    for _ in 1..5 {
        play.say(Slot::Candidate, Signal::CodeSpent);
        play.show_code();
    }
    assert_eq!(play.state(), State::WaitingCode);
    // The last one stays good, also for a reload that wants a fresh one.
    play.feed(Input::Reload(policy(Some(A)), 1));
    assert_eq!(play.state(), State::WaitingCode);
    play.say(Slot::Candidate, Signal::CodeSpent);
    assert_eq!(play.reason(), "pairing_limited");
    play.show_qr();
    assert_eq!(play.state(), State::WaitingQr);
    play.order(A, false, 2);
    let Answer::Pair(Err(PairError::Spaced { retry_after })) = play.answers[&2].clone() else {
        panic!("{:?}", play.answers[&2]);
    };
    assert_eq!(retry_after.as_secs(), 600);
    // Another number is another matter.
    play.order(B, false, 3);
    play.show_code();
    assert_eq!(play.state(), State::WaitingCode);
    play.wait(601);
    play.order(A, false, 4);
    play.show_code();
    assert!(matches!(play.answers[&4], Answer::Pair(Ok(_))));
}

#[test]
fn beside_a_link_too_many_codes_end_the_newcomer() {
    let mut play = Play::new(None, Some(A));
    play.log_in(Slot::Live, A);
    play.order(B, true, 1);
    play.show_code();
    for _ in 1..5 {
        play.say(Slot::Candidate, Signal::CodeSpent);
        play.show_code();
    }
    play.say(Slot::Candidate, Signal::CodeSpent);
    assert_eq!(play.state(), State::Connected);
    assert_eq!(play.reason(), "");
    play.order(B, true, 2);
    assert!(matches!(
        play.answers[&2],
        Answer::Pair(Err(PairError::Spaced { .. }))
    ));
}

#[test]
fn callers_hear_within_nine_seconds() {
    let mut play = Play::new(None, None);
    play.show_qr();
    play.order(A, false, 1);
    play.wait(9);
    assert!(matches!(
        play.answers[&1],
        Answer::Pair(Err(PairError::Unreachable(_)))
    ));
    let mut refused = Play::new(None, None);
    refused.order(A, false, 1);
    refused.end(
        Slot::Candidate,
        End::Unreachable(DialError::Refused("w".to_owned())),
    );
    assert!(matches!(
        refused.answers[&1],
        Answer::Pair(Err(PairError::Unreachable(_)))
    ));
}

#[test]
fn a_pause_keeps_the_link_and_ends_all_traffic() {
    let mut play = Play::new(None, Some(A));
    play.log_in(Slot::Live, A);
    play.feed(Input::Pause);
    assert_eq!(play.state(), State::Paused);
    assert!(play.open.is_empty());
    play.wait(100_000);
    play.feed(Input::Reconnect);
    play.feed(Input::Asked);
    assert!(play.open.is_empty());
    play.feed(Input::Resume);
    play.log_in(Slot::Live, A);
    assert!(play.snapshot().status.is_connected);
    assert_eq!(play.live_wiped, 0);
}

/// Linked by the phone, and held up by a pause before the first login.
#[test]
fn a_pause_in_the_middle_of_linking_keeps_the_new_link() {
    for beside in [None, Some(A)] {
        let mut play = Play::new(None, beside);
        play.log_in(Slot::Live, A);
        play.order(B, true, 1);
        play.show_code();
        play.say(Slot::Candidate, Signal::Paired(linked(B)));
        play.feed(Input::Pause);
        play.wait(10_000);
        assert!(play.open.is_empty());
        play.feed(Input::Resume);
        play.log_in(Slot::Candidate, B);
        if beside.is_some() {
            play.log_in(Slot::Live, A);
        }
        play.log_in(Slot::Live, B);
        let status = play.snapshot().status;
        assert!(status.is_connected);
        assert_eq!(status.phone_number.as_deref(), Some(B));
    }
}

/// Both were offline, and the newcomer is in first.
#[test]
fn a_newcomer_waits_for_the_old_device_to_say_its_farewell() {
    for comes_back in [true, false] {
        let mut play = Play::new(None, Some(A));
        play.log_in(Slot::Live, A);
        play.order(B, true, 1);
        play.show_code();
        play.say(Slot::Candidate, Signal::Paired(linked(B)));
        play.end(Slot::Candidate, End::Restart);
        play.end(Slot::Live, End::Lost);
        play.log_in(Slot::Candidate, B);
        assert_eq!(play.live_wiped, 0);
        if comes_back {
            play.log_in(Slot::Live, A);
        } else {
            play.wait(9);
            assert_eq!(play.live_wiped, 0);
            play.wait(1);
        }
        let farewell = Effect::Close {
            slot: Slot::Live,
            unlink: true,
        };
        assert_eq!(play.effects.contains(&farewell), comes_back);
        play.log_in(Slot::Live, B);
        assert_eq!(play.snapshot().status.phone_number.as_deref(), Some(B));
        assert_eq!(play.live_wiped, 1);
        let told = play.recorded(Weight::Warning);
        let stays = told.contains(&"pairing.old_device_stays");
        assert_eq!(stays, !comes_back, "{told:?}");
    }
}

#[test]
fn disconnecting_in_the_middle_of_linking_leaves_nothing() {
    let mut play = Play::new(None, None);
    play.show_qr();
    play.say(Slot::Candidate, Signal::Paired(linked(A)));
    play.feed(Input::Disconnect(1));
    assert_eq!(
        format!("{:?}", play.answers[&1]),
        "Disconnect(Disconnected { unlinked_at_whatsapp: false, wiped: true })"
    );
    play.show_qr();
    assert_eq!(play.state(), State::WaitingQr);
}

#[test]
fn a_newcomer_refused_once_gets_one_more_try() {
    let mut play = Play::new(None, Some(A));
    play.log_in(Slot::Live, A);
    play.order(B, true, 1);
    play.show_code();
    play.say(Slot::Candidate, Signal::Paired(linked(B)));
    play.end(Slot::Candidate, End::Restart);
    play.end(
        Slot::Candidate,
        End::Refused {
            code: 401,
            message: None,
        },
    );
    play.say(Slot::Live, Signal::Alive);
    play.wait(11);
    play.log_in(Slot::Candidate, B);
    play.log_in(Slot::Live, B);
    assert_eq!(play.snapshot().status.phone_number.as_deref(), Some(B));
}

#[test]
fn a_ban_without_length_is_no_hot_loop() {
    let mut play = Play::new(None, Some(A));
    for _ in 0..5 {
        let lasts = Some(Duration::ZERO);
        play.end(
            Slot::Live,
            End::Banned {
                lasts,
                message: None,
            },
        );
        assert!(!play.open.contains_key(&Slot::Live));
        play.wait(300);
    }
}

#[test]
fn a_reload_to_qr_ends_an_ordered_code() {
    let mut play = Play::new(None, None);
    play.order(A, false, 1);
    play.show_code();
    play.feed(Input::Reload(policy(None), 2));
    play.show_qr();
    assert_eq!(play.state(), State::WaitingQr);
}

fn any_end() -> impl Strategy<Value = End> {
    prop_oneof![
        Just(End::Lost),
        Just(End::StreamEnd),
        Just(End::Restart),
        Just(End::Handshake),
        Just(End::Replaced),
        Just(End::Removed),
        Just(End::Outdated),
        Just(End::QrExhausted),
        Just(End::Unreachable(DialError::Dns("w".to_owned()))),
        (400_u16..520).prop_map(|code| End::Refused {
            code,
            message: None
        }),
        (400_u16..520).prop_map(End::StreamError),
        Just(End::Banned {
            lasts: Some(Duration::from_secs(90)),
            message: None
        }),
    ]
}

#[derive(Debug, Clone)]
enum Move {
    Say(Slot, Signal),
    Wait(u64),
    Pair { number: &'static str, replace: bool },
    Disconnect,
    Pause,
    Resume,
    Reconnect,
    Reload(Option<&'static str>),
    Asked,
    Passkey(PasskeyOrder),
}

fn any_move() -> impl Strategy<Value = Move> {
    let slot = prop_oneof![Just(Slot::Live), Just(Slot::Candidate)];
    let number = prop_oneof![Just(A), Just(B)];
    let refusal = CodeRefusal {
        limited: true,
        backoff: None,
        message: String::new(),
    };
    let minute = Duration::from_secs(60);
    let signal = prop_oneof![
        Just(Signal::Open),
        Just(Signal::Qr {
            code: Secret("qr".to_owned()),
            valid_for: minute
        }),
        Just(Signal::Code {
            code: Secret("ABCDEFGH".to_owned()),
            valid_for: minute * 3
        }),
        Just(Signal::CodeRefused(refusal)),
        Just(Signal::CodeSpent),
        number
            .clone()
            .prop_map(|number| Signal::Paired(linked(number))),
        Just(Signal::PairFailed("mac".to_owned())),
        Just(Signal::PasskeyAsked(Secret(passkey::OPTIONS.to_owned()))),
        any::<bool>().prop_map(|compare| Signal::PasskeyCode {
            code: Secret("JKLM-NPQR".to_owned()),
            compare
        }),
        Just(Signal::PasskeyConfirmed),
        Just(Signal::PasskeyRefused("401".to_owned())),
        number
            .clone()
            .prop_map(|number| Signal::LoggedIn(linked(number))),
        Just(Signal::Alive),
        Just(Signal::Silent),
        any_end().prop_map(Signal::Ended),
    ];
    prop_oneof![
        8 => (slot, signal).prop_map(|(slot, signal)| Move::Say(slot, signal)),
        3 => (0_u64..700).prop_map(Move::Wait),
        1 => (number, any::<bool>()).prop_map(|(number, replace)| Move::Pair { number, replace }),
        1 => Just(Move::Disconnect),
        1 => Just(Move::Pause),
        1 => Just(Move::Resume),
        1 => Just(Move::Reconnect),
        1 => prop_oneof![Just(None), Just(Some(A)), Just(Some(B))].prop_map(Move::Reload),
        1 => Just(Move::Asked),
        3 => prop_oneof![
            3 => Just(PasskeyOrder::Answer(passkey::credential("AQID"))),
            1 => Just(PasskeyOrder::BrowserFailed("NotAllowedError".to_owned())),
            2 => Just(PasskeyOrder::Confirm),
            1 => Just(PasskeyOrder::Cancel),
        ].prop_map(Move::Passkey),
    ]
}

proptest! {
    /// Whatever comes: sessions never overlap on a file (asserted in `feed`),
    /// every caller hears once and in time, the status never claims a
    /// connection that no session has, and nothing waits for ever.
    #[test]
    fn whatever_comes_the_promises_hold(
        moves in proptest::collection::vec(any_move(), 0..120),
        begins_linked in any::<bool>(),
    ) {
        let mut play = Play::new(None, begins_linked.then_some(A));
        let mut asked = Vec::new();
        for (id, made) in moves.into_iter().enumerate() {
            let id = id as u64;
            match made {
                Move::Say(slot, signal) => play.say(slot, signal),
                Move::Wait(seconds) => play.wait(seconds),
                Move::Pair { number, replace } => { asked.push(id); play.order(number, replace, id); }
                Move::Disconnect => { asked.push(id); play.feed(Input::Disconnect(id)); }
                Move::Pause => play.feed(Input::Pause),
                Move::Resume => play.feed(Input::Resume),
                Move::Reconnect => play.feed(Input::Reconnect),
                Move::Reload(number) => { asked.push(id); play.feed(Input::Reload(policy(number), id)); }
                Move::Asked => play.feed(Input::Asked),
                Move::Passkey(order) => { asked.push(id); play.feed(Input::Passkey(order, id)); }
            }
            for effect in std::mem::take(&mut play.effects) {
                if let Effect::Record(event) = effect
                    && let Some(reason) = event.reason
                {
                    let known = metrics::REASONS.contains(&reason.code.as_str());
                    prop_assert!(known, "{} is no label in metrics::words", reason.code);
                }
            }
            let snapshot = play.snapshot();
            let status = &snapshot.status;
            if status.is_connected {
                prop_assert!(play.open.contains_key(&Slot::Live));
                prop_assert_eq!(status.state, State::Connected);
            }
            prop_assert_eq!(status.has_qr_code, snapshot.qr.is_some());
            prop_assert_eq!(status.has_pairing_code, snapshot.pairing.is_some());
            let at_rest = matches!(status.state, State::Idle | State::Paused | State::Replaced);
            prop_assert!(at_rest || play.machine.next_deadline().is_some(), "{:?} has no deadline", status.state);
        }
        // The longest that a caller waits: for the phone, in the passkey step.
        play.wait(130);
        for id in asked {
            prop_assert!(play.answers.contains_key(&id), "{} was never answered", id);
        }
    }

    /// Nothing short of a removal, two refusals, a request or a newcomer ends a link.
    #[test]
    fn no_fault_of_the_network_costs_a_link(
        ends in proptest::collection::vec(any_end(), 1..60),
    ) {
        let mut play = Play::new(None, Some(A));
        for end in ends {
            if matches!(end, End::Removed) {
                continue;
            }
            play.log_in(Slot::Live, A);
            play.end(Slot::Live, end);
            play.wait(4000);
            play.feed(Input::Reconnect);
        }
        prop_assert_eq!(play.live_wiped, 0);
    }
}
