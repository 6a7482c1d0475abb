//! The API over a made-up link and a journal of its own.

use sha2::{Digest, Sha256};
use std::{sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::{runtime::Runtime, sync::watch};
use tokio_util::sync::CancellationToken;
use walinkd::{
    api::{App, Office, Settings, Work},
    auth::{Gate, Key, Keyring, Rules, Scope},
    journal::Journal,
    link::{self, Command, Inbox, PairError, PasskeyError, Snapshot},
    metrics::Meter,
    wire::{
        Code, ConfigReport, Disconnected, KeyInfo, KeyRemoved, KeyRequest, LogLevel, NewKey,
        PairingCode, Problem, ReloadReport, State, Status, Timestamp,
    },
};

const NOW: Timestamp = Timestamp::from_millis(1_766_811_600_000);
const MAX_BODY: usize = 4096;
const DAY: Duration = Duration::from_secs(86_400);

pub(super) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

/// What has to live as long as the API does.
pub(super) struct Edge {
    pub folder: TempDir,
    pub journal: Journal,
}

impl Edge {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let journal = Journal::open(folder.path(), DAY, || NOW);
        Self { folder, journal }
    }

    /// It is stopping, so that nobody waits.
    pub(super) fn app(&self, runtime: &Runtime) -> App {
        let (link, inbox) = link::channel(snapshot());
        runtime.spawn(commands(inbox));
        let (_, settings) = watch::channel(Arc::new(Settings {
            cors_origins: vec!["*".to_owned()],
            dashboard: true,
            request_timeout: Duration::from_secs(10),
            max_body: MAX_BODY,
        }));
        let (_, ready) = watch::channel(true);
        let stopping = CancellationToken::new();
        stopping.cancel();
        App {
            link,
            gate: Gate::new(rules()),
            recorder: self.journal.recorder(),
            events: self.journal.reader(),
            settings,
            ready,
            stopping,
            office: Box::new(Nobody),
            listening: Box::new(Vec::new),
            logs: walinkd::api::log_turns(),
            meter: Arc::new(Meter::new("0.0.0")),
            frames: walinkd::api::EventFrames::default(),
            written: walinkd::api::Written::default(),
            now: || NOW,
        }
    }
}

/// Two keys, and no limit that a flood from one address would meet.
pub(super) fn rules() -> watch::Receiver<Arc<Rules>> {
    let key = |name: &str, scope| Key {
        name: name.into(),
        sha256: Sha256::digest(name).into(),
        scope,
        expires: None,
    };
    let keys = vec![key("manager", Scope::Manage), key("reader", Scope::Read)];
    let rules = Rules {
        keyring: Keyring::new(keys, None),
        max_streams_per_key: 8,
        ..Rules::default()
    };
    watch::channel(Arc::new(rules)).1
}

/// Stands in for the link's owner.
async fn commands(mut inbox: Inbox) {
    while let Some(command) = inbox.commands.recv().await {
        match command {
            Command::Pair(order, answer) => {
                let code = order.custom_code.as_deref().unwrap_or("ABCDEFGH");
                let paired = match order.replace {
                    true => Ok(PairingCode::new(code, &order.phone, NOW, NOW)),
                    false => Err(PairError::AlreadyLinked),
                };
                let _ = answer.send(paired);
            }
            Command::Passkey(_, answer) => {
                let _ = answer.send(Err(PasskeyError::NotAsked(None)));
            }
            Command::Disconnect(answer) => {
                let _ = answer.send(Disconnected {
                    unlinked_at_whatsapp: true,
                    wiped: true,
                });
            }
            Command::Pause(answer) | Command::Resume(answer) | Command::Reconnect(answer) => {
                let _ = answer.send(());
            }
            _ => {}
        }
    }
}

/// Stands in for the daemon: it has no keys and makes none.
struct Nobody;

impl Office for Nobody {
    fn reload(&self) -> Work<'_, ReloadReport> {
        Box::pin(async { Ok(ReloadReport::default()) })
    }

    fn keys(&self) -> Work<'_, Vec<KeyInfo>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn add_key(&self, _: KeyRequest) -> Work<'_, NewKey> {
        Box::pin(async { Err(Problem::new(Code::KeyExists, "there is one")) })
    }

    fn remove_key(&self, _: String) -> Work<'_, KeyRemoved> {
        Box::pin(async { Err(Problem::new(Code::NoSuchKey, "there is none")) })
    }

    fn config(&self) -> Work<'_, ConfigReport> {
        Box::pin(async { Err(Problem::new(Code::Stopping, "it stops")) })
    }

    fn set_log_level(&self, level: String) -> Work<'_, LogLevel> {
        let configured = level.clone();
        Box::pin(async { Ok(LogLevel { level, configured }) })
    }

    fn backup(&self) -> Work<'_, std::fs::File> {
        Box::pin(async { Err(Problem::new(Code::Stopping, "it stops")) })
    }
}

fn snapshot() -> Snapshot {
    Snapshot {
        status: Status {
            is_connected: false,
            has_qr_code: false,
            has_pairing_code: false,
            phone_number: None,
            last_qr_update: None,
            last_pairing_update: None,
            state: State::Idle,
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
            generation: 1,
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
