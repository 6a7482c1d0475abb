//! One connection's way in, and the loop it then stays in.

use super::online::Online;
use super::pairing::Pairing;
use super::session::{Session, SessionError};
use super::{Ending, Order};
use crate::faults::{Fault, Point, Stage};
use crate::noise::{Established, NoiseError, Opening, Pattern, respond};
use crate::payload::{Payload, PayloadError};
use crate::snapshot::ConnectionStage;
use crate::wire::{Closing, PROLOGUE, Socket, SocketError};
use crate::world::World;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

/// How long a client may take for its half of the handshake.
const HANDSHAKE: Duration = Duration::from_secs(20);

#[derive(Debug, thiserror::Error)]
enum ConnectionError {
    #[error(transparent)]
    Socket(#[from] SocketError),
    #[error(transparent)]
    Noise(#[from] NoiseError),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Payload(#[from] PayloadError),
    #[error("the client left in the middle of the handshake")]
    Left,
    #[error("no handshake in time")]
    HandshakeTimeout,
}

/// Forgets the connection however its task ends.
struct Registered<'a> {
    world: &'a World,
    id: u64,
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        self.world.update(|state| state.close_connection(self.id));
    }
}

pub(super) async fn serve(world: Arc<World>, tcp: TcpStream) {
    let (orders, inbox) = mpsc::channel(64);
    let id = world.update(|state| state.open_connection(orders));
    let registered = Registered { world: &world, id };
    if let Err(error) = run(&world, id, tcp, inbox).await {
        tracing::debug!(connection = id, %error, "connection failed");
    }
    drop(registered);
}

async fn run(
    world: &Arc<World>,
    id: u64,
    mut tcp: TcpStream,
    inbox: mpsc::Receiver<Order>,
) -> Result<(), ConnectionError> {
    match world.meet(Point::Tcp, None) {
        Some(Fault::BlackHole { .. }) => {
            world.update(|state| state.set_stage(id, ConnectionStage::BlackHole));
            return hold(&mut tcp).await;
        }
        Some(_) => return Ok(()),
        None => {}
    }
    world.update(|state| state.set_stage(id, ConnectionStage::Upgrade));
    match world.meet(Point::Upgrade, None) {
        Some(Fault::BlackHole { .. }) => {
            world.update(|state| state.set_stage(id, ConnectionStage::BlackHole));
            return hold(&mut tcp).await;
        }
        Some(_) => return Ok(()),
        None => {}
    }
    let mut socket = Socket::accept(tcp).await?;
    world.update(|state| state.set_stage(id, ConnectionStage::Handshake));
    for fault in world.meet_all(Point::Handshake, None) {
        match fault {
            Fault::SlowHandshake { delay } => tokio::time::sleep(delay).await,
            Fault::BlackHole { .. } => {
                world.update(|state| state.set_stage(id, ConnectionStage::BlackHole));
                socket.swallow().await;
                return Ok(());
            }
            _ => return Ok(()),
        }
    }
    let greeted = tokio::time::timeout(HANDSHAKE, handshake(world, &mut socket))
        .await
        .map_err(|_| ConnectionError::HandshakeTimeout)
        .flatten();
    world.update(|state| {
        let counter = &mut state.stats.handshakes;
        match &greeted {
            Ok(done) => match done.pattern {
                Pattern::Xx => counter.xx += 1,
                Pattern::Ik => counter.ik += 1,
                Pattern::Fallback => counter.fallback += 1,
            },
            Err(_) => counter.failed += 1,
        }
    });
    let done = greeted?;
    let payload = Payload::parse(&done.payload, done.client_static, socket.routed());
    let session = Session::new(Arc::clone(world), id, socket, done.sealer, done.opener);
    greet(session, payload, inbox).await
}

/// Keeps a TCP connection open without a word, until the client gives up.
async fn hold(tcp: &mut TcpStream) -> Result<(), ConnectionError> {
    let (mut from, mut to) = (tcp, tokio::io::sink());
    // Only the end matters, not how it came.
    let _: Result<u64, _> = tokio::io::copy(&mut from, &mut to).await;
    Ok(())
}

async fn handshake(world: &World, socket: &mut Socket) -> Result<Established, ConnectionError> {
    let first = socket.recv().await?.ok_or(ConnectionError::Left)?;
    let identity = world.read(|state| Arc::clone(&state.identity));
    match respond(&identity, &PROLOGUE, &first)? {
        Opening::Done(done, reply) => {
            socket.send(&reply).await?;
            Ok(*done)
        }
        Opening::Half(half, reply) => {
            socket.send(&reply).await?;
            let finish = socket.recv().await?.ok_or(ConnectionError::Left)?;
            Ok(half.finish(&finish)?)
        }
    }
}

/// Lets the client in, or tells it why not.
async fn greet(
    mut session: Session,
    payload: Result<Payload, PayloadError>,
    inbox: mpsc::Receiver<Order>,
) -> Result<(), ConnectionError> {
    let device = match &payload {
        Ok(Payload::Login(login)) => Some(login.device_id().jid().to_string()),
        _ => None,
    };
    if let Some(Fault::ConnectFailure {
        reason,
        code,
        expire,
        message,
    }) = session.world.meet(Point::Greeting, device.as_deref())
    {
        let mut failure = failure(reason);
        let numbers = [("code", code.map(u64::from)), ("expire", expire)];
        for (name, value) in numbers {
            if let Some(value) = value {
                failure.attrs.insert(name, value.to_string());
            }
        }
        if let Some(message) = message {
            failure.attrs.insert("message", message);
        }
        return refuse(session, reason, failure).await;
    }
    match payload {
        Ok(Payload::Registration(registration)) => {
            let mut pairing = Pairing::begin(&mut session, *registration).await?;
            live(session, inbox, Role::Pairing(&mut pairing)).await
        }
        Ok(Payload::Login(login)) => match Online::admit(&session, login) {
            Ok(mut online) => {
                online.welcome(&mut session).await?;
                live(session, inbox, Role::Online(&mut online)).await
            }
            Err(reason) => refuse(session, reason, failure(reason)).await,
        },
        Err(error) => {
            tracing::warn!(%error, "a payload the real server would refuse");
            refuse(session, 400, failure(400)).await
        }
    }
}

fn failure(reason: u16) -> Node {
    NodeBuilder::new("failure")
        .attr("reason", reason)
        .attr("location", "sbx")
        .build()
}

async fn refuse(session: Session, reason: u16, stanza: Node) -> Result<(), ConnectionError> {
    session
        .world
        .update(|state| *state.stats.failures.entry(reason).or_default() += 1);
    session.end(Ending::saying(stanza)).await;
    Ok(())
}

/// Whom the server takes the client for.
pub(super) enum Role<'a> {
    Pairing(&'a mut Pairing),
    Online(&'a mut Online),
}

/// What a handled event means for the connection.
pub(super) enum Flow {
    Go,
    End(Ending),
}

impl Role<'_> {
    fn device(&self) -> Option<String> {
        match self {
            Self::Pairing(_) => None,
            Self::Online(online) => Some(online.jid()),
        }
    }

    async fn stanza(&mut self, session: &mut Session, node: Node) -> Result<Flow, SessionError> {
        match self {
            Self::Pairing(pairing) => pairing.stanza(session, node).await,
            Self::Online(online) => online.stanza(session, node).await,
        }
    }

    /// When [`Role::tick`] is due next.
    fn due(&self) -> tokio::time::Instant {
        match self {
            Self::Pairing(pairing) => pairing.due(),
            Self::Online(online) => online.due(),
        }
    }

    async fn tick(&mut self, session: &mut Session) -> Result<Flow, SessionError> {
        match self {
            Self::Pairing(pairing) => Ok(pairing.tick(session)),
            Self::Online(online) => online.tick(session).await,
        }
    }
}

async fn live(
    mut session: Session,
    mut inbox: mpsc::Receiver<Order>,
    mut role: Role<'_>,
) -> Result<(), ConnectionError> {
    let device = role.device();
    for fault in session.world.meet_all(Point::Live, device.as_deref()) {
        match suffer(&mut session, fault).await? {
            Suffered::Flow(Flow::Go) => {}
            Suffered::Flow(Flow::End(ending)) => {
                session.end(ending).await;
                return Ok(());
            }
            Suffered::Hole => return Ok(()),
        }
    }
    loop {
        let flow = tokio::select! {
            stanza = session.recv() => match stanza? {
                Some(stanza) if session.answered(&stanza) => Flow::Go,
                Some(stanza) => role.stanza(&mut session, stanza).await?,
                None => {
                    session.drop_now().await;
                    return Ok(());
                }
            },
            Some(order) = inbox.recv() => match order {
                Order::Ask { query, reply } => {
                    session.ask(query, reply).await?;
                    Flow::Go
                }
                Order::Tell(stanza) => {
                    session.send(&stanza).await?;
                    Flow::Go
                }
                Order::End(ending) => Flow::End(ending),
                Order::Fault(fault) => match suffer(&mut session, fault).await? {
                    Suffered::Flow(flow) => flow,
                    Suffered::Hole => return Ok(()),
                },
            },
            () = tokio::time::sleep_until(role.due()) => role.tick(&mut session).await?,
        };
        if let Flow::End(ending) = flow {
            session.end(ending).await;
            return Ok(());
        }
    }
}

enum Suffered {
    Flow(Flow),
    /// The client gave up on a black hole.
    Hole,
}

/// Applies a fault of a live connection.
async fn suffer(session: &mut Session, fault: Fault) -> Result<Suffered, SessionError> {
    let flow = match fault {
        Fault::Drop { .. } => Flow::End(Ending::quiet(Closing::Drop)),
        Fault::BlackHole { at: Stage::Live } => {
            let id = session.id;
            session
                .world
                .update(|state| state.set_stage(id, ConnectionStage::BlackHole));
            session.swallow().await;
            return Ok(Suffered::Hole);
        }
        Fault::GarbageFrame => {
            session.send_garbage().await?;
            Flow::Go
        }
        Fault::StreamError { code, conflict } => {
            Flow::End(Ending::stream_error(code, conflict.as_deref()))
        }
        Fault::XmlStreamEnd => {
            session
                .send(&NodeBuilder::new("xmlstreamend").build())
                .await?;
            Flow::Go
        }
        Fault::WebSocketClose { code } => Flow::End(Ending::quiet(Closing::WebSocket(code))),
        // The others apply at other points; `Fault::point` sends none here.
        _ => Flow::Go,
    };
    Ok(Suffered::Flow(flow))
}
