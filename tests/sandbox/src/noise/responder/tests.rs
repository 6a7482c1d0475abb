//! The responder against the client's own crate, which is an independent
//! implementation of the other end.

use super::*;
use wacore_libsignal::protocol::KeyPair;
use wacore_noise::{
    HandshakeUtils, IkHandshakeState, IkServerHelloOutcome, NoiseCipher, NoiseHandshake,
    XxHandshakeState,
};

const PROLOGUE: &[u8] = b"WA\x06\x03";

fn client_keys() -> KeyPair {
    KeyPair::generate(&mut rand::rng())
}

fn talk(server: &mut Established, write: &NoiseCipher, read: &NoiseCipher) {
    for counter in 0..3 {
        let up = write
            .encrypt_with_counter(counter, b"to the server")
            .expect("encrypts");
        assert_eq!(server.opener.open(&up).expect("opens"), b"to the server");
        let mut down = server.sealer.seal(b"to the client").expect("seals");
        read.decrypt_in_place_with_counter(counter, &mut down)
            .expect("decrypts");
        assert_eq!(down, b"to the client");
    }
}

/// An XX or XXfallback initiator from the client crate's primitives; its own
/// state machine would stop at the chain, whose root is not WhatsApp's.
fn initiate(
    identity: &ServerIdentity,
    name: &str,
    ephemeral: &KeyPair,
    half: AwaitFinish,
    reply: &[u8],
) {
    let keys = client_keys();
    let mut noise = NoiseHandshake::new(name, PROLOGUE).expect("starts");
    noise.authenticate(ephemeral.public_key.public_key_bytes());
    let (e, s, cert) = HandshakeUtils::parse_server_hello(reply).expect("a server hello");
    noise.authenticate(&e);
    noise
        .mix_shared_secret(ephemeral.private_key.serialize(), &e)
        .expect("ee");
    let s = noise.decrypt(&s).expect("the server's static");
    assert_eq!(s, identity.leaf.public());
    noise
        .mix_shared_secret(ephemeral.private_key.serialize(), &s)
        .expect("es");
    assert_eq!(noise.decrypt(&cert).expect("the chain"), identity.chain);
    let sealed = noise
        .encrypt(keys.public_key.public_key_bytes())
        .expect("encrypts");
    noise
        .mix_shared_secret(keys.private_key.serialize(), &e)
        .expect("se");
    let payload = noise.encrypt(b"payload").expect("encrypts");
    let finish = HandshakeUtils::build_client_finish(sealed, payload).encode_to_vec();

    let mut server = half.finish(&finish).expect("finishes");
    assert_eq!(server.client_static, keys.public_key.public_key_bytes());
    assert_eq!(server.payload, b"payload");
    let (write, read) = noise.finish().expect("splits");
    talk(&mut server, &write, &read);
}

#[test]
fn xx_reaches_transport() {
    let identity = ServerIdentity::generate().expect("generates");
    let ephemeral = client_keys();
    let hello = HandshakeUtils::build_client_hello(ephemeral.public_key.public_key_bytes());
    let Opening::Half(half, reply) =
        respond(&identity, PROLOGUE, &hello.encode_to_vec()).expect("responds")
    else {
        panic!("an XX hello has two more messages to come");
    };
    initiate(&identity, XX, &ephemeral, *half, &reply);
}

#[test]
fn ik_reaches_transport() {
    let identity = ServerIdentity::generate().expect("generates");
    let keys = client_keys();
    let mut client = IkHandshakeState::new(
        keys.clone(),
        identity.leaf.public(),
        b"login".to_vec(),
        PROLOGUE,
    )
    .expect("starts");
    let hello = client.build_client_hello().expect("a hello");
    let Opening::Done(mut server, reply) = respond(&identity, PROLOGUE, &hello).expect("responds")
    else {
        panic!("a readable IK hello needs no finish");
    };
    assert_eq!(server.pattern, Pattern::Ik);
    assert_eq!(server.client_static, keys.public_key.public_key_bytes());
    assert_eq!(server.payload, b"login");
    let IkServerHelloOutcome::Continue(done) = client.read_server_hello(&reply).expect("reads")
    else {
        panic!("the server accepted");
    };
    talk(&mut server, &done.write_cipher, &done.read_cipher);
}

#[test]
fn a_stale_server_key_falls_back() {
    let identity = ServerIdentity::generate().expect("generates");
    let stale = identity.leaf.public();
    let identity = identity.rotate().expect("rotates");
    let mut client =
        IkHandshakeState::new(client_keys(), stale, b"login".to_vec(), PROLOGUE).expect("starts");
    let hello = client.build_client_hello().expect("a hello");
    let Opening::Half(half, reply) = respond(&identity, PROLOGUE, &hello).expect("responds") else {
        panic!("an unreadable IK hello must fall back");
    };
    let IkServerHelloOutcome::Fallback(inputs) = client.read_server_hello(&reply).expect("reads")
    else {
        panic!("the client must see the fallback");
    };
    initiate(&identity, XX_FALLBACK, &inputs.ephemeral_kp, *half, &reply);
}

/// Without the danger feature the client reads everything and stops at the one
/// thing that is not WhatsApp's: the root's signature.
#[test]
fn only_the_root_keeps_a_strict_client_out() {
    let identity = ServerIdentity::generate().expect("generates");
    let mut client =
        XxHandshakeState::new(client_keys(), b"login".to_vec(), PROLOGUE).expect("starts");
    let hello = client.build_client_hello().expect("a hello");
    let Opening::Half(_, reply) = respond(&identity, PROLOGUE, &hello).expect("responds") else {
        panic!("an XX hello has two more messages to come");
    };
    // A build that unifies in the danger feature accepts the chain instead.
    if let Err(error) = client.read_server_hello_and_build_client_finish(&reply) {
        assert!(
            error
                .to_string()
                .contains("intermediate signature failed XEdDSA verify"),
            "{error}"
        );
    }
}

#[test]
fn another_prologue_does_not_verify() {
    let identity = ServerIdentity::generate().expect("generates");
    let mut client = IkHandshakeState::new(
        client_keys(),
        identity.leaf.public(),
        b"login".to_vec(),
        b"WA\x06\x02",
    )
    .expect("starts");
    let hello = client.build_client_hello().expect("a hello");
    assert!(matches!(
        respond(&identity, PROLOGUE, &hello),
        Ok(Opening::Half(..))
    ));
}

#[test]
fn rubbish_is_refused() {
    let identity = ServerIdentity::generate().expect("generates");
    for frame in [&b""[..], b"\xff\xff", b"\x12\x00", b"\x12\x02\x0a\x00"] {
        assert!(matches!(
            respond(&identity, PROLOGUE, frame),
            Err(NoiseError::Malformed(_))
        ));
    }
}
