//! The server's part in pairing by code: it passes sealed keys between the
//! companion and the phone, and never learns the code.

use super::session::Session;
use crate::clock;
use crate::faults::{Fault, Point};
use crate::keys::random;
use crate::payload::Registration;
use crate::state::{CompanionFinish, LinkCode};
use crate::wire::node::{attr, child_bytes, leaf, number, refusal, result};
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

/// Answers `<link_code_companion_reg>`, unless it is to hang.
pub(super) fn answer(
    session: &Session,
    registration: &Registration,
    query: &Node,
    request: &Node,
) -> Option<Node> {
    match attr(request, "stage").as_deref() {
        Some("companion_hello") => hello(session, registration, query, request),
        Some("companion_finish") => Some(finish(session, registration, query, request)),
        _ => Some(refusal(query, 400, "bad-request")),
    }
}

fn hello(
    session: &Session,
    registration: &Registration,
    query: &Node,
    request: &Node,
) -> Option<Node> {
    session.world.update(|state| state.stats.code_requests += 1);
    let refused = |mut refusal: Node, backoff: Option<u64>| {
        session.world.update(|state| state.stats.code_refusals += 1);
        if let Some(backoff) = backoff
            && let Some(wacore_binary::NodeContent::Nodes(nodes)) = &mut refusal.content
            && let Some(error) = nodes.first_mut()
        {
            error.attrs.insert("backoff", backoff.to_string());
        }
        Some(refusal)
    };
    match session.world.meet(Point::Code, None) {
        Some(Fault::RefuseCode {
            code,
            text,
            backoff,
        }) => return refused(refusal(query, code, &text), backoff),
        Some(_) => return None,
        None => {}
    }
    let Some((phone, code)) = request_of(session, registration, request) else {
        return refused(refusal(query, 400, "bad-request"), None);
    };
    let reference = code.reference.clone();
    let known = session.world.update(|state| {
        let known = state.phones.contains_key(&phone);
        if known {
            state.codes.insert(phone, code);
        }
        known
    });
    if !known {
        return refused(refusal(query, 400, "bad-request"), None);
    }
    let reg = NodeBuilder::new("link_code_companion_reg")
        .attr("stage", "companion_hello")
        .children([leaf("link_code_pairing_ref", reference)])
        .build();
    Some(result(query, vec![reg]))
}

/// The phone's number and the code's entry, if the request is in order.
fn request_of(
    session: &Session,
    registration: &Registration,
    request: &Node,
) -> Option<(String, LinkCode)> {
    let jid = attr(request, "jid")?;
    let phone = jid.strip_suffix("@s.whatsapp.net")?;
    if phone.is_empty() || !phone.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |tag| child_bytes(request, tag);
    let wrapped_ephemeral = part("link_code_pairing_wrapped_companion_ephemeral_pub")?
        .try_into()
        .ok()?;
    // A code asked for with another's key would link somebody else.
    if part("companion_server_auth_key_pub")? != registration.noise_key {
        return None;
    }
    let platform = part("companion_platform_id")?;
    let display = std::str::from_utf8(part("companion_platform_display")?).ok()?;
    if !platform_accepted(platform) || !display_accepted(display) {
        return None;
    }
    number(part("link_code_pairing_nonce")?)?;
    let code = LinkCode {
        reference: format!("3@{}", hex(&random::<24>())).into_bytes(),
        connection: session.id,
        wrapped_ephemeral,
        display: display.to_owned(),
        expires: clock::now() + session.world.options.code_validity,
        attempts: 0,
        finish: None,
    };
    Some((phone.to_owned(), code))
}

fn finish(session: &Session, registration: &Registration, query: &Node, request: &Node) -> Node {
    let bad = || refusal(query, 400, "bad-request");
    let part = |tag| child_bytes(request, tag);
    let (Some(bundle), Some(identity), Some(reference)) = (
        part("link_code_pairing_wrapped_key_bundle"),
        part("companion_identity_public"),
        part("link_code_pairing_ref"),
    ) else {
        return bad();
    };
    if identity != registration.identity_key {
        return bad();
    }
    let phone = attr(request, "jid")
        .and_then(|jid| jid.strip_suffix("@s.whatsapp.net").map(str::to_owned))
        .unwrap_or_default();
    let waiting = session.world.update(|state| {
        state
            .codes
            .get_mut(&phone)
            .filter(|code| code.connection == session.id && code.reference == reference)
            .and_then(|code| code.finish.take())
    });
    let Some(waiting) = waiting else {
        return bad();
    };
    let finish = CompanionFinish {
        wrapped_bundle: bundle.to_vec(),
        identity_key: registration.identity_key,
    };
    // The phone may have stopped waiting; the companion is not told.
    let _: Result<(), CompanionFinish> = waiting.send(finish);
    result(query, Vec::new())
}

/// A single letter for a browser or desktop. Zero is no platform, and the
/// letters of the mobile apps need an attestation.
fn platform_accepted(id: &[u8]) -> bool {
    matches!(id, [b'1'..=b'9'])
}

/// `Browser (System)` with plain names: the server refuses anything branded.
fn display_accepted(display: &str) -> bool {
    const BROWSERS: [&str; 6] = ["Chrome", "Edge", "Firefox", "IE", "Opera", "Safari"];
    const SYSTEMS: [&str; 9] = [
        "Windows",
        "Mac OS",
        "Mac",
        "Linux",
        "Ubuntu",
        "Fedora",
        "Chrome OS",
        "Android",
        "iOS",
    ];
    display
        .strip_suffix(')')
        .and_then(|display| display.split_once(" ("))
        .is_some_and(|(browser, system)| BROWSERS.contains(&browser) && SYSTEMS.contains(&system))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_are_accepted() {
        assert!(display_accepted("Chrome (Linux)"));
        assert!(display_accepted("Safari (Mac OS)"));
        assert!(!display_accepted("Chrome (walinkd)"));
        assert!(!display_accepted("walinkd (Linux)"));
        assert!(!display_accepted("Chrome"));
        assert!(!display_accepted("Chrome (Linux"));
    }

    #[test]
    fn only_browser_platforms_are_accepted() {
        assert!(platform_accepted(b"1") && platform_accepted(b"9"));
        for id in [&b"0"[..], b"e", b"", b"12"] {
            assert!(!platform_accepted(id));
        }
    }
}
