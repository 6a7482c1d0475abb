//! One HTTP request over one connection.

use super::{DialError, Dialer};
use http_body_util::Full;
use hyper::{
    Request, Response, Uri,
    body::{Bytes, Incoming},
    client::conn::http1,
    header::{HOST, HeaderValue},
};
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio_util::task::AbortOnDropHandle;

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum ExchangeError {
    #[error("the address is neither http nor https with a host")]
    Url,
    #[error(transparent)]
    Dial(#[from] DialError),
    #[error("the connection broke off: {0}")]
    Broken(#[from] hyper::Error),
}

/// An answer whose body is still to be read.
#[derive(Debug)]
pub struct Exchange {
    pub response: Response<Incoming>,
    /// Moves the bytes until it is dropped.
    pub driver: AbortOnDropHandle<hyper::Result<()>>,
}

impl Dialer {
    /// Sends a request to `http://` or `https://`, and gives the head of the
    /// answer. A redirect is an answer as any other.
    ///
    /// # Errors
    ///
    /// When there is no connection, or it ends before the head is there.
    pub async fn exchange(
        &self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Exchange, ExchangeError> {
        let uri = std::mem::take(request.uri_mut());
        let host = uri.host().ok_or(ExchangeError::Url)?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(ExchangeError::Url),
        };
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let authority = match uri.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let authority = HeaderValue::from_str(&authority).map_err(|_| ExchangeError::Url)?;
        request.headers_mut().insert(HOST, authority);
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = path.parse::<Uri>().map_err(|_| ExchangeError::Url)?;

        let host = host.trim_start_matches('[').trim_end_matches(']');
        let stream = self.dial(host, port, tls).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let driver = AbortOnDropHandle::new(tokio::spawn(connection));
        let response = sender.send_request(request).await?;
        Ok(Exchange { response, driver })
    }
}
