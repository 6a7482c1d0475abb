//! TLS on a TCP connection.

use rustls::{
    ServerConfig,
    crypto::ring,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use std::{
    fmt,
    io::{self, ErrorKind},
    sync::Arc,
};
use tokio::{io::AsyncWriteExt, net::TcpStream};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

const HTTP2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";

/// What a client hears that speaks plain HTTP to an HTTPS port.
const PLAIN_BODY: &str = r#"{"success":false,"error":"This port speaks HTTPS: write https:// instead of http://.","code":"bad_request"}"#;

/// Speaks TLS 1.2 and 1.3, with HTTP/2 and HTTP/1.1 to choose from.
#[derive(Clone)]
pub struct Secure(TlsAcceptor);

impl Secure {
    /// Every client is shown this certificate.
    pub fn new(identity: Arc<CertifiedKey>) -> Self {
        let versions = [&rustls::version::TLS13, &rustls::version::TLS12];
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&versions)
            .expect("ring speaks both versions")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Only(identity)));
        config.alpn_protocols = vec![HTTP2.to_vec(), HTTP1.to_vec()];
        Self(TlsAcceptor::from(Arc::new(config)))
    }

    /// The handshake. Who speaks plain HTTP is told so.
    pub(super) async fn accept(&self, mut stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let mut first = [0];
        if stream.peek(&mut first).await? == 1 && first[0].is_ascii_uppercase() {
            let length = PLAIN_BODY.len();
            let answer = format!(
                "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json; charset=utf-8\r\n\
                 cache-control: no-store\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{PLAIN_BODY}"
            );
            stream.write_all(answer.as_bytes()).await?;
            stream.shutdown().await?;
            return Err(io::Error::new(
                ErrorKind::InvalidData,
                "plain HTTP on an HTTPS port",
            ));
        }
        self.0.accept(stream).await
    }
}

impl fmt::Debug for Secure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TLS")
    }
}

/// Whether the two agreed on HTTP/2.
pub(super) fn is_http2(stream: &TlsStream<TcpStream>) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(HTTP2)
}

/// One certificate, whatever name the client asks for: it is the client's to
/// look whether it fits.
#[derive(Debug)]
struct Only(Arc<CertifiedKey>);

impl ResolvesServerCert for Only {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}
