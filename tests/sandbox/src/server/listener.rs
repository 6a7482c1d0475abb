//! The listening socket: accepts, and on demand closes and opens again on the
//! port it has had from the start.

use super::connection;
use crate::world::World;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::{JoinHandle, JoinSet};

pub(crate) struct Listener {
    world: Arc<World>,
    address: SocketAddr,
    accepting: Mutex<Option<JoinHandle<()>>>,
    /// Every connection runs in here, so that all end with the sandbox.
    connections: Arc<Mutex<JoinSet<()>>>,
}

impl Listener {
    pub(crate) fn open(world: Arc<World>) -> io::Result<Self> {
        let bound = bind(world.options.listen)?;
        let listener = Self {
            address: bound.local_addr()?,
            world,
            accepting: Mutex::default(),
            connections: Arc::default(),
        };
        listener.run(bound);
        Ok(listener)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes the port: connecting is refused. Open connections stay.
    pub(crate) async fn refuse(&self) {
        let task = lock(&self.accepting).take();
        if let Some(task) = task {
            task.abort();
            // The port is free once the task is gone, which has the socket.
            let _: Result<(), _> = task.await;
        }
        self.world.update(|state| state.accepting = false);
    }

    /// Opens the port again.
    pub(crate) fn accept(&self) -> io::Result<()> {
        if lock(&self.accepting).is_some() {
            return Ok(());
        }
        self.run(bind(self.address)?);
        self.world.update(|state| state.accepting = true);
        Ok(())
    }

    /// Closes the port and drops every connection, for good.
    pub(crate) fn stop(&self) {
        if let Some(task) = lock(&self.accepting).take() {
            task.abort();
        }
        lock(&self.connections).abort_all();
    }

    fn run(&self, bound: TcpListener) {
        let world = Arc::clone(&self.world);
        let connections = Arc::clone(&self.connections);
        let task = tokio::spawn(async move {
            loop {
                match bound.accept().await {
                    Ok((tcp, _)) => {
                        let mut connections = lock(&connections);
                        // Reap what has ended.
                        while connections.try_join_next().is_some() {}
                        connections.spawn(connection::serve(Arc::clone(&world), tcp));
                    }
                    Err(error) => tracing::warn!(%error, "cannot accept"),
                }
            }
        });
        *lock(&self.accepting) = Some(task);
    }
}

/// What is behind these locks stays sound through a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Connections of the past may linger on the port; they must not keep it.
fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(1024)
}
