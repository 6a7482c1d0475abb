//! The API as typed calls, over the control socket.
//!
//! Owns the conversation: finding a daemon that is just starting, one request
//! a connection, answers and refusals as `wire` types. Must not know how a
//! daemon answers, nor print anything.

mod connection;
mod copy;
mod error;
mod events;
#[cfg(test)]
mod tests;

pub use copy::Copy;
pub use error::Error;
pub use events::{Events, Told};

use crate::wire::{
    Disconnected, Done, KeyInfo, KeyRemoved, KeyRequest, NewKey, PairingCode, PairingRequest,
    PairingStarted, PasskeyBody, QrCodeBody, ReloadReport, Status, Success, WebhookInfo,
    WebhookTested, WebhooksResumed,
};
use hyper::Method;
use serde::de::{DeserializeOwned, IgnoredAny};
use std::{path::PathBuf, time::Duration};

const PASSKEY: &str = "/connection/passkey";
const KEYS: &str = "/admin/keys";
const WEBHOOKS: &str = "/admin/webhooks";

/// A daemon's API. Cheap: each call connects anew.
#[derive(Debug, Clone)]
pub struct Client {
    sockets: Vec<PathBuf>,
}

/// An answer, as sent and as read. No `Debug`: the body may hold a code.
#[derive(Clone)]
pub struct Answer<T> {
    /// The body as it came.
    pub body: String,
    pub data: T,
}

impl Client {
    /// A client of the daemon behind the first of these sockets that answers.
    pub fn new(sockets: Vec<PathBuf>) -> Self {
        Self { sockets }
    }

    /// How the connection stands now.
    ///
    /// # Errors
    ///
    /// As every call here: no daemon, no permission, refused, or no sense in
    /// the answer; see [`Error`].
    pub async fn status(&self) -> Result<Answer<Status>, Error> {
        self.data(Method::GET, "/connection/status", Duration::ZERO)
            .await
    }

    /// How the connection stands once its generation is past `after`, or when
    /// `wait` is over.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn status_after(&self, after: u64, wait: Duration) -> Result<Answer<Status>, Error> {
        let path = format!("/connection/status?after={after}&wait={}s", wait.as_secs());
        self.data(Method::GET, &path, wait).await
    }

    /// The QR code to scan, waiting for the first one as long as told.
    ///
    /// # Errors
    ///
    /// See [`Error`]; `Code::NoQrCode` when there is none.
    pub async fn qr(&self, wait: Duration) -> Result<Answer<QrCodeBody>, Error> {
        let path = waiting("/connection/qr", wait);
        self.data(Method::GET, &path, wait).await
    }

    /// The pairing code to enter.
    ///
    /// # Errors
    ///
    /// See [`Error`]; `Code::NoPairingCode` when there is none.
    pub async fn pairing(&self) -> Result<Answer<PairingCode>, Error> {
        self.data(Method::GET, "/connection/pairing", Duration::ZERO)
            .await
    }

    /// Pairing mode for a number.
    ///
    /// # Errors
    ///
    /// See [`Error`]; the codes of `POST /connection/pairing`.
    pub async fn pair(&self, request: &PairingRequest) -> Result<Answer<PairingStarted>, Error> {
        let body = serde_json::to_string(request).map_err(Error::strange)?;
        self.order(Method::POST, "/connection/pairing", body).await
    }

    /// What the passkey step waits for, waiting as long as told until that is
    /// something for a person.
    ///
    /// # Errors
    ///
    /// See [`Error`]; `Code::NoPasskey` when WhatsApp asks for none.
    pub async fn passkey(&self, wait: Duration) -> Result<Answer<PasskeyBody>, Error> {
        let path = waiting(PASSKEY, wait);
        self.data(Method::GET, &path, wait).await
    }

    /// Hands in the browser's answer, a JSON text, and gives what the step
    /// waits for next.
    ///
    /// # Errors
    ///
    /// See [`Error`]; the codes of `POST /connection/passkey`.
    pub async fn answer_passkey(&self, json: &str) -> Result<Answer<Done<PasskeyBody>>, Error> {
        self.order(Method::POST, PASSKEY, json.to_owned()).await
    }

    /// The phone shows the code of the passkey step.
    ///
    /// # Errors
    ///
    /// See [`Error`]; `Code::PasskeyStage` when there is no code to confirm.
    pub async fn confirm_passkey(&self) -> Result<Answer<Done<PasskeyBody>>, Error> {
        let path = "/connection/passkey/confirm";
        self.order(Method::POST, path, String::new()).await
    }

    /// Gives the passkey step up.
    ///
    /// # Errors
    ///
    /// See [`Error`]; `Code::NoPasskey` when there is none.
    pub async fn cancel_passkey(&self) -> Result<Answer<Done<IgnoredAny>>, Error> {
        self.order(Method::DELETE, PASSKEY, String::new()).await
    }

    /// Unlinks, wipes the session, pairs anew.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn disconnect(&self) -> Result<Answer<Done<Disconnected>>, Error> {
        self.command("/connection/disconnect").await
    }

    /// Goes offline and stays so.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn pause(&self) -> Result<Answer<Done<IgnoredAny>>, Error> {
        self.command("/connection/pause").await
    }

    /// Ends a pause.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn resume(&self) -> Result<Answer<Done<IgnoredAny>>, Error> {
        self.command("/connection/resume").await
    }

    /// Connects now.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn reconnect(&self) -> Result<Answer<Done<IgnoredAny>>, Error> {
        self.command("/connection/reconnect").await
    }

    /// Reads the configuration anew.
    ///
    /// # Errors
    ///
    /// See [`Error`]; `Code::BadConfig` with the faults, one a line.
    pub async fn reload(&self) -> Result<Answer<ReloadReport>, Error> {
        self.data(Method::POST, "/admin/reload", Duration::ZERO)
            .await
    }

    /// What happens, as it happens: the status first, and behind the event
    /// `after` without a gap, where there is none.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn events(&self, after: Option<u64>) -> Result<Events, Error> {
        Events::open(&self.sockets, after).await
    }

    /// A copy of the state with its keys.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn backup(&self) -> Result<Copy, Error> {
        Copy::open(&self.sockets).await
    }

    /// Where the daemon listens, for people.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn listeners(&self) -> Result<Answer<Vec<String>>, Error> {
        self.data(Method::GET, "/admin/listeners", Duration::ZERO)
            .await
    }

    /// The API keys in force.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn keys(&self) -> Result<Answer<Vec<KeyInfo>>, Error> {
        self.data(Method::GET, KEYS, Duration::ZERO).await
    }

    /// Makes an API key.
    ///
    /// # Errors
    ///
    /// See [`Error`]; `Code::KeyExists` when the name is taken.
    pub async fn add_key(&self, request: &KeyRequest) -> Result<Answer<Done<NewKey>>, Error> {
        let body = serde_json::to_string(request).map_err(Error::strange)?;
        self.order(Method::POST, KEYS, body).await
    }

    /// Removes an API key.
    ///
    /// # Errors
    ///
    /// See [`Error`]; `Code::NoSuchKey`, and `Code::KeyFixed` for one that the
    /// operator keeps elsewhere.
    pub async fn remove_key(&self, name: &str) -> Result<Answer<Done<KeyRemoved>>, Error> {
        let body = serde_json::json!({ "name": name }).to_string();
        self.order(Method::DELETE, KEYS, body).await
    }

    /// The webhooks, and how far each has been served.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn webhooks(&self) -> Result<Answer<Vec<WebhookInfo>>, Error> {
        self.data(Method::GET, WEBHOOKS, Duration::ZERO).await
    }

    /// Sends a test to the webhook of this name, or to all. The name has only
    /// letters that stand in a query as they are.
    ///
    /// # Errors
    ///
    /// See [`Error`]; `Code::NoSuchWebhook` when there is none.
    pub async fn test_webhooks(
        &self,
        name: Option<&str>,
    ) -> Result<Answer<Vec<WebhookTested>>, Error> {
        let path = named(&format!("{WEBHOOKS}/test"), name);
        self.data(Method::POST, &path, Duration::ZERO).await
    }

    /// Ends the pause of the webhook of this name, or of all.
    ///
    /// # Errors
    ///
    /// See [`Error`]; `Code::NoSuchWebhook` when there is none.
    pub async fn resume_webhooks(
        &self,
        name: Option<&str>,
    ) -> Result<Answer<Done<WebhooksResumed>>, Error> {
        self.command(&named(&format!("{WEBHOOKS}/resume"), name))
            .await
    }

    /// A call whose answer has its point in `data`.
    async fn data<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        wait: Duration,
    ) -> Result<Answer<T>, Error> {
        let body = connection::call(&self.sockets, method, path, String::new(), wait).await?;
        let Answer { body, data } = parse::<Success<T>>(body)?;
        let data = data.data;
        Ok(Answer { body, data })
    }

    /// A command that takes nothing.
    async fn command<T: DeserializeOwned>(&self, path: &str) -> Result<Answer<Done<T>>, Error> {
        self.order(Method::POST, path, String::new()).await
    }

    /// A call whose answer has its point in the whole of it.
    async fn order<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: String,
    ) -> Result<Answer<T>, Error> {
        parse(connection::call(&self.sockets, method, path, body, Duration::ZERO).await?)
    }
}

/// The path that asks the daemon to hold its answer so long.
fn waiting(path: &str, wait: Duration) -> String {
    match wait.as_secs() {
        0 => path.to_owned(),
        seconds => format!("{path}?wait={seconds}s"),
    }
}

fn named(path: &str, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{path}?name={name}"),
        None => path.to_owned(),
    }
}

fn parse<T: DeserializeOwned>(body: String) -> Result<Answer<T>, Error> {
    let data = serde_json::from_str(&body).map_err(Error::strange)?;
    Ok(Answer { body, data })
}
