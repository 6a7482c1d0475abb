//! One HTTP/1.1 connection.

use super::patience::{Answering, Patient, Progress};
use crate::auth::Origin;
use axum::{
    Router,
    body::{Body, Bytes, HttpBody},
    http::{HeaderValue, header::CONNECTION},
};
use hyper::{
    Request,
    body::{Frame, Incoming, SizeHint},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// How long a connection may be quiet between two requests. Longer than the
/// pause of any sensible poller, so that its next request does not meet a
/// socket that is just being closed.
const IDLE: Duration = Duration::from_secs(75);
/// Request line and headers, in bytes; beyond it the answer is 431.
const MAX_HEAD: usize = 16 * 1024;
/// What hyper may hold of a connection, in bytes.
const MAX_BUFFER: usize = 32 * 1024;

/// How long a quiet connection still takes a request once it is told to end:
/// one that was on its way, and that the client could not know to be late.
const LATE: Duration = Duration::from_millis(500);

/// How a connection is told to end.
#[derive(Debug, Clone)]
pub(super) struct Ends {
    /// Answer what has come, take nothing new.
    pub drain: CancellationToken,
    /// Now.
    pub cut: CancellationToken,
}

/// Serves requests until the client goes or the connection is told to end.
pub(super) async fn serve<S>(
    stream: S,
    origin: Origin,
    router: Router,
    header_timeout: Duration,
    ends: Ends,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let progress = Progress::default();
    let stream = Patient::new(stream, header_timeout, progress.clone());
    let service = service_fn(|request: Request<Incoming>| {
        let answering = progress.begin();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(origin.clone());
        let answer = router.clone().oneshot(request);
        let drain = &ends.drain;
        async move {
            let mut response = answer.await?;
            if drain.is_cancelled() {
                // hyper closes after it, and the client knows.
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(CONNECTION, close);
            }
            Ok::<_, std::convert::Infallible>(response.map(|body| Answer { body, answering }))
        }
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(IDLE.max(header_timeout))
            .max_header_size(MAX_HEAD)
            .max_buf_size(MAX_BUFFER)
            .serve_connection(TokioIo::new(stream), service)
    );
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = ends.drain.cancelled() => {
            let finish = async {
                if let Ok(ended) = timeout(LATE, connection.as_mut()).await {
                    return ended;
                }
                connection.as_mut().graceful_shutdown();
                connection.as_mut().await
            };
            tokio::select! {
                ended = finish => ended,
                () = ends.cut.cancelled() => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(walinkd_peer = %origin, %error, "a connection ended early");
    }
}

/// A response's body, which holds on to the request until it is sent.
struct Answer {
    body: Body,
    #[expect(dead_code, reason = "its drop is what counts")]
    answering: Answering,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
