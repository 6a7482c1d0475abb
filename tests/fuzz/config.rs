//! The configuration: a file, and the environment.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    os::unix::ffi::OsStrExt,
    time::{Duration, Instant},
};
use walinkd::config::{Config, Faults, Place, Sources, VARIABLES, diff, load};

pub(super) const WORDS: &[&str] = &[
    "[http]\n",
    "[control]\n",
    "[[auth.keys]]\n",
    "[pairing]\n",
    "[whatsapp]\n",
    "[storage]\n",
    "[log]\n",
    "[http.rate_limit]\n",
    "[[webhook]]\n",
    "listen = ",
    "[\"127.0.0.1:3000\"]",
    "[\"[::1]:0\"]",
    "\"0.0.0.0:99999\"",
    "cors_origins = [\"*\"]",
    "request_timeout = \"10s\"",
    "max_connections = 0",
    "max_body = \"16KiB\"",
    "\"18446744073709551616s\"",
    "tls_cert = \"/dev/zero\"",
    "tls_key = \"/dev/null\"",
    "trusted_proxies = [\"10.0.0.0/8\", \"::/0\"]",
    "10.0.0.0/33",
    "max_connections_per_client = 1",
    "requests_per_second = 0",
    "failed_keys_per_minute = 4294967296",
    "keep_events = \"30d\"",
    "socket = \"/run/x\"",
    "group = \"root\"",
    "sha256 = \"",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "scope = \"manage\"",
    "expires = 2027-01-01",
    "9999-12-31T23:59:60Z",
    "mode = \"code\"",
    "phone_number = \"628123456789\"",
    "url = \"wss://web.whatsapp.com/ws/chat\"",
    "proxy = \"http://user:secret@127.0.0.1:8080\"",
    "state_dir = \"relative\"",
    "level = \"info,walinkd=debug\"",
    "target = \"auto\"",
    "= ",
    ".",
    "\"",
    "\"\"\"",
    "'",
    "\\u0000",
    "\\U0010FFFF",
    "#",
    "\r",
    "\n",
    "{ a = 1 }",
    "[[",
    "]]",
    "nan",
    "-inf",
    "0x",
    "1e999",
    "\u{feff}",
    "é",
];

pub(super) const VALUES: &[&str] = &[
    "0",
    "1",
    "3000",
    "65536",
    "-1",
    "true",
    "false",
    "TRUE",
    "/",
    "/tmp",
    ":",
    "::",
    "..",
    "628123456789",
    "+",
    " ",
    "\n",
    "é",
];

/// A page of configuration takes some milliseconds.
const HANG: Duration = Duration::from_secs(10);

/// A configuration or faults; never neither, and never a hang.
pub(super) fn file() -> impl Fn(&[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    move |input| {
        let file = folder.path().join("walinkd.toml");
        fs::write(&file, input).expect("it is ours");
        let lines = input.split(|byte| *byte == b'\n').count();
        look(
            &Sources {
                file: Some(file),
                root: true,
                ..Sources::default()
            },
            lines,
        );
    }
}

/// The same value in every variable, alone and together.
pub(super) fn environment() -> impl Fn(&[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    move |input| {
        // What stands in an environment ends at a NUL.
        let input = input.split(|byte| *byte == 0).next().unwrap_or_default();
        let value = OsStr::from_bytes(input).to_owned();
        let set = |names: &[&'static str]| Sources {
            default_file: folder.path().join("none.toml"),
            env: BTreeMap::from_iter(names.iter().map(|name| (*name, value.clone()))),
            home: Some(folder.path().to_owned()),
            ..Sources::default()
        };
        look(&set(&VARIABLES), 0);
        for name in VARIABLES {
            look(&set(&[name]), 0);
        }
    }
}

fn look(sources: &Sources, lines: usize) {
    let began = Instant::now();
    match load(sources) {
        Ok(config) => stands(sources, &config),
        Err(faults) => told(&faults, lines),
    }
    assert!(began.elapsed() < HANG, "it took {:?}", began.elapsed());
}

/// Read again it is the same one.
fn stands(sources: &Sources, config: &Config) {
    let again = load(sources).unwrap_or_else(|faults| panic!("and now: {faults}"));
    let diff = diff(config, &again);
    assert!(diff.applied.is_empty() && diff.needs_restart.is_empty());
}

/// Each says on one line where, what and what to do.
fn told(faults: &Faults, lines: usize) {
    assert!(faults.iter().next().is_some(), "refused without a fault");
    for fault in faults.iter() {
        let shown = fault.to_string();
        assert!(!fault.what.is_empty() && !fault.hint.is_empty(), "{shown}");
        assert!(!shown.contains(char::is_control), "{shown:?}");
        if let Place::File { line, column, .. } = &fault.place {
            assert!((1..=lines).contains(line) && *column >= 1, "{shown}");
        }
    }
}
