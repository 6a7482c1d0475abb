//! The handshake itself, from the server's side.
//!
//! ```text
//! XX        -> e                 <- e, ee, s, es, cert      -> s, se, payload
//! IK        -> e, es, s, ss, payload                        <- e, ee, se, cert
//! fallback  an IK hello that cannot be read: its e starts an XX
//! ```

use super::state::Symmetric;
use super::{NoiseError, Opener, Pattern, Sealer, ServerIdentity};
use crate::keys::{KeyBytes, Pair};
use waproto::buffa::{Message as _, MessageField};
use waproto::whatsapp::HandshakeMessage;
use waproto::whatsapp::handshake_message::{ClientHello, ServerHello};

const XX: &str = "Noise_XX_25519_AESGCM_SHA256";
const IK: &str = "Noise_IK_25519_AESGCM_SHA256";
const XX_FALLBACK: &str = "Noise_XXfallback_25519_AESGCM_SHA256";

/// What the first message of a client leads to.
pub(crate) enum Opening {
    /// IK: everything is known; send `reply` and talk.
    Done(Box<Established>, Vec<u8>),
    /// XX: send `reply` and wait for the client's finish.
    Half(Box<AwaitFinish>, Vec<u8>),
}

/// A finished handshake.
pub(crate) struct Established {
    pub(crate) pattern: Pattern,
    /// The client's static key, proven by the handshake.
    pub(crate) client_static: KeyBytes,
    /// The client's login or registration payload.
    pub(crate) payload: Vec<u8>,
    pub(crate) sealer: Sealer,
    pub(crate) opener: Opener,
}

/// Answers a client's first message.
pub(crate) fn respond(
    identity: &ServerIdentity,
    prologue: &[u8],
    first: &[u8],
) -> Result<Opening, NoiseError> {
    let hello = decode(first)?
        .client_hello
        .into_option()
        .ok_or(NoiseError::Malformed("no client hello"))?;
    let theirs = key(hello.ephemeral.as_deref())?;
    if hello.r#static.is_none() && hello.payload.is_none() {
        let (half, reply) = full(identity, prologue, theirs, Pattern::Xx)?;
        return Ok(Opening::Half(Box::new(half), reply));
    }
    match resume(identity, prologue, theirs, &hello) {
        Ok((done, reply)) => Ok(Opening::Done(Box::new(done), reply)),
        // The client holds an older key of ours: go on with the ephemeral key
        // it has sent already.
        Err(NoiseError::Decrypt) => {
            let (half, reply) = full(identity, prologue, theirs, Pattern::Fallback)?;
            Ok(Opening::Half(Box::new(half), reply))
        }
        Err(other) => Err(other),
    }
}

fn resume(
    identity: &ServerIdentity,
    prologue: &[u8],
    theirs: KeyBytes,
    hello: &ClientHello,
) -> Result<(Established, Vec<u8>), NoiseError> {
    let mut state = Symmetric::new(IK, prologue);
    state.mix_hash(&identity.leaf.public());
    state.mix_hash(&theirs);
    state.mix_key(&identity.leaf.agree(&theirs)?);
    let client_static = key(Some(&state.decrypt(part(&hello.r#static)?)?))?;
    state.mix_key(&identity.leaf.agree(&client_static)?);
    let payload = state.decrypt(part(&hello.payload)?)?;

    let ephemeral = Pair::generate();
    state.mix_hash(&ephemeral.public());
    state.mix_key(&ephemeral.agree(&theirs)?);
    state.mix_key(&ephemeral.agree(&client_static)?);
    let reply = server_hello(&ephemeral, None, state.encrypt(&identity.chain)?);
    Ok((
        established(&state, Pattern::Ik, client_static, payload),
        reply,
    ))
}

fn full(
    identity: &ServerIdentity,
    prologue: &[u8],
    theirs: KeyBytes,
    pattern: Pattern,
) -> Result<(AwaitFinish, Vec<u8>), NoiseError> {
    let name = if pattern == Pattern::Fallback {
        XX_FALLBACK
    } else {
        XX
    };
    let mut state = Symmetric::new(name, prologue);
    state.mix_hash(&theirs);
    let ephemeral = Pair::generate();
    state.mix_hash(&ephemeral.public());
    state.mix_key(&ephemeral.agree(&theirs)?);
    let sealed_static = state.encrypt(&identity.leaf.public())?;
    state.mix_key(&identity.leaf.agree(&theirs)?);
    let sealed_chain = state.encrypt(&identity.chain)?;
    let reply = server_hello(&ephemeral, Some(sealed_static), sealed_chain);
    Ok((
        AwaitFinish {
            state,
            ephemeral,
            pattern,
        },
        reply,
    ))
}

/// Half an XX: the server has spoken, the client's finish is due.
pub(crate) struct AwaitFinish {
    state: Symmetric,
    ephemeral: Pair,
    pattern: Pattern,
}

impl AwaitFinish {
    pub(crate) fn finish(mut self, frame: &[u8]) -> Result<Established, NoiseError> {
        let finish = decode(frame)?
            .client_finish
            .into_option()
            .ok_or(NoiseError::Malformed("no client finish"))?;
        let client_static = key(Some(&self.state.decrypt(part(&finish.r#static)?)?))?;
        self.state.mix_key(&self.ephemeral.agree(&client_static)?);
        let payload = self.state.decrypt(part(&finish.payload)?)?;
        Ok(established(
            &self.state,
            self.pattern,
            client_static,
            payload,
        ))
    }
}

fn established(
    state: &Symmetric,
    pattern: Pattern,
    client_static: KeyBytes,
    payload: Vec<u8>,
) -> Established {
    let (theirs, ours) = state.split();
    Established {
        pattern,
        client_static,
        payload,
        sealer: Sealer::new(&ours),
        opener: Opener::new(&theirs),
    }
}

fn server_hello(ephemeral: &Pair, sealed_static: Option<Vec<u8>>, payload: Vec<u8>) -> Vec<u8> {
    HandshakeMessage {
        server_hello: MessageField::some(ServerHello {
            ephemeral: Some(ephemeral.public().to_vec()),
            r#static: sealed_static,
            payload: Some(payload),
            ..Default::default()
        }),
        ..Default::default()
    }
    .encode_to_vec()
}

fn decode(frame: &[u8]) -> Result<HandshakeMessage, NoiseError> {
    HandshakeMessage::decode_from_slice(frame).map_err(|_| NoiseError::Malformed("not a protobuf"))
}

fn part(field: &Option<Vec<u8>>) -> Result<&[u8], NoiseError> {
    field
        .as_deref()
        .ok_or(NoiseError::Malformed("a field is missing"))
}

fn key(bytes: Option<&[u8]>) -> Result<KeyBytes, NoiseError> {
    bytes
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(NoiseError::Malformed("a key is not 32 bytes"))
}

#[cfg(test)]
mod tests;
