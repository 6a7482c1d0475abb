//! Who is let in, who is not, and what is told of it.

use super::*;
use crate::auth::{Key, Peer};
use axum::http::{HeaderName, HeaderValue};
use sha2::{Digest, Sha256};

const NOW: Timestamp = Timestamp::from_millis(1_000);

fn key(secret: &str, scope: Scope, expires: Option<Timestamp>) -> Key {
    Key {
        name: secret.to_uppercase().into(),
        sha256: Sha256::digest(secret).into(),
        scope,
        expires,
    }
}

fn rules() -> Rules {
    Rules {
        keyring: Keyring::new(
            vec![
                key("reader", Scope::Read, None),
                key("manager", Scope::Manage, Some(NOW.plus_millis(1))),
                key("old", Scope::Manage, Some(NOW)),
            ],
            None,
        ),
        control_group: Some(77),
        failed_keys_per_minute: 3,
        max_streams_per_key: 2,
        ..Rules::default()
    }
}

fn gate(rules: Rules) -> (watch::Sender<Arc<Rules>>, Gate) {
    let (set, now) = watch::channel(Arc::new(rules));
    (set, Gate::new(now))
}

fn with(name: &str, value: &str) -> HeaderMap {
    let name: HeaderName = name.parse().expect("a header name");
    let value = HeaderValue::from_str(value).expect("a header value");
    HeaderMap::from_iter([(name, value)])
}

fn tcp() -> Origin {
    Origin::Tcp(([192, 0, 2, 1], 4711).into())
}

#[test]
fn keys_open_what_their_scope_names() {
    let rules = rules();
    let ask = |headers: &HeaderMap, needed| {
        judge(&rules, &tcp(), headers, needed, NOW).map(|caller| caller.who.to_string())
    };
    let reader = with("x-api-key", "reader");
    assert_eq!(ask(&reader, Scope::Read), Ok("key READER".to_owned()));
    let refused = ask(&reader, Scope::Manage);
    assert!(matches!(refused, Err(Refusal::ReadKey { .. })));
    let bearer = with("authorization", "bearer  manager ");
    assert_eq!(ask(&bearer, Scope::Manage), Ok("key MANAGER".to_owned()));
    let expired = ask(&with("x-api-key", "old"), Scope::Read);
    assert!(matches!(expired, Err(Refusal::Expired { .. })));
}

#[test]
fn what_is_no_key_is_refused() {
    let rules = rules();
    for (headers, refusal) in [
        (HeaderMap::new(), Refusal::NoKey),
        (with("x-api-key", " "), Refusal::NoKey),
        (with("authorization", "Basic reader"), Refusal::NoKey),
        (with("authorization", "Bearer"), Refusal::NoKey),
        (with("cookie", "x-api-key=reader"), Refusal::NoKey),
        (with("x-api-key", "Reader"), Refusal::UnknownKey),
        (with("authorization", "Bearer READER"), Refusal::UnknownKey),
    ] {
        let judged = judge(&rules, &tcp(), &headers, Scope::Read, NOW);
        assert_eq!(judged, Err(refusal), "{headers:?}");
    }
}

#[test]
fn peers_need_no_key_and_a_key_does_not_help_them() {
    let rules = rules();
    let ask = |peer: Peer, needed| {
        let headers = with("x-api-key", "manager");
        judge(&rules, &Origin::Unix(peer), &headers, needed, NOW).is_ok()
    };
    assert!(ask(Peer::made_up(54_321, &[77]), Scope::Manage));
    assert!(ask(Peer::made_up(54_321, &[78]), Scope::Read));
    assert!(!ask(Peer::made_up(54_321, &[78]), Scope::Manage));
}

#[tokio::test(start_paused = true)]
async fn a_guesser_is_locked_out_with_every_key() {
    let (_, gate) = gate(rules());
    let ask = |origin: &Origin, key| {
        let headers = with("x-api-key", key);
        let admitted = gate.admit(origin, &headers, Scope::Read, NOW);
        admitted.map(drop).map_err(|refused| refused.refusal)
    };
    // Neither is a guess.
    for _ in 0..9 {
        assert_eq!(
            gate.admit(&tcp(), &HeaderMap::new(), Scope::Read, NOW)
                .map_err(|refused| refused.refusal),
            Err(Refusal::NoKey)
        );
        assert!(ask(&tcp(), "reader").is_ok());
    }
    for key in ["guess", "old", "guess"] {
        let refused = ask(&tcp(), key).expect_err("no key of ours");
        assert!(refused.retry_after().is_none(), "{refused}");
    }
    let refused = ask(&tcp(), "reader").expect_err("locked out");
    assert_eq!(refused.retry_after(), Some(60));
    let elsewhere = Origin::Tcp(([192, 0, 2, 2], 4711).into());
    assert!(ask(&elsewhere, "reader").is_ok());
    let peer = Origin::Unix(Peer::made_up(0, &[]));
    assert!(ask(&peer, "guess").is_ok());
    tokio::time::advance(Duration::from_secs(60)).await;
    assert!(ask(&tcp(), "reader").is_ok());
}

#[test]
fn a_key_has_its_rate() {
    let mut rules = rules();
    let keys = vec![
        key("reader", Scope::Read, None),
        key("other", Scope::Read, None),
    ];
    rules.keyring = Keyring::new(keys, super::super::Rate::new(1, 3));
    let ask = |key| judge(&rules, &tcp(), &with("x-api-key", key), Scope::Read, NOW);
    for _ in 0..3 {
        assert!(ask("reader").is_ok());
    }
    let refused = ask("reader").expect_err("too fast");
    assert!(matches!(refused, Refusal::TooFast { .. }), "{refused}");
    assert_eq!(refused.retry_after(), Some(1));
    assert!(ask("other").is_ok());
}

#[test]
fn waiting_calls_are_counted_by_key() {
    let (_, gate) = gate(rules());
    let caller = |key| {
        let headers = with("x-api-key", key);
        gate.admit(&tcp(), &headers, Scope::Read, NOW)
            .expect("a good key")
    };
    let (reader, manager) = (caller("reader"), caller("manager"));
    let _first = gate.stream(&reader).expect("room");
    let second = gate.stream(&reader).expect("room");
    let third = gate.stream(&reader).expect_err("too many");
    assert_eq!(third.refusal, Refusal::TooManyStreams);
    assert!(gate.stream(&manager).is_ok());
    drop(second);
    assert!(gate.stream(&reader).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_waiting_call_ends_with_its_right() {
    let clock: fn() -> Timestamp = || NOW;
    let (set, gate) = gate(rules());
    let caller = |key| {
        let headers = with("x-api-key", key);
        gate.admit(&tcp(), &headers, Scope::Read, NOW)
            .expect("a good key")
    };
    let (reader, manager) = (caller("reader"), caller("manager"));
    let headers = HeaderMap::new();
    let peer = Origin::Unix(Peer::made_up(54_321, &[77]));
    let peer = gate.admit(&peer, &headers, Scope::Manage, NOW);
    let peer = peer.expect("a member");
    let goes_on = async |caller| {
        let wait = Duration::from_secs(600);
        let waited = tokio::time::timeout(wait, gate.revoked(caller, clock)).await;
        waited.is_err()
    };
    set.send_modify(|rules| {
        let mut fewer = (**rules).clone();
        fewer.keyring = Keyring::new(vec![key("reader", Scope::Read, None)], None);
        *rules = Arc::new(fewer);
    });
    assert!(goes_on(&reader).await && goes_on(&peer).await);
    assert!(!goes_on(&manager).await);
    set.send_modify(|rules| {
        let mut fewer = (**rules).clone();
        fewer.control_group = None;
        *rules = Arc::new(fewer);
    });
    assert!(goes_on(&reader).await && !goes_on(&peer).await);
    set.send_modify(|rules| {
        let mut fewer = (**rules).clone();
        fewer.keyring = Keyring::new(vec![key("reader", Scope::Read, Some(NOW))], None);
        *rules = Arc::new(fewer);
    });
    assert!(!goes_on(&reader).await);
}

#[test]
fn lines_are_rationed_and_the_rest_is_counted() {
    let start = Instant::now();
    let minute = Duration::from_secs(60);
    let mut ration = Ration::new(5, minute);
    for _ in 0..5 {
        assert_eq!(ration.take(start), Some(0));
    }
    for _ in 0..9 {
        assert_eq!(ration.take(start + Duration::from_secs(59)), None);
    }
    assert_eq!(ration.take(start + minute), Some(9));
    assert_eq!(ration.take(start + minute), Some(0));
}
