//! The web socket to WhatsApp, over the one dialer, with an ear for life signs.

use crate::{
    dial::{DialError, Dialer},
    wire::Timestamp,
};
use hyper::Uri;
use hyper::header::{HeaderValue, ORIGIN};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio_websockets::ClientBuilder;
use whatsapp_rust::{
    async_channel, async_trait,
    transport::{DisconnectReason, Transport, TransportEvent, TransportFactory, from_websocket},
    wacore::net::WHATSAPP_WEB_ORIGIN,
};

/// Frames between the socket and the library; the library drains them at once.
const FRAMES: usize = 64;

/// Below the library's own 20 s, which would hide what went wrong.
const OPEN_TIMEOUT: Duration = Duration::from_secs(18);

/// The library gives a connection up after 20 s without an answer; less than
/// this is no silence.
const SILENCE_MILLIS: i64 = 15_000;

/// Called with the time of each frame that comes in.
pub(super) type OnHeard = Arc<dyn Fn(Timestamp) + Send + Sync>;

/// Makes the socket of one session. The library drops the reason when a
/// connection cannot be made, so it is kept here.
#[derive(Clone)]
pub(super) struct Socket {
    url: Arc<str>,
    dialer: Dialer,
    on_heard: OnHeard,
    clock: fn() -> Timestamp,
    failure: Arc<Mutex<Option<DialError>>>,
    broken: Arc<AtomicBool>,
    /// Milliseconds since the epoch.
    last_frame: Arc<AtomicI64>,
}

impl Socket {
    pub(super) fn new(
        url: &str,
        dialer: Dialer,
        on_heard: OnHeard,
        clock: fn() -> Timestamp,
    ) -> Self {
        Self {
            url: url.into(),
            dialer,
            on_heard,
            clock,
            failure: Arc::default(),
            broken: Arc::default(),
            last_frame: Arc::default(),
        }
    }

    /// Why there was no socket, once.
    pub(super) fn failure(&self) -> Option<DialError> {
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// Whether the connection ended because nothing came in any more, as
    /// against the network or the other side having ended it. The library
    /// drops such a connection by itself and says nothing.
    pub(super) fn fell_silent(&self) -> bool {
        let last = self.last_frame.load(Ordering::Acquire);
        let quiet = (self.clock)().millis().saturating_sub(last);
        !self.broken.load(Ordering::Acquire) && quiet >= SILENCE_MILLIS
    }

    pub(super) async fn open(
        &self,
    ) -> Result<(Arc<dyn Transport>, async_channel::Receiver<TransportEvent>), DialError> {
        let uri: Uri = self
            .url
            .parse()
            .map_err(|error| DialError::Url(format!("{error}")))?;
        let host = uri
            .host()
            .ok_or_else(|| DialError::Url("it names no host".to_owned()))?;
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let tls = uri.scheme_str() == Some("wss");
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let stream = self.dialer.dial(&host, port, tls).await?;
        let refused = |why: String| DialError::Upgrade {
            host: host.clone(),
            why,
        };
        let (socket, _) = ClientBuilder::from_uri(uri)
            .add_header(ORIGIN, HeaderValue::from_static(WHATSAPP_WEB_ORIGIN))
            .map_err(|error| refused(error.to_string()))?
            .connect_on(stream)
            .await
            .map_err(|error| refused(error.to_string()))?;
        let (transport, frames) = from_websocket(socket);
        Ok((transport, self.listen(frames)))
    }

    /// Passes the frames on and tells the time of each.
    fn listen(
        &self,
        frames: async_channel::Receiver<TransportEvent>,
    ) -> async_channel::Receiver<TransportEvent> {
        let (pass_on, passed) = async_channel::bounded(FRAMES);
        let on_heard = Arc::clone(&self.on_heard);
        let clock = self.clock;
        let broken = Arc::clone(&self.broken);
        let last_frame = Arc::clone(&self.last_frame);
        tokio::spawn(async move {
            while let Ok(event) = frames.recv().await {
                match &event {
                    TransportEvent::DataReceived(_) => {
                        let now = clock();
                        last_frame.store(now.millis(), Ordering::Release);
                        on_heard(now);
                    }
                    TransportEvent::Disconnected(DisconnectReason::Unknown)
                    | TransportEvent::Connected => {}
                    TransportEvent::Disconnected(_) => broken.store(true, Ordering::Release),
                }
                if pass_on.send(event).await.is_err() {
                    break;
                }
            }
        });
        passed
    }
}

#[async_trait]
impl TransportFactory for Socket {
    async fn create_transport(
        &self,
    ) -> anyhow::Result<(Arc<dyn Transport>, async_channel::Receiver<TransportEvent>)> {
        let opened = tokio::time::timeout(OPEN_TIMEOUT, self.open())
            .await
            .unwrap_or_else(|_| Err(DialError::Timeout("WhatsApp".to_owned())));
        match opened {
            Ok(opened) => Ok(opened),
            Err(error) => {
                *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
                Err(error.into())
            }
        }
    }
}
