//! `STATE/keys.toml`: the keys that were made while the daemon ran.

use crate::{
    config::key_hash,
    files,
    wire::{Scope, Timestamp},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{
    fmt, fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};
use thiserror::Error;

const HEAD: &str = "# Made by `walinkd key`; change it with that.\n\n";

/// A key as the file has it: the hash, never the key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredKey {
    pub name: String,
    #[serde(serialize_with = "write_hash", deserialize_with = "read_hash")]
    pub sha256: [u8; 32],
    pub scope: Scope,
    pub created: Timestamp,
    /// The first moment at which it no longer holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

impl fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.scope)
    }
}

/// Why the file cannot be used.
#[derive(Debug, Error)]
pub enum KeyFileError {
    #[error("{}: {error}: let the daemon's user read and write it", path.display())]
    Io { path: PathBuf, error: io::Error },
    #[error(
        "{}: {message}: restore it from a backup, or remove it and make the keys anew with walinkd key add",
        path.display()
    )]
    Broken { path: PathBuf, message: String },
}

/// The file.
#[derive(Debug)]
pub struct KeyFile(PathBuf);

#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Document {
    keys: Vec<StoredKey>,
}

impl KeyFile {
    pub fn new(state_dir: &Path) -> Self {
        Self(state_dir.join("keys.toml"))
    }

    /// The keys in the order they were made; none when there is no file. Unlike
    /// a note that is lost, a key that is lost would lock somebody out without a
    /// word, so a broken file is an error.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or understood.
    pub fn load(&self) -> Result<Vec<StoredKey>, KeyFileError> {
        let text = match fs::read_to_string(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.failed(error)),
        };
        let document: Document = toml::from_str(&text).map_err(|error| KeyFileError::Broken {
            path: self.0.clone(),
            message: error.message().to_owned(),
        })?;
        Ok(document.keys)
    }

    /// Replaces the keys.
    ///
    /// # Errors
    ///
    /// When they cannot be written; then the former ones stand.
    pub fn save(&self, keys: Vec<StoredKey>) -> Result<(), KeyFileError> {
        let text = toml::to_string(&Document { keys })
            .map_err(|error| self.failed(io::Error::other(error)))?;
        files::replace(&self.0, format!("{HEAD}{text}")).map_err(|error| self.failed(error))
    }

    fn failed(&self, error: io::Error) -> KeyFileError {
        let path = self.0.clone();
        KeyFileError::Io { path, error }
    }
}

fn write_hash<S: Serializer>(hash: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
    let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    serializer.serialize_str(&digits)
}

fn read_hash<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
    let text = String::deserialize(deserializer)?;
    key_hash(&text).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back_and_a_broken_file_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = KeyFile::new(folder.path());
        assert_eq!(file.load().expect("no file is no fault"), []);
        let key = |name: &str, scope, expires| StoredKey {
            name: name.to_owned(),
            sha256: [0xa5; 32],
            scope,
            created: Timestamp::from_millis(1_766_811_600_000),
            expires,
        };
        let keys = vec![
            key("a", Scope::Read, None),
            key(
                "b",
                Scope::Manage,
                Some(Timestamp::from_millis(1_800_000_000_000)),
            ),
        ];
        file.save(keys.clone()).expect("written");
        assert_eq!(file.load().expect("readable"), keys);
        let text = fs::read_to_string(&file.0).expect("readable");
        assert!(
            text.starts_with("# Made by") && text.contains("scope = \"manage\""),
            "{text}"
        );

        fs::write(&file.0, "[[keys]]\nname = \"a\"\nsha256 = \"a5\"\n").expect("written");
        let error = file.load().expect_err("broken").to_string();
        assert!(
            error.contains("keys.toml: ") && error.contains("walinkd key add"),
            "{error}"
        );
        fs::remove_file(&file.0).expect("ours");
        fs::create_dir(&file.0).expect("made");
        assert!(matches!(file.load(), Err(KeyFileError::Io { .. })));
    }
}
