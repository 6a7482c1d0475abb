//! Which query is answered by whom, and the answers that need no file of
//! their own.

use super::session::Session;
use super::{app_state, keys, usync};
use crate::faults::Point;
use crate::state::DeviceId;
use crate::wire::node::{attr, child, first_child, has, refusal, result};
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

pub(super) enum Answer {
    Reply(Node),
    /// No answer, on purpose.
    Silence,
    /// The client wants what was kept for it; the answer goes first.
    Active(Node),
    /// The server holds keys of the device now; the answer goes first.
    Prekeys(Node),
    /// The device took itself off; the answer goes first.
    Removed(Node),
}

/// Answers a logged-in device.
pub(super) fn answer(session: &Session, id: &DeviceId, query: &Node) -> Answer {
    let namespace = attr(query, "xmlns").unwrap_or_default();
    let is_set = has(query, "type", "set");
    match namespace.as_str() {
        "w:p" | "urn:xmpp:ping" => ping(session, Some(id), query),
        "passive" if child(query, "active").is_some() => Answer::Active(result(query, Vec::new())),
        "passive" => Answer::Reply(result(query, Vec::new())),
        "encrypt" => keys::answer(session, id, query),
        "usync" => Answer::Reply(usync::answer(session, query)),
        "w:sync:app:state" => Answer::Reply(app_state::answer(session, id, query)),
        "urn:xmpp:whatsapp:dirty" if is_set => {
            session.world.update(|state| {
                if let Some(device) = state.device_mut(id) {
                    device.dirty = false;
                }
            });
            Answer::Reply(result(query, Vec::new()))
        }
        "md" => match child(query, "remove-companion-device") {
            Some(request) => remove(session, id, query, request),
            None => unknown(session, query),
        },
        "abt" => Answer::Reply(result(query, vec![props()])),
        "blocklist" if !is_set => Answer::Reply(result(
            query,
            vec![NodeBuilder::new("list").attr("dhash", "0").build()],
        )),
        "privacy" if !is_set => Answer::Reply(result(query, vec![privacy()])),
        _ => unknown(session, query),
    }
}

/// Answers an unlinked client, which may ask for next to nothing.
pub(super) fn before_login(session: &Session, query: &Node) -> Option<Node> {
    let answer = match attr(query, "xmlns").as_deref() {
        Some("w:p" | "urn:xmpp:ping") => ping(session, None, query),
        _ => unknown(session, query),
    };
    match answer {
        Answer::Reply(reply) => Some(reply),
        _ => None,
    }
}

fn ping(session: &Session, id: Option<&DeviceId>, query: &Node) -> Answer {
    let device = id.map(|id| id.jid().to_string());
    let ignored = session.world.meet(Point::Ping, device.as_deref()).is_some();
    session.world.update(|state| {
        state.stats.pings += 1;
        state.stats.pings_ignored += u64::from(ignored);
    });
    if ignored {
        Answer::Silence
    } else {
        Answer::Reply(result(query, Vec::new()))
    }
}

/// A device may take off itself, and no other.
fn remove(session: &Session, id: &DeviceId, query: &Node, request: &Node) -> Answer {
    if attr(request, "jid").as_deref() != Some(&id.jid().to_string()) {
        return Answer::Reply(refusal(query, 403, "forbidden"));
    }
    session.world.update(|state| {
        state.stats.removals += 1;
        if let Some(phone) = state.phones.get_mut(&id.number) {
            phone.devices.remove(&id.device);
        }
        if let Some(connection) = state.connections.get_mut(&session.id) {
            connection.device = None;
        }
    });
    Answer::Removed(result(query, Vec::new()))
}

/// What the sandbox cannot answer it refuses, and remembers.
fn unknown(session: &Session, query: &Node) -> Answer {
    let namespace = attr(query, "xmlns").unwrap_or_default();
    let what = first_child(query).map_or("", |child| &child.tag);
    tracing::debug!(namespace, what, "a query without an answer");
    session.world.update(|state| {
        *state
            .stats
            .unknown_queries
            .entry(format!("{namespace}/{what}"))
            .or_default() += 1;
    });
    Answer::Reply(refusal(query, 501, "feature-not-implemented"))
}

fn props() -> Node {
    NodeBuilder::new("props")
        .attr("protocol", "1")
        .attr("ab_key", "sandbox")
        .attr("hash", "sandbox")
        .attr("refresh", "86400")
        .attr("refresh_id", "1")
        .build()
}

fn privacy() -> Node {
    const SETTINGS: [(&str, &str); 8] = [
        ("last", "all"),
        ("online", "all"),
        ("profile", "all"),
        ("status", "contacts"),
        ("groupadd", "all"),
        ("readreceipts", "all"),
        ("calladd", "all"),
        ("messages", "all"),
    ];
    let categories = SETTINGS.map(|(name, value)| {
        NodeBuilder::new("category")
            .attr("name", name)
            .attr("value", value)
            .build()
    });
    NodeBuilder::new("privacy").children(categories).build()
}
