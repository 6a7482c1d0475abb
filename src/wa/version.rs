//! The WhatsApp Web version announced at login.
//!
//! WhatsApp refuses versions that are too old. The current one is on its web
//! page; fetching it may fail or hang, and then the last one known, or the
//! one built in, serves as well for months. So linking never waits long for it.

use super::http::Http;
use crate::{dial::Dialer, wire::Timestamp};
use std::{
    fmt, fs,
    path::PathBuf,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use whatsapp_rust::{http::HttpClient, version::fetch_latest_app_version};

/// `2.3000.1042742319`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version(pub u32, pub u32, pub u32);

/// The version whatsapp-rust 0.7.0 was released with.
const BUILT_IN: Version = Version(2, 3000, 1_042_742_319);

/// WhatsApp publishes several versions a week and accepts each for months.
const FRESH_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// After a failed fetch, sessions in between use what is known.
const RETRY_AFTER: Duration = Duration::from_secs(10 * 60);

/// How long a session waits for a fetch before it goes ahead.
const PATIENCE: Duration = Duration::from_secs(3);

/// A fetch that takes longer is given up.
const FETCH_TIMEOUT: Duration = Duration::from_secs(20);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl FromStr for Version {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text
            .split('.')
            .map(|part| part.parse::<u32>().map_err(|_| ()));
        let mut next = || parts.next().ok_or(())?;
        let version = Self(next()?, next()?, next()?);
        if parts.next().is_some() {
            Err(())
        } else {
            Ok(version)
        }
    }
}

/// Knows the version, and when to ask for a newer one.
#[derive(Debug)]
pub struct VersionSource {
    http: Http,
    file: PathBuf,
    known: Mutex<Known>,
    clock: fn() -> Timestamp,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    version: Version,
    /// No fetch before this time.
    fresh_until: Timestamp,
}

impl VersionSource {
    /// Reads what an earlier run learnt from `file`; without it, begins with
    /// the built-in version.
    pub fn new(dialer: Dialer, file: PathBuf, clock: fn() -> Timestamp) -> Arc<Self> {
        let known = fs::read_to_string(&file)
            .ok()
            .and_then(|text| parse_file(&text))
            .filter(|known| known.fresh_until <= clock().plus_millis(millis(FRESH_FOR)))
            .unwrap_or(Known {
                version: BUILT_IN,
                fresh_until: Timestamp::from_millis(0),
            });
        Arc::new(Self {
            http: Http(dialer),
            file,
            known: Mutex::new(known),
            clock,
        })
    }

    /// The version for a session about to connect.
    pub(super) async fn current(self: &Arc<Self>) -> Version {
        let known = self.known();
        // The sandbox has no web page; fetching WhatsApp's for it would mix
        // the two worlds.
        if cfg!(feature = "sandbox") || known.fresh_until > (self.clock)() {
            return known.version;
        }
        // Set now, so that sessions in the meantime do not fetch as well.
        self.set_fresh_until((self.clock)().plus_millis(millis(RETRY_AFTER)));
        let source = Arc::clone(self);
        let fetch = tokio::spawn(async move { source.fetch().await });
        // On time-out the fetch goes on and serves the next session.
        let _ = tokio::time::timeout(PATIENCE, fetch).await;
        self.known().version
    }

    /// WhatsApp called this version outdated: the next session asks again.
    pub(super) fn outdated(&self) {
        self.set_fresh_until(Timestamp::from_millis(0));
        // Nor may the next start take it for fresh; it is there or it is not.
        let _ = fs::remove_file(&self.file);
    }

    async fn fetch(&self) {
        let http: Arc<dyn HttpClient> = Arc::new(self.http.clone());
        let fetched = tokio::time::timeout(FETCH_TIMEOUT, fetch_latest_app_version(&http)).await;
        match fetched {
            Ok(Ok((primary, secondary, tertiary))) => {
                let known = Known {
                    version: Version(primary, secondary, tertiary),
                    fresh_until: (self.clock)().plus_millis(millis(FRESH_FOR)),
                };
                *self.known.lock().unwrap_or_else(PoisonError::into_inner) = known;
                let text = format!("{} {}\n", known.version, known.fresh_until.millis());
                if let Err(error) = fs::write(&self.file, text) {
                    tracing::warn!(
                        "{}: {error}: the version is fetched again at the next start",
                        self.file.display()
                    );
                }
                tracing::debug!("WhatsApp's current version is {}", known.version);
            }
            Ok(Err(error)) => tracing::info!(
                "WhatsApp's current version could not be fetched ({error:#}); going on with {}",
                self.known().version
            ),
            Err(_) => tracing::info!(
                "WhatsApp's current version could not be fetched in time; going on with {}",
                self.known().version
            ),
        }
    }

    fn known(&self) -> Known {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_fresh_until(&self, at: Timestamp) {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fresh_until = at;
    }
}

fn parse_file(text: &str) -> Option<Known> {
    let (version, fresh_until) = text.trim().split_once(' ')?;
    Some(Known {
        version: version.parse().ok()?,
        fresh_until: Timestamp::from_millis(fresh_until.parse().ok()?),
    })
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_read_back() {
        assert_eq!("2.3000.17".parse(), Ok(Version(2, 3000, 17)));
        assert_eq!(Version(2, 3000, 17).to_string(), "2.3000.17");
        for bad in ["", "2.3000", "2.3000.x", "2.3000.1.2"] {
            assert_eq!(bad.parse::<Version>(), Err(()), "{bad}");
        }
    }

    #[test]
    fn an_earlier_run_is_remembered_and_rubbish_is_not() {
        fn noon() -> Timestamp {
            Timestamp::from_millis(1_000_000)
        }
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("version");
        let begin = || {
            let dialer = Dialer::new(None, crate::wa::public_trust()).expect("no proxy, no fault");
            VersionSource::new(dialer, file.clone(), noon)
                .known()
                .version
        };
        assert_eq!(begin(), BUILT_IN);
        fs::write(&file, "2.3000.99 1000\n").expect("written");
        assert_eq!(begin(), Version(2, 3000, 99));
        fs::write(&file, "what").expect("written");
        assert_eq!(begin(), BUILT_IN);
    }
}
