//! The answers that README.md and the manual pages show are those that a daemon gives:
//! every JSON in them is compared with a live one, key by key.

use crate::{
    support::{Block, By, Daemon, Following, Receiver},
    world,
};
use hyper::Method;
use serde_json::{Deserializer, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};
use tokio::task::JoinHandle;
use walinkd_sandbox::{PasskeyGate, Phone};

#[path = "../documents/roff.rs"]
#[allow(
    clippy::allow_attributes,
    dead_code,
    reason = "what writes pages has no use here"
)]
mod roff;

const PAGES: [&str; 4] = [
    "README.md",
    "man/walinkd.8",
    "man/walinkd-api.7",
    "man/walinkd.toml.5",
];
const METHODS: [&str; 4] = ["GET ", "POST ", "PUT ", "DELETE "];
/// The examples' webhook.
const HOOK: &str = "POST /hook";
const SECRET: &str = "whsec_c2VjcmV0LW9mLTI0LWJ5dGVzLW9yLW1vcmU=";

/// What was answered to each call.
type Answers = BTreeMap<String, Vec<Value>>;

#[tokio::test]
async fn every_answer_in_the_documents_is_a_live_one() {
    let live = collected().await;
    let mut compared = 0;
    for page in PAGES {
        for (call, shown) in shown_in(&read(page)) {
            let answers = live.get(&call).map(Vec::as_slice).unwrap_or_default();
            assert!(!answers.is_empty(), "{page}: {call} was not asked: {shown}");
            let wrong: Vec<String> = answers
                .iter()
                .map_while(|answer| differs("", &shown, answer))
                .collect();
            let same = wrong.len() < answers.len();
            assert!(same, "{page}: {call}: {shown}\n{}", wrong.join("\n"));
            compared += 1;
        }
    }
    assert!(compared > 12, "only {compared}");
}

#[tokio::test]
async fn every_field_in_the_documents_is_one_of_the_api() {
    let (_sandbox, _phone, home) = world().await;
    let daemon = home.start();
    let mut known = BTreeSet::new();
    properties(&daemon.get("/openapi.json").await.json(), &mut known);
    assert!(known.contains("isConnected"), "{known:?}");
    let mut checked = 0;
    for page in PAGES {
        for field in fields(page) {
            assert!(known.contains(&field), "{page}: {field}");
            checked += 1;
        }
    }
    assert!(checked > 25, "only {checked}");
}

fn read(page: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = fs::read_to_string(path).expect("it is there");
    if page.starts_with("man/") {
        return roff::plain(&text);
    }
    // Programs have other things in braces.
    let mut kept = String::new();
    let mut fence: Option<&str> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), fence) {
            (Some(_), Some(_)) => fence = None,
            (Some(language), None) => fence = Some(language),
            (None, Some("json") | None) => kept.push_str(&format!("{line}\n")),
            (None, Some(_)) => {}
        }
    }
    kept
}

/// Each JSON of a page that is no request, with the call that was named last.
fn shown_in(text: &str) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    let mut rest = 0;
    while let Some(at) = text[rest..].find('{').map(|at| rest + at) {
        if !text[at + 1..].trim_start().starts_with('"') {
            rest = at + 1;
            continue;
        }
        let mut values = Deserializer::from_str(&text[at..]).into_iter::<Value>();
        let value = values.next().expect("something stands there");
        let line = text[at..].lines().next().unwrap_or_default();
        let value = value.unwrap_or_else(|error| panic!("{error}: {line}"));
        rest = at + values.byte_offset();
        let before = &text[..at];
        if !REQUESTS.contains(&&text[at..rest]) {
            let call = last_call(before).unwrap_or_else(|| panic!("no call before {line}"));
            found.push((call, value));
        }
    }
    found
}

/// Bodies of requests in the documents: sent here, but for the last, which is for the
/// sandbox.
const REQUESTS: [&str; 3] = [
    r#"{"phoneNumber":"628123456789"}"#,
    r#"{"level":"debug"}"#,
    r#"{"code":"ABCD-EFGH"}"#,
];

/// The last of `GET /path` and its like, without a query.
fn last_call(before: &str) -> Option<String> {
    let (at, method) = METHODS
        .iter()
        .filter_map(|method| Some((before.rfind(&format!("{method}/"))?, method)))
        .max()?;
    let path = &before[at + method.len()..];
    let end = path.find(|c: char| !(c.is_ascii_alphanumeric() || "/._-".contains(c)));
    let path = &path[..end.unwrap_or(path.len())];
    Some(format!("{method}{}", path.trim_end_matches(['.', ','])))
}

/// Where an answer is not as shown; `None` when it is. Numbers, moments, codes and the
/// like may be others.
fn differs(place: &str, shown: &Value, live: &Value) -> Option<String> {
    match (shown, live) {
        (Value::Object(shown), Value::Object(live)) => {
            let missing = live.keys().find(|key| !shown.contains_key(*key));
            let invented = shown.keys().find(|key| !live.contains_key(*key));
            if let Some(key) = missing {
                return Some(format!("{place}: {key} is not shown"));
            }
            if let Some(key) = invented {
                return Some(format!("{place}: {key} is shown, and is not there"));
            }
            let mut keys = shown.iter();
            keys.find_map(|(key, shown)| differs(&format!("{place}.{key}"), shown, &live[key]))
        }
        (Value::Array(shown), Value::Array(live)) => {
            if shown.is_empty() != live.is_empty() {
                return Some(format!("{place}: one of both is empty"));
            }
            shown.iter().find_map(|one| {
                let wrong: Vec<_> = live
                    .iter()
                    .map_while(|live| differs(&format!("{place}[]"), one, live))
                    .collect();
                (wrong.len() == live.len()).then(|| wrong.join("; "))
            })
        }
        (Value::String(shown), Value::String(live)) => (kind(shown) != kind(live))
            .then(|| format!("{place}: {shown:?} is shown, and it is {live:?}")),
        (Value::Number(shown), Value::Number(live)) => (shown.is_u64() != live.is_u64())
            .then(|| format!("{place}: {shown} is shown, and it is {live}")),
        (shown, live) => {
            (shown != live).then(|| format!("{place}: {shown} is shown, and it is {live}"))
        }
    }
}

/// A text with what differs from daemon to daemon by its form, word by word.
fn kind(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        if word.starts_with("2@") {
            return "QR".to_owned();
        }
        let bare = word.trim_end_matches(['.', ',', ':']);
        word.replace(bare, &form(bare))
    });
    words.collect::<Vec<_>>().join(" ")
}

fn form(word: &str) -> String {
    let shape: String = word
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    let all = |test: fn(char) -> bool| !word.is_empty() && word.chars().all(test);
    let is_code = |(first, last): (&str, &str)| first.len() == 4 && last.len() == 4;
    if shape == "0000-00-00T00:00:00.000Z" {
        "MOMENT".to_owned()
    } else if all(|c| c.is_ascii_digit()) {
        if word.len() > 8 { "PHONE" } else { "COUNT" }.to_owned()
    } else if all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-')
        && word.split_once('-').is_some_and(is_code)
    {
        "CODE".to_owned()
    } else if word.len() == 64 && all(|c| c.is_ascii_hexdigit()) {
        "KEY".to_owned()
    } else if shape.starts_with("0.0.0") {
        "VERSION".to_owned()
    } else if let Some((_, server)) = word.split_once('@') {
        format!("SOMEBODY@{server}")
    } else if word.contains("*****") {
        "MASKED".to_owned()
    } else {
        word.to_owned()
    }
}

#[test]
fn a_wrong_answer_is_told_from_a_true_one() {
    let live = json!({"state": "connected", "at": "2026-11-26T20:44:42.760Z", "n": 1,
        "reason": null, "list": [{"code": "ABCD-EFGH"}], "left": "42 seconds"});
    let shown = json!({"state": "connected", "at": "2025-12-27T05:00:00.000Z", "n": 7,
        "reason": null, "list": [{"code": "2B3D-WXYZ"}], "left": "160 seconds"});
    assert_eq!(differs("", &shown, &live), None);
    for (key, wrong) in [
        ("state", json!("conected")),
        ("at", json!("yesterday")),
        ("n", json!("7")),
        ("n", json!(-7)),
        ("reason", json!("")),
        ("list", json!([])),
        ("list", json!([{"code": "ABCD"}])),
        ("list", json!([{"code": "ABCD-EFGH", "more": 1}])),
        ("left", json!("160 s")),
        ("left", json!("some seconds")),
        ("invented", json!(null)),
    ] {
        let mut shown = shown.clone();
        shown[key] = wrong;
        assert!(differs("", &shown, &live).is_some(), "{shown}");
    }
    let mut less = shown;
    less.as_object_mut().unwrap().remove("n");
    assert!(differs("", &less, &live).is_some());
    let page = "`POST /x`, `GET /a/b?y=1`. `{\"n\":1}`";
    assert_eq!(shown_in(page), [("GET /a/b".to_owned(), json!({"n": 1}))]);
}

fn properties(description: &Value, known: &mut BTreeSet<String>) {
    match description {
        Value::Object(parts) => {
            for (name, part) in parts {
                if let ("properties", Some(fields)) = (&**name, part.as_object()) {
                    known.extend(fields.keys().cloned());
                }
                properties(part, known);
            }
        }
        Value::Array(parts) => parts.iter().for_each(|part| properties(part, known)),
        _ => {}
    }
}

/// The words of a page that are set as code, or bold, and look like a field: `isConnected`.
fn fields(page: &str) -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = fs::read_to_string(path).expect("it is there");
    let words: Vec<&str> = if page.starts_with("man/") {
        let bold = text.lines().filter(|line| line.starts_with(".B"));
        bold.flat_map(|line| line.split([' ', '"', ','])).collect()
    } else {
        text.split('`').skip(1).step_by(2).collect()
    };
    let is_field = |word: &&str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.chars().any(|c| c.is_ascii_uppercase())
            && word.chars().all(|c| c.is_ascii_alphanumeric())
    };
    words
        .into_iter()
        .filter(is_field)
        .map(str::to_owned)
        .collect()
}

/// Asks a daemon everything that the documents show, in the states that they show.
async fn collected() -> Answers {
    let (_sandbox, phone, home) = world().await;
    let receiver = Receiver::start(SECRET).await;
    home.keep_secret(SECRET);
    home.configure(&format!(
        "[[webhook]]\nname = \"shop\"\nurl = \"{}\"\nsecret = \"{SECRET}\"\nevents = [\"*\"]\n",
        receiver.url()
    ));
    let daemon = home.start();
    let mut asked = Asked {
        daemon: &daemon,
        answers: Answers::new(),
    };
    daemon.qr().await;
    asked.get("/connection/qr").await;
    asked.get("/connection/qr?format=dataurl").await;
    asked.get("/connection/pairing").await;
    asked.get("/connection/status").await;
    let scanning = to_the_passkey(&mut asked, &phone).await;
    scanning.await.expect("no panic");
    daemon.until("the account's name", named).await;
    asked.get("/connection/status").await;
    asked.get("/connection/qr").await;
    asked.get("/connection/log").await;
    for path in ["keys", "config", "listeners", "webhooks"] {
        asked.get(&format!("/admin/{path}")).await;
    }
    asked.call(Method::POST, "/admin/reload", None).await;
    let level = asked.call(Method::PUT, "/admin/log-level", Some(request(1)));
    assert_eq!(level.await["success"], true);
    let key = json!({"name": "dashboard"});
    asked.call(Method::POST, "/admin/keys", Some(key)).await;
    asked
        .call(Method::DELETE, "/admin/keys?name=dashboard", None)
        .await;
    follow(&mut asked).await;
    for verb in ["pause", "resume", "reconnect", "disconnect"] {
        let path = format!("/connection/{verb}");
        asked.call(Method::POST, &path, None).await;
        if verb == "reconnect" {
            daemon.until_connected().await;
        }
    }
    daemon.qr().await;
    let pairing = asked.call(Method::POST, "/connection/pairing", Some(request(0)));
    assert_eq!(pairing.await["success"], true);
    asked.get("/connection/pairing").await;
    asked.get("/connection/status").await;
    let linked = receiver.until_type("connection.connected").await;
    let test = asked.call(Method::POST, "/admin/webhooks/test", None).await;
    assert_eq!(test["data"][0]["delivered"], true, "{test}");
    asked.keep(HOOK, linked.body);
    asked.answers
}

fn named(status: &Value) -> bool {
    status["pushName"].is_string()
}

fn request(index: usize) -> Value {
    serde_json::from_str(REQUESTS[index]).expect("JSON")
}

/// Links by QR code, through the passkey step.
async fn to_the_passkey(asked: &mut Asked<'_>, phone: &Phone) -> JoinHandle<()> {
    phone.require_passkey(PasskeyGate::default());
    let code = asked.daemon.qr().await;
    let scanned = phone.clone();
    let scanning = tokio::spawn(async move {
        scanned.scan(&code).await.expect("accepted");
    });
    asked.daemon.until_state("waiting_passkey").await;
    const PATH: &str = "/connection/passkey";
    let challenge = asked.get(PATH).await["data"]["publicKey"].clone();
    let secret = challenge["challenge"].as_str().expect("a challenge");
    asked.daemon.home.keep_secret(secret);
    let answer = phone
        .passkey()
        .answer(&challenge, "https://web.whatsapp.com");
    asked.call(Method::POST, PATH, Some(answer)).await;
    let confirm = asked.get(&format!("{PATH}?wait=20s")).await;
    assert_eq!(confirm["data"]["stage"], "confirm", "{confirm}");
    asked
        .call(Method::POST, &format!("{PATH}/confirm"), None)
        .await;
    scanning
}

/// The stream of events, with a gap: the place to resume behind is of another journal.
async fn follow(asked: &mut Asked<'_>) {
    let mut following = Following::begin(asked.daemon, By::Control, "?after=1", &[]).await;
    for event in ["status", "gap", "connection.connected"] {
        let Block { data, .. } = following.until(event).await;
        asked.keep("GET /connection/events", data);
    }
}

struct Asked<'a> {
    daemon: &'a Daemon,
    answers: Answers,
}

impl Asked<'_> {
    async fn get(&mut self, path: &str) -> Value {
        self.call(Method::GET, path, None).await
    }

    async fn call(&mut self, method: Method, path: &str, body: Option<Value>) -> Value {
        let answer = self.daemon.call(method.clone(), path, body).await.json();
        if let Some(key) = answer["data"]["key"].as_str() {
            self.daemon.home.keep_secret(key);
        }
        let (path, _) = path.split_once('?').unwrap_or((path, ""));
        self.keep(&format!("{method} {path}"), answer.clone());
        answer
    }

    /// An answer, and each that is in its list.
    fn keep(&mut self, call: &str, answer: Value) {
        let kept = self.answers.entry(call.to_owned()).or_default();
        kept.extend(answer["data"].as_array().into_iter().flatten().cloned());
        kept.push(answer);
    }
}
