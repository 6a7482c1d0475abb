//! How often the owner task is told that somebody asks.

use std::sync::atomic::{AtomicU64, Ordering};
use tokio::time::Instant;

/// The owner task is told at most so often that somebody asks.
const QUESTION_EVERY_MILLIS: u64 = 100;

/// When the owner task was told last that somebody asks.
#[derive(Debug)]
pub(super) struct Questions {
    began: Instant,
    /// Milliseconds since then, and 1; 0 before the first.
    told: AtomicU64,
}

impl Default for Questions {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            told: AtomicU64::new(0),
        }
    }
}

impl Questions {
    /// Whether it is time to tell it again.
    pub(super) fn are_due(&self) -> bool {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX - 1) + 1;
        let told = self.told.load(Ordering::Relaxed);
        let due = told == 0 || now.saturating_sub(told) >= QUESTION_EVERY_MILLIS;
        due && self
            .told
            .compare_exchange(told, now, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn one_is_due_at_once_and_the_next_after_a_while() {
        let questions = Questions::default();
        assert!(questions.are_due() && !questions.are_due());
        let almost = Duration::from_millis(QUESTION_EVERY_MILLIS - 1);
        tokio::time::advance(almost).await;
        assert!(!questions.are_due());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(questions.are_due() && !questions.are_due());
    }
}
