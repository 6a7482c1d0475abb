//! Answers on their way out, and whether anybody takes them.

use super::standing::Answering;
use axum::body::{Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};
use tokio::time::Instant;

/// What is handed over at once. Over HTTP/2 a client takes as much as it likes
/// when it likes; what it has not asked for stays here, where it is seen.
const PIECE: usize = 16 * 1024;

/// The answers of one connection that wait to be taken, by number, and since
/// when.
///
/// Over HTTP/1.1 the socket itself shows that nobody reads; over HTTP/2 the
/// client reads on and only gives no leave to send.
#[derive(Debug, Clone, Default)]
pub(super) struct Outbox(Arc<Mutex<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    numbered: u64,
    since: BTreeMap<u64, Instant>,
}

impl Outbox {
    /// When the oldest piece that nobody takes was ready.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.waiting().since.values().min().copied()
    }

    /// A place for one answer.
    fn place(&self) -> Place {
        let mut waiting = self.waiting();
        let number = waiting.numbered;
        waiting.numbered += 1;
        waiting.since.insert(number, Instant::now());
        Place {
            outbox: self.clone(),
            number,
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where an answer waits, until dropped.
struct Place {
    outbox: Outbox,
    number: u64,
}

impl Place {
    fn moved(&self, ready: bool) {
        let mut waiting = self.outbox.waiting();
        if ready {
            waiting.since.insert(self.number, Instant::now());
        } else {
            // It is the answer that lets wait.
            waiting.since.remove(&self.number);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.outbox.waiting().since.remove(&self.number);
    }
}

/// A response's body, in pieces. Holds on to the request until it is taken.
pub(super) struct Answer<B> {
    body: B,
    /// What of the last frame is left.
    piece: Bytes,
    place: Option<Place>,
    #[expect(dead_code, reason = "its drop is what counts")]
    answering: Answering,
}

impl<B: HttpBody<Data = Bytes> + Unpin> Answer<B> {
    /// Waits in the `outbox`, if there is one.
    pub(super) fn new(body: B, answering: Answering, outbox: Option<&Outbox>) -> Self {
        Self {
            body,
            piece: Bytes::new(),
            place: outbox.map(Outbox::place),
            answering,
        }
    }

    fn next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if self.piece.is_empty() {
            let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
            let Some(Ok(frame)) = frame else {
                return Poll::Ready(frame);
            };
            match frame.into_data() {
                Ok(data) => self.piece = data,
                Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
            }
        }
        let piece = self.piece.split_to(PIECE.min(self.piece.len()));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for Answer<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.get_mut();
        let next = this.next(cx);
        if let Some(place) = &this.place {
            place.moved(next.is_ready());
        }
        next
    }

    fn is_end_stream(&self) -> bool {
        self.piece.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let left = self.piece.len() as u64;
        let body = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower() + left);
        if let Some(upper) = body.upper() {
            hint.set_upper(upper + left);
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::standing::Standing;
    use axum::body::Body;
    use http_body_util::BodyExt;

    fn put(outbox: &Outbox, body: Body) -> (Standing, Answer<Body>) {
        let standing = Standing::new(0, Arc::default());
        let answer = Answer::new(body, standing.begin(), Some(outbox));
        (standing, answer)
    }

    #[tokio::test]
    async fn an_answer_comes_whole_and_in_pieces() {
        let outbox = Outbox::default();
        let whole: Bytes = (0..100_000_u32)
            .map(|number| number.to_le_bytes()[0])
            .collect();
        let (standing, mut answer) = put(&outbox, Body::from(whole.clone()));
        assert_eq!(answer.size_hint().exact(), Some(100_000));
        let mut come = Vec::new();
        while let Some(frame) = answer.frame().await {
            let piece = frame.expect("no error").into_data().expect("data");
            assert!(piece.len() <= PIECE);
            come.extend_from_slice(&piece);
            let left = 100_000 - come.len() as u64;
            assert_eq!(answer.size_hint().exact(), Some(left));
        }
        assert_eq!(come, whole);
        assert!(answer.is_end_stream() && standing.is_answering());
        drop(answer);
        assert!(!standing.is_answering() && outbox.oldest().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_takes_is_seen_and_what_is_still_to_come_is_not() {
        let outbox = Outbox::default();
        let began = Instant::now();
        let (_first, mut first) = put(&outbox, Body::from("x"));
        assert_eq!(outbox.oldest(), Some(began));
        tokio::time::advance(PAUSE).await;
        first.frame().await.expect("a frame").expect("no error");
        assert_eq!(outbox.oldest(), Some(began + PAUSE));
        drop(first);
        let never = futures_util::stream::pending::<Result<Bytes, axum::Error>>();
        let (_second, mut second) = put(&outbox, Body::from_stream(never));
        let waited = tokio::time::timeout(PAUSE, second.frame()).await;
        assert!(waited.is_err() && outbox.oldest().is_none());
    }

    const PAUSE: std::time::Duration = std::time::Duration::from_secs(9);
}
