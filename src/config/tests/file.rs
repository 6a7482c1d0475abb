//! What is in the file, and every fault in it.

use super::{Case, HASH, one_fault};
use crate::{
    config::{LogTarget, Mode, Platform, ProxyScheme},
    wire::Scope,
};
use std::{fs, path::PathBuf, time::Duration};

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
