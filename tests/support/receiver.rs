//! A receiver of webhooks with moods: what it takes is verified by the
//! specification's own library, and kept in order.

use super::SOON;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use standardwebhooks::Webhook;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    sync::watch,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

/// How it treats what comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mood {
    Take,
    /// A status, with further header lines.
    Answer(u16, &'static str),
    /// Reads all and says nothing, until its mood changes: then it cuts the
    /// connection.
    Hang,
    /// Cuts the connection before it has read anything.
    Down,
    /// Cuts it in the middle of its answer's body.
    DieMidBody,
}

/// A message whose signature is good.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// The header `webhook-id`.
    pub(crate) id: String,
    pub(crate) head: String,
    pub(crate) text: String,
    pub(crate) body: Value,
    /// Whether it was told so.
    pub(crate) taken: bool,
}

pub(crate) struct Receiver {
    pub(crate) port: u16,
    scheme: &'static str,
    mood: watch::Sender<Mood>,
    received: watch::Receiver<Vec<Received>>,
    faults: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    pub(crate) async fn start(secret: &str) -> Self {
        Self::begin(secret, None).await
    }

    /// By HTTPS.
    pub(crate) async fn start_secure(secret: &str, tls: TlsAcceptor) -> Self {
        Self::begin(secret, Some(tls)).await
    }

    async fn begin(secret: &str, tls: Option<TlsAcceptor>) -> Self {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let (mood, current) = watch::channel(Mood::Take);
        let (keep, received) = watch::channel(Vec::new());
        let keep = Arc::new(keep);
        let faults = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&faults);
        let secret = secret.to_owned();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let moods = current.clone();
                let (keep, told) = (Arc::clone(&keep), Arc::clone(&told));
                let (secret, tls) = (secret.clone(), tls.clone());
                tokio::spawn(async move {
                    let served = match tls {
                        None => serve(stream, moods, &secret, &keep).await,
                        // Who does not trust it says nothing.
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => serve(stream, moods, &secret, &keep).await,
                            Err(_) => Ok(()),
                        },
                    };
                    if let Err(fault) = served {
                        told.lock().unwrap().push(fault);
                    }
                });
            }
        });
        Self {
            port,
            scheme,
            mood,
            received,
            faults,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://127.0.0.1:{}/hook", self.scheme, self.port)
    }

    pub(crate) fn set(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.borrow().clone()
    }

    /// Waits until what was received is as wanted.
    pub(crate) async fn until(&self, what: &str, holds: impl FnMut(&[Received]) -> bool) {
        self.until_within(SOON, what, holds).await;
    }

    pub(crate) async fn until_within(
        &self,
        limit: Duration,
        what: &str,
        mut holds: impl FnMut(&[Received]) -> bool,
    ) {
        let mut received = self.received.clone();
        let come = received.wait_for(|received| holds(received));
        let come = timeout(limit, come).await.is_ok();
        assert!(come, "waited for {what}: {:#?}", self.tail());
    }

    /// Waits for the first event of a type.
    pub(crate) async fn until_type(&self, kind: &str) -> Received {
        let is = |one: &&Received| one.body["type"] == kind;
        self.until(kind, |received| received.iter().any(|one| is(&one)))
            .await;
        let found = self.received().iter().find(is).cloned();
        found.expect("it has come")
    }

    fn tail(&self) -> Vec<Value> {
        let received = self.received.borrow();
        let tail = received.iter().rev().take(5);
        tail.map(|one| one.body.clone()).collect()
    }

    /// Every message was whole, and signed with the secret.
    pub(crate) fn assert_no_faults(&self) {
        assert_eq!(*self.faults.lock().unwrap(), Vec::<String>::new());
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    mut moods: watch::Receiver<Mood>,
    secret: &str,
    keep: &watch::Sender<Vec<Received>>,
) -> Result<(), String> {
    let mood = moods.borrow_and_update().clone();
    if mood == Mood::Down {
        return Ok(());
    }
    // A daemon that is killed leaves half a request behind.
    let Some((head, body)) = request(&mut stream).await else {
        return Ok(());
    };
    let text = String::from_utf8(body.clone()).map_err(|error| error.to_string())?;
    let headers = headers(&head);
    Webhook::new(secret)
        .and_then(|webhook| webhook.verify(&body, &headers))
        .map_err(|error| format!("{error}: {head}{text}"))?;
    let id = headers["webhook-id"]
        .to_str()
        .unwrap_or_default()
        .to_owned();
    let received = Received {
        id,
        body: serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))?,
        head,
        text,
        taken: mood == Mood::Take,
    };
    keep.send_modify(|all| all.push(received));
    let answer = match mood {
        Mood::Take => "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".to_owned(),
        Mood::Answer(status, more) => {
            format!("HTTP/1.1 {status} X\r\n{more}content-length: 0\r\n\r\n")
        }
        Mood::DieMidBody => "HTTP/1.1 200 OK\r\ncontent-length: 200\r\n\r\nhalf".to_owned(),
        Mood::Hang | Mood::Down => {
            let mut byte = [0];
            tokio::select! {
                _ = stream.read(&mut byte) => {}
                _ = moods.changed() => {}
            }
            return Ok(());
        }
    };
    // Who has gone is not there to read it.
    let _ = stream.write_all(answer.as_bytes()).await;
    Ok(())
}

async fn request(stream: &mut (impl AsyncRead + Unpin)) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|part| part == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let length: usize = headers(&head)["content-length"]
        .to_str()
        .ok()?
        .parse()
        .ok()?;
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some((head, bytes.split_off(end)))
}

fn headers(head: &str) -> HeaderMap {
    let lines = head
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(": "));
    lines
        .map(|(name, value)| {
            let name: HeaderName = name.parse().expect("a name");
            (name, HeaderValue::from_str(value).expect("a value"))
        })
        .collect()
}
