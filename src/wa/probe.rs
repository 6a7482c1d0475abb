//! Whether WhatsApp can be reached: the way a session takes, up to its socket.

use super::transport::Socket;
use crate::{
    dial::{DialError, Dialer},
    wire::Timestamp,
};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

/// A person waits for the answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// Opens the web socket and closes it again; nobody logs in.
///
/// # Errors
///
/// At the first step that fails.
pub async fn probe(dialer: Dialer, url: &str) -> Result<(), DialError> {
    let socket = Socket::new(url, dialer, Arc::new(|_| {}), Timestamp::now);
    match timeout(PATIENCE, socket.open()).await {
        Ok(opened) => opened.map(drop),
        Err(_) => Err(DialError::Timeout("WhatsApp".to_owned())),
    }
}
