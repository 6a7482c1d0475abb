//! The first look into the state directory.

use super::notify;
use crate::{
    journal::{Entry, Recorder},
    link::Survey,
    wa::{StoreError, Vault},
    wire::Severity,
};
use futures_util::StreamExt;
use signal_hook::consts::SIGHUP;
use signal_hook_tokio::Signals;
use std::{path::Path, time::Duration};
use tokio::time::sleep;

/// The pause between two looks.
const AGAIN: Duration = Duration::from_secs(2);

/// Looks, for as long as it takes: the service manager soon gives up on a
/// service that fails, and a link must not be lost to a disk that was full for a
/// while. `None` when told to stop meanwhile.
pub(super) async fn survey(
    state_dir: &Path,
    vault: &Vault,
    recorder: &Recorder,
    signals: &mut Signals,
) -> Result<Option<Survey>, StoreError> {
    let mut told = false;
    loop {
        let error = match Survey::make(state_dir, vault, recorder).await {
            Err(error) if error.may_pass() => error,
            done => return done.map(Some),
        };
        let sentence = format!("state: {error}; trying again");
        notify::starting(&sentence, AGAIN * 10);
        // One line for a whole shortage.
        if !std::mem::replace(&mut told, true) {
            recorder.record(Entry::new("connection.store", Severity::Warning, sentence));
        }
        tokio::select! {
            Some(signal) = signals.next() => if signal != SIGHUP {
                return Ok(None);
            },
            () = sleep(AGAIN) => {}
        }
    }
}
