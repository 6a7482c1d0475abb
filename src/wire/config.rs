//! The configuration in force: the answer to `GET /admin/config`, and the bodies
//! of `PUT /admin/log-level`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Every key with its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigReport {
    /// The configuration file; null when there is none.
    pub file: Option<String>,
    /// By the dotted name of the key, `http.listen`.
    pub settings: BTreeMap<String, Setting>,
}

/// One key of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Setting {
    /// As the file could write it, but secrets are masked, and phone numbers.
    pub value: Value,
    pub source: SettingSource,
    /// Where it stands: file, line and column, the variable, the flag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Whether a reload can change it; otherwise a restart does.
    pub live: bool,
}

/// Who has said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SettingSource {
    /// Nobody has.
    Default,
    /// The configuration file.
    File,
    /// A variable of the environment.
    Environment,
    /// A credential of systemd.
    Credential,
    /// A flag on the command line.
    Flag,
    /// `PUT /admin/log-level`, until the next reload or restart.
    Order,
}

/// The body of `PUT /admin/log-level`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogLevelRequest {
    /// `off`, `error`, `warn`, `info`, `debug`, `trace`, or a filter such as
    /// `info,walinkd=debug`.
    pub level: String,
}

/// What is logged now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogLevel {
    pub level: String,
    /// What the configuration says, which holds again from the next reload or
    /// restart on.
    pub configured: String,
}
