//! What a reload did; the answer to `POST /admin/reload`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Names the keys that changed, and which of them wait for a restart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReloadReport {
    /// Keys whose new value is in force now.
    pub applied: Vec<String>,
    /// Keys whose new value needs a restart.
    pub needs_restart: Vec<String>,
    /// Set when the reload began pairing: the number, masked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pairing_for: Option<String>,
}
