//! What machines watch: counts, gauges and latencies, as Prometheus reads them.
//!
//! Owns the registry and every name in it. What happens is counted where it is
//! told, once: events as the journal's [`Ear`], requests and refusals by whoever
//! answers them. How things stand is read at each scrape, [`Reading`]. Must
//! decide nothing, and hold nobody up. The values of a label are few and known
//! here, in a code or in a table, or names that the configuration gives to
//! webhooks: never a number, a key's name or an address.

mod events;
mod families;
mod reading;
mod refusals;
mod requests;
#[cfg(test)]
mod tests;
mod words;

pub use reading::Reading;
pub use requests::{Answering, Often};
#[cfg(test)]
pub(crate) use words::REASONS;

use crate::{
    auth::Refused,
    journal::{Ear, Entry},
};
use events::Events;
use prometheus::{Registry, TextEncoder, process_collector::ProcessCollector};
use refusals::Refusals;
use requests::Requests;

/// Text format 0.0.4, which every Prometheus reads.
pub const MEDIA: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Counts what happens.
#[derive(Debug)]
pub struct Meter {
    registry: Registry,
    events: Events,
    refusals: Refusals,
    requests: Requests,
}

impl Meter {
    pub fn new(version: &str) -> Self {
        let registry = Registry::new();
        let info = families::gauges(
            &registry,
            "walinkd_build_info",
            "Always 1; the label tells which version runs.",
            &["version"],
        );
        info.with_label_values(&[version]).set(1.0);
        families::register(&registry, ProcessCollector::for_self());
        Self {
            events: Events::new(&registry),
            refusals: Refusals::new(&registry),
            requests: Requests::new(&registry),
            registry,
        }
    }

    /// A request whose head has come. `route` is as the table of routes has it,
    /// or `None`; never what the client has sent.
    pub fn begin(&self, route: Option<&str>, method: &str) -> Answering<'_> {
        self.requests.begin(route, method)
    }

    /// For a call that is made often.
    pub fn often(&self, route: &str, method: &str) -> Often {
        self.requests.often(route, method)
    }

    pub fn refused(&self, refused: &Refused) {
        self.refusals.refused(&refused.refusal);
        if refused.locks_out.is_some() {
            self.refusals.locked_out();
        }
    }

    /// The right to a call was lost on the way.
    pub fn revoked(&self) {
        self.refusals.refused(&crate::auth::Refusal::Revoked);
    }

    /// All there is, with how things stand.
    ///
    /// # Errors
    ///
    /// When it cannot be written, which would be a fault in here.
    pub fn text(&self, reading: &Reading) -> prometheus::Result<String> {
        let mut families = self.registry.gather();
        families.extend(reading.families());
        families.sort_by(|one, other| one.name().cmp(other.name()));
        TextEncoder::new().encode_to_string(&families)
    }
}

impl Ear for Meter {
    fn hear(&self, entry: &Entry) {
        self.events.hear(entry);
    }
}
