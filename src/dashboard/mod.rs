//! The page that people look at: `GET /`.
//!
//! Owns the page's sources under `page/` and puts them together, with the policy
//! that lets the browser run these and nothing else. Must not know HTTP, nor
//! anything about the connection: the page holds nothing and asks the API.

#[cfg(test)]
mod tests;

use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

const HTML: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/style.css");

/// Run one after the other, in one scope.
const SCRIPTS: [&str; 9] = [
    include_str!("page/words.js"),
    include_str!("page/elements.js"),
    include_str!("page/time.js"),
    include_str!("page/api.js"),
    include_str!("page/stream.js"),
    include_str!("page/pairing.js"),
    include_str!("page/passkey.js"),
    include_str!("page/events.js"),
    include_str!("page/main.js"),
];

/// How callers are known where the page is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entrance {
    /// By an API key, which the page asks for.
    Key,
    /// By the kernel: there is nothing to ask for.
    Peer,
}

/// What is sent.
#[derive(Debug)]
pub struct Page {
    pub html: String,
    /// Another one for another page.
    pub etag: String,
}

struct Pages {
    key: Page,
    peer: Page,
    policy: String,
}

static PAGES: LazyLock<Pages> = LazyLock::new(|| {
    let script = SCRIPTS.concat();
    Pages {
        key: Page::new(&script, "key"),
        peer: Page::new(&script, "peer"),
        policy: [
            "default-src 'none'",
            &format!("script-src 'sha256-{}'", digest(&script)),
            &format!("style-src 'sha256-{}'", digest(STYLE)),
            // The QR code comes as a data: address, and so does the icon.
            "img-src data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            // No text ever becomes markup.
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ]
        .join("; "),
    }
});

impl Page {
    fn new(script: &str, entrance: &str) -> Self {
        let html = HTML
            .replace("{{entrance}}", entrance)
            .replace("{{style}}", STYLE)
            .replace("{{script}}", script);
        let etag = format!("\"{}\"", digest(&html));
        Self { html, etag }
    }
}

/// The page for people who come in by `entrance`.
pub fn page(entrance: Entrance) -> &'static Page {
    match entrance {
        Entrance::Key => &PAGES.key,
        Entrance::Peer => &PAGES.peer,
    }
}

/// The content security policy of either page.
pub fn policy() -> &'static str {
    &PAGES.policy
}

fn digest(text: &str) -> String {
    BASE64_STANDARD.encode(Sha256::digest(text))
}
