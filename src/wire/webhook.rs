//! Webhook endpoints as they are told of; the bodies of `/admin/webhooks`.

use super::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An endpoint, and how far it has been served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookInfo {
    pub name: String,
    /// Without user, password and query.
    pub url: String,
    /// The patterns of the types that it is sent.
    pub events: Vec<String>,
    /// The id of the last event that is done with.
    pub cursor: u64,
    /// How many events wait to be sent.
    pub backlog: u64,
    pub last_success_at: Option<Timestamp>,
    pub last_failure: Option<WebhookFailure>,
    /// When the next attempt is due, after one has failed.
    pub next_attempt_at: Option<Timestamp>,
    /// Whether nothing is sent until it is resumed.
    pub paused: bool,
}

/// An attempt that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookFailure {
    pub at: Timestamp,
    /// For people.
    pub message: String,
}

/// What came of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookTested {
    pub name: String,
    pub delivered: bool,
    /// The status of the receiver's answer, if it gave one.
    pub status: Option<u16>,
    /// For people: why it is not delivered.
    pub error: Option<String>,
}

/// The endpoints that were resumed, by their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhooksResumed {
    pub resumed: Vec<String>,
}
