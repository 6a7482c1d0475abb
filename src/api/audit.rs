//! One event for each call that changes something, and for those refused.

use super::App;
use crate::{
    auth::{Caller, Refusal, Refused, Who},
    journal::{Entry, Recorder},
    wire::{Problem, Severity},
};
use std::{
    fmt::{self, Display},
    sync::Arc,
};

/// Who made this request; the guard puts it into the request's extensions.
#[derive(Clone)]
pub(super) struct By {
    pub caller: Caller,
    pub app: Arc<App>,
}

impl By {
    /// Records before the act: a caller who hangs up would otherwise leave no
    /// trace of what it set off. And looks once more whether the caller may,
    /// since its key may be gone by the time that a body has come.
    ///
    /// # Errors
    ///
    /// When it may not: then nothing is to be done.
    pub(super) fn record(&self, event: &'static str, act: impl Display) -> Result<(), Problem> {
        self.confirm()?;
        self.tell(event, act);
        Ok(())
    }

    /// Looks once more whether the caller may.
    ///
    /// # Errors
    ///
    /// When it may not: then nothing is to be done.
    pub(super) fn confirm(&self) -> Result<(), Problem> {
        let now = (self.app.now)();
        let confirmed = self.app.gate.confirm(&self.caller, now);
        Ok(confirmed.inspect_err(|_| self.app.meter.revoked())?)
    }

    /// Records what was done, or is about to be.
    pub(super) fn tell(&self, event: &'static str, act: impl Display) {
        let key = match &self.caller.who {
            Who::Key { name } => Some(&**name),
            Who::Peer { .. } => None,
        };
        let told = format!("{act}, asked for by {self}");
        let entry = Entry::new(event, Severity::Info, told);
        self.app
            .recorder
            .record(entry.peer(&self.caller.origin).key(key));
    }
}

impl Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Caller { who, origin, .. } = &self.caller;
        match who {
            Who::Key { .. } => write!(f, "{who} from {origin}"),
            Who::Peer { .. } => who.fmt(f),
        }
    }
}

/// What fail2ban looks for: the address stands behind the first word.
pub(super) fn refused(recorder: &Recorder, refused: &Refused) {
    let origin = &refused.origin;
    if let Some(suppressed) = refused.tell {
        let (key, why) = match &refused.refusal {
            Refusal::NoKey => (None, "no key"),
            Refusal::UnknownKey => (None, "unknown key"),
            Refusal::Expired { name, .. } => (Some(&**name), "expired key"),
            Refusal::ReadKey { name } => (Some(&**name), "the key may only read"),
            Refusal::ReadPeer => (None, "the user may only read"),
            Refusal::ForeignPage => (None, "a page of another place"),
            Refusal::LockedOut(_) => (None, "locked out"),
            Refusal::TooFast { name, .. } => (Some(&**name), "too many requests"),
            Refusal::TooManyStreams => (None, "too many waiting calls"),
            Refusal::Revoked => (None, "the right was taken away"),
        };
        let told = format!("refused {origin}: {why}");
        let entry = Entry::new("auth.refused", Severity::Warning, told);
        recorder.record(entry.peer(origin).key(key).suppressed(suppressed));
    }
    if let Some((client, time)) = refused.locks_out {
        let seconds = time.as_secs();
        let told = format!("locked out {client} for {seconds} s: too many wrong keys");
        let entry = Entry::new("auth.locked_out", Severity::Warning, told);
        recorder.record(entry.peer(client));
    }
}
