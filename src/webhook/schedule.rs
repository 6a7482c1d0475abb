//! When to try again, and when to give up. Without a clock: the time is told.

use crate::wire::Timestamp;
use std::time::Duration;

/// After the first failure.
const FIRST: Duration = Duration::from_millis(500);
/// A receiver that is back waits no longer than this for what it has missed.
const LONGEST: Duration = Duration::from_secs(10 * 60);
/// What a receiver may ask for at most; past this it is tried all the same.
const LONGEST_ASKED: Duration = Duration::from_secs(60 * 60);

/// Failing for longer than this pauses: long enough for a weekend.
const GIVE_UP: Duration = Duration::from_secs(3 * 86_400);

/// Failing for longer than this is told: a receiver's restart is no news. And
/// since what is told is an event that may be sent, each failure must not make
/// another one.
const TELL: Duration = Duration::from_secs(60);

/// The wait after the `failures`th failure in a row: doubled each time, less up
/// to a half, by `dice` from 0 to 1, and not less than the receiver `asked` for.
pub(super) fn wait(failures: u32, dice: f64, asked: Option<Duration>) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let whole = FIRST.saturating_mul(1 << doublings).min(LONGEST);
    let wait = whole.mul_f64(1.0 - dice.clamp(0.0, 1.0) / 2.0);
    asked.map_or(wait, |asked| wait.max(asked.min(LONGEST_ASKED)))
}

pub(super) fn is_hopeless(since: Timestamp, now: Timestamp) -> bool {
    has_lasted(since, now, GIVE_UP)
}

pub(super) fn is_news(since: Timestamp, now: Timestamp) -> bool {
    has_lasted(since, now, TELL)
}

fn has_lasted(since: Timestamp, now: Timestamp, time: Duration) -> bool {
    let lasted = now.millis().saturating_sub(since.millis());
    u64::try_from(lasted).is_ok_and(|millis| Duration::from_millis(millis) >= time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_their_bound_and_heed_the_receiver() {
        let plain: Vec<_> = (1..=5).map(|n| wait(n, 0.0, None).as_millis()).collect();
        assert_eq!(plain, [500, 1000, 2000, 4000, 8000]);
        assert_eq!(wait(u32::MAX, 0.0, None), LONGEST);
        assert_eq!(wait(2, 1.0, None), FIRST);
        let asked = |seconds| wait(1, 0.5, Some(Duration::from_secs(seconds)));
        assert_eq!(asked(0), Duration::from_millis(375));
        assert_eq!(asked(120), Duration::from_secs(120));
        assert_eq!(asked(u64::MAX), LONGEST_ASKED);
    }

    #[test]
    fn three_days_are_enough() {
        let since = Timestamp::from_millis(1_766_811_600_000);
        let after = |millis| since.plus_millis(millis);
        assert!(!is_hopeless(since, after(3 * 86_400_000 - 1)));
        assert!(is_hopeless(since, after(3 * 86_400_000)));
        // A clock set back.
        assert!(!is_hopeless(since, after(-1)) && !is_news(since, after(-1)));
        assert!(is_news(since, after(60_000)));
    }
}
