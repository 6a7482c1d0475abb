//! A connection of an unlinked client: it holds refs to show as QR codes, may
//! ask for a pairing code, and ends when a phone has linked it or the refs are
//! spent.

use super::connection::Flow;
use super::session::{Session, SessionError};
use super::{Ending, link_code, passkey, queries};
use crate::clock;
use crate::faults::{Fault, Point};
use crate::keys::random;
use crate::payload::Registration;
use crate::snapshot::ConnectionStage;
use crate::state::Ref;
use crate::wire::node::{SERVER, attr, child, leaf, parent};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

pub(super) struct Pairing {
    registration: Arc<Registration>,
    /// When the refs are spent; never, if there are none.
    refs_end: Option<Instant>,
    /// When to see whether the server is done waiting.
    ends: Option<Instant>,
}

/// A time that does not come.
const NEVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl Pairing {
    pub(super) async fn begin(
        session: &mut Session,
        registration: Registration,
    ) -> Result<Self, SessionError> {
        let id = session.id;
        let registration = Arc::new(registration);
        session.world.update(|state| {
            state.stats.registrations += 1;
            state.last_registration = Some((*registration).clone());
            if let Some(connection) = state.connections.get_mut(&id) {
                connection.registration = Some(Arc::clone(&registration));
            }
        });
        let mut pairing = Self {
            registration,
            refs_end: None,
            ends: None,
        };
        match session.world.meet(Point::Refs, None) {
            Some(Fault::NoRefs) => {}
            fault => pairing.issue(session, fault.is_some()).await?,
        }
        session
            .world
            .update(|state| state.set_stage(id, ConnectionStage::Pairing));
        Ok(pairing)
    }

    /// Sends the refs; `dead` ones cannot be scanned.
    async fn issue(&mut self, session: &mut Session, dead: bool) -> Result<(), SessionError> {
        let options = &session.world.options;
        let now = clock::now();
        let mut expires = now;
        let refs: Vec<(String, Instant)> = (0..options.ref_count)
            .map(|at| {
                expires += if at == 0 {
                    options.ref_first
                } else {
                    options.ref_next
                };
                let reference = format!("2@{}", STANDARD.encode(random::<64>()));
                (reference, if dead { now } else { expires })
            })
            .collect();
        self.refs_end = Some(expires + options.ref_grace);
        self.ends = self.refs_end;
        let nodes: Vec<Node> = refs
            .iter()
            .map(|(reference, _)| leaf("ref", reference.as_bytes()))
            .collect();
        let connection = session.id;
        session.world.update(|state| {
            state.stats.refs_issued += refs.len() as u64;
            for (reference, expires) in refs {
                state.refs.insert(
                    reference,
                    Ref {
                        connection,
                        expires,
                    },
                );
            }
        });
        let query = NodeBuilder::new("iq")
            .attr("from", SERVER)
            .attr("type", "set")
            .attr("xmlns", "md")
            .children([parent("pair-device", nodes)])
            .build();
        // The acknowledgement says nothing more.
        let (reply, _) = oneshot::channel();
        session.ask(query, reply).await
    }

    pub(super) async fn stanza(
        &mut self,
        session: &mut Session,
        stanza: Node,
    ) -> Result<Flow, SessionError> {
        let is_query = matches!(attr(&stanza, "type").as_deref(), Some("get" | "set"));
        if stanza.tag != "iq" || !is_query {
            return Ok(Flow::Go);
        }
        let reply = if let Some(request) = child(&stanza, "link_code_companion_reg") {
            link_code::answer(session, &self.registration, &stanza, request)
        } else if let Some(step) = passkey::step(&stanza) {
            // A gate that this ends no longer keeps the stream open.
            self.ends = self.refs_end;
            passkey::answer(session, &self.registration, &stanza, step)
        } else {
            queries::before_login(session, &stanza)
        };
        if let Some(reply) = reply {
            session.send(&reply).await?;
        }
        Ok(Flow::Go)
    }

    pub(super) fn due(&self) -> tokio::time::Instant {
        self.ends.unwrap_or_else(|| clock::now() + NEVER).into()
    }

    /// The refs are spent. A pairing code that can still be entered keeps the
    /// stream open, since it is tied to this connection, and so does a passkey
    /// gate.
    pub(super) fn tick(&mut self, session: &Session) -> Flow {
        let last = session.world.read(|state| {
            let codes = state
                .codes
                .values()
                .filter(|code| code.connection == session.id)
                .map(|code| code.expires);
            codes.chain(state.gates.expiry_on(session.id)).max()
        });
        match last {
            Some(expires) if expires > clock::now() => {
                self.ends = Some(expires);
                Flow::Go
            }
            _ => Flow::End(Ending::stream_end()),
        }
    }
}
