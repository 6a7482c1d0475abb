//! The one lock of a sandbox, and the bell that rings after each change.

use crate::clock;
use crate::faults::{Fault, FaultError, Faults, Injected, Point, Target};
use crate::noise::{NoiseError, ServerIdentity};
use crate::options::Options;
use crate::server::Order;
use crate::snapshot::Snapshot;
use crate::state::{PhoneState, State};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

pub(crate) struct World {
    pub(crate) options: Options,
    state: Mutex<State>,
    changed: watch::Sender<u64>,
}

/// A condition did not come to hold in time.
#[derive(Debug, thiserror::Error)]
#[error("the condition did not hold within {waited:?}; the last state was {last:#?}")]
pub struct Elapsed {
    pub waited: Duration,
    pub last: Box<Snapshot>,
}

impl World {
    pub(crate) fn new(options: Options) -> Result<Self, NoiseError> {
        Ok(Self {
            options,
            state: Mutex::new(State::new(ServerIdentity::generate()?)),
            changed: watch::Sender::new(0),
        })
    }

    pub(crate) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.lock())
    }

    /// Changes the state and wakes those who wait for it to change.
    pub(crate) fn update<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let out = change(&mut self.lock());
        self.changed.send_modify(|revision| *revision += 1);
        out
    }

    pub(crate) async fn wait_for(
        &self,
        mut holds: impl FnMut(&Snapshot) -> bool,
        deadline: Duration,
    ) -> Result<Snapshot, Elapsed> {
        let mut changed = self.changed.subscribe();
        let seen = async {
            loop {
                changed.mark_unchanged();
                let snapshot = self.read(State::snapshot);
                if holds(&snapshot) {
                    return snapshot;
                }
                // The sender lives in `self`: this cannot fail.
                let _: Result<(), _> = changed.changed().await;
            }
        };
        match tokio::time::timeout(deadline, seen).await {
            Ok(snapshot) => Ok(snapshot),
            Err(_) => Err(Elapsed {
                waited: deadline,
                last: Box::new(self.read(State::snapshot)),
            }),
        }
    }

    /// The fault a connection meets at `point`, if any.
    pub(crate) fn meet(&self, point: Point, device: Option<&str>) -> Option<Fault> {
        // Most points meet nothing, and then nothing has changed.
        if self.read(|state| state.faults.armed().is_empty()) {
            return None;
        }
        self.update(|state| {
            let fault = state.faults.take(point, device)?;
            state.stats.faults_hit += 1;
            Some(fault)
        })
    }

    /// All the faults a connection meets at `point`, each once.
    pub(crate) fn meet_all(&self, point: Point, device: Option<&str>) -> Vec<Fault> {
        if self.read(|state| state.faults.armed().is_empty()) {
            return Vec::new();
        }
        self.update(|state| {
            let faults = state.faults.take_all(point, device);
            state.stats.faults_hit += faults.len() as u64;
            faults
        })
    }

    pub(crate) fn inject(&self, fault: Fault, target: Target) -> Result<Injected, FaultError> {
        Faults::check(&fault, &target)?;
        Ok(self.update(|state| {
            let mut hit = 0;
            if fault.point() == Point::Live && target.hits_open() {
                for connection in state.connections.values() {
                    let device = connection.device.as_ref().map(|id| id.jid().to_string());
                    if connection.is_live()
                        && target.reaches(device.as_deref())
                        && connection
                            .orders
                            .try_send(Order::Fault(fault.clone()))
                            .is_ok()
                    {
                        hit += 1;
                    }
                }
                state.stats.faults_hit += hit as u64;
            }
            let armed = state.faults.arm(fault, target, hit);
            Injected { hit, armed }
        }))
    }

    /// Adds a phone, or renames the one that has the number.
    pub(crate) fn add_phone(&self, number: &str, push_name: Option<&str>) {
        self.update(|state| {
            let now = clock::unix();
            let phone = state
                .phones
                .entry(number.to_owned())
                .or_insert_with(|| PhoneState::new(number.to_owned(), String::new(), now));
            if let Some(name) = push_name {
                name.clone_into(&mut phone.push_name);
            } else if phone.push_name.is_empty() {
                phone.push_name = format!("Phone {number}");
            }
        });
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic under this lock would leave plain data behind, none of it
        // half-linked in a way that matters to a test that failed already.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
