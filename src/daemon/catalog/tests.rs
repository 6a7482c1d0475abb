//! The table is whole, and the catalog's file is the table.

use super::{ENTRIES, message_id};
use crate::wire::{EVENT_TYPES, State};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

const SUPPORT: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/issues");

/// What the catalog may refer to: the journal fields of the daemon.
const FIELDS: &[&str] = &["WALINKD_REASON", "WALINKD_PEER"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The catalog in systemd's format.
fn rendered() -> String {
    let mut file = String::from(
        "# What journalctl -x says about walinkd's messages.\n\
         # Made from src/daemon/catalog/entries.rs: change it there, then run\n\
         # WRITE_CATALOG=1 cargo test --lib catalog\n",
    );
    for entry in ENTRIES {
        file.push_str(&format!(
            "\n-- {}\nSubject: {}\nDefined-By: walinkd\nSupport: {SUPPORT}\n\n{}\n",
            entry.id, entry.subject, entry.text
        ));
    }
    file
}

#[test]
fn the_file_is_the_table() {
    let path = root().join("packaging/walinkd.catalog");
    if std::env::var_os("WRITE_CATALOG").is_some() {
        fs::write(&path, rendered()).expect("it can be written");
    }
    let file = fs::read_to_string(&path).expect("it is there");
    assert!(
        file == rendered(),
        "{} is not what the table says: run WRITE_CATALOG=1 cargo test --lib catalog",
        path.display()
    );
}

/// Reads the file as `journalctl --update-catalog` does: an entry begins with
/// `-- ` and an ID, then come headers, an empty line and the text.
#[test]
fn the_file_has_the_format_of_a_catalog() {
    let file = rendered();
    let mut ids = BTreeSet::new();
    let body: String = file
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| [line, "\n"])
        .collect();
    for message in body.trim_start().split("\n-- ") {
        let message = message.trim_start_matches("-- ");
        let (id, rest) = message.split_once('\n').expect("an ID");
        assert!(
            id.len() == 32
                && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
                && id.bytes().any(|b| b != b'0'),
            "{id:?}"
        );
        assert!(ids.insert(id.to_owned()), "{id} stands there twice");
        let (headers, text) = rest.split_once("\n\n").expect("an empty line");
        let names: Vec<&str> = headers
            .lines()
            .map(|line| {
                let (name, value) = line.split_once(": ").expect("a header");
                assert!(
                    !value.trim().is_empty() && value == value.trim(),
                    "{line:?}"
                );
                name
            })
            .collect();
        assert_eq!(names, ["Subject", "Defined-By", "Support"], "{id}");
        assert!(!text.trim().is_empty(), "{id} has no text");
        for line in text.lines() {
            assert!(line.len() <= 80 && line.trim_end() == line, "{line:?}");
        }
        let parts: Vec<&str> = text.split('@').collect();
        assert_eq!(parts.len() % 2, 1, "a lone @ in {text:?}");
        for field in parts.iter().skip(1).step_by(2) {
            assert!(FIELDS.contains(field), "no such field: {field}");
        }
    }
    assert_eq!(ids.len(), ENTRIES.len());
}

#[test]
fn every_kind_of_the_sources_has_its_entry_and_no_other() {
    let in_table: BTreeSet<String> = ENTRIES.iter().map(|entry| entry.kind.to_owned()).collect();
    assert_eq!(in_table.len(), ENTRIES.len(), "a kind stands there twice");
    let mut in_use = kinds_of_states();
    for path in source_files(&root().join("src")) {
        let text = fs::read_to_string(&path).expect("readable");
        in_use.extend(kinds_in(&text));
    }
    assert!(in_use.len() > 40, "the search finds too little: {in_use:?}");
    let missing: Vec<_> = in_use.difference(&in_table).collect();
    assert!(
        missing.is_empty(),
        "add to src/daemon/catalog/entries.rs: {missing:?}"
    );
    let unused: Vec<_> = in_table.difference(&in_use).collect();
    assert!(unused.is_empty(), "nothing logs these: {unused:?}");
}

/// What the configuration of a webhook may name.
#[test]
fn the_types_that_can_be_asked_for_are_those_there_are() {
    let kinds: BTreeSet<&str> = ENTRIES.iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, BTreeSet::from(EVENT_TYPES));
}

/// One way to tell of an event: by the journal, which logs it too.
#[test]
fn nobody_logs_an_event_past_the_journal() {
    for path in source_files(&root().join("src")) {
        let text = fs::read_to_string(&path).expect("readable");
        let allowed = [
            "journal/entry.rs",
            "daemon/catalog.rs",
            "daemon/journald.rs",
        ];
        let allowed = allowed
            .iter()
            .any(|part| path.to_string_lossy().contains(part));
        assert!(
            allowed || !text.contains("walinkd_event ="),
            "{}: use journal::Recorder",
            path.display()
        );
    }
}

#[test]
fn the_search_sees_each_way_to_log() {
    let text = r#"
        recorder.record(Entry::new("a.a", Severity::Info, "x"));
        Entry::new(
            event.kind, severity, "x")
        self.record("b.b", Weight::Notice, "x");
        by.record(
            "c.c",
            "x",
        );
        self.passkey_failed("passkey_d", why, E, now);
        ("pairing_e", PairError::F)
    "#;
    let found: Vec<String> = kinds_in(text).into_iter().collect();
    assert_eq!(
        found,
        ["a.a", "b.b", "c.c", "pairing.e", "pairing.passkey_d"]
    );
}

#[test]
fn an_unknown_kind_has_no_id() {
    assert!(message_id("connection.connected").is_some());
    assert_eq!(message_id("connection"), None);
}

/// `link::machine` tells each new state as `connection.STATE`; nothing comes
/// back to `starting`.
fn kinds_of_states() -> BTreeSet<String> {
    State::ALL
        .iter()
        .filter(|state| **state != State::Starting)
        .map(|state| format!("connection.{state}"))
        .collect()
}

/// The kinds that a source names: where it logs, where it records an event,
/// and where `link` makes a kind of a reason's code (`pairing_limited` is told
/// as `pairing.limited`, `passkey_lost` as `pairing.passkey_lost`).
fn kinds_in(text: &str) -> BTreeSet<String> {
    let after = |mark: &'static str| {
        text.split(mark).skip(1).filter_map(|rest| {
            let literal = rest.trim_start().strip_prefix('"')?;
            literal.split('"').next().map(str::to_owned)
        })
    };
    let mut kinds: BTreeSet<String> = after("Entry::new(")
        .chain(after("record("))
        .chain(after(".tell("))
        .collect();
    kinds.extend(after("passkey_failed(").map(|code| format!("pairing.{code}")));
    let codes = text.split("\"pairing_").skip(1);
    let codes = codes.filter_map(|rest| rest.split('"').next());
    // Bare, it is the prefix that is taken off.
    let codes = codes.filter(|code| !code.is_empty());
    kinds.extend(codes.map(|code| format!("pairing.{code}")));
    kinds
}

/// All sources but the tests.
fn source_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        let name = path.file_stem().and_then(|name| name.to_str());
        if name == Some("tests") {
            continue;
        }
        if path.is_dir() {
            files.extend(source_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
