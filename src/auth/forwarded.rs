//! Who is behind a proxy.

use super::Origin;
use axum::http::HeaderMap;
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// The origin of a request that came over `peer`. What a proxy of ours says in
/// `X-Forwarded-For` is believed; what anybody else says there is not.
///
/// Each proxy appends the address it was called from, so the list is read from
/// its end, past our own proxies, to the first address that is none of them.
pub(super) fn origin(peer: SocketAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Origin {
    let is_ours = |address: IpAddr| {
        let address = address.to_canonical();
        trusted.iter().any(|network| network.contains(&address))
    };
    if trusted.is_empty() || !is_ours(peer.ip()) {
        return Origin::Tcp(peer);
    }
    let mut client = None;
    let lists = headers.get_all("x-forwarded-for").iter().rev();
    // As bytes: what a client has put before it must not spoil a proxy's own.
    let hops = lists.flat_map(|list| list.as_bytes().rsplit(|byte| *byte == b','));
    for hop in hops {
        // What cannot be read was not written by one of ours: the one before
        // it in the chain is as far as anybody can be believed.
        let hop = std::str::from_utf8(hop.trim_ascii());
        let Some(address) = hop.ok().and_then(address) else {
            break;
        };
        client = Some(address);
        if !is_ours(address) {
            break;
        }
    }
    match client {
        Some(client) => Origin::Forwarded {
            client,
            proxy: peer,
        },
        None => Origin::Tcp(peer),
    }
}

/// An address, as some proxies write it also with a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let address = bare.unwrap_or(text).parse();
    let address = address.or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn from(peer: &str, lists: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for list in lists {
            let list = HeaderValue::from_bytes(&latin(list)).expect("a header");
            headers.append("x-forwarded-for", list);
        }
        let trusted: Vec<IpNet> = trusted
            .iter()
            .map(|network| network.parse().expect("a network"))
            .collect();
        origin(peer.parse().expect("an address"), &headers, &trusted).to_string()
    }

    /// Each character as a byte.
    fn latin(text: &str) -> Vec<u8> {
        let bytes = text.chars().map(|c| u8::try_from(u32::from(c)));
        bytes.map(|byte| byte.expect("one byte")).collect()
    }

    #[test]
    fn only_our_proxies_are_believed() {
        let ours = ["127.0.0.1/32", "10.0.0.0/8", "fd00::/8"];
        for (peer, lists, expected) in [
            ("192.0.2.9:1", &["203.0.113.5"][..], "192.0.2.9:1"),
            ("127.0.0.1:1", &[], "127.0.0.1:1"),
            (
                "127.0.0.1:1",
                &["203.0.113.5"],
                "203.0.113.5 via 127.0.0.1:1",
            ),
            // What the client itself claims stands before.
            (
                "127.0.0.1:1",
                &["1.2.3.4, 203.0.113.5"],
                "203.0.113.5 via 127.0.0.1:1",
            ),
            (
                "127.0.0.1:1",
                &["1.2.3.4", "203.0.113.5,10.1.1.1"],
                "203.0.113.5 via 127.0.0.1:1",
            ),
            (
                "[::ffff:10.0.0.1]:1",
                &["203.0.113.5:4711"],
                "203.0.113.5 via [::ffff:10.0.0.1]:1",
            ),
            (
                "[fd00::1]:1",
                &["[2001:db8::7]:80"],
                "2001:db8::7 via [fd00::1]:1",
            ),
            (
                "[fd00::1]:1",
                &["[2001:db8::7]"],
                "2001:db8::7 via [fd00::1]:1",
            ),
            (
                "127.0.0.1:1",
                &["203.0.113.5, what, 10.1.1.1"],
                "10.1.1.1 via 127.0.0.1:1",
            ),
            ("127.0.0.1:1", &["unknown"], "127.0.0.1:1"),
            (
                "127.0.0.1:1",
                &["\u{ff}, 203.0.113.5"],
                "203.0.113.5 via 127.0.0.1:1",
            ),
        ] {
            assert_eq!(from(peer, lists, &ours), expected, "{lists:?}");
        }
        assert_eq!(from("127.0.0.1:1", &["203.0.113.5"], &[]), "127.0.0.1:1");
    }
}
