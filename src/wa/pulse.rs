//! Whether WhatsApp still answers on an open connection.

use std::{sync::Arc, time::Duration};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep_until},
};
use whatsapp_rust::{Client, IqError, wacore::iq::keepalive::KeepaliveSpec};

/// Between two pings, also of a session that shows codes: they are good for
/// nothing once its connection is dead. WhatsApp Web pings every 15 to 30 s.
const EVERY: Duration = Duration::from_secs(20);

/// An answer takes a round trip; a phone network's worst is a few seconds.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A ping that fails at once must not become a busy loop.
const BREATH: Duration = Duration::from_millis(100);

/// Pings, one after the other.
pub(super) struct Pulse {
    client: Arc<Client>,
    next: Instant,
    pinging: Option<JoinHandle<Result<(), IqError>>>,
    missed: u32,
}

/// What became of a ping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beat {
    Answered,
    /// So many in a row were not.
    Missed(u32),
}

impl Pulse {
    pub(super) fn new(client: Arc<Client>) -> Self {
        Self {
            client,
            next: Instant::now() + EVERY,
            pinging: None,
            missed: 0,
        }
    }

    /// Something has just been heard: the next ping can wait.
    pub(super) fn heard(&mut self) {
        self.next = Instant::now() + EVERY;
    }

    /// What becomes of the next ping. May be dropped and called again.
    pub(super) async fn beat(&mut self) -> Beat {
        if self.pinging.is_none() {
            sleep_until(self.next).await;
        }
        let client = &self.client;
        let pinging = self.pinging.get_or_insert_with(|| {
            let client = Arc::clone(client);
            tokio::spawn(async move { client.execute(KeepaliveSpec::with_timeout(TIMEOUT)).await })
        });
        let pong = pinging.await;
        self.pinging = None;
        if matches!(&pong, Ok(answer) if is_answer(answer)) {
            self.heard();
            self.missed = 0;
            Beat::Answered
        } else {
            // Ask again at once: one lost answer is not yet the end.
            self.next = Instant::now() + BREATH;
            self.missed += 1;
            Beat::Missed(self.missed)
        }
    }
}

/// Also a refusal is a sign of life.
fn is_answer(pong: &Result<(), IqError>) -> bool {
    matches!(
        pong,
        Ok(()) | Err(IqError::ServerError { .. } | IqError::UnexpectedResponseType { .. })
    )
}
