//! What each call takes, gives and may refuse, beyond its line in the table.
//! A call of the table that is not here fails a test.

use super::{
    content::Content,
    credential::{credential, failure},
    examples,
};
use crate::{
    api::{
        disconnect::disconnected,
        format::{PNG, SVG, TEXT},
        health::{Live, Ready},
        keys::{added, gone},
        log_level::changed,
        pairing::started,
        passkey::{cancelled, told},
        pause::{paused, resumed},
        reconnect::reconnecting,
        webhooks::going_on,
    },
    wire::{Code, PairingRequest, PasskeyBody, State, Success},
};
use axum::http::Method;
use serde_json::{Map, Value, json};

pub(super) struct Call {
    /// What clients made from the description call it.
    pub id: &'static str,
    pub body: Option<Content>,
    pub answer: Content,
    /// The refusals that are its own; `refusals` has those that it shares.
    pub refusals: &'static [Code],
}

const NO_PASSKEY: &[Code] = &[Code::NoPasskey, Code::PasskeyEnded];

pub(super) fn call(method: &Method, path: &str) -> Option<Call> {
    Some(match (method.as_str(), path) {
        ("GET", "/connection/status") => Call::new(
            "getStatus",
            Content::of([
                ("connected", Success::new(examples::connected())),
                ("waiting", Success::new(examples::waiting_qr())),
            ]),
        ),
        ("GET", "/connection/qr") => Call::new(
            "getQrCode",
            Content::of([
                ("code", Success::new(examples::qr())),
                ("dataurl", Success::new(examples::qr_picture())),
            ])
            .or_bytes(PNG, "The code as a picture, black on white.")
            .or_text(SVG, "The same, sharp at any size.", &examples::qr_svg())
            .or_text(
                TEXT,
                "The same for a terminal: half blocks, black on white by escape codes.",
                &examples::qr_text(),
            ),
        )
        .refuses(&[Code::NoQrCode]),
        ("GET", "/connection/pairing") => Call::new(
            "getPairingCode",
            Content::of([("code", Success::new(examples::pairing_code()))]).or_text(
                TEXT,
                "The code alone.",
                &format!("{}\n", examples::pairing_code().pairing_code),
            ),
        )
        .refuses(&[Code::NoPairingCode]),
        ("POST", "/connection/pairing") => Call::new(
            "requestPairingCode",
            Content::of([("code", started(examples::pairing_code()))]),
        )
        .takes(Content::of(pairing_requests()))
        .refuses(&[
            Code::BadPhoneNumber,
            Code::BadCustomCode,
            Code::AlreadyLinked,
            Code::PairingLimited,
            Code::PairingRefused,
            Code::Unreachable,
        ]),
        ("GET", "/connection/passkey") => Call::new(
            "getPasskeyStep",
            Content::of([
                ("challenge", Success::new(examples::challenge())),
                ("checking", Success::new(examples::checking())),
                ("confirm", Success::new(examples::confirm())),
            ]),
        )
        .refuses(NO_PASSKEY),
        ("POST", "/connection/passkey") => Call::new(
            "answerPasskey",
            Content::of([
                ("confirm", told(examples::confirm())),
                ("checking", told(examples::checking())),
                ("linking", told(PasskeyBody::linking())),
            ]),
        )
        .takes(Content::of([
            ("credential", credential()),
            ("failure", failure()),
        ]))
        .refuses(&[
            Code::BadPasskey,
            Code::PasskeyCancelled,
            Code::PasskeyRefused,
            Code::NoPasskey,
            Code::PasskeyEnded,
            Code::PasskeyStage,
        ]),
        ("DELETE", "/connection/passkey") => {
            Call::new("cancelPasskey", Content::of([("cancelled", cancelled())])).refuses(&[
                Code::NoPasskey,
                Code::PasskeyEnded,
                Code::PasskeyStage,
            ])
        }
        ("POST", "/connection/passkey/confirm") => Call::new(
            "confirmPasskey",
            Content::of([("linking", told(PasskeyBody::linking()))]),
        )
        .refuses(&[
            Code::PasskeyRefused,
            Code::NoPasskey,
            Code::PasskeyEnded,
            Code::PasskeyStage,
        ]),
        ("POST", "/connection/disconnect") => Call::new(
            "disconnect",
            Content::of([("unlinked", disconnected(examples::disconnected()))]),
        ),
        ("POST", "/connection/pause") => {
            Call::new("pause", Content::of([("paused", paused(true))]))
        }
        ("POST", "/connection/resume") => {
            Call::new("resume", Content::of([("resumed", resumed())]))
        }
        ("POST", "/connection/reconnect") => Call::new(
            "reconnect",
            Content::of([
                ("connecting", reconnecting(State::Connected)),
                ("paused", reconnecting(State::Paused)),
            ]),
        ),
        ("GET", "/livez") => Call::new(
            "isLive",
            Content::of([("live", Success::new(Live { live: true }))]),
        ),
        ("GET", "/readyz") => Call::new(
            "isReady",
            Content::of([("ready", Success::new(Ready { ready: true }))]),
        )
        .refuses(&[Code::Starting, Code::Stopping]),
        ("GET", "/") => Call::new("getDashboard", Content::page()).refuses(&[Code::NotFound]),
        ("GET", "/openapi.json") => Call::new("getDescription", Content::of([("start", start())])),
        ("GET", "/connection/log") => Call::new(
            "getLog",
            Content::of([("events", Success::new(examples::events()))]),
        )
        .refuses(&[Code::Stopping]),
        ("GET", "/connection/events") => {
            Call::new("followEvents", Content::events()).refuses(&[Code::Stopping])
        }
        ("GET", "/metrics") => Call::new("getMetrics", Content::metrics()),
        ("POST", "/admin/backup") => Call::new("backUp", Content::backup()),
        ("GET", "/admin/listeners") => Call::new(
            "listListeners",
            Content::of([("listeners", Success::new(examples::listeners()))]),
        ),
        ("GET", "/admin/keys") => Call::new(
            "listKeys",
            Content::of([("keys", Success::new(examples::keys()))]),
        )
        .refuses(&[Code::Stopping]),
        ("POST", "/admin/keys") => Call::new(
            "addKey",
            Content::of([("made", added(examples::new_key()))]),
        )
        .takes(Content::of([("key", examples::key_request())]))
        .refuses(&[Code::KeyExists]),
        ("DELETE", "/admin/keys") => Call::new(
            "removeKey",
            Content::of([("removed", gone(examples::key_removed()))]),
        )
        .refuses(&[Code::NoSuchKey, Code::KeyFixed, Code::UnsupportedMediaType]),
        ("GET", "/admin/config") => Call::new(
            "getConfig",
            Content::of([("config", Success::new(examples::config()))]),
        )
        .refuses(&[Code::Stopping]),
        ("PUT", "/admin/log-level") => Call::new(
            "setLogLevel",
            Content::of([("changed", changed(examples::log_level()))]),
        )
        .takes(Content::of([("level", examples::log_level_request())])),
        ("GET", "/admin/webhooks") => Call::new(
            "listWebhooks",
            Content::of([("webhooks", Success::new(examples::webhooks()))]),
        )
        .refuses(&[Code::Stopping]),
        ("POST", "/admin/webhooks/test") => Call::new(
            "testWebhooks",
            Content::of([("tested", Success::new(examples::webhooks_tested()))]),
        )
        .refuses(&[Code::NoSuchWebhook]),
        ("POST", "/admin/webhooks/resume") => Call::new(
            "resumeWebhooks",
            Content::of([("resumed", going_on(examples::webhooks_resumed()))]),
        )
        .refuses(&[Code::NoSuchWebhook]),
        ("POST", "/admin/reload") => Call::new(
            "reload",
            Content::of([("reloaded", Success::new(examples::reloaded()))]),
        )
        .refuses(&[Code::BadConfig]),
        _ => return None,
    })
}

impl Call {
    fn new(id: &'static str, answer: Content) -> Self {
        Self {
            id,
            body: None,
            answer,
            refusals: &[],
        }
    }

    fn takes(mut self, body: Content) -> Self {
        self.body = Some(body);
        self
    }

    fn refuses(mut self, refusals: &'static [Code]) -> Self {
        self.refusals = refusals;
        self
    }
}

fn pairing_requests() -> [(&'static str, PairingRequest); 2] {
    let phone_number = "628123456789".to_owned();
    let number = PairingRequest {
        phone_number: phone_number.clone(),
        custom_code: None,
        replace: false,
    };
    let all = PairingRequest {
        phone_number,
        custom_code: Some("ABCD-EFGH".to_owned()),
        replace: true,
    };
    [("number", number), ("all", all)]
}

/// A description of the description would never end.
fn start() -> Map<String, Value> {
    Map::from_iter([
        ("openapi".to_owned(), json!("3.1.0")),
        ("paths".to_owned(), json!({})),
    ])
}
