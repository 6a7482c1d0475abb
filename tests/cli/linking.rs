//! The verbs that wait for a phone.

use super::{
    played::{Daemon, Scene, in_state, in_step, linked, showing_code, showing_qr},
    running::Running,
};
use serde_json::json;

#[test]
fn qr_follows_the_rotation_until_linked() {
    let daemon = Daemon::new(in_state("connecting"));
    let raw = Running::new(daemon.command(&["qr", "--raw"]));
    let drawn = Running::new(daemon.command(&["qr"]));
    daemon.change(showing_qr("2@first"));
    raw.until("2@first");
    drawn.until("Scan it");
    daemon.change(showing_qr("2@second"));
    assert_eq!(raw.until("2@"), "2@second");
    let line = drawn.until("Scan it");
    assert!(
        line.contains("Good for 20 seconds.") && !line.contains('\x1b'),
        "{line}"
    );
    daemon.change(Scene {
        status: json!({"state": "linking", "jid": "x", "phoneNumber": "6281234567889"}),
        ..Scene::default()
    });
    daemon.change(linked());
    for running in [raw, drawn] {
        running.until("Linked as 62812******89");
        assert_eq!(running.end().0, 0);
    }
}

#[test]
fn qr_without_waiting_gives_the_present_one_or_says_why_not() {
    let daemon = Daemon::new(showing_qr("2@first"));
    let expected = (0, "2@first\n".to_owned(), String::new());
    assert_eq!(daemon.run(&["qr", "--raw", "--no-wait"]), expected);
    let (code, out, _) = daemon.run(&["qr", "--no-wait"]);
    assert_eq!(code, 0);
    assert!(out.contains('█') && !out.contains('\x1b'), "{out}");

    for (scene, why) in [
        (linked(), "walinkd: qr: already linked as 62812******89: "),
        (
            showing_code("ABCD-EFGH"),
            "walinkd: qr: the daemon waits for a pairing code for 62812******89: ",
        ),
        (in_state("paused"), "walinkd: qr: the daemon is paused: "),
    ] {
        daemon.change(scene);
        for arguments in [&["qr"][..], &["qr", "--no-wait"]] {
            let (code, out, err) = daemon.run(arguments);
            assert_eq!((code, out.as_str()), (1, ""), "{err}");
            assert!(err.starts_with(why), "{err}");
        }
    }
    daemon.change(in_state("connecting"));
    let (code, _, err) = daemon.run(&["qr", "--no-wait"]);
    assert_eq!(code, 1);
    assert!(
        err.starts_with("walinkd: qr: no QR code yet, connecting: "),
        "{err}"
    );
}

#[test]
fn pair_shows_each_code_until_linked() {
    let daemon = Daemon::new(showing_code("ABCD-EFGH"));
    let pair = Running::new(daemon.command(&["pair", "6281234567889"]));
    let head = pair.until("Pairing code for");
    assert_eq!(
        head,
        "Pairing code for 62812******89, good for 160 seconds:"
    );
    pair.until("    ABCD-EFGH");
    pair.until("Link with phone number instead");
    daemon.change(showing_code("JKLM-NPQR"));
    pair.until("    JKLM-NPQR");
    daemon.change(in_state("linking"));
    daemon.change(linked());
    pair.until("Linked as 62812******89");
    assert_eq!(pair.end().0, 0);
}

#[test]
fn pair_ends_as_the_pairing_ends() {
    let daemon = Daemon::new(showing_code("ABCD-EFGH"));
    let (code, out, _) = daemon.run(&["pair", "6281234567889", "--no-wait"]);
    assert_eq!(code, 0);
    assert!(out.contains("    ABCD-EFGH\n"), "{out}");

    let pair = Running::new(daemon.command(&["pair", "6281234567889"]));
    pair.until("ABCD-EFGH");
    daemon.change(in_state("idle"));
    let (code, err) = pair.end();
    assert_eq!(code, 3);
    assert!(
        err.starts_with("walinkd: pair: not linked: the code ran out: "),
        "{err}"
    );

    let (code, _, err) = daemon.run(&["pair", "0812"]);
    let begins = "walinkd: pair: The phone number begins with 0";
    assert_eq!(code, 1);
    assert!(err.starts_with(begins), "{err}");
    let (code, _, err) = daemon.run(&["pair", "6281234567889"]);
    assert_eq!(
        (code, err.as_str()),
        (
            1,
            "walinkd: pair: a device is linked already: unlink it first with walinkd \
             disconnect, or add --replace to link the new number beside it\n"
        )
    );
}

#[test]
fn pair_beside_a_live_link_waits_for_the_new_number() {
    let beside = |code| Scene {
        status: json!({
            "isConnected": true, "state": "connected", "phoneNumber": "49123456789",
            "jid": "49123456789:1@s.whatsapp.net",
        }),
        code,
        ..Scene::default()
    };
    let daemon = Daemon::new(beside(Some("ABCD-EFGH")));
    let pair = Running::new(daemon.command(&["pair", "6281234567889", "--replace"]));
    pair.until("ABCD-EFGH");
    // The code is entered, WhatsApp asks for the passkey, and the new device
    // is logging in.
    daemon.change(Scene {
        passkey: json!({"stage": "checking"}),
        ..beside(None)
    });
    pair.until(ASKED);
    daemon.change(beside(None));
    daemon.change(linked());
    pair.until("Linked as 62812******89");
    assert_eq!(pair.end().0, 0);
}

const ASKED: &str = "WhatsApp asks for the account's passkey: run walinkd passkey";

fn reason() -> serde_json::Value {
    json!({"code": "passkey_expired", "message": "the passkey was not used in time"})
}

#[test]
fn qr_tells_of_the_passkey_and_waits_on() {
    let daemon = Daemon::new(showing_qr("2@first"));
    let qr = Running::new(daemon.command(&["qr", "--raw"]));
    qr.until("2@first");
    daemon.change(in_step(json!({"stage": "checking"})));
    qr.until(ASKED);
    for arguments in [&["qr", "--no-wait"][..], &["qr", "--raw", "--no-wait"]] {
        let (code, out, err) = daemon.run(arguments);
        assert_eq!((code, out.as_str()), (1, ""));
        assert_eq!(
            err,
            "walinkd: qr: a code has been scanned, and WhatsApp asks for the account's passkey: \
             run walinkd passkey\n"
        );
    }
    daemon.change(in_step(json!({"stage": "confirm", "code": "ABCD-EFGH"})));
    // The step fails, and the next code comes.
    daemon.change(Scene {
        status: json!({"state": "waiting_qr", "reason": reason()}),
        ..showing_qr("2@second")
    });
    qr.until("2@second");
    daemon.change(linked());
    qr.until("Linked as 62812******89");
    let (code, err) = qr.end();
    assert_eq!(code, 0);
    assert_eq!(err.matches(ASKED).count(), 1, "{err}");
}

#[test]
fn pair_tells_of_the_passkey_and_shows_the_code_after() {
    let daemon = Daemon::new(showing_code("ABCD-EFGH"));
    let pair = Running::new(daemon.command(&["pair", "6281234567889"]));
    pair.until("    ABCD-EFGH");
    daemon.change(in_step(json!({"stage": "checking"})));
    pair.until(ASKED);
    // A code of one's own is the same one again.
    let mut again = showing_code("ABCD-EFGH");
    again.status["reason"] = reason();
    daemon.change(again);
    pair.until("    ABCD-EFGH");
    daemon.change(in_step(json!({"stage": "checking"})));
    pair.until(ASKED);
    daemon.change(in_state("linking"));
    daemon.change(linked());
    pair.until("Linked as 62812******89");
    let (code, err) = pair.end();
    assert_eq!(
        (code, err.as_str()),
        (
            0,
            "walinkd: pair: The passkey step has ended: the passkey was not used in time\n"
        )
    );
}
