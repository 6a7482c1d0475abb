//! The verbs that ask once.

use super::{
    outcome,
    played::{Daemon, Scene, in_state, linked},
    running::Running,
    walinkd,
};
use serde_json::{Value, json};
use std::{fs, path::Path};

#[test]
fn status_is_0_connected_and_3_not() {
    let daemon = Daemon::new(linked());
    let (code, out, err) = daemon.run(&["status"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(
        out.trim_start()
            .starts_with("warning: the disk is nearly full"),
        "{out}"
    );
    assert!(
        out.contains("state: connected, since 2025-12-27 05:00:00 UTC"),
        "{out}"
    );
    assert!(out.contains("number: 62812******89\n"), "{out}");
    assert!(
        !out.contains("6281234567889") && !out.contains('\x1b'),
        "{out}"
    );
    let (_, out, _) = daemon.run(&["status", "--show-number"]);
    assert!(out.contains("number: 6281234567889\n"), "{out}");
    let (code, out, _) = daemon.run(&["status", "--json"]);
    let body: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &body["data"]["version"]), (0, &json!("9.9")));

    daemon.change(in_state("reconnecting"));
    let (code, out, err) = daemon.run(&["status"]);
    assert_eq!((code, err.as_str()), (3, ""));
    assert!(out.contains("state: linked, reconnecting"), "{out}");
    assert_eq!(daemon.run(&["status", "--json"]).0, 3);
}

#[test]
fn status_tells_of_keys_and_listeners_to_those_who_may_know() {
    let daemon = Daemon::new(linked());
    let (_, out, _) = daemon.run(&["status"]);
    assert!(out.ends_with("  listens: http://127.0.0.1:3000\n"), "{out}");
    daemon.change(Scene {
        manages: true,
        ..linked()
    });
    let (_, out, _) = daemon.run(&["status"]);
    assert!(out.ends_with("     keys: dashboard (read)\n"), "{out}");
}

#[test]
fn wait_ends_when_it_holds_or_the_time_is_over() {
    let daemon = Daemon::new(in_state("connecting"));
    let (code, out, err) = daemon.run(&["wait", "--timeout", "0s"]);
    assert_eq!((code, out.as_str()), (3, ""));
    assert_eq!(
        err,
        "walinkd: wait: not connected in time, it is connecting to WhatsApp: see walinkd status, \
         or give a longer --timeout\n"
    );
    for goal in ["unlinked", "connecting"] {
        let outcome = daemon.run(&["wait", "--for", goal, "--timeout", "0s"]);
        assert_eq!(outcome, (0, String::new(), String::new()), "{goal}");
    }
    let waiting = Running::new(daemon.command(&["wait"]));
    let paused = Running::new(daemon.command(&["wait", "--for", "paused", "--timeout", "1m"]));
    daemon.change(in_state("paused"));
    assert_eq!(paused.end(), (0, String::new()));
    daemon.change(linked());
    assert_eq!(waiting.end(), (0, String::new()));
    let (code, _, _) = daemon.run(&["wait", "--for", "unlinked", "--timeout", "10ms"]);
    assert_eq!(code, 3);
}

#[test]
fn the_daemon_is_named_by_flag_file_or_environment() {
    let daemon = Daemon::new(linked());
    let socket = daemon.socket();
    let socket = socket.to_str().expect("UTF-8");
    let file = daemon.directory.path().join("c.toml");
    fs::write(&file, format!("[control]\nsocket = \"{socket}\"\n")).expect("a file");
    let file = file.to_str().expect("UTF-8");
    for arguments in [
        ["--socket", socket, "status"],
        ["status", "--socket", socket],
        ["--config", file, "status"],
        ["status", "--config", file],
    ] {
        let mut command = walinkd(&arguments);
        command.env("WALINKD_SOCKET", "/nowhere");
        let (code, _, err) = outcome(&command.output().expect("the binary runs"));
        assert_eq!(code, 0, "{arguments:?}: {err}");
    }
    // Where a user's own daemon has it.
    let state = daemon.directory.path().join("walinkd");
    fs::create_dir(&state).expect("a directory");
    fs::rename(socket, state.join("control.sock")).expect("a move");
    if !Path::new("/run/walinkd/control.sock").exists() {
        let mut command = walinkd(&["status"]);
        command.env("XDG_RUNTIME_DIR", daemon.directory.path());
        let (code, _, err) = outcome(&command.output().expect("the binary runs"));
        assert_eq!(code, 0, "{err}");
    }
}

#[test]
fn commands_say_what_was_done_or_why_not() {
    let daemon = Daemon::new(linked());
    let (code, out, _) = daemon.run(&["pause"]);
    assert_eq!(code, 0);
    assert!(out.starts_with("Paused."), "{out}");
    let (code, out, _) = daemon.run(&["disconnect"]);
    assert_eq!(code, 0);
    assert!(out.contains("WhatsApp could not be told"), "{out}");
    assert_eq!(
        daemon.run(&["resume"]),
        (
            77,
            String::new(),
            "walinkd: resume: Only read.\n".to_owned()
        )
    );
    assert_eq!(
        daemon.run(&["reconnect"]),
        (
            1,
            String::new(),
            "walinkd: reconnect: Going down.\n".to_owned()
        )
    );
}

#[test]
fn orders_print_the_answer_to_programs() {
    let daemon = Daemon::new(linked());
    for (verb, field) in [
        ("pause", "message"),
        ("disconnect", "data"),
        ("reload", "data"),
    ] {
        let (code, out, err) = daemon.run(&[verb, "--json"]);
        assert_eq!((code, err.as_str()), (0, ""), "{verb}");
        let body: Value = serde_json::from_str(&out).expect("JSON");
        assert_eq!(body["success"], true, "{verb}: {out}");
        assert!(!body[field].is_null(), "{verb}: {out}");
    }
}

#[test]
fn reload_tells_what_changed_or_every_fault() {
    let daemon = Daemon::new(linked());
    let (code, out, _) = daemon.run(&["reload"]);
    assert_eq!(
        (code, out.as_str()),
        (0, "applied: log.level\nneeds a restart: http.listen\n")
    );
    daemon.change(linked());
    let (code, out, _) = daemon.run(&["reload"]);
    assert_eq!(code, 0);
    assert!(out.contains("pairing for: 62812******89\n"), "{out}");
    daemon.change(linked());
    let (code, out, err) = daemon.run(&["reload"]);
    assert_eq!((code, out.as_str()), (78, ""));
    assert_eq!(
        err,
        "walinkd: reload: refused:\n/f:1:1: a: no: hint\n/f:2:1: b: no: hint\n"
    );
}
