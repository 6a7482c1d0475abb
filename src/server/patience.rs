//! A stream that gives up on a client that is too slow.

use std::{
    io::{self, ErrorKind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

/// A client that takes nothing of its answer for so long is gone.
const STALL: Duration = Duration::from_secs(30);

/// Whether a request is being answered. hyper's own time limit for headers runs
/// between requests too, so it cannot tell a slow header from a quiet
/// keep-alive; this is what tells them apart.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress(Arc<AtomicU32>);

/// A request that is being answered, until dropped.
#[derive(Debug)]
pub(super) struct Answering(Progress);

impl Progress {
    pub(super) fn begin(&self) -> Answering {
        self.0.fetch_add(1, Ordering::Relaxed);
        Answering(self.clone())
    }

    /// Odd while a request is being answered; each value names one stretch
    /// between two such changes.
    fn stretch(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Fails a read when a request's head takes longer than it may from its first
/// byte (the first one: from the connection's start), and a write when the
/// client takes nothing.
#[derive(Debug)]
pub(super) struct Patient<S> {
    stream: S,
    progress: Progress,
    header_timeout: Duration,
    /// The stretch in which a head began, and when it must be there.
    head: Option<(u32, Instant)>,
    head_timer: Pin<Box<Sleep>>,
    stall_timer: Option<Pin<Box<Sleep>>>,
}

impl<S> Patient<S> {
    pub(super) fn new(stream: S, header_timeout: Duration, progress: Progress) -> Self {
        let head_timer = Box::pin(sleep(header_timeout));
        Self {
            head: Some((progress.stretch(), head_timer.deadline())),
            stream,
            progress,
            header_timeout,
            head_timer,
            stall_timer: None,
        }
    }

    /// Passes a write's outcome on, unless it has been pending for too long.
    fn unless_stalled<T>(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.stall_timer = None;
            return outcome;
        }
        let timer = self
            .stall_timer
            .get_or_insert_with(|| Box::pin(sleep(STALL)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Err(ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let outcome = Pin::new(&mut this.stream).poll_read(cx, buf);
        let stretch = this.progress.stretch();
        if stretch % 2 == 1 {
            return outcome;
        }
        this.head = this.head.filter(|(began, _)| *began == stretch);
        if outcome.is_ready() {
            if this.head.is_none() && buf.filled().len() > before {
                this.head = Some((stretch, Instant::now() + this.header_timeout));
            }
            return outcome;
        }
        let Some((_, deadline)) = this.head else {
            return Poll::Pending;
        };
        if this.head_timer.deadline() != deadline {
            this.head_timer.as_mut().reset(deadline);
        }
        ready!(this.head_timer.as_mut().poll(cx));
        Poll::Ready(Err(ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_write(cx, buf);
        this.unless_stalled(cx, outcome)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        this.unless_stalled(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_flush(cx);
        this.unless_stalled(cx, outcome)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    const LIMIT: Duration = Duration::from_secs(5);

    #[tokio::test(start_paused = true)]
    async fn a_head_has_its_time_from_the_first_byte_of_it() {
        let (near, mut far) = duplex(64);
        let progress = Progress::default();
        let mut patient = Patient::new(near, LIMIT, progress.clone());
        let mut byte = [0];

        far.write_all(b"ab").await.expect("room");
        patient.read_exact(&mut byte).await.expect("the first byte");
        let answering = progress.begin();
        patient.read_exact(&mut byte).await.expect("a body's byte");
        drop(answering);

        // Quiet between two requests: hyper's limit, not this one.
        let quiet = tokio::time::timeout(LIMIT * 10, patient.read(&mut byte)).await;
        assert!(quiet.is_err());

        far.write_all(b"c").await.expect("room");
        patient.read_exact(&mut byte).await.expect("the next head");
        let began = Instant::now();
        let error = patient.read(&mut byte).await.expect_err("too slow");
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_eq!(began.elapsed().as_secs(), LIMIT.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_says_nothing_ends() {
        let (near, _far) = duplex(64);
        let mut patient = Patient::new(near, LIMIT, Progress::default());
        let error = patient.read(&mut [0]).await.expect_err("nothing came");
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_read_is_given_up() {
        let (near, _far) = duplex(4);
        let mut patient = Patient::new(near, LIMIT, Progress::default());
        let began = Instant::now();
        let error = patient.write_all(b"too long").await.expect_err("no room");
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_eq!(began.elapsed().as_secs(), STALL.as_secs());
    }
}
