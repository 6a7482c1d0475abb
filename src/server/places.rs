//! How many connections there may be at once.

use super::Limits;
use std::sync::Arc;
use tokio::sync::watch;

/// Counts the connections of one kind of listener. No semaphore: a reload may
/// lower the limit below what is open, which then is let go by and by.
#[derive(Debug, Clone)]
pub(super) struct Places(watch::Sender<usize>);

/// One connection; given back when dropped.
#[derive(Debug)]
pub(super) struct Place(watch::Sender<usize>);

impl Places {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// Waits until there is room for one more under the limit as it is then.
    /// Until it is taken, several listeners may see the same room.
    pub(super) async fn free(&self, limits: &mut watch::Receiver<Arc<Limits>>) {
        let mut taken = self.0.subscribe();
        loop {
            let limit = limits.borrow_and_update().max_connections;
            if *taken.borrow_and_update() < limit {
                return;
            }
            tokio::select! {
                // Cannot fail: `self` holds the sender.
                _ = taken.changed() => {}
                () = changed(limits) => {}
            }
        }
    }

    pub(super) fn take(&self) -> Place {
        self.0.send_modify(|taken| *taken += 1);
        Place(self.0.clone())
    }
}

/// Waits for a reload; for ever when there will be none.
async fn changed(limits: &mut watch::Receiver<Arc<Limits>>) {
    if limits.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.send_modify(|taken| *taken -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;

    fn limits(max_connections: usize) -> Arc<Limits> {
        Arc::new(Limits {
            max_connections,
            header_timeout: Duration::from_secs(5),
        })
    }

    #[tokio::test(start_paused = true)]
    async fn room_comes_from_a_leave_or_from_a_reload() {
        let (set, mut now) = watch::channel(limits(1));
        let places = Places::new();
        places.free(&mut now).await;
        let first = places.take();
        let full = timeout(Duration::from_secs(1), places.free(&mut now)).await;
        assert!(full.is_err());

        set.send_replace(limits(2));
        places.free(&mut now).await;
        let second = places.take();
        set.send_replace(limits(1));
        drop(first);
        let full = timeout(Duration::from_secs(1), places.free(&mut now)).await;
        assert!(full.is_err());
        drop(set);
        drop(second);
        places.free(&mut now).await;
    }
}
