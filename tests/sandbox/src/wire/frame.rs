//! Frames: `WA` and two version bytes once, perhaps after an edge-routing
//! preamble, then three length bytes before each message.

use wacore_binary::consts::WA_CONN_HEADER;

/// What both ends mix into the handshake. The edge-routing preamble is not
/// part of it.
pub(crate) const PROLOGUE: [u8; 4] = WA_CONN_HEADER;

const ROUTING: &[u8] = b"ED\x00\x01";
const LENGTH: usize = 3;

#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("the connection does not begin with WhatsApp's prologue")]
    Prologue,
    #[error("a message of {0} bytes does not fit a frame")]
    TooLong(usize),
}

/// Turns the byte stream of a client into messages.
#[derive(Default)]
pub(crate) struct Deframer {
    buffer: Vec<u8>,
    opened: bool,
    routing: Option<Vec<u8>>,
}

impl Deframer {
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The routing token the client was given on an earlier connection.
    pub(crate) fn routing(&self) -> Option<&[u8]> {
        self.routing.as_deref()
    }

    pub(crate) fn next(&mut self) -> Result<Option<Vec<u8>>, FrameError> {
        if !self.opened && !self.open()? {
            return Ok(None);
        }
        let Some(message) = prefixed(&self.buffer) else {
            return Ok(None);
        };
        let message = message.to_vec();
        self.buffer.drain(..LENGTH + message.len());
        Ok(Some(message))
    }

    fn open(&mut self) -> Result<bool, FrameError> {
        if self.routing.is_none() {
            match starts(&self.buffer, ROUTING) {
                Some(true) => {
                    let Some(token) = prefixed(&self.buffer[ROUTING.len()..]) else {
                        return Ok(false);
                    };
                    let token = token.to_vec();
                    self.buffer.drain(..ROUTING.len() + LENGTH + token.len());
                    self.routing = Some(token);
                }
                Some(false) => {}
                None => return Ok(false),
            }
        }
        match starts(&self.buffer, &PROLOGUE) {
            Some(true) => {
                self.buffer.drain(..PROLOGUE.len());
                self.opened = true;
                Ok(true)
            }
            Some(false) => Err(FrameError::Prologue),
            None => Ok(false),
        }
    }
}

/// The message at the start of `buffer`, once all of it is there.
fn prefixed(buffer: &[u8]) -> Option<&[u8]> {
    let [a, b, c] = *buffer.first_chunk::<LENGTH>()?;
    let length = u32::from_be_bytes([0, a, b, c]) as usize;
    buffer.get(LENGTH..LENGTH + length)
}

/// Whether `buffer` starts with `prefix`; `None` while it may yet.
fn starts(buffer: &[u8], prefix: &[u8]) -> Option<bool> {
    let seen = buffer.len().min(prefix.len());
    if buffer[..seen] != prefix[..seen] {
        return Some(false);
    }
    (seen == prefix.len()).then_some(true)
}

pub(crate) fn frame(message: &[u8]) -> Result<Vec<u8>, FrameError> {
    let length = u32::try_from(message.len())
        .ok()
        .filter(|length| *length < 1 << 24)
        .ok_or(FrameError::TooLong(message.len()))?;
    let mut out = Vec::with_capacity(LENGTH + message.len());
    out.extend_from_slice(&length.to_be_bytes()[1..]);
    out.extend_from_slice(message);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(routing: Option<&[u8]>) -> Vec<u8> {
        let mut bytes = Vec::new();
        if let Some(token) = routing {
            bytes.extend_from_slice(ROUTING);
            bytes.extend(frame(token).expect("fits"));
        }
        bytes.extend_from_slice(&PROLOGUE);
        bytes.extend(frame(b"one").expect("fits"));
        bytes.extend(frame(b"").expect("fits"));
        bytes.extend(frame(b"three").expect("fits"));
        bytes
    }

    fn drain(deframer: &mut Deframer, out: &mut Vec<Vec<u8>>) {
        while let Some(message) = deframer.next().expect("well-formed") {
            out.push(message);
        }
    }

    #[test]
    fn messages_survive_any_cut() {
        for routing in [None, Some(&b"route"[..])] {
            let bytes = stream(routing);
            for size in 1..bytes.len() {
                let mut deframer = Deframer::default();
                let mut out = Vec::new();
                for piece in bytes.chunks(size) {
                    deframer.feed(piece);
                    drain(&mut deframer, &mut out);
                }
                assert_eq!(out, [&b"one"[..], b"", b"three"], "pieces of {size}");
                assert_eq!(deframer.routing(), routing);
            }
        }
    }

    #[test]
    fn a_stranger_is_refused_at_once() {
        let mut deframer = Deframer::default();
        deframer.feed(b"GET /");
        assert!(matches!(deframer.next(), Err(FrameError::Prologue)));
        let mut old = Deframer::default();
        old.feed(b"WA\x05\x02");
        assert!(matches!(old.next(), Err(FrameError::Prologue)));
    }
}
