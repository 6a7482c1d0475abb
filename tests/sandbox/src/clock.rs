//! The sandbox's reading of the clocks: the wall clock in the units of
//! WhatsApp's stanzas, the monotonic one for what runs out.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Seconds since 1970. Clients compare what the server stamps with their own.
pub(crate) fn unix() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// What deadlines are measured against.
pub(crate) fn now() -> Instant {
    Instant::now()
}
