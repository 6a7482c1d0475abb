//! Connections, directly or by the one proxy, with TLS or without.

use base64::{Engine, prelude::BASE64_STANDARD};
use hyper::Uri;
use hyper::header::HeaderValue;
use hyper_util::client::legacy::connect::{
    HttpConnector,
    proxy::{SocksV5, Tunnel},
};
use rustls::{CertificateError, ClientConfig, RootCertStore, crypto::ring};
use std::{io, sync::Arc, time::Duration};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio_websockets::{Connector, MaybeTlsStream};
use tower::Service;

/// A black hole is given up after this long; the next address, or the next
/// attempt, may fare better.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// TLS and a proxy's greeting are a few round trips.
const GREETING_TIMEOUT: Duration = Duration::from_secs(10);

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DialError {
    #[error("the name {0} cannot be resolved: check DNS and the network")]
    Dns(String),
    #[error("{0} refuses the connection")]
    Refused(String),
    #[error("{0} cannot be reached: check the network")]
    Unreachable(String),
    #[error("{0} did not answer in time")]
    Timeout(String),
    #[error("the proxy did not let us through to {host}: {why}")]
    Proxy { host: String, why: String },
    #[error("no TLS with {host}: {why}")]
    Tls { host: String, why: String },
    #[error("{0} shows a certificate of an authority that is not trusted here")]
    Untrusted(String),
    #[error("{host} did not accept the web socket: {why}")]
    Upgrade { host: String, why: String },
    #[error("the address is unusable: {0}")]
    Url(String),
}

impl DialError {
    /// The word `reason.code` uses.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Dns(_) => "dns",
            Self::Refused(_) => "refused",
            Self::Unreachable(_) => "network",
            Self::Timeout(_) => "timeout",
            Self::Proxy { .. } => "proxy",
            Self::Tls { .. } | Self::Untrusted(_) => "tls",
            Self::Upgrade { .. } => "upgrade",
            Self::Url(_) => "url",
        }
    }
}

/// A proxy that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("whatsapp.proxy: {0} cannot be the address of a proxy: give host and port")]
pub struct InvalidProxy(String);

/// A proxy as the configuration gives it.
#[derive(Clone)]
pub struct Proxy {
    pub kind: ProxyKind,
    /// A name or an address; IPv6 without brackets.
    pub host: String,
    pub port: u16,
    pub login: Option<(String, String)>,
}

/// How a proxy is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyKind {
    /// HTTP CONNECT.
    Http,
    /// SOCKS5, names resolved by the proxy.
    Socks5,
}

#[derive(Clone)]
enum Via {
    Http {
        at: Uri,
        auth: Option<HeaderValue>,
    },
    Socks {
        at: Uri,
        auth: Option<(String, String)>,
    },
}

/// Opens connections, directly or through the one configured proxy.
#[derive(Clone)]
pub struct Dialer {
    proxy: Option<Via>,
    tls: Arc<Connector>,
}

impl std::fmt::Debug for Dialer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialer")
            .field("proxied", &self.proxy.is_some())
            .finish_non_exhaustive()
    }
}

/// What a connection is made of, with TLS or, in the sandbox, without.
type Stream = MaybeTlsStream<TcpStream>;

impl Dialer {
    /// A dialer through `proxy`, or without one; `tls` says whom to trust.
    ///
    /// # Errors
    ///
    /// When host and port do not make an address.
    pub fn new(proxy: Option<Proxy>, tls: Connector) -> Result<Self, InvalidProxy> {
        Ok(Self {
            proxy: proxy.map(via).transpose()?,
            tls: Arc::new(tls),
        })
    }

    /// The same way out, with trust in these authorities and no others.
    #[must_use]
    pub fn trusting(&self, roots: Arc<RootCertStore>) -> Self {
        let ring = Arc::new(ring::default_provider());
        let config = ClientConfig::builder_with_provider(ring)
            .with_safe_default_protocol_versions()
            .expect("ring speaks them")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self {
            proxy: self.proxy.clone(),
            tls: Arc::new(Connector::Rustls(Arc::new(config).into())),
        }
    }

    /// A connection to `host:port`, with TLS when `tls` is set.
    ///
    /// # Errors
    ///
    /// When it cannot be made, or not in time.
    pub async fn dial(&self, host: &str, port: u16, tls: bool) -> Result<Stream, DialError> {
        let tcp = tokio::time::timeout(CONNECT_TIMEOUT + GREETING_TIMEOUT, self.tcp(host, port))
            .await
            .map_err(|_| DialError::Timeout(host.to_owned()))??;
        if !tls {
            return Ok(MaybeTlsStream::Plain(tcp));
        }
        tokio::time::timeout(GREETING_TIMEOUT, self.tls.wrap(host, tcp))
            .await
            .map_err(|_| DialError::Timeout(host.to_owned()))?
            .map_err(|error| no_tls(host, &error))
    }

    async fn tcp(&self, host: &str, port: u16) -> Result<TcpStream, DialError> {
        let target: Uri = format!("https://{}:{port}", bracketed(host))
            .parse()
            .map_err(|error| DialError::Url(format!("{error}")))?;
        let mut direct = HttpConnector::new();
        direct.enforce_http(false);
        direct.set_nodelay(true);
        direct.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let stream = match &self.proxy {
            None => direct
                .call(target)
                .await
                .map_err(|error| classify(host, &error))?,
            Some(Via::Http { at, auth }) => {
                let mut tunnel = Tunnel::new(at.clone(), direct);
                if let Some(auth) = auth {
                    tunnel = tunnel.with_auth(auth.clone());
                }
                tunnel
                    .call(target)
                    .await
                    .map_err(|error| refused_by_proxy(host, &error))?
            }
            Some(Via::Socks { at, auth }) => {
                // Names are resolved by the proxy: a local look-up would leak them.
                let mut socks = SocksV5::new(at.clone(), direct);
                if let Some((user, password)) = auth {
                    socks = socks.with_auth(user.clone(), password.clone());
                }
                socks
                    .call(target)
                    .await
                    .map_err(|error| refused_by_proxy(host, &error))?
            }
        };
        Ok(stream.into_inner())
    }
}

fn via(proxy: Proxy) -> Result<Via, InvalidProxy> {
    let Proxy {
        kind,
        host,
        port,
        login,
    } = proxy;
    // The scheme is only a form: the connectors read host and port.
    let at: Uri = format!("http://{}:{port}", bracketed(&host))
        .parse()
        .map_err(|_| InvalidProxy(host))?;
    Ok(match kind {
        ProxyKind::Http => {
            let auth = login.and_then(|(user, password)| {
                let basic = BASE64_STANDARD.encode(format!("{user}:{password}"));
                HeaderValue::from_str(&format!("Basic {basic}")).ok()
            });
            Via::Http { at, auth }
        }
        ProxyKind::Socks5 => Via::Socks { at, auth: login },
    })
}

fn bracketed(host: &str) -> String {
    if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    }
}

/// The connector wraps the system's error once or twice; what helps a person
/// is at the bottom of the chain.
fn classify(host: &str, error: &(dyn std::error::Error + 'static)) -> DialError {
    let text = error.to_string();
    let mut cause = Some(error);
    while let Some(current) = cause {
        if let Some(io) = current.downcast_ref::<io::Error>() {
            return match io.kind() {
                _ if text.starts_with("dns") => DialError::Dns(host.to_owned()),
                io::ErrorKind::ConnectionRefused => DialError::Refused(host.to_owned()),
                io::ErrorKind::TimedOut => DialError::Timeout(host.to_owned()),
                _ => DialError::Unreachable(host.to_owned()),
            };
        }
        cause = current.source();
    }
    if text.starts_with("dns") {
        DialError::Dns(host.to_owned())
    } else {
        DialError::Unreachable(host.to_owned())
    }
}

fn no_tls(host: &str, error: &(dyn std::error::Error + 'static)) -> DialError {
    let host = host.to_owned();
    if is_untrusted(error) {
        return DialError::Untrusted(host);
    }
    let why = error.to_string();
    DialError::Tls { host, why }
}

/// Whether no authority that is trusted has signed the certificate; or one of
/// the same name has, by another key.
fn is_untrusted(error: &(dyn std::error::Error + 'static)) -> bool {
    use rustls::Error::InvalidCertificate;
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return matches!(
            error,
            InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature)
        );
    }
    // An I/O error does not call what it wraps its source.
    let wrapped = error.downcast_ref().and_then(io::Error::get_ref);
    match (wrapped, error.source()) {
        (Some(inner), _) => is_untrusted(inner),
        (None, Some(source)) => is_untrusted(source),
        (None, None) => false,
    }
}

fn refused_by_proxy(host: &str, error: &(dyn std::error::Error + 'static)) -> DialError {
    let mut why = error.to_string();
    if let Some(cause) = error.source() {
        why = format!("{why}: {cause}");
    }
    DialError::Proxy {
        host: host.to_owned(),
        why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(kind: ProxyKind, host: &str, port: u16) -> Proxy {
        let login = Some(("user".to_owned(), "p@ss".to_owned()));
        Proxy {
            kind,
            host: host.to_owned(),
            port,
            login,
        }
    }

    #[test]
    fn takes_both_kinds_of_proxy() {
        match via(proxy(ProxyKind::Http, "proxy.example", 3128)) {
            Ok(Via::Http {
                at,
                auth: Some(auth),
            }) => {
                assert_eq!(at, "http://proxy.example:3128");
                let expected = BASE64_STANDARD.encode("user:p@ss");
                assert_eq!(auth.as_bytes(), format!("Basic {expected}").as_bytes());
            }
            _ => panic!("an http proxy with its credentials"),
        }
        match via(proxy(ProxyKind::Socks5, "::1", 1080)) {
            Ok(Via::Socks { at, auth }) => {
                assert_eq!(at, "http://[::1]:1080");
                assert_eq!(auth, Some(("user".to_owned(), "p@ss".to_owned())));
            }
            _ => panic!("a socks proxy with its credentials"),
        }
        assert!(via(proxy(ProxyKind::Http, "no host", 1)).is_err());
    }

    #[tokio::test]
    async fn says_who_refused() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = closed.local_addr().expect("it has an address").port();
        drop(closed);
        let dialer = Dialer::new(None, Connector::Plain).expect("no proxy, no fault");
        let error = dialer.dial("127.0.0.1", port, false).await.err();
        assert_eq!(error, Some(DialError::Refused("127.0.0.1".to_owned())));
        let through = Dialer::new(
            Some(proxy(ProxyKind::Http, "127.0.0.1", port)),
            Connector::Plain,
        )
        .expect("well-formed");
        let error = through.dial("example.invalid", 443, true).await.err();
        assert_eq!(error.map(|e| e.code()), Some("proxy"));
    }
}
