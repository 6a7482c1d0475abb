//! What is counted, and under which names.

use super::{Meter, Reading};
use crate::{
    auth::{Origin, Refusal, Refused},
    journal::{Ear, Entry},
    wire::{Severity, State, Status, Timestamp, WebhookInfo, WebhookOutcome},
};
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_millis(1_766_811_600_000);

fn reading() -> Reading {
    Reading {
        status: Status {
            is_connected: true,
            has_qr_code: false,
            has_pairing_code: false,
            phone_number: Some("628123456789".to_owned()),
            last_qr_update: None,
            last_pairing_update: None,
            state: State::Connected,
            state_since: NOW.plus_millis(-90_500),
            reason: None,
            user_action: None,
            jid: Some("628123456789:1@s.whatsapp.net".to_owned()),
            push_name: Some("Ayu".to_owned()),
            last_heard_at: None,
            last_disconnect: None,
            next_attempt_at: None,
            attempts: 2,
            health: Vec::new(),
            generation: 1,
            started_at: NOW,
            version: "0.0.0".to_owned(),
        },
        now: NOW,
        openings: [("login", 3), ("qr", 0), ("code", 1)],
        streams: 4,
        events_lost: 5,
        journal_ok: true,
        webhooks: vec![WebhookInfo {
            name: "shop".to_owned(),
            url: "https://example.org/hook".to_owned(),
            events: vec!["*".to_owned()],
            cursor: 42,
            backlog: 3,
            waiting_since: Some(NOW.plus_millis(-30_500)),
            attempts: WebhookOutcome::ALL.map(|outcome| (outcome, 7)).into(),
            failures: 2,
            last_success_at: None,
            last_failure: None,
            next_attempt_at: None,
            paused: true,
        }],
    }
}

/// Lines that begin so.
fn lines(meter: &Meter, reading: &Reading, begin: &str) -> Vec<String> {
    let text = meter.text(reading).expect("it can be written");
    let lines = text.lines().filter(|line| line.starts_with(begin));
    lines.map(str::to_owned).collect()
}

fn assert_told(meter: &Meter, line: &str) {
    let text = meter.text(&reading()).expect("it can be written");
    let told = text.lines().any(|told| told == line);
    assert!(told, "no {line} in\n{text}");
}

fn moves(meter: &Meter, to: State, reason: Option<&str>) {
    let kind = format!("connection.{to}");
    let entry = Entry::new(kind, Severity::Info, "").state(to);
    meter.hear(&entry.reason(reason));
}

fn pairs(meter: &Meter, word: &str, severity: Severity) {
    let entry = Entry::new(format!("pairing.{word}"), severity, "");
    meter.hear(&entry.state(State::WaitingCode));
}

#[test]
fn how_things_stand_is_told() {
    let meter = Meter::new("0.0.0");
    for line in [
        "walinkd_build_info{version=\"0.0.0\"} 1",
        "walinkd_state{state=\"connected\"} 1",
        "walinkd_state{state=\"degraded\"} 0",
        "walinkd_state_seconds 90.5",
        "walinkd_connected 1",
        "walinkd_linked 1",
        "walinkd_attempts 2",
        "walinkd_connection_attempts_total{purpose=\"login\"} 3",
        "walinkd_connection_attempts_total{purpose=\"code\"} 1",
        "walinkd_event_streams 4",
        "walinkd_journal_events_lost_total 5",
        "walinkd_journal_writable 1",
        "walinkd_webhook_lag_events{webhook=\"shop\"} 3",
        "walinkd_webhook_lag_seconds{webhook=\"shop\"} 30.5",
        "walinkd_webhook_failures{webhook=\"shop\"} 2",
        "walinkd_webhook_paused{webhook=\"shop\"} 1",
        "walinkd_webhook_attempts_total{outcome=\"server_error\",webhook=\"shop\"} 7",
    ] {
        assert_told(&meter, line);
    }
    assert_eq!(lines(&meter, &reading(), "walinkd_state{").len(), 16);
    let attempts = lines(&meter, &reading(), "walinkd_webhook_attempts_total{");
    assert_eq!(attempts.len(), WebhookOutcome::ALL.len());
    let mut served = reading();
    served.webhooks[0].waiting_since = None;
    let lag = "walinkd_webhook_lag_seconds{";
    assert!(lines(&meter, &served, lag)[0].ends_with(" 0"));
    let age = "walinkd_last_heard_age_seconds";
    assert!(lines(&meter, &reading(), age).is_empty(), "nothing heard");
    // The clock was set back meanwhile.
    let mut later = reading();
    later.status.last_heard_at = Some(NOW.plus_millis(10_000));
    assert_eq!(lines(&meter, &later, age), [format!("{age} 0")]);
}

#[test]
fn nobody_is_named() {
    let meter = Meter::new("0.0.0");
    let text = meter.text(&reading()).expect("it can be written");
    for secret in ["62812", "Ayu", "whatsapp.net", "example.org"] {
        assert!(!text.contains(secret), "{secret} in\n{text}");
    }
}

#[test]
fn every_change_counts_and_a_new_socket_is_a_reconnect() {
    let meter = Meter::new("0.0.0");
    let reconnects = |count: u32| {
        assert_told(&meter, &format!("walinkd_reconnects_total {count}"));
    };
    moves(&meter, State::Connecting, None);
    moves(&meter, State::Connected, None);
    reconnects(0);
    moves(&meter, State::Degraded, Some("silent"));
    moves(&meter, State::Connected, None);
    reconnects(0);
    moves(&meter, State::Reconnecting, Some("network"));
    moves(&meter, State::Connected, None);
    reconnects(1);
    // On request.
    moves(&meter, State::Connecting, None);
    moves(&meter, State::Connected, None);
    reconnects(2);
    // Another link.
    moves(&meter, State::LoggedOut, Some("device_removed"));
    moves(&meter, State::WaitingQr, None);
    moves(&meter, State::Linking, None);
    moves(&meter, State::Connected, None);
    reconnects(2);
    for line in [
        "walinkd_state_transitions_total{reason=\"none\",to=\"connected\"} 5",
        "walinkd_state_transitions_total{reason=\"silent\",to=\"degraded\"} 1",
        "walinkd_state_transitions_total{reason=\"network\",to=\"reconnecting\"} 1",
        "walinkd_state_transitions_total{reason=\"banned\",to=\"banned\"} 0",
    ] {
        assert_told(&meter, line);
    }
}

#[test]
fn an_unknown_reason_makes_no_series_of_its_own() {
    let meter = Meter::new("0.0.0");
    for reason in ["one", "another"] {
        moves(&meter, State::Reconnecting, Some(reason));
    }
    let told = "walinkd_state_transitions_total{reason=\"other\",to=\"reconnecting\"} 2";
    assert_told(&meter, told);
}

#[test]
fn what_is_no_change_of_state_does_not_count_as_one() {
    let meter = Meter::new("0.0.0");
    let before = lines(&meter, &reading(), "walinkd_state_transitions");
    for kind in ["connection.unreachable", "connection.store", "admin.start"] {
        let entry = Entry::new(kind, Severity::Warning, "");
        meter.hear(&entry.state(State::Connecting).reason(Some("dns")));
    }
    assert_eq!(
        lines(&meter, &reading(), "walinkd_state_transitions"),
        before
    );
}

#[test]
fn pairings_count_by_how_they_end() {
    let meter = Meter::new("0.0.0");
    pairs(&meter, "code", Severity::Info);
    pairs(&meter, "accepted", Severity::Info);
    pairs(&meter, "linked", Severity::Info);
    pairs(&meter, "wrong_code", Severity::Warning);
    pairs(&meter, "passkey_refused", Severity::Warning);
    // The browser's no ends nothing; a cancelled step does.
    pairs(&meter, "passkey_cancelled", Severity::Info);
    pairs(&meter, "passkey_cancelled", Severity::Warning);
    assert_told(&meter, "walinkd_pairing_codes_total 1");
    let ends = [
        "walinkd_pairings_total{outcome=\"expired\"} 0",
        "walinkd_pairings_total{outcome=\"failed\"} 0",
        "walinkd_pairings_total{outcome=\"limited\"} 0",
        "walinkd_pairings_total{outcome=\"linked\"} 1",
        "walinkd_pairings_total{outcome=\"passkey_failed\"} 2",
        "walinkd_pairings_total{outcome=\"refused\"} 0",
        "walinkd_pairings_total{outcome=\"wrong_code\"} 1",
    ];
    assert_eq!(lines(&meter, &reading(), "walinkd_pairings_total"), ends);
}

#[test]
fn refusals_count_whether_they_are_told_or_not() {
    let meter = Meter::new("0.0.0");
    let client = ([192, 0, 2, 1], 4711).into();
    for tell in [Some(0), None] {
        meter.refused(&Refused {
            refusal: Refusal::UnknownKey,
            origin: Origin::Tcp(client),
            tell,
            locks_out: tell
                .is_none()
                .then(|| (client.ip(), Duration::from_secs(60))),
        });
    }
    meter.revoked();
    assert_told(
        &meter,
        "walinkd_auth_refusals_total{reason=\"unknown_key\"} 2",
    );
    assert_told(&meter, "walinkd_auth_refusals_total{reason=\"revoked\"} 1");
    assert_told(&meter, "walinkd_auth_lockouts_total 1");
}

#[test]
fn a_request_counts_once_whatever_becomes_of_it() {
    let meter = Meter::new("0.0.0");
    meter.begin(Some("/livez"), "GET").answered(200);
    meter.begin(None, "BREW").answered(404);
    drop(meter.begin(Some("/livez"), "GET"));
    let counted = [
        "walinkd_http_requests_total{method=\"GET\",route=\"/livez\",status=\"200\"} 1",
        "walinkd_http_requests_total{method=\"GET\",route=\"/livez\",status=\"499\"} 1",
        "walinkd_http_requests_total{method=\"other\",route=\"other\",status=\"404\"} 1",
    ];
    let total = "walinkd_http_requests_total";
    assert_eq!(lines(&meter, &reading(), total), counted);
    let answered = "walinkd_http_request_duration_seconds_count{method=\"GET\",route=\"/livez\"} 1";
    assert_told(&meter, answered);
}
