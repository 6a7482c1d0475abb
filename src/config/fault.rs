//! What is wrong with a configuration, where, and what to do about it.

use std::{
    fmt::{self, Write as _},
    path::PathBuf,
};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Line and column count from 1, the column in characters.
    File {
        file: PathBuf,
        line: usize,
        column: usize,
    },
    /// A file as a whole: missing, unreadable, a credential.
    Path(PathBuf),
    /// The environment variable of this name.
    Environment(&'static str),
    /// A command-line flag.
    Flag(&'static str),
    /// Nobody gave one, and the default does not do.
    Default,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, line, column } => {
                write!(f, "{}:{line}:{column}", file.display())
            }
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Environment(name) => write!(f, "environment: {name}"),
            Self::Flag(name) => write!(f, "command line: {name}"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// One thing wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub place: Place,
    /// The dotted key, `http.listen` or `auth.keys[1].sha256`; empty where
    /// the fault is not about one key.
    pub key: String,
    pub what: String,
    pub hint: String,
}

impl fmt::Display for Fault {
    /// `place: key: what: hint`, on one line, whatever a path or a text of the
    /// file holds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = match self.key.as_str() {
            "" => String::new(),
            key => format!("{key}: "),
        };
        let line = format!("{}: {key}{}: {}", self.place, self.what, self.hint);
        for letter in line.chars() {
            if letter.is_control() {
                write!(f, "{}", letter.escape_default())?;
            } else {
                f.write_char(letter)?;
            }
        }
        Ok(())
    }
}

/// Every fault of a configuration: the file's in the order of its lines, then
/// the environment's. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// The configuration when nothing is wrong with it.
    pub(super) fn unless_empty<T>(mut faults: Vec<Fault>, good: T) -> Result<T, Self> {
        if faults.is_empty() {
            return Ok(good);
        }
        // Stable, so that what has no line keeps its order behind the file.
        faults.sort_by_key(|fault| match fault.place {
            Place::File { line, column, .. } => (line, column),
            _ => (usize::MAX, usize::MAX),
        });
        Err(Self(faults))
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Fault> {
        self.0.iter()
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}

impl fmt::Display for Faults {
    /// One fault a line, without a line break at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// Why a value does not do, before it is known where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) what: String,
    pub(super) hint: String,
}

impl Wrong {
    pub(super) fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            hint: hint.into(),
        }
    }

    /// Where there is no place to name.
    pub(super) fn told(self) -> String {
        format!("{}: {}", self.what, self.hint)
    }

    pub(super) fn at(self, place: Place, key: impl Into<String>) -> Fault {
        Fault {
            place,
            key: key.into(),
            what: self.what,
            hint: self.hint,
        }
    }
}

/// A value as a message shows it: quoted, control characters escaped, and no
/// longer than helps to find it again.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("\"{}…\"", text[..cut].escape_debug()),
        None => format!("\"{}\"", text.escape_debug()),
    }
}
