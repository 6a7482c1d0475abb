//! Performs what the machine decides: the only owner of the sessions.

use super::{
    handle::{Command, Handle, Inbox, PairError, PairingPolicy, Snapshot, channel},
    machine::{Answer, Effect, Event, Input, Machine, Now, ReplyId, Weight},
    memory::{Memory, Remembered},
    openings::Purpose,
    passkey::PasskeyError,
    survey::Survey,
};
use crate::{
    dial::Dialer,
    journal::{Entry, Recorder},
    wa::{Opening, Session, Signal, Slot, Vault, VersionSource},
    wire::{Disconnected, PairingCode, PasskeyStep, PhoneNumber, Severity, Timestamp},
};
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{MissedTickBehavior, interval, sleep_until, timeout},
};

/// Signals waiting to be read; the task reads at once.
const SIGNALS: usize = 256;

/// The next attempt is told by the wall clock but kept by another one; reading
/// the two a little apart is no news.
const SAME_MOMENT_MILLIS: u64 = 1_000;

/// How long until `state.toml` is written again that could not be.
const SAVE_AGAIN: Duration = Duration::from_secs(10);

/// Closing sessions have this long when the daemon stops.
const STOP_WITHIN: Duration = Duration::from_secs(4);

/// What the link stands on.
pub struct Settings {
    pub vault: Vault,
    pub dialer: Dialer,
    pub versions: Arc<VersionSource>,
    pub url: String,
    pub version: String,
    pub started_at: Timestamp,
    pub recorder: Recorder,
    /// Called this often while the task is alive: the watchdog's food.
    pub heartbeat: Option<(Duration, Box<dyn Fn() + Send>)>,
}

/// The task, and the handle the rest of the program holds of it.
pub fn new(settings: Settings, policy: PairingPolicy, survey: Survey) -> (Handle, Task) {
    let wall = Timestamp::now();
    let now = Now {
        mono: Duration::ZERO,
        wall,
        ahead: wall.ahead_of_boot(),
    };
    let seed = now.wall.millis().unsigned_abs() ^ u64::from(std::process::id());
    let Survey {
        live,
        candidate,
        remembered,
        memory,
        warnings,
    } = survey;
    let machine = Machine::new(
        policy,
        remembered.last_disconnect.clone(),
        warnings,
        seed,
        now,
    );
    let first = machine.snapshot(
        now,
        remembered.generation,
        settings.started_at,
        &settings.version,
    );
    let (handle, inbox) = channel(first);
    let (signal_sender, signals) = mpsc::channel(SIGNALS);
    let task = Task {
        settings,
        machine,
        memory,
        inbox,
        signals,
        signal_sender,
        sessions: HashMap::new(),
        queue: VecDeque::new(),
        replies: HashMap::new(),
        next_reply: 0,
        answers: Vec::new(),
        began: Instant::now(),
        start: Some(Input::Start {
            live,
            candidate,
            paused: remembered.paused,
        }),
        remembered,
        save_at: None,
    };
    (handle, task)
}

enum Reply {
    Pair(oneshot::Sender<Result<PairingCode, PairError>>),
    Passkey(oneshot::Sender<Result<Option<PasskeyStep>, PasskeyError>>),
    Disconnect(oneshot::Sender<Disconnected>),
    Reload(oneshot::Sender<Option<PhoneNumber>>),
}

/// The owner task's own state: sessions, queues, channels.
pub struct Task {
    settings: Settings,
    machine: Machine,
    memory: Memory,
    inbox: Inbox,
    signals: mpsc::Receiver<(u64, Signal)>,
    signal_sender: mpsc::Sender<(u64, Signal)>,
    sessions: HashMap<Slot, (u64, Session)>,
    /// Effects on slots, in order; the first waits until its slots are free.
    queue: VecDeque<Effect>,
    replies: HashMap<ReplyId, Reply>,
    next_reply: ReplyId,
    answers: Vec<(ReplyId, Answer)>,
    began: Instant,
    start: Option<Input>,
    remembered: Remembered,
    /// `state.toml` is behind, and is to be written then.
    save_at: Option<Instant>,
}

impl Task {
    /// Runs until it is told to stop, or every handle is gone.
    pub async fn run(mut self) {
        if let Some(start) = self.start.take() {
            self.step(start);
        }
        let (every, beat) = match self.settings.heartbeat.take() {
            Some((every, beat)) => (every, Some(beat)),
            None => (Duration::from_secs(3600), None),
        };
        let mut pulse = interval(every.max(Duration::from_millis(1)));
        pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let deadline = self.machine.next_deadline().map(|at| self.began + at);
            tokio::select! {
                command = self.inbox.commands.recv() => match command {
                    Some(Command::Stop(done)) => {
                        self.stop().await;
                        let _ = done.send(());
                        return;
                    }
                    #[cfg(feature = "sandbox")]
                    Some(Command::Stall) => std::future::pending().await,
                    Some(command) => self.command(command),
                    None => {
                        self.stop().await;
                        return;
                    }
                },
                Some((generation, signal)) = self.signals.recv() => self.signal(generation, signal),
                () = sleep_until(deadline.unwrap_or(self.began).into()), if deadline.is_some() => {
                    self.step(Input::Tick);
                }
                () = sleep_until(self.save_at.unwrap_or(self.began).into()), if self.save_at.is_some() => {
                    self.remember();
                }
                _ = pulse.tick() => if let Some(beat) = &beat { beat() },
            }
        }
    }

    fn now(&self) -> Now {
        let wall = Timestamp::now();
        Now {
            mono: self.began.elapsed(),
            wall,
            ahead: wall.ahead_of_boot(),
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Pair(order, reply) => {
                let id = self.expect(Reply::Pair(reply));
                self.step(Input::Pair(order, id));
            }
            Command::Passkey(order, reply) => {
                let id = self.expect(Reply::Passkey(reply));
                self.step(Input::Passkey(order, id));
            }
            Command::Disconnect(reply) => {
                let id = self.expect(Reply::Disconnect(reply));
                self.step(Input::Disconnect(id));
            }
            Command::Reload(policy, reply) => {
                let id = self.expect(Reply::Reload(reply));
                self.step(Input::Reload(policy, id));
            }
            Command::Pause(done) => self.plain(Input::Pause, done),
            Command::Resume(done) => self.plain(Input::Resume, done),
            Command::Reconnect(done) => self.plain(Input::Reconnect, done),
            Command::Asked => self.step(Input::Asked),
            // Taken by the loop.
            Command::Stop(_) => {}
            #[cfg(feature = "sandbox")]
            Command::Stall => {}
        }
    }

    fn plain(&mut self, input: Input, done: oneshot::Sender<()>) {
        self.step(input);
        let _ = done.send(());
    }

    fn expect(&mut self, reply: Reply) -> ReplyId {
        self.next_reply += 1;
        self.replies.insert(self.next_reply, reply);
        self.next_reply
    }

    fn signal(&mut self, generation: u64, signal: Signal) {
        if matches!(signal, Signal::Ended(_)) {
            self.sessions
                .retain(|_, (running, _)| *running != generation);
        }
        self.step(Input::Signal { generation, signal });
    }

    /// One input through the machine, and all that follows from it.
    fn step(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let now = self.now();
            let mut effects = Vec::new();
            if self.inbox.audience.is_there() {
                effects = self.machine.step(Input::Asked, now);
            }
            effects.extend(self.machine.step(input, now));
            for effect in effects {
                self.perform(effect);
            }
            if let Some(next) = self.work_off() {
                inputs.push_back(next);
            }
        }
        self.publish();
        for (id, answer) in std::mem::take(&mut self.answers) {
            self.answer(id, answer);
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Close { slot, unlink } => {
                // What was still to be opened there is not wanted any more.
                self.queue
                    .retain(|queued| !matches!(queued, Effect::Open { slot: s, .. } if *s == slot));
                if let Some((_, session)) = self.sessions.get_mut(&slot) {
                    session.close(unlink);
                }
            }
            Effect::AnswerPasskey(assertion) => {
                if let Some((_, session)) = self.sessions.get(&Slot::Candidate) {
                    session.answer_passkey(assertion);
                }
            }
            Effect::ConfirmPasskey => {
                if let Some((_, session)) = self.sessions.get(&Slot::Candidate) {
                    session.confirm_passkey();
                }
            }
            Effect::Forget => self.settings.vault.forget(),
            Effect::Answer(id, answer) => self.answers.push((id, answer)),
            Effect::Remember {
                paused,
                last_disconnect,
            } => {
                self.remembered.paused = paused;
                self.remembered.last_disconnect = last_disconnect;
                self.remember();
            }
            Effect::Record(event) => self.settings.recorder.record(entry(event)),
            queued @ (Effect::Open { .. } | Effect::Wipe(_) | Effect::Promote) => {
                if queued == Effect::Wipe(Slot::Candidate) {
                    // What is to be wiped is not to be promoted first.
                    self.queue.retain(|queued| *queued != Effect::Promote);
                }
                self.queue.push_back(queued);
            }
        }
    }

    /// Performs queued effects until one has to wait, or one has a result the
    /// machine must hear first.
    fn work_off(&mut self) -> Option<Input> {
        while let Some(effect) = self.queue.front() {
            let free = |slot: Slot| !self.sessions.contains_key(&slot);
            let ready = match effect {
                Effect::Open { slot, .. } | Effect::Wipe(slot) => free(*slot),
                _ => free(Slot::Live) && free(Slot::Candidate),
            };
            if !ready {
                return None;
            }
            match self.queue.pop_front() {
                Some(Effect::Open {
                    slot,
                    generation,
                    purpose,
                }) => {
                    self.open(slot, generation, purpose);
                }
                Some(Effect::Wipe(slot)) => {
                    let result = self
                        .settings
                        .vault
                        .wipe(slot)
                        .map_err(|error| error.to_string());
                    return Some(Input::Wiped { slot, result });
                }
                Some(Effect::Promote) => {
                    let result = self
                        .settings
                        .vault
                        .promote()
                        .map_err(|error| error.to_string());
                    return Some(Input::Promoted(result));
                }
                _ => {}
            }
        }
        None
    }

    fn open(&mut self, slot: Slot, generation: u64, purpose: Purpose) {
        self.inbox.tally.opened(&purpose);
        let last_heard = self.inbox.last_heard.clone();
        let opening = Opening {
            vault: self.settings.vault.clone(),
            slot,
            url: self.settings.url.clone(),
            dialer: self.settings.dialer.clone(),
            versions: Arc::clone(&self.settings.versions),
            device_name: self.machine.policy.device_name.clone(),
            platform: self.machine.policy.platform.clone(),
            code_for: match purpose {
                Purpose::Login | Purpose::Qr => None,
                Purpose::Code(phone, custom) => Some((phone, custom)),
            },
            on_heard: Arc::new(move |at| last_heard.set(at)),
            clock: Timestamp::now,
        };
        let session = Session::open(opening, generation, self.signal_sender.clone());
        self.sessions.insert(slot, (generation, session));
    }

    /// Writes `state.toml`, and again until it is written.
    fn remember(&mut self) {
        let Err(error) = self.memory.save(&self.remembered) else {
            self.save_at = None;
            return;
        };
        // One line for a whole shortage.
        if self.save_at.replace(Instant::now() + SAVE_AGAIN).is_none() {
            let told = format!(
                "state.toml cannot be written: {error}: free some space or make the state directory writable"
            );
            let entry = Entry::new("connection.store", Severity::Warning, told);
            self.settings.recorder.record(entry);
        }
    }

    /// Publishes a snapshot when it says something new.
    fn publish(&self) {
        let now = self.now();
        self.inbox.snapshots.send_if_modified(|published| {
            let generation = published.status.generation;
            let mut snapshot = self.snapshot(now, generation);
            let next = &mut snapshot.status.next_attempt_at;
            if let (Some(next), Some(before)) = (next, published.status.next_attempt_at)
                && next.millis().abs_diff(before.millis()) < SAME_MOMENT_MILLIS
            {
                *next = before;
            }
            if snapshot == **published {
                return false;
            }
            snapshot.status.generation = generation + 1;
            *published = Arc::new(snapshot);
            true
        });
    }

    fn snapshot(&self, now: Now, generation: u64) -> Snapshot {
        self.machine.snapshot(
            now,
            generation,
            self.settings.started_at,
            &self.settings.version,
        )
    }

    fn answer(&mut self, id: ReplyId, answer: Answer) {
        // A caller that has gone away does not want its answer any more.
        match (self.replies.remove(&id), answer) {
            (Some(Reply::Pair(reply)), Answer::Pair(result)) => drop(reply.send(result)),
            (Some(Reply::Passkey(reply)), Answer::Passkey(result)) => drop(reply.send(result)),
            (Some(Reply::Disconnect(reply)), Answer::Disconnect(done)) => drop(reply.send(done)),
            (Some(Reply::Reload(reply)), Answer::Reload(phone)) => drop(reply.send(phone)),
            _ => {}
        }
    }

    /// Closes the sessions in good order, as far as time allows.
    async fn stop(&mut self) {
        self.step(Input::Stop);
        let closed = async {
            while !self.sessions.is_empty() {
                match self.signals.recv().await {
                    Some((generation, signal)) => self.signal(generation, signal),
                    None => break,
                }
            }
        };
        if timeout(STOP_WITHIN, closed).await.is_err() {
            tracing::warn!("a session did not close in time; its socket is cut");
        }
    }
}

fn entry(event: Event) -> Entry {
    let severity = match event.weight {
        Weight::Detail => Severity::Debug,
        Weight::Notice => Severity::Info,
        Weight::Warning => Severity::Warning,
    };
    let reason = event.reason.as_ref().map(|reason| reason.code.as_str());
    Entry::new(event.kind, severity, event.message)
        .state(event.state)
        .reason(reason)
}
