//! Where the library's background tasks run, so that one of them can be ended.
//!
//! The library rotates QR codes in a task of its own, which ends the whole
//! session when the last code is spent, 160 s in: also in the middle of a
//! passkey step that may take ten minutes. It offers no way to stop it, but it
//! takes its runtime from us, and the task shows itself by the codes it emits.

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

/// The library's tasks on tokio.
pub(super) struct Tasks;

impl Runtime for Tasks {
    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send + 'static>>) -> AbortHandle {
        let stop = CancellationToken::new();
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
        Tasks
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
}
