//! What a browser answers to a passkey challenge. The handler passes it on as
//! it is, and `link::passkey` checks it part by part, so there is no other type
//! to describe it by.

use schemars::JsonSchema;
use serde::Serialize;

/// The passkey's answer, or why the browser has none.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum PasskeyAnswer {
    Credential(Credential),
    Failure(Failure),
}

/// `PublicKeyCredential.toJSON()`. What else it holds is let be.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Credential {
    #[schemars(extend("const" = "public-key"))]
    pub r#type: &'static str,
    #[schemars(regex(pattern = BASE64URL))]
    pub raw_id: &'static str,
    pub response: AssertionResponse,
}

/// Each part in base64url.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AssertionResponse {
    #[serde(rename = "clientDataJSON")]
    #[schemars(regex(pattern = BASE64URL))]
    pub client_data_json: &'static str,
    #[schemars(regex(pattern = BASE64URL))]
    pub authenticator_data: &'static str,
    #[schemars(regex(pattern = BASE64URL))]
    pub signature: &'static str,
    pub user_handle: Option<&'static str>,
}

/// What the script prints when the browser gives no answer.
#[derive(Serialize, JsonSchema)]
pub(super) struct Failure {
    pub error: BrowserError,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct BrowserError {
    /// `NotAllowedError` and the like.
    pub name: &'static str,
}

const BASE64URL: &str = "^[A-Za-z0-9_-]*={0,2}$";

pub(super) fn credential() -> PasskeyAnswer {
    PasskeyAnswer::Credential(Credential {
        r#type: "public-key",
        raw_id: "cGFzc2tleQ",
        response: AssertionResponse {
            client_data_json: "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0",
            authenticator_data: "c2hvcnRlbmVk",
            signature: "c2hvcnRlbmVk",
            user_handle: None,
        },
    })
}

pub(super) fn failure() -> PasskeyAnswer {
    PasskeyAnswer::Failure(Failure {
        error: BrowserError {
            name: "NotAllowedError",
        },
    })
}
