//! Puts the rooms together and runs them: load, check, bind, build, spawn,
//! ready, and at the end drain with a deadline.
//!
//! Owns the start and the stop, the signals, the reload, what systemd is told,
//! and the log. Must hold no logic of its own beyond that order.

mod catalog;
mod descriptors;
mod doctor;
mod inspection;
mod journald;
mod keys;
mod logging;
mod notify;
mod offline;
mod reload;
mod setup;
mod state_dir;
mod terminal;
mod webhooks;

pub use crate::backup::hint as file_hint;
pub use doctor::{Finding, Verdict, examine, examine_keys, examine_keys_in_force, examine_network};
pub use offline::{BackupFile, Restored, back_up, restore};
pub use terminal::Draw;

use crate::{
    api,
    auth::Gate,
    config::{self, Config, Sources},
    dial::Dialer,
    journal::{Entry, Journal, Recorder},
    link::{self, Settings, Survey, Task},
    metrics::Meter,
    server::{self, ControlSocket, Inherited, Listening, Server},
    wa::{self, StoreError, Vault, VersionSource},
    wire::{Severity, Timestamp},
};
use anyhow::Context;
use futures_util::StreamExt;
use keys::Keys;
use logging::LevelHandle;
use reload::{Reloader, Reloads};
#[cfg(feature = "sandbox")]
use signal_hook::consts::SIGUSR2;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook_tokio::Signals;
use std::{ffi::c_int, process::ExitCode, sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, watch},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// `EX_CONFIG`: the configuration, or the state it names, cannot be used.
pub const EXIT_CONFIG: u8 = 78;

/// The daemon sleeps most of the time; two threads keep a slow disk write from
/// holding up an answer.
const THREADS: usize = 2;

/// How long a thread for what blocks stays when there is nothing to do. Each job
/// goes to the one that has waited longest, so that after a jam of the disk even a
/// few jobs a second would keep all of them for the usual ten seconds, and again.
const IDLE_THREAD: Duration = Duration::from_secs(2);

/// Listened to while the daemon runs.
const SIGNALS: &[c_int] = &[
    SIGHUP,
    SIGTERM,
    SIGINT,
    // Makes the owner of the link stuck, for tests of the watchdog.
    #[cfg(feature = "sandbox")]
    SIGUSR2,
];

/// The link takes at most four seconds for its farewell; an owner that has not
/// answered by now is stuck.
const FAREWELL: Duration = Duration::from_millis(4_500);

/// The last events are written within this; a disk that takes longer keeps
/// nobody waiting.
const LAST_EVENTS: Duration = Duration::from_secs(1);

/// This program's version, as the status tells it.
pub const VERSION: &str = if cfg!(feature = "sandbox") {
    concat!(env!("CARGO_PKG_VERSION"), "+sandbox")
} else {
    env!("CARGO_PKG_VERSION")
};

/// Runs the daemon in the foreground until it is told to stop. `draw` is what
/// a QR code is drawn with when the daemon was started on a terminal.
pub fn run(sources: Sources, draw: Option<Draw>) -> ExitCode {
    let config = match config::load(&sources) {
        Ok(config) => config,
        Err(faults) => {
            for fault in faults.iter() {
                complain(&format!("configuration: {fault}"));
            }
            return ExitCode::from(EXIT_CONFIG);
        }
    };
    let level = match logging::open(&config.log) {
        Ok(level) => level,
        Err(error) => {
            complain(&format!("log: {error}: set log.target to stderr"));
            return ExitCode::FAILURE;
        }
    };
    descriptors::raise_limit();
    // Files made from here on are nobody else's, whoever makes them.
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o077));
    let held = match state_dir::hold(&config.storage.state_dir) {
        Ok(held) => held,
        Err(error) => {
            complain(&format!("state: {error:#}"));
            return ExitCode::from(EXIT_CONFIG);
        }
    };
    let journal = Journal::open(
        &config.storage.state_dir,
        config.storage.keep_events,
        Timestamp::now,
    );
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .thread_keep_alive(IDLE_THREAD)
        .enable_all()
        .build();
    let served = match runtime {
        Ok(runtime) => {
            let served = runtime.block_on(serve(sources, config, level, &journal, draw));
            // Whatever still blocks on a disk or a resolver is not waited for.
            runtime.shutdown_background();
            served
        }
        Err(error) => Err(Failure::Other(error.into())),
    };
    journal.close(LAST_EVENTS);
    drop(held);
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::State(error)) => {
            complain(&format!("state: {error}"));
            ExitCode::from(EXIT_CONFIG)
        }
        Err(Failure::Keys(error)) => {
            complain(&format!("keys: {error:#}"));
            ExitCode::from(EXIT_CONFIG)
        }
        Err(Failure::Other(error)) => {
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Why the daemon did not start.
enum Failure {
    /// The state directory's files cannot be used.
    State(StoreError),
    /// The keys, or the group that manages, cannot be had.
    Keys(anyhow::Error),
    Other(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

async fn serve(
    sources: Sources,
    config: Config,
    level: LevelHandle,
    journal: &Journal,
    draw: Option<Draw>,
) -> Result<(), Failure> {
    let state_dir = config.storage.state_dir.clone();
    let meter = Arc::new(Meter::new(VERSION));
    let recorder = journal.recorder().heard_by(meter.clone());
    // Registered before anything else: a signal in the middle of the start
    // must not kill what has just begun.
    let mut signals = Signals::new(SIGNALS).context("signals")?;

    descriptors::warn_if_too_few(config.http.max_connections);
    let vault = Vault::new(&state_dir);
    let survey = inspection::survey(&state_dir, &vault, &recorder, &mut signals).await;
    let Some(survey) = survey.map_err(Failure::State)? else {
        return Ok(());
    };
    let keys = Keys::new(&state_dir, recorder.clone());
    let (rules, rules_in_force) =
        watch::channel(Arc::new(keys.first_rules(&config).map_err(Failure::Keys)?));
    let (settings, settings_in_force) = watch::channel(Arc::new(setup::api(&config)));
    let (terms, terms_in_force) = watch::channel(Arc::new(setup::terms(&config)));
    let doors = doors(&config, rules.borrow().control_group).await?;
    let listening = Listening::at(&doors, terms_in_force.clone());
    let places = listening.places().join(", ");

    let dialer =
        Dialer::new(setup::proxy(&config), wa::public_trust()).context("whatsapp.proxy")?;
    let (link, task) = build_link(&config, dialer.clone(), vault, survey, recorder.clone());
    let webhooks = webhooks::open(&config, dialer, journal, recorder.clone(), &link).await;
    let owner = tokio::spawn(task.run());
    let reloads = Reloader {
        sources,
        running: config,
        keys,
        rules,
        api: settings,
        terms,
        level,
        ordered_level: None,
        keeper: journal.keeper(),
        recorder: recorder.clone(),
        link: link.clone(),
        webhooks,
    }
    .spawn();
    let (ready, is_ready) = watch::channel(false);
    let stopping = CancellationToken::new();
    let routers = api::routers(api::App {
        link: link.clone(),
        gate: Gate::new(rules_in_force.clone()),
        recorder: recorder.clone(),
        events: journal.reader(),
        settings: settings_in_force,
        ready: is_ready,
        stopping: stopping.clone(),
        office: Box::new(reloads.clone()),
        listening: Box::new(move || listening.places()),
        logs: api::log_turns(),
        meter,
        frames: api::EventFrames::default(),
        written: api::Written::default(),
        now: Timestamp::now,
    });
    let answers = |front: api::Front| {
        move |guest| {
            let clerk = front.welcome(guest);
            move |request| clerk.answer(request)
        }
    };
    let (tcp, control) = (answers(routers.tcp), answers(routers.control));
    let mut server = Server::new(tcp, control, terms_in_force, rules_in_force);
    doors
        .tcp
        .into_iter()
        .for_each(|listener| server.listen_tcp(listener));
    doors
        .control
        .into_iter()
        .for_each(|socket| server.listen_control(socket));
    let server = tokio::spawn(server.run(stopping.clone()));
    tokio::spawn(tell_systemd(link.clone()));
    if let Some(draw) = draw {
        tokio::spawn(terminal::show(link.clone(), draw));
    }
    ready.send_replace(true);
    notify::ready();
    let told = format!(
        "walinkd {VERSION} is ready: {places}, state in {}",
        state_dir.display()
    );
    recorder.record(Entry::new("admin.start", Severity::Info, told));

    until_stopped(signals, &reloads, &recorder, &link).await;

    notify::stopping();
    stopping.cancel();
    // The server bounds its own drain.
    let (served, left) = tokio::join!(server, timeout(FAREWELL, link.stop()));
    served.context("the server")?;
    left.context("the owner of the link does not answer; its session is cut")?;
    owner.await.context("the owner of the link")?;
    Ok(())
}

/// Takes over what the service manager passed, and opens the rest.
async fn doors(config: &Config, group: Option<u32>) -> anyhow::Result<Inherited> {
    let mut doors = server::inherited()?;
    if doors.tcp.is_empty() {
        for address in &config.http.listen {
            doors.tcp.push(server::bind_tcp(*address)?);
        }
    }
    if doors.control.is_empty() {
        doors
            .control
            .push(ControlSocket::bind(&config.control.socket, group).await?);
    }
    Ok(doors)
}

fn build_link(
    config: &Config,
    dialer: Dialer,
    vault: Vault,
    survey: Survey,
    recorder: Recorder,
) -> (link::Handle, Task) {
    let versions = VersionSource::new(
        dialer.clone(),
        config.storage.state_dir.join("whatsapp-version"),
        Timestamp::now,
    );
    let settings = Settings {
        vault,
        dialer,
        versions,
        url: config.whatsapp.url.clone(),
        version: VERSION.to_owned(),
        started_at: Timestamp::now(),
        recorder,
        heartbeat: notify::heartbeat(),
    };
    link::new(settings, setup::pairing(&config.pairing), survey)
}

/// Waits for the signal to stop; a second one ends the process at once.
async fn until_stopped(
    mut signals: Signals,
    reloads: &Reloads,
    recorder: &Recorder,
    #[cfg_attr(
        not(feature = "sandbox"),
        expect(unused_variables, reason = "for tests")
    )]
    link: &link::Handle,
) {
    let hangups = Arc::new(Notify::new());
    tokio::spawn(reload_at_hangups(Arc::clone(&hangups), reloads.clone()));
    while let Some(signal) = signals.next().await {
        #[cfg(feature = "sandbox")]
        if signal == SIGUSR2 {
            link.stall();
            continue;
        }
        if signal == SIGHUP {
            hangups.notify_one();
            continue;
        }
        recorder.record(Entry::new("admin.stop", Severity::Info, "told to stop"));
        tokio::spawn(async move {
            while let Some(signal) = signals.next().await {
                if signal != SIGHUP {
                    #[expect(clippy::disallowed_methods, reason = "a second signal means now")]
                    std::process::exit(1);
                }
            }
        });
        return;
    }
}

/// One reload after the other: signals that come meanwhile are one more, which
/// finds the file as the last of them meant it.
async fn reload_at_hangups(hangups: Arc<Notify>, reloads: Reloads) {
    loop {
        hangups.notified().await;
        // The report is logged by the reloader itself; an error is the end.
        let _ = reloads.ask().await;
    }
}

/// Keeps `STATUS=` at the state in a sentence.
async fn tell_systemd(link: link::Handle) {
    let mut snapshots = link.watch();
    loop {
        let summary = snapshots.borrow_and_update().summary.clone();
        notify::status(&summary);
        if snapshots.changed().await.is_err() {
            return;
        }
    }
}

#[expect(
    clippy::print_stderr,
    reason = "the log may not be open, and a person may be watching"
)]
fn complain(text: &str) {
    eprintln!("walinkd: {text}");
}
