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
                let mut before = phone.adv_secrets.iter();
                let known = before.any(|secret| proves(proof, prologue.payload, secret));
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

#[cfg(test)]
mod tests {
    use super::super::exchange::tests::{Companion, REF};
    use super::super::{Authenticator, GateStage, Passage, PasskeyGate};
    use super::*;
    use crate::keys::random;
    use crate::noise::ServerIdentity;
    use crate::state::PhoneState;
    use serde_json::Value;

    const NUMBER: &str = "628123456789";
    const CONNECTION: u64 = 7;
    const GRACE: Duration = Duration::from_secs(1);

    /// A server with one phone, one gate, and one companion at it.
    struct Scene {
        state: State,
        passkey: Authenticator,
        companion: Companion,
        passage: Passage,
    }

    impl Scene {
        fn new() -> Self {
            Self::with(PasskeyGate::default())
        }

        fn with(terms: PasskeyGate) -> Self {
            let mut state = State::new(ServerIdentity::generate().expect("keys"));
            let mut phone = PhoneState::new(NUMBER.to_owned(), "Budi".to_owned(), 0);
            let passkey = phone.passkey();
            state.phones.insert(NUMBER.to_owned(), phone);
            state.gates.expect_ref(CONNECTION, REF);
            let passage = state
                .gates
                .open(NUMBER, CONNECTION, terms)
                .expect("nobody else is there");
            Self {
                state,
                passkey,
                companion: Companion::new(),
                passage,
            }
        }

        fn options(&self) -> Value {
            let options = self.passage.options.as_deref().expect("sent along");
            serde_json::from_str(options).expect("JSON")
        }

        /// The answer to these options, with a proof of this secret.
        fn answer(
            &mut self,
            options: &Value,
            secret: Option<&[u8; 32]>,
        ) -> Result<(), PasskeyError> {
            let assertion = self
                .passkey
                .answer(options, "https://web.whatsapp.com")
                .to_string();
            let payload = self.companion.prologue();
            let proof = secret.map(|secret| self.companion.proof(&payload, secret));
            let prologue = Prologue {
                credential_id: self.passkey.id(),
                assertion: assertion.as_bytes(),
                payload: &payload,
                handoff_proof: proof.as_deref(),
            };
            self.state
                .passkey_prologue(CONNECTION, Some(&prologue), false)
        }

        fn nonce(&mut self) -> Result<(), PasskeyError> {
            let nonce = self.companion.nonce;
            self.state.passkey_nonce(CONNECTION, &nonce)
        }

        fn request(&mut self, primary: &[u8]) -> Result<(), PasskeyError> {
            let (noise, identity) = ([1; 32], [2; 32]);
            let request = self.companion.request(primary, &noise, &identity);
            self.state
                .passkey_pairing_request(CONNECTION, &request, (&noise, &identity), GRACE)
        }

        /// What the phone says to a good assertion.
        fn primary(&mut self) -> Vec<u8> {
            match self.passage.steps.try_recv() {
                Ok(Step::Continue(identity)) => identity,
                _ => panic!("the phone goes on"),
            }
        }

        fn outcome(&mut self) -> Result<[u8; 32], PasskeyError> {
            match self.passage.steps.try_recv() {
                Ok(Step::Over(outcome)) => outcome,
                _ => panic!("the gate is over"),
            }
        }

        fn stage(&self) -> Option<GateStage> {
            self.state.gates.view(NUMBER).map(|gate| gate.stage)
        }
    }

    #[test]
    fn a_new_client_passes_with_a_code() {
        let mut scene = Scene::new();
        let options = scene.options();
        assert_eq!(scene.stage(), Some(GateStage::Challenge));
        scene.answer(&options, None).expect("a good assertion");
        assert_eq!(scene.stage(), Some(GateStage::Exchange));
        let primary = scene.primary();
        scene.nonce().expect("as committed");
        let shown = scene.state.gates.view(NUMBER).expect("is open");
        assert_eq!(shown.stage, GateStage::Code);
        assert_eq!(shown.code, Some(scene.companion.code(&primary)));
        scene.request(&primary).expect("opens");
        assert_eq!(scene.stage(), Some(GateStage::Linking));
        assert_eq!(scene.outcome(), Ok(scene.companion.secret));
    }

    #[test]
    fn the_options_are_as_captured() {
        let scene = Scene::new();
        let options = scene.passage.options.as_deref().expect("sent along");
        let (head, tail) = options.split_at(r#"{"challenge":""#.len() + 43);
        assert!(head.starts_with(r#"{"challenge":""#));
        assert_eq!(
            tail,
            r#"","timeout":600000,"rpId":"whatsapp.com","allowCredentials":[],"userVerification":"required","extensions":{"uvm":true}}"#
        );
    }

    #[test]
    fn a_challenge_is_good_for_one_answer() {
        let mut scene = Scene::new();
        let options = scene.options();
        scene.answer(&options, None).expect("a good assertion");
        let spent = PasskeyError::from(AssertionError::Spent);
        assert_eq!(scene.answer(&options, None), Err(spent.clone()));
        assert_eq!(spent.refusal(), (410, "gone"));
        // The second answer has ended the gate.
        scene.primary();
        assert_eq!(scene.outcome(), Err(spent.clone()));
        assert_eq!(scene.stage(), None);
        assert_eq!(scene.answer(&options, None), Err(spent));
    }

    #[test]
    fn a_challenge_runs_out() {
        let mut scene = Scene::with(PasskeyGate {
            timeout: Duration::ZERO,
            ..PasskeyGate::default()
        });
        let options = scene.options();
        let spent = PasskeyError::from(AssertionError::Spent);
        assert_eq!(scene.answer(&options, None), Err(spent.clone()));
        assert_eq!(scene.outcome(), Err(spent));
    }

    #[test]
    fn another_challenge_will_not_do() {
        let mut scene = Scene::new();
        let mut options = scene.options();
        options["challenge"] = "AAECAwQF".into();
        let wrong = PasskeyError::from(AssertionError::Challenge);
        assert_eq!(scene.answer(&options, None), Err(wrong.clone()));
        assert_eq!(wrong.refusal(), (401, "not-authorized"));
        assert_eq!(scene.outcome(), Err(wrong));
        // A refusal spends the challenge that was right.
        let options = scene.options();
        let spent = AssertionError::Spent.into();
        assert_eq!(scene.answer(&options, None), Err(spent));
    }

    #[test]
    fn nor_will_another_connections() {
        let mut scene = Scene::new();
        let options = scene.options();
        scene.state.gates.forget(CONNECTION);
        assert_eq!(
            scene.answer(&options, None),
            Err(AssertionError::Challenge.into())
        );
    }

    #[test]
    fn a_malformed_prologue_ends_it_too() {
        let mut scene = Scene::new();
        let bad = scene.state.passkey_prologue(CONNECTION, None, false);
        let bad = bad.expect_err("nothing in it");
        assert_eq!(bad.refusal(), (400, "bad-request"));
        assert_eq!(scene.outcome(), Err(bad));
    }

    #[test]
    fn steps_have_their_order() {
        let mut scene = Scene::new();
        assert_eq!(scene.nonce(), Err(PasskeyError::OutOfTurn));
        assert_eq!(scene.outcome(), Err(PasskeyError::OutOfTurn));
        assert_eq!(scene.nonce(), Err(PasskeyError::Expired));
        scene.state.gates.forget(CONNECTION);
        assert_eq!(scene.nonce(), Err(PasskeyError::OutOfTurn));
    }

    #[test]
    fn a_nonce_that_was_not_committed_to_ends_it() {
        let mut scene = Scene::new();
        let options = scene.options();
        scene.answer(&options, None).expect("a good assertion");
        scene.primary();
        let error = PasskeyError::from(ExchangeError::Commitment);
        let bad = scene.state.passkey_nonce(CONNECTION, &random::<32>());
        assert_eq!(bad, Err(error.clone()));
        assert_eq!(scene.outcome(), Err(error));
    }

    #[test]
    fn a_known_client_needs_no_code() {
        let mut scene = Scene::new();
        let phone = scene.state.phones.get_mut(NUMBER).expect("is there");
        phone.adv_secrets = vec![[4; 32], [5; 32]];
        let options = scene.options();
        scene.answer(&options, Some(&[5; 32])).expect("is known");
        let primary = scene.primary();
        scene.nonce().expect("as committed");
        let shown = scene.state.gates.view(NUMBER).expect("is open");
        assert_eq!((shown.stage, shown.code), (GateStage::Known, None));
        scene.request(&primary).expect("opens");
        assert_eq!(scene.outcome(), Ok(scene.companion.secret));
    }

    #[test]
    fn a_proof_of_nothing_is_refused() {
        for before in [vec![[5; 32]], Vec::new()] {
            let mut scene = Scene::new();
            let phone = scene.state.phones.get_mut(NUMBER).expect("is there");
            phone.adv_secrets = before;
            let options = scene.options();
            let refused = scene.answer(&options, Some(&[6; 32]));
            assert_eq!(refused, Err(PasskeyError::Handoff));
            assert_eq!(scene.outcome(), Err(PasskeyError::Handoff));
        }
    }

    #[test]
    fn a_connection_has_one_gate_and_a_phone_has_one() {
        let mut scene = Scene::new();
        let terms = PasskeyGate::default();
        let gates = &mut scene.state.gates;
        let another = gates.open("4915112345678", CONNECTION, terms.clone());
        assert!(another.is_none());
        let again = gates.open(NUMBER, 8, terms).expect("is free");
        assert_eq!(scene.outcome(), Err(PasskeyError::Superseded));
        assert_eq!(scene.stage(), Some(GateStage::Challenge));
        // Who held the first gate does not take the second away.
        scene.state.gates.close(NUMBER, &scene.passage.challenge);
        assert_eq!(scene.state.gates.number_on(8), Some(NUMBER));
        scene.state.gates.close(NUMBER, &again.challenge);
        assert_eq!(scene.stage(), None);
    }
}
