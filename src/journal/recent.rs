//! The newest events, in memory: whoever waits at the end of the journal is
//! served from here, and thousands that do cost the disk nothing.

use crate::wire::Event;
use std::collections::VecDeque;

/// So many are kept: two full batches of the writer, so that a reader rung by
/// the first finds it while the second comes in. Some 150 KiB, at most 2.5 MiB.
const KEPT: usize = 512;

/// Every event behind an id, as it is on the disk.
#[derive(Debug, Default)]
pub(super) struct Recent {
    events: VecDeque<Event>,
    /// None is missing between this id and the first.
    from: u64,
    newest: u64,
}

impl Recent {
    /// Nothing is known of what stands before `newest`.
    pub(super) fn begin(&mut self, newest: u64) {
        self.events.clear();
        self.from = newest;
        self.newest = newest;
    }

    /// What was just written, in order.
    pub(super) fn extend(&mut self, events: impl IntoIterator<Item = Event>) {
        for event in events {
            self.newest = event.id;
            if self.events.len() == KEPT
                && let Some(first) = self.events.pop_front()
            {
                self.from = first.id;
            }
            self.events.push_back(event);
        }
    }

    /// These are gone from the disk, and not told any more.
    pub(super) fn prune(&mut self, through: u64) {
        while self.events.front().is_some_and(|first| first.id <= through) {
            self.events.pop_front();
        }
        self.from = self.from.max(through);
        self.newest = self.newest.max(through);
    }

    /// At most `limit` events behind `id`, and the id to go on behind; `None`
    /// when the disk has to be asked.
    pub(super) fn after(&self, id: u64, limit: usize) -> Option<(Vec<Event>, u64)> {
        if !(self.from..=self.newest).contains(&id) {
            return None;
        }
        let begin = self.events.partition_point(|event| event.id <= id);
        let events: Vec<Event> = self.events.range(begin..).take(limit).cloned().collect();
        let next = events.last().map_or(self.newest, |event| event.id);
        Some((events, next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Severity, Timestamp};

    fn event(id: u64) -> Event {
        Event {
            id,
            kind: "admin.test".to_owned(),
            at: Timestamp::from_millis(0),
            severity: Severity::Info,
            message: String::new(),
            state: None,
            reason: None,
            peer: None,
            key: None,
            suppressed: None,
        }
    }

    fn after(recent: &Recent, id: u64, limit: usize) -> Option<(Vec<u64>, u64)> {
        let (events, next) = recent.after(id, limit)?;
        Some((events.iter().map(|event| event.id).collect(), next))
    }

    #[test]
    fn it_tells_what_it_has_whole_and_nothing_else() {
        let mut recent = Recent::default();
        recent.begin(10);
        recent.extend([12, 13, 15].map(event));
        assert_eq!(after(&recent, 9, 10), None, "there may be one at 10");
        assert_eq!(after(&recent, 10, 10), Some((vec![12, 13, 15], 15)));
        assert_eq!(after(&recent, 10, 2), Some((vec![12, 13], 13)));
        assert_eq!(after(&recent, 14, 10), Some((vec![15], 15)));
        assert_eq!(after(&recent, 15, 10), Some((vec![], 15)));
        assert_eq!(after(&recent, 16, 10), None, "of another journal");
        recent.prune(12);
        assert_eq!(after(&recent, 11, 10), None, "12 is gone");
        assert_eq!(after(&recent, 12, 10), Some((vec![13, 15], 15)));
        recent.prune(20);
        assert_eq!(after(&recent, 20, 10), Some((vec![], 20)));
        recent.begin(30);
        assert_eq!(after(&recent, 15, 10), None);
        assert_eq!(after(&recent, 30, 10), Some((vec![], 30)));
    }

    #[test]
    fn it_does_not_grow() {
        let mut recent = Recent::default();
        let last = KEPT as u64 * 3;
        recent.extend((1..=last).map(event));
        assert_eq!(recent.events.len(), KEPT);
        let oldest = last - KEPT as u64;
        assert_eq!(after(&recent, oldest - 1, 1), None);
        assert_eq!(
            after(&recent, oldest, 1),
            Some((vec![oldest + 1], oldest + 1))
        );
    }
}
