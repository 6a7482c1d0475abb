//! How long to wait before the next attempt.

use std::time::Duration;

/// The first wait. Short: most losses are a network that is back at once.
const FIRST: Duration = Duration::from_secs(1);
/// No wait is longer, so that a link is back within minutes of its network.
const LONGEST: Duration = Duration::from_secs(300);
/// A session that held this long counts as a success, and the next loss
/// begins anew. WhatsApp Web waits as long before it resets its own.
pub(super) const STABLE: Duration = Duration::from_secs(30);

/// Doubling waits with jitter, so that many daemons that lose the same
/// network do not come back in the same instant.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    step: u32,
    /// Xorshift state: jitter needs no better randomness, and tests need the
    /// same waits each time.
    dice: u64,
}

impl Backoff {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            step: 0,
            dice: seed | 1,
        }
    }

    /// The next wait: the step's, less up to a quarter.
    pub(super) fn next(&mut self) -> Duration {
        let whole = FIRST.saturating_mul(1 << self.step.min(9)).min(LONGEST);
        self.step = self.step.saturating_add(1);
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        let quarter = whole / 4;
        whole - quarter.mul_f64((self.dice % 1000) as f64 / 1000.0)
    }

    pub(super) fn reset(&mut self) {
        self.step = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_five_minutes_and_stays_there() {
        let mut backoff = Backoff::new(7);
        let waits: Vec<_> = (0..14).map(|_| backoff.next()).collect();
        assert!(waits[0] <= Duration::from_secs(1) && waits[0] >= Duration::from_millis(750));
        for (step, wait) in waits.iter().enumerate() {
            let whole = Duration::from_secs(1 << step.min(20)).min(LONGEST);
            assert!(
                *wait <= whole && *wait >= whole * 3 / 4,
                "step {step}: {wait:?}"
            );
        }
        backoff.reset();
        assert!(backoff.next() <= FIRST);
    }
}
