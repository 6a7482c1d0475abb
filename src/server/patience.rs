//! A stream that gives up on a client that is too slow.

use super::standing::Standing;
use std::{
    io::{self, ErrorKind},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

/// A client that takes nothing of its answer for so long is gone.
pub(super) const STALL: Duration = Duration::from_secs(30);

/// Fails a write when the client takes nothing, and a read when a request's
/// head takes too long.
#[derive(Debug)]
pub(super) struct Patient<S> {
    stream: S,
    heads: Option<Heads>,
    stall_timer: Option<Pin<Box<Sleep>>>,
}

/// The time for a request's head, from when its first bytes are there and more is
/// waited for; for the first one from the connection's start.
#[derive(Debug)]
struct Heads {
    standing: Standing,
    limit: Duration,
    /// The stretch in which a head began, and when it must be there, once it has
    /// been waited for: most are there whole at once, and cost no look at a clock.
    begun: Option<(u64, Option<Instant>)>,
    timer: Pin<Box<Sleep>>,
}

impl<S> Patient<S> {
    /// For HTTP/1.1, whose requests come one after the other.
    pub(super) fn new(stream: S, header_timeout: Duration, standing: Standing) -> Self {
        let timer = Box::pin(sleep(header_timeout));
        let heads = Heads {
            begun: Some((standing.stretch(), Some(timer.deadline()))),
            standing,
            limit: header_timeout,
            timer,
        };
        Self {
            stream,
            heads: Some(heads),
            stall_timer: None,
        }
    }

    /// For HTTP/2, where no byte is told to be of a head.
    pub(super) fn with_writes(stream: S) -> Self {
        Self {
            stream,
            heads: None,
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
        match &mut this.heads {
            Some(heads) if !heads.standing.is_answering() => {
                heads.check(cx, outcome, buf.filled().len() > before)
            }
            _ => outcome,
        }
    }
}

impl Heads {
    /// Passes a read's outcome on, unless a head has been on its way for too
    /// long.
    fn check(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<io::Result<()>>,
        more: bool,
    ) -> Poll<io::Result<()>> {
        let stretch = self.standing.stretch();
        self.begun = self.begun.filter(|(began, _)| *began == stretch);
        if outcome.is_ready() {
            if self.begun.is_none() && more {
                self.begun = Some((stretch, None));
            }
            return outcome;
        }
        self.standing.has_read_all();
        let Some((_, deadline)) = &mut self.begun else {
            return Poll::Pending;
        };
        let deadline = *deadline.get_or_insert_with(|| Instant::now() + self.limit);
        if self.timer.deadline() != deadline {
            self.timer.as_mut().reset(deadline);
        }
        ready!(self.timer.as_mut().poll(cx));
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
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_shutdown(cx);
        this.unless_stalled(cx, outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    const LIMIT: Duration = Duration::from_secs(5);

    #[tokio::test(start_paused = true)]
    async fn a_head_has_its_time_from_the_first_byte_of_it() {
        let (near, mut far) = duplex(64);
        let standing = Standing::new(0, Arc::default());
        let mut patient = Patient::new(near, LIMIT, standing.clone());
        let mut byte = [0];

        far.write_all(b"ab").await.expect("room");
        patient.read_exact(&mut byte).await.expect("the first byte");
        let answering = standing.begin();
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
    async fn a_head_that_dribbles_gets_no_more_time() {
        let (near, mut far) = duplex(64);
        let standing = Standing::new(0, Arc::default());
        let mut patient = Patient::new(near, LIMIT, standing.clone());
        drop(standing.begin());
        tokio::spawn(async move {
            while far.write_all(b"x").await.is_ok() {
                sleep(Duration::from_secs(1)).await;
            }
        });
        let began = Instant::now();
        let mut byte = [0];
        let error = loop {
            if let Err(error) = patient.read_exact(&mut byte).await {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_eq!(began.elapsed().as_secs(), LIMIT.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn requests_that_came_at_once_are_counted() {
        let (near, mut far) = duplex(64);
        let standing = Standing::new(0, Arc::default());
        let mut patient = Patient::new(near, LIMIT, standing.clone());
        for number in 1..=3 {
            drop(standing.begin());
            assert_eq!(standing.in_a_row(), number);
        }
        let none = tokio::time::timeout(LIMIT / 2, patient.read(&mut [0])).await;
        assert!(none.is_err() && standing.in_a_row() == 0);
        far.write_all(b"x").await.expect("room");
        patient.read_exact(&mut [0]).await.expect("a byte");
        drop(standing.begin());
        assert_eq!(standing.in_a_row(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_says_nothing_ends() {
        let (near, _far) = duplex(64);
        let mut patient = Patient::new(near, LIMIT, Standing::new(0, Arc::default()));
        let error = patient.read(&mut [0]).await.expect_err("nothing came");
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_read_is_given_up() {
        let (near, _far) = duplex(4);
        let mut patient = Patient::new(near, LIMIT, Standing::new(0, Arc::default()));
        let began = Instant::now();
        let error = patient.write_all(b"too long").await.expect_err("no room");
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_eq!(began.elapsed().as_secs(), STALL.as_secs());
    }
}
