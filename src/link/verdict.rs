//! What an ended session means: the reason classes of the contract.

use crate::{wa::End, wire::Reason};
use std::time::Duration;

/// What follows from an end of the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Try again, later each time.
    Retry,
    /// Try again at once.
    AtOnce,
    /// Try again, and begin with a long wait: WhatsApp asked for it.
    Slower,
    /// Somebody else has taken the connection; no fight.
    Hold,
    /// Login refused. Servers err, so one more try decides.
    Suspect,
    /// The device is no longer linked.
    Gone,
    /// The account is banned for this long.
    Banned(Duration),
    /// WhatsApp no longer accepts this version.
    Outdated,
}

/// A ban whose end WhatsApp does not name is looked at again hourly.
const UNKNOWN_BAN: Duration = Duration::from_secs(60 * 60);

pub(super) fn class(end: &End) -> Class {
    match end {
        End::Restart => Class::AtOnce,
        End::StreamError(429) => Class::Slower,
        End::Replaced => Class::Hold,
        End::Removed | End::NoDevice(_) => Class::Gone,
        End::Refused {
            code: 401 | 403 | 406,
            ..
        } => Class::Suspect,
        End::Banned { lasts, .. } => Class::Banned(lasts.unwrap_or(UNKNOWN_BAN)),
        End::Outdated => Class::Outdated,
        End::Closed { .. }
        | End::Unreachable(_)
        | End::Handshake
        | End::Store(_)
        | End::Lost
        | End::Silent
        | End::StreamEnd
        | End::StreamError(_)
        | End::Refused { .. }
        | End::QrExhausted => Class::Retry,
    }
}

pub(super) fn reason(end: &End) -> Reason {
    let said = |message: &Option<String>, otherwise: &str| {
        message.clone().filter(|text| !text.is_empty()).map_or_else(
            || otherwise.to_owned(),
            |text| format!("{otherwise} ({text})"),
        )
    };
    let (code, message) = match end {
        End::Closed { .. } => ("closed", "closed by this daemon".to_owned()),
        End::Unreachable(error) => (error.code(), error.to_string()),
        End::Handshake => (
            "handshake",
            "the server did not complete WhatsApp's handshake, or is not WhatsApp".to_owned(),
        ),
        End::Store(why) => ("store", format!("the session store cannot be used: {why}")),
        End::NoDevice(why) => ("store", format!("the stored link cannot be used: {why}")),
        End::Lost => ("network", "the connection to WhatsApp broke".to_owned()),
        End::Silent => (
            "silent",
            "WhatsApp has stopped answering on the open connection".to_owned(),
        ),
        End::StreamEnd => ("stream_end", "WhatsApp ended the stream".to_owned()),
        End::Restart => (
            "restart",
            "WhatsApp asked to connect again (515)".to_owned(),
        ),
        End::StreamError(429) => (
            "rate_limited",
            "WhatsApp limits this connection (429)".to_owned(),
        ),
        End::StreamError(code @ 500..=599) => (
            "server_error",
            format!("WhatsApp reported a server error ({code})"),
        ),
        End::StreamError(code) => (
            "stream_error",
            format!("WhatsApp ended the stream ({code})"),
        ),
        End::Replaced => (
            "replaced",
            "the same linked device has connected from somewhere else".to_owned(),
        ),
        End::Removed => (
            "device_removed",
            "the device was removed on the phone".to_owned(),
        ),
        End::Refused { code: 401, message } => (
            "logged_out",
            said(message, "WhatsApp does not know this device any more (401)"),
        ),
        End::Refused { code: 403, message } => (
            "account_locked",
            said(
                message,
                "WhatsApp has locked the account or the device (403)",
            ),
        ),
        End::Refused { code: 406, message } => (
            "logged_out",
            said(message, "WhatsApp has logged this device out (406)"),
        ),
        End::Refused {
            code: code @ 500..=599,
            message,
        } => (
            "server_error",
            said(
                message,
                &format!("WhatsApp reported a server error ({code})"),
            ),
        ),
        End::Refused { code, message } => (
            "refused",
            said(message, &format!("WhatsApp refused the login ({code})")),
        ),
        End::Banned { message, .. } => (
            "banned",
            said(
                message,
                "WhatsApp has banned the account for some time (402)",
            ),
        ),
        End::Outdated => (
            "outdated",
            "WhatsApp no longer accepts the version this daemon announces (405)".to_owned(),
        ),
        End::QrExhausted => (
            "qr_expired",
            "nobody scanned the QR codes in time".to_owned(),
        ),
    };
    Reason {
        code: code.to_owned(),
        message,
    }
}
