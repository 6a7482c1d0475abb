//! Labels whose values are made elsewhere, held to those known here: however
//! many there come to be, the number of series stays.

/// Why the connection is as it is: the codes of `link`.
pub(crate) const REASONS: &[&str] = &[
    "account_locked",
    "banned",
    "closed",
    "device_removed",
    "disconnected",
    "dns",
    "handshake",
    "logged_out",
    "network",
    "outdated",
    "pairing_failed",
    "pairing_limited",
    "pairing_refused",
    "passkey_cancelled",
    "passkey_expired",
    "passkey_lost",
    "passkey_refused",
    "passkey_unanswered",
    "passkey_unreadable",
    "proxy",
    "qr_expired",
    "rate_limited",
    "refused",
    "replaced",
    "restart",
    "server_error",
    "silent",
    "store",
    "stream_end",
    "stream_error",
    "timeout",
    "tls",
    "upgrade",
    "url",
    "wrong_code",
];

const METHODS: &[&str] = &["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// For what is not among those known.
pub(super) const OTHER: &str = "other";

pub(super) fn reason(code: Option<&str>) -> &'static str {
    code.map_or("none", |code| known(REASONS, code))
}

pub(super) fn method(method: &str) -> &'static str {
    known(METHODS, method)
}

fn known(words: &[&'static str], word: &str) -> &'static str {
    let mut words = words.iter();
    words.find(|known| **known == word).unwrap_or(&OTHER)
}
