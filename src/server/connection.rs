//! One HTTP connection.

use super::{
    outbox::{Answer, Outbox},
    patience::{Patient, STALL},
    standing::Standing,
};
use crate::auth::{Guest, Origin};
use axum::{
    BoxError,
    body::{Bytes, HttpBody},
    http::{HeaderValue, header::CONNECTION},
};
use hyper::{
    Request, Response,
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::yield_now,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

/// How long a connection may be quiet between two requests, and at most twice
/// that: it is looked at so often, since a timer for each request would cost more
/// than its answer. Longer than the pause of any sensible poller, so that its
/// next request does not meet a socket that is just being closed.
const IDLE: Duration = Duration::from_secs(75);
/// Request line and headers, in bytes; beyond it the answer is 431.
const MAX_HEAD: u32 = 16 * 1024;
/// What hyper may hold of a connection, in bytes.
const MAX_BUFFER: u32 = 32 * 1024;
/// Requests at once on one HTTP/2 connection.
const MAX_STREAMS: u32 = 32;

/// So many requests that have come at once are answered before other connections
/// have their turn: there may be hundreds, each of them soon answered.
const IN_A_ROW: u64 = 8;

/// How long a quiet connection still takes a request once it is told to end:
/// one that was on its way, and that the client could not know to be late.
const LATE: Duration = Duration::from_millis(500);

/// Gives each connection what answers its requests.
pub trait Application: Clone + Send + Sync + 'static {
    type Clerk: Fn(Request<Incoming>) -> Self::Answer + Send + Sync + 'static;
    type Answer: Future<Output = Response<Self::Body>> + Send;
    type Body: HttpBody<Data = Bytes, Error: Into<BoxError> + Send> + Send + Unpin + 'static;

    fn welcome(&self, guest: Guest) -> Self::Clerk;
}

impl<A, C, F, B> Application for A
where
    A: Fn(Guest) -> C + Clone + Send + Sync + 'static,
    C: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send,
    B: HttpBody<Data = Bytes, Error: Into<BoxError> + Send> + Send + Unpin + 'static,
{
    type Clerk = C;
    type Answer = F;
    type Body = B;

    fn welcome(&self, guest: Guest) -> C {
        self(guest)
    }
}

/// A connection that is to be served, with all that goes into it.
pub(super) struct Visit<A: Application> {
    pub(super) origin: Origin,
    pub(super) clerk: A::Clerk,
    pub(super) header_timeout: Duration,
    pub(super) standing: Standing,
    /// Cancelled when it has to answer what has come and take nothing new.
    pub(super) drain: CancellationToken,
}

impl<A: Application> Visit<A> {
    async fn answer(
        &self,
        request: Request<Incoming>,
        outbox: Option<&Outbox>,
    ) -> Result<Response<Answer<A::Body>>, Infallible> {
        let answering = self.standing.begin();
        if self.standing.in_a_row().is_multiple_of(IN_A_ROW) {
            yield_now().await;
        }
        let response = (self.clerk)(request).await;
        Ok(response.map(|body| Answer::new(body, answering, outbox)))
    }

    fn ended(&self, ended: hyper::Result<()>) {
        if let Err(error) = ended {
            tracing::debug!(walinkd_peer = %self.origin, %error, "a connection ended early");
        }
    }

    /// Serves HTTP/1.1 until the client goes or the connection is to end.
    pub(super) async fn http1<S>(self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let stream = Patient::new(stream, self.header_timeout, self.standing.clone());
        let service = service_fn(async |request| {
            let mut response = self.answer(request, None).await?;
            if self.drain.is_cancelled() {
                // hyper closes after it, and the client knows.
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(CONNECTION, close);
            }
            Ok::<_, Infallible>(response)
        });
        let mut connection = pin!(
            http1::Builder::new()
                .max_header_size(MAX_HEAD as usize)
                .max_buf_size(MAX_BUFFER as usize)
                .serve_connection(TokioIo::new(stream), service)
        );
        tokio::select! {
            ended = connection.as_mut() => return self.ended(ended),
            () = self.quiet() => {}
            () = self.drain.cancelled() => {
                if let Ok(ended) = timeout(LATE, connection.as_mut()).await {
                    return self.ended(ended);
                }
            }
        }
        connection.as_mut().graceful_shutdown();
        tokio::select! {
            ended = connection.as_mut() => self.ended(ended),
            // Half a request's head, which nobody waits for.
            () = self.unanswered() => {}
        }
    }

    /// Serves HTTP/2 until the client goes, is quiet for too long, or the
    /// connection is to end.
    pub(super) async fn http2<S>(self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let visit = Arc::new(self);
        let outbox = Outbox::default();
        let service = {
            let (visit, outbox) = (Arc::clone(&visit), outbox.clone());
            service_fn(move |request| {
                let (visit, outbox) = (Arc::clone(&visit), outbox.clone());
                async move { visit.answer(request, Some(&outbox)).await }
            })
        };
        let mut connection = pin!(
            http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .max_concurrent_streams(MAX_STREAMS)
                .max_header_list_size(MAX_HEAD)
                .initial_stream_window_size(MAX_BUFFER)
                .initial_connection_window_size(2 * MAX_BUFFER)
                .max_send_buf_size(MAX_BUFFER as usize)
                .serve_connection(TokioIo::new(Patient::with_writes(stream)), service)
        );
        tokio::select! {
            ended = connection.as_mut() => return visit.ended(ended),
            () = visit.quiet() => {}
            () = visit.drain.cancelled() => {}
            () = untaken(&outbox) => return,
        }
        connection.as_mut().graceful_shutdown();
        tokio::select! {
            ended = connection.as_mut() => visit.ended(ended),
            // The farewell wants an answer, which need not come.
            () = visit.unanswered() => {}
            () = untaken(&outbox) => {}
        }
    }

    /// Waits until no request has begun in the time for the first one's head,
    /// or for too long after the last one's end.
    async fn quiet(&self) {
        let mut begun = self.standing.begun();
        let mut until = Instant::now() + self.header_timeout;
        loop {
            sleep_until(until).await;
            let now = self.standing.begun();
            if begun == now && !self.is_at_work() {
                return;
            }
            begun = now;
            until = Instant::now() + IDLE;
        }
    }

    /// Waits until nothing has been answered for a moment.
    async fn unanswered(&self) {
        loop {
            sleep(LATE).await;
            if !self.is_at_work() {
                return;
            }
        }
    }

    /// What is answered to a stranger is short and soon done; one that does not
    /// take it keeps the connection for nothing.
    fn is_at_work(&self) -> bool {
        self.standing.is_answering() && self.standing.is_known()
    }
}

/// Waits until a client has taken nothing of an answer for too long.
async fn untaken(outbox: &Outbox) {
    loop {
        let until = match outbox.oldest() {
            Some(oldest) if oldest.elapsed() >= STALL => return,
            Some(oldest) => oldest + STALL,
            None => Instant::now() + STALL,
        };
        sleep_until(until).await;
    }
}
