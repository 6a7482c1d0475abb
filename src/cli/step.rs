//! The passkey step as it goes on, until the device is linked.

use super::{
    failure::{Failure, lines},
    pair::has_ended,
    qr::WATCH,
    screen::plain,
};
use crate::{
    client::{Client, Error},
    wire::{Code, PasskeyBody, PasskeyStage, State, Status},
};
use std::time::{Duration, Instant};

/// What `qr` and `pair` say when the step begins.
pub(super) const ASKED: &str = "WhatsApp asks for the account's passkey: run walinkd passkey";

/// Beside a live link nobody tells how a new device's login goes; it takes no
/// longer than this after the step.
pub(super) const LOGIN: Duration = Duration::from_secs(60);

/// Where the step stands.
pub(super) enum Now {
    Asked(PasskeyBody),
    /// The last one ended without a link; the sentence says why.
    Ended(String),
    Nothing,
}

pub(super) async fn now(client: &Client) -> Result<Now, Error> {
    match client.passkey(Duration::ZERO).await {
        Ok(answer) => Ok(Now::Asked(answer.data)),
        Err(Error::Refused { problem, .. }) if problem.code == Code::NoPasskey => Ok(Now::Nothing),
        Err(Error::Refused { problem, .. }) if problem.code == Code::PasskeyEnded => {
            // It goes on after a colon here.
            Ok(Now::Ended(lines(problem.error.trim_end_matches('.'))))
        }
        Err(error) => Err(error),
    }
}

/// The step, followed.
pub(super) struct Step<'a> {
    client: &'a Client,
    pub(super) status: Status,
    /// The device that was linked already when the step was met.
    before: Option<String>,
    over_since: Option<Instant>,
}

impl<'a> Step<'a> {
    pub(super) fn new(client: &'a Client, status: Status) -> Self {
        let live = status.jid.clone();
        Self {
            client,
            before: live.filter(|_| status.state != State::Linking),
            status,
            over_since: None,
        }
    }

    /// Whether the new device is paired beside a live link.
    pub(super) fn is_beside(&self) -> bool {
        self.before.is_some()
    }

    /// What it waits for, once that is not `was` any more; none when linked.
    ///
    /// # Errors
    ///
    /// When the step has failed.
    pub(super) async fn after(
        &mut self,
        was: &PasskeyStage,
    ) -> Result<Option<PasskeyBody>, Failure> {
        // An order may have gone by since the last look.
        self.status = self.client.status().await.map_err(failed)?.data;
        loop {
            let body = self.body().await?;
            if body.as_ref().map(|body| &body.stage) != Some(was) {
                return Ok(body);
            }
            let wait = match self.over_since {
                Some(since) if self.is_beside() => LOGIN.saturating_sub(since.elapsed()),
                _ => WATCH,
            };
            self.look(wait.clamp(Duration::from_secs(1), WATCH)).await?;
        }
    }

    async fn body(&mut self) -> Result<Option<PasskeyBody>, Failure> {
        loop {
            // Asked after the status: what changes in between shows in the
            // next status, at once.
            match now(self.client).await.map_err(failed)? {
                Now::Asked(body) => {
                    self.over_since = None;
                    return Ok(Some(body));
                }
                Now::Ended(why) => return Err(self.not_linked(&why)),
                Now::Nothing => {}
            }
            if self.status.is_connected && self.status.jid != self.before {
                return Ok(None);
            }
            if self.status.state != State::WaitingPasskey {
                return self.linking().map(|()| Some(PasskeyBody::linking()));
            }
            self.look(Duration::from_secs(1)).await?;
        }
    }

    /// Nothing is asked, and the device is not linked yet: refuses when it will
    /// not be.
    fn linking(&mut self) -> Result<(), Failure> {
        let since = *self.over_since.get_or_insert_with(Instant::now);
        let status = &self.status;
        if self.before.is_some() && status.jid == self.before {
            return if since.elapsed() < LOGIN {
                Ok(())
            } else {
                let limit = LOGIN.as_secs();
                Err(self.not_linked(&format!(
                    "the new device did not take over within {limit} s"
                )))
            };
        }
        // A device that is linked may need more than one login.
        let goes_on = status.state == State::Linking || status.jid.is_some() && !has_ended(status);
        if goes_on {
            return Ok(());
        }
        let why = status.reason.as_ref().map(|reason| plain(&reason.message));
        let why = why.unwrap_or_else(|| "the passkey step has ended".to_owned());
        Err(self.not_linked(&why))
    }

    fn not_linked(&self, why: &str) -> Failure {
        let anew = if self.is_beside() {
            "the present link stays; walinkd pair PHONE --replace"
        } else {
            "walinkd qr, or walinkd pair PHONE"
        };
        Failure::new("passkey", why, anew)
    }

    async fn look(&mut self, wait: Duration) -> Result<(), Failure> {
        let next = self.client.status_after(self.status.generation, wait);
        self.status = next.await.map_err(failed)?.data;
        Ok(())
    }
}

pub(super) fn failed(error: Error) -> Failure {
    Failure::call("passkey", error)
}
