//! One session: one client of the library, one socket, one life.

use super::{
    code::request_code,
    ear::Ear,
    former::Former,
    http::Http,
    opening::Opening,
    passkey::{self, Assertion, Order},
    pulse::{Beat, Pulse},
    signal::{End, Linked, Signal},
    store::{Slot, Store, StoreError},
    tasks::Tasks,
    transport::Socket,
};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    task::{AbortHandle, JoinHandle},
    time::timeout,
};
use whatsapp_rust::{
    Client,
    bot::Bot,
    wacore::{iq::devices::RemoveCompanionDeviceSpec, store::DevicePropsOverride},
    waproto::whatsapp::device_props::PlatformType,
};

/// The phone's list is updated by WhatsApp within a round trip or two.
const UNLINK_TIMEOUT: Duration = Duration::from_secs(4);

/// The passkey step has two orders, one after the other.
const ORDERS: usize = 4;

/// The library flushes its state on the way out.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// A running session. Dropping it ends it at once; `close` ends it in good
/// order. Either way the last signal is `Ended`.
pub struct Session {
    close: Option<oneshot::Sender<bool>>,
    orders: mpsc::Sender<Order>,
}

/// What the owner has to say to a running session.
struct Inbox {
    closing: oneshot::Receiver<bool>,
    orders: mpsc::Receiver<Order>,
}

impl Session {
    /// Starts a session; what it has to say arrives on `signals`, marked with
    /// `generation`.
    pub fn open(opening: Opening, generation: u64, signals: mpsc::Sender<(u64, Signal)>) -> Self {
        let (close, closing) = oneshot::channel();
        let (orders, ordered) = mpsc::channel(ORDERS);
        let inbox = Inbox {
            closing,
            orders: ordered,
        };
        tokio::spawn(async move {
            let end = match open_store(&opening).await {
                Ok(store) => {
                    let live = opening.slot == Slot::Live;
                    let tasks = Tasks::default();
                    let running = run(opening, &store, &tasks, generation, &signals, inbox);
                    let end = running.await;
                    // What was to be kept is kept; some would go on for minutes.
                    tasks.end();
                    if live {
                        store.settle().await;
                    }
                    end
                }
                Err(end) => end,
            };
            // A receiver that is gone has no use for it.
            let _ = signals.send((generation, Signal::Ended(end))).await;
        });
        Self {
            close: Some(close),
            orders,
        }
    }

    /// Answers WhatsApp's passkey challenge. `PasskeyCode` follows, or
    /// `PasskeyRefused`.
    pub fn answer_passkey(&self, assertion: Assertion) {
        self.order(Order::Answer(assertion));
    }

    /// Confirms the passkey step: a person has compared the code, or there was
    /// none to compare. `PasskeyConfirmed` and `Paired` follow, or
    /// `PasskeyRefused`.
    pub fn confirm_passkey(&self) {
        self.order(Order::Confirm);
    }

    /// A session that is over needs no orders, and one that is not reads them
    /// at once.
    fn order(&self, order: Order) {
        let _ = self.orders.try_send(order);
    }

    /// Ends the session; with `unlink`, WhatsApp is told first to remove this
    /// device. `Ended(Closed { unlinked })` says how that went.
    pub fn close(&mut self, unlink: bool) {
        if let Some(close) = self.close.take() {
            // A session that is over already is what was asked for.
            let _ = close.send(unlink);
        }
    }
}

/// The store of this session. The live one must hold a linked device: without
/// it the library would begin to pair where the link belongs.
async fn open_store(opening: &Opening) -> Result<Store, End> {
    let (vault, slot) = (&opening.vault, opening.slot);
    if slot == Slot::Live && !vault.exists(slot) {
        return Err(End::NoDevice("its file is gone".to_owned()));
    }
    let opened = match vault.open(slot).await {
        Ok(store) if slot == Slot::Candidate => return Ok(store),
        Ok(store) => match store.linked().await {
            Ok(Some(_)) => return Ok(store),
            Ok(None) => Err(StoreError::unlinked(vault, slot)),
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    };
    match opened {
        Err(damaged @ StoreError::Damaged { .. }) => match vault.set_aside(slot, (opening.clock)())
        {
            Ok(aside) => Err(End::NoDevice(format!(
                "{damaged}; set aside as {}",
                aside.display()
            ))),
            Err(error) => Err(End::Store(error.to_string())),
        },
        Ok(store) => Ok(store),
        Err(error) => Err(End::Store(error.to_string())),
    }
}

/// Ends the library's run when the session's task is dropped.
struct Running {
    client: Arc<Client>,
    task: JoinHandle<()>,
    abort: AbortHandle,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.client.signal_shutdown_sync();
        self.abort.abort();
    }
}

async fn run(
    opening: Opening,
    store: &Store,
    tasks: &Tasks,
    generation: u64,
    signals: &mpsc::Sender<(u64, Signal)>,
    mut inbox: Inbox,
) -> End {
    let version = tokio::select! {
        version = opening.versions.current() => version,
        _ = &mut inbox.closing => return End::Closed { unlinked: false },
    };
    let ear = Ear::new(generation, signals.clone());
    let socket = Socket::new(
        &opening.url,
        opening.dialer.clone(),
        Arc::clone(&opening.on_heard),
        opening.clock,
    );
    let bot = Bot::builder()
        .with_backend_arc(Arc::clone(&store.backend) as _)
        .with_transport_factory(socket.clone())
        .with_http_client(Http(opening.dialer.clone()))
        .with_runtime(tasks.clone())
        .with_version((version.0, version.1, version.2))
        .with_device_props(
            DevicePropsOverride::new()
                .with_os(opening.device_name.clone())
                .with_platform_type(platform(&opening.platform)),
        )
        // A connection daemon keeps no history.
        .skip_history_sync()
        .build()
        .await;
    let bot = match bot {
        Ok(bot) => bot,
        Err(error) => return End::Store(error.to_string()),
    };
    let client = bot.client();
    // One socket per client: every retry is the owner's.
    client.enable_auto_reconnect.store(false, Ordering::Relaxed);
    if opening.may_inherit()
        && let Some(former) = opening.vault.keepsake.get()
    {
        former.pass_on(&client).await;
    }
    client.subscribe_handler(Arc::clone(&ear) as _).detach();
    let raw_nodes = client.acquire_raw_node_forwarding();
    let task = tokio::spawn(bot.run());
    let abort = task.abort_handle();
    let mut running = Running {
        client,
        task,
        abort,
    };

    let end = follow(
        &opening,
        &ear,
        &socket,
        &mut running,
        generation,
        signals,
        &mut inbox,
    )
    .await;
    drop(raw_nodes);
    ear.stop_rotation();
    if opening.slot == Slot::Live && has_been_unlinked(&end) {
        opening.vault.keepsake.set(Former::of(&running.client));
    }
    // Flushes what the library still holds, also after an end of its own.
    let _ = timeout(CLOSE_TIMEOUT, running.client.disconnect()).await;
    if ear.paired() {
        store.wait_until_linked().await;
    }
    if matches!(end, End::Outdated) {
        opening.versions.outdated();
    }
    end
}

/// From the first byte to the end.
async fn follow(
    opening: &Opening,
    ear: &Arc<Ear>,
    socket: &Socket,
    running: &mut Running,
    generation: u64,
    signals: &mpsc::Sender<(u64, Signal)>,
    inbox: &mut Inbox,
) -> End {
    let client = Arc::clone(&running.client);
    let say = async |signal| {
        // The receiver outlives every session but the last.
        let _ = signals.send((generation, signal)).await;
    };
    let mut open = false;
    let mut announced = false;
    let pairs = client.pn().is_none();
    let mut pulse = Pulse::new(Arc::clone(&client));
    loop {
        tokio::select! {
            unlink = &mut inbox.closing => {
                // A dropped `Session` closes without a farewell.
                let unlink = unlink.unwrap_or(false);
                ear.leave();
                let unlinked = unlink && unlink_device(&client, ear).await;
                return End::Closed { unlinked };
            }
            Some(order) = inbox.orders.recv() => {
                passkey::carry_out(order, Arc::clone(&client), generation, signals.clone());
            }
            _ = &mut running.task => {
                return ear.end().unwrap_or_else(|| ended_silently(socket, open));
            }
            () = ear.bell.notified() => {
                if ear.logged_in() && !announced {
                    announced = true;
                    // It is linked after all, whatever a login said before.
                    opening.vault.forget();
                    pulse.heard();
                    say(Signal::LoggedIn(linked(&client))).await;
                }
                if let Some(end) = ear.end() {
                    // The library leaves some of these sockets open.
                    let _ = timeout(Duration::from_millis(500), &mut running.task).await;
                    return end;
                }
            }
            ready = client.wait_for_socket(Duration::from_secs(60)), if !open => {
                if ready.is_ok() {
                    open = true;
                    pulse.heard();
                    say(Signal::Open).await;
                    if let Some((phone, code)) = opening.code_for.clone() {
                        request_code(Arc::clone(&client), phone, code, generation, signals.clone());
                    }
                }
            }
            beat = pulse.beat(), if announced || open && pairs => match beat {
                Beat::Answered => say(Signal::Alive).await,
                // For one that shows codes this is the end; of a link the owner judges.
                Beat::Missed(2..) if !announced => return ear.end().unwrap_or(End::Silent),
                Beat::Missed(_) => say(Signal::Silent).await,
            },
        }
    }
}

/// WhatsApp or the phone has ended the link, or says it has.
fn has_been_unlinked(end: &End) -> bool {
    matches!(
        end,
        End::Removed
            | End::Refused {
                code: 401 | 403 | 406,
                ..
            }
    )
}

/// The library tells nothing of some ends; what is left to know is how far
/// the session had come.
fn ended_silently(socket: &Socket, open: bool) -> End {
    match socket.failure() {
        Some(error) => End::Unreachable(error),
        // The library found the open connection dead.
        None if open && socket.fell_silent() => End::Silent,
        None if open => End::Lost,
        None => End::Handshake,
    }
}

fn linked(client: &Client) -> Linked {
    let jid = client.pn();
    Linked {
        jid: jid.as_ref().map(ToString::to_string).unwrap_or_default(),
        number: jid.map(|jid| jid.user.to_string()).unwrap_or_default(),
        push_name: Some(client.push_name()).filter(|name| !name.is_empty()),
    }
}

/// Tells WhatsApp to remove this device. The library's own `logout` does not
/// say whether it worked.
async fn unlink_device(client: &Arc<Client>, ear: &Ear) -> bool {
    if !ear.logged_in() {
        return false;
    }
    let Some(jid) = client.pn() else { return false };
    let asked = timeout(
        UNLINK_TIMEOUT,
        client.execute(RemoveCompanionDeviceSpec::new(&jid)),
    )
    .await;
    // WhatsApp may cut the stream with "device removed" before its answer.
    matches!(asked, Ok(Ok(()))) || ear.end() == Some(End::Removed)
}

fn platform(name: &str) -> PlatformType {
    match name.to_ascii_lowercase().as_str() {
        "firefox" => PlatformType::FIREFOX,
        "edge" => PlatformType::EDGE,
        "safari" => PlatformType::SAFARI,
        "opera" => PlatformType::OPERA,
        "ie" => PlatformType::IE,
        "desktop" => PlatformType::DESKTOP,
        "uwp" => PlatformType::UWP,
        _ => PlatformType::CHROME,
    }
}

/// A normal build does not talk to the sandbox: only whom WhatsApp's own root
/// has signed for gets past the handshake.
#[cfg(all(test, not(feature = "sandbox")))]
mod tests {
    use super::*;
    use crate::{
        dial::Dialer,
        wa::{Vault, VersionSource, public_trust},
        wire::Timestamp,
    };
    use walinkd_sandbox::{Options, Sandbox};

    #[tokio::test]
    async fn no_certificate_chain_but_whatsapps_is_accepted() {
        let sandbox = Sandbox::start(Options::default()).await.expect("a sandbox");
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("version");
        std::fs::write(&file, "2.3000.1 2000\n").expect("written");
        let dialer = Dialer::new(None, public_trust()).expect("no proxy, no fault");
        let clock: fn() -> Timestamp = || Timestamp::from_millis(1000);
        let opening = Opening {
            vault: Vault::new(dir.path()),
            slot: Slot::Candidate,
            url: sandbox.url(),
            dialer: dialer.clone(),
            versions: VersionSource::new(dialer, file, clock),
            device_name: "walinkd".to_owned(),
            platform: "chrome".to_owned(),
            code_for: None,
            on_heard: Arc::new(|_| {}),
            clock,
        };
        let (signals, mut said) = mpsc::channel(16);
        let _session = Session::open(opening, 1, signals);
        let first = timeout(Duration::from_secs(30), said.recv())
            .await
            .expect("in time");
        assert_eq!(first, Some((1, Signal::Ended(End::Handshake))));
        let stats = sandbox.stats();
        assert_eq!((stats.tcp_connections, stats.registrations), (1, 0));
    }
}
