//! `walinkd backup` and `walinkd restore`, beside the real daemon and without it.

use crate::{
    link,
    support::{Home, WALINKD, files},
    world,
};
use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// Runs a verb by the daemon's file, not on the sandbox's thread.
async fn cli(home: &Home, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(WALINKD);
    command.arg("--config").arg(home.config()).args(arguments);
    command.env_clear().stdin(Stdio::null());
    let output: Output = tokio::task::spawn_blocking(move || command.output())
        .await
        .expect("no panic")
        .expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let code = output.status.code().expect("no signal");
    (code, text(output.stdout), text(output.stderr))
}

fn copy_in(home: &Home) -> (PathBuf, String) {
    let path = home.config().with_file_name("copy");
    let text = path.to_str().expect("UTF-8").to_owned();
    (path, text)
}

fn shape(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = files(dir);
    found.sort();
    found
}

#[tokio::test]
async fn a_copy_under_a_live_link_brings_it_back_after_a_disaster() {
    let (_sandbox, phone, home) = world().await;
    let daemon = home.start();
    let device = link(&daemon, &phone).await;
    let key = cli(&home, &["key", "add", "dashboard"]).await;
    assert_eq!(key.0, 0, "{key:?}");
    let (path, copy) = copy_in(&home);
    let (code, out, err) = cli(&home, &["backup", &copy]).await;
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let mode = fs::metadata(&path).expect("it is there").permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    assert!(!path.with_extension("new").exists());
    assert!(!home.state().join("backup.tmp").exists());
    assert_eq!(daemon.status().await["isConnected"], true);

    let (code, _, err) = cli(&home, &["backup", &copy]).await;
    assert_eq!(code, 1);
    assert!(err.contains("is there already: "), "{err}");
    assert_eq!(cli(&home, &["backup", &copy, "--force"]).await.0, 0);
    // Nothing is put under a daemon that runs.
    let (code, _, err) = cli(&home, &["restore", &copy]).await;
    assert_eq!(code, 1);
    assert!(err.contains("in use by another walinkd (PID "), "{err}");

    let told: BTreeSet<u64> = ids(&daemon.get("/connection/log").await.json());
    let home = daemon.kill();
    fs::remove_dir_all(home.state()).expect("a disaster");
    let (code, out, err) = cli(&home, &["restore", &copy]).await;
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.starts_with("Restored the state of 20"), "{out}");
    let daemon = home.start();
    let status = daemon.until_connected().await;
    assert_eq!(status["jid"], device.jid.to_string(), "{status}");
    let log = daemon.get("/connection/log").await.json();
    let kinds: Vec<&str> = log["data"]
        .as_array()
        .expect("a list")
        .iter()
        .take_while(|event| event["type"] != "admin.start")
        .filter_map(|event| event["type"].as_str())
        .collect();
    assert!(
        !kinds.iter().any(|kind| kind.starts_with("pairing.")),
        "{kinds:?}"
    );
    // What came after the copy has new ids, also where old ones are gone.
    let start = |event: &&serde_json::Value| event["type"] == "admin.start";
    let newest = log["data"].as_array().expect("a list").iter().find(start);
    let newest = newest.expect("the start")["id"].as_u64().expect("an id");
    assert!(told.iter().all(|id| *id < newest), "{newest} in {told:?}");
    let (_, out, _) = cli(&home, &["key", "list"]).await;
    assert!(out.contains("\ndashboard "), "{out}");
}

fn ids(log: &serde_json::Value) -> BTreeSet<u64> {
    let events = log["data"].as_array().expect("a list");
    events
        .iter()
        .filter_map(|event| event["id"].as_u64())
        .collect()
}

#[tokio::test]
async fn what_would_break_the_link_is_refused_and_changes_nothing() {
    let (_sandbox, phone, home) = world().await;
    let daemon = home.start();
    link(&daemon, &phone).await;
    let (path, copy) = copy_in(&home);
    assert_eq!(cli(&home, &["backup", &copy]).await.0, 0);
    // The device is used once more.
    let home = daemon.kill();
    let daemon = home.start();
    daemon.until_connected().await;
    let home = daemon.kill();

    let before = shape(&home.state());
    let (code, _, err) = cli(&home, &["restore", &copy]).await;
    assert_eq!(code, 1);
    assert!(
        err.starts_with("walinkd: restore: the copy is of "),
        "{err}"
    );
    assert!(err.contains("--force"), "{err}");
    let good = fs::read(&path).expect("readable");
    let bad = path.with_extension("bad");
    let text = bad.to_str().expect("UTF-8");
    for contents in [&b"no copy"[..], &good[..good.len() / 2], &[]] {
        fs::write(&bad, contents).expect("written");
        let (code, _, err) = cli(&home, &["restore", text, "--force"]).await;
        assert_eq!(code, 1);
        assert!(
            err.starts_with(&format!("walinkd: restore: {text}: ")),
            "{err}"
        );
    }
    // But for the PID in the lock.
    let same = |files: Vec<(PathBuf, Vec<u8>)>| {
        let kept = files.into_iter();
        kept.filter(|(path, _)| !path.ends_with("walinkd.lock"))
            .collect::<Vec<_>>()
    };
    assert_eq!(same(shape(&home.state())), same(before));

    // Without a daemon too it is copied, and then not older than its last use.
    let (code, _, err) = cli(&home, &["backup", &copy, "--force"]).await;
    assert_eq!((code, err.as_str()), (0, ""));
    let (code, out, err) = cli(&home, &["restore", &copy, "--force"]).await;
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("holds keys until you remove it"), "{out}");
    home.start().until_connected().await;
}
