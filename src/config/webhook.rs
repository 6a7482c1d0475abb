//! The tables `[[webhook]]`.

use super::{
    Secret,
    address::{self, Url},
    fault::{Fault, Place, Wrong, shown},
    reader::{Entry, Field, Item},
    tls::{self, Authorities},
    value,
};
use crate::wire::{EVENT_TYPES, is_key_name};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use std::{fmt, fs, io::Read as _, path::Path};

/// Where events are sent, and which.
#[derive(Clone, PartialEq)]
pub struct Webhook {
    /// Its place in the journal is kept under this.
    pub name: String,
    pub target: Target,
    /// What each message is signed with. There are some once all is checked.
    pub(super) secrets: Option<Vec<Vec<u8>>>,
    pub events: Vec<Pattern>,
    /// Whether pairing codes may be in what is sent.
    pub pairing_codes: bool,
    /// Who vouches for the receiver, instead of the public authorities.
    pub authorities: Option<Authorities>,
}

impl Webhook {
    pub fn secrets(&self) -> &[Vec<u8>] {
        self.secrets.as_deref().unwrap_or_default()
    }

    /// Whether an event of this type is to be sent.
    pub fn wants(&self, kind: &str) -> bool {
        self.events.iter().any(|pattern| pattern.matches(kind))
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("name", &self.name)
            .field("target", &self.target)
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}

/// An `http://` or `https://` address. It may hold secrets, so it is shown
/// without its login and its query.
#[derive(Clone, PartialEq)]
pub struct Target {
    shown: String,
    url: Secret,
    /// User and password, percent-decoded.
    pub login: Option<(String, Secret)>,
}

impl Target {
    /// The whole of it but for the login, for the one who calls it.
    pub fn url(&self) -> &str {
        self.url.expose()
    }

    fn is_plain(&self) -> bool {
        self.shown.starts_with("http://")
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown.fmt(f)
    }
}

/// Types of events: `*`, `connection.*` or `connection.connected`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn matches(&self, kind: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(beginning) => kind.starts_with(beginning),
            None => kind == self.0,
        }
    }
}

/// A `[[webhook]]` as far as it could be read.
#[derive(Default)]
pub(super) struct Draft {
    name: Option<String>,
    /// The target, and the host, after which it may be named.
    url: Option<(Target, String)>,
    secret: Option<Vec<Vec<u8>>>,
    secret_file: Option<Vec<Vec<u8>>>,
    events: Vec<Pattern>,
    include: Vec<Include>,
    ca_file: Option<Authorities>,
}

#[derive(Clone, Copy, PartialEq)]
enum Include {
    PairingCode,
}

/// What stands there when nothing is said.
const USUAL: [&str; 2] = ["connection.*", "pairing.*"];

pub(super) static FIELDS: [Field<Draft>; 7] = [
    Field {
        name: "url",
        about: "Where each event is sent by POST, by whatsapp.proxy if there is one; redirects are not followed. Over http:// everybody on the way can read it: on this machine or a private network only.",
        value: "\"https://example.org/hook\"",
        kind: "an address in quotes, https:// or http://",
        read: |draft, item| item.text(&mut draft.url, |text| target(text).map(Some)),
    },
    Field {
        name: "secret",
        about: "What the signatures are made with. To make one: echo \"whsec_$(openssl rand -base64 32)\" To change it: write the new and the old one, with a space between; each message is signed with both, so receivers can change over in their own time.",
        value: "\"whsec_…\"",
        kind: "whsec_ and 24 to 64 bytes in base64, in quotes",
        read: |draft, item| item.optional(&mut draft.secret, secrets),
    },
    Field {
        name: "secret_file",
        about: "A file with the secret, or the new and the old one, in the place of secret; each reload reads it again. With neither, the secret is the credential webhook-secret of systemd.",
        value: "\"\"",
        kind: "the absolute path of a file in quotes; \"\" for none",
        read: |draft, item| item.optional(&mut draft.secret_file, secret_file),
    },
    Field {
        name: "ca_file",
        about: "A PEM file with the certificate of the authority that the receiver's is from, or those of several, instead of the public ones: for https:// with an authority of your own. Each reload reads it again.",
        value: "\"\"",
        kind: "the absolute path of a file in quotes; \"\" for none",
        read: |draft, item| item.optional(&mut draft.ca_file, tls::authorities),
    },
    Field {
        name: "events",
        about: "Which events: types as in GET /connection/log, all that begin alike, \"admin.*\", or \"*\". Without it: connection.* and pairing.*.",
        value: "[\"connection.*\", \"pairing.*\"]",
        kind: "a list of types in quotes, for example [\"connection.*\", \"pairing.linked\"]",
        read: |draft, item| item.list(&mut draft.events, pattern, some),
    },
    Field {
        name: "include",
        about: r#""pairing_code" puts the pairing code into the event pairing.code: whoever can read that can take the link. Nothing else that links is ever sent."#,
        value: "[]",
        kind: r#"[] or ["pairing_code"]"#,
        read: |draft, item| {
            item.list(
                &mut draft.include,
                |text| value::word(text, &[("pairing_code", Include::PairingCode)]),
                |_| Ok(()),
            );
        },
    },
    Field {
        name: "name",
        about: "What the log and the commands call it, and what its place in the events is kept under: with another address it goes on where it was. Without it: the host of the address.",
        value: "\"example.org\"",
        kind: "a name in quotes, for example \"shop\"",
        read: |draft, item| item.text(&mut draft.name, |text| name(text).map(Some)),
    },
];

pub(super) fn read(item: Item<'_, '_>, webhooks: &mut Vec<Webhook>) {
    item.tables(&FIELDS, |draft: Draft, mut entry: Entry<'_, '_>| {
        entry.missing("url", "add url = \"https://…\"");
        if draft.secret.is_some() && draft.secret_file.is_some() {
            let wrong = Wrong::new("stands beside secret", "keep one of the two");
            entry.wrong("secret_file", wrong);
        }
        let Some((target, host)) = draft.url else {
            return;
        };
        if draft.ca_file.is_some() && target.is_plain() {
            let hint = "write https:// in url, or leave out ca_file";
            entry.wrong(
                "ca_file",
                Wrong::new("stands beside http://, which has no certificates", hint),
            );
            return;
        }
        let Some(name) = draft.name.or_else(|| is_key_name(&host).then_some(host)) else {
            entry.wrong(
                "name",
                Wrong::new(
                    "is missing, and the host cannot serve as one",
                    "add name = \"…\"",
                ),
            );
            return;
        };
        if webhooks.iter().any(|other| other.name == name) {
            let what = format!("there is a webhook \"{name}\" already");
            entry.wrong("name", Wrong::new(what, "give each a name of its own"));
            return;
        }
        let usual = || USUAL.map(|text| Pattern(text.to_owned())).to_vec();
        webhooks.push(Webhook {
            name,
            target,
            secrets: draft.secret.or(draft.secret_file),
            events: if draft.events.is_empty() {
                usual()
            } else {
                draft.events
            },
            pairing_codes: draft.include.contains(&Include::PairingCode),
            authorities: draft.ca_file,
        });
    });
}

/// Gives those the credential that have no secret of their own.
pub(super) fn settle(
    webhooks: &mut [Webhook],
    credential: Option<(&Path, &[u8])>,
    place: Option<&Place>,
    faults: &mut Vec<Fault>,
) {
    // One that could not be read is not missing.
    let unread = |fault: &Fault| fault.key.is_empty() || fault.key.starts_with("webhook[");
    if faults.iter().any(unread) {
        return;
    }
    let lacking = webhooks.iter_mut().filter(|hook| hook.secrets.is_none());
    for webhook in lacking {
        let given = match credential {
            Some((path, text)) => from_bytes(text)
                .map_err(|wrong| wrong.at(Place::Path(path.to_owned()), "webhook.secret")),
            None => Err(Wrong::new(
                format!("the webhook \"{}\" has no secret", webhook.name),
                "add secret or secret_file, or pass systemd's credential webhook-secret",
            )
            .at(place.cloned().unwrap_or(Place::Default), "webhook.secret")),
        };
        match given {
            Ok(secrets) => webhook.secrets = Some(secrets),
            Err(fault) => faults.push(fault),
        }
    }
}

/// Never echoed: it may hold a password or a token.
fn target(text: &str) -> Result<(Target, String), Wrong> {
    let example = "write https://, host and path, for example \"https://example.org/hook\"";
    let wrong = |what: &str| Wrong::new(what, example);
    let url = Url::split(text).ok_or_else(|| wrong("is no address"))?;
    let scheme = url.scheme.to_ascii_lowercase();
    if !matches!(&*scheme, "http" | "https") {
        return Err(wrong("is an address of another kind"));
    }
    if url.path.contains('#') {
        let hint = "leave out # and what follows it: it is never sent";
        return Err(Wrong::new("has a fragment", hint));
    }
    let may_stand = |c: char| c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@%/?".contains(c);
    if !url.path.chars().all(may_stand) {
        let hint = "write such characters as % and two hexadecimal digits";
        return Err(Wrong::new("has a character that no address has", hint));
    }
    let login = url.login.map(address::login);
    let login = login.map(|login| login.ok_or_else(address::bad_escape));
    let port = match url.port {
        Some(0) => return Err(wrong("has the port 0")),
        Some(port) => format!(":{port}"),
        None => String::new(),
    };
    let host = url.host_with_brackets().to_ascii_lowercase();
    let (path, query) = url
        .path
        .split_at(url.path.find('?').unwrap_or(url.path.len()));
    let path = if path.is_empty() { "/" } else { path };
    let shown = format!("{scheme}://{host}{port}{path}");
    let target = Target {
        url: Secret::new(format!("{shown}{query}")),
        shown,
        login: login.transpose()?,
    };
    Ok((target, host))
}

const MAKE: &str = "make one: echo \"whsec_$(openssl rand -base64 32)\"";

/// The signatures with more of them make a header too long for some.
const MOST_SECRETS: usize = 4;

/// One, or several with white space between.
fn secrets(text: &str) -> Result<Vec<Vec<u8>>, Wrong> {
    let secrets: Result<Vec<_>, _> = text.split_whitespace().map(secret).collect();
    match secrets? {
        none if none.is_empty() => Err(Wrong::new("is empty", MAKE)),
        many if many.len() > MOST_SECRETS => Err(Wrong::new(
            format!("has {} secrets", many.len()),
            "keep the new and the old one",
        )),
        secrets => Ok(secrets),
    }
}

/// Not echoed.
fn secret(text: &str) -> Result<Vec<u8>, Wrong> {
    let encoded = text
        .strip_prefix("whsec_")
        .ok_or_else(|| Wrong::new("does not begin with whsec_", MAKE))?;
    let bytes = BASE64_STANDARD
        .decode(encoded)
        .map_err(|_| Wrong::new("is not whsec_ and base64", MAKE))?;
    // The specification's bounds.
    if !(24..=64).contains(&bytes.len()) {
        let what = format!("has {} bytes, and 24 to 64 are asked for", bytes.len());
        return Err(Wrong::new(what, MAKE));
    }
    Ok(bytes)
}

fn secret_file(text: &str) -> Result<Vec<Vec<u8>>, Wrong> {
    /// More than secrets take.
    const MAX_FILE: u64 = 4096;
    let path = value::path(text)?;
    let wrong = |why: String| {
        let what = format!("{} {why}", path.display());
        Wrong::new(
            what,
            "name a file with the secret that the daemon's user can read",
        )
    };
    // A pipe may have nobody at its other end.
    if fs::metadata(&path).is_ok_and(|there| !there.is_file()) {
        return Err(wrong("is no file".to_owned()));
    }
    let mut bytes = Vec::new();
    fs::File::open(&path)
        .and_then(|file| file.take(MAX_FILE).read_to_end(&mut bytes))
        .map_err(|error| wrong(format!("cannot be read: {error}")))?;
    from_bytes(&bytes)
}

fn from_bytes(bytes: &[u8]) -> Result<Vec<Vec<u8>>, Wrong> {
    let text = std::str::from_utf8(bytes).map_err(|_| Wrong::new("holds no text", MAKE))?;
    secrets(text)
}

fn pattern(text: &str) -> Result<Pattern, Wrong> {
    let pattern = Pattern(text.to_owned());
    let groups = ["*", "connection.*", "pairing.*", "admin.*", "auth.*"];
    if groups.contains(&text) || EVENT_TYPES.contains(&text) {
        return Ok(pattern);
    }
    let known = groups.into_iter().chain(EVENT_TYPES);
    let hint = match value::nearest(text, known) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => "write \"*\", \"connection.*\", \"pairing.*\", \"admin.*\", \"auth.*\", or a type that walinkd-api(7) lists".to_owned(),
    };
    Err(Wrong::new(
        format!("{} is no type of event", shown(text)),
        hint,
    ))
}

fn some(patterns: &[Pattern]) -> Result<(), Wrong> {
    if patterns.is_empty() {
        let hint = "name some, or leave events out for connection.* and pairing.*";
        return Err(Wrong::new("asks for no event", hint));
    }
    Ok(())
}

/// It stands in the log and on command lines, as the name of a key does.
fn name(text: &str) -> Result<String, Wrong> {
    if is_key_name(text) {
        return Ok(text.to_owned());
    }
    Err(Wrong::new(
        format!("{} is no name for a webhook", shown(text)),
        "write 1 to 63 letters, digits and - _ . @",
    ))
}
