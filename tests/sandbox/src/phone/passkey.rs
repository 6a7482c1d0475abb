//! The way from a shared secret to a link: straight, or through the passkey
//! gate if the account demands it. Either goes on when nobody waits for it any
//! more, as a phone would.

use super::link::{Candidate, LinkError, link};
use crate::passkey::{Passage, PasskeyError, Step};
use crate::server::{Order, passkey};
use crate::snapshot::LinkedDevice;
use crate::world::World;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// A pairing on its way.
pub(crate) struct Linking {
    gated: bool,
    task: JoinHandle<Result<LinkedDevice, LinkError>>,
}

impl Linking {
    /// Whether the client has to pass the gate first.
    pub(crate) fn gated(&self) -> bool {
        self.gated
    }

    pub(crate) async fn finished(self) -> Result<LinkedDevice, LinkError> {
        self.task.await.unwrap_or(Err(LinkError::NoAnswer))
    }
}

/// Begins to link the client, or to challenge it.
pub(super) fn admit(
    world: &Arc<World>,
    number: &str,
    candidate: Candidate,
    secret: [u8; 32],
) -> Result<Linking, LinkError> {
    let passage = world.update(|state| {
        let demands = state
            .phones
            .get(number)
            .and_then(|phone| phone.demands.clone());
        let connection = candidate.connection;
        let Some(terms) = demands else {
            let free = state.gates.number_on(connection).is_none();
            return free.then_some(None).ok_or(LinkError::Taken);
        };
        let passage = state.gates.open(number, connection, terms);
        state.stats.passkey_challenges += u64::from(passage.is_some());
        passage.map(Some).ok_or(LinkError::Taken)
    })?;
    let (world, number) = (Arc::clone(world), number.to_owned());
    let gated = passage.is_some();
    let task = tokio::spawn(async move {
        match passage {
            Some(passage) => link_through(&world, &number, candidate, passage).await,
            None => link(&world, &number, candidate, &secret).await,
        }
    });
    Ok(Linking { gated, task })
}

async fn link_through(
    world: &World,
    number: &str,
    candidate: Candidate,
    mut passage: Passage,
) -> Result<LinkedDevice, LinkError> {
    let linked = match pass(world, &candidate, &mut passage).await {
        Ok(secret) => {
            // The client has yet to note that its secret is the new one.
            tokio::time::sleep(world.options.reaction).await;
            link(world, number, candidate, &secret).await
        }
        Err(error) => {
            world.update(|state| state.stats.pairings_failed += 1);
            Err(error.into())
        }
    };
    world.update(|state| state.gates.close(number, &passage.challenge));
    linked
}

/// Sees the client through its gate, to its new secret.
async fn pass(
    world: &World,
    candidate: &Candidate,
    passage: &mut Passage,
) -> Result<[u8; 32], PasskeyError> {
    let tell = async |stanza| {
        let told = candidate.orders.send(Order::Tell(stanza)).await;
        told.map_err(|_| PasskeyError::Lost)
    };
    tell(passkey::challenge(passage.options.as_deref())).await?;
    let deadline = passage.expires.into();
    loop {
        let step = tokio::time::timeout_at(deadline, passage.steps.recv())
            .await
            .map_err(|_| PasskeyError::Expired)?;
        match step.ok_or(PasskeyError::Lost)? {
            Step::Continue(identity) => {
                tokio::time::sleep(world.options.reaction).await;
                tell(passkey::continuation(identity)).await?;
            }
            Step::Over(outcome) => return outcome,
        }
    }
}
