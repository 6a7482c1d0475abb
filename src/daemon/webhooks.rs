//! The webhooks, with what they are made of, and what is asked about them.

use crate::{
    config::Config,
    dial::Dialer,
    journal::{Journal, Recorder},
    link,
    webhook::{Codes, Desk, Tools},
    wire::{Code, PairingCode, Problem, Timestamp, WebhookTested, WebhooksResumed},
};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

/// An event is recorded in the step that made its code, by a clock that may be set
/// later: in milliseconds, with room for a machine that is busy.
const RECORDED: i64 = 5_000;

/// An event is on the disk a moment before or after the status has its code.
const SHOWN: Duration = Duration::from_secs(1);

pub(super) async fn open(
    config: &Config,
    dialer: Dialer,
    journal: &Journal,
    recorder: Recorder,
    link: &link::Handle,
) -> Desk {
    let tools = Tools {
        dialer,
        reader: journal.reader(),
        bookmarks: journal.bookmarks(),
        recorder,
        codes: codes(link.clone()),
        clock: Timestamp::now,
    };
    Desk::open(tools, &config.webhook).await
}

/// Of the code that was made at the time of the event, and of no later one.
fn codes(link: link::Handle) -> Codes {
    Arc::new(move |event| {
        let link = link.clone();
        Box::pin(async move {
            let mut found = None;
            let is_shown = link.wait_for(|snapshot| {
                found = snapshot.pairing.clone().filter(|code: &PairingCode| {
                    let since = event.at.millis() - code.timestamp.millis();
                    (0..RECORDED).contains(&since)
                });
                found.is_some()
            });
            let _ = timeout(SHOWN, is_shown).await;
            found
        })
    })
}

/// Every one of them, or the one of a name: there has to be one.
fn known(desk: &Desk, name: Option<&str>) -> Result<(), Problem> {
    if desk.knows(name) {
        return Ok(());
    }
    let told = match name {
        Some(_) => "There is no webhook of this name: walinkd webhook list shows them.",
        None => "No webhook is configured: each is a table [[webhook]] of the configuration.",
    };
    Err(Problem::new(Code::NoSuchWebhook, told))
}

pub(super) async fn test(desk: &Desk, name: Option<&str>) -> Result<Vec<WebhookTested>, Problem> {
    known(desk, name)?;
    Ok(desk.test(name).await)
}

pub(super) fn resume(desk: &Desk, name: Option<&str>) -> Result<WebhooksResumed, Problem> {
    known(desk, name)?;
    let resumed = desk.resume(name);
    Ok(WebhooksResumed { resumed })
}
