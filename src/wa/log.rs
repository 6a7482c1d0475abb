//! The one gate the library's log goes through.
//!
//! whatsapp-rust writes phone numbers, pairing codes and whole stanzas to its
//! log. Everything it says is caught here, and what could identify a person
//! or link a device is masked before it is passed on, at every level. Its
//! tracing spans carry such fields too and are not passed on at all.

use log::{Level, LevelFilter, Log, Metadata, Record};
use tracing::Level as TracingLevel;

/// The target all of it appears under.
const TARGET: &str = "walinkd::library";

struct Gate;

/// Catches the `log` records of all libraries. Called once at start; later
/// calls change nothing.
pub fn install_log() {
    if log::set_logger(&Gate).is_ok() {
        // What is enabled is decided by the subscriber's filter below.
        log::set_max_level(LevelFilter::Debug);
    }
}

/// Whether a tracing target is the library's own.
pub fn is_library(target: &str) -> bool {
    ["whatsapp_rust", "wacore", "waproto"]
        .iter()
        .any(|name| target.starts_with(name))
        || target.starts_with("wa.")
}

impl Log for Gate {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Debug && tracing::enabled!(target: TARGET, TracingLevel::DEBUG)
    }

    /// All of it as detail, warnings too: what they mean for the link is said
    /// in this daemon's own words, once.
    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let message = masked(&record.args().to_string());
            tracing::debug!(target: TARGET, "{}: {message}", record.target());
        }
    }

    fn flush(&self) {}
}

/// The shortest run of digits that could be a phone number.
const NUMBER: usize = 7;
/// The shortest text that could be a key, a QR string or a part of one.
const TOKEN: usize = 16;

/// Masks numbers, pairing codes, and everything that could be key material.
fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut word = String::new();
    for c in text.chars() {
        // A pairing code may be written with its dash.
        if c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_') {
            word.push(c);
        } else {
            push_masked(&mut out, &word);
            word.clear();
            // A line of the log is one line, whatever is told in it.
            out.push(if c.is_control() { ' ' } else { c });
        }
    }
    push_masked(&mut out, &word);
    out
}

fn push_masked(out: &mut String, word: &str) {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let key_like = word.len() >= TOKEN && (digits > 0 || !is_prose(word));
    if digits >= NUMBER || key_like || is_code(word) {
        out.push_str("***");
    } else {
        out.push_str(word);
    }
}

/// Eight characters of the code alphabet, with or without the dash. Small
/// letters are no code; a word in capitals that happens to be one is no loss.
fn is_code(word: &str) -> bool {
    let bare: String = word.chars().filter(|c| *c != '-').collect();
    bare.len() == 8
        && bare
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// A long word of the language or of the code base, as against base64.
fn is_prose(word: &str) -> bool {
    !word.contains(['+', '/'])
        && word.split(['_', '-']).all(|part| {
            let capitals = part.bytes().filter(u8::is_ascii_uppercase).count();
            part.len() <= 24 && capitals * 4 <= part.len().max(4)
        })
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn nothing_that_links_gets_through() {
        for (text, secret) in [
            (
                "Starting pair code authentication for phone: 628123456789",
                "628123456789",
            ),
            ("Pair code generated: ABCD1234", "ABCD1234"),
            ("code=WXYZ-QRST, next", "WXYZ-QRST"),
            ("from 628123456789:12@s.whatsapp.net ok", "628123456789"),
            (
                "qr 2@Wsyov+QD/qnbgd1tsGtBKn2N9ZBo96rx=,abcd",
                "qnbgd1tsGtBKn2N9ZBo96rx",
            ),
            ("key daa8ce0ff449a97c15a9159156cfb20a", "daa8ce0ff449a97c"),
            ("ref QWERTYuiopASDFGHjklZXCVBNM", "QWERTYuiop"),
        ] {
            let masked = masked(text);
            assert!(!masked.contains(secret), "{masked}");
            assert!(masked.contains("***"), "{masked}");
        }
    }

    #[test]
    fn plain_words_stay_readable() {
        for text in [
            "Will attempt to reconnect in 1.03s (attempt 1)",
            "Transport disconnected: stream ended (EOF); reconnecting.",
            "passkey_prologue_request arrived",
            "Received <xmlstreamend/> (server stream end); reconnecting.",
        ] {
            assert_eq!(masked(text), text);
        }
        assert_eq!(masked("caused\nby:\t a\x1b[1m"), "caused by:  a [1m");
    }
}
