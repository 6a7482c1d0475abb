//! Every type that crosses a process boundary: what the API says and takes,
//! what the command line reads back, what the journal holds.
//!
//! Plain data with serde; no tokio, no axum, no whatsapp-rust, no files. Both
//! sides of the socket compile against it, so they cannot drift apart.

mod config;
mod key;
mod event;
mod pairing;
mod passkey;
mod phone;
mod problem;
mod reload;
mod status;
mod timestamp;
mod webhook;

pub use config::{ConfigReport, LogLevel, LogLevelRequest, Setting, SettingSource};
pub use event::{EVENT_TYPES, Event, Gap, Severity};
pub use key::{KeyInfo, KeyRemoved, KeyRequest, KeySource, NewKey, Scope, is_key_name};
pub use pairing::{
    Disconnected, Done, InvalidCode, PairingCode, PairingRequest, PairingStarted, QrCode,
    QrCodeBody, custom_code, expires_in,
};
pub use passkey::{PasskeyBody, PasskeyStage, PasskeyStep};
pub use phone::{InvalidPhone, PhoneNumber};
pub use problem::{Code, Problem, whole_seconds};
pub use reload::ReloadReport;
pub use status::{Disconnection, Reason, State, Status};
pub use timestamp::Timestamp;
pub use webhook::{WebhookFailure, WebhookInfo, WebhookOutcome, WebhookTested, WebhooksResumed};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The envelope of every successful answer: `{"success":true,"data":…}`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Success<T> {
    #[schemars(extend("const" = true))]
    pub success: bool,
    pub data: T,
}

impl<T> Success<T> {
    pub fn new(data: T) -> Self {
        Self {
            success: true,
            data,
        }
    }
}
