//! The passkey step: bodies of `/connection/passkey`.

use super::{Timestamp, expires_in};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

/// What the passkey step waits for.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(
    tag = "stage",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
pub enum PasskeyStage {
    /// The account's passkey is to answer this, in a browser.
    Challenge {
        /// `PublicKeyCredentialRequestOptionsJSON`, as WhatsApp sent it.
        #[schemars(with = "Map<String, Value>")]
        public_key: Value,
        /// Where the passkey answers: the page to open.
        page: String,
        /// JavaScript for the console of that page.
        script: String,
    },
    /// WhatsApp and the phone have the answer; nothing to do but wait.
    Checking,
    /// A person compares this with the phone: `ABCD-EFGH`.
    Confirm { code: String },
    /// Nothing more is asked; the device is being linked.
    Linking,
}

impl PasskeyStage {
    /// The word the API uses.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Challenge { .. } => "challenge",
            Self::Checking => "checking",
            Self::Confirm { .. } => "confirm",
            Self::Linking => "linking",
        }
    }
}

impl fmt::Debug for PasskeyStage {
    /// Without the challenge and the code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A passkey step that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyStep {
    pub stage: PasskeyStage,
    /// When it is given up.
    pub expires_at: Timestamp,
}

/// `data` of `/connection/passkey`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PasskeyBody {
    #[serde(flatten)]
    pub stage: PasskeyStage,
    /// The true time left, `"N seconds"`; none when nothing is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

impl PasskeyBody {
    /// Nothing more is asked.
    pub fn linking() -> Self {
        Self {
            stage: PasskeyStage::Linking,
            expires_in: None,
            expires_at: None,
        }
    }
}

impl PasskeyStep {
    pub fn body(&self, now: Timestamp) -> PasskeyBody {
        PasskeyBody {
            stage: self.stage.clone(),
            expires_in: Some(expires_in(self.expires_at, now)),
            expires_at: Some(self.expires_at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn body(stage: PasskeyStage) -> PasskeyBody {
        let step = PasskeyStep {
            stage,
            expires_at: Timestamp::from_millis(600_000),
        };
        step.body(Timestamp::from_millis(590_000))
    }

    #[test]
    fn each_stage_says_what_it_waits_for() {
        let challenge = body(PasskeyStage::Challenge {
            public_key: json!({"challenge": "abc"}),
            page: "https://web.whatsapp.com".to_owned(),
            script: "…".to_owned(),
        });
        let expected = json!({
            "stage": "challenge",
            "publicKey": {"challenge": "abc"},
            "page": "https://web.whatsapp.com",
            "script": "…",
            "expiresIn": "10 seconds",
            "expiresAt": "1970-01-01T00:10:00.000Z",
        });
        assert_eq!(serde_json::to_value(&challenge).expect("written"), expected);
        let confirm = body(PasskeyStage::Confirm {
            code: "ABCD-EFGH".to_owned(),
        });
        let written = serde_json::to_value(&confirm).expect("written");
        assert_eq!(written["stage"], "confirm");
        assert_eq!(written["code"], "ABCD-EFGH");
        let linking = serde_json::to_value(PasskeyBody::linking()).expect("written");
        assert_eq!(linking, json!({"stage": "linking"}));
        for stage in [challenge, confirm, PasskeyBody::linking()] {
            let text = serde_json::to_string(&stage).expect("written");
            assert_eq!(
                serde_json::from_str::<PasskeyBody>(&text).expect("read"),
                stage
            );
            assert!(!format!("{stage:?}").contains("ABCD"));
        }
    }
}
