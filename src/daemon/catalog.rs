//! Every kind of event the daemon logs: its message ID for the journal, and
//! what `journalctl -x` says about it.
//!
//! `packaging/walinkd.catalog` is made from this table; a test compares the
//! two, and looks through the sources for kinds that are missing here.

mod entries;

use entries::ENTRIES;

/// One kind of event.
struct Entry {
    /// The field `walinkd_event`.
    kind: &'static str,
    /// Made once and never changed: people search the journal for it.
    id: &'static str,
    #[cfg_attr(not(test), expect(dead_code, reason = "for the catalog's file"))]
    subject: &'static str,
    /// What it means and what to do, in lines of at most 80 characters.
    #[cfg_attr(not(test), expect(dead_code, reason = "for the catalog's file"))]
    text: &'static str,
}

const fn entry(
    kind: &'static str,
    id: &'static str,
    subject: &'static str,
    text: &'static str,
) -> Entry {
    Entry {
        kind,
        id,
        subject,
        text,
    }
}

/// The journal's `MESSAGE_ID` for a kind of event.
pub(super) fn message_id(kind: &str) -> Option<&'static str> {
    let entry = ENTRIES.iter().find(|entry| entry.kind == kind)?;
    Some(entry.id)
}

#[cfg(test)]
mod tests;
