//! What a client does at the gate, step by step. A step that is refused ends
//! the gate: its challenge is spent, and the person has to start again.

use super::assertion::{Assertion, AssertionError};
use super::exchange::{Exchange, proves};
use super::gate::{Stage, Step};
use super::{ExchangeError, PasskeyError};
use crate::keys::KeyBytes;
use crate::state::State;
use std::time::Duration;

/// `<passkey_prologue>`.
pub(crate) struct Prologue<'a> {
    pub(crate) credential_id: &'a [u8],
    pub(crate) assertion: &'a [u8],
    pub(crate) payload: &'a [u8],
    /// That the client knows the secret of a device that was linked before.
    pub(crate) handoff_proof: Option<&'a [u8]>,
}

impl State {
    /// The client answers the challenge. A `silent` phone does not go on.
    pub(crate) fn passkey_prologue(
        &mut self,
        connection: u64,
        prologue: Option<&Prologue<'_>>,
        silent: bool,
    ) -> Result<(), PasskeyError> {
        let (exchange, known) = self
            .judge(connection, prologue)
            .map_err(|error| self.refuse_step(connection, error))?;
        self.stats.passkey_assertions += 1;
        if let Some(gate) = self.gates.on_mut(connection) {
            if !silent {
                gate.tell(Step::Continue(exchange.identity()));
            }
            gate.stage = Stage::Exchange { exchange, known };
        }
        Ok(())
    }

    /// The client opens its commitment; from then on the phone shows a code.
    pub(crate) fn passkey_nonce(
        &mut self,
        connection: u64,
        nonce: &[u8],
    ) -> Result<(), PasskeyError> {
        self.show_code(connection, nonce)
            .map_err(|error| self.refuse_step(connection, error))
    }

    /// The client asks to be linked, with a new secret. Linking it then takes
    /// as long as `grace`.
    pub(crate) fn passkey_pairing_request(
        &mut self,
        connection: u64,
        request: &[u8],
        keys: (&KeyBytes, &KeyBytes),
        grace: Duration,
    ) -> Result<(), PasskeyError> {
        self.take_request(connection, request, keys, grace)
            .map_err(|error| self.refuse_step(connection, error))
    }

    /// Ends the gate on a connection, if there is one.
    pub(crate) fn refuse_step(&mut self, connection: u64, error: PasskeyError) -> PasskeyError {
        self.stats.passkey_refusals += 1;
        if let Some(number) = self.gates.number_on(connection).map(str::to_owned) {
            self.gates.over(&number, Err(error.clone()));
        }
        error
    }

    fn judge(
        &self,
        connection: u64,
        prologue: Option<&Prologue<'_>>,
    ) -> Result<(Box<Exchange>, bool), PasskeyError> {
        let prologue = prologue.ok_or(AssertionError::Malformed("prologue"))?;
        let assertion = Assertion::read(prologue.credential_id, prologue.assertion)?;
        if !self.gates.was_put(assertion.challenge(), connection) {
            return Err(AssertionError::Challenge.into());
        }
        let gate = self.gates.on(connection);
        let gate = gate
            .filter(|gate| gate.waits() && gate.challenge == assertion.challenge())
            .ok_or(AssertionError::Spent)?;
        let phone = self
            .gates
            .number_on(connection)
            .and_then(|number| self.phones.get(number))
            .ok_or(PasskeyError::Lost)?;
        assertion.verify(&gate.terms, &phone.passkeys)?;
        let reference = self.gates.ref_of(connection);
        let reference = reference.ok_or(ExchangeError::Reference)?;
        let exchange = Exchange::begin(prologue.payload, reference)?;
        let known = match prologue.handoff_proof {
            None => false,
            Some(proof) => {
                let before = phone.adv_secrets.iter();
                // A pairing by code gives a known client a new secret first.
                let now = (!phone.adv_secrets.is_empty()).then_some(&gate.secret);
                let known = before
                    .chain(now)
                    .any(|secret| proves(proof, prologue.payload, secret));
                if !known {
                    return Err(PasskeyError::Handoff);
                }
                true
            }
        };
        Ok((Box::new(exchange), known))
    }

    fn show_code(&mut self, connection: u64, nonce: &[u8]) -> Result<(), PasskeyError> {
        self.due(connection)?;
        let gate = self.gates.on_mut(connection).ok_or(PasskeyError::Lost)?;
        // What is taken out here is not missed: an error ends the gate.
        let Stage::Exchange { exchange, known } =
            std::mem::replace(&mut gate.stage, Stage::Challenge)
        else {
            return Err(PasskeyError::OutOfTurn);
        };
        let code = exchange.code(nonce)?;
        gate.stage = Stage::Code {
            exchange,
            code: (!known).then_some(code),
        };
        Ok(())
    }

    fn take_request(
        &mut self,
        connection: u64,
        request: &[u8],
        (noise_key, identity_key): (&KeyBytes, &KeyBytes),
        grace: Duration,
    ) -> Result<(), PasskeyError> {
        self.due(connection)?;
        let gate = self.gates.on_mut(connection).ok_or(PasskeyError::Lost)?;
        let Stage::Code { exchange, .. } = &gate.stage else {
            return Err(PasskeyError::OutOfTurn);
        };
        let secret = exchange.open(request, noise_key, identity_key)?;
        gate.pass(secret, grace);
        Ok(())
    }

    /// Whether a step may come: there is a gate, and it has not run out.
    fn due(&self, connection: u64) -> Result<(), PasskeyError> {
        match self.gates.on(connection) {
            Some(gate) if gate.expired() => Err(PasskeyError::Expired),
            Some(_) => Ok(()),
            None if self.gates.had_one(connection) => Err(PasskeyError::Expired),
            None => Err(PasskeyError::OutOfTurn),
        }
    }
}
