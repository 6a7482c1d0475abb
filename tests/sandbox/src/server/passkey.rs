//! The server's part at the passkey gate: it verifies the assertion itself,
//! and is between the companion and the phone for the rest.

use super::session::Session;
use crate::clock;
use crate::faults::{Fault, Point};
use crate::keys::random;
use crate::passkey::{PasskeyError, Prologue};
use crate::payload::Registration;
use crate::wire::node::{SERVER, bytes, child_bytes, first_child, has, leaf, refusal, result};
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Node, NodeContent};

/// What a client can ask of the gate, and do at it.
#[derive(Clone, Copy)]
pub(super) enum Query {
    Ref,
    Options,
    Prologue,
    Nonce,
    PairingRequest,
}

/// Which of them this query is, if any.
pub(super) fn step(query: &Node) -> Option<Query> {
    if !has(query, "xmlns", "md") {
        return None;
    }
    let tag = &*first_child(query)?.tag;
    match (has(query, "type", "set"), tag) {
        (false, "ref") => Some(Query::Ref),
        (false, "passkey_request_options") => Some(Query::Options),
        (true, "passkey_prologue") => Some(Query::Prologue),
        (true, "companion_nonce") => Some(Query::Nonce),
        (true, "encrypted_pairing_request") => Some(Query::PairingRequest),
        _ => None,
    }
}

/// The challenge; with its options, unless the client is to ask for them.
pub(crate) fn challenge(options: Option<&str>) -> Node {
    // Text, as the server sends it, not bytes.
    let text = options.map(|options| Node {
        content: Some(NodeContent::String(options.into())),
        ..NodeBuilder::new("passkey_request_options").build()
    });
    notification("passkey_prologue_request", text)
}

/// The phone's answer to a companion whose assertion was good.
pub(crate) fn continuation(identity: Vec<u8>) -> Node {
    let identity = leaf("primary_ephemeral_identity", identity);
    notification("crsc_continuation", Some(identity))
}

fn notification(kind: &'static str, content: Option<Node>) -> Node {
    let mut notification = NodeBuilder::new("notification")
        .attr("from", SERVER)
        .attr("type", kind)
        .attr("id", u32::from_be_bytes(random()))
        .attr("t", clock::unix());
    if let Some(content) = content {
        notification = notification.children([content]);
    }
    notification.build()
}

/// Answers a query at the gate, unless it is to hang.
pub(super) fn answer(
    session: &Session,
    registration: &Registration,
    query: &Node,
    step: Query,
) -> Option<Node> {
    let content = match step {
        Query::Ref => {
            let reference = session
                .world
                .update(|state| state.gates.issue_ref(session.id));
            Ok(vec![leaf("ref", reference)])
        }
        Query::Options => session
            .world
            .read(|state| state.gates.options_on(session.id))
            .map(|options| vec![leaf("passkey_request_options", options)])
            .ok_or(PasskeyError::OutOfTurn),
        Query::Prologue => prologue(session, query)?.map(|()| Vec::new()),
        Query::Nonce => {
            let nonce = first_child(query).map_or(&[][..], bytes);
            session
                .world
                .update(|state| state.passkey_nonce(session.id, nonce))
                .map(|()| Vec::new())
        }
        Query::PairingRequest => {
            pairing_request(session, registration, query)?.map(|()| Vec::new())
        }
    };
    Some(match content {
        Ok(children) => result(query, children),
        Err(error) => {
            tracing::debug!(connection = session.id, %error, "refused at the passkey gate");
            let (code, text) = error.refusal();
            refusal(query, code, text)
        }
    })
}

fn prologue(session: &Session, query: &Node) -> Option<Result<(), PasskeyError>> {
    if let Some(fault) = session.world.meet(Point::Assertion, None) {
        return on_demand(session, fault);
    }
    let silent = session.world.meet(Point::Continuation, None).is_some();
    let prologue = first_child(query).and_then(|prologue| {
        Some(Prologue {
            credential_id: child_bytes(prologue, "credential_id")?,
            assertion: child_bytes(prologue, "webauthn_assertion")?,
            payload: child_bytes(prologue, "prologue_payload")?,
            handoff_proof: child_bytes(prologue, "pairing_handoff_proof"),
        })
    });
    Some(
        session
            .world
            .update(|state| state.passkey_prologue(session.id, prologue.as_ref(), silent)),
    )
}

fn pairing_request(
    session: &Session,
    registration: &Registration,
    query: &Node,
) -> Option<Result<(), PasskeyError>> {
    if let Some(fault) = session.world.meet(Point::PairingRequest, None) {
        return on_demand(session, fault);
    }
    let request = first_child(query).map_or(&[][..], bytes);
    let keys = (&registration.noise_key, &registration.identity_key);
    let options = &session.world.options;
    let grace = options.reaction + options.answer_timeout;
    Some(
        session
            .world
            .update(|state| state.passkey_pairing_request(session.id, request, keys, grace)),
    )
}

/// A step that is refused whatever it holds, or not answered.
fn on_demand(session: &Session, fault: Fault) -> Option<Result<(), PasskeyError>> {
    let (Fault::RefuseAssertion { code, text } | Fault::RefusePairingRequest { code, text }) =
        fault
    else {
        return None;
    };
    let refused = PasskeyError::OnDemand { code, text };
    Some(Err(session
        .world
        .update(|state| state.refuse_step(session.id, refused))))
}
