//! `GET /metrics` of the real daemon: a parser of our own and Prometheus's accept
//! it, and its figures follow what happens, to the last count.

use crate::{
    NUMBER,
    exposition::Exposition,
    link,
    support::{By, Daemon, Following, Home, KEY, SOON},
    world,
};
use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use walinkd_sandbox::{Fault, Phone, Sandbox, Stage, Target};

/// Until a ping was judged, twice at the worst.
const SILENCE: Duration = Duration::from_secs(60);

/// The library's own time until it gives a mistyped code up, and some.
const GIVEN_UP: Duration = Duration::from_secs(90);

const PACKAGED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/prometheus");

pub(crate) async fn scrape(daemon: &Daemon) -> Exposition {
    let answer = daemon.get("/metrics").await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let media = "text/plain; version=0.0.4; charset=utf-8";
    assert_eq!(answer.headers["content-type"], media);
    // The first digits of a number may be those of a time; not beside one.
    let lines = answer.text.lines();
    let beside = lines.map(|line| line.rsplit_once(' ').map_or(line, |(series, _)| series));
    let beside = beside.collect::<Vec<_>>().join("\n");
    for (secret, text) in [
        (NUMBER, &answer.text),
        ("62812", &beside),
        ("Ayu", &answer.text),
        ("127.0.0.1", &answer.text),
    ] {
        assert!(!text.contains(secret), "{secret} in\n{text}");
    }
    Exposition::parse(&answer.text).unwrap_or_else(|what| panic!("{what} in\n{}", answer.text))
}

/// What should have been counted so far.
#[derive(Default)]
struct Ledger {
    transitions: BTreeMap<(&'static str, &'static str), u32>,
    attempts: BTreeMap<&'static str, u32>,
    pairings: BTreeMap<&'static str, u32>,
    reconnects: u32,
    codes: u32,
    scrapes: u32,
}

impl Ledger {
    /// The state changed so, in this order; each with its reason.
    fn moved(&mut self, states: &[(&'static str, &'static str)]) {
        for state in states {
            *self.transitions.entry(*state).or_default() += 1;
        }
    }

    fn attempted(&mut self, purpose: &'static str, times: u32) {
        *self.attempts.entry(purpose).or_default() += times;
    }

    fn paired(&mut self, outcome: &'static str) {
        *self.pairings.entry(outcome).or_default() += 1;
    }

    /// A scrape says just this: nothing less, and nothing more.
    async fn holds(&mut self, daemon: &Daemon, state: &str) -> Exposition {
        let told = scrape(daemon).await;
        let counts = |name: &str, labels: &[&str]| -> BTreeMap<Vec<String>, f64> {
            let all = told.all(name).filter(|(_, count)| *count > 0.0);
            let key =
                |by: &BTreeMap<String, String>| labels.iter().map(|l| by[*l].clone()).collect();
            all.map(|(by, count)| (key(by), count)).collect()
        };
        let expected: BTreeMap<_, _> = self
            .transitions
            .iter()
            .map(|((to, why), count)| {
                (vec![(*to).to_owned(), (*why).to_owned()], f64::from(*count))
            })
            .collect();
        let transitions = counts("walinkd_state_transitions_total", &["to", "reason"]);
        assert_eq!(transitions, expected, "in {state}\n{}", daemon.log());
        for (name, label, expected) in [
            (
                "walinkd_connection_attempts_total",
                "purpose",
                &self.attempts,
            ),
            ("walinkd_pairings_total", "outcome", &self.pairings),
        ] {
            let expected: BTreeMap<_, _> = expected
                .iter()
                .map(|(by, count)| (vec![(*by).to_owned()], f64::from(*count)))
                .collect();
            assert_eq!(counts(name, &[label]), expected, "{name} in {state}");
        }
        for (name, expected) in [
            ("walinkd_reconnects_total", self.reconnects),
            ("walinkd_pairing_codes_total", self.codes),
        ] {
            assert_eq!(told.get(name, &[]), Some(f64::from(expected)), "{name}");
        }
        let is = |name: &str| f64::from(u8::from(name == state));
        for (labels, value) in told.all("walinkd_state") {
            assert_eq!(value, is(&labels["state"]), "{labels:?} in {state}");
        }
        assert_eq!(told.get("walinkd_connected", &[]), Some(is("connected")));
        let since = told.get("walinkd_state_seconds", &[]).expect("told");
        assert!((0.0..600.0).contains(&since), "{since}");
        // Scrapes are requests, and the last one was counted after it was written.
        let scrapes = [("route", "/metrics"), ("method", "GET"), ("status", "200")];
        let scrapes = told.get("walinkd_http_requests_total", &scrapes);
        assert_eq!(scrapes.unwrap_or(0.0), f64::from(self.scrapes));
        self.scrapes += 1;
        told
    }
}

fn count(told: &Exposition, name: &str, labels: &[(&str, &str)]) -> f64 {
    let count = told.get(name, labels);
    count.unwrap_or_else(|| panic!("no {name}{labels:?} in {told:?}"))
}

/// A daemon that shows its first QR code.
async fn begun() -> (Sandbox, Phone, Daemon, Ledger) {
    let (sandbox, phone, home) = world().await;
    let daemon = home.start();
    daemon.qr().await;
    let mut ledger = Ledger::default();
    ledger.attempted("qr", 1);
    ledger.moved(&[("connecting", "none"), ("waiting_qr", "none")]);
    (sandbox, phone, daemon, ledger)
}

#[tokio::test]
async fn they_follow_every_fault() {
    let (sandbox, phone, daemon, mut ledger) = begun().await;
    let told = ledger.holds(&daemon, "waiting_qr").await;
    assert_eq!(count(&told, "walinkd_linked", &[]), 0.0);

    let device = link(&daemon, &phone).await;
    ledger.attempted("login", 1);
    ledger.paired("linked");
    ledger.moved(&[("linking", "none"), ("connected", "none")]);
    let told = ledger.holds(&daemon, "connected").await;
    assert_eq!(count(&told, "walinkd_linked", &[]), 1.0);
    assert_eq!(count(&told, "walinkd_attempts", &[]), 0.0);
    let age = count(&told, "walinkd_last_heard_age_seconds", &[]);
    assert!((0.0..30.0).contains(&age), "{age}");

    for (fault, reason) in [
        (Fault::Drop { at: Stage::Live }, "network"),
        (Fault::stream_error(503), "server_error"),
        (Fault::stream_error(515), "restart"),
        (Fault::XmlStreamEnd, "stream_end"),
    ] {
        let logins = sandbox.stats().logins;
        sandbox
            .inject(fault, Target::device(&device.jid))
            .expect("injected");
        sandbox
            .wait_for(|state| state.stats.logins > logins, SOON)
            .await
            .expect("a new login");
        daemon.until_connected().await;
        ledger.attempted("login", 1);
        ledger.reconnects += 1;
        ledger.moved(&[("reconnecting", reason), ("connected", "none")]);
        ledger.holds(&daemon, "connected").await;
    }

    // Two logins fail; it is one time that the link was lost.
    sandbox
        .inject(Fault::connect_failure(503), Target::next(2))
        .expect("armed");
    sandbox
        .inject(Fault::Drop { at: Stage::Live }, Target::device(&device.jid))
        .expect("cut");
    daemon.until_state("reconnecting").await;
    // It would wait for long by now.
    daemon.post("/connection/reconnect").await;
    sandbox
        .wait_for(|state| state.stats.failures.get(&503) == Some(&2), SOON)
        .await
        .expect("refused twice");
    daemon.until_connected().await;
    ledger.attempted("login", 3);
    ledger.reconnects += 1;
    ledger.moved(&[("reconnecting", "network"), ("connected", "none")]);
    ledger.holds(&daemon, "connected").await;

    // Silence, and an answer on the same socket.
    sandbox
        .inject(Fault::IgnorePings, Target::all().standing())
        .expect("armed");
    daemon
        .until_within(SILENCE, "doubt", |status| status["state"] == "degraded")
        .await;
    sandbox.clear_faults();
    ledger.moved(&[("degraded", "silent")]);
    let told = ledger.holds(&daemon, "degraded").await;
    assert_eq!(count(&told, "walinkd_linked", &[]), 1.0);
    assert_eq!(count(&told, "walinkd_health_warnings", &[]), 1.0);
    daemon.until_connected().await;
    ledger.moved(&[("connected", "none")]);
    ledger.holds(&daemon, "connected").await;

    sandbox
        .inject(Fault::connect_failure(405), Target::next(1))
        .expect("armed");
    daemon.post("/connection/reconnect").await;
    daemon.until_state("outdated").await;
    ledger.attempted("login", 1);
    ledger.moved(&[("connecting", "none"), ("outdated", "outdated")]);
    ledger.holds(&daemon, "outdated").await;
    daemon.post("/connection/reconnect").await;
    daemon.until_connected().await;
    ledger.attempted("login", 1);
    ledger.reconnects += 1;
    ledger.moved(&[("reconnecting", "outdated"), ("connected", "none")]);
    ledger.holds(&daemon, "connected").await;

    sandbox
        .inject(Fault::replaced(), Target::device(&device.jid))
        .expect("injected");
    daemon.until_state("replaced").await;
    ledger.moved(&[("replaced", "replaced")]);
    ledger.holds(&daemon, "replaced").await;
    daemon.post("/connection/reconnect").await;
    daemon.until_connected().await;
    ledger.attempted("login", 1);
    ledger.reconnects += 1;
    ledger.moved(&[("reconnecting", "replaced"), ("connected", "none")]);

    daemon.post("/connection/pause").await;
    daemon.post("/connection/resume").await;
    daemon.until_connected().await;
    ledger.attempted("login", 1);
    ledger.moved(&[
        ("paused", "none"),
        ("connecting", "none"),
        ("connected", "none"),
    ]);
    ledger.holds(&daemon, "connected").await;

    daemon.post("/connection/disconnect").await;
    daemon.qr().await;
    ledger.attempted("qr", 1);
    ledger.moved(&[("logged_out", "none"), ("waiting_qr", "disconnected")]);
    let told = ledger.holds(&daemon, "waiting_qr").await;
    assert_eq!(count(&told, "walinkd_linked", &[]), 0.0);
    for (action, times) in [("reconnect", 4.0), ("pause", 1.0), ("disconnect", 1.0)] {
        let route = format!("/connection/{action}");
        let labels = [("route", route.as_str()), ("method", "POST")];
        let answered = count(
            &told,
            "walinkd_http_request_duration_seconds_count",
            &labels,
        );
        assert_eq!(answered, times, "{action}");
    }
}

#[tokio::test]
async fn they_follow_pairings_by_code() {
    let (sandbox, phone, daemon, mut ledger) = begun().await;

    // WhatsApp gives none: the QR code is shown on, by the session that asked.
    let ask = async || {
        let body = json!({"phoneNumber": NUMBER});
        daemon
            .call(Method::POST, "/connection/pairing", Some(body))
            .await
    };
    let refused = Fault::code_rate_limited(Some(Duration::from_secs(1)));
    sandbox.inject(refused, Target::next(1)).expect("armed");
    assert_eq!(ask().await.status, StatusCode::TOO_MANY_REQUESTS);
    daemon.until_state("waiting_qr").await;
    ledger.attempted("code", 1);
    ledger.paired("limited");
    ledger.moved(&[("connecting", "none"), ("waiting_qr", "pairing_limited")]);
    ledger.holds(&daemon, "waiting_qr").await;

    let deadline = Instant::now() + SOON;
    while ask().await.status != StatusCode::OK {
        assert!(Instant::now() < deadline, "the limit is over by now");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    ledger.attempted("code", 1);
    ledger.codes += 1;
    ledger.moved(&[("connecting", "none"), ("waiting_code", "none")]);
    ledger.holds(&daemon, "waiting_code").await;

    let first = daemon.code().await;
    phone
        .enter_code("ZZZZ-ZZZZ")
        .await
        .expect_err("the wrong code");
    daemon
        .until_within(GIVEN_UP, "a fresh code", |status| {
            status["reason"]["code"] == "wrong_code" && status["hasPairingCode"] == true
        })
        .await;
    let second = daemon.code().await;
    assert_ne!(first, second);
    ledger.attempted("code", 1);
    ledger.codes += 1;
    ledger.paired("wrong_code");
    ledger.moved(&[("connecting", "wrong_code"), ("waiting_code", "wrong_code")]);
    ledger.holds(&daemon, "waiting_code").await;

    phone.enter_code(&second).await.expect("the phone accepts");
    daemon.until_connected().await;
    ledger.attempted("login", 1);
    ledger.paired("linked");
    ledger.moved(&[("linking", "wrong_code"), ("connected", "none")]);
    ledger.holds(&daemon, "connected").await;
}

/// A daemon that need not reach anybody.
async fn alone() -> Daemon {
    let daemon = Home::new("ws://127.0.0.1:9/").start();
    daemon.status().await;
    daemon
}

#[tokio::test]
async fn they_follow_who_is_refused() {
    let daemon = alone().await;
    let ask = async |key: &str| {
        let headers = [("x-api-key", key)];
        daemon
            .call_tcp(Method::GET, "/metrics", None, &headers)
            .await
            .status
    };
    assert_eq!(ask(KEY).await, 200);
    assert_eq!(ask("").await, 403);
    // The tenth within a minute locks out, and then a good key is refused too.
    for _ in 0..10 {
        assert_eq!(ask("a guess").await, 403);
    }
    for key in [KEY, "a guess", ""] {
        assert_eq!(ask(key).await, 429);
    }
    let told = scrape(&daemon).await;
    let refused = |reason| count(&told, "walinkd_auth_refusals_total", &[("reason", reason)]);
    for (reason, times) in [
        ("no_key", 1.0),
        ("unknown_key", 10.0),
        ("locked_out", 3.0),
        ("read_key", 0.0),
        ("revoked", 0.0),
    ] {
        assert_eq!(refused(reason), times, "{reason}");
    }
    assert_eq!(count(&told, "walinkd_auth_lockouts_total", &[]), 1.0);
    for (status, times) in [("200", 1.0), ("403", 11.0), ("429", 3.0)] {
        let labels = [("route", "/metrics"), ("method", "GET"), ("status", status)];
        assert_eq!(count(&told, "walinkd_http_requests_total", &labels), times);
    }
}

#[tokio::test]
async fn they_tell_of_streams_and_of_the_process() {
    let daemon = alone().await;
    let first = Following::begin(&daemon, By::Control, "", &[]).await;
    let second = Following::begin(&daemon, By::Tcp, "", &[]).await;
    let told = scrape(&daemon).await;
    assert_eq!(count(&told, "walinkd_event_streams", &[]), 2.0);
    drop((first, second));
    let deadline = Instant::now() + SOON;
    while count(&scrape(&daemon).await, "walinkd_event_streams", &[]) > 0.0 {
        assert!(Instant::now() < deadline, "they are gone");
    }
    for name in [
        "process_open_fds",
        "process_max_fds",
        "process_resident_memory_bytes",
        "process_start_time_seconds",
        "process_threads",
    ] {
        assert!(count(&told, name, &[]) > 0.0, "{name}");
    }
    assert!(told.get("process_cpu_seconds_total", &[]).is_some());
    assert_eq!(count(&told, "walinkd_journal_events_lost_total", &[]), 0.0);
    assert_eq!(count(&told, "walinkd_journal_writable", &[]), 1.0);
    let status = daemon.status().await;
    let version = status["version"].as_str().expect("told");
    let labels = [("version", version)];
    assert_eq!(count(&told, "walinkd_build_info", &labels), 1.0);
}

/// Nobody is there to take anything.
const WEBHOOK: &str = r#"
[[webhook]]
name = "shop"
url = "http://127.0.0.1:9/hook"
secret = "whsec_c2VjcmV0LW9mLTI0LWJ5dGVzLW9yLW1vcmU="
"#;

/// The names of metrics in an expression, or in a whole file of them.
fn named(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.filter(|word| word.starts_with("walinkd_") || word.starts_with("process_"))
}

#[tokio::test]
async fn what_the_packaged_rules_and_graphs_ask_for_is_there() {
    let (_sandbox, phone, home) = world().await;
    home.configure(WEBHOOK);
    let daemon = home.start();
    link(&daemon, &phone).await;
    scrape(&daemon).await;
    let told = scrape(&daemon).await;
    let there = told.names();
    let mut asked = 0;
    for file in ["alerts.yml", "dashboard.json"] {
        let text = fs::read_to_string(Path::new(PACKAGED).join(file)).expect("it is packaged");
        for name in named(&text) {
            assert!(there.contains(name), "{file}: no {name} in {there:?}");
            asked += 1;
        }
    }
    assert!(asked > 20, "{asked}");
    for query in dashboard() {
        assert!(named(&query).next().is_some(), "{query}");
    }
}

#[tokio::test]
async fn the_manual_has_them_all() {
    let home = Home::new("ws://127.0.0.1:9/");
    home.configure(WEBHOOK);
    let daemon = home.start();
    daemon.status().await;
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/man/walinkd-api.7");
    let page = fs::read_to_string(page).expect("the page");
    let listed: BTreeSet<&str> = named(&page).collect();
    for family in scrape(&daemon).await.families.keys() {
        let ours = family.starts_with("walinkd_");
        assert!(!ours || listed.contains(family.as_str()), "{family}");
    }
}

/// The queries of the packaged dashboard.
fn dashboard() -> Vec<String> {
    let text = fs::read_to_string(Path::new(PACKAGED).join("dashboard.json")).expect("packaged");
    let dashboard: Value = serde_json::from_str(&text).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let panels = panels.iter().filter(|panel| panel["type"] != "row");
    let targets = panels.flat_map(|panel| panel["targets"].as_array().expect("queries"));
    let queries = targets.map(|target| target["expr"].as_str().expect("a query"));
    queries.map(str::to_owned).collect()
}

/// As rules, which promtool reads: with what Grafana would put in.
fn as_rules(queries: &[String]) -> String {
    let rules = queries.iter().enumerate().map(|(number, query)| {
        let query = query
            .replace("$__rate_interval", "5m")
            .replace("$__range", "6h");
        json!({"record": format!("query_{number}"), "expr": query})
    });
    let rules: Vec<Value> = rules.collect();
    json!({"groups": [{"name": "dashboard", "rules": rules}]}).to_string()
}

fn promtool(arguments: &[&str], stdin: Stdio) -> String {
    let output = Command::new("promtool")
        .args(arguments)
        .current_dir(PACKAGED)
        .stdin(stdin)
        .output()
        .expect("promtool is installed");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "promtool {arguments:?}: {said}");
    said
}

#[tokio::test]
#[ignore = "needs promtool; tests/run has a step for it"]
async fn promtool_finds_nothing_to_say() {
    let (_sandbox, phone, home) = world().await;
    home.configure(WEBHOOK);
    let daemon = home.start();
    link(&daemon, &phone).await;
    scrape(&daemon).await;
    let text = daemon.get("/metrics").await.text;
    let scraped = home.config().with_file_name("scrape.txt");
    fs::write(&scraped, &text).expect("written");
    let scraped = fs::File::open(&scraped).expect("there");
    assert_eq!(promtool(&["check", "metrics"], scraped.into()), "");
    let rules = promtool(&["check", "rules", "alerts.yml"], Stdio::null());
    assert!(rules.contains("SUCCESS"), "{rules}");
    let tests = promtool(&["test", "rules", "alerts.test.yml"], Stdio::null());
    assert!(tests.contains("SUCCESS"), "{tests}");
    promtool(
        &["check", "config", "--syntax-only", "scrape.yml"],
        Stdio::null(),
    );
    let queries = home.config().with_file_name("queries.yml");
    fs::write(&queries, as_rules(&dashboard())).expect("written");
    let queries = queries.to_str().expect("UTF-8");
    promtool(&["check", "rules", queries], Stdio::null());
}
