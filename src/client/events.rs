//! `GET /connection/events`, read event by event.

use super::{Answer, Error, connection, connection::Stream};
use crate::wire::{Event, Gap, Status};
use http_body_util::BodyExt as _;
use hyper::Method;
use std::{path::PathBuf, time::Duration};
use tokio::time::timeout;

/// The daemon says something every 15 s. After three times that it is stuck, or
/// somebody between has forgotten the stream.
const SILENCE: Duration = Duration::from_secs(45);
/// No event comes near this.
const LONGEST: usize = 1 << 20;

/// A stream that is being read.
pub struct Events {
    stream: Stream,
    /// What has come and is not whole yet.
    rest: Vec<u8>,
    last: Option<u64>,
}

/// What the stream tells.
pub enum Told {
    Status(Box<Answer<Status>>),
    Event(Answer<Event>),
    Gap(Answer<Gap>),
}

/// An event as it stands in the stream.
#[derive(Debug, Default, PartialEq, Eq)]
struct Block {
    id: Option<u64>,
    event: String,
    data: String,
}

impl Events {
    pub(super) async fn open(sockets: &[PathBuf], after: Option<u64>) -> Result<Self, Error> {
        let mut path = "/connection/events".to_owned();
        if let Some(id) = after {
            path.push_str(&format!("?after={id}"));
        }
        Ok(Self {
            stream: connection::open(sockets, Method::GET, &path).await?,
            rest: Vec::new(),
            last: after,
        })
    }

    /// What to resume behind, as far as is known.
    pub fn last(&self) -> Option<u64> {
        self.last
    }

    /// What comes next; `None` when the daemon has ended the stream. Dropped
    /// before it is done, it has lost nothing.
    ///
    /// # Errors
    ///
    /// When the stream breaks off, falls silent, or makes no sense.
    pub async fn next(&mut self) -> Result<Option<Told>, Error> {
        loop {
            while let Some(block) = self.block()? {
                if block.id.is_some() {
                    self.last = block.id;
                }
                if !block.data.is_empty() {
                    return told(block).map(Some);
                }
            }
            let frame = timeout(SILENCE, self.stream.body.frame()).await;
            match frame.map_err(|_| Error::Silent)? {
                None => return Ok(None),
                Some(frame) => {
                    if let Ok(data) = frame.map_err(Error::broken)?.into_data() {
                        self.rest.extend_from_slice(&data);
                    }
                }
            }
            if self.rest.len() > LONGEST {
                return Err(Error::strange("an event without an end"));
            }
        }
    }

    /// Takes the next whole block out of what has come.
    fn block(&mut self) -> Result<Option<Block>, Error> {
        let Some(end) = self.rest.windows(2).position(|two| two == b"\n\n") else {
            return Ok(None);
        };
        let text: Vec<u8> = self.rest.drain(..end + 2).collect();
        let text = String::from_utf8(text).map_err(Error::strange)?;
        fields(&text).map(Some)
    }
}

/// The fields that the daemon sends; what else may stand there is let be.
fn fields(text: &str) -> Result<Block, Error> {
    let mut block = Block::default();
    for line in text.lines() {
        match line.split_once(": ") {
            Some(("id", id)) => block.id = Some(id.parse().map_err(Error::strange)?),
            Some(("event", event)) => event.clone_into(&mut block.event),
            Some(("data", data)) => data.clone_into(&mut block.data),
            _ => {}
        }
    }
    Ok(block)
}

fn told(block: Block) -> Result<Told, Error> {
    Ok(match block.event.as_str() {
        "status" => Told::Status(Box::new(super::parse(block.data)?)),
        "gap" => Told::Gap(super::parse(block.data)?),
        _ => Told::Event(super::parse(block.data)?),
    })
}
