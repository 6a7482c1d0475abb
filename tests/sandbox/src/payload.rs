//! The client's payload: a registration from an unlinked client, a login from
//! a linked device. Checked as the server checks them.

use crate::keys::{DJB, KeyBytes, verify_signed_prekey};
use crate::wire::node::number;
use serde::Serialize;
use waproto::buffa::Message as _;
use waproto::whatsapp::client_payload::DevicePairingRegistrationData;
use waproto::whatsapp::{ClientPayload, DeviceProps};

/// What every payload says about the client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ClientInfo {
    /// The version of WhatsApp Web the client says it is.
    pub version: String,
    /// `WEB`, `ANDROID`, …
    pub user_agent: String,
    pub os_version: String,
    pub push_name: Option<String>,
    /// Whether the client came back with the routing token it was given.
    pub routed: bool,
}

/// What an unlinked client registers with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Registration {
    pub client: ClientInfo,
    /// What the phone shows under Linked devices.
    pub device_name: String,
    /// `CHROME`, `DESKTOP`, …; picks the icon there.
    pub platform: String,
    pub device_version: String,
    pub full_sync: bool,
    pub registration_id: u32,
    #[serde(skip)]
    pub noise_key: KeyBytes,
    #[serde(skip)]
    pub identity_key: KeyBytes,
    #[serde(skip)]
    pub signed_prekey: SignedPrekey,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedPrekey {
    pub id: u32,
    pub key: KeyBytes,
    pub signature: [u8; 64],
}

/// What a linked device logs in with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Login {
    pub client: ClientInfo,
    /// The phone's number.
    pub username: String,
    /// The device's number at that phone.
    pub device: u16,
    pub passive: bool,
    pub pull: bool,
    /// How often the device has logged in before, by its own count.
    pub login_counter: i32,
    #[serde(skip)]
    pub noise_key: KeyBytes,
}

pub(crate) enum Payload {
    Registration(Box<Registration>),
    Login(Login),
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum PayloadError {
    #[error("not a client payload")]
    Malformed,
    #[error("the registration lacks {0}, or it has the wrong size")]
    Registration(&'static str),
    #[error("the signed prekey is not signed by the identity key")]
    Signature,
    #[error("neither a login nor a registration")]
    Neither,
}

impl Payload {
    pub(crate) fn parse(
        bytes: &[u8],
        noise_key: KeyBytes,
        routed: bool,
    ) -> Result<Self, PayloadError> {
        let payload =
            ClientPayload::decode_from_slice(bytes).map_err(|_| PayloadError::Malformed)?;
        let client = client_info(&payload, routed);
        if let Some(data) = payload.device_pairing_data.as_option() {
            return registration(data, client, noise_key)
                .map(|registration| Self::Registration(Box::new(registration)));
        }
        let username = payload.username.ok_or(PayloadError::Neither)?;
        let device = payload
            .device
            .and_then(|device| u16::try_from(device).ok())
            .ok_or(PayloadError::Neither)?;
        Ok(Self::Login(Login {
            client,
            username: username.to_string(),
            device,
            passive: payload.passive.unwrap_or_default(),
            pull: payload.pull.unwrap_or_default(),
            login_counter: payload.lc.unwrap_or_default(),
            noise_key,
        }))
    }
}

fn client_info(payload: &ClientPayload, routed: bool) -> ClientInfo {
    let mut info = ClientInfo {
        push_name: payload.push_name.clone(),
        routed,
        ..ClientInfo::default()
    };
    if let Some(agent) = payload.user_agent.as_option() {
        if let Some(version) = agent.app_version.as_option() {
            info.version = dotted([version.primary, version.secondary, version.tertiary]);
        }
        info.user_agent = agent
            .platform
            .map(|platform| format!("{platform:?}"))
            .unwrap_or_default();
        info.os_version = agent.os_version.clone().unwrap_or_default();
    }
    info
}

fn registration(
    data: &DevicePairingRegistrationData,
    client: ClientInfo,
    noise_key: KeyBytes,
) -> Result<Registration, PayloadError> {
    let lacks = PayloadError::Registration;
    if data.e_keytype.as_deref() != Some(&[DJB]) {
        return Err(lacks("the key type"));
    }
    let registration_id = sized::<4>(&data.e_regid)
        .map(u32::from_be_bytes)
        .ok_or(lacks("the registration id"))?;
    let identity_key = sized(&data.e_ident).ok_or(lacks("the identity key"))?;
    let signed_prekey = SignedPrekey {
        id: sized::<3>(&data.e_skey_id)
            .and_then(|id| number(&id))
            .ok_or(lacks("the signed prekey's id"))?,
        key: sized(&data.e_skey_val).ok_or(lacks("the signed prekey"))?,
        signature: sized(&data.e_skey_sig).ok_or(lacks("the signed prekey's signature"))?,
    };
    if !verify_signed_prekey(&identity_key, &signed_prekey.key, &signed_prekey.signature) {
        return Err(PayloadError::Signature);
    }
    if sized::<16>(&data.build_hash).is_none() {
        return Err(lacks("the build hash"));
    }
    let props = data
        .device_props
        .as_deref()
        .and_then(|bytes| DeviceProps::decode_from_slice(bytes).ok())
        .ok_or(lacks("the device properties"))?;
    let device_version = props
        .version
        .as_option()
        .map_or_else(String::new, |version| {
            dotted([version.primary, version.secondary, version.tertiary])
        });
    Ok(Registration {
        client,
        device_name: props.os.unwrap_or_default(),
        platform: props
            .platform_type
            .map(|platform| format!("{platform:?}"))
            .unwrap_or_default(),
        device_version,
        full_sync: props.require_full_sync.unwrap_or_default(),
        registration_id,
        noise_key,
        identity_key,
        signed_prekey,
    })
}

fn sized<const N: usize>(field: &Option<Vec<u8>>) -> Option<[u8; N]> {
    field.as_deref()?.try_into().ok()
}

fn dotted(parts: [Option<u32>; 3]) -> String {
    parts
        .map(|part| part.unwrap_or_default().to_string())
        .join(".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Pair;
    use waproto::buffa::MessageField;
    use waproto::whatsapp::device_props::PlatformType;

    fn data() -> DevicePairingRegistrationData {
        let (identity, prekey) = (Pair::generate(), Pair::generate());
        let signature = identity.sign(&[&[DJB], &prekey.public()]).expect("signs");
        DevicePairingRegistrationData {
            e_regid: Some(vec![0, 0, 1, 2]),
            e_keytype: Some(vec![DJB]),
            e_ident: Some(identity.public().to_vec()),
            e_skey_id: Some(vec![0, 0, 7]),
            e_skey_val: Some(prekey.public().to_vec()),
            e_skey_sig: Some(signature.to_vec()),
            build_hash: Some(vec![0; 16]),
            device_props: Some(
                DeviceProps {
                    os: Some("walinkd".to_owned()),
                    platform_type: Some(PlatformType::CHROME),
                    ..Default::default()
                }
                .encode_to_vec(),
            ),
        }
    }

    fn parse(data: DevicePairingRegistrationData) -> Result<Payload, PayloadError> {
        let payload = ClientPayload {
            device_pairing_data: MessageField::some(data),
            ..Default::default()
        };
        Payload::parse(&payload.encode_to_vec(), [1; 32], false)
    }

    #[test]
    fn a_registration_is_read() {
        let Ok(Payload::Registration(registration)) = parse(data()) else {
            panic!("a registration");
        };
        assert_eq!(registration.device_name, "walinkd");
        assert_eq!(registration.platform, "CHROME");
        assert_eq!(registration.registration_id, 258);
        assert_eq!(registration.signed_prekey.id, 7);
        assert_eq!(registration.noise_key, [1; 32]);
    }

    #[test]
    fn a_foreign_prekey_signature_is_refused() {
        let mut data = data();
        data.e_ident = Some(Pair::generate().public().to_vec());
        assert!(matches!(parse(data), Err(PayloadError::Signature)));
    }

    #[test]
    fn a_short_key_is_refused() {
        let mut data = data();
        data.e_ident = Some(vec![1; 31]);
        assert!(matches!(parse(data), Err(PayloadError::Registration(_))));
    }

    #[test]
    fn a_login_is_read() {
        let payload = ClientPayload {
            username: Some(628_123_456_789),
            device: Some(3),
            ..Default::default()
        };
        let Ok(Payload::Login(login)) = Payload::parse(&payload.encode_to_vec(), [1; 32], true)
        else {
            panic!("a login");
        };
        assert_eq!((login.username.as_str(), login.device), ("628123456789", 3));
        assert!(login.client.routed);
    }

    #[test]
    fn nothing_is_refused() {
        assert!(matches!(
            Payload::parse(&[], [1; 32], false),
            Err(PayloadError::Neither)
        ));
        assert!(matches!(
            Payload::parse(&[0xff], [1; 32], false),
            Err(PayloadError::Malformed)
        ));
    }
}
