//! HTTP/1.1 as a client speaks it that costs next to nothing: what is measured is
//! the server.

use crate::daemon::KEY;
use anyhow::{Context, Result, bail, ensure};
use std::{fmt, net::SocketAddr, path::PathBuf, str::FromStr, sync::Arc};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, UnixStream},
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

/// Where a server can be reached.
#[derive(Debug, Clone)]
pub(crate) enum Door {
    Tcp(SocketAddr),
    Tls(SocketAddr),
    Unix(PathBuf),
}

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "tcp:{address}"),
            Self::Tls(address) => write!(f, "tls:{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl FromStr for Door {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        Ok(match text.split_once(':') {
            Some(("tcp", address)) => Self::Tcp(address.parse()?),
            Some(("tls", address)) => Self::Tls(address.parse()?),
            Some(("unix", path)) => Self::Unix(path.into()),
            _ => bail!("{text} is no door"),
        })
    }
}

pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

impl Door {
    /// Over TLS, to who has the certificate that `trust` trusts.
    pub(crate) async fn connect(&self, trust: Option<&TlsConnector>) -> Result<Box<dyn Stream>> {
        let tcp = async |address| {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            anyhow::Ok(stream)
        };
        Ok(match self {
            Self::Tcp(address) => Box::new(tcp(*address).await?),
            Self::Tls(address) => {
                let trust = trust.context("whom to trust?")?;
                let name = ServerName::try_from("localhost")?;
                Box::new(trust.connect(name, tcp(*address).await?).await?)
            }
            Self::Unix(path) => Box::new(UnixStream::connect(path).await?),
        })
    }
}

/// Trusts this certificate.
pub(crate) fn trust(certificate: &[u8]) -> Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(certificate)?)?;
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// A request with the key that the daemon takes, and without a body.
pub(crate) fn request(method: &str, path: &str) -> String {
    let length = if method == "GET" {
        ""
    } else {
        "content-length: 0\r\n"
    };
    format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nx-api-key: {KEY}\r\n{length}\r\n")
}

/// One request on a connection of its own.
pub(crate) async fn call(door: &Door, method: &str, path: &str) -> Result<Answer> {
    let mut stream = door.connect(None).await?;
    stream.write_all(request(method, path).as_bytes()).await?;
    let mut answer = Answer::default();
    answer.read(&mut stream).await?;
    Ok(answer)
}

/// An answer whose length is told, as all are that are asked for here.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    bytes: Vec<u8>,
    /// Where its body begins.
    body: usize,
}

impl Answer {
    /// Reads the next one, and no byte more can have come.
    pub(crate) async fn read(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> Result<()> {
        self.bytes.clear();
        loop {
            let read = stream.read_buf(&mut self.bytes).await?;
            ensure!(read > 0, "the server hung up");
            let Some(head) = self.bytes.windows(4).position(|end| end == b"\r\n\r\n") else {
                continue;
            };
            self.body = head + 4;
            let length = length(&self.bytes[..head]).context("a length is told")?;
            if self.bytes.len() >= self.body + length {
                ensure!(
                    self.bytes.len() == self.body + length,
                    "more than was asked for"
                );
                return Ok(());
            }
        }
    }

    pub(crate) fn is_ok(&self) -> bool {
        self.bytes.starts_with(b"HTTP/1.1 200 ")
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.bytes[self.body..]
    }

    /// Names and values.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let head = std::str::from_utf8(&self.bytes[..self.body]).unwrap_or_default();
        head.lines().filter_map(|line| line.split_once(": "))
    }
}

/// What the head says of the body.
fn length(head: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length: ";
    let value = head.split(|byte| *byte == b'\n').find_map(|line| {
        let (name, value) = line.split_at_checked(NAME.len())?;
        name.eq_ignore_ascii_case(NAME).then_some(value)
    })?;
    std::str::from_utf8(value).ok()?.trim().parse().ok()
}
