//! The check each request passes, and the log line when it does not.

use super::{Caller, Keyring, Origin, Refusal, Scope, Who};
use crate::wire::Timestamp;
use axum::http::{HeaderMap, header::AUTHORIZATION};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::{
    sync::watch,
    time::{Duration, Instant},
};

/// What the gate judges by; a reload puts a new one in force.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    pub keyring: Keyring,
    /// The group whose members manage over the control socket.
    pub control_group: Option<u32>,
}

/// Lets callers through or refuses them.
#[derive(Debug)]
pub struct Gate {
    rules: watch::Receiver<Arc<Rules>>,
    refusals: Mutex<Ration>,
}

impl Gate {
    pub fn new(rules: watch::Receiver<Arc<Rules>>) -> Self {
        Self {
            rules,
            refusals: Mutex::new(Ration::default()),
        }
    }

    /// Says who calls, if they may do what `needed` names. A refusal is logged
    /// here, with the caller's address.
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
    ) -> Result<Caller, Refusal> {
        let judged = judge(&self.rules.borrow(), origin, headers, needed, now);
        if let Err(refusal) = &judged {
            self.tell(refusal, origin);
        }
        judged
    }

    /// One line a refusal, but no more than a few a second: a client that
    /// hammers must not drown the journal.
    fn tell(&self, refusal: &Refusal, origin: &Origin) {
        let turn = self
            .refusals
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take(Instant::now());
        let Some(suppressed) = turn else { return };
        let (key, why) = match refusal {
            Refusal::NoKey => (None, "no key"),
            Refusal::UnknownKey => (None, "unknown key"),
            Refusal::Expired { name, .. } => (Some(&**name), "expired key"),
            Refusal::ReadKey { name } => (Some(&**name), "the key may only read"),
            Refusal::ReadPeer => (None, "the user may only read"),
        };
        tracing::warn!(
            walinkd_event = "auth.refused",
            walinkd_peer = %origin,
            walinkd_key = key,
            suppressed,
            "refused {origin}: {why}"
        );
    }
}

fn judge(
    rules: &Rules,
    origin: &Origin,
    headers: &HeaderMap,
    needed: Scope,
    now: Timestamp,
) -> Result<Caller, Refusal> {
    match origin {
        Origin::Tcp(_) => {
            let presented = presented(headers).ok_or(Refusal::NoKey)?;
            let key = rules.keyring.find(presented).ok_or(Refusal::UnknownKey)?;
            let name = Arc::clone(&key.name);
            match key.expires {
                Some(at) if at <= now => Err(Refusal::Expired { name, at }),
                _ if key.scope < needed => Err(Refusal::ReadKey { name }),
                _ => Ok(Caller {
                    who: Who::Key { name },
                    scope: key.scope,
                }),
            }
        }
        Origin::Unix(peer) => {
            let scope = peer.scope(rules.control_group);
            if scope < needed {
                return Err(Refusal::ReadPeer);
            }
            let (uid, pid) = (peer.uid, peer.pid);
            Ok(Caller {
                who: Who::Peer { uid, pid },
                scope,
            })
        }
    }
}

/// The key in `x-api-key`, or else the bearer token. Never one in the query or
/// in a cookie: those end up in logs and in histories.
fn presented(headers: &HeaderMap) -> Option<&[u8]> {
    let key = match headers.get("x-api-key") {
        Some(value) => value.as_bytes(),
        None => {
            let value = headers.get(AUTHORIZATION)?.as_bytes();
            let (scheme, token) = value.split_at_checked("Bearer ".len())?;
            scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)?
        }
    };
    let key = key.trim_ascii();
    (!key.is_empty()).then_some(key)
}

/// Refusals logged in one second before the rest is only counted.
const LINES_PER_SECOND: u32 = 5;

/// Rations log lines.
#[derive(Debug, Default)]
struct Ration {
    second_began: Option<Instant>,
    used: u32,
    suppressed: u64,
}

impl Ration {
    /// `Some` lets a line through and says how many were held back before it.
    fn take(&mut self, now: Instant) -> Option<u64> {
        let over = self
            .second_began
            .is_none_or(|began| now.duration_since(began) >= Duration::from_secs(1));
        if over {
            self.second_began = Some(now);
            self.used = 0;
        }
        if self.used == LINES_PER_SECOND {
            self.suppressed = self.suppressed.saturating_add(1);
            return None;
        }
        self.used += 1;
        Some(std::mem::take(&mut self.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{Key, Peer};
    use axum::http::{HeaderName, HeaderValue};
    use sha2::{Digest, Sha256};

    const NOW: Timestamp = Timestamp::from_millis(1_000);

    fn key(secret: &str, scope: Scope, expires: Option<Timestamp>) -> Key {
        Key {
            name: secret.to_uppercase().into(),
            sha256: Sha256::digest(secret).into(),
            scope,
            expires,
        }
    }

    fn rules() -> Rules {
        Rules {
            keyring: Keyring::new(vec![
                key("reader", Scope::Read, None),
                key("manager", Scope::Manage, Some(NOW.plus_millis(1))),
                key("old", Scope::Manage, Some(NOW)),
            ]),
            control_group: Some(77),
        }
    }

    fn with(name: &str, value: &str) -> HeaderMap {
        let name: HeaderName = name.parse().expect("a header name");
        let value = HeaderValue::from_str(value).expect("a header value");
        HeaderMap::from_iter([(name, value)])
    }

    fn tcp() -> Origin {
        Origin::Tcp(([192, 0, 2, 1], 4711).into())
    }

    #[test]
    fn keys_open_what_their_scope_names() {
        let rules = rules();
        let ask = |headers: &HeaderMap, needed| {
            judge(&rules, &tcp(), headers, needed, NOW).map(|caller| caller.who.to_string())
        };
        let reader = with("x-api-key", "reader");
        assert_eq!(ask(&reader, Scope::Read), Ok("key READER".to_owned()));
        let refused = ask(&reader, Scope::Manage);
        assert!(matches!(refused, Err(Refusal::ReadKey { .. })));
        let bearer = with("authorization", "bearer  manager ");
        assert_eq!(ask(&bearer, Scope::Manage), Ok("key MANAGER".to_owned()));
        let expired = ask(&with("x-api-key", "old"), Scope::Read);
        assert!(matches!(expired, Err(Refusal::Expired { .. })));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let rules = rules();
        for (headers, refusal) in [
            (HeaderMap::new(), Refusal::NoKey),
            (with("x-api-key", " "), Refusal::NoKey),
            (with("authorization", "Basic reader"), Refusal::NoKey),
            (with("authorization", "Bearer"), Refusal::NoKey),
            (with("cookie", "x-api-key=reader"), Refusal::NoKey),
            (with("x-api-key", "Reader"), Refusal::UnknownKey),
            (with("authorization", "Bearer READER"), Refusal::UnknownKey),
        ] {
            let judged = judge(&rules, &tcp(), &headers, Scope::Read, NOW);
            assert_eq!(judged, Err(refusal), "{headers:?}");
        }
    }

    #[test]
    fn peers_need_no_key_and_a_key_does_not_help_them() {
        let rules = rules();
        let ask = |peer: Peer, needed| {
            let headers = with("x-api-key", "manager");
            judge(&rules, &Origin::Unix(peer), &headers, needed, NOW).is_ok()
        };
        assert!(ask(Peer::made_up(54_321, &[77]), Scope::Manage));
        assert!(ask(Peer::made_up(54_321, &[78]), Scope::Read));
        assert!(!ask(Peer::made_up(54_321, &[78]), Scope::Manage));
    }

    #[test]
    fn lines_are_rationed_and_the_rest_is_counted() {
        let start = Instant::now();
        let mut ration = Ration::default();
        for _ in 0..LINES_PER_SECOND {
            assert_eq!(ration.take(start), Some(0));
        }
        for _ in 0..9 {
            assert_eq!(ration.take(start + Duration::from_millis(999)), None);
        }
        assert_eq!(ration.take(start + Duration::from_secs(1)), Some(9));
        assert_eq!(ration.take(start + Duration::from_secs(1)), Some(0));
    }
}
