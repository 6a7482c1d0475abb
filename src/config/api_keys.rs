//! The tables `[[auth.keys]]`.

use super::{
    ApiKey,
    fault::Wrong,
    reader::{Entry, Field, Item},
    value,
};
use crate::wire::{KeySource, Scope, Timestamp};
use sha2::{Digest as _, Sha256};

/// An `[[auth.keys]]` as far as it could be read.
#[derive(Default)]
pub(super) struct Draft {
    name: Option<String>,
    sha256: Option<[u8; 32]>,
    scope: Option<Scope>,
    expires: Option<Timestamp>,
}

pub(super) static FIELDS: [Field<Draft>; 4] = [
    Field {
        name: "name",
        about: "What the log calls the key; each has a name of its own.",
        value: "\"dashboard\"",
        kind: "a name in quotes, for example \"dashboard\"",
        read: |draft, item| item.text(&mut draft.name, |text| value::key_name(text).map(Some)),
    },
    Field {
        name: "sha256",
        about: "The SHA-256 of the key. To make both: KEY=$(openssl rand -hex 32); echo \"$KEY\"; printf %s \"$KEY\" | sha256sum",
        value: "\"…\"",
        kind: "the key's SHA-256 in quotes, 64 hexadecimal digits",
        read: |draft, item| item.text(&mut draft.sha256, |text| value::sha256(text).map(Some)),
    },
    Field {
        name: "scope",
        about: "What the key may do: read is GET, manage is everything. Without it: read.",
        value: "\"read\"",
        kind: "\"read\" or \"manage\"",
        read: |draft, item| {
            item.text(&mut draft.scope, |text| {
                value::word(text, &[("read", Scope::Read), ("manage", Scope::Manage)]).map(Some)
            });
        },
    },
    Field {
        name: "expires",
        about: "The last day, in UTC, on which the key holds; or a moment, 2027-01-01T12:00:00Z. Without it the key holds for ever.",
        value: "2027-01-01",
        kind: "a date without quotes, for example 2027-01-01",
        read: |draft, item| item.end_of(&mut draft.expires),
    },
];

pub(super) fn read(item: Item<'_, '_>, keys: &mut Vec<ApiKey>) {
    let mut names: Vec<String> = Vec::new();
    let mut hashes: Vec<[u8; 32]> = Vec::new();
    item.tables(&FIELDS, |draft: Draft, mut entry: Entry<'_, '_>| {
        entry.missing(
            "name",
            "give each key a name, for example name = \"dashboard\"",
        );
        entry.missing(
            "sha256",
            "add sha256 = \"…\", as made by: printf %s \"$KEY\" | sha256sum",
        );
        if let Some(name) = &draft.name {
            if names.contains(name) {
                let what = format!("there is a key \"{name}\" already");
                entry.wrong("name", Wrong::new(what, "give each key a name of its own"));
            }
            names.push(name.clone());
        }
        if let Some(sha256) = &draft.sha256 {
            if is_published(sha256) {
                entry.wrong("sha256", published());
            } else if hashes.contains(sha256) {
                entry.wrong("sha256", same_key());
            }
            hashes.push(*sha256);
        }
        if let (Some(name), Some(sha256)) = (draft.name, draft.sha256) {
            keys.push(ApiKey {
                name,
                sha256,
                scope: draft.scope.unwrap_or_default(),
                source: KeySource::Configuration,
                expires: draft.expires,
            });
        }
    });
}

/// A name for a key that is made while the daemon runs.
///
/// # Errors
///
/// What is wrong with it, and what to write.
pub fn key_name(text: &str) -> Result<String, String> {
    value::key_name(text).map_err(Wrong::told)
}

/// The first moment at which a key no longer holds, of a day or a moment as the
/// file writes them.
///
/// # Errors
///
/// What is wrong with it, and what to write.
pub fn key_expiry(text: &str) -> Result<Timestamp, String> {
    let date = text.parse().map_err(|_| {
        let hint = "write a date, 2027-01-01, or a moment with its offset, 2027-01-01T12:00:00Z";
        Wrong::new("is no date", hint).told()
    })?;
    value::end_of(&date).map_err(Wrong::told)
}

/// A SHA-256 of 64 hexadecimal digits.
///
/// # Errors
///
/// What is wrong with it, and what to write.
pub fn key_hash(text: &str) -> Result<[u8; 32], String> {
    value::sha256(text).map_err(Wrong::told)
}

/// The key in the description of the original API. Everybody knows it.
const PUBLISHED: &str = "daa8ce0ff449a97c15a9159156cfb20a48bda1037450457f1c26e19159d7818a";

/// True for the key in the description of the original API.
pub fn is_published_key(key: &str) -> bool {
    key == PUBLISHED
}

/// True for the hash of the published key, and for that key in the place of a
/// hash.
pub(super) fn is_published(sha256: &[u8; 32]) -> bool {
    let hash: [u8; 32] = Sha256::digest(PUBLISHED).into();
    *sha256 == hash || value::sha256(PUBLISHED).is_ok_and(|itself| *sha256 == itself)
}

pub(super) fn published() -> Wrong {
    Wrong::new(
        "is the example key of the API's description, which everybody knows",
        "make one of your own: openssl rand -hex 32",
    )
}

pub(super) fn same_key() -> Wrong {
    Wrong::new(
        "is the same key as another one, under a second name",
        "make a key for each name: openssl rand -hex 32",
    )
}
