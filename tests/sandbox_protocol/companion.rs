//! A client of the library, its store, and its events in order.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use walinkd_sandbox::{LinkedDevice, Options, Phone, Sandbox};
use whatsapp_rust::bot::{Bot, BotHandle};
use whatsapp_rust::client::Client;
use whatsapp_rust::store::SqliteStore;
use whatsapp_rust::transport::TokioWebSocketTransportFactory;
use whatsapp_rust::types::events::Event;
use whatsapp_rust::wacore::store::DevicePropsOverride;
use whatsapp_rust::waproto::whatsapp::device_props::PlatformType;

/// Long enough for a loaded machine; nothing waits for it to pass.
pub(crate) const SOON: Duration = Duration::from_secs(60);

pub(crate) const NUMBER: &str = "628123456789";

pub(crate) async fn sandbox() -> Sandbox {
    sandbox_with(Options::default()).await
}

pub(crate) async fn sandbox_with(options: Options) -> Sandbox {
    Sandbox::start(options).await.expect("the sandbox starts")
}

pub(crate) struct Companion {
    pub(crate) client: Arc<Client>,
    events: mpsc::Receiver<Arc<Event>>,
    bot: BotHandle,
}

impl Companion {
    /// Runs a client on the store in `directory`.
    pub(crate) async fn start(sandbox: &Sandbox, directory: &Path) -> Self {
        let store = directory.join("session.db");
        let store = SqliteStore::new(store.to_str().expect("a plain path"))
            .await
            .expect("the store opens");
        let (sender, events) = mpsc::channel(4096);
        let bot = Bot::builder()
            .with_backend(store)
            .with_transport_factory(TokioWebSocketTransportFactory::new().with_url(sandbox.url()))
            .with_version((2, 3000, 1_027_000_000))
            .with_device_props(
                DevicePropsOverride::new()
                    .with_os("walinkd test")
                    .with_platform_type(PlatformType::CHROME),
            )
            .skip_history_sync()
            .with_wanted_pre_key_count(30)
            .on_event(move |event, _| {
                let sender = sender.clone();
                async move {
                    // A test that has ended looks at no more events.
                    let _: Result<(), _> = sender.try_send(event);
                }
            })
            .build()
            .await
            .expect("the client is built")
            .spawn();
        Self {
            client: bot.client(),
            events,
            bot,
        }
    }

    /// The next event that `pick` takes something from.
    pub(crate) async fn expect<T>(&mut self, what: &str, pick: impl Fn(&Event) -> Option<T>) -> T {
        let found = async {
            while let Some(event) = self.events.recv().await {
                if let Some(found) = pick(&event) {
                    return found;
                }
            }
            panic!("the client ended before {what}")
        };
        tokio::time::timeout(SOON, found)
            .await
            .unwrap_or_else(|_| panic!("no {what} in time"))
    }

    pub(crate) async fn qr(&mut self) -> String {
        self.expect("QR code", |event| match event {
            Event::PairingQrCode(qr) => Some(qr.code.clone()),
            _ => None,
        })
        .await
    }

    pub(crate) async fn connected(&mut self) {
        self.expect("Connected", |event| {
            matches!(event, Event::Connected(_)).then_some(())
        })
        .await;
    }

    /// Whether the client was told so when it tried to log in.
    pub(crate) async fn logged_out(&mut self) -> bool {
        self.expect("LoggedOut", |event| match event {
            Event::LoggedOut(end) => Some(end.on_connect),
            _ => None,
        })
        .await
    }

    pub(crate) async fn link(&mut self, phone: &Phone) -> LinkedDevice {
        let qr = self.qr().await;
        phone.scan(&qr).await.expect("the scan links")
    }

    pub(crate) async fn shutdown(self) {
        self.bot.shutdown().await;
    }
}

/// A linked client that is online, with its phone and its store.
pub(crate) struct Linked {
    pub(crate) phone: Phone,
    pub(crate) device: LinkedDevice,
    pub(crate) companion: Companion,
    pub(crate) store: tempfile::TempDir,
}

pub(crate) async fn linked(sandbox: &Sandbox) -> Linked {
    let store = tempfile::tempdir().expect("a directory");
    let phone = sandbox.add_phone(NUMBER);
    let mut companion = Companion::start(sandbox, store.path()).await;
    let device = companion.link(&phone).await;
    companion.connected().await;
    Linked {
        phone,
        device,
        companion,
        store,
    }
}

/// Waits until the sandbox has let the devices in `logins` times.
pub(crate) async fn logins(sandbox: &Sandbox, logins: u64) {
    sandbox
        .wait_for(|state| state.stats.logins >= logins, SOON)
        .await
        .expect("the device logs in");
}
