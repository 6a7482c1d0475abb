//! The passkey step, played.

mod failures;

use super::{A, B, Play, linked, phone};
use crate::{
    link::{
        handle::{PairOrder, PairingPolicy, Stopping},
        machine::{Answer, Effect, Input},
        passkey::{PasskeyError, PasskeyOrder},
    },
    wa::{Assertion, End, Secret, Signal, Slot},
    wire::{PasskeyStage, State},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

const RENEWED: &str = r#"{"challenge":"AQIE","rpId":"whatsapp.com","timeout":600000}"#;
pub(super) const OPTIONS: &str = r#"{"challenge":"AQID","rpId":"whatsapp.com","timeout":600000}"#;

pub(super) fn credential(challenge: &str) -> Value {
    let data = json!({
        "type": "webauthn.get",
        "challenge": challenge,
        "origin": "https://web.whatsapp.com",
    });
    json!({
        "id": "BAUG", "rawId": "BAUG", "type": "public-key",
        "response": {
            "clientDataJSON": URL_SAFE_NO_PAD.encode(data.to_string()),
            "authenticatorData": URL_SAFE_NO_PAD.encode([1; 37]),
            "signature": "AQID",
        },
    })
}

impl Play {
    fn ask_passkey(&mut self) {
        self.ask(OPTIONS);
    }

    fn ask(&mut self, options: &str) {
        let options = Secret(options.to_owned());
        self.say(Slot::Candidate, Signal::PasskeyAsked(options));
    }

    /// A code from the phone.
    fn phone_answers(&mut self, compare: bool) {
        let code = Secret("JKLM-NPQR".to_owned());
        self.say(Slot::Candidate, Signal::PasskeyCode { code, compare });
    }

    fn order_passkey(&mut self, reply: u64, order: PasskeyOrder) {
        self.feed(Input::Passkey(order, reply));
    }

    fn answer(&mut self, reply: u64) {
        self.order_passkey(reply, PasskeyOrder::Answer(credential("AQID")));
    }

    fn told(&self, reply: u64) -> Option<Result<Option<PasskeyStage>, PasskeyError>> {
        match self.answers.get(&reply)? {
            Answer::Passkey(told) => Some(told.clone().map(|step| step.map(|step| step.stage))),
            other => panic!("another answer: {other:?}"),
        }
    }

    fn stage(&self) -> Option<&'static str> {
        let step = self.snapshot().passkey?;
        Some(step.stage.as_str())
    }

    fn answered_with(&self) -> Vec<Assertion> {
        let effects = self.effects.iter();
        effects
            .filter_map(|effect| match effect {
                Effect::AnswerPasskey(assertion) => Some(assertion.clone()),
                _ => None,
            })
            .collect()
    }

    fn count(&self, wanted: &Effect) -> usize {
        self.effects
            .iter()
            .filter(|effect| *effect == wanted)
            .count()
    }
}

/// Scanned, and asked for the passkey.
fn asked() -> Play {
    let mut play = Play::new(None, None);
    play.show_qr();
    play.ask_passkey();
    play
}

fn confirming() -> Play {
    let mut play = asked();
    play.answer(1);
    play.phone_answers(true);
    play
}

#[test]
fn a_scan_a_passkey_and_a_code_link() {
    let mut play = asked();
    assert_eq!(play.state(), State::WaitingPasskey);
    assert_eq!(play.stage(), Some("challenge"));
    let snapshot = play.snapshot();
    assert!(!snapshot.status.has_qr_code && snapshot.qr.is_none());
    let action = snapshot.status.user_action.expect("something to do");
    assert!(action.contains("walinkd passkey"), "{action}");
    let step = snapshot.passkey.expect("a step");
    assert_eq!(step.expires_at.millis(), 600_000);

    play.answer(1);
    assert_eq!(play.stage(), Some("checking"));
    assert_eq!(play.answered_with().len(), 1);
    assert_eq!(play.told(1), None, "it waits for the phone");

    play.phone_answers(true);
    let code = "JKLM-NPQR".to_owned();
    assert_eq!(play.told(1), Some(Ok(Some(PasskeyStage::Confirm { code }))));
    assert_eq!(
        (play.state(), play.stage()),
        (State::WaitingPasskey, Some("confirm"))
    );
    assert_eq!(
        play.count(&Effect::ConfirmPasskey),
        0,
        "a person compares first"
    );

    play.order_passkey(2, PasskeyOrder::Confirm);
    assert_eq!(play.count(&Effect::ConfirmPasskey), 1);
    assert_eq!((play.state(), play.stage()), (State::Linking, None));
    play.say(Slot::Candidate, Signal::PasskeyConfirmed);
    assert_eq!(play.told(2), Some(Ok(None)));
    play.say(Slot::Candidate, Signal::Paired(linked(A)));
    play.end(Slot::Candidate, End::Restart);
    play.say(Slot::Live, Signal::LoggedIn(linked(A)));
    assert_eq!(play.state(), State::Connected);
    assert_eq!(play.reason(), "");
}

#[test]
fn a_link_may_come_before_the_confirmations_echo() {
    let mut play = confirming();
    play.order_passkey(2, PasskeyOrder::Confirm);
    play.say(Slot::Candidate, Signal::Paired(linked(A)));
    assert_eq!(play.told(2), Some(Ok(None)));
    play.say(Slot::Candidate, Signal::PasskeyConfirmed);
    assert_eq!(play.state(), State::Linking);
}

#[test]
fn a_device_that_comes_back_compares_nothing() {
    let mut play = asked();
    play.answer(1);
    play.phone_answers(false);
    assert_eq!(play.told(1), Some(Ok(None)));
    assert_eq!(play.count(&Effect::ConfirmPasskey), 1);
    assert_eq!((play.state(), play.stage()), (State::Linking, None));
}

#[test]
fn the_codes_own_clock_does_not_end_the_step() {
    let mut play = Play::new(Some(A), None);
    play.show_code();
    play.ask_passkey();
    play.say(Slot::Candidate, Signal::CodeSpent);
    play.wait(300);
    assert_eq!(
        (play.state(), play.stage()),
        (State::WaitingPasskey, Some("challenge"))
    );
    assert!(!play.snapshot().status.has_pairing_code);
}

#[test]
fn each_stage_takes_only_its_own_orders() {
    let mut play = Play::new(None, None);
    play.show_qr();
    for (reply, order) in [
        (1, PasskeyOrder::Answer(json!({}))),
        (2, PasskeyOrder::Confirm),
        (3, PasskeyOrder::Cancel),
    ] {
        play.order_passkey(reply, order);
        assert_eq!(play.told(reply), Some(Err(PasskeyError::NotAsked(None))));
    }
    play.ask_passkey();
    play.order_passkey(10, PasskeyOrder::Confirm);
    assert!(matches!(play.told(10), Some(Err(PasskeyError::Stage(_)))));
    play.answer(11);
    play.answer(12);
    play.order_passkey(13, PasskeyOrder::Confirm);
    play.phone_answers(true);
    play.answer(14);
    play.order_passkey(15, PasskeyOrder::Confirm);
    play.order_passkey(16, PasskeyOrder::Confirm);
    play.order_passkey(17, PasskeyOrder::Cancel);
    for reply in [12, 13, 14, 16, 17] {
        let told = play.told(reply);
        assert!(
            matches!(told, Some(Err(PasskeyError::Stage(_)))),
            "{reply}: {told:?}"
        );
    }
    assert_eq!(play.answered_with().len(), 1);
    assert_eq!(play.count(&Effect::ConfirmPasskey), 1);
}

#[test]
fn a_bad_answer_costs_no_attempt() {
    let mut play = asked();
    play.order_passkey(1, PasskeyOrder::Answer(credential("AQIE")));
    assert!(matches!(play.told(1), Some(Err(PasskeyError::Bad(_)))));
    play.order_passkey(2, PasskeyOrder::BrowserFailed("NotAllowedError".to_owned()));
    assert!(matches!(play.told(2), Some(Err(PasskeyError::Browser(_)))));
    assert_eq!(play.reason(), "passkey_cancelled");
    assert_eq!(play.stage(), Some("challenge"));
    assert!(play.answered_with().is_empty());
    play.answer(3);
    assert_eq!(
        (play.stage(), play.reason().as_str()),
        (Some("checking"), "")
    );
}

impl Play {
    fn asked_one(&self) -> bool {
        !self.answered_with().is_empty()
    }

    fn generation(&self, slot: Slot) -> Option<u64> {
        self.open.get(&slot).copied()
    }
}

#[test]
fn a_question_that_is_repeated_changes_nothing() {
    let mut play = asked();
    play.answer(1);
    play.ask_passkey();
    assert_eq!(play.stage(), Some("checking"));
    play.phone_answers(true);
    play.ask(RENEWED);
    assert_eq!(play.stage(), Some("confirm"));
    play.order_passkey(2, PasskeyOrder::Confirm);
    play.ask(RENEWED);
    assert_eq!(play.state(), State::Linking);
}

#[test]
fn a_reload_that_changes_nothing_lets_the_step_be() {
    let mut play = Play::new(Some(A), None);
    play.show_code();
    play.ask_passkey();
    play.feed(Input::Reload(super::policy(Some(A)), 1));
    assert_eq!(play.stage(), Some("challenge"));
    let mut play = Play::new(None, None);
    play.order(A, false, 1);
    play.show_code();
    play.ask_passkey();
    play.feed(Input::Reload(super::policy(None), 2));
    assert_eq!(play.stage(), Some("challenge"));
}

#[test]
fn a_late_code_leaves_time_to_compare() {
    let mut play = asked();
    play.wait(590);
    play.answer(1);
    play.phone_answers(true);
    play.wait(119);
    assert_eq!(play.stage(), Some("confirm"));
    play.wait(2);
    assert_eq!(play.reason(), "passkey_expired");
}

#[test]
fn beside_a_live_link_that_link_stays() {
    let mut play = Play::new(None, Some(A));
    play.say(Slot::Live, Signal::LoggedIn(linked(A)));
    let order = PairOrder {
        phone: phone(B),
        custom_code: None,
        replace: true,
    };
    play.feed(Input::Pair(order.clone(), 1));
    play.show_code();
    play.ask_passkey();
    assert_eq!(
        (play.state(), play.stage()),
        (State::Connected, Some("challenge"))
    );
    assert!(play.snapshot().status.user_action.is_some());
    play.answer(2);
    play.say(Slot::Candidate, Signal::PasskeyRefused("no".to_owned()));
    assert!(matches!(play.told(2), Some(Err(PasskeyError::Refused(_)))));
    assert_eq!((play.state(), play.stage()), (State::Connected, None));
    assert_eq!(play.generation(Slot::Candidate), None);
    assert_eq!(play.live_wiped, 0);

    play.feed(Input::Pair(order, 3));
    play.show_code();
    play.ask_passkey();
    play.answer(4);
    play.phone_answers(true);
    play.order_passkey(5, PasskeyOrder::Confirm);
    play.say(Slot::Candidate, Signal::Paired(linked(B)));
    play.end(Slot::Candidate, End::Restart);
    play.say(Slot::Candidate, Signal::LoggedIn(linked(B)));
    play.say(Slot::Live, Signal::LoggedIn(linked(B)));
    assert_eq!(play.state(), State::Connected);
    assert_eq!(play.snapshot().status.phone_number.as_deref(), Some(B));
}
