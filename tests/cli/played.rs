//! A daemon as the command line sees it, played by this test.

use super::{directory, outcome, walinkd};
use axum::{
    Json, Router,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    path::PathBuf,
    process::Command,
    sync::{Arc, Mutex},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{net::UnixListener, runtime::Runtime, sync::watch, time::timeout};

const AT: &str = "2025-12-27T05:00:00.000Z";

/// What the played daemon says at one moment.
#[derive(Clone, Default)]
pub(crate) struct Scene {
    /// Laid over the status of an unlinked daemon.
    pub(crate) status: Value,
    pub(crate) qr: Option<&'static str>,
    pub(crate) code: Option<&'static str>,
    /// `data` of the passkey step; null when there is none.
    pub(crate) passkey: Value,
    /// What an order in the passkey step leads to.
    pub(crate) then: Option<Box<Scene>>,
    pub(crate) generation: u64,
    /// Whether the caller may see the keys.
    pub(crate) manages: bool,
}

/// A daemon on a socket of its own; gone with its value.
pub(crate) struct Daemon {
    pub(crate) directory: TempDir,
    runtime: Runtime,
    stage: Arc<Stage>,
}

/// What is played, and what was ordered in the passkey step.
struct Stage {
    scenes: watch::Sender<Scene>,
    orders: Mutex<Vec<String>>,
}

impl Stage {
    fn change(&self, scene: Scene) {
        self.scenes.send_modify(|now| {
            let generation = now.generation + 1;
            *now = Scene {
                generation,
                ..scene
            };
        });
    }

    /// The next scene, and what the daemon then answers to the order.
    fn order(&self, order: String) -> Response {
        self.orders.lock().expect("no panic").push(order);
        let Some(then) = self.scenes.borrow().then.clone() else {
            return nothing_asked(&self.scenes.borrow().status["reason"]);
        };
        let mut data = then.passkey.clone();
        if data.is_null() {
            data = json!({"stage": "linking"});
        }
        self.change(*then);
        Json(json!({"success": true, "message": "The step has ended.", "data": data}))
            .into_response()
    }
}

type Played = State<Arc<Stage>>;

impl Daemon {
    pub(crate) fn new(scene: Scene) -> Self {
        let directory = directory();
        let stage = Arc::new(Stage {
            scenes: watch::Sender::new(scene),
            orders: Mutex::default(),
        });
        let runtime = Runtime::new().expect("a runtime");
        let daemon = Self {
            directory,
            runtime,
            stage: Arc::clone(&stage),
        };
        let socket = daemon.socket();
        let router = router(stage);
        daemon.runtime.spawn(async move {
            let listener = UnixListener::bind(socket).expect("a socket");
            axum::serve(listener, router).await
        });
        daemon
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().join("s")
    }

    pub(crate) fn change(&self, scene: Scene) {
        self.stage.change(scene);
    }

    /// The orders of the passkey step so far.
    pub(crate) fn orders(&self) -> Vec<String> {
        self.stage.orders.lock().expect("no panic").clone()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = walinkd(arguments);
        command.env("WALINKD_SOCKET", self.socket());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = self.command(arguments).output();
        outcome(&output.expect("the binary runs"))
    }
}

fn problem(status: u16, code: &str, error: &str) -> Response {
    let status = StatusCode::from_u16(status).expect("a status");
    let body = json!({"success": false, "error": error, "code": code});
    (status, Json(body)).into_response()
}

fn data(data: Value) -> Response {
    Json(json!({"success": true, "data": data})).into_response()
}

fn code_body(code: &str) -> Value {
    json!({
        "pairingCode": code, "phoneNumber": "6281234567889", "timestamp": AT,
        "expiresIn": "160 seconds", "expiresAt": AT,
    })
}

async fn status(State(stage): Played, Query(query): Query<HashMap<String, String>>) -> Response {
    let mut scenes = stage.scenes.subscribe();
    if let Some(after) = query.get("after") {
        let changed = scenes.wait_for(|scene| scene.generation.to_string() != *after);
        // A daemon holds an answer as long as it was asked to, and no longer.
        let _ = timeout(Duration::from_secs(1), changed).await;
    }
    let scene = scenes.borrow().clone();
    let mut status = json!({
        "isConnected": false, "hasQRCode": scene.qr.is_some(),
        "hasPairingCode": scene.code.is_some(), "phoneNumber": null,
        "lastQRUpdate": null, "lastPairingUpdate": null, "state": "connecting",
        "stateSince": AT, "reason": null, "userAction": null, "jid": null,
        "pushName": null, "lastHeardAt": null, "lastDisconnect": null,
        "nextAttemptAt": null, "attempts": 0, "health": [],
        "generation": scene.generation, "startedAt": AT, "version": "9.9",
    });
    for (key, value) in scene.status.as_object().into_iter().flatten() {
        status[key] = value.clone();
    }
    data(status)
}

async fn qr(State(stage): Played) -> Response {
    match stage.scenes.borrow().qr {
        Some(code) => data(json!({
            "qrCode": code, "timestamp": AT, "expiresIn": "20 seconds", "expiresAt": AT,
        })),
        None => problem(404, "no_qr_code", "No QR code available."),
    }
}

async fn pairing(State(stage): Played) -> Response {
    match stage.scenes.borrow().code {
        Some(code) => data(code_body(code)),
        None => problem(404, "no_pairing_code", "No pairing code available."),
    }
}

async fn pair(State(stage): Played, Json(request): Json<Value>) -> Response {
    match (request["phoneNumber"].as_str(), stage.scenes.borrow().code) {
        (Some("6281234567889"), Some(code)) => Json(json!({
            "success": true, "message": "m", "instruction": "i", "data": code_body(code),
        }))
        .into_response(),
        (Some("6281234567889"), None) => problem(409, "already_linked", "A device is linked."),
        _ => problem(
            400,
            "bad_phone_number",
            "The phone number begins with 0: leave it out.",
        ),
    }
}

/// There is no step, or there is none any more.
fn nothing_asked(reason: &Value) -> Response {
    match &reason["message"] {
        Value::String(why) => {
            let text = format!("The passkey step has ended: {why}.");
            problem(404, "passkey_ended", &text)
        }
        _ => problem(404, "no_passkey", "WhatsApp asks for no passkey now."),
    }
}

async fn passkey(State(stage): Played) -> Response {
    let scene = stage.scenes.borrow();
    match &scene.passkey {
        Value::Null => nothing_asked(&scene.status["reason"]),
        body => data(body.clone()),
    }
}

async fn answer_passkey(State(stage): Played, Json(answer): Json<Value>) -> Response {
    let said = &answer["id"];
    match said.as_str() {
        Some("wrong") => problem(
            400,
            "bad_passkey",
            "The answer's challenge is not the one that WhatsApp sent.",
        ),
        _ if answer.get("error").is_some() => {
            problem(400, "passkey_cancelled", "The browser gave no passkey.")
        }
        _ => stage.order(format!("answer {said}")),
    }
}

async fn reload(State(stage): Played) -> Response {
    match stage.scenes.borrow().generation {
        0 => data(json!({"applied": ["log.level"], "needsRestart": ["http.listen"]})),
        1 => data(json!({"applied": [], "needsRestart": [], "pairingFor": "62812******89"})),
        _ => problem(
            400,
            "bad_config",
            "refused:\n/f:1:1: a: no: hint\n/f:2:1: b: no: hint",
        ),
    }
}

async fn listeners() -> Response {
    data(json!(["http://127.0.0.1:3000"]))
}

/// Only those who manage are told in this scene.
async fn keys(State(stage): Played) -> Response {
    if !stage.scenes.borrow().manages {
        return problem(403, "not_permitted", "Not yours.");
    }
    data(json!([{
        "name": "dashboard", "scope": "read", "source": "added", "created": AT,
        "expires": null, "expired": false,
    }]))
}

fn router(stage: Arc<Stage>) -> Router {
    let confirm = async |State(stage): Played| stage.order("confirm".to_owned());
    let cancel = async |State(stage): Played| stage.order("cancel".to_owned());
    let done = async || Json(json!({"success": true, "message": "m"}));
    let disconnect = async || {
        let data = json!({"unlinkedAtWhatsApp": false, "wiped": true});
        Json(json!({"success": true, "message": "m", "data": data}))
    };
    Router::new()
        .route("/connection/status", get(status))
        .route("/connection/qr", get(qr))
        .route("/connection/pairing", get(pairing).post(pair))
        .route(
            "/connection/passkey",
            get(passkey).post(answer_passkey).delete(cancel),
        )
        .route("/connection/passkey/confirm", post(confirm))
        .route("/connection/disconnect", post(disconnect))
        .route("/connection/pause", post(done))
        .route(
            "/connection/resume",
            post(async || problem(403, "not_permitted", "Only read.")),
        )
        .route(
            "/connection/reconnect",
            post(async || problem(503, "stopping", "Going down.")),
        )
        .route("/admin/reload", post(reload))
        .route("/admin/listeners", get(listeners))
        .route("/admin/keys", get(keys))
        .with_state(stage)
}

pub(crate) fn linked() -> Scene {
    Scene {
        status: json!({
            "isConnected": true, "state": "connected", "phoneNumber": "6281234567889",
            "jid": "6281234567889:3@s.whatsapp.net", "health": ["the disk is nearly full"],
        }),
        ..Scene::default()
    }
}

pub(crate) fn showing_qr(code: &'static str) -> Scene {
    Scene {
        status: json!({"state": "waiting_qr"}),
        qr: Some(code),
        ..Scene::default()
    }
}

pub(crate) fn showing_code(code: &'static str) -> Scene {
    Scene {
        status: json!({"state": "waiting_code", "phoneNumber": "6281234567889"}),
        code: Some(code),
        ..Scene::default()
    }
}

/// The passkey step in one of its stages.
pub(crate) fn in_step(passkey: Value) -> Scene {
    Scene {
        status: json!({"state": "waiting_passkey"}),
        passkey,
        ..Scene::default()
    }
}

impl Scene {
    /// What an order in the passkey step leads to.
    pub(crate) fn then(mut self, then: Self) -> Self {
        self.then = Some(Box::new(then));
        self
    }
}

pub(crate) fn in_state(state: &str) -> Scene {
    Scene {
        status: json!({"state": state}),
        ..Scene::default()
    }
}
