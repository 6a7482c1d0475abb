//! Where the library's background tasks run, so that they can be ended: one of
//! them early, and all of them with their session.
//!
//! The library rotates QR codes in a task of its own, which ends the whole
//! session when the last code is spent, 160 s in: also in the middle of a
//! passkey step that may take ten minutes. It offers no way to stop it, but it
//! takes its runtime from us, and the task shows itself by the codes it emits.
//! Others outlive their session by a minute and more, and hold its database open.

use std::{future::Future, pin::Pin, time::Duration};
use tokio_util::sync::CancellationToken;
use whatsapp_rust::{
    TokioRuntime,
    wacore::runtime::{AbortHandle, Runtime},
};

tokio::task_local! {
    static STOP: CancellationToken;
}

/// Ends the library's task that this is called from, when cancelled. `None`
/// outside of one.
pub(super) fn current() -> Option<CancellationToken> {
    STOP.try_with(Clone::clone).ok()
}

/// One session's tasks on tokio; clones are the same tasks.
#[derive(Clone, Default)]
pub(super) struct Tasks {
    all: CancellationToken,
}

impl Tasks {
    /// Ends them all, and those that would be begun.
    pub(super) fn end(&self) {
        self.all.cancel();
    }
}

impl Runtime for Tasks {
    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send + 'static>>) -> AbortHandle {
        let stop = self.all.child_token();
        let stopped = stop.clone();
        let task = async move {
            // Stopped or done, it is over.
            let _ = stopped.run_until_cancelled(future).await;
        };
        let task = tokio::spawn(STOP.scope(stop, task));
        AbortHandle::new(move || task.abort())
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        TokioRuntime.sleep(duration)
    }

    fn spawn_blocking(
        &self,
        work: Box<dyn FnOnce() + Send + 'static>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        TokioRuntime.spawn_blocking(work)
    }

    fn yield_now(&self) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        TokioRuntime.yield_now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn a_task_can_be_ended_from_what_it_calls() {
        assert!(current().is_none());
        let (say, said) = oneshot::channel();
        let (alive, ended) = oneshot::channel::<()>();
        Tasks::default()
            .spawn(Box::pin(async move {
                let _alive = alive;
                assert!(say.send(current()).is_ok());
                std::future::pending::<()>().await;
            }))
            .detach();
        let stop = said.await.expect("said").expect("a task of the library's");
        stop.cancel();
        assert!(ended.await.is_err(), "the task is gone");
    }

    #[tokio::test]
    async fn all_end_with_their_session() {
        let tasks = Tasks::default();
        let (alive, ended) = oneshot::channel::<()>();
        tasks
            .spawn(Box::pin(async move {
                let _alive = alive;
                std::future::pending::<()>().await;
            }))
            .detach();
        tasks.end();
        assert!(ended.await.is_err(), "the task is gone");
    }
}
