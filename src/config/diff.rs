//! What a reload changes, by the names of the keys.

use super::{
    Config,
    keys::{Change, KEYS},
    model::Origins,
};

/// The keys whose values differ between two configurations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diff {
    /// Can change while the daemon runs.
    pub applied: Vec<&'static str>,
    /// Hold from the next start on.
    pub needs_restart: Vec<&'static str>,
}

/// Compares what runs with what was read anew, in the order of the key table.
pub fn diff(running: &Config, new: &Config) -> Diff {
    let mut diff = Diff::default();
    for key in KEYS.iter().filter(|key| (key.differs)(running, new)) {
        match key.change {
            Change::Live => diff.applied.push(key.field.name),
            Change::Restart => diff.needs_restart.push(key.field.name),
        }
    }
    diff
}

/// The configuration in force after a reload: `new`, but with the values
/// `running` began with where a change needs a restart. So the next reload
/// names those keys again.
pub fn in_force(running: &Config, new: &Config) -> Config {
    let mut config = new.clone();
    for key in KEYS.iter().filter(|key| key.change == Change::Restart) {
        (key.take)(running, &mut config);
        copy_origin(key.field.name, &running.origins, &mut config.origins);
    }
    config
}

/// With a value goes where it came from.
pub(super) fn copy_origin(key: &'static str, from: &Origins, into: &mut Origins) {
    into.remove(key);
    into.extend(from.get(key).map(|place| (key, place.clone())));
}
