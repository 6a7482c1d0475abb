//! What the environment says, beside the file.

use super::{Case, one_fault};
use crate::{
    config::{Mode, load},
    wire::Scope,
};
use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

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
