//! The whole router against a made-up owner task, without sockets.

mod callers;
mod connection;
mod dashboard;
mod events;
mod log;
mod metrics;
mod openapi;
mod passkey;
mod shape;

use super::{
    App, EventFrames, Front, Office, Routers, Settings, Work, Written, dashboard::MEDIA as PAGE,
    events::MEDIA, log_turns, routers,
};
use crate::{
    auth::{Acquaintance, Gate, Guest, Key, Keyring, Origin, Rules, Scope},
    journal::Journal,
    link::{self, BadCredential, Command, Inbox, PairError, PasskeyError, PasskeyOrder, Snapshot},
    metrics::{MEDIA as METRICS, Meter},
    wire::{
        ConfigReport, Disconnected, KeyInfo, KeyRemoved, KeyRequest, LogLevel, NewKey, PairingCode,
        PasskeyStage, PasskeyStep, PhoneNumber, Problem, QrCode, ReloadReport, State, Status,
        Timestamp,
    },
};
use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Request, Response, StatusCode},
};
use http_body_util::BodyExt;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

const NOW: Timestamp = Timestamp::from_millis(1_766_811_600_000);
const MAX_BODY: usize = 1024;
const GROUP: u32 = 77;

/// Numbers for which the owner task answers otherwise than with a code.
const LINKED: &str = "62810000001";
const LIMITED: &str = "62810000002";
const UNREACHABLE: &str = "62810000003";
const REFUSED: &str = "62810000004";
const SILENT: &str = "62810000005";

fn snapshot(generation: u64) -> Snapshot {
    Snapshot {
        status: Status {
            is_connected: false,
            has_qr_code: false,
            has_pairing_code: false,
            phone_number: None,
            last_qr_update: None,
            last_pairing_update: None,
            state: State::WaitingQr,
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
            generation,
            started_at: NOW,
            version: "0.0.0".to_owned(),
        },
        qr: None,
        pairing: None,
        passkey: None,
        passkey_ended: None,
        summary: String::new(),
    }
}

fn qr() -> QrCode {
    QrCode {
        code: "2@WsYovQD+qnbgd1tsGtBKn2N9ZBo96rx".to_owned(),
        shown_at: NOW,
        expires_at: NOW.plus_millis(60_000),
    }
}

fn code(phone: &PhoneNumber) -> PairingCode {
    PairingCode::new("ABCDEFGH", phone, NOW, NOW.plus_millis(160_000))
}

/// What the owner task does with a number.
fn pair(phone: &PhoneNumber) -> Option<Result<PairingCode, PairError>> {
    let retry_after = Duration::from_millis(89_001);
    Some(match phone.digits() {
        LINKED => Err(PairError::AlreadyLinked),
        LIMITED => Err(PairError::Limited {
            message: "too many codes".to_owned(),
            retry_after,
        }),
        UNREACHABLE => Err(PairError::Unreachable("no route to host".to_owned())),
        REFUSED => Err(PairError::Refused("not acceptable".to_owned())),
        SILENT => return None,
        _ => Ok(code(phone)),
    })
}

/// What the owner task does with an order for the passkey step, by the name
/// in it.
fn passkey(order: &PasskeyOrder) -> Option<Result<Option<PasskeyStep>, PasskeyError>> {
    Some(match order {
        PasskeyOrder::Answer(answer) => match answer["id"].as_str() {
            Some("silent") => return None,
            Some("bad") => Err(PasskeyError::Bad(BadCredential::Ids)),
            Some("refused") => Err(PasskeyError::Refused("it says no".to_owned())),
            Some("none") => Err(PasskeyError::NotAsked(Some("too late".to_owned()))),
            _ => Ok(Some(code_step())),
        },
        PasskeyOrder::BrowserFailed(name) => Err(PasskeyError::Browser(name.clone())),
        PasskeyOrder::Confirm | PasskeyOrder::Cancel => Ok(None),
    })
}

fn code_step() -> PasskeyStep {
    PasskeyStep {
        stage: PasskeyStage::Confirm {
            code: "ABCD-EFGH".to_owned(),
        },
        expires_at: NOW.plus_millis(120_000),
    }
}

struct Bench {
    routers: Routers,
    snapshots: watch::Sender<Arc<Snapshot>>,
    /// Commands the owner task has seen, by name.
    seen: watch::Receiver<Vec<&'static str>>,
    settings: watch::Sender<Arc<Settings>>,
    rules: watch::Sender<Arc<Rules>>,
    ready: watch::Sender<bool>,
    stopping: CancellationToken,
    journal: Journal,
    folder: TempDir,
}

fn key(secret: &str, scope: Scope, expires: Option<Timestamp>) -> Key {
    Key {
        name: secret.into(),
        sha256: Sha256::digest(secret).into(),
        scope,
        expires,
    }
}

async fn own(mut inbox: mpsc::Receiver<Command>, seen: watch::Sender<Vec<&'static str>>) {
    let mut never_answered: Vec<oneshot::Sender<_>> = Vec::new();
    let mut unchecked: Vec<oneshot::Sender<_>> = Vec::new();
    while let Some(command) = inbox.recv().await {
        let name = match command {
            Command::Pair(order, answer) => {
                match pair(&order.phone) {
                    Some(paired) => {
                        let _ = answer.send(paired);
                    }
                    None => never_answered.push(answer),
                }
                "pair"
            }
            Command::Passkey(order, answer) => {
                match passkey(&order) {
                    Some(next) => {
                        let _ = answer.send(next);
                    }
                    None => unchecked.push(answer),
                }
                "passkey"
            }
            Command::Disconnect(answer) => {
                let _ = answer.send(Disconnected {
                    unlinked_at_whatsapp: true,
                    wiped: true,
                });
                "disconnect"
            }
            Command::Pause(answer) => {
                let _ = answer.send(());
                "pause"
            }
            Command::Resume(answer) => {
                let _ = answer.send(());
                "resume"
            }
            Command::Reconnect(answer) => {
                let _ = answer.send(());
                "reconnect"
            }
            Command::Asked => "asked",
            Command::Reload(..) | Command::Stop(_) => "other",
            #[cfg(feature = "sandbox")]
            Command::Stall => "stall",
        };
        seen.send_modify(|seen| seen.push(name));
    }
}

/// The daemon as a whole, played.
struct Played(fn() -> Result<ReloadReport, Problem>);

impl Office for Played {
    fn reload(&self) -> Work<'_, ReloadReport> {
        let answer = self.0;
        Box::pin(async move { answer() })
    }

    fn keys(&self) -> Work<'_, Vec<KeyInfo>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn add_key(&self, request: KeyRequest) -> Work<'_, NewKey> {
        Box::pin(async move {
            Ok(NewKey {
                key: "fresh".to_owned(),
                name: request.name,
                scope: request.scope,
                expires: None,
            })
        })
    }

    fn remove_key(&self, name: String) -> Work<'_, KeyRemoved> {
        let remaining = 0;
        Box::pin(async move { Ok(KeyRemoved { name, remaining }) })
    }

    fn config(&self) -> Work<'_, ConfigReport> {
        let (file, settings) = (None, BTreeMap::new());
        Box::pin(async { Ok(ConfigReport { file, settings }) })
    }

    fn set_log_level(&self, level: String) -> Work<'_, LogLevel> {
        let configured = "info".to_owned();
        Box::pin(async { Ok(LogLevel { level, configured }) })
    }

    fn backup(&self) -> Work<'_, std::fs::File> {
        Box::pin(async { tempfile::tempfile().map_err(|_| super::problem::internal()) })
    }
}

fn bench() -> Bench {
    bench_with(reloads)
}

fn reloads() -> Result<ReloadReport, Problem> {
    Ok(ReloadReport {
        applied: vec!["auth.keys".to_owned()],
        ..ReloadReport::default()
    })
}

fn bench_with(reload: fn() -> Result<ReloadReport, Problem>) -> Bench {
    bench_in(tempfile::tempdir().expect("a directory"), reload)
}

/// With its journal in `folder`.
fn bench_in(folder: TempDir, reload: fn() -> Result<ReloadReport, Problem>) -> Bench {
    let (link, inbox) = link::channel(snapshot(1));
    let Inbox {
        commands,
        snapshots,
        ..
    } = inbox;
    let (saw, seen) = watch::channel(Vec::new());
    tokio::spawn(own(commands, saw));
    let (settings, settings_now) = watch::channel(Arc::new(Settings {
        cors_origins: vec!["*".to_owned()],
        dashboard: true,
        request_timeout: Duration::from_secs(10),
        max_body: MAX_BODY,
    }));
    let (rules, rules_now) = watch::channel(Arc::new(Rules {
        keyring: Keyring::new(
            vec![
                key("reader", Scope::Read, None),
                key("manager", Scope::Manage, None),
                key("expired", Scope::Manage, Some(NOW)),
            ],
            None,
        ),
        control_group: Some(GROUP),
        max_streams_per_key: 8,
        ..Rules::default()
    }));
    let (ready, ready_now) = watch::channel(true);
    let stopping = CancellationToken::new();
    let keep = Duration::from_secs(86_400);
    let journal = Journal::open(folder.path(), keep, || NOW);
    Bench {
        routers: routers(App {
            link,
            gate: Gate::new(rules_now),
            recorder: journal.recorder(),
            events: journal.reader(),
            settings: settings_now,
            ready: ready_now,
            stopping: stopping.clone(),
            office: Box::new(Played(reload)),
            listening: Box::new(|| vec!["http://127.0.0.1:3000".to_owned()]),
            logs: log_turns(),
            meter: Arc::new(Meter::new("0.0.0")),
            frames: EventFrames::default(),
            written: Written::default(),
            now: || NOW,
        }),
        snapshots,
        seen,
        settings,
        rules,
        ready,
        stopping,
        journal,
        folder,
    }
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).map(|value| value.to_str());
        value.and_then(Result::ok).unwrap_or_default()
    }
}

/// The answer to a request that comes from where its extension says.
async fn served(front: &Front, request: Request<Body>) -> Response<Body> {
    let origin = request.extensions().get::<Origin>();
    let clerk = front.welcome(Guest {
        origin: origin.expect("an origin").clone(),
        acquaintance: Acquaintance::default(),
    });
    clerk.answer(request).await.map(Body::new)
}

async fn send(front: &Front, request: Request<Body>) -> Answer {
    let (parts, body) = served(front, request).await.into_parts();
    // This one would go on for ever.
    let streams = parts.headers.get("content-type") == Some(&HeaderValue::from_static(MEDIA));
    let body = if streams { Body::empty() } else { body };
    let bytes = body.collect().await.expect("a whole body").to_bytes();
    let plain = parts.headers.get("content-type") == Some(&HeaderValue::from_static(METRICS));
    let page = parts.headers.get("content-type") == Some(&HeaderValue::from_static(PAGE));
    let body = if bytes.is_empty() || plain {
        Value::Null
    } else if page {
        String::from_utf8_lossy(&bytes).into()
    } else {
        serde_json::from_slice(&bytes).expect("every other body is JSON")
    };
    Answer {
        status: parts.status,
        headers: parts.headers,
        body,
    }
}

/// A request over TCP with a key.
fn call(method: &str, path: &str, key: &str) -> Request<Body> {
    with_body(method, path, key, None, "")
}

fn with_body(
    method: &str,
    path: &str,
    key: &str,
    content_type: Option<&str>,
    body: &str,
) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if !key.is_empty() {
        request = request.header("x-api-key", key);
    }
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    request
        .extension(Origin::Tcp(([192, 0, 2, 1], 4711).into()))
        .body(Body::from(body.to_owned()))
        .expect("a request")
}

impl Bench {
    async fn get(&self, path: &str) -> Answer {
        send(&self.routers.tcp, call("GET", path, "reader")).await
    }

    async fn post(&self, path: &str, body: &str) -> Answer {
        let content_type = Some("application/json");
        let request = with_body("POST", path, "manager", content_type, body);
        send(&self.routers.tcp, request).await
    }

    fn publish(&self, change: impl FnOnce(&mut Snapshot)) {
        self.snapshots.send_modify(|current| {
            let mut next = Snapshot::clone(current);
            next.status.generation += 1;
            change(&mut next);
            *current = Arc::new(next);
        });
    }

    async fn saw(&mut self, command: &str) {
        let waited = self.seen.wait_for(|seen| seen.contains(&command));
        tokio::time::timeout(Duration::from_secs(5), waited)
            .await
            .expect("the command comes in time")
            .expect("the owner task lives");
    }
}

fn assert_problem(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.body);
    assert_eq!(answer.body["success"], false);
    assert_eq!(answer.body["code"], code);
    assert!(
        answer.body["error"]
            .as_str()
            .is_some_and(|text| text.len() > 10)
    );
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(
        answer.header("content-type"),
        "application/json; charset=utf-8"
    );
}
