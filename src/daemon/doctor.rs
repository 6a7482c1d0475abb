//! What can be found out about a daemon's surroundings, also without it.

use super::setup;
use crate::{
    auth::KeyFile,
    backup,
    config::Config,
    dial::{DialError, Dialer},
    wa::{probe, public_trust},
    wire::{KeyInfo, Timestamp},
};
use nix::unistd::{AccessFlags, access, geteuid};
use std::{
    fs,
    io::ErrorKind,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
};

/// This program is not older: a clock before it is wrong. 2026-01-01.
const NOT_BEFORE: Timestamp = Timestamp::from_millis(1_767_225_600_000);
/// Clocks differ by so much without anybody noticing.
const SKEW: i64 = 5 * 60_000;
const KEYS: &str = "keys";
/// Before a key's end, so that there is time to make another.
const SOON: i64 = 30 * 86_400_000;

/// How a check has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Ok,
    Warning,
    Failure,
}

/// What a check has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub check: &'static str,
    pub verdict: Verdict,
    pub found: String,
    /// What to do about it.
    pub next: Option<String>,
}

impl Finding {
    pub fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self {
            check,
            verdict: Verdict::Ok,
            found: found.into(),
            next: None,
        }
    }

    pub fn warning(check: &'static str, found: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Warning,
            next: Some(next.into()),
            ..Self::ok(check, found)
        }
    }

    pub fn failure(check: &'static str, found: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Failure,
            ..Self::warning(check, found, next)
        }
    }
}

/// Looks at this machine. `answers` says whether a daemon does, on the control
/// socket.
pub fn examine(config: &Config, answers: bool) -> Vec<Finding> {
    let dir = &config.storage.state_dir;
    vec![state(dir), lock(dir, answers), clock(dir, Timestamp::now())]
}

fn state(dir: &Path) -> Finding {
    const CHECK: &str = "state";
    let shown = dir.display();
    let there = match fs::metadata(dir) {
        Ok(there) => there,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Finding::ok(
                CHECK,
                format!("{shown} is not there yet: the first start makes it"),
            );
        }
        Err(error) => {
            return Finding::failure(
                CHECK,
                format!("{shown}: {error}"),
                "run this as root, or as the daemon's user",
            );
        }
    };
    if !there.is_dir() {
        let next = "move it away, or choose another storage.state_dir";
        return Finding::failure(CHECK, format!("{shown} is not a directory"), next);
    }
    if access(
        dir,
        AccessFlags::R_OK | AccessFlags::W_OK | AccessFlags::X_OK,
    )
    .is_err()
    {
        let own = there.uid() == geteuid().as_raw();
        let next = if own {
            "chmod 700 it, and see whether its file system is read-only"
        } else {
            "run this as root, or as the daemon's user"
        };
        return Finding::failure(
            CHECK,
            format!("{shown} is not writable for this user"),
            next,
        );
    }
    if there.permissions().mode() & 0o077 != 0 {
        return Finding::warning(
            CHECK,
            format!("{shown} is open to other users"),
            format!("chmod 700 {shown}"),
        );
    }
    let foreign = fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .find(|entry| entry.metadata().is_ok_and(|file| file.uid() != there.uid()));
    if let Some(file) = foreign {
        let found = format!(
            "{} belongs to another user than {shown}",
            file.path().display()
        );
        return Finding::failure(
            CHECK,
            found,
            format!("chown -R --reference={shown} {shown}"),
        );
    }
    let linked = if dir.join("session.db").exists() {
        "a device is linked"
    } else {
        "no device is linked"
    };
    Finding::ok(CHECK, format!("{shown} is private and writable, {linked}"))
}

fn lock(dir: &Path, answers: bool) -> Finding {
    const CHECK: &str = "lock";
    match (is_held(&dir.join("walinkd.lock")), answers) {
        (Some(pid), true) => Finding::ok(CHECK, format!("held by the daemon, PID {pid}")),
        (Some(pid), false) => Finding::failure(
            CHECK,
            format!(
                "PID {pid} holds {}, and does not answer on the control socket",
                dir.display()
            ),
            "see journalctl -u walinkd, and whether --socket or control.socket names another daemon's",
        ),
        (None, true) => Finding::warning(
            CHECK,
            format!("the daemon that answers does not use {}", dir.display()),
            "name its configuration with --config or --instance",
        ),
        (None, false) => Finding::ok(CHECK, "free"),
    }
}

/// Who holds it. Not by trying to: a daemon that starts just now would be refused.
fn is_held(lock: &Path) -> Option<String> {
    let inode = fs::metadata(lock).ok()?.ino().to_string();
    let locks = fs::read_to_string("/proc/locks").ok()?;
    let held = locks.lines().any(|line| {
        let mut fields = line.split_whitespace();
        fields.any(|field| field == "FLOCK")
            && fields.any(|field| field.rsplit(':').next() == Some(inode.as_str()))
    });
    let pid = fs::read_to_string(lock).unwrap_or_default();
    held.then(|| pid.trim().to_owned())
}

fn clock(dir: &Path, now: Timestamp) -> Finding {
    const CHECK: &str = "clock";
    const NEXT: &str = "set it, best by systemd-timesyncd or chrony";
    if now < NOT_BEFORE {
        return Finding::failure(CHECK, format!("it is {now} here, which cannot be"), NEXT);
    }
    match backup::last_use(dir).filter(|used| *used > now.plus_millis(SKEW)) {
        Some(used) => {
            let found = format!("it is {now} here, and the device was used at {used}");
            Finding::warning(CHECK, found, NEXT)
        }
        None => Finding::ok(CHECK, format!("{now}")),
    }
}

/// The keys that a start would find.
pub fn examine_keys(config: &Config) -> Finding {
    let dir = &config.storage.state_dir;
    let stored = match KeyFile::new(dir).load() {
        Ok(stored) => stored,
        Err(error) => {
            return Finding::failure(KEYS, "keys.toml cannot be used", error.to_string());
        }
    };
    let configured = config.auth.keys.iter().map(|key| (&*key.name, key.expires));
    let made = stored.iter().map(|key| (&*key.name, key.expires));
    let mut all: Vec<Key<'_>> = configured.chain(made).collect();
    if config.auth.keys.is_empty() && dir.join("api-key").exists() {
        all.push(("api-key", None));
    }
    if all.is_empty() {
        return Finding::ok(KEYS, "none yet: the first start makes one");
    }
    keys(&all, Timestamp::now())
}

/// The keys of the daemon that runs, by itself: it has some that no file tells.
pub fn examine_keys_in_force(all: &[KeyInfo]) -> Finding {
    let all = all.iter().map(|key| (&*key.name, key.expires));
    keys(&all.collect::<Vec<_>>(), Timestamp::now())
}

/// Its name and its end.
type Key<'a> = (&'a str, Option<Timestamp>);

fn keys(all: &[Key<'_>], now: Timestamp) -> Finding {
    const NEXT: &str = "make another with walinkd key add, then walinkd key remove the old one";
    let ends = |by: i64| {
        let names = all
            .iter()
            .filter(|(_, end)| end.is_some_and(|end| end <= now.plus_millis(by)));
        let names: Vec<&str> = names.map(|(name, _)| *name).collect();
        (!names.is_empty()).then(|| names.join(", "))
    };
    if let Some(names) = ends(0) {
        Finding::warning(KEYS, format!("no longer hold: {names}"), NEXT)
    } else if let Some(names) = ends(SOON) {
        Finding::warning(KEYS, format!("end within 30 days: {names}"), NEXT)
    } else {
        match all.len() {
            0 => Finding::ok(KEYS, "none: walinkd key add makes one"),
            1 => Finding::ok(KEYS, "1 key holds"),
            several => Finding::ok(KEYS, format!("{several} keys hold")),
        }
    }
}

/// Goes the way to WhatsApp that a session goes, by the proxy if there is one.
pub async fn examine_network(config: &Config) -> Vec<Finding> {
    let url = &config.whatsapp.url;
    let result = match Dialer::new(setup::proxy(config), public_trust()) {
        Ok(dialer) => probe(dialer, url).await,
        Err(error) => {
            return vec![Finding::failure(
                "proxy",
                error.to_string(),
                "correct whatsapp.proxy",
            )];
        }
    };
    let proxy = config.whatsapp.proxy.as_ref().map(ToString::to_string);
    let is_tls = url.starts_with("wss:");
    ways(&result, proxy.as_deref(), is_tls)
}

/// What the steps have shown, up to the one that failed.
fn ways(result: &Result<(), DialError>, proxy: Option<&str>, is_tls: bool) -> Vec<Finding> {
    let told = result
        .as_ref()
        .err()
        .map(ToString::to_string)
        .unwrap_or_default();
    let mut findings = Vec::new();
    match (proxy, result) {
        (Some(proxy), Err(DialError::Proxy { .. })) => {
            let next = "see whether it runs, and its host, port and login in whatsapp.proxy";
            findings.push(Finding::failure("proxy", format!("{proxy}: {told}"), next));
            return findings;
        }
        (Some(proxy), Err(DialError::Timeout(_))) => {
            let next = "see whether the proxy answers, and whether it lets web sockets through";
            findings.push(Finding::failure("proxy", format!("{proxy}: {told}"), next));
            return findings;
        }
        (Some(proxy), _) => {
            findings.push(Finding::ok("proxy", proxy));
            findings.push(Finding::ok("dns", "left to the proxy"));
        }
        (None, Err(DialError::Dns(_))) => {
            let next = "see /etc/resolv.conf and resolvectl status, or name a whatsapp.proxy";
            findings.push(Finding::ok("proxy", "none"));
            findings.push(Finding::failure("dns", told, next));
            return findings;
        }
        (None, _) => {
            findings.push(Finding::ok("proxy", "none"));
            findings.push(Finding::ok("dns", "the name of WhatsApp's server resolves"));
        }
    }
    let tls = if is_tls {
        "WhatsApp's certificate is good"
    } else {
        "none for this address"
    };
    match result {
        Ok(()) => {
            findings.push(Finding::ok("tls", tls));
            findings.push(Finding::ok("whatsapp", "answers"));
        }
        Err(DialError::Tls { .. } | DialError::Untrusted(_)) => {
            let next = "see the clock, and whether something between opens TLS: a firewall or a captive portal";
            findings.push(Finding::failure("tls", told, next));
        }
        Err(DialError::Upgrade { .. }) => {
            findings.push(Finding::ok("tls", tls));
            let next =
                "it was reached and says no: see whatsapp.url, and try again in some minutes";
            findings.push(Finding::failure("whatsapp", told, next));
        }
        Err(DialError::Url(_)) => {
            findings.push(Finding::failure("whatsapp", told, "correct whatsapp.url"));
        }
        Err(_) => {
            let next = "see the network and the firewall: outgoing TCP to port 443 is needed";
            findings.push(Finding::failure("whatsapp", told, next));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_is_told_from_the_others() {
        let host = || "web.whatsapp.com".to_owned();
        let why = || "no".to_owned();
        for (error, proxy, check) in [
            (DialError::Dns(host()), None, "dns"),
            (DialError::Untrusted(host()), None, "tls"),
            (
                DialError::Tls {
                    host: host(),
                    why: why(),
                },
                None,
                "tls",
            ),
            (
                DialError::Tls {
                    host: host(),
                    why: why(),
                },
                Some("http://p:1"),
                "tls",
            ),
            (
                DialError::Proxy {
                    host: host(),
                    why: why(),
                },
                Some("http://p:1"),
                "proxy",
            ),
            (
                DialError::Upgrade {
                    host: host(),
                    why: why(),
                },
                None,
                "whatsapp",
            ),
            (DialError::Refused(host()), None, "whatsapp"),
        ] {
            let findings = ways(&Err(error), proxy, true);
            let failed: Vec<_> = findings
                .iter()
                .filter(|finding| finding.verdict == Verdict::Failure)
                .map(|finding| finding.check)
                .collect();
            assert_eq!(failed, [check]);
        }
        assert!(
            ways(&Ok(()), None, true)
                .iter()
                .all(|finding| finding.verdict == Verdict::Ok)
        );
    }
}
