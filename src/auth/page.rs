//! Pages at the control socket. Nobody sends a key there, so to a browser that is
//! led to it, say by `ssh -L 8080:/run/walinkd/control.sock`, every page that is
//! open in it could give orders, were they not told apart here.

use axum::http::{
    HeaderMap,
    header::{HOST, ORIGIN},
};
use std::net::IpAddr;

/// Whether a request comes from a page of another origin than the socket's own.
/// A program sends none of these headers but `Host`.
pub(super) fn is_foreign(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    let host = text(HOST.as_str()).unwrap_or_default();
    let site = text("sec-fetch-site").unwrap_or("none");
    let origin = text(ORIGIN.as_str());
    !matches!(site, "none" | "same-origin")
        || origin.is_some_and(|origin| origin.strip_prefix("http://") != Some(host))
        || !is_near(host)
}

/// Whether a name can only be this machine's. One that the network resolves can
/// be pointed at this machine by whoever owns it, and its pages would then be
/// of the socket's own origin.
fn is_near(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    !name.contains('.') || name.ends_with(".localhost") || name.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign(headers: &[(&'static str, &'static str)]) -> bool {
        let headers = headers.iter().map(|(name, value)| {
            let name = name.parse().expect("a name");
            (name, value.parse().expect("a value"))
        });
        is_foreign(&headers.collect())
    }

    #[test]
    fn programs_and_the_own_page_may_call() {
        for headers in [
            &[][..],
            &[("host", "localhost")],
            &[("host", "walinkd")],
            &[("host", "[::1]:8080"), ("origin", "http://[::1]:8080")],
            &[("host", "127.0.0.1:8080"), ("sec-fetch-site", "none")],
            &[
                ("host", "localhost:8080"),
                ("origin", "http://localhost:8080"),
                ("sec-fetch-site", "same-origin"),
            ],
        ] {
            assert!(!foreign(headers), "{headers:?}");
        }
    }

    #[test]
    fn other_pages_may_not() {
        for headers in [
            &[("host", "localhost:8080"), ("sec-fetch-site", "cross-site")][..],
            &[("host", "localhost:8080"), ("sec-fetch-site", "same-site")],
            &[
                ("host", "localhost:8080"),
                ("origin", "https://evil.example"),
            ],
            &[("host", "localhost:8080"), ("origin", "null")],
            // Evil's name, now pointed at this machine.
            &[("host", "evil.example:8080")],
            &[
                ("host", "evil.example:8080"),
                ("origin", "http://evil.example:8080"),
                ("sec-fetch-site", "same-origin"),
            ],
        ] {
            assert!(foreign(headers), "{headers:?}");
        }
    }
}
