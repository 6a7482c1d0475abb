//! The floor: hyper alone, without a router, that gives the same bytes whatever is
//! asked, by as many threads as walinkd has. In a process of its own.

use crate::{
    child::Child,
    http::{Answer, Door},
};
use anyhow::Result;
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Response,
    header::{CONTENT_LENGTH, DATE, HeaderName, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use std::{
    convert::Infallible,
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream, UnixListener},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

/// As walinkd has.
pub(crate) const THREADS: usize = 2;

#[derive(Debug, clap::Args)]
pub(crate) struct Floor {
    /// What is answered.
    #[arg(long)]
    answer: PathBuf,
    #[arg(long)]
    socket: PathBuf,
    #[arg(long)]
    certificate: PathBuf,
    #[arg(long)]
    key: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Template {
    headers: Vec<(String, String)>,
    body: String,
}

/// Where it listens.
#[derive(Serialize, Deserialize)]
struct Ports {
    tcp: SocketAddr,
    tls: SocketAddr,
}

/// A certificate for `localhost` and its key, as files in `folder`.
pub(crate) fn certificate(folder: &Path) -> Result<(PathBuf, PathBuf)> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    fs::write(&certificate, made.cert.pem())?;
    fs::write(&key, made.signing_key.serialize_pem())?;
    Ok((certificate, key))
}

/// A floor that runs.
pub(crate) struct Running {
    child: Child,
    pub(crate) tcp: Door,
    pub(crate) tls: Door,
    pub(crate) unix: Door,
}

impl Running {
    /// One that gives this answer, in `folder`, with its certificate.
    pub(crate) async fn start(
        answer: &Answer,
        folder: &Path,
        (certificate, key): (&Path, &Path),
    ) -> Result<Self> {
        // Which hyper adds itself.
        let own = |name: &str| [CONTENT_LENGTH, DATE].iter().any(|own| name == own);
        let headers = answer.headers().filter(|(name, _)| !own(name));
        let template = Template {
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            body: String::from_utf8(answer.body().to_vec())?,
        };
        let (path, socket) = (folder.join("answer"), folder.join("floor.sock"));
        fs::write(&path, serde_json::to_vec(&template)?)?;
        let arguments = [
            format!("--answer={}", path.display()),
            format!("--socket={}", socket.display()),
            format!("--certificate={}", certificate.display()),
            format!("--key={}", key.display()),
        ];
        let mut child = Child::itself("floor", arguments)?;
        let ports: Ports = serde_json::from_str(&child.line().await?)?;
        Ok(Self {
            child,
            tcp: Door::Tcp(ports.tcp),
            tls: Door::Tls(ports.tls),
            unix: Door::Unix(socket),
        })
    }

    pub(crate) fn pid(&self) -> i32 {
        self.child.pid()
    }
}

impl Floor {
    /// Serves for as long as it is let live.
    pub(crate) async fn run(self, listening: impl FnOnce(String)) -> Result<()> {
        let template: Template = serde_json::from_slice(&fs::read(&self.answer)?)?;
        let answer = Arc::new(Fixed::new(template)?);
        let free = (Ipv4Addr::LOCALHOST, 0);
        let (tcp, tls) = (
            TcpListener::bind(free).await?,
            TcpListener::bind(free).await?,
        );
        let unix = UnixListener::bind(&self.socket)?;
        let secure = self.secure()?;
        listening(serde_json::to_string(&Ports {
            tcp: tcp.local_addr()?,
            tls: tls.local_addr()?,
        })?);
        loop {
            let answer = Arc::clone(&answer);
            tokio::select! {
                accepted = tcp.accept() => {
                    let stream = at_once(accepted?.0)?;
                    tokio::spawn(async move { answer.serve(stream).await });
                }
                accepted = tls.accept() => {
                    let stream = secure.accept(at_once(accepted?.0)?);
                    tokio::spawn(async move {
                        if let Ok(stream) = stream.await {
                            answer.serve(stream).await;
                        }
                    });
                }
                accepted = unix.accept() => {
                    let stream = accepted?.0;
                    tokio::spawn(async move { answer.serve(stream).await });
                }
            }
        }
    }

    fn secure(&self) -> Result<TlsAcceptor> {
        let certificate = CertificateDer::from_pem_file(&self.certificate)?;
        let key = PrivateKeyDer::from_pem_file(&self.key)?;
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

fn at_once(stream: TcpStream) -> Result<TcpStream> {
    stream.set_nodelay(true)?;
    Ok(stream)
}

struct Fixed {
    headers: HeaderMap,
    body: Bytes,
}

impl Fixed {
    fn new(template: Template) -> Result<Self> {
        let mut headers = HeaderMap::new();
        for (name, value) in template.headers {
            headers.insert(
                HeaderName::from_bytes(name.as_bytes())?,
                HeaderValue::from_str(&value)?,
            );
        }
        Ok(Self {
            headers,
            body: template.body.into(),
        })
    }

    async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let service = service_fn(async |_| {
            let mut response = Response::new(Full::new(self.body.clone()));
            response.headers_mut().clone_from(&self.headers);
            Ok::<_, Infallible>(response)
        });
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        // A client that hangs up ends it so or otherwise.
        let _ = connection.await;
    }
}
