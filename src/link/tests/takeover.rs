//! A newcomer beside a live link.

use super::*;

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
