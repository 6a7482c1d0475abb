//! Every verb where it does not find what it is for: its exit status, and all that it
//! says then. In a state that is the wrong one for it, and for a user who may only read.

use crate::{
    NUMBER, OTHER, link,
    support::{Daemon, Home, Program, WALINKD, verbs},
    world,
};
use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::Path,
    process::{Command, Stdio},
};
use walinkd_sandbox::{PasskeyGate, Phone};

/// How the daemon stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scene {
    /// Nothing is linked, and a QR code waits.
    Unlinked,
    /// A pairing code waits.
    Pairing,
    /// A code was scanned, and WhatsApp demands the passkey.
    Passkey,
    Linked,
    Paused,
}

use Scene::{Linked, Pairing, Passkey, Paused, Unlinked};

const SCENES: [Scene; 5] = [Unlinked, Pairing, Passkey, Linked, Paused];

const RELOAD: &[&str] = &["reload"];

/// `…` stands for what differs from run to run.
type Case = (Scene, &'static [&'static str], i32, &'static str);

#[rustfmt::skip]
const CASES: &[Case] = &[
    (Unlinked, &["status"], 3,
     "    state: not linked, a QR code waits to be scanned, since …"),
    (Paused, &["status"], 3,
     "    state: paused, the link is kept, since …"),
    (Unlinked, &["wait", "--timeout", "0s"], 3,
     "walinkd: wait: not connected in time, it is not linked, a QR code waits to be scanned: see walinkd status, or give a longer --timeout"),
    (Linked, &["wait", "--for", "unlinked", "--timeout", "0s"], 3,
     "walinkd: wait: not unlinked in time, it is connected: see walinkd status, or give a longer --timeout"),
    (Pairing, &["qr"], 1,
     "walinkd: qr: the daemon waits for a pairing code for 62812*****89: enter that code on the phone (walinkd pair PHONE shows it), or go back to the configured way with walinkd disconnect"),
    (Passkey, &["qr", "--no-wait"], 1,
     "walinkd: qr: a code has been scanned, and WhatsApp asks for the account's passkey: run walinkd passkey"),
    (Linked, &["qr"], 1,
     "walinkd: qr: already linked as 62812*****89: unlink first with walinkd disconnect, or walinkd pair PHONE --replace"),
    (Paused, &["qr"], 1,
     "walinkd: qr: already linked as 62812*****89: unlink first with walinkd disconnect, or walinkd pair PHONE --replace"),
    (Linked, &["pair", OTHER], 1,
     "walinkd: pair: a device is linked already: unlink it first with walinkd disconnect, or add --replace to link the new number beside it"),
    (Unlinked, &["passkey"], 3,
     "walinkd: passkey: WhatsApp asks for no passkey now: it asks, if at all, after a scan of the QR code (walinkd qr) or the entry of a pairing code (walinkd pair PHONE)"),
    (Unlinked, &["passkey", "--cancel"], 3,
     "walinkd: passkey: WhatsApp asks for no passkey now: it asks, …"),
    (Unlinked, &["passkey", "--script"], 3,
     "walinkd: passkey: WhatsApp asks for no passkey now: it asks, …"),
    (Linked, &["passkey"], 3,
     "walinkd: passkey: WhatsApp asks for no passkey, connected as 62812*****89: it asks, …"),
    // Legal in every state: it says what there was to do.
    (Unlinked, &["disconnect"], 0,
     "Nothing was linked.\nTo link again: walinkd qr, or walinkd pair PHONE."),
    (Paused, &["pause"], 0,
     "Paused. The link is kept; walinkd resume goes online again."),
    (Linked, &["resume"], 0,
     "Nothing was paused."),
    (Paused, &["reconnect"], 3,
     "walinkd: reconnect: the daemon is paused: end that first: walinkd resume"),
    (Passkey, &["reconnect"], 3,
     "walinkd: reconnect: WhatsApp waits for the passkey on this connection: end that first: walinkd passkey --cancel"),
    // The file has got a fault since the start.
    (Linked, RELOAD, 78,
     "walinkd: reload: the configuration is refused and the running one stays:\nFOLDER/walinkd.toml:…: pairing.mode: \"pigeon\" is not known: write one of \"qr\", \"code\""),
    (Linked, &["key", "add", "shop"], 1,
     "walinkd: key add: There is a key shop already: …"),
    (Linked, &["key", "add", "API_KEY"], 1,
     "walinkd: key add: The name API_KEY stands for a key from elsewhere: choose another."),
    (Linked, &["key", "remove", "nobody"], 1,
     "walinkd: key remove: There is no key of this name: walinkd key list shows them."),
    (Linked, &["key", "remove", "API_KEY"], 1,
     "walinkd: key remove: …environment…"),
    (Linked, &["webhook", "test"], 1,
     "walinkd: webhook test: No webhook is configured: each is a table [[webhook]] of the configuration."),
    (Linked, &["webhook", "test", "shop"], 1,
     "walinkd: webhook test: There is no webhook of this name: walinkd webhook list shows them."),
    (Linked, &["webhook", "resume", "shop"], 1,
     "walinkd: webhook resume: There is no webhook of this name: walinkd webhook list shows them."),
    (Linked, &["backup", "FOLDER/walinkd.toml"], 1,
     "walinkd: backup: FOLDER/walinkd.toml is there already: name another file, or add --force"),
    (Linked, &["restore", "FOLDER/copy"], 1,
     "walinkd: restore: FOLDER/state: in use by another walinkd (PID …): stop that one, or give this one its own storage.state_dir"),
];

/// They have no wrong state.
const IN_ANY: &[&[&str]] = &[
    // Whatever stands there is told.
    &["watch"],
    &["doctor"],
    &["key", "list"],
    &["webhook", "list"],
    // Nobody is asked.
    &["check-config"],
    &["completions"],
];

#[test]
fn no_verb_is_missing() {
    let wrong = verbs::named(CASES.iter().map(|(_, verb, ..)| *verb));
    let any = verbs::named(IN_ANY.iter().copied());
    assert!(wrong.is_disjoint(&any), "{wrong:?} {any:?}");
    assert_eq!(&wrong | &any, verbs::all());
    let mut readers = verbs::named(READER.iter().map(|(verb, ..)| *verb));
    // It ends when nobody reads it any more.
    readers.insert("watch".to_owned());
    assert_eq!(readers, verbs::all());
}

#[tokio::test]
async fn in_the_wrong_state() {
    let (_sandbox, phone, home) = world().await;
    let daemon = home.start();
    daemon.qr().await;
    for verb in [&["backup", "FOLDER/copy"][..], &["key", "add", "shop"]] {
        assert_eq!(run(&home, verb).await.0, 0, "{verb:?}");
    }
    let mut other = Vec::new();
    for scene in SCENES {
        enter(scene, &daemon, &phone).await;
        for (_, verb, exit, wanted) in CASES.iter().filter(|(there, ..)| *there == scene) {
            if *verb == RELOAD {
                home.configure("[pairing]\nmode = \"pigeon\"\n");
            }
            let (code, told) = run(&home, verb).await;
            home.configure("");
            if code != *exit || !matches(&told, wanted) {
                other.push(format!("{scene:?} {verb:?}: {code}: {told}"));
            }
        }
    }
    assert!(other.is_empty(), "{}", other.join("\n"));
    assert_eq!(daemon.status().await["state"], "paused");
}

/// From the one before it.
async fn enter(scene: Scene, daemon: &Daemon, phone: &Phone) {
    match scene {
        Unlinked => {}
        Pairing => {
            let pair = daemon.cli(&["pair", NUMBER, "--no-wait"]).await;
            assert!(pair.status.success(), "{pair:?}");
            daemon.code().await;
        }
        Passkey => {
            phone.require_passkey(PasskeyGate::default());
            daemon.post("/connection/disconnect").await;
            let code = daemon.qr().await;
            let phone = phone.clone();
            tokio::spawn(async move { phone.scan(&code).await });
            daemon.until_state("waiting_passkey").await;
        }
        Linked => {
            phone.waive_passkey();
            let cancel = daemon.cli(&["passkey", "--cancel"]).await;
            assert!(cancel.status.success(), "{cancel:?}");
            link(daemon, phone).await;
        }
        Paused => {
            daemon.post("/connection/pause").await;
            daemon.until_state("paused").await;
        }
    }
}

/// Runs a verb beside the daemon of this home; all that it says, without the place.
async fn run(home: &Home, verb: &[&str]) -> (i32, String) {
    output(home, command(Path::new(WALINKD), home, verb)).await
}

fn command(binary: &Path, home: &Home, verb: &[&str]) -> Command {
    let folder = folder(home);
    let mut command = Command::new(binary);
    if verb == RELOAD {
        // By the file it would itself refuse it.
        command.arg("--socket").arg(home.socket()).env_clear();
    } else {
        command.arg("--config").arg(home.config()).env_clear();
    }
    command.args(verb.iter().map(|word| word.replace("FOLDER", &folder)));
    command.current_dir("/").stdin(Stdio::null());
    command
}

fn folder(home: &Home) -> String {
    let config = home.config();
    let folder = config.parent().expect("a folder");
    folder.to_str().expect("UTF-8").to_owned()
}

async fn output(home: &Home, mut command: Command) -> (i32, String) {
    let output = tokio::task::spawn_blocking(move || command.output());
    let output = output.await.expect("no panic").expect("it runs");
    let told = [output.stdout, output.stderr].concat();
    let told = String::from_utf8(told).expect("UTF-8");
    let code = output.status.code().expect("no signal");
    (code, told.trim_end().replace(&folder(home), "FOLDER"))
}

/// Whether a text is as wanted, where `…` is whatever it is.
fn matches(told: &str, wanted: &str) -> bool {
    let mut pieces = wanted.split('…');
    let Some(mut rest) = told.strip_prefix(pieces.next().unwrap_or_default()) else {
        return false;
    };
    let mut last = None;
    for piece in pieces {
        let Some((_, after)) = rest.split_once(piece) else {
            return false;
        };
        rest = after;
        last = Some(piece);
    }
    rest.is_empty() || last == Some("")
}

#[test]
fn a_pattern_tells_texts_apart() {
    for (told, wanted, same) in [
        ("abc", "abc", true),
        ("abcd", "abc", false),
        ("xabc", "abc", false),
        ("abc", "a…", true),
        ("abc", "a…c", true),
        ("abcd", "a…c", false),
        ("abc", "a…x…", false),
    ] {
        assert_eq!(matches(told, wanted), same, "{told} {wanted}");
    }
}

/// Nobody's, on every system.
const NOBODY: u32 = 65534;

const REFUSED: i32 = 77;

/// What another user is told who may open the socket: all that there is to see, and
/// why nothing can be done.
#[rustfmt::skip]
const READER: &[(&[&str], i32, &str)] = &[
    (&["status"], 0, "    state: connected, since …"),
    (&["wait"], 0, ""),
    (&["qr"], 1, "walinkd: qr: already linked …"),
    (&["key", "list"], 0, "NAME …"),
    (&["webhook", "list"], 0, "no webhooks…"),
    (&["check-config"], 0, "FOLDER/walinkd.toml: OK"),
    (&["completions", "bash"], 0, "_walinkd…"),
    // The state directory is not theirs.
    (&["doctor"], 1, "ok …failure …state: …run this as root, or as the daemon's user…"),
    (&["restore", "FOLDER/copy"], REFUSED, "walinkd: restore: FOLDER/copy: Permission denied (os error 13): run this as root, or as the daemon's user"),
    (&["pair", OTHER], REFUSED, "walinkd: pair: …"),
    (&["passkey"], REFUSED, "walinkd: passkey: …"),
    (&["disconnect"], REFUSED, "walinkd: disconnect: …"),
    (&["pause"], REFUSED, "walinkd: pause: …"),
    (&["resume"], REFUSED, "walinkd: resume: …"),
    (&["reconnect"], REFUSED, "walinkd: reconnect: …"),
    (RELOAD, REFUSED, "walinkd: reload: …"),
    (&["key", "add", "mine"], REFUSED, "walinkd: key add: …"),
    (&["key", "remove", "mine"], REFUSED, "walinkd: key remove: …"),
    (&["webhook", "test"], REFUSED, "walinkd: webhook test: …"),
    (&["webhook", "resume"], REFUSED, "walinkd: webhook resume: …"),
    (&["backup", "FOLDER/mine"], REFUSED, "walinkd: backup: …"),
];

#[tokio::test]
async fn to_a_user_who_may_only_read() {
    if !nix::unistd::geteuid().is_root() {
        // Only root can be somebody else.
        return;
    }
    let (_sandbox, phone, home) = world().await;
    let daemon = home.start();
    link(&daemon, &phone).await;
    assert_eq!(run(&home, &["backup", "FOLDER/copy"]).await.0, 0);
    let binary = home.config().with_file_name("walinkd");
    // By another process: a file that is open for writing here would be so in each
    // child that another test starts just now, and then cannot be run.
    let copied = Command::new("cp")
        .args([Path::new(WALINKD), &binary])
        .status();
    assert!(copied.expect("cp runs").success(), "no room for a copy");
    for (path, mode) in [
        (home.config().with_file_name(""), 0o755),
        (home.socket(), 0o666),
        (binary.clone(), 0o755),
    ] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("ours");
    }
    let as_nobody = |verb| {
        let mut command = command(&binary, &home, verb);
        command.uid(NOBODY).gid(NOBODY);
        command
    };
    for (verb, exit, wanted) in READER {
        let (code, told) = output(&home, as_nobody(verb)).await;
        assert_eq!(code, *exit, "{verb:?}: {told}");
        assert!(matches(&told, wanted), "{verb:?}: {told}");
    }
    let mut watch = Program::read_for(&mut as_nobody(&["watch"]), 1);
    watch.out.until("state: connected").await;
    assert_eq!(watch.ended().await.code(), Some(0));
    assert_eq!(daemon.status().await["isConnected"], true);
}
