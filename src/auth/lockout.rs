//! Addresses that have shown too many wrong keys.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
};
use tokio::time::{Duration, Instant};

/// Failures are counted over so long, and a lock-out lasts as long.
const MINUTE: Duration = Duration::from_secs(60);

/// Addresses remembered at once. Past it the oldest is forgotten: a crowd of
/// addresses costs half a megabyte and not the memory of the machine.
const MOST: usize = 4096;

/// Who guesses, by address.
#[derive(Debug, Default)]
pub(super) struct Lockouts {
    known: HashMap<IpAddr, Record>,
    /// When records were last looked through for those that are over.
    cleared: Option<Instant>,
}

#[derive(Debug)]
struct Record {
    /// When the minute began that is being counted.
    began: Instant,
    failures: u32,
    /// Those of the minute before.
    before: u32,
    locked_until: Option<Instant>,
}

impl Record {
    fn is_locked(&self, now: Instant) -> bool {
        self.locked_until.is_some_and(|until| until > now)
    }

    fn is_over(&self, now: Instant) -> bool {
        !self.is_locked(now) && self.began + 2 * MINUTE <= now
    }

    /// Counts one more, and gives how many there were within a minute: of the
    /// minute before, as much as still lies in it, taken as evenly spread. So
    /// none of them is kept by itself.
    fn count(&mut self, now: Instant) -> f64 {
        while self.began + MINUTE <= now {
            self.began += MINUTE;
            self.before = std::mem::take(&mut self.failures);
        }
        self.failures = self.failures.saturating_add(1);
        let gone = now.duration_since(self.began).as_secs_f64() / MINUTE.as_secs_f64();
        f64::from(self.failures) + f64::from(self.before) * (1.0 - gone)
    }
}

impl Lockouts {
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// For how much longer this address is locked out.
    pub(super) fn remaining(&mut self, client: IpAddr, now: Instant) -> Option<Duration> {
        if self.cleared.is_none_or(|at| at + MINUTE <= now) {
            self.cleared = Some(now);
            self.known.retain(|_, record| !record.is_over(now));
        }
        let until = self.known.get(&household(client))?.locked_until?;
        until
            .checked_duration_since(now)
            .filter(|left| !left.is_zero())
    }

    /// Counts a wrong key. When it was the `limit`th within a minute the
    /// address is locked out, for the time returned. A limit of zero locks
    /// nobody out.
    pub(super) fn failed(&mut self, client: IpAddr, limit: u32, now: Instant) -> Option<Duration> {
        if limit == 0 {
            return None;
        }
        let client = household(client);
        if !self.known.contains_key(&client) {
            self.make_room(now);
        }
        let fresh = || Record {
            began: now,
            failures: 0,
            before: 0,
            locked_until: None,
        };
        let record = self.known.entry(client).or_insert_with(fresh);
        // A lock-out that is over is the end of what led to it.
        if record.is_over(now) || record.locked_until.is_some_and(|until| until <= now) {
            *record = fresh();
        }
        let within_a_minute = record.count(now);
        if within_a_minute < f64::from(limit) || record.is_locked(now) {
            return None;
        }
        record.locked_until = Some(now + MINUTE);
        Some(MINUTE)
    }

    fn make_room(&mut self, now: Instant) {
        if self.known.len() < MOST {
            return;
        }
        self.known.retain(|_, record| !record.is_over(now));
        if self.known.len() < MOST {
            return;
        }
        // Who is locked out stays so, as long as there is anybody else.
        let least = |record: &Record| (record.is_locked(now), record.began);
        let oldest = self.known.iter().min_by_key(|(_, record)| least(record));
        if let Some(client) = oldest.map(|(client, _)| *client) {
            self.known.remove(&client);
        }
    }
}

/// The addresses that one customer of a provider has: an IPv4 address, or the
/// 2^64 of an IPv6 network.
pub fn household(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => {
            let network = u128::from(address) >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from(network))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_allowed_failure_locks_for_a_minute() {
        let start = Instant::now();
        let mut lockouts = Lockouts::default();
        let client = ip("192.0.2.1");
        assert_eq!(lockouts.failed(client, 3, start), None);
        assert_eq!(lockouts.failed(client, 3, start), None);
        assert_eq!(lockouts.remaining(client, start), None);
        assert_eq!(lockouts.failed(client, 3, start), Some(MINUTE));
        let later = start + Duration::from_secs(59);
        assert_eq!(
            lockouts.remaining(ip("::ffff:192.0.2.1"), later),
            Some(Duration::from_secs(1))
        );
        assert_eq!(lockouts.remaining(ip("192.0.2.2"), later), None);
        assert_eq!(lockouts.remaining(client, start + MINUTE), None);
        // And it begins anew.
        assert_eq!(lockouts.failed(client, 3, start + MINUTE), None);
    }

    #[tokio::test(start_paused = true)]
    async fn failures_that_are_far_apart_do_not_add_up() {
        let start = Instant::now();
        let mut lockouts = Lockouts::default();
        for minute in 0..9 {
            let now = start + 2 * MINUTE * minute;
            assert_eq!(lockouts.failed(ip("192.0.2.1"), 2, now), None);
        }
        assert_eq!(lockouts.failed(ip("192.0.2.1"), 0, start), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_minute_is_not_one_of_the_clock() {
        let start = Instant::now();
        let client = ip("192.0.2.1");
        let mut lockouts = Lockouts::default();
        assert_eq!(lockouts.failed(client, 5, start), None);
        let end_of_it = start + Duration::from_secs(59);
        for _ in 0..3 {
            assert_eq!(lockouts.failed(client, 5, end_of_it), None);
        }
        let next = start + Duration::from_secs(61);
        assert_eq!(lockouts.failed(client, 5, next), None);
        assert_eq!(lockouts.failed(client, 5, next), Some(MINUTE));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_over_is_forgotten() {
        let start = Instant::now();
        let mut lockouts = Lockouts::default();
        lockouts.failed(ip("192.0.2.1"), 2, start);
        let later = start + 2 * MINUTE;
        assert_eq!(lockouts.remaining(ip("192.0.2.9"), start), None);
        assert!(!lockouts.is_empty());
        assert_eq!(lockouts.remaining(ip("192.0.2.9"), later), None);
        assert!(lockouts.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_frees_nobody() {
        let start = Instant::now();
        let client = ip("192.0.2.1");
        let mut lockouts = Lockouts::default();
        assert_eq!(lockouts.failed(client, 1, start), Some(MINUTE));
        for number in 0..2 * u32::try_from(MOST).expect("small") {
            lockouts.failed(IpAddr::V4(number.into()), 2, start + Duration::from_secs(1));
        }
        let later = start + Duration::from_secs(2);
        assert!(lockouts.remaining(client, later).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_network_is_one_client_and_a_crowd_is_bounded() {
        let now = Instant::now();
        let mut lockouts = Lockouts::default();
        lockouts.failed(ip("2001:db8::1"), 2, now);
        assert_eq!(lockouts.failed(ip("2001:db8::2"), 2, now), Some(MINUTE));
        for number in 0..2 * u32::try_from(MOST).expect("small") {
            lockouts.failed(IpAddr::V4(number.into()), 2, now);
        }
        assert_eq!(lockouts.known.len(), MOST);
    }
}
