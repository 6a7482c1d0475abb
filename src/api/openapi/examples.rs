//! Answers as they may be. Being values of the wire types, they have the shape
//! that real ones have.

use crate::{
    api::events::frames,
    picture::{Drawing, Ink, Symbol},
    wire::{
        ConfigReport, Disconnected, Event, KeyInfo, KeyRemoved, KeyRequest, KeySource, LogLevel,
        LogLevelRequest, NewKey, PairingCode, PasskeyBody, PasskeyStage, PasskeyStep, PhoneNumber,
        QrCode, QrCodeBody, ReloadReport, Scope, Setting, SettingSource, Severity, State, Status,
        Timestamp, WebhookFailure, WebhookInfo, WebhookOutcome, WebhookTested, WebhooksResumed,
    },
};
use serde_json::json;

const NOW: Timestamp = Timestamp::from_millis(1_766_811_600_000);
const PHONE: &str = "628123456789";
const KEY: &str = "dashboard";
const WEBHOOK: &str = "example.org";

fn status(state: State) -> Status {
    Status {
        is_connected: false,
        has_qr_code: false,
        has_pairing_code: false,
        phone_number: None,
        last_qr_update: None,
        last_pairing_update: None,
        state,
        state_since: NOW,
        reason: None,
        user_action: None,
        jid: None,
        push_name: None,
        last_heard_at: None,
        last_disconnect: None,
        next_attempt_at: None,
        attempts: 0,
        health: Vec::new(),
        generation: 7,
        started_at: NOW,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

pub(super) fn connected() -> Status {
    Status {
        is_connected: true,
        phone_number: Some(PHONE.to_owned()),
        jid: Some(format!("{PHONE}:1@s.whatsapp.net")),
        push_name: Some("Shop".to_owned()),
        last_heard_at: Some(NOW),
        ..status(State::Connected)
    }
}

pub(super) fn waiting_qr() -> Status {
    Status {
        has_qr_code: true,
        last_qr_update: Some(NOW),
        user_action: Some("Scan the QR code with the phone.".to_owned()),
        ..status(State::WaitingQr)
    }
}

pub(super) fn qr() -> QrCodeBody {
    let qr = QrCode {
        code: "2@WsYovQD+qnbgd1tsGtBKn2N9ZBo96rx…".to_owned(),
        shown_at: NOW,
        expires_at: NOW.plus_millis(60_000),
    };
    qr.body(NOW)
}

/// Of a shorter text than WhatsApp's, for brevity.
fn symbol() -> Symbol {
    Symbol::new("2@…", 1).expect("a short text")
}

pub(super) fn qr_picture() -> QrCodeBody {
    QrCodeBody {
        data_url: symbol().data_url(None).ok(),
        ..qr()
    }
}

pub(super) fn qr_svg() -> String {
    symbol().svg(None)
}

pub(super) fn qr_text() -> String {
    let drawing = Drawing::Half.draw(&symbol(), Ink::Colour);
    format!("{drawing}\n")
}

pub(super) fn pairing_code() -> PairingCode {
    let phone = PhoneNumber::parse(PHONE).expect("a number in international form");
    PairingCode::new("ABCDEFGH", &phone, NOW, NOW.plus_millis(160_000))
}

pub(super) fn challenge() -> PasskeyBody {
    step(PasskeyStage::Challenge {
        public_key: json!({
            "challenge": "Y2hhbGxlbmdl",
            "rpId": "whatsapp.com",
            "timeout": 600_000,
            "userVerification": "required",
        }),
        page: "https://web.whatsapp.com".to_owned(),
        script: "(async () => { … })()".to_owned(),
    })
}

pub(super) fn checking() -> PasskeyBody {
    step(PasskeyStage::Checking)
}

pub(super) fn confirm() -> PasskeyBody {
    step(PasskeyStage::Confirm {
        code: "ABCD-EFGH".to_owned(),
    })
}

fn step(stage: PasskeyStage) -> PasskeyBody {
    let step = PasskeyStep {
        stage,
        expires_at: NOW.plus_millis(570_000),
    };
    step.body(NOW)
}

pub(super) fn disconnected() -> Disconnected {
    Disconnected {
        unlinked_at_whatsapp: true,
        wiped: true,
    }
}

pub(super) fn reloaded() -> ReloadReport {
    ReloadReport {
        applied: vec!["auth.keys".to_owned()],
        needs_restart: vec!["http.listen".to_owned()],
        pairing_for: None,
    }
}

pub(super) fn events() -> Vec<Event> {
    vec![Event {
        id: 1_766_811_600_042,
        kind: "connection.connected".to_owned(),
        at: NOW,
        severity: Severity::Info,
        message: "connected as 62812*****89".to_owned(),
        state: Some(State::Connected),
        reason: None,
        peer: None,
        key: None,
        suppressed: None,
    }]
}

pub(super) fn stream() -> String {
    let status = frames::status(&connected());
    let mut all = status.to_vec();
    for event in &events() {
        all.extend(frames::event(event));
    }
    String::from_utf8_lossy(&all).into_owned()
}

pub(super) const METRICS: &str = "\
# HELP walinkd_connected 1 while WhatsApp answers on the live socket.
# TYPE walinkd_connected gauge
walinkd_connected 1
";

pub(super) fn listeners() -> Vec<String> {
    vec![
        "http://127.0.0.1:3000".to_owned(),
        "control socket /run/walinkd/control.sock".to_owned(),
    ]
}

pub(super) fn keys() -> Vec<KeyInfo> {
    vec![KeyInfo {
        name: KEY.to_owned(),
        scope: Scope::Read,
        source: KeySource::Added,
        created: Some(NOW),
        expires: None,
        expired: false,
    }]
}

pub(super) fn key_request() -> KeyRequest {
    KeyRequest {
        name: KEY.to_owned(),
        scope: Scope::Read,
        expires: Some("2027-01-01".to_owned()),
    }
}

pub(super) fn new_key() -> NewKey {
    NewKey {
        key: "shown once".to_owned(),
        name: KEY.to_owned(),
        scope: Scope::Read,
        expires: None,
    }
}

pub(super) fn config() -> ConfigReport {
    let file = "/etc/walinkd/walinkd.toml";
    let proxy = Setting {
        value: json!("socks5://user:***@127.0.0.1:1080"),
        source: SettingSource::File,
        place: Some(format!("{file}:12:1")),
        live: false,
    };
    let level = Setting {
        value: json!("info"),
        source: SettingSource::Default,
        place: None,
        live: true,
    };
    let settings = [("whatsapp.proxy", proxy), ("log.level", level)];
    ConfigReport {
        file: Some(file.to_owned()),
        settings: settings
            .map(|(key, setting)| (key.to_owned(), setting))
            .into(),
    }
}

pub(super) fn log_level_request() -> LogLevelRequest {
    LogLevelRequest {
        level: "info,walinkd=debug".to_owned(),
    }
}

pub(super) fn log_level() -> LogLevel {
    LogLevel {
        level: log_level_request().level,
        configured: "info".to_owned(),
    }
}

pub(super) fn key_removed() -> KeyRemoved {
    KeyRemoved {
        name: KEY.to_owned(),
        remaining: 1,
    }
}

pub(super) fn webhooks() -> Vec<WebhookInfo> {
    vec![WebhookInfo {
        name: WEBHOOK.to_owned(),
        url: "https://example.org/hook".to_owned(),
        events: vec!["connection.*".to_owned()],
        cursor: 1_766_811_600_042,
        backlog: 3,
        waiting_since: Some(NOW.plus_millis(30_000)),
        attempts: WebhookOutcome::ALL
            .map(|outcome| (outcome, 0))
            .into_iter()
            .chain([
                (WebhookOutcome::Delivered, 42),
                (WebhookOutcome::ServerError, 4),
            ])
            .collect(),
        failures: 4,
        last_success_at: Some(NOW),
        last_failure: Some(WebhookFailure {
            at: NOW.plus_millis(60_000),
            message: "the receiver answered 500".to_owned(),
        }),
        next_attempt_at: Some(NOW.plus_millis(64_000)),
        paused: false,
    }]
}

pub(super) fn webhooks_tested() -> Vec<WebhookTested> {
    vec![WebhookTested {
        name: WEBHOOK.to_owned(),
        delivered: true,
        status: Some(204),
        error: None,
    }]
}

pub(super) fn webhooks_resumed() -> WebhooksResumed {
    WebhooksResumed {
        resumed: vec![WEBHOOK.to_owned()],
    }
}
