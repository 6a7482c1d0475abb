//! The name of an instance, `walinkd@NAME.service`.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

/// A name that can stand in a path and in a unit's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Instance(String);

impl Instance {
    pub(super) fn socket(&self) -> PathBuf {
        PathBuf::from(format!("/run/walinkd-{}/control.sock", self.0))
    }

    pub(super) fn state(&self) -> PathBuf {
        PathBuf::from(format!("/var/lib/walinkd-{}", self.0))
    }

    pub(super) fn config(&self) -> PathBuf {
        PathBuf::from(format!("/etc/walinkd/{}.toml", self.0))
    }
}

/// The unit whose daemon has this control socket.
pub(super) fn unit(socket: &Path) -> String {
    let name = socket.strip_prefix("/run").ok().and_then(|inside| {
        let folder = inside.parent()?.to_str()?;
        folder.strip_prefix("walinkd-")
    });
    match name {
        Some(name) => format!("walinkd@{name}"),
        None => "walinkd".to_owned(),
    }
}

impl FromStr for Instance {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const LONGEST: usize = 64;
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let first = |c: char| c.is_ascii_alphanumeric();
        if text.len() <= LONGEST && text.starts_with(first) && text.chars().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(
                "an instance's name has 1 to 64 letters, digits and - _ . and begins with a letter or digit",
            )
        }
    }
}
