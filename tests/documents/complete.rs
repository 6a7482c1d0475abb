//! What the templates say in their own words leaves nothing out.

use super::{page, pages};
use serde_json::{Value, json};
use std::{
    env,
    io::Write as _,
    process::{Command, Stdio},
    thread,
};
use walinkd::{
    config,
    wire::{Code, State, Status},
};

#[test]
fn every_verb_has_its_section() {
    let page = page("walinkd.8");
    let command = pages::built();
    for verb in pages::verbs(&command) {
        let section = format!("\n.SS {}\nwalinkd {0}", verb.get_name());
        assert!(page.contains(&section), "{}", verb.get_name());
    }
}

#[test]
fn every_exit_status_is_told() {
    let page = page("walinkd.8");
    let command = pages::built();
    let told = command
        .get_after_help()
        .expect("the exit statuses")
        .to_string();
    let told = told.replace('\n', " ");
    let (_, told) = told.split_once(": ").expect("a list");
    for exit in told.split("; ") {
        let (number, _) = exit.split_once(' ').expect("a number and what it means");
        assert!(page.contains(&format!(".TP\n.B {number}\n")), "{exit}");
    }
}

#[test]
fn every_variable_is_told() {
    let page = page("walinkd.8");
    for name in config::VARIABLES {
        assert!(page.contains(name), "{name}");
    }
}

#[test]
fn every_word_of_the_api_is_told() {
    let page = page("walinkd-api.7");
    let mut words = variants::<Code>();
    words.extend(variants::<State>());
    words.extend(status_fields());
    assert!(words.len() > 50, "{words:?}");
    for word in words {
        let alone = page
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .any(|found| found == word);
        assert!(alone, "{word}");
    }
}

/// serde names them all when it meets one that it does not know.
fn variants<T: serde::de::DeserializeOwned>() -> Vec<String> {
    let Err(error) = serde_json::from_value::<T>(json!("?")) else {
        panic!("there is a variant ?");
    };
    let error = error.to_string();
    let (_, known) = error.split_once("expected one of ").expect("the variants");
    known
        .split(", ")
        .map(|word| word.trim_matches('`').to_owned())
        .collect()
}

fn status_fields() -> Vec<String> {
    let now = "2025-12-27T05:00:00.000Z";
    let status: Status = serde_json::from_value(json!({
        "isConnected": false, "hasQRCode": false, "hasPairingCode": false, "state": "idle",
        "stateSince": now, "attempts": 0, "health": [], "generation": 1, "startedAt": now,
        "version": "1",
    }))
    .expect("a status");
    match serde_json::to_value(status) {
        Ok(Value::Object(fields)) => fields.into_iter().map(|(name, _)| name).collect(),
        other => panic!("{other:?}"),
    }
}

/// By the tools that are there. The first is the reader's own.
const RENDERERS: [&[&str]; 2] = [
    &["man", "--warnings", "-l", "-"],
    &["mandoc", "-Tlint", "-Wwarning"],
];

#[test]
fn the_pages_render_without_a_warning() {
    // Some systems have a `man` that only says where to get one.
    let broken = ".TH X 1 \"\"\n.SH NAME\nx \\- y\n.nosuchmacro\n";
    let renderers: Vec<_> = RENDERERS
        .into_iter()
        .filter(|renderer| warnings(renderer, broken).is_some_and(|said| !said.is_empty()))
        .collect();
    let ci = env::var_os("CI").is_some_and(|ci| ci == "true");
    assert!(
        !renderers.is_empty() || !ci,
        "neither man nor mandoc tells of a broken page: install man-db"
    );
    for document in pages::documents() {
        for renderer in &renderers {
            let said = warnings(renderer, &document.text);
            assert_eq!(
                said.as_deref(),
                Some(""),
                "{renderer:?} of {}",
                document.path
            );
        }
    }
}

/// What a renderer has to say about a page; none when it is not there.
fn warnings(renderer: &[&str], page: &str) -> Option<String> {
    let mut child = Command::new(renderer[0])
        .args(&renderer[1..])
        .env("MANWIDTH", "80")
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    let mut input = child.stdin.take().expect("it was asked for");
    let page = page.to_owned();
    let writer = thread::spawn(move || input.write_all(page.as_bytes()));
    let output = child.wait_with_output().expect("an end");
    writer.join().expect("no panic").expect("the page is read");
    let said = match renderer[0] {
        "mandoc" => output.stdout,
        _ => output.stderr,
    };
    let said = String::from_utf8(said).expect("UTF-8");
    // The version tells how old a page is: a date would only be forgotten.
    Some(
        said.lines()
            .filter(|line| !line.contains("missing date"))
            .collect(),
    )
}
