//! How the step fails, and what comes after.

use super::*;

/// Each failure, in each stage, ends the attempt; the next one succeeds.
#[test]
fn every_failure_leads_to_a_fresh_attempt() {
    type Fail = (&'static str, fn(&mut Play), &'static str);
    let fails: &[Fail] = &[
        (
            "challenge cancelled",
            |play| play.order_passkey(9, PasskeyOrder::Cancel),
            "passkey_cancelled",
        ),
        ("challenge late", |play| play.wait(601), "passkey_expired"),
        (
            "challenge lost",
            |play| play.end(Slot::Candidate, End::Lost),
            "passkey_lost",
        ),
        (
            "answer refused",
            |play| {
                play.answer(1);
                let why = "401 not-authorized".to_owned();
                play.say(Slot::Candidate, Signal::PasskeyRefused(why));
            },
            "passkey_refused",
        ),
        (
            "asked anew instead of an answer",
            |play| {
                play.answer(1);
                play.ask(RENEWED);
            },
            "passkey_refused",
        ),
        (
            "the answer from the phone is bad",
            |play| {
                play.answer(1);
                play.phone_answers(true);
                play.order_passkey(1_000, PasskeyOrder::Confirm);
                play.say(Slot::Candidate, Signal::PairFailed("hmac".to_owned()));
                let told = play.told(1_000);
                assert!(matches!(told, Some(Err(PasskeyError::Refused(_)))));
            },
            "pairing_failed",
        ),
        (
            "phone silent",
            |play| {
                play.answer(1);
                play.wait(91);
            },
            "passkey_unanswered",
        ),
        (
            "lost while checking",
            |play| {
                play.answer(1);
                play.end(Slot::Candidate, End::StreamEnd);
            },
            "passkey_lost",
        ),
        (
            "code not confirmed",
            |play| {
                play.answer(1);
                play.phone_answers(true);
                play.wait(601);
            },
            "passkey_expired",
        ),
        (
            "code not the phone's",
            |play| {
                play.answer(1);
                play.phone_answers(true);
                play.order_passkey(9, PasskeyOrder::Cancel);
            },
            "passkey_cancelled",
        ),
        (
            "lost at the code",
            |play| {
                play.answer(1);
                play.phone_answers(true);
                play.end(Slot::Candidate, End::Lost);
            },
            "passkey_lost",
        ),
        (
            "confirmation refused",
            |play| {
                play.answer(1);
                play.phone_answers(true);
                play.order_passkey(1_000, PasskeyOrder::Confirm);
                play.say(Slot::Candidate, Signal::PasskeyRefused("400".to_owned()));
                assert!(matches!(
                    play.told(1_000),
                    Some(Err(PasskeyError::Refused(_)))
                ));
            },
            "passkey_refused",
        ),
        (
            "lost after the confirmation",
            |play| {
                play.answer(1);
                play.phone_answers(true);
                play.order_passkey(1_000, PasskeyOrder::Confirm);
                play.end(Slot::Candidate, End::Lost);
                assert!(matches!(
                    play.told(1_000),
                    Some(Err(PasskeyError::Ended(_)))
                ));
            },
            "passkey_lost",
        ),
    ];
    for (name, fail, code) in fails {
        for code_for in [None, Some(A)] {
            let mut play = Play::new(code_for, None);
            let show = |play: &mut Play| match code_for {
                None => play.show_qr(),
                Some(_) => play.show_code(),
            };
            let waiting = match code_for {
                None => State::WaitingQr,
                Some(_) => State::WaitingCode,
            };
            show(&mut play);
            play.ask_passkey();
            let before = play.generation(Slot::Candidate);
            fail(&mut play);
            assert_eq!(play.reason(), *code, "{name}");
            assert_eq!(play.stage(), None, "{name}");
            assert_ne!(
                play.generation(Slot::Candidate),
                before,
                "{name}: a fresh session"
            );
            assert!(play.answers.contains_key(&1) || !play.asked_one(), "{name}");
            show(&mut play);
            assert_eq!(play.state(), waiting, "{name}");
            assert_eq!(
                play.reason(),
                *code,
                "{name}: still told beside the fresh code"
            );
            play.ask_passkey();
            assert_eq!(play.reason(), "", "{name}: forgotten at the second try");
            play.answer(2_000);
            play.phone_answers(true);
            assert!(matches!(play.told(2_000), Some(Ok(Some(_)))), "{name}");
            play.order_passkey(2_001, PasskeyOrder::Confirm);
            play.say(Slot::Candidate, Signal::Paired(linked(A)));
            play.end(Slot::Candidate, End::Restart);
            play.say(Slot::Live, Signal::LoggedIn(linked(A)));
            assert_eq!(play.state(), State::Connected, "{name}");
        }
    }
}

#[test]
fn a_late_answer_hears_why() {
    let mut play = asked();
    play.wait(601);
    play.answer(1);
    let Some(Err(PasskeyError::NotAsked(Some(why)))) = play.told(1) else {
        panic!("{:?}", play.told(1));
    };
    assert!(why.contains("not used in time"), "{why}");
}

#[test]
fn a_question_that_was_lost_is_told() {
    for code_for in [None, Some(A)] {
        let mut play = Play::new(code_for, None);
        play.say(Slot::Candidate, Signal::PasskeyRefused("gone".to_owned()));
        assert_eq!(play.reason(), "passkey_refused");
    }
    let mut play = asked();
    play.answer(1);
    play.phone_answers(false);
    play.say(Slot::Candidate, Signal::Paired(linked(A)));
    play.say(Slot::Candidate, Signal::PasskeyRefused("late".to_owned()));
    assert_eq!(play.state(), State::Linking, "what is linked is linked");
}

#[test]
fn after_a_removal_a_disconnect_leaves_no_heir() {
    let mut play = Play::new(None, Some(A));
    play.log_in(Slot::Live, A);
    play.end(Slot::Live, End::Removed);
    play.show_qr();
    let heir = play.generation(Slot::Candidate);
    play.feed(Input::Disconnect(1));
    assert_ne!(play.generation(Slot::Candidate), heir);
    assert_eq!(play.count(&Effect::Forget), 1);
    // There is nothing to forget any more: the code on show may stay.
    play.show_qr();
    let fresh = play.generation(Slot::Candidate);
    play.feed(Input::Disconnect(2));
    assert_eq!(play.generation(Slot::Candidate), fresh);
}

#[test]
fn why_a_step_failed_is_not_told_for_ever() {
    let mut play = asked();
    play.order_passkey(1, PasskeyOrder::Cancel);
    play.show_qr();
    assert_eq!(play.reason(), "passkey_cancelled");
    assert!(play.snapshot().passkey_ended.is_some());
    play.end(Slot::Candidate, End::QrExhausted);
    play.wait(700);
    assert_eq!(play.state(), State::Idle);
    assert_eq!(play.reason(), "");
    assert_eq!(play.snapshot().passkey_ended, None);
}

#[test]
fn an_unreadable_challenge_is_told() {
    let mut play = Play::new(None, None);
    play.show_qr();
    play.say(
        Slot::Candidate,
        Signal::PasskeyAsked(Secret("{}".to_owned())),
    );
    assert_eq!(play.reason(), "passkey_unreadable");
    play.show_qr();
    assert_eq!(play.state(), State::WaitingQr);
}

#[test]
fn another_order_to_pair_begins_anew() {
    for (number, replace) in [(A, false), (B, false), (B, true)] {
        let mut play = Play::new(Some(A), None);
        play.show_code();
        play.ask_passkey();
        play.answer(1);
        play.order(number, replace, 2);
        assert_eq!(play.stage(), None);
        let told = play.told(1);
        assert!(
            matches!(told, Some(Err(PasskeyError::Ended(_)))),
            "{told:?}"
        );
        play.show_code();
        let code = play.snapshot().pairing.expect("a code");
        assert_eq!(code.phone_number, number);
    }
}

#[test]
fn other_orders_end_the_step_and_tell_whoever_waits() {
    let policy = PairingPolicy {
        code_for: Some(phone(B)),
        ..super::super::policy(None)
    };
    for input in [
        Input::Pause,
        Input::Disconnect(50),
        Input::Reload(policy, 51),
        Input::Stop,
    ] {
        let mut play = asked();
        play.answer(1);
        let stops = matches!(input, Input::Stop);
        play.feed(input);
        let told = play.told(1);
        if stops {
            assert_eq!(told, Some(Err(PasskeyError::Stopping(Stopping))));
            continue;
        }
        assert!(
            matches!(told, Some(Err(PasskeyError::Ended(_)))),
            "{told:?}"
        );
        assert_eq!(play.stage(), None);
    }
    // An impatient `reconnect` is no reason to throw the step away.
    let mut play = asked();
    play.feed(Input::Reconnect);
    assert_eq!(play.stage(), Some("challenge"));
}
