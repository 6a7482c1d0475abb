//! The sections `[[webhook]]`.

use super::{Case, one_fault};
use crate::config::report;
use std::fs;

#[test]
fn webhooks_are_read_and_their_faults_told() {
    const SECRET: &str = "whsec_c2VjcmV0LW9mLTI0LWJ5dGVzLW9yLW1vcmU=";
    let config = Case::new(format!(
        "[[webhook]]\nurl = \"HTTPS://me:hunter2@Example.org/hook?token=x\"\nsecret = \"{SECRET}\"\n"
    ))
    .config();
    let [webhook] = &config.webhook[..] else {
        panic!("{config:?}");
    };
    assert_eq!(webhook.name, "example.org");
    assert_eq!(webhook.target.to_string(), "https://example.org/hook");
    assert_eq!(webhook.target.url(), "https://example.org/hook?token=x");
    assert_eq!(webhook.secret(), b"secret-of-24-bytes-or-more");
    assert!(webhook.wants("connection.idle") && !webhook.wants("admin.start"));
    let shown = format!("{config:?}{:?}", report(&config));
    for secret in ["hunter2", "token", "c2VjcmV0", "secret-of"] {
        assert!(!shown.contains(secret), "{shown}");
    }

    for (lines, faults) in [
        ("", vec!["webhook[0].url: is missing"]),
        (
            "url = \"https://a\"",
            vec!["the webhook \"a\" has no secret"],
        ),
        (
            "url = \"https://[::1]/\"",
            vec!["webhook[0].name: is missing"],
        ),
        (
            "url = \"ftp://a\"\nsecret = \"whsec_c2hvcnQ=\"\nevents = [\"conection.*\"]\ninclude = [\"qr\"]",
            vec![
                "is an address of another kind",
                "has 5 bytes",
                "did you mean \"connection.*\"?",
                "\"qr\" is not known",
            ],
        ),
        (
            "url = \"https://a/#x\"\nsecret_file = \"/no/such\"\nevents = []",
            vec!["has a fragment", "cannot be read", "asks for no event"],
        ),
    ] {
        let told = Case::new(format!("[[webhook]]\n{lines}\n")).faults();
        assert_eq!(told.len(), faults.len(), "{told:#?}");
        for (told, fault) in told.iter().zip(faults) {
            assert!(told.contains(fault), "{told} without {fault}");
        }
    }
    let one = format!("[[webhook]]\nurl = \"http://a/1\"\nsecret = \"{SECRET}\"\n");
    let told = one_fault(&one.repeat(2));
    assert!(told.contains("there is a webhook \"a\" already"), "{told}");

    // Whose secret is systemd's.
    let case = Case::new("[[webhook]]\nurl = \"https://a\"\n");
    let credentials = case.directory.path().join("credentials");
    fs::create_dir(&credentials).expect("made");
    fs::write(credentials.join("webhook-secret"), format!("{SECRET}\n")).expect("written");
    let config = case.env("CREDENTIALS_DIRECTORY", credentials).config();
    assert_eq!(config.webhook[0].secret(), b"secret-of-24-bytes-or-more");
}
