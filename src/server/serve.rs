//! Accepting, and stopping to.

use super::{
    ControlSocket,
    connection::{self, Ends},
    places::{Place, Places},
};
use crate::auth::{Origin, Peer, Rules};
use axum::Router;
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
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long requests may take to finish once the daemon stops.
/// The whole stop is to be over within five seconds.
const DRAIN: Duration = Duration::from_secs(4);
/// The pause after an accept that failed for want of descriptors or memory.
const BREATH: Duration = Duration::from_millis(100);

/// What a reload may change about connections; holds for new ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// From a request's first byte to the end of its headers.
    pub header_timeout: Duration,
    /// At once, over all TCP listeners; the control sockets have as many again
    /// for themselves, so that a crowd on TCP does not lock the operator out.
    pub max_connections: usize,
}

/// The listeners, and what is served on them.
#[derive(Debug)]
pub struct Server {
    doors: Vec<Door>,
    tcp: Router,
    control: Router,
    limits: watch::Receiver<Arc<Limits>>,
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

impl Server {
    /// Serves `tcp` on TCP listeners and `control` on control sockets. `rules`
    /// says which group the control sockets belong to.
    pub fn new(
        tcp: Router,
        control: Router,
        limits: watch::Receiver<Arc<Limits>>,
        rules: watch::Receiver<Arc<Rules>>,
    ) -> Self {
        Self {
            doors: Vec::new(),
            tcp,
            control,
            limits,
            rules,
        }
    }

    pub fn listen_tcp(&mut self, listener: TcpListener) {
        self.doors.push(Door::Tcp(listener));
    }

    /// Where it listens, for the log: addresses with the ports that the system
    /// chose, and the control sockets' paths.
    pub fn places(&self) -> Vec<String> {
        let mut places = Vec::new();
        for door in &self.doors {
            match door {
                Door::Tcp(listener) => {
                    let address = listener.local_addr().ok();
                    places.extend(address.map(|address| format!("http://{address}")));
                }
                Door::Control(socket) => {
                    let path = socket.path();
                    places.extend(path.map(|path| format!("control socket {}", path.display())));
                }
            }
        }
        places
    }

    pub fn listen_control(&mut self, socket: ControlSocket) {
        self.doors.push(Door::Control(socket));
    }

    /// Serves until `stop` is cancelled; then accepts no more, lets what is
    /// being answered finish for at most four seconds, and cuts the rest.
    pub async fn run(self, stop: CancellationToken) {
        let tasks = TaskTracker::new();
        let cut = CancellationToken::new();
        let (tcp_places, control_places) = (Places::new(), Places::new());
        let mut loops = JoinSet::new();
        for door in self.doors {
            let (router, places) = match door {
                Door::Tcp(_) => (&self.tcp, &tcp_places),
                Door::Control(_) => (&self.control, &control_places),
            };
            let hall = Hall {
                router: router.clone(),
                places: places.clone(),
                limits: self.limits.clone(),
                ends: Ends {
                    drain: stop.clone(),
                    cut: cut.clone(),
                },
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
struct Hall {
    router: Router,
    places: Places,
    limits: watch::Receiver<Arc<Limits>>,
    ends: Ends,
    tasks: TaskTracker,
}

impl Hall {
    async fn receive(mut self, door: Door, mut rules: watch::Receiver<Arc<Rules>>) {
        let mut group = rules.borrow_and_update().control_group;
        let mut failing = false;
        let stop = self.ends.drain.clone();
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                now = changed_group(&mut rules, group) => {
                    door.regroup(now);
                    group = now;
                    continue;
                }
                accepted = async {
                    self.places.free(&mut self.limits).await;
                    door.accept().await
                } => accepted,
            };
            match accepted {
                Ok(arrival) => {
                    failing = false;
                    self.welcome(arrival);
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
    fn welcome(&self, arrival: Arrival) {
        let place = self.places.take();
        let router = self.router.clone();
        let header_timeout = self.limits.borrow().header_timeout;
        let ends = self.ends.clone();
        match arrival {
            Arrival::Tcp(stream, address) => {
                self.spawn(place, async move {
                    // Answers are small: waiting to fill a packet only delays
                    // them. A socket that is gone already says so at the read.
                    let _ = stream.set_nodelay(true);
                    let origin = Origin::Tcp(address);
                    connection::serve(stream, origin, router, header_timeout, ends).await;
                });
            }
            Arrival::Control(stream) => {
                self.spawn(place, async move {
                    match Peer::of(&stream).await {
                        Ok(peer) => {
                            let origin = Origin::Unix(peer);
                            connection::serve(stream, origin, router, header_timeout, ends).await;
                        }
                        Err(error) => tracing::warn!(
                            %error,
                            "a control connection without credentials is refused"
                        ),
                    }
                });
            }
        }
    }

    fn spawn(&self, place: Place, connection: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(async move {
            connection.await;
            drop(place);
        });
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
