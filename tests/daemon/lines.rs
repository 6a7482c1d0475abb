//! The command lines of the pages that call the API are run as they stand there, but
//! for the places.

use crate::{
    NUMBER,
    support::{Daemon, Home, KEY, WALINKD},
};
use std::{
    fs,
    net::SocketAddr,
    path::Path,
    process::{Command, Stdio},
};
use walinkd_sandbox::{Options, Sandbox};

/// A stream has no end of its own: what it has told until then is enough.
const PRELUDE: &str = r#"set -e
curl() { command curl -sS --fail-with-body --max-time 5 "$@" || [ $? = 28 ]; }
"#;
const CODE: &str = "ABCD-EFGH";

#[tokio::test]
async fn what_calls_the_api_works() {
    let sandbox = Sandbox::start(Options {
        control: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        ..Options::default()
    });
    let sandbox = sandbox.await.expect("a sandbox");
    sandbox.add_phone(NUMBER);
    let home = Home::new(&sandbox.url());
    home.keep_secret(NUMBER);
    let key = home.config().with_file_name(".local/state/walinkd/api-key");
    fs::create_dir_all(key.parent().expect("a folder")).expect("made");
    fs::write(&key, KEY).expect("written");
    let daemon = home.start();
    daemon.qr().await;
    let control = sandbox.control_url().expect("asked for");
    let places = [
        (
            "http://127.0.0.1:3000",
            format!("http://{}", daemon.address()),
        ),
        (
            "/run/walinkd/control.sock",
            home.socket().display().to_string(),
        ),
        ("http://127.0.0.1:5280", control),
        ("target/debug/walinkd", WALINKD.to_owned()),
        ("dev.toml", home.config().display().to_string()),
    ];
    let mut run = 0;
    for page in ["README.md", "man/walinkd-api.7"] {
        for block in blocks(page) {
            let mut script = block.clone();
            for (place, here) in &places {
                script = script.replace(place, here);
            }
            if let Some((before, after)) = script.split_once("\ncurl")
                && after.contains(CODE)
            {
                // It is for who has nothing linked yet, and was scanned before.
                daemon.until_connected().await;
                daemon.post("/connection/disconnect").await;
                daemon.qr().await;
                bash(&daemon, before).await;
                let code = daemon.code().await;
                script = format!("curl{}", after.replace(CODE, &code));
            }
            let told = bash(&daemon, &script).await;
            assert!(!told.is_empty(), "{page}: {block}");
            run += 1;
        }
    }
    daemon.until_connected().await;
    assert_eq!(run, 9);
}

/// The blocks of a page in which curl is called.
fn blocks(page: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = fs::read_to_string(path).expect("it is there");
    let text = match page.strip_prefix("man/") {
        Some(_) => text.replace("\\-", "-").replace("\ncurl", "\n    curl"),
        None => text,
    };
    let mut blocks = vec![String::new()];
    for line in text.lines() {
        match (line.strip_prefix("    "), blocks.last_mut()) {
            (Some(line), Some(block)) => block.push_str(&format!("{line}\n")),
            _ => blocks.push(String::new()),
        }
    }
    let calls = |block: &String| block.lines().any(|line| line.starts_with("curl "));
    blocks.into_iter().filter(calls).collect()
}

/// Runs it, not on the sandbox's thread; what it tells.
async fn bash(daemon: &Daemon, script: &str) -> String {
    let home = daemon.home.config();
    let mut command = Command::new("bash");
    command
        .args(["-c", &format!("{PRELUDE}{script}")])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home.parent().expect("a folder"))
        .env("KEY", KEY)
        .stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output());
    let output = output.await.expect("no panic").expect("bash runs");
    assert!(output.status.success(), "{script}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
