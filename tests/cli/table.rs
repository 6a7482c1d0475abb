//! Each verb in each situation: its exit status, and how it says why.

use super::{BINARY, command, directory, every, outcome, walinkd};
use std::{
    fs::{self, Permissions},
    os::unix::{
        fs::PermissionsExt as _, net::UnixListener as StdListener, process::CommandExt as _,
    },
    path::Path,
    process::Command,
};

/// How a verb ends without a daemon.
#[derive(Clone, Copy, PartialEq)]
enum Alone {
    /// It needs one.
    NeedsOne,
    /// It does without, and ends like this.
    Ends(i32),
}

use Alone::{Ends, NeedsOne};

/// Every verb with what it cannot do without.
const VERBS: &[(&[&str], Alone)] = &[
    (&["status"], NeedsOne),
    (&["watch"], NeedsOne),
    (&["wait"], NeedsOne),
    (&["qr"], NeedsOne),
    (&["pair", "628123456789"], NeedsOne),
    (&["passkey"], NeedsOne),
    (&["disconnect"], NeedsOne),
    (&["pause"], NeedsOne),
    (&["resume"], NeedsOne),
    (&["reconnect"], NeedsOne),
    (&["reload"], NeedsOne),
    (&["key", "add", "name"], NeedsOne),
    (&["key", "list"], NeedsOne),
    (&["key", "remove", "name"], NeedsOne),
    (&["webhook", "list"], NeedsOne),
    (&["webhook", "test"], NeedsOne),
    (&["webhook", "resume"], NeedsOne),
    (&["backup", "/nowhere/copy"], NeedsOne),
    (&["restore", "/nowhere/copy"], Ends(1)),
    (&["check-config", "/nowhere/walinkd.toml"], Ends(78)),
    // Without a network it has something to tell.
    (&["doctor"], Ends(1)),
    (&["completions", "bash"], Ends(0)),
];

#[test]
fn no_verb_is_missing_here() {
    let here = every::named(VERBS.iter().map(|(verb, _)| *verb));
    assert_eq!(here, every::all());
}

/// `walinkd: what: why: what to do`, on one line.
fn assert_form(verb: &[&str], told: &str) {
    let line = told.lines().next().unwrap_or_default();
    let parts = line.split(": ").count();
    assert!(
        line.starts_with("walinkd: ") && parts >= 3,
        "{verb:?}: {told}"
    );
}

#[test]
fn without_a_daemon() {
    let directory = directory();
    let socket = directory.path().join("missing");
    let socket = socket.to_str().expect("UTF-8");
    let config = directory.path().join("walinkd.toml");
    let state = directory.path().join("state");
    let text = format!(
        "[storage]\nstate_dir = \"{}\"\n[whatsapp]\nurl = \"wss://127.0.0.1:9/\"\n",
        state.display()
    );
    fs::write(&config, text).expect("written");
    let config = config.to_str().expect("UTF-8");
    let running: Vec<_> = VERBS
        .iter()
        .map(|(verb, alone)| {
            let arguments = [&["--config", config, "--socket", socket][..], verb].concat();
            (verb, alone, walinkd(&arguments).spawn().expect("it runs"))
        })
        .collect();
    for (verb, alone, child) in running {
        let (code, out, err) = outcome(&child.wait_with_output().expect("an end"));
        match alone {
            NeedsOne => {
                assert_eq!((code, &*out), (69, ""), "{verb:?}: {err}");
                assert_form(verb, &err);
                assert!(err.contains("start it"), "{verb:?}: {err}");
            }
            Ends(wanted) => {
                assert_eq!(code, *wanted, "{verb:?}: {out}{err}");
                // Faults of a configuration begin with their place.
                if *wanted == 1 && out.is_empty() {
                    assert_form(verb, &err);
                }
            }
        }
    }
}

#[test]
fn with_a_socket_that_is_closed_to_the_user() {
    let directory = directory();
    let socket = directory.path().join("s");
    let _listener = StdListener::bind(&socket).expect("a socket");
    fs::set_permissions(&socket, Permissions::from_mode(0o000)).expect("own socket");
    let mut binary = Path::new(BINARY).to_owned();
    let root = nix::unistd::geteuid().is_root();
    if root {
        // No socket is closed to root, so nobody asks, with a copy of the
        // binary that nobody can reach.
        let open = Permissions::from_mode(0o755);
        fs::set_permissions(directory.path(), open).expect("own directory");
        let copy = directory.path().join("walinkd");
        // By another process: a file that is open for writing here would be
        // so in each child that another test starts just now, and a binary
        // that somebody may write cannot be run.
        let copied = Command::new("cp").args([&binary, &copy]).status();
        assert!(
            copied.is_ok_and(|status| status.success()),
            "no room for a copy"
        );
        binary = copy;
    }
    let socket = socket.to_str().expect("UTF-8");
    for (verb, _) in VERBS.iter().filter(|(_, alone)| *alone == NeedsOne) {
        let arguments = [&["--socket", socket][..], verb].concat();
        let mut command = command(&binary, &arguments);
        if root {
            command.uid(65534).gid(65534);
        }
        let (code, out, err) = outcome(&command.output().expect("the binary runs"));
        assert_eq!((code, &*out), (77, ""), "{verb:?}: {err}");
        assert_form(verb, &err);
        let begins = format!("walinkd: {socket} may not be opened: ");
        assert!(err.starts_with(&begins), "{verb:?}: {err}");
        assert!(err.contains("run this as root"), "{verb:?}: {err}");
    }
}

#[test]
fn with_wrong_arguments() {
    for (verb, _) in VERBS {
        let arguments = [verb, &["--nonsense"][..]].concat();
        let (code, out, err) = super::run(&arguments);
        assert_eq!((code, &*out), (2, ""), "{verb:?}: {err}");
        assert!(
            err.contains("--nonsense") && err.contains("--help"),
            "{verb:?}: {err}"
        );
    }
}

#[test]
fn with_a_typing_error() {
    for (typed, meant) in [
        ("statsu", "status"),
        ("pari", "pair"),
        ("dissconnect", "disconnect"),
        ("docter", "doctor"),
    ] {
        let (code, _, err) = super::run(&[typed]);
        assert_eq!(code, 2);
        assert!(err.contains(&format!("'{meant}'")), "{err}");
    }
}
