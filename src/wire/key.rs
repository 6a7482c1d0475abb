//! API keys as they are told of and asked for; the bodies of `/admin/keys`.

use super::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a caller may do; `Manage` includes `Read`.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// `GET`: see the connection, its QR and pairing codes. What a key has that
    /// was given no scope.
    #[default]
    Read,
    /// Everything.
    Manage,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Manage => "manage",
        })
    }
}

/// Where a key comes from, and so where it is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeySource {
    /// `auth.keys` in the configuration file.
    Configuration,
    /// The variable `API_KEY`.
    Environment,
    /// The systemd credential `api-key`.
    Credential,
    /// Made by `walinkd key add`.
    Added,
    /// Made by the first start, since there was none.
    FirstStart,
}

/// A key in force, without anything secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyInfo {
    pub name: String,
    pub scope: Scope,
    pub source: KeySource,
    /// When it was made; known of those made by `walinkd key add`.
    pub created: Option<Timestamp>,
    /// The first moment at which it no longer holds.
    pub expires: Option<Timestamp>,
    /// Whether that moment has come.
    pub expired: bool,
}

/// Whether a text can name a key: it stands in the journal and on command lines,
/// so it is short and plain. A key itself, pasted in the wrong place, is none.
pub fn is_key_name(text: &str) -> bool {
    const LONGEST: usize = 63;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
    (1..=LONGEST).contains(&text.len()) && text.chars().all(allowed)
}

/// The body of `POST /admin/keys`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyRequest {
    pub name: String,
    /// Without it: read.
    #[serde(default)]
    pub scope: Scope,
    /// The last day, `2027-01-01`, in UTC, or a moment, `2027-01-01T12:00:00Z`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
}

/// A key that was just made. The only time that it is shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewKey {
    /// What a client sends.
    pub key: String,
    pub name: String,
    pub scope: Scope,
    pub expires: Option<Timestamp>,
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewKey")
            .field("name", &self.name)
            .field("scope", &self.scope)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// What is left after a key was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyRemoved {
    pub name: String,
    /// Keys that are still in force.
    pub remaining: usize,
}
