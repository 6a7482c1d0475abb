//! Who looks on all the time, by an open stream: that is asking without an end.

use super::handle::Handle;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// How many look on.
#[derive(Debug, Clone, Default)]
pub struct Audience(Arc<AtomicUsize>);

impl Audience {
    /// Whether anybody does.
    pub fn is_there(&self) -> bool {
        self.size() > 0
    }

    pub(super) fn size(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// One that looks on, until dropped.
#[derive(Debug)]
pub struct Attendance {
    audience: Audience,
    link: Handle,
}

impl Attendance {
    pub(super) fn begin(audience: Audience, link: Handle) -> Self {
        audience.0.fetch_add(1, Ordering::Relaxed);
        link.asked();
        Self { audience, link }
    }
}

impl Drop for Attendance {
    fn drop(&mut self) {
        if self.audience.0.fetch_sub(1, Ordering::Relaxed) == 1 {
            // The time until `idle` begins now.
            self.link.asked();
        }
    }
}
