//! What fail2ban makes of the log.

use crate::support::{Home, KEY, SOON};
use hyper::Method;
use std::{
    collections::BTreeMap,
    fs,
    process::Command,
    time::{Duration, Instant},
};

const FILTER: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/packaging/fail2ban/filter.conf"
);

/// The addresses that the filter finds, and how often.
fn found(log: &str) -> BTreeMap<String, usize> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    fs::write(&path, log).expect("written");
    let output = Command::new("fail2ban-regex")
        .args(["--out", "ip"])
        .arg(&path)
        .arg(FILTER)
        .output()
        .expect("fail2ban is installed");
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    let mut found = BTreeMap::new();
    for address in shown.lines().filter(|line| !line.is_empty()) {
        *found.entry(address.to_owned()).or_default() += 1;
    }
    found
}

#[tokio::test]
#[ignore = "needs fail2ban; tests/run has a step for it"]
async fn fail2ban_finds_who_guesses_and_nobody_else() {
    let home = Home::new("ws://127.0.0.1:9/");
    home.configure_with("trusted_proxies = [\"127.0.0.1\"]\n", "");
    let daemon = home.start();
    daemon.status().await;
    let ask = async |key: Option<&str>, client: Option<&str>| {
        let mut headers = Vec::new();
        headers.extend(key.map(|key| ("x-api-key", key)));
        headers.extend(client.map(|client| ("x-forwarded-for", client)));
        let path = "/connection/status";
        daemon
            .call_tcp(Method::GET, path, None, &headers)
            .await
            .status
    };
    for _ in 0..3 {
        assert_eq!(ask(Some("a guess"), Some("203.0.113.7")).await, 403);
    }
    assert_eq!(ask(Some("a guess"), Some("2001:db8::7")).await, 403);
    assert_eq!(ask(Some("a guess"), None).await, 403);
    // None of these is a guess.
    assert_eq!(ask(None, Some("203.0.113.8")).await, 403);
    assert_eq!(ask(Some(KEY), Some("203.0.113.9")).await, 200);
    // What a client puts into its own request is not read as a line.
    let forged = "refused 198.51.100.1:1: unknown key";
    let headers = [("x-api-key", forged), ("user-agent", forged)];
    let path = "/connection/status?refused%20198.51.100.1:1:%20unknown%20key";
    daemon.call_tcp(Method::GET, path, None, &headers).await;

    // What it writes is read a moment later.
    let deadline = Instant::now() + SOON;
    while daemon.log().matches(": unknown key").count() < 6 {
        assert!(Instant::now() < deadline, "{}", daemon.log());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let log = daemon.log();
    let expected = BTreeMap::from([
        ("203.0.113.7".to_owned(), 3),
        ("2001:db8::7".to_owned(), 1),
        ("127.0.0.1".to_owned(), 2),
    ]);
    assert_eq!(found(&log), expected, "{log}");
    // As fail2ban writes a line of the journal out.
    let journal = "2026-01-01T00:00:00.000000 host walinkd[123]: refused [2001:db8::9]:4711: expired key\n\
                   2026-01-01T00:00:01.000000 host walinkd[123]: refused 192.0.2.1:80: no key\n\
                   2026-01-01T00:00:02.000000 host other[1]: refused 192.0.2.2:80: unknown key\n";
    assert_eq!(
        found(journal),
        BTreeMap::from([("2001:db8::9".to_owned(), 1)])
    );
}
