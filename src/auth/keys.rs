//! API keys: kept as named hashes, compared in constant time.

use crate::wire::{Scope, Timestamp};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, MonotonicClock},
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use sha2::{Digest, Sha256};
use std::{fmt, num::NonZeroU32, sync::Arc, time::Duration};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

/// One API key as it is kept: the hash, never the key.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    pub name: Arc<str>,
    /// SHA-256 of the key's text.
    pub sha256: [u8; 32],
    pub scope: Scope,
    /// From this moment on the key is refused.
    pub expires: Option<Timestamp>,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("name", &self.name)
            .field("scope", &self.scope)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// How many requests each key may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate(Quota);

impl Rate {
    /// `per_second` in the long run, `burst` at once. `None`, which is no limit,
    /// when one of them is 0.
    pub fn new(per_second: u32, burst: u32) -> Option<Self> {
        let per_second = NonZeroU32::new(per_second)?;
        let burst = NonZeroU32::new(burst)?;
        Some(Self(Quota::per_second(per_second).allow_burst(burst)))
    }
}

type Meter = RateLimiter<NotKeyed, InMemoryState, MonotonicClock, NoOpMiddleware>;

/// A key in force, and how fast it is being used.
#[derive(Debug)]
pub(super) struct Held {
    key: Key,
    meter: Option<Meter>,
}

impl Held {
    pub(super) fn key(&self) -> &Key {
        &self.key
    }

    /// Counts a request, or says how long to wait before the next.
    pub(super) fn count_request(&self) -> Result<(), Duration> {
        let Some(meter) = &self.meter else {
            return Ok(());
        };
        let counted = meter.check();
        counted.map_err(|early| early.wait_time_from(MonotonicClock.now()))
    }
}

/// All keys that are in force.
#[derive(Debug, Clone, Default)]
pub struct Keyring(Arc<[Held]>);

impl Keyring {
    /// Each key begins with its whole burst.
    pub fn new(keys: Vec<Key>, rate: Option<Rate>) -> Self {
        let meter = || rate.map(|rate| RateLimiter::direct_with_clock(rate.0, MonotonicClock));
        let held = keys.into_iter().map(|key| Held {
            key,
            meter: meter(),
        });
        Self(held.collect())
    }

    /// The key of this hash. Not for hashes of what a caller has just sent.
    pub(super) fn by_hash(&self, sha256: &[u8; 32]) -> Option<&Key> {
        let keys = self.0.iter().map(Held::key);
        keys.into_iter().find(|key| key.sha256 == *sha256)
    }

    /// The key whose hash is that of `presented`, expired or not.
    ///
    /// Looks at every key whatever it finds on the way, so that the time taken
    /// tells nothing about which hash came close.
    pub(super) fn find(&self, presented: &[u8]) -> Option<&Held> {
        let digest = Sha256::digest(presented);
        let mut found = Choice::from(0);
        let mut index = 0_u64;
        for (position, held) in (0_u64..).zip(self.0.iter()) {
            let equal = digest.as_slice().ct_eq(&held.key.sha256);
            index.conditional_assign(&position, equal);
            found |= equal;
        }
        bool::from(found)
            .then(|| self.0.get(usize::try_from(index).ok()?))
            .flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str, secret: &str) -> Key {
        Key {
            name: name.into(),
            sha256: Sha256::digest(secret).into(),
            scope: Scope::Read,
            expires: None,
        }
    }

    #[test]
    fn finds_the_one_that_matches_wherever_it_stands() {
        let keys = vec![key("a", "one"), key("b", "two"), key("c", "three")];
        let ring = Keyring::new(keys, None);
        for (secret, name) in [("one", "a"), ("two", "b"), ("three", "c")] {
            let found = ring.find(secret.as_bytes()).expect("a known key");
            assert_eq!(&*found.key().name, name);
        }
        for unknown in ["", "on", "onee", "One", "four"] {
            assert!(ring.find(unknown.as_bytes()).is_none(), "{unknown}");
        }
        assert!(Keyring::default().find(b"").is_none());
    }

    #[test]
    fn debug_shows_no_hash() {
        let shown = format!("{:?}", key("a", "one"));
        assert!(shown.contains("\"a\"") && !shown.contains("sha256"));
    }

    #[test]
    fn manage_includes_read() {
        assert!(Scope::Manage >= Scope::Read && Scope::Read < Scope::Manage);
    }
}
