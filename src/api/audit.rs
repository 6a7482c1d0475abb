//! One line in the log for each call that changes something.

use crate::auth::{Caller, Who};
use std::fmt::{self, Display};

/// Who made this request; the guard puts it into the request's extensions.
#[derive(Debug, Clone)]
pub(super) struct By(pub Caller);

impl By {
    /// Logs before the act: a caller who hangs up would otherwise leave no
    /// trace of what it set off.
    pub(super) fn record(&self, event: &'static str, act: impl Display) {
        let key = match &self.0.who {
            Who::Key { name } => Some(&**name),
            Who::Peer { .. } => None,
        };
        tracing::info!(
            walinkd_event = event,
            walinkd_peer = %self.0.origin,
            walinkd_key = key,
            "{act}, asked for by {self}"
        );
    }
}

impl Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.who {
            Who::Key { .. } => write!(f, "{} from {}", self.0.who, self.0.origin),
            Who::Peer { .. } => self.0.who.fmt(f),
        }
    }
}
