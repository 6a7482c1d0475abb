//! Entering a pairing code. Code and codeword are the same on both ends or
//! nothing opens: the companion's ephemeral key is sealed with the code, the
//! phone's goes back sealed with it, and only two ends that unsealed the right
//! keys agree on the secret in which the companion sends its identity.

use super::link::{Candidate, LinkError};
use super::passkey::{self, Linking};
use crate::clock;
use crate::keys::{BadKey, CODE_LETTERS, KeyBytes, Pair, derive, random};
use crate::server::Order;
use crate::state::CompanionFinish;
use crate::wire::node::{SERVER, leaf};
use crate::world::World;
use aes::Aes256;
use aes::cipher::{KeyIvInit as _, StreamCipher as _};
use aes_gcm::aead::Aead as _;
use aes_gcm::{Aes256Gcm, KeyInit as _, Nonce};
use ctr::Ctr128BE;
use sha2::Sha256;
use std::sync::Arc;
use tokio::sync::oneshot;
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

/// What makes guessing a code from its sealed keys slow.
const ROUNDS: u32 = 1 << 17;
const LENGTH: usize = 8;

#[derive(Debug, thiserror::Error)]
pub enum CodeError {
    #[error("a pairing code is eight letters and digits, without 0, I, O and U")]
    Malformed,
    #[error("there is no such phone")]
    NoPhone,
    #[error("no client waits for a code of this number")]
    NotAsked,
    #[error("the code is too old")]
    Expired,
    #[error("the code is wrong; {left} more tries")]
    Wrong { left: u32 },
    #[error("the code was wrong too often")]
    TooManyAttempts,
    #[error("the client's keys are not the ones it registered")]
    Keys,
    #[error(transparent)]
    Link(#[from] LinkError),
}

impl From<BadKey> for CodeError {
    fn from(_: BadKey) -> Self {
        Self::Keys
    }
}

pub(super) async fn enter(
    world: &Arc<World>,
    number: &str,
    code: &str,
) -> Result<Linking, CodeError> {
    let code = normalise(code)?;
    let (finish, finished) = oneshot::channel();
    let (reference, wrapped, candidate, attempts, identity) = world.update(|state| {
        let identity = state
            .phones
            .get(number)
            .ok_or(CodeError::NoPhone)?
            .identity
            .clone();
        let waiting = state.codes.get(number).ok_or(CodeError::NotAsked)?;
        if waiting.expires <= clock::now() {
            state.codes.remove(number);
            return Err(CodeError::Expired);
        }
        let candidate = Candidate::on(state, waiting.connection).ok_or(CodeError::NotAsked)?;
        let waiting = state.codes.get_mut(number).ok_or(CodeError::NotAsked)?;
        waiting.attempts += 1;
        waiting.finish = Some(finish);
        Ok((
            waiting.reference.clone(),
            waiting.wrapped_ephemeral,
            candidate,
            waiting.attempts,
            identity,
        ))
    })?;

    let ephemeral = Pair::generate();
    let public = ephemeral.public();
    let (companion_ephemeral, sealed) =
        blocking(move || (unwrap_key(&wrapped, &code), wrap_key(&public, &code))).await?;
    let hello = primary_hello(number, &reference, &sealed, &identity.public());
    candidate
        .orders
        .send(Order::Tell(hello))
        .await
        .map_err(|_| LinkError::NoAnswer)?;
    let finish = tokio::time::timeout(world.options.answer_timeout, finished)
        .await
        .map_err(|_| LinkError::NoAnswer)?
        .map_err(|_| LinkError::NoAnswer)?;
    let secret = match open(&finish, &ephemeral, &identity, &companion_ephemeral) {
        Ok(secret) => secret,
        Err(CodeError::Wrong { .. }) => {
            let left = world.options.code_attempts.saturating_sub(attempts);
            if left == 0 {
                world.update(|state| state.codes.remove(number));
                return Err(CodeError::TooManyAttempts);
            }
            return Err(CodeError::Wrong { left });
        }
        Err(other) => return Err(other),
    };
    // The code has served, whatever comes of it.
    world.update(|state| state.codes.remove(number));
    Ok(passkey::admit(world, number, candidate, secret)?)
}

/// The code as it is keyed in: capitals, no hyphen.
fn normalise(code: &str) -> Result<String, CodeError> {
    let code: String = code
        .chars()
        .filter(|letter| !matches!(letter, '-' | ' '))
        .map(|letter| letter.to_ascii_uppercase())
        .collect();
    let plain = code.len() == LENGTH && code.bytes().all(|byte| CODE_LETTERS.contains(&byte));
    plain.then_some(code).ok_or(CodeError::Malformed)
}

/// Deriving keys from a code takes long enough to keep others from running.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CodeError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| CodeError::Keys)
}

fn keystream(code: &str, salt: &[u8], iv: &[u8; 16]) -> Ctr128BE<Aes256> {
    let key: [u8; 32] = pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(code.as_bytes(), salt, ROUNDS);
    Ctr128BE::<Aes256>::new(&key.into(), iv.into())
}

/// Salt, IV and the key encrypted with the code. CTR does not authenticate: a
/// wrong code opens it to a wrong key.
fn wrap_key(key: &KeyBytes, code: &str) -> [u8; 80] {
    let (salt, iv) = (random::<32>(), random::<16>());
    let mut sealed = *key;
    keystream(code, &salt, &iv).apply_keystream(&mut sealed);
    let mut out = [0; 80];
    out[..32].copy_from_slice(&salt);
    out[32..48].copy_from_slice(&iv);
    out[48..].copy_from_slice(&sealed);
    out
}

fn unwrap_key(wrapped: &[u8; 80], code: &str) -> KeyBytes {
    let (mut iv, mut key) = ([0; 16], [0; 32]);
    iv.copy_from_slice(&wrapped[32..48]);
    key.copy_from_slice(&wrapped[48..]);
    keystream(code, &wrapped[..32], &iv).apply_keystream(&mut key);
    key
}

fn primary_hello(number: &str, reference: &[u8], sealed: &[u8], identity: &KeyBytes) -> Node {
    let reg = NodeBuilder::new("link_code_companion_reg")
        .attr("stage", "primary_hello")
        .children([
            leaf("link_code_pairing_wrapped_primary_ephemeral_pub", sealed),
            leaf("primary_identity_pub", *identity),
            leaf("link_code_pairing_ref", reference),
        ])
        .build();
    NodeBuilder::new("notification")
        .attr("from", SERVER)
        .attr("type", "link_code_companion_reg")
        .attr("id", format!("{number}-{}", u32::from_be_bytes(random())))
        .attr("t", clock::unix())
        .children([reg])
        .build()
}

/// Opens the companion's key bundle and derives the ADV secret from it.
fn open(
    finish: &CompanionFinish,
    ephemeral: &Pair,
    identity: &Pair,
    companion_ephemeral: &KeyBytes,
) -> Result<[u8; 32], CodeError> {
    let wrong = || CodeError::Wrong { left: 0 };
    let shared = ephemeral.agree(companion_ephemeral).map_err(|_| wrong())?;
    let (salt, rest) = finish
        .wrapped_bundle
        .split_at_checked(32)
        .ok_or(CodeError::Keys)?;
    let (iv, sealed) = rest.split_at_checked(12).ok_or(CodeError::Keys)?;
    let iv: [u8; 12] = iv.try_into().map_err(|_| CodeError::Keys)?;
    let key = derive(
        Some(salt),
        &shared,
        b"link_code_pairing_key_bundle_encryption_key",
    );
    let bundle = Aes256Gcm::new(&key.into())
        .decrypt(&Nonce::from(iv), sealed)
        .map_err(|_| wrong())?;
    // Companion identity, phone identity, and randomness of the companion's.
    let bundle: [u8; 96] = bundle.try_into().map_err(|_| CodeError::Keys)?;
    if bundle[..32] != finish.identity_key || bundle[32..64] != identity.public() {
        return Err(CodeError::Keys);
    }
    let identities = identity.agree(&finish.identity_key)?;
    let material = [&shared[..], &identities, &bundle[64..]].concat();
    Ok(derive(None, &material, b"adv_secret"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_displayed() {
        assert_eq!(normalise("abcd-efgh").expect("reads"), "ABCDEFGH");
        assert_eq!(normalise("1234 5678").expect("reads"), "12345678");
        for bad in [
            "",
            "ABCD-EFG",
            "ABCDEFGH1",
            "ABCD-EFG0",
            "ABCD-EFGI",
            "ÄBCDEFG",
        ] {
            assert!(matches!(normalise(bad), Err(CodeError::Malformed)), "{bad}");
        }
    }

    #[test]
    fn only_the_same_code_unwraps_a_key() {
        let key = random();
        let wrapped = wrap_key(&key, "ABCDEFGH");
        assert_eq!(unwrap_key(&wrapped, "ABCDEFGH"), key);
        assert_ne!(unwrap_key(&wrapped, "ABCDEFGJ"), key);
    }

    /// The companion's end of the bundle.
    fn companion(
        ephemeral: &Pair,
        identity: &Pair,
        primary_ephemeral: &KeyBytes,
        primary_identity: &KeyBytes,
    ) -> (CompanionFinish, [u8; 32]) {
        let shared = ephemeral.agree(primary_ephemeral).expect("agrees");
        let identities = identity.agree(primary_identity).expect("agrees");
        let extra: [u8; 32] = random();
        let (salt, iv) = (random::<32>(), random::<12>());
        let key = derive(
            Some(&salt),
            &shared,
            b"link_code_pairing_key_bundle_encryption_key",
        );
        let bundle = [&identity.public()[..], primary_identity, &extra].concat();
        let sealed = Aes256Gcm::new(&key.into())
            .encrypt(&Nonce::from(iv), &bundle[..])
            .expect("seals");
        let finish = CompanionFinish {
            wrapped_bundle: [&salt[..], &iv, &sealed].concat(),
            identity_key: identity.public(),
        };
        let secret = derive(
            None,
            &[&shared[..], &identities, &extra].concat(),
            b"adv_secret",
        );
        (finish, secret)
    }

    #[test]
    fn both_ends_derive_one_secret() {
        let (phone_e, phone_i) = (Pair::generate(), Pair::generate());
        let (their_e, their_i) = (Pair::generate(), Pair::generate());
        let (finish, secret) = companion(&their_e, &their_i, &phone_e.public(), &phone_i.public());
        assert_eq!(
            open(&finish, &phone_e, &phone_i, &their_e.public()).expect("opens"),
            secret
        );
    }

    #[test]
    fn a_wrong_key_does_not_open_the_bundle() {
        let (phone_e, phone_i) = (Pair::generate(), Pair::generate());
        let (their_e, their_i) = (Pair::generate(), Pair::generate());
        let (finish, _) = companion(&their_e, &their_i, &random(), &phone_i.public());
        assert!(matches!(
            open(&finish, &phone_e, &phone_i, &their_e.public()),
            Err(CodeError::Wrong { .. })
        ));
    }

    #[test]
    fn a_bundle_for_another_phone_is_refused() {
        let (phone_e, phone_i) = (Pair::generate(), Pair::generate());
        let (their_e, their_i) = (Pair::generate(), Pair::generate());
        let (finish, _) = companion(
            &their_e,
            &their_i,
            &phone_e.public(),
            &Pair::generate().public(),
        );
        assert!(matches!(
            open(&finish, &phone_e, &phone_i, &their_e.public()),
            Err(CodeError::Keys)
        ));
    }

    #[test]
    fn a_short_bundle_is_refused() {
        let pair = Pair::generate();
        let finish = CompanionFinish {
            wrapped_bundle: vec![0; 40],
            identity_key: pair.public(),
        };
        assert!(matches!(
            open(&finish, &pair, &pair, &pair.public()),
            Err(CodeError::Keys)
        ));
    }
}
