//! What the command line does without a daemon.

use super::{directory, outcome, run, walinkd};
use std::{
    fs,
    os::unix::net::UnixListener as StdListener,
    time::{Duration, Instant},
};

#[test]
fn wrong_usage_is_2_and_help_is_0() {
    for arguments in [
        &["frobnicate"][..],
        &["status", "--nope"],
        &["pair"],
        &["--instance", "../x", "status"],
        &["--instance", "a", "--socket", "/s", "status"],
        &["--instance", "a"],
        &["check-config", "/f", "--config", "/f"],
        &["passkey", "--script", "--cancel"],
        &["passkey", "/f", "--script"],
        &["completions"],
        &["completions", "tcsh"],
        &["wait", "--for", "conected"],
        &["wait", "--for", "idle"],
        &["backup"],
        &["restore"],
        &["wait", "--timeout", "soon"],
    ] {
        let (code, out, err) = run(arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(err.contains("error: "), "{arguments:?}: {err}");
    }
    let (code, out, _) = run(&["--version"]);
    assert_eq!(code, 0);
    assert!(
        out.starts_with(concat!("walinkd ", env!("CARGO_PKG_VERSION"))),
        "{out}"
    );
    let (code, out, _) = run(&["--help"]);
    assert_eq!(code, 0);
    for verb in [
        "status",
        "wait",
        "qr",
        "pair",
        "passkey",
        "disconnect",
        "pause",
        "resume",
        "reconnect",
        "reload",
        "backup",
        "restore",
        "check-config",
        "completions",
    ] {
        assert!(out.contains(verb), "{verb} in {out}");
        assert_eq!(run(&[verb, "--help"]).0, 0, "{verb}");
        assert_eq!(run(&["help", verb]).0, 0, "{verb}");
    }
}

#[test]
fn without_a_daemon_every_verb_is_69_after_a_moment() {
    let directory = directory();
    let missing = directory.path().join("missing");
    let stale = directory.path().join("stale");
    drop(StdListener::bind(&stale).expect("a socket"));
    let begun = Instant::now();
    let mut running = Vec::new();
    for socket in [&missing, &stale] {
        let socket = socket.to_str().expect("UTF-8");
        for verb in [
            &["status"][..],
            &["wait"],
            &["qr"],
            &["pair", "628123456789"],
            &["passkey"],
            &["passkey", "--cancel"],
            &["disconnect"],
            &["pause"],
            &["resume"],
            &["reconnect"],
            &["reload"],
            &["backup", "/nowhere/copy"],
        ] {
            let arguments = [&["--socket", socket][..], verb].concat();
            let child = walinkd(&arguments).spawn().expect("the binary runs");
            running.push((arguments.join(" "), socket.to_owned(), child));
        }
    }
    for (arguments, socket, child) in running {
        let output = child.wait_with_output().expect("an end");
        let (code, out, err) = outcome(&output);
        assert_eq!((code, out.as_str()), (69, ""), "{arguments}: {err}");
        let start = format!("walinkd: no daemon answers at {socket}: ");
        assert!(err.starts_with(&start), "{arguments}: {err}");
        assert!(err.contains("systemctl start walinkd"), "{err}");
    }
    assert!(begun.elapsed() >= Duration::from_secs(2));
    // Two seconds of trying, and room for a busy machine.
    assert!(begun.elapsed() < Duration::from_secs(15));
}

#[test]
fn an_instance_is_named_by_its_unit() {
    let (code, _, err) = run(&["status", "--instance", "no-such-one"]);
    assert_eq!(code, 69);
    let start = "walinkd: no daemon answers at /run/walinkd-no-such-one/control.sock: ";
    assert!(err.starts_with(start), "{err}");
    assert!(
        err.contains("systemctl start walinkd@no-such-one,"),
        "{err}"
    );
}

#[test]
fn check_config_tells_every_fault() {
    let directory = directory();
    let good = directory.path().join("good.toml");
    fs::write(&good, "[http]\nmax_connections = 5\n").expect("a file");
    let good = good.to_str().expect("UTF-8");
    let expected = (0, format!("{good}: OK\n"), String::new());
    assert_eq!(run(&["check-config", good]), expected);
    assert_eq!(run(&["check-config", "--config", good]), expected);
    assert_eq!(run(&["--config", good, "check-config"]), expected);

    let bad = directory.path().join("bad.toml");
    fs::write(&bad, "[http]\nlisten = 3\n[log]\nlevl = \"info\"\n").expect("a file");
    let bad = bad.to_str().expect("UTF-8");
    let (code, out, err) = run(&["check-config", bad]);
    assert_eq!((code, out.as_str()), (78, ""));
    let lines: Vec<_> = err.lines().collect();
    assert_eq!(lines.len(), 2, "{err}");
    assert!(
        lines[0].starts_with(&format!("{bad}:2:10: http.listen: ")),
        "{err}"
    );
    assert_eq!(
        lines[1],
        format!("{bad}:4:1: log.levl: there is no such key: did you mean log.level?")
    );

    let gone = directory.path().join("gone.toml");
    let (code, _, err) = run(&["check-config", gone.to_str().expect("UTF-8")]);
    assert_eq!(code, 78);
    assert!(err.contains("there is no such file"), "{err}");
    // The daemon and the clients go by the same file and complain alike.
    for arguments in [&["--config", bad][..], &["--config", bad, "status"]] {
        let (code, _, err) = run(arguments);
        assert_eq!(code, 78, "{arguments:?}: {err}");
        assert!(err.contains("log.levl"), "{err}");
        assert!(
            err.lines().all(|line| line.starts_with("walinkd: ")),
            "{err}"
        );
    }
}
