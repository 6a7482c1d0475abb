//! Webhook endpoints as they are told of; the bodies of `/admin/webhooks`.

use super::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    /// When the oldest event that waits happened.
    pub waiting_since: Option<Timestamp>,
    /// Attempts since the daemon began, by what became of them; tests are none.
    pub attempts: BTreeMap<WebhookOutcome, u64>,
    /// Attempts that have failed since one was taken.
    pub failures: u32,
    pub last_success_at: Option<Timestamp>,
    pub last_failure: Option<WebhookFailure>,
    /// When the next attempt is due, after one has failed.
    pub next_attempt_at: Option<Timestamp>,
    /// Whether nothing is sent until it is resumed.
    pub paused: bool,
}

/// What became of an attempt.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum WebhookOutcome {
    /// The receiver has taken it.
    Delivered,
    /// It answered with a redirect, which is not followed.
    Redirect,
    /// It answered with a status from 400 to 499.
    ClientError,
    /// It answered with another one that is no success.
    ServerError,
    /// It did not answer in time.
    Timeout,
    /// There was no connection to it.
    Unreachable,
    /// There was no TLS with it.
    Tls,
    /// The connection ended before the answer did.
    Broken,
}

impl WebhookOutcome {
    /// In the order of their declaration, which a test holds to.
    pub const ALL: [Self; 8] = [
        Self::Delivered,
        Self::Redirect,
        Self::ClientError,
        Self::ServerError,
        Self::Timeout,
        Self::Unreachable,
        Self::Tls,
        Self::Broken,
    ];

    /// The word the API uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Redirect => "redirect",
            Self::ClientError => "client_error",
            Self::ServerError => "server_error",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::Tls => "tls",
            Self::Broken => "broken",
        }
    }
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

#[cfg(test)]
mod tests {
    use super::WebhookOutcome as Outcome;

    #[test]
    fn all_outcomes_are_there_and_have_one_word() {
        let places = Outcome::ALL.iter().map(|outcome| *outcome as usize);
        assert!(places.eq(0..Outcome::ALL.len()));
        // The last of the enum: a new one behind it fails here.
        assert_eq!(Outcome::Broken as usize + 1, Outcome::ALL.len());
        for outcome in Outcome::ALL {
            assert_eq!(serde_json::json!(outcome), outcome.as_str());
        }
    }
}
