//! Random histories.

use super::*;
use proptest::prelude::*;

fn any_end() -> impl Strategy<Value = End> {
    prop_oneof![
        Just(End::Lost),
        Just(End::Silent),
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
    Pair {
        number: &'static str,
        replace: bool,
    },
    Disconnect,
    Pause,
    Resume,
    Reconnect,
    Reload(Option<&'static str>),
    Asked,
    Passkey(PasskeyOrder),
    /// The wall clock, by so many seconds.
    SetClock(i64),
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
        1 => (-90_000_i64..90_000).prop_map(Move::SetClock),
    ]
}

proptest! {
    /// Whatever comes: sessions never overlap on a file (asserted in `feed`),
    /// every caller hears once and in time, the status never claims a
    /// connection that no session has, nothing waits for ever, and the end of
    /// what is shown is told by the clock as it is set.
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
                Move::SetClock(seconds) => { play.set_by += seconds * 1_000; play.feed(Input::Asked); }
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
            let ends = [
                snapshot.qr.as_ref().map(|qr| qr.expires_at),
                snapshot.pairing.as_ref().map(|code| code.expires_at),
                snapshot.passkey.as_ref().map(|step| step.expires_at),
            ];
            for end in ends.into_iter().flatten() {
                let left = end.millis() - play.now().wall.millis();
                // A QR code stays for 5 s, until its successor comes.
                prop_assert!((-5_000..=600_000).contains(&left), "{left} ms are left");
            }
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
