//! Who hears each event as it is told.

use super::entry::Entry;
use std::fmt;

/// Hears every event, also those that the journal cannot keep. In the order of
/// each teller, in whose task it runs: it must not wait.
pub trait Ear: fmt::Debug + Send + Sync {
    fn hear(&self, entry: &Entry);
}
