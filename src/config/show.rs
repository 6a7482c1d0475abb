//! The configuration in force as it is shown: each value as the file could write
//! it, secrets and phone numbers masked.

use super::{
    ApiKey, Config, LogTarget, Mode, Pattern, Place, Platform, Proxy, Webhook,
    keys::{Change, KEYS, PLATFORMS, TARGETS},
    tls::Pem,
    value,
};
use crate::wire::{ConfigReport, PhoneNumber, Setting, SettingSource};
use ipnet::IpNet;
use serde_json::{Value, json};
use std::{
    fmt::Display,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

/// Stands for a secret.
const MASK: &str = "***";

/// A value as the file could write it.
pub(super) trait Show {
    fn show(&self) -> Value;
}

/// What is in force, and who has said so.
pub fn report(config: &Config) -> ConfigReport {
    let settings = KEYS.iter().map(|key| {
        let name = key.field.name;
        let place = config.origins.get(name);
        let setting = Setting {
            value: (key.show)(config),
            source: place.map_or(SettingSource::Default, source),
            place: place
                .filter(|place| **place != Place::Default)
                .map(Place::to_string),
            live: key.change == Change::Live,
        };
        (name.to_owned(), setting)
    });
    ConfigReport {
        file: config.file.as_deref().map(text),
        settings: settings.collect(),
    }
}

fn source(place: &Place) -> SettingSource {
    match place {
        Place::File { .. } => SettingSource::File,
        Place::Path(_) => SettingSource::Credential,
        Place::Environment(_) => SettingSource::Environment,
        Place::Flag(_) => SettingSource::Flag,
        Place::Default => SettingSource::Default,
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn shown(value: &impl Display) -> Value {
    value.to_string().into()
}

/// The word that the file has for a value.
fn word<V: PartialEq>(words: &[(&str, V)], value: &V) -> Value {
    let mut words = words.iter();
    let word = words.find(|(_, known)| known == value);
    word.map(|(word, _)| *word).into()
}

impl<T: Show> Show for Option<T> {
    /// The file writes nothing as an empty text.
    fn show(&self) -> Value {
        self.as_ref().map_or_else(|| "".into(), T::show)
    }
}

impl<T: Show> Show for Vec<T> {
    fn show(&self) -> Value {
        self.iter().map(T::show).collect()
    }
}

impl Show for String {
    fn show(&self) -> Value {
        self.as_str().into()
    }
}

impl Show for bool {
    fn show(&self) -> Value {
        (*self).into()
    }
}

impl Show for usize {
    fn show(&self) -> Value {
        (*self).into()
    }
}

impl Show for Duration {
    fn show(&self) -> Value {
        value::show_duration(*self).into()
    }
}

impl Show for PathBuf {
    fn show(&self) -> Value {
        text(self).into()
    }
}

impl Show for SocketAddr {
    fn show(&self) -> Value {
        shown(self)
    }
}

impl Show for IpNet {
    fn show(&self) -> Value {
        shown(self)
    }
}

impl Show for Pem {
    fn show(&self) -> Value {
        text(self.path()).into()
    }
}

impl Show for PhoneNumber {
    /// It shows itself masked.
    fn show(&self) -> Value {
        shown(self)
    }
}

impl Show for Proxy {
    /// It shows itself without its password.
    fn show(&self) -> Value {
        shown(self)
    }
}

impl Show for Webhook {
    fn show(&self) -> Value {
        let events: Vec<&str> = self.events.iter().map(Pattern::as_str).collect();
        let include: &[&str] = if self.pairing_codes {
            &["pairing_code"]
        } else {
            &[]
        };
        json!({
            "name": self.name,
            "url": self.target.to_string(),
            "secret": MASK,
            "ca_file": self.authorities.as_ref().map(|of| text(of.path())).unwrap_or_default(),
            "events": events,
            "include": include,
        })
    }
}

impl Show for ApiKey {
    fn show(&self) -> Value {
        json!({
            "name": self.name,
            "sha256": MASK,
            "scope": self.scope,
            "expires": self.expires,
            "source": self.source,
        })
    }
}

impl Show for Mode {
    fn show(&self) -> Value {
        match self {
            Self::Qr => "qr".into(),
            Self::Code => "code".into(),
        }
    }
}

impl Show for Platform {
    fn show(&self) -> Value {
        word(&PLATFORMS, self)
    }
}

impl Show for LogTarget {
    fn show(&self) -> Value {
        word(&TARGETS, self)
    }
}
