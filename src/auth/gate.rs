//! The check each request passes, and what is to be told when it does not.

use super::{
    Caller, Keyring, Origin, Refusal, Refused, Scope, Who, forwarded, lockout::Lockouts, page,
};
use crate::wire::Timestamp;
use axum::http::{HeaderMap, header::AUTHORIZATION};
use ipnet::IpNet;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{
    sync::watch,
    time::{Duration, Instant, sleep},
};

/// What the gate judges by; a reload puts a new one in force.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    pub keyring: Keyring,
    /// The group whose members manage over the control socket.
    pub control_group: Option<u32>,
    /// Networks whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Wrong keys of one address within a minute that lock it out; 0: none do.
    pub failed_keys_per_minute: u32,
    /// Calls of one caller that may wait at once.
    pub max_streams_per_key: usize,
}

/// Lets callers through or refuses them.
#[derive(Debug)]
pub struct Gate {
    rules: watch::Receiver<Arc<Rules>>,
    guesses: Mutex<Ration>,
    refusals: Mutex<Ration>,
    lockouts: Mutex<Lockouts>,
    streams: Arc<Mutex<HashMap<Holder, usize>>>,
}

/// Whose waiting calls are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Holder {
    Key(Arc<str>),
    Uid(u32),
}

/// A call that waits; counted until dropped.
#[derive(Debug)]
pub struct Stream {
    holder: Holder,
    streams: Arc<Mutex<HashMap<Holder, usize>>>,
}

impl Gate {
    pub fn new(rules: watch::Receiver<Arc<Rules>>) -> Self {
        Self {
            rules,
            guesses: Mutex::new(Ration::new(GUESSES_PER_SECOND, Duration::from_secs(1))),
            refusals: Mutex::new(Ration::new(REFUSALS_PER_MINUTE, Duration::from_secs(60))),
            lockouts: Mutex::default(),
            streams: Arc::default(),
        }
    }

    /// Says who calls, if they may do what `needed` names.
    ///
    /// # Errors
    ///
    /// The [`Refusal`] tells the caller what to do.
    pub fn admit(
        &self,
        origin: &Origin,
        headers: &HeaderMap,
        needed: Scope,
        now: Timestamp,
    ) -> Result<Caller, Box<Refused>> {
        let rules = self.rules.borrow();
        let forwarded;
        let origin = match origin {
            Origin::Tcp(peer) => {
                forwarded = forwarded::origin(*peer, headers, &rules.trusted_proxies);
                &forwarded
            }
            other => other,
        };
        let client = origin.client();
        if let Some(left) = client.and_then(|client| self.locked_out(client)) {
            return Err(self.refused(Refusal::LockedOut(left), origin));
        }
        judge(&rules, origin, headers, needed, now).map_err(|refusal| {
            let guessed = matches!(refusal, Refusal::UnknownKey | Refusal::Expired { .. });
            let mut refused = self.refused(refusal, origin);
            if let Some(client) = client.filter(|_| guessed) {
                let limit = rules.failed_keys_per_minute;
                let locked = lock(&self.lockouts).failed(client, limit, Instant::now());
                refused.locks_out = locked.map(|time| (client, time));
            }
            refused
        })
    }

    fn locked_out(&self, client: IpAddr) -> Option<Duration> {
        let mut lockouts = lock(&self.lockouts);
        // Mostly there are none, and asking the clock is half of the work.
        let any = !lockouts.is_empty();
        any.then(|| lockouts.remaining(client, Instant::now()))?
    }

    /// What is locked out is not told again, since its beginning was. Of the
    /// rest no more than a ration: a client that hammers must not drown the
    /// journal.
    fn refused(&self, refusal: Refusal, origin: &Origin) -> Box<Refused> {
        let tell = match refusal {
            Refusal::LockedOut(_) | Refusal::Revoked => None,
            Refusal::UnknownKey | Refusal::Expired { .. } => {
                lock(&self.guesses).take(Instant::now())
            }
            _ => lock(&self.refusals).take(Instant::now()),
        };
        Box::new(Refused {
            refusal,
            origin: origin.clone(),
            tell,
            locks_out: None,
        })
    }

    /// Counts a call that is going to wait, until the value is dropped.
    ///
    /// # Errors
    ///
    /// [`Refusal::TooManyStreams`] when the caller has as many as it may.
    pub fn stream(&self, caller: &Caller) -> Result<Stream, Box<Refused>> {
        let most = self.rules.borrow().max_streams_per_key;
        let holder = match &caller.who {
            Who::Key { name } => Holder::Key(Arc::clone(name)),
            Who::Peer { uid, .. } => Holder::Uid(*uid),
        };
        let mut streams = lock(&self.streams);
        let open = streams.entry(holder.clone()).or_default();
        if *open >= most {
            return Err(self.refused(Refusal::TooManyStreams, &caller.origin));
        }
        *open += 1;
        Ok(Stream {
            holder,
            streams: Arc::clone(&self.streams),
        })
    }

    /// Whether a caller that was let in would be so again: its key may have been
    /// removed while its request's body was on the way.
    ///
    /// # Errors
    ///
    /// [`Refusal::Revoked`] when it would not.
    pub fn confirm(&self, caller: &Caller, now: Timestamp) -> Result<(), Refusal> {
        good_for(&self.rules.borrow(), caller, now)
            .map(drop)
            .ok_or(Refusal::Revoked)
    }

    /// Whether a text is a key in force: then it must not be told to anybody.
    pub fn is_key(&self, text: &str) -> bool {
        let rules = self.rules.borrow();
        rules.keyring.find(text.as_bytes()).is_some()
    }

    /// Waits until a caller that was let in would no longer be: its key is
    /// removed, has lost the right, or has expired by the clock `now`.
    pub async fn revoked(&self, caller: &Caller, now: fn() -> Timestamp) {
        let mut rules = self.rules.clone();
        loop {
            let Some(left) = good_for(&rules.borrow_and_update(), caller, now()) else {
                return;
            };
            tokio::select! {
                // An error means that there are no more reloads.
                Ok(()) = rules.changed() => {}
                () = sleep(left) => {}
            }
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut streams = lock(&self.streams);
        if let Some(open) = streams.get_mut(&self.holder) {
            *open -= 1;
            if *open == 0 {
                streams.remove(&self.holder);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn judge(
    rules: &Rules,
    origin: &Origin,
    headers: &HeaderMap,
    needed: Scope,
    now: Timestamp,
) -> Result<Caller, Refusal> {
    match origin {
        Origin::Tcp(_) | Origin::Forwarded { .. } => {
            let presented = presented(headers).ok_or(Refusal::NoKey)?;
            let found = rules.keyring.find(presented).ok_or(Refusal::UnknownKey)?;
            let key = found.key();
            let name = Arc::clone(&key.name);
            if let Some(at) = key.expires.filter(|at| *at <= now) {
                return Err(Refusal::Expired { name, at });
            }
            if let Err(left) = found.count_request() {
                return Err(Refusal::TooFast { name, left });
            }
            if key.scope < needed {
                return Err(Refusal::ReadKey { name });
            }
            Ok(Caller {
                who: Who::Key { name },
                origin: origin.clone(),
                scope: key.scope,
                needed,
                sha256: Some(key.sha256),
            })
        }
        Origin::Unix(peer) => {
            if page::is_foreign(headers) {
                return Err(Refusal::ForeignPage);
            }
            let scope = peer.scope(rules.control_group);
            if scope < needed {
                return Err(Refusal::ReadPeer);
            }
            let (uid, pid) = (peer.uid, peer.pid);
            Ok(Caller {
                who: Who::Peer { uid, pid },
                origin: origin.clone(),
                scope,
                needed,
                sha256: None,
            })
        }
    }
}

/// How long a caller that was let in keeps its right at least, as far as can be
/// told now; `None` when it has lost it. A clock may be set meanwhile, so it is
/// never longer than [`LOOK`].
fn good_for(rules: &Rules, caller: &Caller, now: Timestamp) -> Option<Duration> {
    let Some(sha256) = &caller.sha256 else {
        let Origin::Unix(peer) = &caller.origin else {
            return None;
        };
        return (peer.scope(rules.control_group) >= caller.needed).then_some(LOOK);
    };
    let key = rules.keyring.by_hash(sha256)?;
    if key.scope < caller.needed {
        return None;
    }
    let Some(expires) = key.expires else {
        return Some(LOOK);
    };
    let left = expires.millis().saturating_sub(now.millis());
    let left = u64::try_from(left).ok().filter(|left| *left > 0)?;
    Some(LOOK.min(Duration::from_millis(left)))
}

/// The longest time between two looks at whether a waiting caller's key has
/// expired.
const LOOK: Duration = Duration::from_secs(60);

/// The key in `x-api-key`, or else the bearer token. Never one in the query or
/// in a cookie: those end up in logs and in histories.
fn presented(headers: &HeaderMap) -> Option<&[u8]> {
    let given = |key: &'_ &[u8]| !key.is_empty();
    let key = headers
        .get("x-api-key")
        .map(|value| value.as_bytes().trim_ascii());
    key.filter(given).or_else(|| {
        let value = headers.get(AUTHORIZATION)?.as_bytes();
        let (scheme, token) = value.split_at_checked("Bearer ".len())?;
        let token = scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)?;
        Some(token.trim_ascii()).filter(given)
    })
}

/// Wrong keys told in one second before the rest is only counted: each address
/// has few before it is locked out, but there may be many addresses.
const GUESSES_PER_SECOND: u32 = 20;
/// Other refusals told in one minute. Anybody can have as many of these as he
/// likes, so over the month that events are kept they must not crowd out what
/// matters.
const REFUSALS_PER_MINUTE: u32 = 5;

/// Rations what is told.
#[derive(Debug)]
struct Ration {
    most: u32,
    within: Duration,
    began: Option<Instant>,
    used: u32,
    suppressed: u64,
}

impl Ration {
    fn new(most: u32, within: Duration) -> Self {
        Self {
            most,
            within,
            began: None,
            used: 0,
            suppressed: 0,
        }
    }

    /// `Some` lets a line through and says how many were held back before it.
    fn take(&mut self, now: Instant) -> Option<u64> {
        let over = self
            .began
            .is_none_or(|began| now.duration_since(began) >= self.within);
        if over {
            self.began = Some(now);
            self.used = 0;
        }
        if self.used == self.most {
            self.suppressed = self.suppressed.saturating_add(1);
            return None;
        }
        self.used += 1;
        Some(std::mem::take(&mut self.suppressed))
    }
}

#[cfg(test)]
mod tests;
