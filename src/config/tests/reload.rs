//! What a reload changes, and whose word stands then.

use super::{Case, HASH};
use crate::{
    config::{Config, Diff, Mode, diff, in_force, load_for_reload, report},
    wire::SettingSource,
};
use std::{fs, path::PathBuf};

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
