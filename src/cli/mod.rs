//! The terminal: one file a verb. Flags become one typed call, answers become
//! text, failures become an exit status and a line that says what to do.
//!
//! Owns what people type and read. Must keep no state.

mod backup;
mod board;
mod card;
mod check_config;
mod completions;
mod disconnect;
mod doctor;
mod failure;
mod instance;
mod key;
mod pair;
mod passkey;
mod paste;
mod pause;
mod qr;
mod reconnect;
mod reload;
mod restore;
mod resume;
mod run;
mod screen;
mod socket;
mod status;
mod step;
mod wait;
mod watch;
mod webhook;

use crate::{
    config::{self, Config, Sources},
    daemon::VERSION,
};
use board::interruptible;
use clap::{CommandFactory as _, Parser, Subcommand, error::ErrorKind};
use failure::Failure;
use instance::Instance;
use screen::Form;
use std::{path::PathBuf, process::ExitCode};

const EXIT_STATUS: &str = "\
Exit status: 0 done; 1 refused or failed; 2 usage; 3 not in the asked state;
69 no daemon there; 77 not permitted; 78 configuration.";

/// Keeps one WhatsApp linked device alive. Without a command it is the daemon,
/// in the foreground; with one it talks to the daemon that runs.
#[derive(Debug, Parser)]
#[command(name = "walinkd", version = VERSION, after_help = EXIT_STATUS)]
struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Option<Verb>,
}

/// What stands before or after any command.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Common options")]
struct Common {
    /// The configuration [default: /etc/walinkd/walinkd.toml]
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// The daemon's control socket [default: $WALINKD_SOCKET, or where a daemon
    /// has it]
    #[arg(long, value_name = "PATH", global = true)]
    socket: Option<PathBuf>,
    /// The instance walinkd@NAME
    #[arg(long, value_name = "NAME", global = true, conflicts_with = "socket")]
    instance: Option<Instance>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    #[command(flatten)]
    Client(ClientVerb),
    /// Check a configuration and tell every fault
    ///
    /// Each fault is on a line of its own, with file:line:column, the key, what is wrong
    /// and what to do. Exits with 78 when there is one.
    #[command(after_help = "Example: walinkd check-config /etc/walinkd/walinkd.toml")]
    CheckConfig(check_config::Arguments),
    /// Look at everything the daemon needs, and say what to do
    ///
    /// Configuration, daemon and link, state directory, lock, clock, keys, and the way to
    /// WhatsApp: proxy, DNS, TLS, and whether it answers. Each is ok, a warning or a
    /// failure, with the next step. Works with the daemon down; run it as root or as
    /// the daemon's user. Exits with 1 when there is a failure.
    #[command(after_help = "Example: walinkd doctor")]
    Doctor(doctor::Arguments),
    /// Copy the state with its keys into a file
    ///
    /// Also while the daemon runs, and in one consistent piece: the linked device, the
    /// events, the API keys. Who has the file can read and write as you: keep it as
    /// you keep a key. Without a daemon it needs the right to read the state
    /// directory.
    #[command(after_help = "Example: walinkd backup /root/walinkd.backup")]
    Backup(backup::Arguments),
    /// Put a copy of the state in the place of what is there
    ///
    /// The daemon must be stopped. What is there is set aside in the state directory.
    /// A copy that is damaged, or older than the last use of the device that is there,
    /// is refused, and then nothing is changed.
    #[command(
        after_help = "Example: walinkd restore /root/walinkd.backup && systemctl start walinkd"
    )]
    Restore(restore::Arguments),
    /// Print what a shell needs to complete this command line
    ///
    /// The package installs these. Without it, for bash: walinkd completions bash
    /// > ~/.local/share/bash-completion/completions/walinkd
    #[command(after_help = "Example: walinkd completions fish | source")]
    Completions(completions::Arguments),
}

/// The verbs that are calls of the API.
#[derive(Debug, Subcommand)]
enum ClientVerb {
    /// Show the connection at a glance
    ///
    /// Warnings come first. Exits with 0 when connected, and with 3 when not.
    #[command(after_help = "Example: walinkd status >/dev/null && echo connected")]
    Status(status::Arguments),
    /// Show the connection at a glance, then each change as it happens
    ///
    /// Goes on until it is interrupted, also over a restart of the daemon: what happened
    /// meanwhile is told then. Each line is an event of GET /connection/log.
    #[command(after_help = "Example: walinkd watch --json | jq .type")]
    Watch(watch::Arguments),
    /// Wait until the connection stands as wanted
    ///
    /// Exits with 0 once it does, and with 3 when the time is over. A restart of the
    /// daemon meanwhile is waited out; without a daemon to begin with it is 69.
    #[command(after_help = "Example: walinkd wait --timeout 2m && echo connected")]
    Wait(wait::Arguments),
    /// Draw the QR code until a phone has scanned it
    ///
    /// It is drawn anew each time WhatsApp changes it, until the device is linked, also
    /// over a restart of the daemon. To scan it: WhatsApp on the phone, Linked devices,
    /// Link a device. Without a UTF-8 locale the drawing is ASCII. In a window without
    /// room for it this says how large it must be.
    #[command(after_help = "Example: walinkd qr --png /tmp/qr.png --no-wait")]
    Qr(qr::Arguments),
    /// Show a pairing code for a number until it is linked
    ///
    /// To enter it: WhatsApp on the phone, Linked devices, Link a device, Link with
    /// phone number instead.
    #[command(after_help = "Example: walinkd pair 628123456789")]
    Pair(pair::Arguments),
    /// Take the passkey step, when WhatsApp asks for it
    ///
    /// For some accounts WhatsApp wants, after the scan or the code, the account's
    /// passkey before it links a device. This prints a script for the console of a
    /// browser on https://web.whatsapp.com that can use the passkey, takes what the
    /// script prints, and has a code compared with the phone's. Exits with 3 when
    /// nothing is asked.
    Passkey(passkey::Arguments),
    /// Unlink the device, wipe its session, pair anew
    ///
    /// Says when WhatsApp could not be told: then remove the device on the phone too,
    /// under Linked devices.
    #[command(after_help = "Example: walinkd disconnect")]
    Disconnect(Form),
    /// Go offline and stay so, also over a restart; the link is kept
    ///
    /// Ended by resume, and by pair and disconnect.
    #[command(after_help = "Example: walinkd pause")]
    Pause(Form),
    /// End a pause
    ///
    /// When nothing was paused it says so, and that is no failure.
    #[command(after_help = "Example: walinkd resume")]
    Resume(Form),
    /// Drop the connection and connect now
    ///
    /// Skips the wait before the next try. While paused, and while WhatsApp waits for
    /// a passkey, nothing is done and this exits with 3.
    #[command(after_help = "Example: walinkd reconnect")]
    Reconnect(Form),
    /// Make, list and remove API keys
    #[command(after_help = "Example: walinkd key list")]
    Key(key::Arguments),
    /// List, test and resume webhooks
    #[command(after_help = "Example: walinkd webhook list")]
    Webhook(webhook::Arguments),
    /// Read the configuration anew and say what changed
    ///
    /// The same as SIGHUP, with an answer: which keys have changed, and which wait for a
    /// restart. When the file is refused the running configuration stays, and this
    /// exits with 78 and says every fault.
    #[command(after_help = "Example: walinkd reload")]
    Reload(Form),
}

/// The whole command line, for those who describe it.
pub fn command() -> clap::Command {
    Arguments::command()
}

/// The whole program.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    dispatch(arguments).unwrap_or_else(Failure::tell)
}

fn dispatch(arguments: Arguments) -> Result<ExitCode, Failure> {
    let Arguments { common, verb } = arguments;
    match verb {
        None => {
            no_instance(&common);
            Ok(run::run(common.sources()?))
        }
        Some(Verb::CheckConfig(arguments)) => {
            check_config::run(&common, arguments).map(|()| ExitCode::SUCCESS)
        }
        Some(Verb::Completions(arguments)) => {
            completions::run(&arguments).map(|()| ExitCode::SUCCESS)
        }
        Some(Verb::Doctor(arguments)) => {
            doctor::run(&common, &arguments).map(|()| ExitCode::SUCCESS)
        }
        Some(Verb::Backup(arguments)) => {
            backup::run(&common, &arguments).map(|()| ExitCode::SUCCESS)
        }
        Some(Verb::Restore(arguments)) => {
            restore::run(&common, &arguments).map(|()| ExitCode::SUCCESS)
        }
        Some(Verb::Client(verb)) => call(&common, verb).map(|()| ExitCode::SUCCESS),
    }
}

/// Talks to the daemon that runs.
fn call(common: &Common, verb: ClientVerb) -> Result<(), Failure> {
    let client = socket::client(common)?;
    runtime()?.block_on(async {
        match verb {
            ClientVerb::Status(arguments) => status::run(&client, &arguments).await,
            ClientVerb::Watch(arguments) => watch::run(&client, &arguments).await,
            ClientVerb::Wait(arguments) => wait::run(&client, &arguments).await,
            ClientVerb::Qr(arguments) => interruptible(qr::run(&client, &arguments)).await,
            ClientVerb::Pair(arguments) => interruptible(pair::run(&client, arguments)).await,
            ClientVerb::Passkey(arguments) => passkey::run(&client, arguments).await,
            ClientVerb::Disconnect(form) => disconnect::run(&client, form).await,
            ClientVerb::Pause(form) => pause::run(&client, form).await,
            ClientVerb::Resume(form) => resume::run(&client, form).await,
            ClientVerb::Reconnect(form) => reconnect::run(&client, form).await,
            ClientVerb::Key(arguments) => key::run(&client, arguments).await,
            ClientVerb::Webhook(arguments) => webhook::run(&client, arguments).await,
            ClientVerb::Reload(form) => reload::run(&client, form).await,
        }
    })
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new("cannot start", error, "free some memory or descriptors"))
}

/// An instance's daemon is its unit's to start: by hand it would share state
/// with the one that is not named.
fn no_instance(common: &Common) {
    if common.instance.is_some() {
        command()
            .error(
                ErrorKind::ArgumentConflict,
                "--instance names a daemon that runs: to start one, use \
                 systemctl start walinkd@NAME, or --config FILE",
            )
            .exit();
    }
}

impl Common {
    /// What the daemon goes by that these flags name.
    fn daemon(&self) -> Result<Config, Failure> {
        let mut sources = self.sources()?;
        if let Some(instance) = &self.instance {
            // As its unit has it.
            sources.file = sources.file.or_else(|| Some(instance.config()));
            let state = instance.state().into_os_string();
            sources.env.insert("STATE_DIRECTORY", state);
        }
        Ok(config::load(&sources)?)
    }

    /// What a daemon would go by that is started with these flags.
    fn sources(&self) -> Result<Sources, Failure> {
        let mut sources = Sources::from_process(self.config.clone());
        if let Some(socket) = &self.socket {
            let socket = std::path::absolute(socket).map_err(|error| {
                Failure::new("--socket", error, "write the whole path of the socket")
            })?;
            sources.socket = Some(socket);
        }
        Ok(sources)
    }
}
