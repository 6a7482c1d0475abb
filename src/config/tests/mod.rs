//! The configuration as a whole: files in, a checked `Config` or faults out.

mod environment;
mod file;
mod nonsense;
mod reference;
mod reload;
mod webhook;

use super::{Config, Sources, load};
use std::{ffi::OsString, fs};
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
