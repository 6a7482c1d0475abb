//! API keys: made and removed while everything runs, kept over restarts, and
//! changed without anybody noticing who should not.

use crate::support::{Daemon, Home, KEY};
use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{fmt::Write as _, fs, sync::Arc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A daemon that need not reach anybody.
fn home() -> Arc<Home> {
    Home::new("ws://127.0.0.1:9/")
}

async fn status_with(daemon: &Daemon, key: &str) -> StatusCode {
    ask(daemon, Method::GET, "/connection/status", key).await
}

async fn ask(daemon: &Daemon, method: Method, path: &str, key: &str) -> StatusCode {
    let headers = [("x-api-key", key)];
    daemon.call_tcp(method, path, None, &headers).await.status
}

async fn cli(daemon: &Daemon, arguments: &[&str]) -> (i32, String, String) {
    let output = daemon.cli(arguments).await;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code().expect("no signal");
    (code, text(&output.stdout), text(&output.stderr))
}

/// Makes a key by the command line.
async fn add(daemon: &Daemon, arguments: &[&str]) -> String {
    let (code, out, err) = cli(daemon, &[&["key", "add"], arguments].concat()).await;
    assert_eq!(code, 0, "{err}");
    let key = out.trim().to_owned();
    assert_eq!(key.len(), 64, "{out}");
    assert!(err.contains("only now"), "{err}");
    daemon.home.keep_secret(&key);
    key
}

#[tokio::test]
async fn keys_are_made_listed_kept_and_removed() {
    let home = home();
    let daemon = home.start();
    daemon.status().await;
    let reader = add(&daemon, &["reader"]).await;
    let manager = add(
        &daemon,
        &["manager", "--scope", "manage", "--expires", "2999-12-31"],
    )
    .await;
    assert_eq!(status_with(&daemon, &reader).await, StatusCode::OK);
    let pause = async |key| ask(&daemon, Method::POST, "/connection/pause", key).await;
    assert_eq!(pause(&reader).await, StatusCode::FORBIDDEN);
    assert_eq!(pause(&manager).await, StatusCode::OK);

    // By hash only, and for the daemon's user only.
    let file = home.state().join("keys.toml");
    let kept = fs::read_to_string(&file).expect("readable");
    assert!(
        !kept.contains(&reader) && kept.contains(&hex(&reader)),
        "{kept}"
    );
    for (path, bytes) in crate::support::files(&home.state()) {
        let found = bytes.windows(64).any(|part| part == reader.as_bytes());
        assert!(!found, "{}", path.display());
    }

    let (_, listed, _) = cli(&daemon, &["key", "list"]).await;
    for words in [
        &["reader", "read", "key add", "never"][..],
        &["manager", "manage", "key add", "3000-01-01T00:00:00.000Z"],
        &["API_KEY", "manage", "environment", "never"],
    ] {
        let line = listed.lines().find(|line| line.starts_with(words[0]));
        let line = line.unwrap_or_else(|| panic!("{} is not in {listed}", words[0]));
        assert!(words.iter().all(|word| line.contains(word)), "{line}");
    }
    let (_, json, _) = cli(&daemon, &["key", "list", "--json"]).await;
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["data"].as_array().map(Vec::len), Some(3), "{json}");

    for (arguments, complaint) in [
        (
            &["key", "add", "reader"][..],
            "there is a key reader already",
        ),
        (&["key", "add", "a b"], "no name of a key"),
        (&["key", "add", "api-key"], "choose another"),
        (&["key", "add", "x", "--expires", "2001-01-01"], "is past"),
        (&["key", "add", "x", "--expires", "tomorrow"], "is no date"),
        (&["key", "remove", "nobody"], "walinkd key list"),
        (&["key", "remove", "API_KEY"], "in the environment"),
    ] {
        let complaint = complaint.to_lowercase();
        let (code, out, err) = cli(&daemon, arguments).await;
        assert_eq!((code, out.as_str()), (1, ""), "{arguments:?}");
        assert!(
            err.to_lowercase().contains(&complaint),
            "{arguments:?}: {err}"
        );
    }

    // As good as never, and as every other date.
    add(&daemon, &["long", "--expires", "9999-12-31"]).await;
    let (_, listed, _) = cli(&daemon, &["key", "list"]).await;
    assert!(listed.contains("9999-12-31T23:59:59.999Z"), "{listed}");
    let (code, _, err) = cli(&daemon, &["key", "remove", "long"]).await;
    assert_eq!(code, 0, "{err}");

    // Not over TCP, with whatever key.
    let keys = ask(&daemon, Method::GET, "/admin/keys", &manager).await;
    assert_eq!(keys, StatusCode::NOT_FOUND);

    let home = daemon.kill();
    let daemon = home.start();
    daemon.status().await;
    assert_eq!(status_with(&daemon, &reader).await, StatusCode::OK);
    let (code, out, _) = cli(&daemon, &["key", "remove", "reader"]).await;
    assert_eq!((code, out.as_str()), (0, "The key reader is removed.\n"));
    assert_eq!(status_with(&daemon, &reader).await, StatusCode::FORBIDDEN);
    assert_eq!(status_with(&daemon, &manager).await, StatusCode::OK);
    let log = daemon.log();
    assert!(
        log.contains("removed the API key reader, asked for by uid="),
        "{log}"
    );
    // A query names one as well.
    let removed = daemon
        .call(Method::DELETE, "/admin/keys?name=manager", None)
        .await;
    assert_eq!(removed.status, StatusCode::OK, "{removed:?}");
    assert_eq!(status_with(&daemon, &manager).await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_first_starts_key_can_be_replaced() {
    let home = home();
    let daemon = home.start_with(&[("API_KEY", "")]);
    daemon.status().await;
    let path = home.state().join("api-key");
    let own = fs::read_to_string(&path).expect("made").trim().to_owned();
    home.keep_secret(&own);
    let mine = add(&daemon, &["mine", "--scope", "manage"]).await;
    assert_eq!(status_with(&daemon, &own).await, StatusCode::OK);
    let (code, _, err) = cli(&daemon, &["key", "remove", "api-key"]).await;
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(!path.exists());
    assert_eq!(status_with(&daemon, &own).await, StatusCode::FORBIDDEN);
    assert_eq!(status_with(&daemon, &mine).await, StatusCode::OK);
    // There is a key, so no other is made.
    let home = daemon.kill();
    let daemon = home.start_with(&[("API_KEY", "")]);
    daemon.status().await;
    assert!(!path.exists());
    let (_, out, _) = cli(&daemon, &["key", "remove", "mine"]).await;
    assert!(out.contains("the last one"), "{out}");
    assert_eq!(status_with(&daemon, &mine).await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_broken_list_of_keys_is_told() {
    let home = home();
    fs::create_dir(home.state()).expect("made");
    fs::write(home.state().join("keys.toml"), "[[keys]]\nname = 1\n").expect("written");
    let mut daemon = home.start();
    assert_eq!(daemon.ended().await.code(), Some(78));
    assert!(daemon.log().contains("keys.toml: "), "{}", daemon.log());

    // The one in the file stands before one of the same name.
    let twin = format!(
        "[[keys]]\nname = \"twin\"\nsha256 = \"{}\"\nscope = \"read\"\ncreated = \"2026-01-01T00:00:00.000Z\"\n",
        "7e".repeat(32)
    );
    fs::write(home.state().join("keys.toml"), twin).expect("written");
    home.configure(&listed("twin", "another", "read"));
    let daemon = home.start();
    daemon.status().await;
    assert_eq!(status_with(&daemon, "another").await, StatusCode::OK);
    let log = daemon.log();
    assert!(log.contains("the key twin stands before twin"), "{log}");
}

/// A call whose key goes while its body is on the way is not carried out; and a
/// key in the place of a name reaches no log.
#[tokio::test]
async fn a_removed_key_does_nothing_more() {
    let home = home();
    let daemon = home.start();
    daemon.status().await;
    let key = add(&daemon, &["gone", "--scope", "manage"]).await;
    let mut stream = TcpStream::connect(daemon.address())
        .await
        .expect("it listens");
    let head = format!(
        "POST /connection/pause HTTP/1.1\r\nHost: x\r\nx-api-key: {key}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("taken");
    // It has been let in once another call after it is answered.
    assert_eq!(status_with(&daemon, &key).await, StatusCode::OK);
    let (code, _, err) = cli(&daemon, &["key", "remove", &key]).await;
    assert_eq!(code, 1, "{err}");
    let (code, _, err) = cli(&daemon, &["key", "remove", "gone"]).await;
    assert_eq!(code, 0, "{err}");
    stream.write_all(b"{}").await.expect("taken");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert_ne!(daemon.status().await["state"], "paused");
}

/// Old and new key around two reloads, asked with all the time: nobody is
/// wrongly refused, nobody wrongly let in, and the link does not notice.
#[tokio::test]
async fn rotation_under_load_refuses_nobody_wrongly() {
    const OLD: &str = "old-key-0123456789";
    const NEW: &str = "new-key-9876543210";
    let (_sandbox, phone, home) = crate::world().await;
    let limits = "[http.rate_limit]\nrequests_per_second = 0\nfailed_keys_per_minute = 0\n";
    let keys = |names: &[&str]| {
        let lists = names.iter().map(|key| listed(key, key, "read"));
        format!("{limits}{}", lists.collect::<String>())
    };
    home.configure(&keys(&[OLD]));
    let daemon = Arc::new(home.start());
    crate::link(&daemon, &phone).await;
    let before = daemon.status().await;
    let held = {
        let daemon = Arc::clone(&daemon);
        let mut generation = before["generation"].clone();
        // Waits anew when something changes, such as the account's name.
        tokio::spawn(async move {
            loop {
                let path = format!("/connection/status?after={generation}&wait=60s");
                let headers = [("x-api-key", OLD)];
                let answer = daemon.call_tcp(Method::GET, &path, None, &headers).await;
                if answer.status != StatusCode::OK {
                    return answer;
                }
                generation = answer.json()["data"]["generation"].clone();
            }
        })
    };

    let mut asked = 0;
    let round = async |key: &'static str, times: usize| {
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..times {
            let daemon = Arc::clone(&daemon);
            calls.spawn(async move { status_with(&daemon, key).await });
        }
        calls.join_all().await
    };
    let all = |answers: Vec<StatusCode>, expected| {
        assert!(
            answers.iter().all(|status| *status == expected),
            "{answers:?}"
        );
        answers.len()
    };
    let reload = async || {
        let answer = daemon.post("/admin/reload").await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    };
    // The old one is good throughout the first reload.
    asked += all(round(OLD, 100).await, StatusCode::OK);
    asked += all(round(NEW, 100).await, StatusCode::FORBIDDEN);
    home.configure(&keys(&[OLD, NEW]));
    let (answers, ()) = tokio::join!(round(OLD, 200), reload());
    asked += all(answers, StatusCode::OK);
    asked += all(round(NEW, 100).await, StatusCode::OK);
    // The new one throughout the second.
    home.configure(&keys(&[NEW]));
    let (answers, ()) = tokio::join!(round(NEW, 200), reload());
    asked += all(answers, StatusCode::OK);
    asked += all(round(OLD, 200).await, StatusCode::FORBIDDEN);
    asked += all(round(NEW, 100).await, StatusCode::OK);
    assert_eq!(asked, 1_000);
    // What waited with the old one has ended, and said why.
    let held = held.await.expect("no panic");
    assert_eq!(held.status, StatusCode::FORBIDDEN);
    // Unless something changed just then, and it asked anew.
    let told = held.json()["code"].as_str().map(str::to_owned);
    assert!(
        matches!(told.as_deref(), Some("not_permitted" | "bad_key")),
        "{held:?}"
    );
    let after = daemon.status().await;
    assert_eq!(
        before["stateSince"], after["stateSince"],
        "the link was touched"
    );
    assert_eq!(
        status_with(&daemon, KEY).await,
        StatusCode::OK,
        "the environment's"
    );
}

fn listed(name: &str, key: &str, scope: &str) -> String {
    format!(
        "[[auth.keys]]\nname = \"{name}\"\nsha256 = \"{}\"\nscope = \"{scope}\"\n",
        hex(key)
    )
}

fn hex(key: &str) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(key) {
        write!(text, "{byte:02x}").expect("a string takes all");
    }
    text
}

/// The example of the original document opens nothing and is refused.
#[tokio::test]
async fn the_published_example_key_is_no_key() {
    let document = include_str!("../clients/connection-api.md");
    let (_, rest) = document.split_once("x-api-key: ").expect("the example");
    let example = rest.lines().next().expect("a line").trim();
    let home = home();
    let mut daemon = home.start_with(&[("API_KEY", example)]);
    assert_eq!(daemon.ended().await.code(), Some(78));
    home.configure(&listed("example", example, "read"));
    let mut daemon = home.start();
    assert_eq!(daemon.ended().await.code(), Some(78));
    home.configure("");
    let daemon = home.start();
    daemon.status().await;
    assert_eq!(status_with(&daemon, example).await, StatusCode::FORBIDDEN);
    let body = json!({"name": "x", "key": example});
    let made = daemon.call(Method::POST, "/admin/keys", Some(body)).await;
    assert_eq!(made.status, StatusCode::BAD_REQUEST, "{made:?}");
}
