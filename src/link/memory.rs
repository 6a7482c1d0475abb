//! `state.toml`: the little that must survive a restart besides the keys.

use crate::{files, wire::Disconnection};
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
    /// The first generation of the status in the last run.
    pub(super) generation: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_disconnect: Option<Disconnection>,
}

/// The file it is kept in.
#[derive(Debug)]
pub(super) struct Memory {
    path: PathBuf,
}

impl Memory {
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
    use crate::wire::Timestamp;

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
}
