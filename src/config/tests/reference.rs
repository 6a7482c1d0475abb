//! The files that are shipped say what the program does.

use super::{Case, HASH};
use crate::config::{Config, keys, reference};

#[test]
fn the_packaged_file_is_valid_and_says_the_defaults() {
    let packaged = include_str!("../../../config/walinkd.toml");
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
