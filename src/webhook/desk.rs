//! Every endpoint with its worker, and what people ask about them.

use super::{
    delivery::{Failure, Tools},
    message::Message,
    standing::Standing,
    worker::Worker,
};
use crate::{
    config::Webhook,
    journal::ReadError,
    wire::{WebhookInfo, WebhookOutcome, WebhookTested},
};
use futures_util::future::join_all;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{Notify, watch};
use tokio_util::task::AbortOnDropHandle;

/// Below the time that a request may take.
const TEST_PATIENCE: Duration = Duration::from_secs(9);

/// A cheap, cloneable hold on all endpoints.
#[derive(Clone)]
pub struct Desk(Arc<Inner>);

struct Inner {
    tools: Arc<Tools>,
    running: Mutex<BTreeMap<String, Running>>,
}

struct Running {
    webhook: watch::Sender<Arc<Webhook>>,
    standing: watch::Receiver<Standing>,
    resumed: Arc<Notify>,
    #[expect(dead_code, reason = "works until it is dropped")]
    worker: AbortOnDropHandle<()>,
}

impl Desk {
    /// Begins to serve `webhooks`. What is known of others is forgotten: one
    /// that comes back later is a new one.
    pub async fn open(tools: Tools, webhooks: &[Webhook]) -> Self {
        let tools = Arc::new(tools);
        // A journal that cannot be read keeps no bookmarks either.
        for name in tools.reader.bookmarked().await.unwrap_or_default() {
            if webhooks.iter().all(|webhook| webhook.name != name) {
                tools.bookmarks.remove(&name);
            }
        }
        let desk = Self(Arc::new(Inner {
            tools,
            running: Mutex::default(),
        }));
        desk.configure(webhooks);
        desk
    }

    /// Serves these from now on, and no others. One of a known name goes on
    /// where it is.
    pub fn configure(&self, webhooks: &[Webhook]) {
        let tools = &self.0.tools;
        let mut running = self.running();
        running.retain(|name, _| {
            let stays = webhooks.iter().any(|webhook| webhook.name == *name);
            if !stays {
                tools.bookmarks.remove(name);
            }
            stays
        });
        for webhook in webhooks {
            match running.get(&webhook.name) {
                Some(known) => {
                    known.webhook.send_if_modified(|current| {
                        let differs = **current != *webhook;
                        *current = Arc::new(webhook.clone());
                        differs
                    });
                }
                None => {
                    let begun = begin(Arc::clone(tools), webhook.clone());
                    running.insert(webhook.name.clone(), begun);
                }
            }
        }
    }

    /// All of them, by their names.
    ///
    /// # Errors
    ///
    /// When the events cannot be counted.
    pub async fn list(&self) -> Result<Vec<WebhookInfo>, ReadError> {
        let mut all = Vec::new();
        for (webhook, standing) in self.chosen(None) {
            let waiting = self.0.tools.reader.count(standing.after).await?;
            let waiting = waiting.iter().filter(|count| webhook.wants(&count.kind));
            let attempts = |outcome| standing.attempts.get(&outcome).copied().unwrap_or(0);
            let patterns = webhook.events.iter();
            all.push(WebhookInfo {
                name: webhook.name.clone(),
                url: webhook.target.to_string(),
                events: patterns
                    .map(|pattern| pattern.as_str().to_owned())
                    .collect(),
                cursor: standing.after,
                backlog: waiting.clone().map(|count| count.events).sum(),
                waiting_since: waiting.map(|count| count.oldest).min(),
                attempts: WebhookOutcome::ALL
                    .map(|outcome| (outcome, attempts(outcome)))
                    .into(),
                failures: standing.failures,
                last_success_at: standing.kept.last_success_at,
                last_failure: standing.kept.last_failure,
                next_attempt_at: standing.next_attempt_at,
                paused: standing.kept.paused.is_some(),
            });
        }
        Ok(all)
    }

    /// Sends a test to the one of this name, or to all, at once and past what
    /// waits.
    pub async fn test(&self, name: Option<&str>) -> Vec<WebhookTested> {
        let tests = self
            .chosen(name)
            .into_iter()
            .map(|(webhook, _)| async move {
                let message = Message::test((self.0.tools.clock)());
                let sent = self.0.tools.send(&webhook, &message, TEST_PATIENCE).await;
                let (status, error) = match sent {
                    Ok(status) => (Some(status), None),
                    Err(Failure {
                        status, message, ..
                    }) => (status, Some(message)),
                };
                WebhookTested {
                    name: webhook.name.clone(),
                    delivered: error.is_none(),
                    status: status.map(|status| status.as_u16()),
                    error,
                }
            });
        join_all(tests).await
    }

    /// Ends the pause of the one of this name, or of all, and the wait of those
    /// that fail. Gives their names.
    pub fn resume(&self, name: Option<&str>) -> Vec<String> {
        let running = self.running();
        let chosen = running.iter().filter(|(known, running)| {
            let standing = running.standing.borrow();
            let waits = standing.kept.paused.is_some() || standing.next_attempt_at.is_some();
            waits && name.is_none_or(|name| name == *known)
        });
        let resume = |(name, running): (&String, &Running)| {
            running.resumed.notify_one();
            name.clone()
        };
        chosen.map(resume).collect()
    }

    /// Whether there is one of this name; or any at all.
    pub fn knows(&self, name: Option<&str>) -> bool {
        !self.chosen(name).is_empty()
    }

    /// What somebody should look after.
    pub fn warnings(&self) -> Vec<String> {
        // Asked with every status: nothing is copied where nothing is to be told.
        let running = self.running();
        let paused = running.iter().filter_map(|(name, running)| {
            let standing = running.standing.borrow();
            let why = standing.kept.paused.as_ref()?;
            Some(format!(
                "webhook {name} is paused: {why}: mend the receiver, then run walinkd webhook resume {name}"
            ))
        });
        paused.collect()
    }

    fn chosen(&self, name: Option<&str>) -> Vec<(Arc<Webhook>, Standing)> {
        let running = self.running();
        let chosen = running
            .iter()
            .filter(|(known, _)| name.is_none_or(|name| name == *known));
        let told = chosen.map(|(_, running)| {
            let webhook = Arc::clone(&running.webhook.borrow());
            (webhook, running.standing.borrow().clone())
        });
        told.collect()
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<String, Running>> {
        self.0
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn begin(tools: Arc<Tools>, webhook: Webhook) -> Running {
    let present = *tools.reader.newest().borrow();
    let (webhook, current) = watch::channel(Arc::new(webhook));
    let begun = Standing {
        after: present,
        ..Standing::default()
    };
    let (standing, told) = watch::channel(begun);
    let resumed = Arc::new(Notify::new());
    let worker = Worker {
        webhook: current,
        resumed: Arc::clone(&resumed),
        standing,
        tools,
    };
    let worker = tokio::spawn(worker.run(present));
    Running {
        webhook,
        standing: told,
        resumed,
        worker: AbortOnDropHandle::new(worker),
    }
}
