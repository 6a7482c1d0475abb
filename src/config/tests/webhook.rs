//! The sections `[[webhook]]`.

use super::{Case, one_fault};
use crate::config::{Diff, diff, report};
use std::fs;

const SECRET: &str = "whsec_c2VjcmV0LW9mLTI0LWJ5dGVzLW9yLW1vcmU=";

#[test]
fn webhooks_are_read_and_their_faults_told() {
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
    assert_eq!(webhook.secrets(), [b"secret-of-24-bytes-or-more"]);
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
    assert_eq!(config.webhook[0].secrets(), [b"secret-of-24-bytes-or-more"]);
}

#[test]
fn a_webhook_signs_with_the_new_secret_and_the_old_one() {
    const OTHER: &str = "whsec_YW5vdGhlci1vbmUtb2YtMjQtYnl0ZXMtb3ItbW9yZQ==";
    let hook = |secret: &str| format!("[[webhook]]\nurl = \"https://a\"\nsecret = \"{secret}\"\n");
    let config = Case::new(hook(&format!("{OTHER} {SECRET}"))).config();
    let secrets = [
        &b"another-one-of-24-bytes-or-more"[..],
        b"secret-of-24-bytes-or-more",
    ];
    assert_eq!(config.webhook[0].secrets(), secrets);

    let case = Case::new("");
    let file = case.directory.path().join("secrets");
    fs::write(&file, format!("{OTHER}\n{SECRET}\n")).expect("written");
    case.write(&format!(
        "[[webhook]]\nurl = \"https://a\"\nsecret_file = {file:?}\n"
    ));
    assert_eq!(case.config().webhook[0].secrets(), secrets);
    fs::write(&file, "\n").expect("written");
    assert!(case.faults()[0].contains("is empty"));

    let told = one_fault(&hook(&format!("{SECRET} whsec_c2hvcnQ=")));
    assert!(
        told.contains("has 5 bytes") && !told.contains("c2hvcnQ"),
        "{told}"
    );
    let told = one_fault(&hook(&[SECRET; 5].join(" ")));
    assert!(told.contains("has 5 secrets"), "{told}");
}

#[test]
fn a_webhook_may_trust_an_authority_of_its_own() {
    let case = Case::new("");
    let file = case.directory.path().join("ca.pem");
    let hook = |scheme: &str| {
        format!("[[webhook]]\nurl = \"{scheme}://a\"\nsecret = \"{SECRET}\"\nca_file = {file:?}\n")
    };
    let faulty = |text: &str, fault: &str| {
        fs::write(&file, text).expect("written");
        case.write(&hook("https"));
        let told = case.faults();
        assert!(told.len() == 1 && told[0].contains(fault), "{told:?}");
        assert!(told[0].contains("webhook[0].ca_file"), "{told:?}");
    };
    let authority = || {
        let made = rcgen::generate_simple_self_signed(["ca".to_owned()]);
        made.expect("a certificate").cert.pem()
    };
    faulty("", "holds no certificate");
    faulty("-----BEGIN CERTIFICATE-----\nAAAA\n", "is broken PEM");
    let rubbish = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    faulty(
        &format!("{}{rubbish}", authority()),
        "cannot be used, number 2",
    );
    fs::remove_file(&file).expect("it was there");
    assert!(case.faults()[0].contains("cannot be read"));

    fs::write(&file, authority()).expect("written");
    let before = case.config();
    assert_eq!(
        before.webhook[0]
            .authorities
            .as_ref()
            .map(|own| own.roots().len()),
        Some(1)
    );
    assert!(
        report(&before).settings["webhook"]
            .value
            .to_string()
            .contains("ca.pem")
    );
    assert_eq!(diff(&before, &case.config()), Diff::default());
    // Renewed under the same name.
    fs::write(&file, authority()).expect("written");
    assert_eq!(diff(&before, &case.config()).applied, ["webhook"]);
    case.write(&hook("http"));
    let told = case.faults();
    assert!(told[0].contains("beside http://"), "{told:?}");
}
