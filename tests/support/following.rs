//! A client of `GET /connection/events`, block by block.

use super::{Daemon, KEY, SOON};
use http_body_util::{BodyExt, Empty};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{
    net::{TcpStream, UnixStream},
    time::timeout,
};

/// Where a client comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Tcp,
    Control,
}

/// A stream that is read; dropped, its connection is cut.
pub(crate) struct Following {
    body: Incoming,
    _sender: SendRequest<Empty<Bytes>>,
    rest: Vec<u8>,
}

/// One block of it. A comment is a block without a field.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Block {
    pub(crate) id: Option<u64>,
    pub(crate) event: String,
    pub(crate) data: Value,
}

impl Following {
    /// Follows with the test's key, where one is needed, and these headers.
    pub(crate) async fn begin(
        daemon: &Daemon,
        by: By,
        query: &str,
        headers: &[(&str, &str)],
    ) -> Self {
        let path = format!("/connection/events{query}");
        let mut all = Vec::from(headers);
        let (sender, response) = match by {
            By::Tcp => {
                if !headers.iter().any(|(name, _)| *name == "x-api-key") {
                    all.push(("x-api-key", KEY));
                }
                let stream = TcpStream::connect(daemon.address()).await;
                open(TokioIo::new(stream.expect("it listens")), &path, &all).await
            }
            By::Control => {
                let stream = UnixStream::connect(daemon.home.socket()).await;
                open(TokioIo::new(stream.expect("it listens")), &path, &all).await
            }
        };
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            body: response.into_body(),
            _sender: sender,
            rest: Vec::new(),
        }
    }

    /// Behind an id, by the header.
    pub(crate) async fn resume(daemon: &Daemon, by: By, id: u64) -> Self {
        Self::begin(daemon, by, "", &[("last-event-id", &id.to_string())]).await
    }

    /// The next block; `None` when the daemon has ended the stream in good order.
    pub(crate) async fn next(&mut self) -> Option<Block> {
        loop {
            let end = self.rest.windows(2).position(|two| two == b"\n\n");
            if let Some(end) = end {
                let block: Vec<u8> = self.rest.drain(..end + 2).collect();
                return Some(parse(std::str::from_utf8(&block).expect("UTF-8")));
            }
            let frame = timeout(SOON, self.body.frame()).await.expect("in time");
            let Some(frame) = frame else {
                assert!(self.rest.is_empty(), "it ends with a whole block");
                return None;
            };
            let data = frame.expect("no error").into_data().expect("data");
            self.rest.extend_from_slice(&data);
        }
    }

    /// The next block that is one of these, whatever comes before.
    pub(crate) async fn until(&mut self, event: &str) -> Block {
        loop {
            let block = self.next().await.expect("it goes on");
            if block.event == event {
                return block;
            }
        }
    }

    /// Past the first status, and the place that one without an id is given.
    pub(crate) async fn greeted(mut self) -> (Self, u64) {
        let first = self.next().await.expect("a status");
        assert_eq!((first.id, &*first.event), (None, "status"));
        let place = self.next().await.expect("a place");
        assert_eq!((&*place.event, &place.data), ("", &Value::Null));
        (self, place.id.expect("an id"))
    }
}

async fn open<S>(
    stream: TokioIo<S>,
    path: &str,
    headers: &[(&str, &str)],
) -> (SendRequest<Empty<Bytes>>, Response<Incoming>)
where
    TokioIo<S>: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(stream).await.expect("HTTP");
    tokio::spawn(connection);
    let mut request = Request::builder().uri(path).header("host", "localhost");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Empty::new()).expect("a request");
    let answer = timeout(SOON, sender.send_request(request)).await;
    (sender, answer.expect("in time").expect("an answer"))
}

fn parse(text: &str) -> Block {
    let mut block = Block::default();
    for line in text.lines() {
        match line.split_once(": ") {
            Some(("id", id)) => block.id = Some(id.parse().expect("a number")),
            Some(("event", event)) => event.clone_into(&mut block.event),
            Some(("data", data)) => block.data = serde_json::from_str(data).expect("JSON"),
            _ => assert!(line.is_empty() || line.starts_with(':'), "{line:?}"),
        }
    }
    block
}
