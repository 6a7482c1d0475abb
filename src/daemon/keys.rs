//! The API keys in force: the configuration's, those made by `walinkd key`,
//! and the one of the first start.

use crate::{
    auth::{self, Key, KeyFile, Keyring, Rate, Rules, StoredKey},
    config::{self, ApiKey, Config},
    files,
    journal::{Entry, Recorder},
    wire::{
        Code, KeyInfo, KeyRemoved, KeyRequest, KeySource, NewKey, Problem, Scope, Severity,
        Timestamp,
    },
};
use anyhow::{Context as _, anyhow};
use sha2::{Digest, Sha256};
use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// The name of the key that the first start makes, and of its file; also what
/// systemd's credential is called.
const OWN: &str = "api-key";
/// The name of the environment's.
const ENVIRONMENT: &str = "API_KEY";

/// More than this is no list of keys that anybody looks after; each request is
/// compared with all of them.
const MOST: usize = 1000;

/// Where keys are kept that are not the configuration's.
pub(super) struct Keys {
    state_dir: PathBuf,
    file: KeyFile,
    recorder: Recorder,
}

/// A key, where it comes from, and when it was made.
struct Known {
    key: Key,
    source: KeySource,
    created: Option<Timestamp>,
}

impl Keys {
    pub(super) fn new(state_dir: &Path, recorder: Recorder) -> Self {
        Self {
            state_dir: state_dir.to_owned(),
            file: KeyFile::new(state_dir),
            recorder,
        }
    }

    /// What the gate is to judge by at the start. Where there is no key at all,
    /// one is made.
    pub(super) fn first_rules(&self, config: &Config) -> anyhow::Result<Rules> {
        // Before a key is made: nothing is left behind by a start that fails.
        let control_group = group(config)?;
        let mut known = self.known(config)?;
        if known.is_empty() {
            known.push(self.make_own()?);
        }
        Ok(rules(config, known, control_group))
    }

    /// What it is to judge by after a reload. None is made then: who has removed
    /// the last key wants nobody in.
    pub(super) fn rules(&self, config: &Config) -> anyhow::Result<Rules> {
        let known = self.known(config)?;
        if known.is_empty() {
            tracing::warn!(
                "no API key is in force: nobody gets in over TCP; walinkd key add makes one"
            );
        }
        Ok(rules(config, known, group(config)?))
    }

    fn known(&self, config: &Config) -> anyhow::Result<Vec<Known>> {
        let mut known: Vec<Known> = config.auth.keys.iter().map(configured).collect();
        for stored in self.file.load()? {
            let twin = known
                .iter()
                .find(|other| *other.key.name == *stored.name || other.key.sha256 == stored.sha256);
            if let Some(twin) = twin {
                // Not a fault: a daemon must not fail to start because of what
                // was made while it ran.
                tracing::warn!(
                    "auth.keys: the key {} stands before {}, which was made with walinkd key and has the same name or is the same: rename the one in the file",
                    twin.key.name,
                    stored.name
                );
                continue;
            }
            known.push(added(stored));
        }
        // Once keys are configured, the one of the first start is done with.
        if config.auth.keys.is_empty()
            && let Some(secret) = self.own()?
        {
            known.push(own(&secret));
        }
        Ok(known)
    }

    fn own_path(&self) -> PathBuf {
        self.state_dir.join(OWN)
    }

    fn own(&self) -> anyhow::Result<Option<String>> {
        let path = self.own_path();
        match fs::read_to_string(&path) {
            Ok(text) if text.trim().is_empty() => Ok(None),
            Ok(text) if config::is_published_key(text.trim()) => Err(anyhow!(
                "{}: is the example key of the API's description, which everybody knows: remove the file",
                path.display()
            )),
            Ok(text) => Ok(Some(text.trim().to_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(anyhow!("{}: {error}", path.display())),
        }
    }

    fn make_own(&self) -> anyhow::Result<Known> {
        let secret = fresh()?;
        let path = self.own_path();
        files::replace(&path, format!("{secret}\n")).with_context(|| path.display().to_string())?;
        let told = format!(
            "no API key is configured: made one, kept in {}",
            path.display()
        );
        self.recorder
            .record(Entry::new("auth.key_made", Severity::Info, told));
        Ok(own(&secret))
    }

    pub(super) fn list(&self, config: &Config) -> Result<Vec<KeyInfo>, Problem> {
        let known = self.known(config).map_err(unusable)?;
        let told = known.into_iter().map(|known| KeyInfo {
            expired: is_over(&known),
            name: known.key.name.to_string(),
            scope: known.key.scope,
            source: known.source,
            created: known.created,
            expires: known.key.expires,
        });
        Ok(told.collect())
    }

    /// Makes a key, and gives the rules that are in force with it.
    pub(super) fn add(
        &self,
        config: &Config,
        request: &KeyRequest,
    ) -> Result<(NewKey, Rules), Problem> {
        let bad = |why: String| Problem::new(Code::BadRequest, why);
        let name = config::key_name(&request.name).map_err(bad)?;
        if [OWN, ENVIRONMENT].contains(&&*name) {
            return Err(bad(format!(
                "the name {name} stands for a key from elsewhere: choose another"
            )));
        }
        let expires = request.expires.as_deref().map(config::key_expiry);
        let expires = expires
            .transpose()
            .map_err(|why| bad(format!("expires {why}")))?;
        let now = Timestamp::now();
        if expires.is_some_and(|at| at <= now) {
            return Err(bad("expires is past: choose a later day".to_owned()));
        }
        let known = self.known(config).map_err(unusable)?;
        if known.iter().any(|known| *known.key.name == *name) {
            return Err(Problem::new(
                Code::KeyExists,
                format!(
                    "there is a key {name} already: choose another name, or remove that one first (walinkd key remove {name})"
                ),
            ));
        }
        let mut stored = self.file.load().map_err(|error| unusable(error.into()))?;
        if stored.len() >= MOST {
            return Err(Problem::new(
                Code::KeyExists,
                format!("there are {MOST} keys already: remove some (walinkd key list)"),
            ));
        }
        let key = fresh().map_err(unusable)?;
        stored.push(StoredKey {
            name: name.clone(),
            sha256: Sha256::digest(&key).into(),
            scope: request.scope,
            created: now,
            expires,
        });
        self.file
            .save(stored)
            .map_err(|error| unusable(error.into()))?;
        let rules = self.rules(config).map_err(unusable)?;
        let scope = request.scope;
        let made = NewKey {
            key,
            name,
            scope,
            expires,
        };
        Ok((made, rules))
    }

    /// Removes a key, and gives the rules that are in force without it.
    pub(super) fn remove(
        &self,
        config: &Config,
        name: &str,
    ) -> Result<(KeyRemoved, Rules), Problem> {
        let known = self.known(config).map_err(unusable)?;
        let found = known.iter().find(|known| *known.key.name == *name);
        let Some(found) = found else {
            return Err(Problem::new(
                Code::NoSuchKey,
                "there is no key of this name: walinkd key list shows them",
            ));
        };
        let fixed = |place: &str| {
            let text = format!("the key {name} is {place}");
            Err(Problem::new(Code::KeyFixed, text))
        };
        match found.source {
            KeySource::Configuration => {
                return fixed(
                    "in auth.keys of the configuration: remove it there, then walinkd reload",
                );
            }
            KeySource::Environment => {
                return fixed(
                    "in the environment of the daemon, API_KEY: remove it there, then restart",
                );
            }
            KeySource::Credential => {
                return fixed("a credential of the unit, api-key: remove it there, then restart");
            }
            KeySource::FirstStart => files::remove(&self.own_path())
                .map_err(|error| unusable(anyhow!("{}: {error}", self.own_path().display())))?,
            KeySource::Added => {
                let mut stored = self.file.load().map_err(|error| unusable(error.into()))?;
                stored.retain(|key| key.name != name);
                self.file
                    .save(stored)
                    .map_err(|error| unusable(error.into()))?;
            }
        }
        let removed = KeyRemoved {
            name: name.to_owned(),
            remaining: in_force(&known) - usize::from(!is_over(found)),
        };
        let rules = self.rules(config).map_err(unusable)?;
        Ok((removed, rules))
    }
}

fn group(config: &Config) -> Result<Option<u32>, auth::NoSuchGroup> {
    let name = config.control.group.as_deref();
    name.map(auth::group_id).transpose()
}

fn is_over(known: &Known) -> bool {
    known.key.expires.is_some_and(|at| at <= Timestamp::now())
}

fn in_force(known: &[Known]) -> usize {
    known.iter().filter(|known| !is_over(known)).count()
}

fn rules(config: &Config, known: Vec<Known>, control_group: Option<u32>) -> Rules {
    let keys = known.into_iter().map(|known| known.key).collect();
    let rate = &config.http.rate_limit;
    let rate_of_each = Rate::new(bounded(rate.requests_per_second), bounded(rate.burst));
    Rules {
        keyring: Keyring::new(keys, rate_of_each),
        control_group,
        trusted_proxies: config.http.trusted_proxies.clone(),
        failed_keys_per_minute: bounded(rate.failed_keys_per_minute),
        max_streams_per_key: config.http.max_streams_per_key,
    }
}

/// The configuration's numbers are far smaller.
fn bounded(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn configured(key: &ApiKey) -> Known {
    Known {
        key: Key {
            name: key.name.as_str().into(),
            sha256: key.sha256,
            scope: key.scope,
            expires: key.expires,
        },
        source: key.source,
        created: None,
    }
}

fn added(stored: StoredKey) -> Known {
    Known {
        key: Key {
            name: stored.name.into(),
            sha256: stored.sha256,
            scope: stored.scope,
            expires: stored.expires,
        },
        source: KeySource::Added,
        created: Some(stored.created),
    }
}

fn own(secret: &str) -> Known {
    Known {
        key: Key {
            name: OWN.into(),
            sha256: Sha256::digest(secret).into(),
            scope: Scope::Manage,
            expires: None,
        },
        source: KeySource::FirstStart,
        created: None,
    }
}

/// 256 random bits.
fn fresh() -> anyhow::Result<String> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow!("no randomness for an API key: {error}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn unusable(error: anyhow::Error) -> Problem {
    tracing::error!("the keys cannot be used: {error:#}");
    Problem::new(
        Code::Internal,
        format!("the keys cannot be used: {error:#}"),
    )
}
