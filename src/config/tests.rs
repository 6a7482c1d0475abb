//! The configuration as a whole: files in, a checked `Config` or faults out.

use super::*;
use crate::wire::{Scope, SettingSource};
use proptest::prelude::*;
use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use tempfile::TempDir;

/// A file in a directory of its own, and nothing else to go by.
struct Case {
    directory: TempDir,
    sources: Sources,
}

impl Case {
    fn new(text: impl AsRef<[u8]>) -> Self {
        let case = Self::without_file();
        let file = case.directory.path().join("walinkd.toml");
        fs::write(&file, text).expect("a temporary file");
        let mut case = case;
        case.sources.file = Some(file);
        case
    }

    fn without_file() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let sources = Sources {
            default_file: directory.path().join("none.toml"),
            root: true,
            ..Sources::default()
        };
        Self { directory, sources }
    }

    fn env(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.sources.env.insert(name, value.into());
        self
    }

    fn write(&self, text: &str) {
        let file = self.sources.file.as_ref().expect("a case with a file");
        fs::write(file, text).expect("a temporary file");
    }

    fn config(&self) -> Config {
        load(&self.sources).unwrap_or_else(|faults| panic!("{faults}"))
    }

    /// Each fault as printed, with the file's directory left out.
    fn faults(&self) -> Vec<String> {
        let faults = load(&self.sources).expect_err("a faulty configuration");
        let directory = format!("{}/", self.directory.path().display());
        faults
            .to_string()
            .lines()
            .map(|line| line.replace(&directory, ""))
            .collect()
    }
}

fn one_fault(text: &str) -> String {
    let mut faults = Case::new(text).faults();
    assert_eq!(faults.len(), 1, "{text}: {faults:#?}");
    faults.remove(0)
}

const HASH: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

#[test]
fn every_key_is_read() {
    let case = Case::new(format!(
        r#"
[http]
listen = ["127.0.0.1:0", "[::1]:3001"]
cors_origins = ["HTTPS://Example.org:443", "http://localhost:5173"]
request_timeout = "1m30s"
header_timeout = "250ms"
max_connections = 10
max_body = "1MiB"
dashboard = false
[control]
socket = "/tmp/c.sock"
group = "root"
[[auth.keys]]
name = "dashboard"
sha256 = "{HASH}"
expires = 2027-01-01
[[auth.keys]]
name = "bot"
sha256 = "{}"
scope = "manage"
expires = 2027-01-01T02:00:00+02:00
[pairing]
mode = "code"
phone_number = "+62 812-3456-789"
device_name = "Büro"
platform = "firefox"
idle_after = "0s"
[whatsapp]
url = "wss://example.org/ws"
proxy = "socks5://me:p%40ss@[::1]:1080"
[storage]
state_dir = "/tmp/state"
keep_events = "7d12h"
[log]
level = "info,walinkd=debug"
target = "json"
"#,
        HASH.replace('9', "8")
    ));
    let config = case.config();
    assert_eq!(config.file, case.sources.file);
    let listen: Vec<_> = config.http.listen.iter().map(ToString::to_string).collect();
    assert_eq!(listen, ["127.0.0.1:0", "[::1]:3001"]);
    assert_eq!(
        config.http.cors_origins,
        ["https://example.org", "http://localhost:5173"]
    );
    assert_eq!(config.http.request_timeout, Duration::from_secs(90));
    assert_eq!(config.http.header_timeout, Duration::from_millis(250));
    assert_eq!(config.http.max_connections, 10);
    assert_eq!(config.http.max_body, 1 << 20);
    assert!(!config.http.dashboard);
    assert_eq!(config.control.socket, PathBuf::from("/tmp/c.sock"));
    assert_eq!(config.control.group.as_deref(), Some("root"));
    let keys: Vec<_> = config
        .auth
        .keys
        .iter()
        .map(|key| {
            let expires = key.expires.map(|at| at.to_string()).unwrap_or_default();
            (key.name.as_str(), key.sha256[0], key.scope, expires)
        })
        .collect();
    assert_eq!(
        keys,
        [
            // Through the end of that day.
            (
                "dashboard",
                0x9f,
                Scope::Read,
                "2027-01-02T00:00:00.000Z".to_owned()
            ),
            (
                "bot",
                0x8f,
                Scope::Manage,
                "2027-01-01T00:00:00.000Z".to_owned()
            ),
        ]
    );
    assert_eq!(config.pairing.mode, Mode::Code);
    let phone = config.pairing.phone_number.as_ref().expect("a number");
    assert_eq!(phone.digits(), "628123456789");
    assert_eq!(config.pairing.device_name, "Büro");
    assert_eq!(config.pairing.platform, Platform::Firefox);
    assert_eq!(config.pairing.idle_after, Duration::ZERO);
    assert_eq!(config.whatsapp.url, "wss://example.org/ws");
    let proxy = config.whatsapp.proxy.as_ref().expect("a proxy");
    assert_eq!(proxy.scheme, ProxyScheme::Socks5);
    assert_eq!((proxy.host.as_str(), proxy.port), ("::1", 1080));
    let (user, password) = proxy.login.as_ref().expect("a login");
    assert_eq!((user.as_str(), password.expose()), ("me", "p@ss"));
    assert_eq!(config.storage.state_dir, PathBuf::from("/tmp/state"));
    let hours = config.storage.keep_events.as_secs() / 3_600;
    assert_eq!(hours, 7 * 24 + 12);
    assert_eq!(config.log.level, "info,walinkd=debug");
    assert_eq!(config.log.target, LogTarget::Json);
    let debug = format!("{config:?} {proxy}");
    for secret in ["p@ss", "p%40ss", "628123456789", HASH] {
        assert!(!debug.contains(secret), "{secret} in {debug}");
    }
}

#[test]
fn many_faults_are_all_told_in_their_order() {
    let case = Case::new(
        r#"[http]
listen = ["localhost:3000", 80, "127.0.0.1:1", "127.0.0.1:1"]
request_timeout = "0s"
header_timeout = 5
max_body = "16 KB"
max_conections = 5
[control]
socket = "walinkd.sock"
[[auth.keys]]
name = "a b"
scope = "write"
expires = "2027-01-01"
[[auth.keys]]
sha256 = "abc"
[pairing]
mode = "kode"
phone_number = 628123456789
platform = "crome"
[whatsapp]
url = "https://web.whatsapp.com"
proxy = "socks5://me:secret@localhost"
[storge]
state_dir = "/x"
[log]
level = "inof"
"#,
    )
    .env("PORT", "70000");
    let faults = case.faults();
    let expected = [
        "walinkd.toml:2:11: http.listen[0]: \"localhost:3000\" is no address and port: names are not looked up: \"127.0.0.1:3000\"",
        "walinkd.toml:2:29: http.listen[1]: an integer does not belong here: write a list of addresses, for example [\"127.0.0.1:3000\"]; [] turns TCP off",
        "walinkd.toml:2:48: http.listen[3]: is in the list twice: keep one of the two",
        "walinkd.toml:3:19: http.request_timeout: 0s is out of range: write a value from 1ms to 1d",
        "walinkd.toml:4:18: http.header_timeout: an integer does not belong here: write a duration in quotes, for example \"10s\" or \"1h30m\"",
        "walinkd.toml:5:12: http.max_body: \"16 KB\" is no size: write a whole number with B, KiB or MiB, for example \"16KiB\"",
        "walinkd.toml:6:1: http.max_conections: there is no such key: did you mean http.max_connections?",
        "walinkd.toml:8:10: control.socket: \"walinkd.sock\" is no absolute path: write the whole path, from / on",
        "walinkd.toml:9:1: auth.keys[0].sha256: is missing: add sha256 = \"…\", as made by: printf %s \"$KEY\" | sha256sum",
        "walinkd.toml:10:8: auth.keys[0].name: \"a b\" is no name for a key: write 1 to 63 letters, digits and - _ . @",
        "walinkd.toml:11:9: auth.keys[0].scope: \"write\" is not known: write one of \"read\", \"manage\"",
        "walinkd.toml:12:11: auth.keys[0].expires: the date is in quotes: write it without: 2027-01-01",
        "walinkd.toml:13:1: auth.keys[1].name: is missing: give each key a name, for example name = \"dashboard\"",
        "walinkd.toml:14:10: auth.keys[1].sha256: is no SHA-256: write 64 hexadecimal digits, as made by: printf %s \"$KEY\" | sha256sum",
        "walinkd.toml:16:8: pairing.mode: \"kode\" is not known: did you mean \"code\"?",
        "walinkd.toml:17:16: pairing.phone_number: an integer does not belong here: write the number in quotes, for example \"628123456789\"",
        "walinkd.toml:18:12: pairing.platform: \"crome\" is not known: did you mean \"chrome\"?",
        "walinkd.toml:20:7: whatsapp.url: \"https://web.whatsapp.com\" is no WhatsApp address: write \"wss://web.whatsapp.com/ws/chat\"",
        "walinkd.toml:21:9: whatsapp.proxy: has no port: write http:// or socks5://, then user:password@ if needed, host and port, for example \"socks5://127.0.0.1:1080\"",
        "walinkd.toml:22:2: storge: there is no such key: did you mean storage?",
        "walinkd.toml:25:9: log.level: \"inof\" is no log level: did you mean \"info\"?",
        "environment: PORT: is no port: set it to a number from 0 to 65535, for example 3000",
    ];
    for (fault, expected) in faults.iter().zip(expected) {
        assert_eq!(fault, expected);
    }
    assert_eq!(faults.len(), expected.len(), "{faults:#?}");
}

#[test]
fn broken_toml_is_told_with_its_place_and_the_rest_is_checked_too() {
    let faults = Case::new(
        "[http]\nlisten = [\"127.0.0.1:1\"\nmax_body = \"x\"\n\n[log]\nlevel = \"loud\"\ntarget =\n",
    )
    .faults();
    assert!(faults.len() >= 2, "{faults:#?}");
    assert!(faults[0].contains("the TOML cannot be read"), "{faults:#?}");
    assert!(
        faults
            .iter()
            .any(|fault| fault.starts_with("walinkd.toml:7:"))
    );

    for (text, place, said) in [
        (
            "[http]\nmax_body = 512\nmax_body = 1024\n",
            "walinkd.toml:3:1: max_body: ",
            "twice",
        ),
        ("[log]\n[http]\n[log]\n", "walinkd.toml:3:2: log: ", "twice"),
        (
            "[log]\nlevel = info\n",
            "walinkd.toml:2:9: ",
            "cannot be read",
        ),
        (
            "[log]\nlevel = 'info\n",
            "walinkd.toml:2:",
            "cannot be read",
        ),
        ("[log\n", "walinkd.toml:1:5: ", "cannot be read"),
    ] {
        let fault = one_fault(text);
        assert!(fault.starts_with(place) && fault.contains(said), "{fault}");
    }
}

#[test]
fn files_that_are_no_text_are_told() {
    let bom = Case::new("\u{feff}[log]\n").faults();
    assert_eq!(bom.len(), 1);
    assert!(bom[0].starts_with("walinkd.toml:1:1: begins with a byte-order mark"));

    let latin1 = Case::new(b"[pairing]\ndevice_name = \"B\xfcro\"\n").faults();
    assert_eq!(
        latin1,
        ["walinkd.toml:2:17: is not UTF-8: save the file as UTF-8"]
    );

    let mut missing = Case::without_file();
    missing.sources.file = Some(missing.directory.path().join("gone.toml"));
    assert_eq!(
        missing.faults(),
        ["gone.toml: there is no such file: name another with --config"]
    );

    let mut directory = Case::without_file();
    let path = directory.directory.path().join("d");
    fs::create_dir(&path).expect("a directory");
    directory.sources.file = Some(path);
    assert_eq!(
        directory.faults(),
        ["d: is a directory: name the file in it"]
    );

    let huge = Case::new(vec![b'\n'; (1 << 20) + 1]).faults();
    assert!(huge[0].contains("larger than 1 MiB"), "{huge:?}");
}

#[test]
fn numbers_below_zero_are_told() {
    assert_eq!(
        one_fault("[http]\nmax_connections = -1\n"),
        "walinkd.toml:2:19: http.max_connections: -1 is out of range: it must be 1 or more"
    );
    assert_eq!(
        one_fault("[http]\nmax_body = -20\n"),
        "walinkd.toml:2:12: http.max_body: -20 is out of range: it must be 256B or more"
    );
}

#[test]
fn a_group_that_is_not_there_is_told() {
    assert_eq!(
        one_fault("[control]\ngroup = \"no-such-group\"\n"),
        "walinkd.toml:2:9: control.group: there is no group \"no-such-group\": \
         create it (groupadd --system no-such-group) or name another"
    );
}

#[test]
fn line_ends_of_other_systems_are_taken_and_counted() {
    let case = Case::new("[http]\r\nmax_connections = 5\r\n");
    assert_eq!(case.config().http.max_connections, 5);
    let fault = one_fault("[http]\r\n\r\nmax_connections = 0\r\n");
    assert_eq!(
        fault,
        "walinkd.toml:3:19: http.max_connections: 0 is out of range: write a value from 1 to 1048576"
    );
}

#[test]
fn unknown_keys_get_the_nearest_or_all() {
    for (text, end) in [
        (
            "lisen = 1",
            "lisen: there is no such key: there are: http, control, auth, pairing, whatsapp, storage, log, webhook",
        ),
        ("listen = 1", "did you mean http.listen?"),
        (
            "[http]\nthreads = 2",
            "there are: listen, tls_cert, tls_key, cors_origins, request_timeout, header_timeout, max_connections, max_connections_per_client, max_streams_per_key, max_body, trusted_proxies, dashboard, rate_limit",
        ),
        ("[[auth.keys]]\nnam = 1", "did you mean name?"),
        ("[auth]\nkey = 1", "did you mean auth.keys?"),
        (
            "[http.rate_limit]\nx = 1",
            "http.rate_limit.x: there is no such key: there are: requests_per_second, burst, failed_keys_per_minute",
        ),
        ("[http]\nburst = 1", "did you mean http.rate_limit.burst?"),
        (
            "[whatsapp]\nx = 1",
            "whatsapp.x: there is no such key: there are: url, proxy",
        ),
        (
            "\"a\\nb\" = 1",
            "a\\nb: there is no such key: there are: http, control, auth, pairing, whatsapp, storage, log, webhook",
        ),
    ] {
        let faults = Case::new(text).faults();
        assert!(
            faults.iter().any(|fault| fault.ends_with(end)),
            "{faults:#?}"
        );
    }
    assert_eq!(
        one_fault("http = 3"),
        "walinkd.toml:1:8: http: is an integer, not a section: write [http] and its keys below it"
    );
}

#[test]
fn keys_of_the_api_are_checked_against_each_other() {
    let key =
        |name: &str, hash: &str| format!("[[auth.keys]]\nname = \"{name}\"\nsha256 = \"{hash}\"\n");
    let other = HASH.replace('9', "8");
    let twice = one_fault(&(key("a", HASH) + &key("a", &other)));
    assert!(twice.starts_with("walinkd.toml:5:8: auth.keys[1].name: there is a key \"a\" already"));
    let same = one_fault(&(key("a", HASH) + &key("b", HASH)));
    assert!(same.starts_with("walinkd.toml:6:10: auth.keys[1].sha256: is the same key"));
    let published = "daa8ce0ff449a97c15a9159156cfb20a48bda1037450457f1c26e19159d7818a";
    assert!(one_fault(&key("a", published)).contains("everybody knows"));
    // printf %s KEY | sha256sum
    let hash = <sha2::Sha256 as sha2::Digest>::digest(published)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>();
    assert!(one_fault(&key("a", &hash)).contains("openssl rand"));
    let given = Case::without_file().env("API_KEY", published).faults();
    assert!(given[0].starts_with("environment: API_KEY: is the example key"));
    for fault in [one_fault(&key("a", published)), given[0].clone()] {
        assert!(!fault.contains("daa8ce0f"), "{fault}");
    }
}

#[test]
fn the_sandbox_alone_takes_unencrypted_addresses() {
    let case = Case::new("[whatsapp]\nurl = \"ws://127.0.0.1:1/ws\"\n");
    if cfg!(feature = "sandbox") {
        assert_eq!(case.config().whatsapp.url, "ws://127.0.0.1:1/ws");
    } else {
        assert!(case.faults()[0].contains("only a build for the sandbox takes it"));
    }
}

#[test]
fn the_environment_goes_before_the_file() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    fs::write(directory.path().join("api-key"), "s3cret\n").expect("a credential");
    let case = Case::new("[http]\nlisten = [\"[::1]:1\", \"127.0.0.1:2\"]\n")
        .env("PORT", "3100")
        .env("API_KEY", "hunter2")
        .env("USE_PAIRING_CODE", "true")
        .env("PHONE_NUMBER", "628123456789")
        .env("CREDENTIALS_DIRECTORY", directory.path());
    let config = case.config();
    let listen: Vec<_> = config.http.listen.iter().map(ToString::to_string).collect();
    assert_eq!(listen, ["[::1]:3100", "127.0.0.1:2"]);
    let names: Vec<_> = config.auth.keys.iter().map(|key| &key.name).collect();
    assert_eq!(names, ["API_KEY", "api-key"]);
    assert!(
        config
            .auth
            .keys
            .iter()
            .all(|key| key.scope == Scope::Manage)
    );
    let hash: [u8; 32] = <sha2::Sha256 as sha2::Digest>::digest("s3cret").into();
    assert_eq!(config.auth.keys[1].sha256, hash);
    assert_eq!(config.pairing.mode, Mode::Code);
    assert!(config.pairing.phone_number.is_some());
    assert_eq!(config.file_pairing.mode, Mode::Qr);
    assert_eq!(config.file_pairing.phone_number, None);
}

#[test]
fn faults_of_the_environment_name_the_variable() {
    use std::os::unix::ffi::OsStringExt as _;
    let case = Case::new("[http]\nlisten = []\n")
        .env("PORT", "3000")
        .env("USE_PAIRING_CODE", "maybe")
        .env("PHONE_NUMBER", "0812345678")
        .env("API_KEY", OsString::from_vec(vec![0xff]));
    let faults = case.faults();
    let starts = [
        "environment: PORT: is set, and http.listen = [] turns TCP off: ",
        "environment: USE_PAIRING_CODE: is neither true nor false: ",
        "environment: PHONE_NUMBER: the phone number begins with 0: ",
        "environment: API_KEY: is not UTF-8: ",
    ];
    for (fault, start) in faults.iter().zip(starts) {
        assert!(fault.starts_with(start), "{fault}");
    }
    assert_eq!(faults.len(), starts.len(), "{faults:#?}");

    let spaces = Case::without_file().env("API_KEY", "two words").faults();
    assert!(spaces[0].contains("cannot stand in an HTTP header"));
    // An empty variable is what `NAME=` in an environment file leaves.
    assert_eq!(
        Case::without_file().env("API_KEY", "").config().auth.keys,
        []
    );
}

#[test]
fn a_fault_is_one_line_whatever_it_names() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let credentials = folder.path().join("two\nlines\u{1b}[31m");
    // A credential that is a directory cannot be read.
    fs::create_dir_all(credentials.join("api-key")).expect("it is ours");
    let faults = Case::without_file()
        .env("CREDENTIALS_DIRECTORY", credentials)
        .faults();
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(
        faults[0].contains(r"two\nlines\u{1b}[31m/api-key: "),
        "{faults:?}"
    );
}

#[test]
fn a_code_needs_a_number() {
    let by_file = one_fault("[pairing]\nmode = \"code\"\n");
    assert_eq!(
        by_file,
        "walinkd.toml:2:1: pairing.phone_number: mode \"code\" needs a number to make the code for: add phone_number = \"628123456789\" to [pairing]"
    );
    let by_environment = Case::without_file().env("USE_PAIRING_CODE", "1").faults();
    assert!(by_environment[0].starts_with("environment: USE_PAIRING_CODE: "));
    assert!(by_environment[0].contains("PHONE_NUMBER=628123456789"));
    // The number may come from either.
    let number = "[pairing]\nphone_number = \"628123456789\"\n";
    let config = Case::new(number).env("USE_PAIRING_CODE", "yes").config();
    assert_eq!(config.pairing.mode, Mode::Code);
    let mode = Case::new("[pairing]\nmode = \"code\"\n");
    mode.env("PHONE_NUMBER", "628123456789").config();
    // A number that is wrong is told once.
    assert_eq!(
        Case::new("[pairing]\nmode = \"code\"\nphone_number = \"0812\"\n")
            .faults()
            .len(),
        1
    );
}

fn number(config: &Config) -> &str {
    config
        .pairing
        .phone_number
        .as_ref()
        .map_or("", |phone| phone.digits())
}

#[test]
fn a_number_changed_in_the_file_wins_at_the_next_reload_and_stays() {
    let case = Case::new("[log]\nlevel = \"info\"\n")
        .env("USE_PAIRING_CODE", "true")
        .env("PHONE_NUMBER", "628111111111");
    let start = case.config();
    assert_eq!(number(&start), "628111111111");

    case.write("[log]\nlevel = \"debug\"\n");
    let unchanged = load_for_reload(&case.sources, &start).expect("valid");
    assert_eq!(unchanged.pairing, start.pairing);

    case.write("[pairing]\nphone_number = \"628222222222\"\n");
    let changed = load_for_reload(&case.sources, &unchanged).expect("valid");
    assert_eq!(
        (number(&changed), changed.pairing.mode),
        ("628222222222", Mode::Code)
    );
    let again = load_for_reload(&case.sources, &changed).expect("valid");
    assert_eq!(again.pairing, changed.pairing);

    case.write("[pairing]\n");
    let removed = load_for_reload(&case.sources, &again).expect("valid");
    assert_eq!(number(&removed), "628111111111");

    // A restart is a start.
    case.write("[pairing]\nphone_number = \"628222222222\"\n");
    assert_eq!(number(&case.config()), "628111111111");
}

/// What `GET /admin/config` says of a key.
fn setting(config: &Config, key: &str) -> (serde_json::Value, SettingSource, String) {
    let report = report(config);
    let setting = report.settings.get(key).expect("each key is there");
    let place = setting.place.clone().unwrap_or_default();
    (setting.value.clone(), setting.source, place)
}

#[test]
fn it_is_told_who_has_said_what() {
    let mut case = Case::new("[http]\nlisten = [\"127.0.0.1:80\", \"[::1]:81\"]\n")
        .env("PORT", "90")
        .env("STATE_DIRECTORY", "/data");
    let credentials = case.directory.path().join("credentials");
    fs::create_dir(&credentials).expect("a directory");
    fs::write(credentials.join("api-key"), "a-secret-in-a-credential").expect("written");
    case = case.env("CREDENTIALS_DIRECTORY", credentials.clone());
    case.sources.socket = Some(PathBuf::from("/run/other.sock"));
    let config = case.config();
    let environment = |key, value: &str, name: &str| {
        let place = format!("environment: {name}");
        let told = (serde_json::json!(value), SettingSource::Environment, place);
        assert_eq!(setting(&config, key), told);
    };
    environment("storage.state_dir", "/data", "STATE_DIRECTORY");
    let (listen, source, _) = setting(&config, "http.listen");
    assert_eq!(listen, serde_json::json!(["127.0.0.1:90", "[::1]:81"]));
    assert_eq!(source, SettingSource::Environment);
    let socket = setting(&config, "control.socket");
    let flag = "command line: --socket".to_owned();
    assert_eq!(
        socket,
        ("/run/other.sock".into(), SettingSource::Flag, flag)
    );
    let (keys, source, place) = setting(&config, "auth.keys");
    assert_eq!(keys[0]["name"], "api-key");
    assert_eq!(source, SettingSource::Credential);
    assert!(place.ends_with("credentials/api-key"), "{place}");
    let all = serde_json::to_string(&report(&config)).expect("JSON");
    assert!(!all.contains("a-secret"), "{all}");
}

#[test]
fn after_a_reload_it_is_told_whose_number_stands() {
    let case = Case::new("[log]\n").env("PHONE_NUMBER", "628111111111");
    let source = |config: &Config| setting(config, "pairing.phone_number").1;
    let start = case.config();
    assert_eq!(source(&start), SettingSource::Environment);
    let same = load_for_reload(&case.sources, &start).expect("valid");
    assert_eq!(source(&same), SettingSource::Environment);
    case.write("[pairing]\nphone_number = \"628222222222\"\n");
    let changed = load_for_reload(&case.sources, &same).expect("valid");
    case.write("\n[pairing]\nphone_number = \"628222222222\"\n");
    let moved = load_for_reload(&case.sources, &changed).expect("valid");
    for (config, line) in [(changed, "2:1"), (moved.clone(), "3:1")] {
        let (number, source, place) = setting(&config, "pairing.phone_number");
        assert_eq!(number, "62822*****22");
        assert_eq!(source, SettingSource::File);
        assert!(place.ends_with(line), "{place}");
    }
    case.write("");
    let removed = load_for_reload(&case.sources, &moved).expect("valid");
    assert_eq!(source(&removed), SettingSource::Environment);
}

#[test]
fn paths_follow_who_runs_the_daemon() {
    let paths = |case: &Case| {
        let config = case.config();
        let show = |path: PathBuf| path.display().to_string();
        (show(config.storage.state_dir), show(config.control.socket))
    };
    let root = Case::without_file();
    assert_eq!(
        paths(&root),
        (
            "/var/lib/walinkd".into(),
            "/run/walinkd/control.sock".into()
        )
    );

    let mut user = Case::without_file();
    user.sources.root = false;
    assert!(user.faults()[0].starts_with("default: storage.state_dir: there is no home"));
    user.sources.home = Some(PathBuf::from("/home/ana"));
    let state = "/home/ana/.local/state/walinkd";
    assert_eq!(
        paths(&user),
        (state.into(), format!("{state}/control.sock"))
    );
    let user = user
        .env("XDG_STATE_HOME", "/data")
        .env("XDG_RUNTIME_DIR", "/run/user/7");
    assert_eq!(
        paths(&user),
        (
            "/data/walinkd".into(),
            "/run/user/7/walinkd/control.sock".into()
        )
    );
    assert_eq!(
        user.sources.default_sockets(),
        [
            "/run/walinkd/control.sock",
            "/run/user/7/walinkd/control.sock",
            "/data/walinkd/control.sock"
        ]
        .map(PathBuf::from)
    );

    let own = Case::new("");
    let mut sources = own.sources.clone();
    sources.root = false;
    sources.home = Some(PathBuf::from("/home/ana"));
    let config = load(&sources).expect("a user's own file");
    assert_eq!(config.storage.state_dir, PathBuf::from(state));
    let system = Path::new("/etc/walinkd/a.toml");
    assert_eq!(
        sources.state_dir(Some(system)).path,
        PathBuf::from("/var/lib/walinkd")
    );

    let service = user
        .env("STATE_DIRECTORY", "/var/lib/walinkd-a:/other")
        .env("RUNTIME_DIRECTORY", "/run/walinkd-a");
    assert_eq!(
        paths(&service),
        (
            "/var/lib/walinkd-a".into(),
            "/run/walinkd-a/control.sock".into()
        )
    );
    let mut file = Case::new("[storage]\nstate_dir = \"/s\"\n[control]\nsocket = \"/c\"\n")
        .env("STATE_DIRECTORY", "/var/lib/walinkd-a")
        .env("RUNTIME_DIRECTORY", "/run/walinkd-a");
    assert_eq!(paths(&file), ("/s".into(), "/c".into()));
    file.sources.socket = Some(PathBuf::from("/flag"));
    assert_eq!(paths(&file), ("/s".into(), "/flag".into()));

    let long = format!("/{}", "x".repeat(100));
    let long = Case::without_file().env("RUNTIME_DIRECTORY", long).faults();
    assert!(
        long[0].starts_with("environment: RUNTIME_DIRECTORY: control.socket: a socket's path of")
    );
}

#[test]
fn the_default_file_is_read_when_it_is_there() {
    let mut case = Case::new("[http]\nmax_connections = 7\n");
    case.sources.default_file = case.sources.file.take().expect("a file");
    let config = case.config();
    assert_eq!(config.http.max_connections, 7);
    assert_eq!(config.file, Some(case.sources.default_file.clone()));
    assert_eq!(Case::without_file().config().file, None);
}

#[test]
fn the_packaged_file_is_valid_and_says_the_defaults() {
    let packaged = include_str!("../../config/walinkd.toml");
    let from_nowhere = |mut config: Config| {
        config.file = None;
        config.origins.clear();
        config
    };
    let defaults = from_nowhere(Case::without_file().config());
    let config = Case::new(packaged).config();
    assert_eq!(from_nowhere(config), defaults);

    let given = |line: &str| line.starts_with('#') && line.contains(" = ");
    let uncommented: String = packaged
        .lines()
        .filter(|line| !line.starts_with("#[[") && !line.starts_with("#name ="))
        .filter(|line| {
            !["#sha256", "#scope", "#expires"]
                .iter()
                .any(|key| line.starts_with(key))
        })
        .map(|line| match line.strip_prefix('#') {
            Some(key) if given(line) && !key.starts_with(' ') => format!("{key}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let config = Case::new(&uncommented).config();
    assert_eq!(from_nowhere(config), defaults);
    for key in keys::KEYS.iter() {
        let (_, name) = key.field.name.rsplit_once('.').unwrap_or_default();
        let named = packaged.contains(&format!("#{name} = "))
            || packaged.contains(&format!("[[{}]]", key.field.name));
        assert!(named, "{} is not in the packaged file", key.field.name);
    }
}

#[test]
fn what_the_reference_calls_a_default_is_one() {
    let defaults = Case::without_file().config();
    for key in keys::KEYS.iter() {
        let (name, value) = (key.field.name, key.field.value);
        let case = Case::new(format!("{name} = {value}\n"));
        assert!(
            !(key.differs)(&defaults, &case.config()),
            "{name} = {value}"
        );
    }
    let case = Case::new(format!(
        "[[auth.keys]]\n{}",
        reference()
            .iter()
            .filter(|key| key.name == "auth.keys")
            .flat_map(|key| &key.inside)
            .map(|field| format!("{} = {}\n", field.name, field.value.replace('…', HASH)))
            .collect::<String>()
    ));
    assert_eq!(case.config().auth.keys.len(), 1);
}

#[test]
fn webhooks_are_read_and_their_faults_told() {
    const SECRET: &str = "whsec_c2VjcmV0LW9mLTI0LWJ5dGVzLW9yLW1vcmU=";
    let config = Case::new(format!(
        "[[webhook]]\nurl = \"HTTPS://me:hunter2@Example.org/hook?token=x\"\nsecret = \"{SECRET}\"\n"
    ))
    .config();
    let [webhook] = &config.webhook[..] else {
        panic!("{config:?}");
    };
    assert_eq!(webhook.name, "example.org");
    assert_eq!(webhook.target.to_string(), "https://example.org/hook");
    assert_eq!(webhook.target.url(), "https://example.org/hook?token=x");
    assert_eq!(webhook.secret(), b"secret-of-24-bytes-or-more");
    assert!(webhook.wants("connection.idle") && !webhook.wants("admin.start"));
    let shown = format!("{config:?}{:?}", report(&config));
    for secret in ["hunter2", "token", "c2VjcmV0", "secret-of"] {
        assert!(!shown.contains(secret), "{shown}");
    }

    for (lines, faults) in [
        ("", vec!["webhook[0].url: is missing"]),
        (
            "url = \"https://a\"",
            vec!["the webhook \"a\" has no secret"],
        ),
        (
            "url = \"https://[::1]/\"",
            vec!["webhook[0].name: is missing"],
        ),
        (
            "url = \"ftp://a\"\nsecret = \"whsec_c2hvcnQ=\"\nevents = [\"conection.*\"]\ninclude = [\"qr\"]",
            vec![
                "is an address of another kind",
                "has 5 bytes",
                "did you mean \"connection.*\"?",
                "\"qr\" is not known",
            ],
        ),
        (
            "url = \"https://a/#x\"\nsecret_file = \"/no/such\"\nevents = []",
            vec!["has a fragment", "cannot be read", "asks for no event"],
        ),
    ] {
        let told = Case::new(format!("[[webhook]]\n{lines}\n")).faults();
        assert_eq!(told.len(), faults.len(), "{told:#?}");
        for (told, fault) in told.iter().zip(faults) {
            assert!(told.contains(fault), "{told} without {fault}");
        }
    }
    let one = format!("[[webhook]]\nurl = \"http://a/1\"\nsecret = \"{SECRET}\"\n");
    let told = one_fault(&one.repeat(2));
    assert!(told.contains("there is a webhook \"a\" already"), "{told}");

    // Whose secret is systemd's.
    let case = Case::new("[[webhook]]\nurl = \"https://a\"\n");
    let credentials = case.directory.path().join("credentials");
    fs::create_dir(&credentials).expect("made");
    fs::write(credentials.join("webhook-secret"), format!("{SECRET}\n")).expect("written");
    let config = case.env("CREDENTIALS_DIRECTORY", credentials).config();
    assert_eq!(config.webhook[0].secret(), b"secret-of-24-bytes-or-more");
}

#[test]
fn a_diff_names_the_keys_and_restart_only_values_stay() {
    let case = Case::new("");
    let running = case.config();
    assert_eq!(diff(&running, &running), Diff::default());
    case.write(&format!(
        "[http]\nlisten = []\ncors_origins = []\n[log]\nlevel = \"debug\"\n[storage]\nstate_dir = \"/x\"\n[[auth.keys]]\nname = \"a\"\nsha256 = \"{HASH}\"\n"
    ));
    let new = load_for_reload(&case.sources, &running).expect("valid");
    let expected = Diff {
        applied: vec!["http.cors_origins", "auth.keys", "log.level"],
        needs_restart: vec!["http.listen", "storage.state_dir"],
    };
    assert_eq!(diff(&running, &new), expected);
    let now = in_force(&running, &new);
    assert_eq!(now.http.listen, running.http.listen);
    assert_eq!(now.storage, running.storage);
    assert_eq!(now.log, new.log);
    // What waits for a restart is named again at the next reload.
    assert_eq!(diff(&now, &new).needs_restart, expected.needs_restart);
    assert_eq!(diff(&now, &new).applied, Vec::<&str>::new());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".*") {
        let _ = load(&Case::new(text).sources);
    }

    #[test]
    fn no_value_makes_it_panic(
        key in 0..keys::KEYS.len(),
        value in "(\"[ -~]{0,20}\"|\\[\"[ -~]{0,12}\"\\]|[0-9]{1,25}|[0-9]{4}-[0-9]{2}-[0-9]{2}|\\[\\[\\]\\]|\\{ *[a-z]{0,4} *= *1 *\\})",
        noise in "[\\[\\]{}\"'=#.a-z0-9\n\r\t é-]{0,30}",
    ) {
        let text = format!("{} = {value}\n{noise}", keys::KEYS[key].field.name);
        if let Err(faults) = load(&Case::new(text).sources) {
            prop_assert!(faults.iter().count() > 0);
            prop_assert_eq!(faults.to_string().lines().count(), faults.iter().count());
        }
    }

    #[test]
    fn no_environment_makes_it_panic(value in ".{0,40}", name in 0_usize..5) {
        let name = ["PORT", "API_KEY", "USE_PAIRING_CODE", "PHONE_NUMBER", "STATE_DIRECTORY"][name];
        let _ = load(&Case::without_file().env(name, value).sources);
    }
}
