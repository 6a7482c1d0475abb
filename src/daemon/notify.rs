//! What systemd is told. Outside of systemd all of it does nothing.

use sd_notify::NotifyState;
use std::time::Duration;

fn tell(states: &[NotifyState<'_>]) {
    // Nobody listens outside of systemd, and inside there is nothing to be
    // done about a manager that does not read.
    let _ = sd_notify::notify(states);
}

/// What holds up the start, and that it goes on for so long at least.
pub(super) fn starting(sentence: &str, more: Duration) {
    let more = u32::try_from(more.as_micros()).unwrap_or(u32::MAX);
    tell(&[
        NotifyState::Status(sentence),
        NotifyState::ExtendTimeoutUsec(more),
    ]);
}

pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// With the time, as `Type=notify-reload` asks for it.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

pub(super) fn status(sentence: &str) {
    tell(&[NotifyState::Status(sentence)]);
}

/// How often the watchdog is to be fed, and the feeding: half the time it
/// allows, so that one late beat is no death.
pub(super) fn heartbeat() -> Option<(Duration, Box<dyn Fn() + Send>)> {
    let allowed = sd_notify::watchdog_enabled()?;
    Some((allowed / 2, Box::new(|| tell(&[NotifyState::Watchdog]))))
}
