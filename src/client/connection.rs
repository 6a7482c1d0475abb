//! One request over one connection.

use super::Error;
use crate::wire::{Code, Problem};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Method, Request, Response,
    body::Incoming,
    client::conn::http1,
    header::{CONTENT_TYPE, HOST},
};
use hyper_util::rt::TokioIo;
use std::{io::ErrorKind, path::PathBuf, time::Duration};
use tokio::{
    net::UnixStream,
    time::{sleep, timeout},
};

/// How long a daemon may take to open its socket after it was started.
const START: Duration = Duration::from_secs(2);
/// Between two looks at whether it has.
const RETRY: Duration = Duration::from_millis(50);
/// An answer comes within the daemon's own time-out (10 s unless told
/// otherwise) or not at all.
const ANSWER: Duration = Duration::from_secs(30);
/// No answer of this API comes near this.
const MAX_ANSWER: usize = 4 << 20;

/// Opens a stream: the answer's head comes in time, its body as it likes.
pub(super) async fn open(sockets: &[PathBuf], method: Method, path: &str) -> Result<Stream, Error> {
    let stream = connect(sockets).await?;
    let answer = async {
        let (sender, response) = send(stream, method, path, String::new()).await?;
        if response.status().is_success() {
            return Ok(Stream {
                body: response.into_body(),
                _sender: sender,
            });
        }
        Err(refusal(response).await)
    };
    timeout(ANSWER, answer).await.map_err(|_| Error::Silent)?
}

/// An answer that goes on.
pub(super) struct Stream {
    pub body: Incoming,
    /// The connection ends without it.
    _sender: Sender,
}

type Sender = http1::SendRequest<Full<Bytes>>;

/// Sends a request and gives the body of its successful answer; an empty
/// `body` sends none. `wait` is how long the daemon was asked to hold it.
pub(super) async fn call(
    sockets: &[PathBuf],
    method: Method,
    path: &str,
    body: String,
    wait: Duration,
) -> Result<String, Error> {
    let stream = connect(sockets).await?;
    timeout(ANSWER + wait, exchange(stream, method, path, body))
        .await
        .map_err(|_| Error::Silent)?
}

/// The first socket at which somebody answers, also a moment later.
async fn connect(sockets: &[PathBuf]) -> Result<UnixStream, Error> {
    let mut nobody = None;
    let found = timeout(START, async {
        loop {
            match reach(sockets).await {
                Err(error @ Error::NoDaemon { .. }) => nobody = Some(error),
                other => return other,
            }
            sleep(RETRY).await;
        }
    });
    match (found.await, nobody) {
        (Ok(found), _) => found,
        (Err(_), Some(nobody)) => Err(nobody),
        (Err(_), None) => Err(Error::Silent),
    }
}

/// One try at each socket.
async fn reach(sockets: &[PathBuf]) -> Result<UnixStream, Error> {
    let mut nobody = Error::NoDaemon {
        socket: PathBuf::new(),
        source: ErrorKind::NotFound.into(),
    };
    for (index, socket) in sockets.iter().enumerate() {
        let source = match UnixStream::connect(socket).await {
            Ok(stream) => return Ok(stream),
            Err(error) => error,
        };
        let socket = socket.clone();
        match source.kind() {
            ErrorKind::PermissionDenied => return Err(Error::Closed { socket, source }),
            // The likeliest place is named, unless one was left behind.
            ErrorKind::NotFound if index > 0 => {}
            _ => nobody = Error::NoDaemon { socket, source },
        }
    }
    Err(nobody)
}

async fn exchange(
    stream: UnixStream,
    method: Method,
    path: &str,
    body: String,
) -> Result<String, Error> {
    let (_sender, response) = send(stream, method, path, body).await?;
    if response.status().is_success() {
        return whole(response).await;
    }
    Err(refusal(response).await)
}

async fn send(
    stream: UnixStream,
    method: Method,
    path: &str,
    body: String,
) -> Result<(Sender, Response<Incoming>), Error> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(Error::broken)?;
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, "localhost");
    if !body.is_empty() {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    let request = request
        .body(Full::new(Bytes::from(body)))
        .map_err(Error::broken)?;
    // It ends when the sender is dropped, and an error of its own reaches the
    // sender as well.
    tokio::spawn(connection);
    let response = sender.send_request(request).await.map_err(Error::broken)?;
    Ok((sender, response))
}

async fn whole(response: Response<Incoming>) -> Result<String, Error> {
    let body = Limited::new(response.into_body(), MAX_ANSWER);
    let body = body.collect().await.map_err(Error::broken)?.to_bytes();
    String::from_utf8(body.into()).map_err(Error::strange)
}

async fn refusal(response: Response<Incoming>) -> Error {
    let status = response.status();
    let body = match whole(response).await {
        Ok(body) => body,
        Err(error) => return error,
    };
    // What is refused before the router has no body of the API's.
    let problem = serde_json::from_str(&body).unwrap_or_else(|_| {
        let said = format!("the daemon answers HTTP {status}");
        Problem::new(Code::Internal, said)
    });
    let status = status.as_u16();
    Error::Refused { status, problem }
}
