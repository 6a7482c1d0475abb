//! How things stand at the time of a scrape.

use super::families::{counter, counters, gauge, gauges};
use crate::wire::{State, Status, Timestamp, WebhookInfo};
use prometheus::{Registry, proto::MetricFamily};

/// Read by whoever is scraped, and written down here.
#[derive(Debug)]
pub struct Reading {
    pub status: Status,
    pub now: Timestamp,
    /// Sessions opened so far, by what for.
    pub openings: [(&'static str, u64); 3],
    /// Open streams of events.
    pub streams: usize,
    pub events_lost: u64,
    /// Whether events can be kept.
    pub journal_ok: bool,
    pub webhooks: Vec<WebhookInfo>,
}

impl Reading {
    /// On a registry of its own: two scrapes at once must not mix.
    pub(super) fn families(&self) -> Vec<MetricFamily> {
        let registry = Registry::new();
        self.connection(&registry);
        self.journal(&registry);
        self.webhooks(&registry);
        gauge(
            &registry,
            "walinkd_event_streams",
            "Open streams of events.",
            count(self.streams),
        );
        registry.gather()
    }

    fn connection(&self, registry: &Registry) {
        let status = &self.status;
        let gauge = |name, help, value| gauge(registry, name, help, value);
        let states = gauges(
            registry,
            "walinkd_state",
            "1 for the state that the connection is in, 0 for the others.",
            &["state"],
        );
        for state in State::ALL {
            let is = f64::from(state == status.state);
            states.with_label_values(&[state.as_str()]).set(is);
        }
        gauge(
            "walinkd_state_seconds",
            "Since the connection is in its state.",
            self.since(status.state_since),
        );
        gauge(
            "walinkd_connected",
            "1 while WhatsApp answers on the live socket.",
            f64::from(status.is_connected),
        );
        gauge(
            "walinkd_linked",
            "1 while a phone has this device among its linked ones, as far as is known.",
            f64::from(status.jid.is_some()),
        );
        if let Some(at) = status.last_heard_at {
            gauge(
                "walinkd_last_heard_age_seconds",
                "Since the last byte from WhatsApp; missing before the first.",
                self.since(at),
            );
        }
        gauge(
            "walinkd_attempts",
            "Attempts to connect since the last that succeeded.",
            f64::from(status.attempts),
        );
        gauge(
            "walinkd_health_warnings",
            "Warnings in the status.",
            count(status.health.len()),
        );
        let attempts = counters(
            registry,
            "walinkd_connection_attempts_total",
            "Connections to WhatsApp that were begun: to log in, or to link by QR code or pairing code.",
            &["purpose"],
        );
        for (purpose, opened) in self.openings {
            attempts.with_label_values(&[purpose]).inc_by(opened);
        }
    }

    fn journal(&self, registry: &Registry) {
        let lost = counter(
            registry,
            "walinkd_journal_events_lost_total",
            "Events that could not be kept; they are only in the log.",
        );
        lost.inc_by(self.events_lost);
        gauge(
            registry,
            "walinkd_journal_writable",
            "1 while events can be kept.",
            f64::from(self.journal_ok),
        );
    }

    fn webhooks(&self, registry: &Registry) {
        let each = |name, help| gauges(registry, name, help, &["webhook"]);
        let events = each(
            "walinkd_webhook_lag_events",
            "Events that the webhook asks for and that its receiver has not taken.",
        );
        let seconds = each(
            "walinkd_webhook_lag_seconds",
            "Since the oldest event happened that the webhook's receiver has not taken; 0 when it has all.",
        );
        let failures = each(
            "walinkd_webhook_failures",
            "Attempts that have failed since the webhook's receiver took one, or since the daemon began.",
        );
        let paused = each(
            "walinkd_webhook_paused",
            "1 while nothing is sent until somebody resumes the webhook.",
        );
        let attempts = counters(
            registry,
            "walinkd_webhook_attempts_total",
            "Attempts to hand an event to the webhook's receiver, by what became of them.",
            &["webhook", "outcome"],
        );
        for webhook in &self.webhooks {
            let name = webhook.name.as_str();
            let oldest = webhook.waiting_since.map_or(0.0, |at| self.since(at));
            events
                .with_label_values(&[name])
                .set(count(webhook.backlog));
            seconds.with_label_values(&[name]).set(oldest);
            failures
                .with_label_values(&[name])
                .set(webhook.failures.into());
            paused.with_label_values(&[name]).set(webhook.paused.into());
            for (outcome, times) in &webhook.attempts {
                let labels = [name, outcome.as_str()];
                attempts.with_label_values(&labels).inc_by(*times);
            }
        }
    }

    /// Never below zero: a clock may be set.
    fn since(&self, at: Timestamp) -> f64 {
        let millis = self.now.millis().saturating_sub(at.millis()).max(0);
        std::time::Duration::from_millis(millis.unsigned_abs()).as_secs_f64()
    }
}

fn count(of: impl TryInto<u32>) -> f64 {
    of.try_into().unwrap_or(u32::MAX).into()
}
