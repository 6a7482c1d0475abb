//! Each verb in each situation: its exit status, and how it says why.

use super::{directory, outcome, walinkd};
use clap::Command;
use std::collections::BTreeSet;

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

/// The verbs that there are, two words for those that have verbs of their own.
fn all(command: &Command, before: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let verbs = command.get_subcommands();
    for verb in verbs.filter(|verb| verb.get_name() != "help") {
        let name = format!("{before}{}", verb.get_name());
        if verb.has_subcommands() {
            names.extend(all(verb, &format!("{name} ")));
        } else {
            names.insert(name);
        }
    }
    names
}

#[test]
fn no_verb_is_missing_here() {
    let there = all(&walinkd::cli::command(), "");
    let here: BTreeSet<String> = there
        .iter()
        .filter(|name| {
            let words: Vec<_> = name.split(' ').collect();
            VERBS.iter().any(|(verb, _)| verb.starts_with(&words))
        })
        .cloned()
        .collect();
    assert_eq!(there, here);
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
    std::fs::write(&config, text).expect("written");
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
