//! The API as typed calls, over the control socket.
//!
//! Owns the conversation: finding a daemon that is just starting, one request
//! a connection, answers and refusals as `wire` types. Must not know how a
//! daemon answers, nor print anything.

mod connection;
mod error;
#[cfg(test)]
mod tests;

pub use error::Error;

use crate::wire::{
    Disconnected, Done, PairingCode, PairingRequest, PairingStarted, QrCodeBody, ReloadReport,
    Status, Success,
};
use hyper::Method;
use serde::de::{DeserializeOwned, IgnoredAny};
use std::{path::PathBuf, time::Duration};

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
        let path = match wait.as_secs() {
            0 => "/connection/qr".to_owned(),
            seconds => format!("/connection/qr?wait={seconds}s"),
        };
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
        let path = "/connection/pairing";
        let answer = connection::call(&self.sockets, Method::POST, path, body, Duration::ZERO);
        parse(answer.await?)
    }

    /// Unlinks, wipes the session, pairs anew.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn disconnect(&self) -> Result<Answer<Done<Disconnected>>, Error> {
        self.order("/connection/disconnect").await
    }

    /// Goes offline and stays so.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn pause(&self) -> Result<Answer<Done<IgnoredAny>>, Error> {
        self.order("/connection/pause").await
    }

    /// Ends a pause.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn resume(&self) -> Result<Answer<Done<IgnoredAny>>, Error> {
        self.order("/connection/resume").await
    }

    /// Connects now.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn reconnect(&self) -> Result<Answer<Done<IgnoredAny>>, Error> {
        self.order("/connection/reconnect").await
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
    async fn order<T: DeserializeOwned>(&self, path: &str) -> Result<Answer<Done<T>>, Error> {
        let none = String::new();
        parse(connection::call(&self.sockets, Method::POST, path, none, Duration::ZERO).await?)
    }
}

fn parse<T: DeserializeOwned>(body: String) -> Result<Answer<T>, Error> {
    let data = serde_json::from_str(&body).map_err(Error::strange)?;
    Ok(Answer { body, data })
}
