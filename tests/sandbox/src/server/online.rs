//! A linked device's connection: the login's check, the welcome, and then
//! answers for as long as it lasts.

use super::connection::Flow;
use super::queries::{self, Answer};
use super::session::{Session, SessionError};
use super::{Ending, Order};
use crate::clock;
use crate::keys::random;
use crate::payload::Login;
use crate::phone;
use crate::snapshot::ConnectionStage;
use crate::state::DeviceId;
use crate::wire::Closing;
use crate::wire::node::{SERVER, attr, has, leaf, parent};
use tokio::time::Instant;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};

/// How many pings in a row may go unanswered.
const PATIENCE: u32 = 3;

/// WebSocket's code for an endpoint that goes away.
const GOING_AWAY: u16 = 1001;

pub(super) struct Online {
    id: DeviceId,
    next_ping: Instant,
    pings: u64,
    unanswered: u32,
}

impl Login {
    pub(super) fn device_id(&self) -> DeviceId {
        DeviceId {
            number: self.username.clone(),
            device: self.device,
        }
    }
}

impl Online {
    /// Lets the device in, or says with which reason not. A device that is on
    /// already loses its older connection.
    pub(super) fn admit(session: &Session, login: Login) -> Result<Self, u16> {
        let id = login.device_id();
        let displaced = session.world.update(|state| {
            let known = state
                .device(&id)
                .is_some_and(|device| device.registration.noise_key == login.noise_key);
            state.last_login = Some(login);
            if !known {
                return Err(401_u16);
            }
            let displaced = state.orders_of(&id);
            for connection in state.connections.values_mut() {
                if connection.device.as_ref() == Some(&id) {
                    connection.device = None;
                }
            }
            state.stats.replaced += u64::from(displaced.is_some());
            if let Some(connection) = state.connections.get_mut(&session.id) {
                connection.device = Some(id.clone());
            }
            Ok(displaced)
        })?;
        if let Some(orders) = displaced {
            // A connection that takes no orders any more is ending anyway.
            let _: Result<(), _> =
                orders.try_send(Order::End(Ending::stream_error(None, Some("replaced"))));
        }
        Ok(Self {
            id,
            next_ping: Instant::from_std(clock::now()) + session.world.options.ping_interval,
            pings: 0,
            unanswered: 0,
        })
    }

    pub(super) fn jid(&self) -> String {
        self.id.jid().to_string()
    }

    /// `<success>` and what the server tells a device of its own accord.
    pub(super) async fn welcome(&mut self, session: &mut Session) -> Result<(), SessionError> {
        let (lid, name, linked_at, dirty) = session.world.read(|state| {
            let phone = state.phones.get(&self.id.number);
            let device = state.device(&self.id);
            (
                phone.map(|phone| phone.lid.clone()).unwrap_or_default(),
                phone
                    .map(|phone| phone.push_name.clone())
                    .unwrap_or_default(),
                device.map_or(0, |device| device.linked_at),
                device.is_some_and(|device| device.dirty),
            )
        });
        let success = NodeBuilder::new("success")
            .attr("t", clock::unix())
            .attr("props", "27")
            .attr("location", "sbx")
            .attr("creation", linked_at)
            .attr("lid", Jid::lid_device(lid.as_str(), self.id.device))
            .attr("display_name", name)
            .build();
        session.send(&success).await?;
        let connection = session.id;
        session.world.update(|state| {
            state.stats.logins += 1;
            *state
                .stats
                .logins_by_device
                .entry(self.id.jid().to_string())
                .or_default() += 1;
            if let Some(device) = state.device_mut(&self.id) {
                device.logins += 1;
            }
            state.set_stage(connection, ConnectionStage::Online);
        });
        let token = leaf("routing_info", random::<8>());
        session.send(&ib(parent("edge_routing", [token]))).await?;
        if dirty {
            let bit = NodeBuilder::new("dirty")
                .attr("type", "account_sync")
                .attr("timestamp", clock::unix())
                .build();
            session.send(&ib(bit)).await?;
        }
        Ok(())
    }

    pub(super) async fn stanza(
        &mut self,
        session: &mut Session,
        stanza: Node,
    ) -> Result<Flow, SessionError> {
        match &*stanza.tag {
            "iq" => self.query(session, stanza).await,
            "message" | "receipt" => {
                session.send(&ack(&stanza)).await?;
                Ok(Flow::Go)
            }
            // Presence, acknowledgements and the like call for no answer.
            _ => Ok(Flow::Go),
        }
    }

    async fn query(&mut self, session: &mut Session, query: Node) -> Result<Flow, SessionError> {
        if has(&query, "type", "result")
            && attr(&query, "id").is_some_and(|id| id == self.ping_id())
        {
            self.unanswered = 0;
            session.world.update(|state| state.stats.server_pongs += 1);
            return Ok(Flow::Go);
        }
        if !has(&query, "type", "get") && !has(&query, "type", "set") {
            return Ok(Flow::Go);
        }
        match queries::answer(session, &self.id, &query) {
            Answer::Silence => {}
            Answer::Reply(reply) => session.send(&reply).await?,
            Answer::Active(reply) => {
                session.send(&reply).await?;
                // Nothing is kept for devices that are away.
                let offline = NodeBuilder::new("offline").attr("count", "0").build();
                session.send(&ib(offline)).await?;
            }
            Answer::Prekeys(reply) => {
                session.send(&reply).await?;
                if let Some(share) = phone::share_key(&session.world, &self.id).await {
                    session.send(&share).await?;
                    session.world.update(|state| {
                        state.stats.key_shares += 1;
                        if let Some(device) = state.device_mut(&self.id) {
                            device.key_shared = true;
                        }
                    });
                }
            }
            Answer::Removed(reply) => {
                session.send(&reply).await?;
                return Ok(Flow::End(Ending::device_removed()));
            }
        }
        Ok(Flow::Go)
    }

    pub(super) fn due(&self) -> Instant {
        self.next_ping
    }

    /// Pings the client, or gives up on it.
    pub(super) async fn tick(&mut self, session: &mut Session) -> Result<Flow, SessionError> {
        if self.unanswered >= PATIENCE {
            return Ok(Flow::End(Ending::quiet(Closing::WebSocket(GOING_AWAY))));
        }
        self.next_ping = Instant::from_std(clock::now()) + session.world.options.ping_interval;
        self.unanswered += 1;
        self.pings += 1;
        let ping = NodeBuilder::new("iq")
            .attr("from", SERVER)
            .attr("type", "get")
            .attr("xmlns", "urn:xmpp:ping")
            .attr("id", self.ping_id())
            .attr("t", clock::unix())
            .children([NodeBuilder::new("ping").build()])
            .build();
        session.send(&ping).await?;
        session.world.update(|state| state.stats.server_pings += 1);
        Ok(Flow::Go)
    }

    fn ping_id(&self) -> String {
        format!("ping-{}", self.pings)
    }
}

fn ib(child: Node) -> Node {
    NodeBuilder::new("ib")
        .attr("from", SERVER)
        .children([child])
        .build()
}

/// What the server says to a stanza it has taken over.
fn ack(stanza: &Node) -> Node {
    let mut ack = NodeBuilder::new("ack")
        .attr("class", stanza.tag.as_ref())
        .attr("t", clock::unix())
        .attr("id", attr(stanza, "id").unwrap_or_default())
        .build();
    for (theirs, ours) in [
        ("to", "from"),
        ("type", "type"),
        ("participant", "participant"),
    ] {
        if let Some(value) = stanza.attrs.get(theirs) {
            ack.attrs.insert(ours, value.clone());
        }
    }
    ack
}
