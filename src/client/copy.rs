//! `POST /admin/backup`, piece by piece.

use super::{Error, connection, connection::Stream};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::Method;
use std::{path::PathBuf, time::Duration};
use tokio::time::timeout;

/// The daemon reads from a file that is there.
const SILENCE: Duration = Duration::from_secs(30);

/// A copy of the state on its way.
pub struct Copy(Stream);

impl Copy {
    pub(super) async fn open(sockets: &[PathBuf]) -> Result<Self, Error> {
        let stream = connection::open(sockets, Method::POST, "/admin/backup").await?;
        Ok(Self(stream))
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    ///
    /// When it breaks off before its end, or falls silent.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            let frame = timeout(SILENCE, self.0.body.frame()).await;
            match frame.map_err(|_| Error::Silent)? {
                None => return Ok(None),
                Some(frame) => {
                    if let Ok(data) = frame.map_err(Error::broken)?.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }
}
