//! Serves one endpoint: one message at a time, in order, each until it is taken.

use super::{
    delivery::{Failure, Tools},
    message::Message,
    schedule,
    standing::Standing,
};
use crate::{
    config::Webhook,
    journal::{Bookmark, Entry, Page, ReadError},
    wire::{Event, Gap, PairingCode, Severity, WebhookFailure, WebhookOutcome},
};
use hyper::StatusCode;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, watch},
    time::sleep,
};

/// For the whole of a receiver's answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// Events read at once.
const PAGE: usize = 100;

/// How soon a journal that could not be read is tried again.
const REREAD: Duration = Duration::from_secs(10);

pub(super) struct Worker {
    pub(super) webhook: watch::Receiver<Arc<Webhook>>,
    pub(super) resumed: Arc<Notify>,
    pub(super) standing: watch::Sender<Standing>,
    pub(super) tools: Arc<Tools>,
}

/// What is to be handed over.
enum Parcel<'e> {
    Gap(Gap),
    Event(&'e Event),
}

impl Worker {
    /// Goes on where it was, or begins behind `present`, until it is dropped.
    pub(super) async fn run(mut self, present: u64) {
        while let Err(error) = self.recall(present).await {
            if self.wait_to_reread(&error).await.is_err() {
                return;
            }
        }
        let mut cursor = self.tools.reader.cursor(Some(self.standing.borrow().after));
        loop {
            self.until_resumed().await;
            let at = cursor.id();
            match cursor.next(PAGE).await {
                Ok(page) => self.serve(at, page).await,
                Err(error) => {
                    if self.wait_to_reread(&error).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    async fn wait_to_reread(&self, error: &ReadError) -> Result<(), ()> {
        if matches!(error, ReadError::Stopping) {
            return Err(());
        }
        tracing::error!("webhook {} has to wait: {error}", self.name());
        sleep(REREAD).await;
        Ok(())
    }

    async fn recall(&mut self, present: u64) -> Result<(), ReadError> {
        let bookmark = self.tools.reader.bookmark(&self.name()).await?;
        self.standing.send_modify(|standing| {
            standing.after = present;
            if let Some(bookmark) = bookmark {
                standing.after = bookmark.after;
                // One that cannot be read is of another version: the place counts.
                standing.kept = serde_json::from_str(&bookmark.note).unwrap_or_default();
            }
        });
        self.mark();
        Ok(())
    }

    /// A page that was read behind the id `at`.
    async fn serve(&mut self, at: u64, page: Page) {
        if page.gap {
            let first = page.events.first();
            let to = first.map_or(page.next, |first| first.id.saturating_sub(1));
            self.hand_over(&Parcel::Gap(Gap { from: at, to })).await;
            self.passed(to);
            self.mark();
        }
        for event in &page.events {
            let taken = self.hand_over(&Parcel::Event(event)).await;
            self.passed(event.id);
            if taken {
                self.mark();
            }
        }
        self.passed(page.next);
        self.mark();
    }

    fn passed(&self, id: u64) {
        self.standing.send_modify(|standing| standing.after = id);
    }

    /// Until it is taken; false when it is not wanted.
    async fn hand_over(&mut self, parcel: &Parcel<'_>) -> bool {
        loop {
            self.until_resumed().await;
            let webhook = Arc::clone(&self.webhook.borrow_and_update());
            let message = match parcel {
                Parcel::Gap(gap) => Message::gap(*gap, (self.tools.clock)()),
                Parcel::Event(event) if webhook.wants(&event.kind) => {
                    Message::event(event, self.code(&webhook, event).await.as_ref())
                }
                Parcel::Event(_) => return false,
            };
            match self.tools.send(&webhook, &message, PATIENCE).await {
                Ok(_) => {
                    self.succeeded();
                    return true;
                }
                Err(failure) => {
                    let wait = self.failed(failure);
                    tokio::select! {
                        () = sleep(wait) => {}
                        () = self.resumed.notified() => self.begin_afresh(),
                        Ok(()) = self.webhook.changed() => {}
                    }
                }
            }
        }
    }

    async fn code(&self, webhook: &Webhook, event: &Event) -> Option<PairingCode> {
        if !webhook.pairing_codes || event.kind != "pairing.code" {
            return None;
        }
        (self.tools.codes)(event.clone()).await
    }

    async fn until_resumed(&self) {
        while self.standing.borrow().kept.paused.is_some() {
            self.resumed.notified().await;
            self.begin_afresh();
        }
    }

    fn begin_afresh(&self) {
        self.standing.send_modify(Standing::afresh);
        self.mark();
    }

    fn succeeded(&self) {
        let was_told = self.standing.borrow().told;
        self.standing.send_modify(|standing| {
            standing.afresh();
            standing.count(WebhookOutcome::Delivered);
            standing.kept.last_success_at = Some((self.tools.clock)());
        });
        if was_told {
            let told = format!("webhook {}: events are taken again", self.name());
            self.tell("admin.webhook_delivering", Severity::Info, told);
        }
    }

    /// How long to wait then.
    fn failed(&self, failure: Failure) -> Duration {
        let now = (self.tools.clock)();
        let name = self.name();
        let mut standing = self.standing.borrow().clone();
        standing.count(failure.outcome);
        standing.failures = standing.failures.saturating_add(1);
        let since = *standing.kept.failing_since.get_or_insert(now);
        let wait = schedule::wait(standing.failures, dice(), failure.retry_after);
        let message = failure.message;
        tracing::debug!("webhook {name}: {message}; again in {wait:?}");
        standing.next_attempt_at =
            Some(now.plus_millis(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)));
        standing.kept.last_failure = Some(WebhookFailure {
            at: now,
            message: message.clone(),
        });
        let hopeless = schedule::is_hopeless(since, now);
        if hopeless || failure.status == Some(StatusCode::GONE) {
            standing.next_attempt_at = None;
            standing.kept.paused = Some(message.clone());
            let long = if hopeless { ", for three days now" } else { "" };
            let told = format!(
                "webhook {name} is paused: {message}{long}: mend the receiver, then run walinkd webhook resume {name}"
            );
            self.tell("admin.webhook_paused", Severity::Error, told);
        } else if !standing.told && schedule::is_news(since, now) {
            standing.told = true;
            let told = format!("webhook {name} fails since {since}: {message}");
            self.tell("admin.webhook_failing", Severity::Warning, told);
        }
        self.standing.send_replace(standing);
        self.mark();
        wait
    }

    fn tell(&self, kind: &'static str, severity: Severity, told: String) {
        self.tools.recorder.record(Entry::new(kind, severity, told));
    }

    fn mark(&self) {
        let standing = self.standing.borrow();
        let note = serde_json::to_string(&standing.kept).unwrap_or_default();
        let after = standing.after;
        drop(standing);
        self.tools
            .bookmarks
            .set(&self.name(), Bookmark { after, note });
    }

    fn name(&self) -> String {
        self.webhook.borrow().name.clone()
    }
}

/// From 0 to 1. Without randomness there is only no jitter.
fn dice() -> f64 {
    getrandom::u32().map_or(0.0, |dice| f64::from(dice) / f64::from(u32::MAX))
}
