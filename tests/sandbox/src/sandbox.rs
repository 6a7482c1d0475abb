//! The handle: starts a sandbox, and ends it when dropped.

use crate::control::Control;
use crate::faults::{Fault, FaultError, Injected, Target};
use crate::options::Options;
use crate::phone::Phone;
use crate::server::Listener;
use crate::snapshot::{Snapshot, Stats};
use crate::state::State;
use crate::world::{Elapsed, World};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error("cannot listen: {0}")]
    Listen(#[from] io::Error),
    #[error("cannot make the server's keys")]
    Keys,
}

/// A WhatsApp of one's own. All of it ends when this is dropped.
pub struct Sandbox {
    core: Arc<Core>,
    control: Option<Control>,
}

/// What the handle and the control API share.
pub(crate) struct Core {
    world: Arc<World>,
    listener: Listener,
}

impl Sandbox {
    /// Starts one.
    ///
    /// # Errors
    ///
    /// When an address cannot be bound.
    pub async fn start(options: Options) -> Result<Self, SandboxError> {
        let control = options.control;
        let world = Arc::new(World::new(options).map_err(|_| SandboxError::Keys)?);
        let listener = Listener::open(Arc::clone(&world))?;
        let core = Arc::new(Core { world, listener });
        let control = match control {
            Some(address) => Some(Control::open(Arc::clone(&core), address).await?),
            None => None,
        };
        Ok(Self { core, control })
    }

    /// Where clients connect.
    pub fn url(&self) -> String {
        format!("ws://{}/ws/chat", self.core.listener.address())
    }

    /// Where the control API is, if there is one.
    pub fn control_url(&self) -> Option<String> {
        let control = self.control.as_ref()?;
        Some(format!("http://{}", control.address()))
    }

    pub fn address(&self) -> SocketAddr {
        self.core.listener.address()
    }

    /// A phone with this number, made if there is none.
    pub fn add_phone(&self, number: impl Into<String>) -> Phone {
        self.core.add_phone(number.into(), None)
    }

    /// A phone with this number and push name, made if there is none.
    pub fn add_phone_named(&self, number: impl Into<String>, push_name: &str) -> Phone {
        self.core.add_phone(number.into(), Some(push_name))
    }

    /// Arms a fault, after hitting the open connections it is meant for.
    ///
    /// # Errors
    ///
    /// When the target is a device and the fault's point is before its login.
    pub fn inject(&self, fault: Fault, target: Target) -> Result<Injected, FaultError> {
        self.core.world.inject(fault, target)
    }

    /// Disarms all faults. A connection in a black hole stays there.
    pub fn clear_faults(&self) {
        self.core.clear_faults();
    }

    /// Closes the port: connecting is refused. Open connections stay; see
    /// [`Fault::Drop`] to end them too.
    pub async fn refuse(&self) {
        self.core.listener.refuse().await;
    }

    /// Opens the port again, the same one.
    ///
    /// # Errors
    ///
    /// When somebody else has taken the port.
    pub fn accept(&self) -> io::Result<()> {
        self.core.listener.accept()
    }

    /// Gives the server a new key: clients' next resumptions fall back.
    ///
    /// # Errors
    ///
    /// When keys cannot be made.
    pub fn rotate_server_key(&self) -> Result<(), SandboxError> {
        self.core.rotate_server_key()
    }

    pub fn stats(&self) -> Stats {
        self.core.world.read(|state| state.stats.clone())
    }

    pub fn snapshot(&self) -> Snapshot {
        self.core.snapshot()
    }

    /// Waits until `holds` is true of the state, looking after each change.
    ///
    /// # Errors
    ///
    /// When it is not by the deadline, with the last state.
    pub async fn wait_for(
        &self,
        holds: impl FnMut(&Snapshot) -> bool,
        deadline: Duration,
    ) -> Result<Snapshot, Elapsed> {
        self.core.world.wait_for(holds, deadline).await
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // The control API may hold on to the core for an answer's length.
        self.core.listener.stop();
    }
}

impl Core {
    pub(crate) fn world(&self) -> &Arc<World> {
        &self.world
    }

    pub(crate) fn listener(&self) -> &Listener {
        &self.listener
    }

    pub(crate) fn add_phone(&self, number: String, push_name: Option<&str>) -> Phone {
        self.world.add_phone(&number, push_name);
        Phone::new(Arc::clone(&self.world), number)
    }

    pub(crate) fn phone(&self, number: &str) -> Option<Phone> {
        self.world
            .read(|state| state.phones.contains_key(number))
            .then(|| Phone::new(Arc::clone(&self.world), number.to_owned()))
    }

    pub(crate) fn clear_faults(&self) {
        self.world.update(|state| state.faults.clear());
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.world.read(State::snapshot)
    }

    pub(crate) fn rotate_server_key(&self) -> Result<(), SandboxError> {
        self.world.update(|state| {
            let rotated = state.identity.rotate().map_err(|_| SandboxError::Keys)?;
            state.identity = Arc::new(rotated);
            Ok(())
        })
    }
}
