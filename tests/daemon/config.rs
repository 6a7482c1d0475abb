//! `GET /admin/config` and `PUT /admin/log-level`: what is in force, and from
//! where.

use crate::{
    NUMBER,
    support::{Daemon, Home, KEY, SOON},
};
use hyper::Method;
use serde_json::{Value, json};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

const SECRETS: [&str; 4] = ["hunter2", KEY, NUMBER, "c3ab8ff13720e8ad9047dd39466b3c89"];

fn home() -> Arc<Home> {
    Home::new("ws://127.0.0.1:9/")
}

/// What is in force; nothing in it is secret.
async fn settings(daemon: &Daemon) -> Value {
    let answer = daemon.get("/admin/config").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    for secret in SECRETS {
        assert!(!answer.text.contains(secret), "{secret}: {answer:?}");
    }
    let file = daemon.home.config();
    let told = &answer.json()["data"];
    assert_eq!(told["file"], file.to_str().expect("UTF-8"));
    told["settings"].clone()
}

async fn level(daemon: &Daemon, level: &str) -> Value {
    let body = json!({"level": level});
    let answer = daemon
        .call(Method::PUT, "/admin/log-level", Some(body))
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["data"].clone()
}

/// Whether the daemon logs what it tells at `info`; what it tells at `warn` it
/// logs.
async fn is_chatty(daemon: &Daemon) -> bool {
    let before = daemon.log().len();
    daemon.post("/connection/resume").await;
    let headers = [("x-api-key", "a guess")];
    let path = "/connection/status";
    daemon.call_tcp(Method::GET, path, None, &headers).await;
    let deadline = Instant::now() + SOON;
    loop {
        let log = daemon.log();
        if log[before..].contains("unknown key") {
            return log[before..].contains("going online again");
        }
        assert!(Instant::now() < deadline, "{log}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn each_key_says_where_it_comes_from_and_no_secret() {
    let home = home();
    home.configure_with(
        "max_body = \"32KiB\"\ntrusted_proxies = [\"10.0.0.0/8\"]\n",
        &format!(
            "[[auth.keys]]\nname = \"dashboard\"\nsha256 = \"{}{}\"\nscope = \"read\"\n",
            SECRETS[3], SECRETS[3]
        ),
    );
    let text = std::fs::read_to_string(home.config()).expect("readable");
    let proxy = "proxy = \"socks5://ana:hunter2@127.0.0.1:9\"\n[storage]";
    std::fs::write(home.config(), text.replace("[storage]", proxy)).expect("written");
    let daemon = home.start_with(&[("PHONE_NUMBER", NUMBER)]);
    let settings = settings(&daemon).await;
    for (key, value, source) in [
        ("http.max_body", json!(32 * 1024), "file"),
        ("http.trusted_proxies", json!(["10.0.0.0/8"]), "file"),
        ("http.request_timeout", json!("10s"), "default"),
        ("http.tls_cert", json!(""), "default"),
        ("pairing.mode", json!("qr"), "default"),
        ("pairing.phone_number", json!("62812*****89"), "environment"),
        ("pairing.platform", json!("chrome"), "default"),
        (
            "whatsapp.proxy",
            json!("socks5://ana:***@127.0.0.1:9"),
            "file",
        ),
        ("storage.state_dir", json!(home.state()), "file"),
        ("storage.keep_events", json!("30d"), "default"),
        ("control.socket", json!(home.socket()), "file"),
        ("log.target", json!("stderr"), "file"),
    ] {
        assert_eq!(settings[key]["value"], value, "{key}");
        assert_eq!(settings[key]["source"], source, "{key}");
    }
    let number = &settings["pairing.phone_number"]["place"];
    assert_eq!(*number, "environment: PHONE_NUMBER");
    let place = settings["http.max_body"]["place"].as_str().expect("told");
    assert!(place.ends_with("walinkd.toml:3:1"), "{place}");
    assert_eq!(settings["http.request_timeout"]["place"], Value::Null);
    assert_eq!(settings["http.max_body"]["live"], true);
    assert_eq!(settings["whatsapp.proxy"]["live"], false);
    let keys = settings["auth.keys"]["value"].as_array().expect("a list");
    let names: Vec<_> = keys.iter().map(|key| &key["name"]).collect();
    assert_eq!(names, ["dashboard", "API_KEY"]);
    assert_eq!(keys[0]["sha256"], "***");
    assert_eq!(keys[1]["source"], "environment");
}

#[tokio::test]
async fn what_waits_for_a_restart_is_not_in_force() {
    let home = home();
    let daemon = home.start();
    let before = settings(&daemon).await;
    home.configure_with("max_body = \"1KiB\"\n", "[pairing]\nmode = \"qr\"\n");
    let text = std::fs::read_to_string(home.config()).expect("readable");
    let other = text.replace("target = \"stderr\"", "target = \"json\"");
    std::fs::write(home.config(), other).expect("written");
    let answer = daemon.post("/admin/reload").await.json();
    assert_eq!(answer["data"]["needsRestart"], json!(["log.target"]));
    let after = settings(&daemon).await;
    assert_eq!(after["log.target"], before["log.target"]);
    assert_eq!(after["http.max_body"]["value"], 1024);
    assert_eq!(after["pairing.mode"]["source"], "file");
}

#[tokio::test]
async fn the_level_holds_until_the_next_reload() {
    let home = home();
    let daemon = home.start();
    daemon.status().await;
    assert!(is_chatty(&daemon).await);
    let told = level(&daemon, "warn").await;
    assert_eq!(told, json!({"level": "warn", "configured": "debug"}));
    assert!(!is_chatty(&daemon).await);
    let setting = &settings(&daemon).await["log.level"];
    let ordered = json!({"value": "warn", "source": "order", "live": true});
    assert_eq!(*setting, ordered);
    level(&daemon, "warn,walinkd=info").await;
    assert!(is_chatty(&daemon).await);
    level(&daemon, "warn").await;
    assert!(!is_chatty(&daemon).await);
    daemon.post("/admin/reload").await;
    let setting = &settings(&daemon).await["log.level"];
    assert_eq!(setting["value"], "debug");
    assert_eq!(setting["source"], "file");
    assert!(is_chatty(&daemon).await);
    let told = "set the log level to warn,walinkd=info, asked for by uid=";
    let deadline = Instant::now() + SOON;
    loop {
        let log = daemon.get("/connection/log?limit=100").await.text;
        if log.matches("admin.log_level").count() == 3 && log.contains(told) {
            break;
        }
        assert!(Instant::now() < deadline, "{log}");
    }
}

#[tokio::test]
async fn a_bad_level_changes_nothing_and_is_explained() {
    let home = home();
    let daemon = home.start();
    daemon.status().await;
    for (body, said) in [
        (json!({"level": "infos"}), "did you mean \"info\"?"),
        (json!({"level": ""}), "is no log level"),
        (json!({"level": "walinkd=loud"}), "\"loud\" is no log level"),
        (json!({"level": "[x{y=\"]=info"}), "is no log filter"),
        (json!({"level": 3}), r#"Send {"level":"info"}."#),
        (json!({"level": "info", "for": "1h"}), "unknown field"),
        (json!({}), "missing field"),
    ] {
        let answer = daemon
            .call(Method::PUT, "/admin/log-level", Some(body))
            .await;
        assert_eq!(answer.status, 400, "{answer:?}");
        let error = answer.json()["error"].clone();
        let error = error.as_str().expect("a text");
        assert!(error.contains(said), "{error}");
    }
    assert!(is_chatty(&daemon).await);
    let log = daemon.get("/connection/log?limit=100").await;
    assert!(!log.text.contains("admin.log_level"), "{log:?}");
    // On TCP there are no such paths.
    let headers = [("x-api-key", KEY)];
    for (method, path) in [
        (Method::GET, "/admin/config"),
        (Method::PUT, "/admin/log-level"),
    ] {
        let answer = daemon.call_tcp(method, path, None, &headers).await;
        assert_eq!(answer.status, 404, "{answer:?}");
    }
}
