//! How a link is kept, held up and ended.

use super::*;

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
