//! What the rest of the program holds of the link: commands in, a watch out.
//! Never a lock, never the session itself.

use super::{
    audience::{Attendance, Audience},
    limits::{CODES, WINDOW},
    moment::Moment,
    openings::{Openings, Tally},
    passkey::{PasskeyError, PasskeyOrder},
    questions::Questions,
};
use crate::wire::{
    Disconnected, PairingCode, PasskeyBody, PasskeyStep, PhoneNumber, QrCode, Status, Timestamp,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot, watch};

/// Commands waiting for the owner task. Each caller waits for its answer, so
/// the queue is as long as the number of concurrent callers; past this they
/// wait to get in.
const QUEUE: usize = 64;

/// What the link looks like at one generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub status: Status,
    pub qr: Option<QrCode>,
    pub pairing: Option<PairingCode>,
    /// What the passkey step waits for, while there is one.
    pub passkey: Option<PasskeyStep>,
    /// Why the last passkey step has ended without a link, until the next
    /// pairing gets further.
    pub passkey_ended: Option<String>,
    /// The state in a sentence, numbers masked.
    pub summary: String,
}

/// An order to pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairOrder {
    pub phone: PhoneNumber,
    /// Eight characters, checked by `wire::custom_code`.
    pub custom_code: Option<String>,
    /// Pair beside a live link and take over from it.
    pub replace: bool,
}

/// Why there is no pairing code.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PairError {
    #[error(
        "a device is linked already: disconnect it first, or ask for replace to link the new number beside it"
    )]
    AlreadyLinked,
    #[error("WhatsApp gives no pairing code for this number now: {message}")]
    Limited {
        message: String,
        retry_after: Duration,
    },
    #[error(
        "this number has had {CODES} pairing codes in {} minutes, and WhatsApp shuts a number out that asks for too many: enter the code that is there, scan the QR code instead, or try again later",
        WINDOW.as_secs() / 60
    )]
    Spaced { retry_after: Duration },
    #[error("WhatsApp refused the pairing code: {0}")]
    Refused(String),
    #[error("WhatsApp cannot be reached: {0}")]
    Unreachable(String),
    #[error("the daemon is shutting down")]
    Stopping,
}

/// The owner task is gone: the daemon is shutting down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the daemon is shutting down")]
pub struct Stopping;

/// How the link pairs by default, out of the `[pairing]` section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairingPolicy {
    /// `Some` for `mode = "code"`.
    pub code_for: Option<PhoneNumber>,
    /// Unlinked and nobody asking for this long: stop making codes. Zero: never stop.
    pub idle_after: Duration,
    /// What the phone shows under Linked devices.
    pub device_name: String,
    /// `chrome` and the like: the icon and the name beside it.
    pub platform: String,
}

/// What the owner task is told to do, each with where its answer goes.
#[derive(Debug)]
pub enum Command {
    Pair(PairOrder, oneshot::Sender<Result<PairingCode, PairError>>),
    /// The answer is what is asked next, if anything.
    Passkey(
        PasskeyOrder,
        oneshot::Sender<Result<Option<PasskeyStep>, PasskeyError>>,
    ),
    Disconnect(oneshot::Sender<Disconnected>),
    Pause(oneshot::Sender<()>),
    Resume(oneshot::Sender<()>),
    Reconnect(oneshot::Sender<()>),
    /// A reload: the policy now in force. The answer names the number for
    /// which pairing began, if it did.
    Reload(PairingPolicy, oneshot::Sender<Option<PhoneNumber>>),
    /// Somebody wants to know how the link stands; ends `idle`.
    Asked,
    /// Close the session and end.
    Stop(oneshot::Sender<()>),
    /// Never do anything again: what the watchdog is there for.
    #[cfg(feature = "sandbox")]
    Stall,
}

/// A cheap, cloneable hold on the link.
#[derive(Debug, Clone)]
pub struct Handle {
    commands: mpsc::Sender<Command>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    last_heard: LastHeard,
    audience: Audience,
    tally: Tally,
    questions: Arc<Questions>,
}

/// When WhatsApp's last byte came in. Outside the snapshots: it changes with
/// every frame, and no watcher wants to be woken for that.
#[derive(Debug, Clone)]
pub struct LastHeard(Arc<AtomicI64>);

impl LastHeard {
    /// Nothing heard yet.
    pub fn never() -> Self {
        Self(Arc::new(AtomicI64::new(i64::MIN)))
    }

    pub fn set(&self, at: Timestamp) {
        self.0.store(at.millis(), Ordering::Relaxed);
    }

    pub fn get(&self) -> Option<Timestamp> {
        match self.0.load(Ordering::Relaxed) {
            i64::MIN => None,
            millis => Some(Timestamp::from_millis(millis)),
        }
    }
}

/// The other ends, for the owner task.
#[derive(Debug)]
pub struct Inbox {
    pub commands: mpsc::Receiver<Command>,
    pub snapshots: watch::Sender<Arc<Snapshot>>,
    pub last_heard: LastHeard,
    pub audience: Audience,
    pub tally: Tally,
}

/// A handle and the inbox behind it, beginning with `first`.
pub fn channel(first: Snapshot) -> (Handle, Inbox) {
    let (commands, inbox) = mpsc::channel(QUEUE);
    let (publish, snapshots) = watch::channel(Arc::new(first));
    let last_heard = LastHeard::never();
    let audience = Audience::default();
    let tally = Tally::default();
    (
        Handle {
            commands,
            snapshots,
            last_heard: last_heard.clone(),
            audience: audience.clone(),
            tally: tally.clone(),
            questions: Arc::default(),
        },
        Inbox {
            commands: inbox,
            snapshots: publish,
            last_heard,
            audience,
            tally,
        },
    )
}

impl Handle {
    /// How things stand, by the wall clock.
    pub fn at(&self, now: Timestamp) -> Moment {
        let snapshot = Arc::clone(&self.snapshots.borrow());
        Moment::new(snapshot, self.last_heard.get(), now)
    }

    /// Whether things stand as they did then.
    pub fn is_still(&self, then: &Moment, now: Timestamp) -> bool {
        then.lasts(&self.snapshots.borrow(), self.last_heard.get(), now)
    }

    /// As [`Handle::at`] by the clock now, to be read.
    pub fn status(&self) -> Status {
        self.at(Timestamp::now()).status()
    }

    /// The QR code to scan now, if there is one.
    pub fn qr(&self, now: Timestamp) -> Option<QrCode> {
        self.snapshots
            .borrow()
            .qr
            .clone()
            .filter(|qr| qr.expires_at > now)
    }

    /// The pairing code to enter now, if there is one, with its time left.
    pub fn pairing(&self, now: Timestamp) -> Option<PairingCode> {
        let code = self.snapshots.borrow().pairing.clone()?;
        (code.expires_at > now).then(|| code.at(now))
    }

    /// What the passkey step waits for now, with its time left.
    ///
    /// # Errors
    ///
    /// [`PasskeyError::NotAsked`] when there is none.
    pub fn passkey(&self, now: Timestamp) -> Result<PasskeyBody, PasskeyError> {
        let snapshot = self.snapshots.borrow();
        match &snapshot.passkey {
            Some(step) if step.expires_at > now => Ok(step.body(now)),
            _ => Err(PasskeyError::NotAsked(snapshot.passkey_ended.clone())),
        }
    }

    /// Every snapshot from now on; the current one counts as seen.
    pub fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        let mut snapshots = self.snapshots.clone();
        snapshots.mark_unchanged();
        snapshots
    }

    /// Waits until `holds` is true of a snapshot, and gives that one.
    ///
    /// # Errors
    ///
    /// [`Stopping`] when the owner task ends first.
    pub async fn wait_for(
        &self,
        mut holds: impl FnMut(&Snapshot) -> bool,
    ) -> Result<Arc<Snapshot>, Stopping> {
        let mut snapshots = self.snapshots.clone();
        let found = snapshots
            .wait_for(|snapshot| holds(snapshot))
            .await
            .map_err(|_| Stopping)?;
        Ok(Arc::clone(&found))
    }

    /// Tells the link that somebody wants to know. Never waits: when the
    /// queue is full, somebody else is asking already.
    pub fn asked(&self) {
        if !self.questions.are_due() {
            return;
        }
        let _ = self.commands.try_send(Command::Asked);
    }

    /// Asks without an end, until the value is dropped.
    pub fn attend(&self) -> Attendance {
        Attendance::begin(self.audience.clone(), self.clone())
    }

    /// How many ask so at the moment.
    pub fn audience(&self) -> usize {
        self.audience.size()
    }

    /// The sessions opened so far.
    pub fn openings(&self) -> Openings {
        self.tally.so_far()
    }

    /// Pairing mode for a number: the code to enter on the phone.
    ///
    /// # Errors
    ///
    /// Says why there is no code; see [`PairError`].
    pub async fn pair(&self, order: PairOrder) -> Result<PairingCode, PairError> {
        self.ask(|answer| Command::Pair(order, answer))
            .await
            .map_err(|_| PairError::Stopping)?
    }

    /// Takes the passkey step further, and says what it asks next: a code to
    /// compare, or nothing more.
    ///
    /// # Errors
    ///
    /// Says why the step does not go on; see [`PasskeyError`].
    pub async fn order_passkey(
        &self,
        order: PasskeyOrder,
    ) -> Result<Option<PasskeyStep>, PasskeyError> {
        self.ask(|answer| Command::Passkey(order, answer)).await?
    }

    /// Unlinks at WhatsApp where possible, wipes the session, pairs anew.
    ///
    /// # Errors
    ///
    /// [`Stopping`] when the daemon is going down.
    pub async fn disconnect(&self) -> Result<Disconnected, Stopping> {
        self.ask(Command::Disconnect).await
    }

    /// Goes offline and stays so, also over a restart.
    ///
    /// # Errors
    ///
    /// [`Stopping`] when the daemon is going down.
    pub async fn pause(&self) -> Result<(), Stopping> {
        self.ask(Command::Pause).await
    }

    /// Ends a pause.
    ///
    /// # Errors
    ///
    /// [`Stopping`] when the daemon is going down.
    pub async fn resume(&self) -> Result<(), Stopping> {
        self.ask(Command::Resume).await
    }

    /// Drops the socket and connects now, whatever the back-off says.
    ///
    /// # Errors
    ///
    /// [`Stopping`] when the daemon is going down.
    pub async fn reconnect(&self) -> Result<(), Stopping> {
        self.ask(Command::Reconnect).await
    }

    /// Puts a reloaded pairing policy in force; `Some` names the number for
    /// which pairing began.
    ///
    /// # Errors
    ///
    /// [`Stopping`] when the daemon is going down.
    pub async fn reload(&self, policy: PairingPolicy) -> Result<Option<PhoneNumber>, Stopping> {
        self.ask(|answer| Command::Reload(policy, answer)).await
    }

    /// Closes the session and ends the owner task.
    pub async fn stop(&self) {
        // An owner task that is gone already is what was asked for.
        let _ = self.ask(Command::Stop).await;
    }

    /// Makes the owner task stuck, for tests of the watchdog.
    #[cfg(feature = "sandbox")]
    pub fn stall(&self) {
        // A full queue means that it is stuck already.
        let _ = self.commands.try_send(Command::Stall);
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, Stopping> {
        let (answer, answered) = oneshot::channel();
        self.commands
            .send(command(answer))
            .await
            .map_err(|_| Stopping)?;
        answered.await.map_err(|_| Stopping)
    }
}
