//! Accepting, and stopping to.

use super::{
    ControlSocket, Terms,
    connection::{Application, Visit},
    places::{Client, Place, Places},
    secure::{Secure, is_http2},
    tcp::warn_if_exposed,
};
use crate::auth::{Guest, Origin, Peer, Rules};
use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long requests may take to finish once the daemon stops.
/// The whole stop is to be over within five seconds.
const DRAIN: Duration = Duration::from_secs(4);
const MINUTE: Duration = Duration::from_secs(60);
/// The pause after an accept that failed for want of descriptors or memory.
const BREATH: Duration = Duration::from_millis(100);

/// The listeners, and what is served on them.
#[derive(Debug)]
pub struct Server<A> {
    doors: Vec<Door>,
    tcp: A,
    control: A,
    terms: watch::Receiver<Arc<Terms>>,
    rules: watch::Receiver<Arc<Rules>>,
}

#[derive(Debug)]
enum Door {
    Tcp(TcpListener),
    Control(ControlSocket),
}

enum Arrival {
    Tcp(TcpStream, SocketAddr),
    Control(UnixStream),
}

impl<A: Application> Server<A> {
    /// Serves `tcp` on TCP listeners and `control` on control sockets. `rules`
    /// says which group the control sockets belong to.
    pub fn new(
        tcp: A,
        control: A,
        terms: watch::Receiver<Arc<Terms>>,
        rules: watch::Receiver<Arc<Rules>>,
    ) -> Self {
        Self {
            doors: Vec::new(),
            tcp,
            control,
            terms,
            rules,
        }
    }

    /// Serves on this one too, and says so in the log when other machines can
    /// reach it without TLS.
    pub fn listen_tcp(&mut self, listener: TcpListener) {
        if self.terms.borrow().secure.is_none()
            && let Ok(address) = listener.local_addr()
        {
            warn_if_exposed(address);
        }
        self.doors.push(Door::Tcp(listener));
    }

    pub fn listen_control(&mut self, socket: ControlSocket) {
        self.doors.push(Door::Control(socket));
    }

    /// Serves until `stop` is cancelled; then accepts no more, lets what is
    /// being answered finish for at most four seconds, and cuts the rest.
    pub async fn run(self, stop: CancellationToken) {
        let tasks = TaskTracker::new();
        let cut = CancellationToken::new();
        let places = || Places::new(cut.clone());
        let (tcp_places, control_places) = (places(), places());
        let mut loops = JoinSet::new();
        for door in self.doors {
            let (application, places) = match door {
                Door::Tcp(_) => (&self.tcp, &tcp_places),
                Door::Control(_) => (&self.control, &control_places),
            };
            let hall = Hall {
                application: application.clone(),
                places: places.clone(),
                terms: self.terms.clone(),
                drain: stop.clone(),
                crowded: false,
                told_full: None,
                tasks: tasks.clone(),
            };
            loops.spawn(hall.receive(door, self.rules.clone()));
        }
        stop.cancelled().await;
        // The doors close as their loops end.
        loops.join_all().await;
        tasks.close();
        if timeout(DRAIN, tasks.wait()).await.is_err() {
            tracing::warn!(
                "{} connections did not finish in time and are cut",
                tasks.len()
            );
            cut.cancel();
            tasks.wait().await;
        }
    }
}

/// What lies behind a door.
struct Hall<A> {
    application: A,
    places: Places,
    terms: watch::Receiver<Arc<Terms>>,
    /// Cancelled when the daemon stops.
    drain: CancellationToken,
    /// A client had all its places at work when it came for one more.
    crowded: bool,
    /// When it was last told that connections went for others.
    told_full: Option<Instant>,
    tasks: TaskTracker,
}

impl<A: Application> Hall<A> {
    async fn receive(mut self, door: Door, mut rules: watch::Receiver<Arc<Rules>>) {
        let mut group = rules.borrow_and_update().control_group;
        let mut failing = false;
        let stop = self.drain.clone();
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                now = changed_group(&mut rules, group) => {
                    door.regroup(now);
                    group = now;
                    continue;
                }
                accepted = door.accept() => accepted,
            };
            match accepted {
                Ok(arrival) => {
                    failing = false;
                    // The kernel keeps the next ones meanwhile.
                    tokio::select! {
                        // What was accepted is answered, if there is room.
                        biased;
                        () = self.places.free(&mut self.terms) => self.welcome(arrival),
                        () = stop.cancelled() => return,
                    }
                }
                Err(error) if is_the_clients(&error) => {}
                Err(error) => {
                    // One line for a whole shortage.
                    if !std::mem::replace(&mut failing, true) {
                        tracing::error!(
                            "connections cannot be accepted: {error}: if descriptors ran out, raise LimitNOFILE= or lower http.max_connections; trying again"
                        );
                    }
                    let _ = stop.run_until_cancelled(sleep(BREATH)).await;
                }
            }
        }
    }

    /// Begins to serve a connection, in the one task it has.
    fn welcome(&mut self, arrival: Arrival) {
        let terms = Arc::clone(&self.terms.borrow());
        let (client, may_crowd) = match &arrival {
            Arrival::Tcp(_, address) => {
                let ip = address.ip();
                (Client::at(ip), terms.trusts(ip))
            }
            Arrival::Control(stream) => match stream.peer_cred() {
                Ok(peer) => (Client::User(peer.uid()), false),
                Err(error) => {
                    tracing::warn!(%error, "a control connection without credentials is refused");
                    return;
                }
            },
        };
        let Some(place) = self.places.take(client, may_crowd, &terms) else {
            // One line for a whole crowd.
            if !std::mem::replace(&mut self.crowded, true) {
                tracing::warn!(
                    "{client} has {} connections at work and gets no more; the limit is http.max_connections_per_client",
                    terms.max_connections_per_client
                );
            }
            return;
        };
        self.crowded = false;
        if let Some(gone) = place.evicted {
            self.tell_full(gone);
        }
        // A token of its own: every request looks at it, and one for all would be
        // everybody's lock.
        let (application, drain) = (self.application.clone(), self.drain.child_token());
        let standing = place.standing.clone();
        let header_timeout = terms.header_timeout;
        let visit = move |origin: Origin| Visit::<A> {
            clerk: application.welcome(Guest {
                origin: origin.clone(),
                acquaintance: standing.acquaintance(),
            }),
            origin,
            header_timeout,
            standing,
            drain,
        };
        match arrival {
            Arrival::Tcp(stream, address) => {
                // Answers are small: waiting to fill a packet only delays
                // them. A socket that is gone already says so at the read.
                let _ = stream.set_nodelay(true);
                let visit = visit(Origin::Tcp(address));
                match terms.secure.clone() {
                    Some(secure) => self.spawn(place, secured(secure, stream, visit)),
                    None => self.spawn(place, visit.http1(stream)),
                }
            }
            Arrival::Control(stream) => {
                self.spawn(place, async move {
                    match Peer::of(&stream).await {
                        Ok(peer) => visit(Origin::Unix(peer)).http1(stream).await,
                        Err(error) => tracing::warn!(
                            %error,
                            "a control connection without credentials is refused"
                        ),
                    }
                });
            }
        }
    }

    /// One line a minute: a flood must not drown the journal.
    fn tell_full(&mut self, gone: Client) {
        if self.told_full.is_none_or(|at| at.elapsed() >= MINUTE) {
            self.told_full = Some(Instant::now());
            tracing::warn!(
                "there are as many connections as there may be; for a new one one of {gone} went: if that is no flood, raise http.max_connections"
            );
        }
    }

    fn spawn(&self, place: Place, connection: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(async move {
            tokio::select! {
                () = connection => {}
                () = place.cut.cancelled() => {}
            }
        });
    }
}

/// TLS, and then what the two agree on. Until the daemon stops: a handshake is
/// no request that has to be answered.
async fn secured<A: Application>(secure: Secure, stream: TcpStream, visit: Visit<A>) {
    let handshake = timeout(visit.header_timeout, secure.accept(stream));
    let Some(Ok(handshake)) = visit.drain.run_until_cancelled(handshake).await else {
        return;
    };
    match handshake {
        Ok(stream) if is_http2(&stream) => visit.http2(stream).await,
        Ok(stream) => visit.http1(stream).await,
        Err(error) => {
            tracing::debug!(walinkd_peer = %visit.origin, %error, "no TLS connection");
        }
    }
}

impl Door {
    async fn accept(&self) -> io::Result<Arrival> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                Ok(Arrival::Tcp(stream, address))
            }
            Self::Control(socket) => socket.accept().await.map(Arrival::Control),
        }
    }

    fn regroup(&self, group: Option<u32>) {
        if let Self::Control(socket) = self {
            socket.regroup(group);
        }
    }
}

/// Waits for another group than `group`.
async fn changed_group(rules: &mut watch::Receiver<Arc<Rules>>, group: Option<u32>) -> Option<u32> {
    let found = |rules: &Arc<Rules>| rules.control_group != group;
    if let Ok(rules) = rules.wait_for(found).await {
        return rules.control_group;
    }
    // No more reloads.
    std::future::pending().await
}

/// Whether an accept failed because of that one client.
fn is_the_clients(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionRefused
            | ErrorKind::Interrupted
    )
}
