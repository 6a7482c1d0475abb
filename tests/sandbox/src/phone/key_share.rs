//! The phone's first message to a device it has linked: the key for what they
//! synchronise, over Signal, from the keys the device left with the server.

use crate::clock;
use crate::keys::{Pair, random};
use crate::payload::SignedPrekey;
use crate::state::{AppStateKey, DeviceId, State};
use crate::world::World;
use async_trait::async_trait;
use std::collections::HashMap;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};
use wacore_libsignal::protocol::{
    Direction, IdentityChange, IdentityKey, IdentityKeyPair, IdentityKeyStore, PreKeyBundle,
    ProtocolAddress, PublicKey, SessionRecord, SessionStore, SignalProtocolError, UsePQRatchet,
    message_encrypt, process_prekey_bundle,
};
use waproto::buffa::{Message as _, MessageField};
use waproto::whatsapp::Message;
use waproto::whatsapp::message::protocol_message::Type;
use waproto::whatsapp::message::{
    AppStateSyncKey, AppStateSyncKeyData, AppStateSyncKeyFingerprint, AppStateSyncKeyId,
    AppStateSyncKeyShare, ProtocolMessage,
};

/// The message for a device that has no key yet; `None` if it is not to have
/// one, or its keys are no good.
pub(crate) async fn share_key(world: &World, id: &DeviceId) -> Option<Node> {
    if !world.options.key_share {
        return None;
    }
    let share = world.update(|state| Share::prepare(state, id))?;
    match share.seal(id).await {
        Ok(sealed) => Some(message(id, sealed)),
        Err(error) => {
            tracing::warn!(%error, "the phone cannot write to its device");
            None
        }
    }
}

struct Share {
    identity: Pair,
    registration_id: u32,
    key: AppStateKey,
    raw_id: u32,
    key_index: u32,
    theirs: Theirs,
}

/// A device's keys, one of them for this session only.
struct Theirs {
    registration_id: u32,
    identity: [u8; 32],
    signed: SignedPrekey,
    once: Option<(u32, [u8; 32])>,
}

impl Share {
    fn prepare(state: &mut State, id: &DeviceId) -> Option<Self> {
        let phone = state.phones.get_mut(&id.number)?;
        let device = phone.devices.get_mut(&id.device)?;
        if device.key_shared {
            return None;
        }
        Some(Self {
            theirs: Theirs {
                registration_id: device.registration.registration_id,
                identity: device.registration.identity_key,
                signed: device.signed_prekey.clone(),
                once: device.prekeys.pop_first(),
            },
            key_index: device.key_index,
            identity: phone.identity.clone(),
            registration_id: phone.registration_id,
            key: phone.app_state.clone(),
            raw_id: phone.raw_id,
        })
    }

    async fn seal(&self, id: &DeviceId) -> Result<Vec<u8>, SignalProtocolError> {
        let address = ProtocolAddress::new(&id.jid().to_string(), 0.into());
        let key = |bytes: &[u8]| PublicKey::from_djb_public_key_bytes(bytes);
        let once = match &self.theirs.once {
            Some((id, bytes)) => Some(((*id).into(), key(bytes)?)),
            None => None,
        };
        let bundle = PreKeyBundle::new(
            self.theirs.registration_id,
            0.into(),
            once,
            self.theirs.signed.id.into(),
            key(&self.theirs.signed.key)?,
            self.theirs.signed.signature.to_vec(),
            IdentityKey::new(key(&self.theirs.identity)?),
        )?;
        let mut sessions = Sessions::default();
        let mut identities = Identities {
            pair: IdentityKeyPair::new(
                IdentityKey::new(self.identity.signal().public_key),
                self.identity.signal().private_key.clone(),
            ),
            registration_id: self.registration_id,
        };
        process_prekey_bundle(
            &address,
            &mut sessions,
            &mut identities,
            &bundle,
            // Not a thread's own generator: this future may change threads.
            &mut rand::make_rng::<rand::rngs::StdRng>(),
            UsePQRatchet::No,
        )
        .await?;
        let plaintext = padded(self.message().encode_to_vec());
        let sealed = message_encrypt(&plaintext, &address, &mut sessions, &mut identities).await?;
        Ok(sealed.serialize().to_vec())
    }

    fn message(&self) -> Message {
        let key = AppStateSyncKey {
            key_id: MessageField::some(AppStateSyncKeyId {
                key_id: Some(self.key.id.to_vec()),
            }),
            key_data: MessageField::some(AppStateSyncKeyData {
                key_data: Some(self.key.data.to_vec()),
                fingerprint: MessageField::some(AppStateSyncKeyFingerprint {
                    raw_id: Some(self.raw_id),
                    current_index: Some(self.key_index),
                    device_indexes: vec![0, self.key_index],
                }),
                timestamp: i64::try_from(self.key.created * 1000).ok(),
            }),
        };
        Message {
            protocol_message: MessageField::some(ProtocolMessage {
                r#type: Some(Type::AppStateSyncKeyShare),
                app_state_sync_key_share: MessageField::some(AppStateSyncKeyShare {
                    keys: vec![key],
                }),
                ..Default::default()
            }),
            ..Default::default()
        }
    }
}

/// One to sixteen bytes, each saying how many.
fn padded(mut plaintext: Vec<u8>) -> Vec<u8> {
    let [byte] = random::<1>();
    let count = byte % 16 + 1;
    plaintext.extend(std::iter::repeat_n(count, usize::from(count)));
    plaintext
}

fn message(id: &DeviceId, sealed: Vec<u8>) -> Node {
    let enc = NodeBuilder::new("enc")
        .attr("v", "2")
        .attr("type", "pkmsg")
        .bytes(sealed)
        .build();
    NodeBuilder::new("message")
        .attr("from", Jid::pn(id.number.as_str()))
        .attr("type", "text")
        .attr("category", "peer")
        .attr("id", format!("3EB0{:016X}", u64::from_be_bytes(random())))
        .attr("t", clock::unix())
        .children([enc])
        .build()
}

/// The phone's side of one session. It is not kept: the sandbox's phone reads
/// no messages.
#[derive(Default)]
struct Sessions(HashMap<ProtocolAddress, SessionRecord>);

#[async_trait]
impl SessionStore for Sessions {
    async fn load_session(
        &self,
        address: &ProtocolAddress,
    ) -> Result<Option<SessionRecord>, SignalProtocolError> {
        Ok(self.0.get(address).cloned())
    }

    async fn has_session(&self, address: &ProtocolAddress) -> Result<bool, SignalProtocolError> {
        Ok(self.0.contains_key(address))
    }

    async fn store_session(
        &mut self,
        address: &ProtocolAddress,
        record: SessionRecord,
    ) -> Result<(), SignalProtocolError> {
        self.0.insert(address.clone(), record);
        Ok(())
    }
}

/// The phone trusts the identity it has just linked, and knows no other.
struct Identities {
    pair: IdentityKeyPair,
    registration_id: u32,
}

#[async_trait]
impl IdentityKeyStore for Identities {
    async fn get_identity_key_pair(&self) -> Result<IdentityKeyPair, SignalProtocolError> {
        Ok(self.pair.clone())
    }

    async fn get_local_registration_id(&self) -> Result<u32, SignalProtocolError> {
        Ok(self.registration_id)
    }

    async fn save_identity(
        &mut self,
        _: &ProtocolAddress,
        _: &IdentityKey,
    ) -> Result<IdentityChange, SignalProtocolError> {
        Ok(IdentityChange::NewOrUnchanged)
    }

    async fn is_trusted_identity(
        &self,
        _: &ProtocolAddress,
        _: &IdentityKey,
        _: Direction,
    ) -> Result<bool, SignalProtocolError> {
        Ok(true)
    }

    async fn get_identity(
        &self,
        _: &ProtocolAddress,
    ) -> Result<Option<IdentityKey>, SignalProtocolError> {
        Ok(None)
    }
}
