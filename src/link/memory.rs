//! `state.toml`: the little that must survive a restart besides the keys.

use crate::{
    files,
    wire::{Disconnection, Timestamp},
};
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// What is remembered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Remembered {
    pub(super) paused: bool,
    /// The first generation of the status in the run that wrote it.
    pub(super) generation: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_disconnect: Option<Disconnection>,
}

/// More than the status changes in a run that the clock went back in.
const CHANGES: u64 = 1_000_000;

impl Remembered {
    /// As a run that begins now finds it. Generations grow over restarts too,
    /// also when the clock was set back, so that a client that waits for the next
    /// one never waits for ever.
    pub(super) fn at_the_start(self, now: Timestamp) -> Self {
        let generation = now
            .millis()
            .unsigned_abs()
            .max(self.generation.saturating_add(CHANGES));
        Self { generation, ..self }
    }
}

/// The file it is kept in.
#[derive(Debug)]
pub(super) struct Memory {
    path: PathBuf,
}

impl Memory {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn new(state_dir: &Path) -> Self {
        Self {
            path: state_dir.join("state.toml"),
        }
    }

    /// What an earlier run left, with a warning when it cannot be read: then
    /// the daemon begins without it, since a link matters more than a note.
    pub(super) fn load(&self) -> (Remembered, Option<String>) {
        let nothing = Remembered::default();
        match fs::read_to_string(&self.path) {
            Ok(text) => match toml::from_str(&text) {
                Ok(remembered) => (remembered, None),
                Err(error) => (
                    nothing,
                    Some(format!(
                        "{}: {}: ignored",
                        self.path.display(),
                        error.message()
                    )),
                ),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => (nothing, None),
            Err(error) => (
                nothing,
                Some(format!("{}: {error}: ignored", self.path.display())),
            ),
        }
    }

    /// Replaces the file in one step, so that a crash leaves the old or the new.
    pub(super) fn save(&self, remembered: &Remembered) -> io::Result<()> {
        let text = toml::to_string(remembered).map_err(io::Error::other)?;
        files::replace(&self.path, &text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_over_a_restart_and_survives_rubbish() {
        let dir = tempfile::tempdir().expect("a directory");
        let memory = Memory::new(dir.path());
        assert_eq!(memory.load(), (Remembered::default(), None));
        let remembered = Remembered {
            paused: true,
            generation: 1_766_811_600_000,
            last_disconnect: Some(Disconnection {
                code: "network".to_owned(),
                message: "the connection broke".to_owned(),
                at: Timestamp::from_millis(1_766_811_600_000),
            }),
        };
        memory.save(&remembered).expect("saved");
        assert_eq!(memory.load(), (remembered, None));
        fs::write(dir.path().join("state.toml"), "paused = maybe").expect("written");
        let (loaded, warning) = memory.load();
        assert_eq!(loaded, Remembered::default());
        assert!(warning.is_some_and(|text| text.contains("state.toml")));
    }

    #[test]
    fn generations_grow_whatever_the_clock_does() {
        let at = |millis| {
            let now = Timestamp::from_millis(millis);
            move |before: Remembered| before.at_the_start(now)
        };
        let first = at(1_766_811_600_000)(Remembered::default());
        assert_eq!(first.generation, 1_766_811_600_000);
        let later = at(1_766_811_700_000)(first.clone());
        assert!(later.generation > first.generation);
        let set_back = at(1_000)(later.clone());
        assert!(set_back.generation > later.generation);
    }
}
