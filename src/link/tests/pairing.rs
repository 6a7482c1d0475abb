//! A phone is linked, or is not.

use super::*;

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
fn a_reload_to_qr_ends_an_ordered_code() {
    let mut play = Play::new(None, None);
    play.order(A, false, 1);
    play.show_code();
    play.feed(Input::Reload(policy(None), 2));
    play.show_qr();
    assert_eq!(play.state(), State::WaitingQr);
}

#[test]
fn a_clock_that_is_set_leaves_a_code_its_time() {
    let day = 86_400_000;
    for by in [day, -day] {
        let mut play = Play::new(Some(A), None);
        play.show_code();
        play.wait(60);
        let before = play.snapshot().pairing.expect("a code").expires_at;
        play.set_by = by;
        play.feed(Input::Asked);
        let code = play.snapshot().pairing.expect("the same code");
        assert_eq!(code.expires_at, before.plus_millis(by));
        // And it ends when it would have.
        play.wait(130);
        assert!(play.snapshot().pairing.is_none());

        let mut play = Play::new(None, None);
        play.show_qr();
        let before = play.snapshot().qr.expect("a code").expires_at;
        play.set_by = by;
        play.feed(Input::Asked);
        let qr = play.snapshot().qr.expect("the same code");
        assert_eq!(qr.expires_at, before.plus_millis(by));
    }
}

#[test]
fn a_sleep_is_no_clock_that_is_set() {
    let mut play = Play::new(Some(A), None);
    play.show_code();
    let before = play.snapshot().pairing.expect("a code").expires_at;
    play.slept = 3_600_000;
    play.feed(Input::Asked);
    let code = play.snapshot().pairing.expect("the same code");
    assert_eq!(code.expires_at, before, "it has run out meanwhile");
}
