//! The passkey step.

use super::{
    outcome,
    played::{Daemon, Scene, in_state, in_step, linked, showing_qr},
    running::{Running, Terminal},
};
use serde_json::{Value, json};
use std::{
    fs::{self, File},
    process::Stdio,
};

const ANSWER: &str = "{\n \"id\": \"good\",\n \"type\": \"public-key\"\n}\n";
const WRONG: &str = "{\"id\": \"wrong\"}\n";
const CANCELLED: &str = "{\"error\": {\"name\": \"NotAllowedError\"}}\n";
const SCRIPT: &str = "// Run it in the console.\nnavigator.credentials\x1b.get();";

fn challenge() -> Scene {
    in_step(json!({
        "stage": "challenge", "publicKey": {"challenge": "AQID"},
        "page": "https://web.whatsapp.com", "script": SCRIPT,
        "expiresIn": "598 seconds",
    }))
}

fn checking() -> Scene {
    in_step(json!({"stage": "checking"}))
}

fn confirm() -> Scene {
    in_step(json!({"stage": "confirm", "code": "ABCD-EFGH"}))
}

/// The whole way through.
fn to_the_end() -> Scene {
    challenge().then(confirm().then(linked()))
}

fn failed() -> Scene {
    Scene {
        status: json!({"state": "waiting_qr", "reason": {
            "code": "passkey_expired",
            "message": "the passkey was not used in time: scan or enter the new code",
        }}),
        ..showing_qr("2@next")
    }
}

impl Daemon {
    /// A command with this on its standard input.
    fn piped(&self, arguments: &[&str], input: &str) -> (i32, String, String) {
        let file = self.directory.path().join("input");
        fs::write(&file, input).expect("a file");
        let mut command = self.command(arguments);
        command.stdin(Stdio::from(File::open(file).expect("a file")));
        outcome(&command.output().expect("the binary runs"))
    }
}

#[test]
fn without_a_step_it_is_3() {
    for (scene, why) in [
        (
            in_state("waiting_qr"),
            "WhatsApp asks for no passkey now: it asks, if at all, after a scan",
        ),
        (
            linked(),
            "WhatsApp asks for no passkey, connected as 62812******89: ",
        ),
        (
            failed(),
            "The passkey step has ended: the passkey was not used in time: ",
        ),
    ] {
        let daemon = Daemon::new(scene);
        for arguments in [
            &["passkey"][..],
            &["passkey", "--script"],
            &["passkey", "--cancel"],
        ] {
            let (code, out, err) = daemon.run(arguments);
            assert_eq!((code, out.as_str()), (3, ""), "{arguments:?}: {err}");
            let begins = format!("walinkd: passkey: {why}");
            assert!(err.starts_with(&begins), "{arguments:?}: {err}");
        }
    }
    // Nothing is left to do but wait.
    let daemon = Daemon::new(in_state("linking"));
    let passkey = Running::new(daemon.command(&["passkey"]));
    passkey.until("The device is being linked.");
    daemon.change(linked());
    passkey.until("Linked as 62812******89");
    assert_eq!(passkey.end().0, 0);
}

#[test]
fn the_script_alone_or_with_what_to_do() {
    let daemon = Daemon::new(challenge());
    let script = "// Run it in the console.\nnavigator.credentials .get();\n";
    assert_eq!(
        daemon.run(&["passkey", "--script"]),
        (0, script.to_owned(), String::new())
    );
    let (code, out, err) = daemon.run(&["passkey"]);
    assert_eq!(code, 1, "nobody pastes anything");
    assert_eq!(
        err,
        "walinkd: passkey: the answer: there is no answer in it: give what the script printed, \
         in a file or on standard input\n"
    );
    assert!(out.contains("it waits for 598 seconds.\n"), "{out}");
    assert!(out.contains("Open https://web.whatsapp.com in"), "{out}");
    assert!(out.contains(&format!("\n\n{script}\n")), "{out}");
    assert!(!out.contains("Paste the answer"), "no terminal: {out}");
    for scene in [confirm(), checking()] {
        daemon.change(scene);
        let (code, out, err) = daemon.run(&["passkey", "--script"]);
        assert_eq!((code, out.as_str()), (3, ""));
        assert!(err.contains("the passkey has answered already: "), "{err}");
    }
}

#[test]
fn an_answer_is_taken_from_a_file_or_standard_input() {
    let given = |scene: Scene, arguments: &[&str], input: &str| {
        let daemon = Daemon::new(scene);
        let answer = daemon.directory.path().join("answer.json");
        fs::write(&answer, ANSWER).expect("a file");
        let answer = answer.to_str().expect("UTF-8");
        let arguments: Vec<_> = arguments
            .iter()
            .map(|word| if *word == "FILE" { answer } else { word })
            .collect();
        let (code, out, err) = daemon.piped(&arguments, input);
        assert_eq!(code, 0, "{arguments:?}: {err}");
        assert_eq!(daemon.orders(), ["answer \"good\"", "confirm"]);
        assert!(out.contains("\n    ABCD-EFGH\n"), "{out}");
        assert!(out.ends_with("Linked as 62812******89\n"), "{out}");
        (out, err)
    };
    let unseen =
        "walinkd: passkey: nobody has compared the code with the phone's: it is confirmed unseen\n";
    for (arguments, input) in [
        (&["passkey", "FILE"][..], String::new()),
        (&["passkey", "-"], ANSWER.to_owned()),
        (&["passkey", "-"], ANSWER.trim_end().to_owned()),
        (&["passkey"], format!("\n{ANSWER}\n\n")),
    ] {
        let (out, err) = given(to_the_end(), arguments, &input);
        assert_eq!(err, unseen);
        assert_eq!(out.contains("credentials"), arguments.len() == 1, "{out}");
    }
    // A further line is the answer to the other question.
    let input = format!("{ANSWER}\nyes\n");
    let (_, err) = given(to_the_end(), &["passkey"], &input);
    assert_eq!(err, "");
    let (_, err) = given(to_the_end(), &["passkey", "FILE"], "Y");
    assert_eq!(err, "");
}

#[test]
fn a_bad_answer_names_the_part() {
    let large = format!("{{\"id\": \"{}\"}}", "x".repeat(17 << 10));
    let daemon = Daemon::new(challenge());
    let file = daemon.directory.path().join("answer.json");
    let file = file.to_str().expect("UTF-8");
    for (input, why) in [
        (WRONG, "walinkd: passkey: The answer's challenge is not"),
        (CANCELLED, "walinkd: passkey: The browser gave no passkey."),
        (
            "Promise\n",
            "the answer: it is not the JSON that the script prints",
        ),
        (&large, "it is larger than 16 KiB: "),
    ] {
        fs::write(file, input).expect("a file");
        for (arguments, input) in [
            (&["passkey"][..], input),
            (&["passkey", "-"], input),
            (&["passkey", file], ""),
        ] {
            let (code, _, err) = daemon.piped(arguments, input);
            assert_eq!(code, 1, "{arguments:?}: {err}");
            let why = why.strip_prefix("the answer: ").unwrap_or(why);
            assert!(err.contains(why), "{arguments:?}: {err}");
            assert_eq!(err.lines().count(), 1, "{err}");
        }
    }
    let (code, _, err) = daemon.run(&["passkey", "/nowhere"]);
    assert_eq!(code, 1);
    assert!(
        err.starts_with("walinkd: passkey: /nowhere: No such file"),
        "{err}"
    );
    assert_eq!(daemon.orders(), [""; 0]);
}

#[test]
fn a_code_that_differs_ends_the_step() {
    let daemon = Daemon::new(confirm().then(showing_qr("2@next")));
    let (code, out, err) = daemon.piped(&["passkey"], "maybe\n");
    assert_eq!(code, 1, "{out}");
    assert!(err.contains("the answer is neither y nor n: run "), "{err}");
    assert_eq!(daemon.orders(), [""; 0]);
    let (code, out, err) = daemon.piped(&["passkey"], "n\n");
    assert_eq!(code, 1, "{out}");
    assert_eq!(
        err,
        "walinkd: passkey: the code was not confirmed, nothing is linked: start anew with \
         walinkd qr, or walinkd pair PHONE\n"
    );
    assert_eq!(daemon.orders(), ["cancel"]);
}

#[test]
fn the_code_comes_after_the_check() {
    let daemon = Daemon::new(challenge().then(checking()));
    let passkey = Running::new({
        let answer = daemon.directory.path().join("answer.json");
        fs::write(&answer, ANSWER).expect("a file");
        daemon.command(&["passkey", answer.to_str().expect("UTF-8")])
    });
    passkey.until("keep WhatsApp open on the phone");
    daemon.change(confirm().then(in_state("linking")));
    passkey.until("    ABCD-EFGH");
    passkey.until("The device is being linked.");
    // A first login may fail without harm to the link.
    let mut again = linked();
    again.status["isConnected"] = false.into();
    again.status["state"] = "reconnecting".into();
    daemon.change(again);
    daemon.change(linked());
    passkey.until("Linked as 62812******89");
    assert_eq!(passkey.end().0, 0);

    // Nobody waits for the link.
    daemon.change(confirm().then(in_state("linking")));
    let (code, out, _) = daemon.run(&["passkey", "--no-wait"]);
    assert_eq!(code, 0);
    assert!(out.ends_with("The device is being linked.\n"), "{out}");
}

#[test]
fn a_step_that_fails_is_told_with_its_reason() {
    for scene in [checking(), in_state("linking")] {
        let daemon = Daemon::new(scene);
        let passkey = Running::new(daemon.command(&["passkey"]));
        passkey.until("ing ");
        daemon.change(failed());
        let (code, err) = passkey.end();
        assert_eq!(code, 1);
        assert_eq!(
            err,
            "walinkd: passkey: The passkey step has ended: the passkey was not used in time: scan or enter the \
             new code: walinkd qr, or walinkd pair PHONE\n"
        );
    }
}

#[test]
fn the_step_can_be_given_up() {
    let daemon = Daemon::new(challenge().then(showing_qr("2@next")));
    let expected = (0, "The step has ended.\n".to_owned(), String::new());
    assert_eq!(daemon.run(&["passkey", "--cancel"]), expected);
    assert_eq!(daemon.orders(), ["cancel"]);
}

#[test]
fn beside_a_live_link_another_device_is_waited_for() {
    let live = |jid: &str, passkey: Value| Scene {
        status: json!({
            "isConnected": true, "state": "connected", "phoneNumber": "6281234567889", "jid": jid,
        }),
        passkey,
        ..Scene::default()
    };
    let old = "6281234567889:1@s.whatsapp.net";
    let code = json!({"stage": "confirm", "code": "ABCD-EFGH"});
    let daemon = Daemon::new(live(old, code).then(live(old, Value::Null)));
    let passkey = Running::new(daemon.command(&["passkey"]));
    passkey.until("Within 60 s the new device takes over");
    // News of the old device are not what is waited for.
    daemon.change(live(old, Value::Null));
    daemon.change(live("6281234567889:2@s.whatsapp.net", Value::Null));
    passkey.until("Linked as 62812******89");
    assert_eq!(passkey.end().0, 0);
}

#[test]
fn a_person_pastes_tries_again_and_compares() {
    const PASTE: &str = "Paste the answer";
    let daemon = Daemon::new(challenge().then(checking()));
    let mut passkey = Terminal::new(daemon.command(&["passkey"]));
    passkey.until("allow pasting");
    for (pasted, why) in [
        ("Promise {\n}\n\n", "it is not the JSON"),
        (WRONG, "challenge is not the one"),
        (CANCELLED, "The browser gave no passkey."),
    ] {
        passkey.until(PASTE);
        passkey.press(pasted);
        passkey.until(why);
    }
    passkey.until(PASTE);
    // The Enter after the paste is no answer to what is asked next.
    passkey.press(&format!("{ANSWER}\n\n"));
    passkey.until("keep WhatsApp open on the phone");
    daemon.change(confirm().then(linked()));
    assert!(
        passkey
            .until("ABCD-EFGH")
            .contains("\x1b[1mABCD-EFGH\x1b[0m")
    );
    passkey.until("Does the phone show the same code?");
    passkey.press("what\n");
    passkey.until("neither y nor n");
    passkey.until("Does the phone show the same code?");
    assert_eq!(daemon.orders(), ["answer \"good\""]);
    // Enter alone is not a yes.
    passkey.press("\n");
    passkey.until("Does the phone show the same code?");
    assert_eq!(daemon.orders(), ["answer \"good\""]);
    passkey.press("y\n");
    passkey.until("Linked as 62812******89");
    assert_eq!(passkey.end(), 0);
    assert_eq!(daemon.orders(), ["answer \"good\"", "confirm"]);
}

#[test]
fn a_person_is_told_when_the_step_goes_on_without_them() {
    // Somebody answers elsewhere, then the time runs out.
    let daemon = Daemon::new(challenge());
    let passkey = Terminal::new(daemon.command(&["passkey"]));
    passkey.until("Paste the answer");
    daemon.change(confirm());
    passkey.until("Does the phone show the same code?");
    daemon.change(failed());
    passkey.until("the passkey was not used in time");
    assert_eq!(passkey.end(), 1);

    // The end of what is typed confirms nothing.
    daemon.change(confirm());
    let mut passkey = Terminal::new(daemon.command(&["passkey"]));
    passkey.until("Does the phone show the same code?");
    passkey.press("\x04");
    passkey.until("the code was not compared");
    assert_eq!(passkey.end(), 1);
    assert_eq!(daemon.orders(), [""; 0]);
}
