//! The gates that are open: at most one to a phone, each on one connection.
//! A challenge waits for an answer while its gate stands at its first stage,
//! and never again.

use super::PasskeyError;
use super::exchange::Exchange;
use crate::clock;
use crate::keys::random;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// What an account demands before it links a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeyGate {
    /// The relying party the passkeys are for.
    pub rp_id: String,
    /// The only origin on which an assertion may have been made.
    pub origin: String,
    /// How long the client has, from the challenge to its pairing request.
    pub timeout: Duration,
    /// The challenge comes without its options: the client asks for them.
    pub options_by_query: bool,
}

impl Default for PasskeyGate {
    fn default() -> Self {
        Self {
            rp_id: "whatsapp.com".to_owned(),
            origin: "https://web.whatsapp.com".to_owned(),
            timeout: Duration::from_secs(600),
            options_by_query: false,
        }
    }
}

/// What the phone shows of an open gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GateView {
    pub stage: GateStage,
    /// `ABCD-EFGH`, at [`GateStage::Code`].
    pub code: Option<String>,
    pub expires_in_secs: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GateStage {
    /// The challenge waits for an assertion.
    Challenge,
    /// The assertion is good; phone and client exchange keys.
    Exchange,
    /// The phone shows a code, to be confirmed on the client.
    Code,
    /// The client has been linked before: no code, it goes on by itself.
    Known,
    /// Through: the client is being linked.
    Linking,
}

/// What the phone's part of a pairing is told of its gate.
pub(crate) enum Step {
    /// The assertion is good: this is what the phone has to say.
    Continue(Vec<u8>),
    /// The gate is over; through it came this secret.
    Over(Result<[u8; 32], PasskeyError>),
}

pub(crate) struct Gate {
    pub(super) connection: u64,
    pub(super) challenge: [u8; 32],
    pub(super) terms: PasskeyGate,
    pub(super) stage: Stage,
    expires: Instant,
    steps: mpsc::Sender<Step>,
}

pub(super) enum Stage {
    Challenge,
    Exchange {
        exchange: Box<Exchange>,
        known: bool,
    },
    Code {
        exchange: Box<Exchange>,
        /// To compare; not needed with a client that is known.
        code: Option<String>,
    },
    Linking,
}

/// A gate as those hold it who go through it.
pub(crate) struct Passage {
    pub(crate) challenge: [u8; 32],
    /// `None` when the client is to ask for them.
    pub(crate) options: Option<String>,
    pub(crate) expires: Instant,
    pub(crate) steps: mpsc::Receiver<Step>,
}

#[derive(Default)]
pub(crate) struct Gates {
    /// By phone number.
    open: BTreeMap<String, Gate>,
    /// All challenges, by the connection they were put to.
    issued: HashMap<[u8; 32], u64>,
    /// The last ref each connection asked for, which its prologue must name.
    refs: HashMap<u64, String>,
}

impl Gates {
    /// Opens a gate for a pairing of this phone on this connection. `None` if
    /// another phone has one there. An older one of this phone is over.
    pub(crate) fn open(
        &mut self,
        number: &str,
        connection: u64,
        terms: PasskeyGate,
    ) -> Option<Passage> {
        if self.number_on(connection).is_some_and(|on| on != number) {
            return None;
        }
        self.over(number, Err(PasskeyError::Superseded));
        // A gate has two things to say at most.
        let (steps, receiver) = mpsc::channel(2);
        let gate = Gate {
            connection,
            challenge: random(),
            expires: clock::now() + terms.timeout,
            terms,
            stage: Stage::Challenge,
            steps,
        };
        let passage = Passage {
            challenge: gate.challenge,
            options: (!gate.terms.options_by_query).then(|| gate.options()),
            expires: gate.expires,
            steps: receiver,
        };
        self.issued.insert(gate.challenge, connection);
        self.open.insert(number.to_owned(), gate);
        Some(passage)
    }

    /// Ends a phone's gate; the connection it was on, if there was one.
    pub(crate) fn over(
        &mut self,
        number: &str,
        outcome: Result<[u8; 32], PasskeyError>,
    ) -> Option<u64> {
        let gate = self.open.remove(number)?;
        gate.tell(Step::Over(outcome));
        Some(gate.connection)
    }

    /// Takes away the gate with this challenge.
    pub(crate) fn close(&mut self, number: &str, challenge: &[u8; 32]) {
        if self
            .open
            .get(number)
            .is_some_and(|gate| gate.challenge == *challenge)
        {
            self.open.remove(number);
        }
    }

    /// Forgets what was tied to a connection. Who waits at its gate is told by
    /// the end of the steps.
    pub(crate) fn forget(&mut self, connection: u64) {
        self.open.retain(|_, gate| gate.connection != connection);
        self.issued.retain(|_, on| *on != connection);
        self.refs.remove(&connection);
    }

    /// The number of the phone with a gate on this connection.
    pub(crate) fn number_on(&self, connection: u64) -> Option<&str> {
        let mut open = self.open.iter();
        let (number, _) = open.find(|(_, gate)| gate.connection == connection)?;
        Some(number)
    }

    pub(super) fn on(&self, connection: u64) -> Option<&Gate> {
        self.open
            .values()
            .find(|gate| gate.connection == connection)
    }

    pub(super) fn on_mut(&mut self, connection: u64) -> Option<&mut Gate> {
        let mut open = self.open.values_mut();
        open.find(|gate| gate.connection == connection)
    }

    /// When the gate on this connection runs out.
    pub(crate) fn expiry_on(&self, connection: u64) -> Option<Instant> {
        Some(self.on(connection)?.expires)
    }

    /// The options of the challenge that waits on this connection.
    pub(crate) fn options_on(&self, connection: u64) -> Option<String> {
        let gate = self.on(connection)?;
        gate.waits().then(|| gate.options())
    }

    /// A fresh ref for the prologue of this connection.
    pub(crate) fn issue_ref(&mut self, connection: u64) -> String {
        let reference = format!("2@{}", STANDARD.encode(random::<64>()));
        self.refs.insert(connection, reference.clone());
        reference
    }

    #[cfg(test)]
    pub(super) fn expect_ref(&mut self, connection: u64, reference: &str) {
        self.refs.insert(connection, reference.to_owned());
    }

    pub(super) fn ref_of(&self, connection: u64) -> Option<&str> {
        self.refs.get(&connection).map(String::as_str)
    }

    /// Whether this challenge was ever put to this connection.
    pub(super) fn was_put(&self, challenge: &[u8], connection: u64) -> bool {
        self.issued.get(challenge) == Some(&connection)
    }

    /// Whether this connection ever had a gate.
    pub(super) fn had_one(&self, connection: u64) -> bool {
        self.issued.values().any(|on| *on == connection)
    }

    pub(crate) fn view(&self, number: &str) -> Option<GateView> {
        let gate = self.open.get(number)?;
        let (stage, code) = match &gate.stage {
            Stage::Challenge => (GateStage::Challenge, None),
            Stage::Exchange { .. } => (GateStage::Exchange, None),
            Stage::Code { code: None, .. } => (GateStage::Known, None),
            Stage::Code { code, .. } => (GateStage::Code, code.clone()),
            Stage::Linking => (GateStage::Linking, None),
        };
        Some(GateView {
            stage,
            code,
            expires_in_secs: gate.left().as_secs(),
        })
    }
}

/// As public captures show them, order included.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestOptions<'a> {
    challenge: String,
    timeout: u128,
    rp_id: &'a str,
    allow_credentials: [(); 0],
    user_verification: &'static str,
    extensions: Extensions,
}

#[derive(Serialize)]
struct Extensions {
    uvm: bool,
}

impl Gate {
    /// The `PublicKeyCredentialRequestOptions`, as JSON.
    fn options(&self) -> String {
        serde_json::to_string(&RequestOptions {
            challenge: URL_SAFE_NO_PAD.encode(self.challenge),
            timeout: self.terms.timeout.as_millis(),
            rp_id: &self.terms.rp_id,
            allow_credentials: [],
            user_verification: "required",
            extensions: Extensions { uvm: true },
        })
        .expect("strings and numbers")
    }

    fn left(&self) -> Duration {
        self.expires.saturating_duration_since(clock::now())
    }

    pub(super) fn expired(&self) -> bool {
        self.left().is_zero()
    }

    /// Whether the challenge can still be answered.
    pub(super) fn waits(&self) -> bool {
        matches!(self.stage, Stage::Challenge) && !self.expired()
    }

    /// The client is through: what is left takes this long at most.
    pub(super) fn pass(&mut self, secret: [u8; 32], grace: Duration) {
        self.stage = Stage::Linking;
        self.expires = clock::now() + grace;
        self.tell(Step::Over(Ok(secret)));
    }

    pub(super) fn tell(&self, step: Step) {
        // Whoever waited may be gone; there is room for all a gate has to say.
        let _: Result<(), _> = self.steps.try_send(step);
    }
}
