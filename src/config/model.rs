//! The checked configuration: plain data, one struct a section.

use super::{Identity, Place, Secret, Webhook, tls::Pem};
use crate::wire::{KeySource, PhoneNumber, Scope, Timestamp};
use ipnet::IpNet;
use std::{collections::BTreeMap, fmt, net::SocketAddr, path::PathBuf, time::Duration};

/// Everything the daemon is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The file it was read from; `None` when there is none.
    pub file: Option<PathBuf>,
    pub http: Http,
    pub control: Control,
    pub auth: Auth,
    /// The section in force: the file's, seeded by the environment.
    pub pairing: Pairing,
    /// What the file alone says: a number that changes here between two loads
    /// wins over the environment's.
    pub file_pairing: Pairing,
    pub whatsapp: Whatsapp,
    pub storage: Storage,
    pub log: Log,
    /// Where each value came from that is not the default.
    pub(super) origins: Origins,
    /// No two have the same name.
    pub webhook: Vec<Webhook>,
}

/// By the names of the keys.
pub(super) type Origins = BTreeMap<&'static str, Place>;

#[derive(Debug, Clone, PartialEq)]
pub struct Http {
    /// Empty: no TCP at all.
    pub listen: Vec<SocketAddr>,
    /// Both or none of the two.
    pub(super) tls_cert: Option<Pem>,
    pub(super) tls_key: Option<Pem>,
    /// Made of the two: HTTPS is served with it. `None`: plain HTTP.
    pub identity: Option<Identity>,
    /// `["*"]`, or origins as a browser sends them: `https://example.org:8443`.
    pub cors_origins: Vec<String>,
    /// From the end of a request's head to the answer. Never zero.
    pub request_timeout: Duration,
    /// For a request's head to arrive. Never zero.
    pub header_timeout: Duration,
    pub max_connections: usize,
    pub max_connections_per_client: usize,
    pub max_streams_per_key: usize,
    /// Bytes.
    pub max_body: usize,
    pub trusted_proxies: Vec<IpNet>,
    pub dashboard: bool,
    pub rate_limit: RateLimit,
}

/// Zero sets no limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimit {
    pub requests_per_second: usize,
    pub burst: usize,
    pub failed_keys_per_minute: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Control {
    /// Absolute, and short enough for a Unix socket address.
    pub socket: PathBuf,
    /// The group whose members manage.
    pub group: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Auth {
    /// The file's keys, then those of the environment and of systemd. No two
    /// have the same name or the same hash.
    pub keys: Vec<ApiKey>,
}

/// An API key, known by its hash.
#[derive(Clone, PartialEq)]
pub struct ApiKey {
    pub name: String,
    /// SHA-256 of the key's bytes.
    pub sha256: [u8; 32],
    pub scope: Scope,
    pub source: KeySource,
    /// The first moment at which the key no longer holds.
    pub expires: Option<Timestamp>,
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey")
            .field("name", &self.name)
            .field("scope", &self.scope)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Pairing {
    pub mode: Mode,
    /// There is one when the mode in force is [`Mode::Code`].
    pub phone_number: Option<PhoneNumber>,
    /// What the phone shows under Linked devices.
    pub device_name: String,
    pub platform: Platform,
    /// Zero: never idle.
    pub idle_after: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Qr,
    Code,
}

/// The kind of companion the phone is told it links: the browsers and desktop
/// programs among the platforms of WhatsApp's device properties. The rest of
/// those need attestation or are no companions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    Chrome,
    Edge,
    Firefox,
    Ie,
    Opera,
    Safari,
    Desktop,
    Uwp,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Whatsapp {
    /// `wss://…`; `ws://…` only with the feature `sandbox`.
    pub url: String,
    pub proxy: Option<Proxy>,
}

/// The way out for every outgoing connection.
#[derive(Debug, Clone, PartialEq)]
pub struct Proxy {
    pub scheme: ProxyScheme,
    /// A name or an address; IPv6 without brackets.
    pub host: String,
    pub port: u16,
    /// User and password, percent-decoded.
    pub login: Option<(String, Secret)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyScheme {
    Http,
    Socks5,
}

impl fmt::Display for Proxy {
    /// `socks5://user:***@host:port`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.scheme {
            ProxyScheme::Http => "http://",
            ProxyScheme::Socks5 => "socks5://",
        })?;
        if let Some((user, password)) = &self.login {
            write!(f, "{user}:{password}@")?;
        }
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Storage {
    /// Absolute.
    pub state_dir: PathBuf,
    /// How long events stay.
    pub keep_events: Duration,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Log {
    /// A level, or a directive as `tracing_subscriber::EnvFilter` reads it.
    pub level: String,
    pub target: LogTarget,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogTarget {
    /// journald under systemd, standard error elsewhere.
    Auto,
    Journald,
    Stderr,
    Json,
}

impl Config {
    /// The key's value comes from here, whatever it was before.
    pub(super) fn set_by(&mut self, key: &'static str, place: Place) {
        self.origins.insert(key, place);
    }

    /// The key's value comes from here too; the first is named.
    pub(super) fn also_set_by(&mut self, key: &'static str, place: Place) {
        self.origins.entry(key).or_insert(place);
    }

    /// The defaults. Where the state is kept depends on who runs the daemon,
    /// and the socket's place may depend on that: it is filled in last.
    pub(super) fn new(state_dir: PathBuf) -> Self {
        let pairing = Pairing {
            mode: Mode::Qr,
            phone_number: None,
            device_name: "walinkd".to_owned(),
            platform: Platform::Chrome,
            idle_after: Duration::from_secs(10 * 60),
        };
        Self {
            file: None,
            http: Http {
                listen: vec![SocketAddr::from(([127, 0, 0, 1], 3000))],
                tls_cert: None,
                tls_key: None,
                identity: None,
                cors_origins: vec!["*".to_owned()],
                request_timeout: Duration::from_secs(10),
                header_timeout: Duration::from_secs(5),
                max_connections: 1024,
                max_connections_per_client: 1000,
                max_streams_per_key: 1000,
                max_body: 16 * 1024,
                trusted_proxies: Vec::new(),
                dashboard: true,
                rate_limit: RateLimit {
                    requests_per_second: 50,
                    burst: 100,
                    failed_keys_per_minute: 10,
                },
            },
            control: Control {
                socket: PathBuf::new(),
                group: None,
            },
            auth: Auth { keys: Vec::new() },
            file_pairing: pairing.clone(),
            pairing,
            whatsapp: Whatsapp {
                url: "wss://web.whatsapp.com/ws/chat".to_owned(),
                proxy: None,
            },
            storage: Storage {
                state_dir,
                keep_events: Duration::from_secs(30 * 86_400),
            },
            log: Log {
                level: "info".to_owned(),
                target: LogTarget::Auto,
            },
            origins: Origins::new(),
            webhook: Vec::new(),
        }
    }
}
