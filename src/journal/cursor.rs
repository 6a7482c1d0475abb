//! A place in the journal that moves on.

use super::{Page, ReadError, Reader};
use tokio::sync::watch;

/// Reads event after event, and waits for the next one.
#[derive(Debug)]
pub struct Cursor {
    reader: Reader,
    newest: watch::Receiver<u64>,
    at: u64,
}

impl Cursor {
    pub(super) fn new(reader: Reader, id: Option<u64>) -> Self {
        let newest = reader.newest();
        let at = id.unwrap_or(*newest.borrow());
        Self { reader, newest, at }
    }

    /// Behind which id it stands.
    pub fn id(&self) -> u64 {
        self.at
    }

    /// The next events, at most `limit`, when there are any; a page without one
    /// only tells of a gap. Dropped before it is done, it has not moved.
    ///
    /// # Errors
    ///
    /// When the file cannot be read; the cursor has not moved then.
    pub async fn next(&mut self, limit: usize) -> Result<Page, ReadError> {
        loop {
            let at = self.at;
            // Not `>`: a journal that begins anew under a clock set back counts
            // from lower.
            let rung = self.newest.wait_for(|newest| *newest != at).await;
            rung.map_err(|_| ReadError::Stopping)?;
            let page = self.reader.after(at, limit).await?;
            self.at = page.next;
            if page.gap || !page.events.is_empty() {
                return Ok(page);
            }
        }
    }
}
