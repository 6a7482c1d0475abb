//! The rooms keep to themselves: who may import what, who may name which
//! crate, how a room opens, how long a file may be. ARCHITECTURE.md says why.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// A room under `src/`, and the rooms it may import beside itself.
const ROOMS: &[(&str, &[&str])] = &[
    ("main", &["cli"]),
    ("wire", &[]),
    // files: so that each file of the state directory is written the same way.
    ("files", &[]),
    ("picture", &[]),
    ("backup", &["wire"]),
    ("config", &["wire"]),
    ("journal", &["wire"]),
    ("dial", &[]),
    ("wa", &["wire", "dial"]),
    (
        "link",
        &["wire", "files", "config", "journal", "dial", "wa"],
    ),
    ("webhook", &["wire", "config", "journal", "dial"]),
    ("auth", &["wire", "files", "config"]),
    ("metrics", &["wire", "journal", "auth"]),
    // dashboard: text that is served as it is.
    ("dashboard", &[]),
    (
        "api",
        &[
            "wire",
            "picture",
            "auth",
            "journal",
            "link",
            "metrics",
            "dashboard",
        ],
    ),
    ("server", &["auth"]),
    (
        "daemon",
        &[
            "wire", "backup", "files", "config", "journal", "dial", "wa", "link", "webhook",
            "auth", "metrics", "api", "server",
        ],
    ),
    ("client", &["wire"]),
    (
        "cli",
        &["wire", "files", "picture", "client", "config", "daemon"],
    ),
];

/// Crates that only some rooms may name. A crate ending in `*` stands for all
/// whose name begins so.
const CRATES: &[(&str, &[&str])] = &[
    ("whatsapp_rust*", &["wa"]),
    ("wacore*", &["wa"]),
    ("waproto*", &["wa"]),
    ("axum*", &["auth", "api", "server", "daemon"]),
    (
        "hyper*",
        &["dial", "wa", "webhook", "server", "client", "daemon"],
    ),
    ("diesel*", &["wa", "journal"]),
    ("rusqlite*", &["wa", "journal", "backup"]),
    ("toml*", &["config", "auth", "link"]),
    ("schemars*", &["wire", "api"]),
    ("clap*", &["cli"]),
    ("png*", &["picture"]),
    ("qrcode*", &["picture"]),
    // config: checks certificates and keys; server, dial: speak with them.
    ("rustls*", &["wa", "config", "server", "dial"]),
    ("tokio_rustls*", &["wa", "server"]),
    ("governor*", &["auth"]),
    ("prometheus*", &["metrics"]),
    // wa: the library's traits return it.
    ("anyhow", &["wa", "daemon", "cli", "main"]),
    // server: the listeners that systemd passes on.
    ("sd_notify", &["server", "daemon"]),
    ("signal_hook*", &["daemon"]),
];

/// Parts of a room held to more than their room: they decide, and must not
/// know when or where.
const PURE: &[(&str, &[&str])] = &[
    ("wire/", &["tokio*", "std::fs", "std::net"]),
    ("picture/", &["tokio*", "std::fs", "std::io", "std::net"]),
    (
        "link/machine",
        &["tokio*", "std::fs", "std::net", "crate::wa::Session"],
    ),
];

/// Lines of code in a file, its tests left out. Past this it wants to be two.
const MAX_LINES: usize = 450;

#[test]
fn every_room_keeps_to_itself() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let faults: Vec<String> = rust_files(&src)
        .iter()
        .flat_map(|path| {
            let text = fs::read_to_string(path).expect("a source file is readable");
            let relative = path.strip_prefix(&src).expect("it was found under src");
            check(&relative.to_string_lossy(), &text)
        })
        .collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

/// What a caller has sent meets the hashes in one place, by a comparison that
/// takes the same time whatever is wrong with it.
#[test]
fn keys_are_compared_in_constant_time() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let code = |path: &Path| {
        let text = fs::read_to_string(path).expect("a source file is readable");
        without_tests(&without_prose(&text))
    };
    let keys = code(&src.join("auth/keys.rs"));
    let (_, find) = keys.split_once("fn find(").expect("the comparison");
    let find = &find[find.find('{').expect("a body")..];
    let find = &find[..block_end(find)];
    assert!(find.contains(".ct_eq("), "{find}");
    for shortcut in [
        "==", "!=", ".eq(", "return", "break", "?;", ".find(", ".any(",
    ] {
        assert!(!find.contains(shortcut), "{shortcut} in {find}");
    }
    // And nobody hashes what was sent to compare it elsewhere.
    for path in rust_files(&src.join("auth")) {
        let code = code(&path);
        let digests = code.matches("Sha256::digest").count();
        let allowed = usize::from(path.ends_with("auth/keys.rs"));
        let tests = is_test_file(&path.to_string_lossy());
        assert!(tests || digests <= allowed, "{}", path.display());
    }
    let gate = code(&src.join("auth/gate.rs"));
    assert_eq!(gate.matches("presented(headers)").count(), 1);
    assert!(gate.contains("keyring.find(presented)"));
}

/// All faults of one file, unless it holds only tests; `path` is relative to `src`, with `/`.
fn check(path: &str, text: &str) -> Vec<String> {
    if is_test_file(path) {
        return Vec::new();
    }
    let room = room_of(path);
    let may_import = ROOMS.iter().find(|(name, _)| *name == room);
    let code = without_tests(&without_prose(text));
    let names = names(&code);
    let mut faults = Vec::new();

    match may_import {
        _ if path == "lib.rs" => faults.extend(lib_faults(&code)),
        None => faults.push(format!(
            "`{room}` is no room of ROOMS: add it there with what it may import"
        )),
        Some((_, allowed)) => faults.extend(
            rooms_named(path, &names)
                .difference(&allowed.iter().map(ToString::to_string).collect())
                .filter(|other| *other != room)
                .map(|other| format!("`{room}` must not import `{other}`")),
        ),
    }
    for (krate, rooms) in CRATES {
        if !rooms.contains(&room) && names.iter().any(|name| matches_crate(name, krate)) {
            faults.push(format!("only {rooms:?} may name `{krate}`"));
        }
    }
    for (_, banned) in PURE.iter().filter(|(part, _)| path.starts_with(part)) {
        faults.extend(names.iter().filter_map(|name| {
            let banned = banned.iter().find(|banned| reaches(name, banned))?;
            Some(format!("`{path}` must not name `{banned}`: {name}"))
        }));
    }
    if path.ends_with("mod.rs") && !text.starts_with("//!") {
        faults.push("a mod.rs opens with //!: what the room owns and must not touch".to_owned());
    }
    let lines = code.lines().count();
    if lines > MAX_LINES {
        faults.push(format!(
            "{lines} lines of code, more than {MAX_LINES}: make it two"
        ));
    }
    faults
        .into_iter()
        .map(|fault| format!("src/{path}: {fault}"))
        .collect()
}

/// The first part of the path: `link/task.rs` and `link.rs` are both `link`.
fn room_of(path: &str) -> &str {
    let first = path.split('/').next().unwrap_or(path);
    first.strip_suffix(".rs").unwrap_or(first)
}

/// `lib.rs` is the list of rooms, and nothing else.
fn lib_faults(code: &str) -> Vec<String> {
    code.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("#!["))
        .filter(|line| {
            let room = line
                .trim_start_matches("pub ")
                .strip_prefix("mod ")
                .and_then(|rest| rest.strip_suffix(';'));
            !room.is_some_and(|room| ROOMS.iter().any(|(name, _)| *name == room))
        })
        .map(|line| format!("lib.rs only lists the rooms of ROOMS: `{line}`"))
        .collect()
}

/// The rooms that the paths of a file lead to.
fn rooms_named(path: &str, names: &BTreeSet<String>) -> BTreeSet<String> {
    let depth = match path.trim_end_matches(".rs").trim_end_matches("/mod") {
        "main" => 0,
        module => module.split('/').count(),
    };
    names
        .iter()
        .filter_map(|name| {
            let mut parts = name.split("::").peekable();
            let mut up = 0;
            while parts.next_if_eq(&"super").is_some() {
                up += 1;
            }
            let from_root = (up > 0 && up >= depth)
                || parts
                    .next_if(|part| matches!(*part, "crate" | "walinkd"))
                    .is_some();
            parts.next().filter(|_| from_root).map(str::to_owned)
        })
        .filter(|room| room.starts_with(|c: char| c.is_lowercase()))
        .collect()
}

fn matches_crate(name: &str, krate: &str) -> bool {
    let first = name.split("::").next().unwrap_or(name);
    match krate.strip_suffix('*') {
        Some(prefix) => first.starts_with(prefix) && name != first,
        None => first == krate && name != first,
    }
}

/// Whether a path is the banned one, or lies under it.
fn reaches(name: &str, banned: &str) -> bool {
    if banned.contains("::") {
        name == banned || name.starts_with(&format!("{banned}::"))
    } else {
        matches_crate(name, banned)
    }
}

/// Every path with `::` in it, with the groups of `use a::{b, c::d}` spelt
/// out: `a::b`, `a::c::d`.
fn names(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut rest = code;
    while let Some(start) = rest.find(|c: char| c.is_alphabetic() || c == '_') {
        rest = spell_out("", &rest[start..], &mut found);
    }
    found
}

/// Reads one path at the start of `text`, and gives what is behind it.
fn spell_out<'a>(prefix: &str, text: &'a str, found: &mut BTreeSet<String>) -> &'a str {
    let end = text
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let path = match prefix {
        "" => word.to_owned(),
        _ => format!("{prefix}::{word}"),
    };
    let Some(mut rest) = rest.trim_start().strip_prefix("::") else {
        if path.contains("::") {
            found.insert(path);
        }
        return rest;
    };
    rest = rest.trim_start();
    let Some(mut group) = rest.strip_prefix('{') else {
        if rest.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return spell_out(&path, rest, found);
        }
        // `a::*`, `a::<T>()`
        found.insert(format!("{path}::"));
        return rest;
    };
    loop {
        group = group.trim_start_matches(|c: char| c.is_whitespace() || c == ',' || c == '*');
        if let Some(behind) = group.strip_prefix('}') {
            return behind;
        }
        if !group.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return group;
        }
        group = spell_out(&path, group, found);
        if let Some(alias) = group.trim_start().strip_prefix("as ") {
            group = alias.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_' || c == ' ');
        }
    }
}

/// The code without comments and without what stands in quotes. Line breaks
/// stay, so that lines still count.
fn without_prose(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let skip = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(hashes) = raw_string(rest) {
            let close = format!("\"{}", "#".repeat(hashes));
            let open = hashes + 2;
            rest[open..]
                .find(&close)
                .map_or(rest.len(), |end| open + end + close.len())
        } else if next == '"' {
            string_end(rest)
        } else if rest.starts_with("'\"'") {
            3
        } else if rest.starts_with("'\\\"'") {
            4
        } else {
            code.push(next);
            rest = &rest[next.len_utf8()..];
            continue;
        };
        code.extend(rest[..skip].chars().filter(|c| *c == '\n'));
        // Two words with a comment between them stay two words.
        code.push(' ');
        rest = &rest[skip..];
    }
    code
}

/// The number of `#` when a raw string begins here.
fn raw_string(text: &str) -> Option<usize> {
    let behind = text.strip_prefix('r')?;
    let hashes = behind.len() - behind.trim_start_matches('#').len();
    behind[hashes..].starts_with('"').then_some(hashes)
}

/// Where the string that begins here has ended.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The code without items under `#[cfg(test)]`.
fn without_tests(code: &str) -> String {
    let mut kept = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find("#[cfg(test)]") {
        kept.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.find(['{', ';']).unwrap_or(rest.len());
        let body = &rest[end..];
        let length = if body.starts_with('{') {
            block_end(body)
        } else {
            1
        };
        rest = body.get(length..).unwrap_or_default();
    }
    kept.push_str(rest);
    kept
}

/// Where the `{…}` that begins here has ended.
fn block_end(code: &str) -> usize {
    let mut depth = 0usize;
    for (at, c) in code.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return at + 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    code.len()
}

/// Files that hold only tests: `tests.rs`, and all below a `tests/`.
fn is_test_file(path: &str) -> bool {
    path.split('/')
        .any(|part| matches!(part, "tests" | "tests.rs"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("src is readable")
        .map(|entry| entry.expect("src is readable").path())
        .flat_map(|path| {
            if path.is_dir() {
                rust_files(&path)
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                vec![path]
            } else {
                Vec::new()
            }
        })
        .collect();
    files.sort();
    files
}

/// The checker itself: each fault it is there for is found, and no other.
mod checker {
    use super::check;

    fn finds(path: &str, text: &str, fault: &str) {
        let faults = check(path, text);
        assert!(
            faults.len() == 1 && faults[0].contains(fault),
            "{path} with {text:?} should fail once for {fault:?}: {faults:?}"
        );
    }

    fn passes(path: &str, text: &str) {
        let faults = check(path, text);
        assert!(faults.is_empty(), "{path} with {text:?}: {faults:?}");
    }

    #[test]
    fn finds_a_forbidden_import_however_it_is_written() {
        for text in [
            "use crate::api::Router;",
            "use crate::{wire::Status, api::{Router, self}};",
            "fn f() { crate::api::route(); }",
            "use super::super::api;\nuse super::super::api::Router;",
            "pub use crate::{\n    // why\n    api as edge,\n};",
        ] {
            finds("link/task.rs", text, "`link` must not import `api`");
        }
        finds(
            "wire/mod.rs",
            "//! x\nuse super::link::Handle;",
            "must not import `link`",
        );
        finds(
            "main.rs",
            "use walinkd::daemon::run;",
            "must not import `daemon`",
        );
        finds(
            "client/mod.rs",
            "//! x\nuse crate::server::Tls;",
            "must not import `server`",
        );
    }

    #[test]
    fn passes_what_the_table_allows() {
        passes(
            "link/task.rs",
            "use crate::{wa::Session, wire::Status, link::machine};",
        );
        passes("link/task.rs", "use super::machine::Phase;");
        passes(
            "link/machine/phase.rs",
            "use super::super::handle::Command;",
        );
        passes("main.rs", "fn main() { walinkd::cli::main() }");
        passes(
            "daemon/mod.rs",
            "//! x\nuse crate::{api::Routes, server, wa::{dial, Session}};",
        );
    }

    #[test]
    fn leaves_prose_and_tests_alone() {
        passes(
            "link/task.rs",
            "/// See [`crate::api::Router`].\nconst LOG: &str = \"crate::api=debug \\\" axum::x\";\n\
             /* axum::Router */ const RAW: &str = r#\"\"axum::Router\"\"#;\nconst Q: char = '\"';\n\
             #[cfg(test)]\nmod tests { use crate::api::Router; fn f() { if true {} } }\n\
             #[cfg(test)]\nuse crate::api::Router;\n",
        );
        finds(
            "link/task.rs",
            "#[cfg(test)]\nmod tests { fn f() {} }\nuse crate::api::Router;",
            "must not import `api`",
        );
    }

    #[test]
    fn finds_a_crate_in_the_wrong_room() {
        finds(
            "link/task.rs",
            "use whatsapp_rust::Client;",
            "may name `whatsapp_rust*`",
        );
        finds(
            "link/task.rs",
            "fn f(n: &wacore_binary::Node) {}",
            "may name `wacore*`",
        );
        passes("link/tests.rs", "use whatsapp_rust::Client;");
        finds("api/qr.rs", "use anyhow::Context;", "may name `anyhow`");
        passes(
            "wa/session.rs",
            "use whatsapp_rust::Client; use waproto::Message;",
        );
    }

    #[test]
    fn finds_a_clock_or_a_runtime_where_it_is_only_decided() {
        finds(
            "link/machine.rs",
            "use tokio::time::Instant;",
            "must not name `tokio*`",
        );
        finds(
            "wire/status.rs",
            "use std::{fmt, fs::File};",
            "must not name `std::fs`",
        );
        passes("link/machine.rs", "use std::{fmt, time::Duration};");
    }

    #[test]
    fn finds_an_unknown_room_a_mute_mod_a_lib_with_logic_and_a_long_file() {
        finds("util/mod.rs", "//! x", "`util` is no room");
        finds("link/mod.rs", "mod task;", "opens with //!");
        finds(
            "lib.rs",
            "//! x\npub mod link;\npub fn run() {}",
            "only lists the rooms",
        );
        finds("lib.rs", "pub mod util;", "only lists the rooms");
        finds("link/task.rs", &"x();\n".repeat(451), "451 lines");
        passes(
            "link/task.rs",
            &format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "x();\n".repeat(451)),
        );
    }
}
