//! Events as they are sent. Each is written once, however many are sent it.

use crate::{
    journal::Page,
    wire::{Event, Gap, Status},
};
use axum::body::Bytes;
use serde::Serialize;
use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

/// Written and kept: what all who wait at the end of the journal are being sent.
/// Who is further behind has them written anew.
const KEPT: usize = 64;

/// A comment: heard by the connection, told to nobody.
pub(super) const HEARTBEAT: Bytes = Bytes::from_static(b": still here\n\n");

/// The events written last, by their ids.
#[derive(Debug, Default)]
pub struct Frames(Mutex<VecDeque<(u64, Bytes)>>);

impl Frames {
    /// A page that was read behind the id `at`.
    pub(super) fn page(&self, at: u64, page: &Page) -> Bytes {
        if !page.gap
            && let [event] = &page.events[..]
        {
            return self.event(event);
        }
        let mut all = Vec::new();
        if page.gap {
            let first = page.events.first();
            let to = first.map_or(page.next, |first| first.id.saturating_sub(1));
            all.extend(gap(&Gap { from: at, to }));
        }
        for event in &page.events {
            all.extend_from_slice(&self.event(event));
        }
        all.into()
    }

    /// As [`event`], written once.
    fn event(&self, event: &Event) -> Bytes {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut newest_first = kept.iter().rev();
        if let Some((_, frame)) = newest_first.find(|(id, _)| *id == event.id) {
            return frame.clone();
        }
        let frame = self::event(event);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back((event.id, frame.clone()));
        frame
    }
}

/// What has happened, as the log tells it.
pub(in crate::api) fn event(event: &Event) -> Bytes {
    frame(Some(event.id), &event.kind, event)
}

/// How the connection stands. It has no id: it is no event, and whoever resumes
/// is told it anew.
pub(in crate::api) fn status(status: &Status) -> Bytes {
    frame(None, "status", status)
}

/// An id without an event: one who has seen none yet can resume from here.
pub(super) fn place(id: u64) -> Bytes {
    format!("id: {id}\n\n").into()
}

/// It has the id to resume with, so that it is not told again.
fn gap(gap: &Gap) -> Bytes {
    frame(Some(gap.to), "gap", gap)
}

fn frame(id: Option<u64>, kind: &str, data: &impl Serialize) -> Bytes {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    // Without a line break in it: JSON writes those as \n.
    let data = serde_json::to_string(data).unwrap_or_else(|error| {
        tracing::error!(%error, "an event could not be written as JSON");
        "null".to_owned()
    });
    format!("{id}event: {kind}\ndata: {data}\n\n").into()
}
