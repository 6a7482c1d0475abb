//! How a sandbox behaves; the defaults are WhatsApp's own timings.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 picks a free one, which then stays the same
    /// until the sandbox ends.
    pub listen: SocketAddr,
    /// Where the control API listens; `None` leaves it out.
    pub control: Option<SocketAddr>,
    /// How many refs, hence QR codes, an unlinked client is given at once.
    pub ref_count: usize,
    /// How long the first ref can be scanned.
    pub ref_first: Duration,
    /// How much longer each further ref can be scanned.
    pub ref_next: Duration,
    /// How long the server waits after the last ref before it ends the stream.
    pub ref_grace: Duration,
    /// How long a pairing code can be entered.
    pub code_validity: Duration,
    /// How many wrong entries a phone allows for one pairing code.
    pub code_attempts: u32,
    /// How many devices a phone links beside itself.
    pub max_devices: usize,
    /// How long a phone waits for the other side in the middle of a pairing.
    pub answer_timeout: Duration,
    /// The pause between a finished pairing and the 515 that ends its stream:
    /// on loopback the server would otherwise outrun the client's own writes
    /// to its store, which no real network does.
    pub settle: Duration,
    /// How long the phone takes over its part of the passkey exchange: on
    /// loopback its answer would otherwise outrun the client's own bookkeeping,
    /// which no real phone does.
    pub reaction: Duration,
    /// How often the server pings a client; three unanswered pings end the
    /// connection.
    pub ping_interval: Duration,
    /// Whether the phone shares its app-state key with a device it has linked.
    /// Without it `Connected` comes ten seconds after the login.
    pub key_share: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            control: None,
            ref_count: 6,
            ref_first: Duration::from_secs(60),
            ref_next: Duration::from_secs(20),
            ref_grace: Duration::from_secs(20),
            code_validity: Duration::from_secs(180),
            code_attempts: 3,
            max_devices: 4,
            answer_timeout: Duration::from_secs(20),
            settle: Duration::from_millis(50),
            reaction: Duration::from_millis(200),
            ping_interval: Duration::from_secs(60),
            key_share: true,
        }
    }
}
