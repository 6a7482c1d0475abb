//! From the configuration to the settings of each room.

use super::state_dir;
use crate::{
    api,
    auth::{self, Key, Keyring, Rate, Rules},
    config::{ApiKey, Config, Identity, Mode, Pairing, Platform, ProxyScheme, Scope},
    link::PairingPolicy,
    server,
    wa::{Proxy, ProxyKind},
};
use sha2::{Digest, Sha256};
use std::path::Path;

/// The name of the key that the first start makes.
const OWN_KEY: &str = "api-key";

/// The keys and the group in force. Without a configured key, the daemon's
/// own one counts, and is made when there is none yet.
pub(super) fn rules(config: &Config, state_dir: &Path) -> anyhow::Result<Rules> {
    // Before a key is made: nothing is left behind by a start that fails.
    let control_group = config
        .control
        .group
        .as_deref()
        .map(auth::group_id)
        .transpose()?;
    let mut keys: Vec<Key> = config.auth.keys.iter().map(key).collect();
    if keys.is_empty() {
        let (secret, fresh) = state_dir::own_key(state_dir)?;
        if fresh {
            tracing::info!(
                walinkd_event = "auth.key_made",
                "no API key is configured: made one, kept in {}",
                state_dir.join("api-key").display()
            );
        }
        keys.push(Key {
            name: OWN_KEY.into(),
            sha256: Sha256::digest(secret.as_bytes()).into(),
            scope: auth::Scope::Manage,
            expires: None,
        });
    }
    let rate = &config.http.rate_limit;
    Ok(Rules {
        keyring: Keyring::new(
            keys,
            Rate::new(bounded(rate.requests_per_second), bounded(rate.burst)),
        ),
        control_group,
        trusted_proxies: config.http.trusted_proxies.clone(),
        failed_keys_per_minute: bounded(rate.failed_keys_per_minute),
        max_streams_per_key: config.http.max_streams_per_key,
    })
}

/// The configuration's numbers are far smaller.
fn bounded(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn key(key: &ApiKey) -> Key {
    Key {
        name: key.name.as_str().into(),
        sha256: key.sha256,
        scope: match key.scope {
            Scope::Read => auth::Scope::Read,
            Scope::Manage => auth::Scope::Manage,
        },
        expires: key.expires,
    }
}

pub(super) fn api(config: &Config) -> api::Settings {
    api::Settings {
        cors_origins: config.http.cors_origins.clone(),
        request_timeout: config.http.request_timeout,
        max_body: config.http.max_body,
    }
}

pub(super) fn terms(config: &Config) -> server::Terms {
    let http = &config.http;
    let identity = http.identity.as_ref().map(Identity::certified_key);
    server::Terms {
        header_timeout: http.header_timeout,
        max_connections: http.max_connections,
        max_connections_per_client: http.max_connections_per_client,
        trusted_proxies: http.trusted_proxies.clone(),
        secure: identity.map(server::Secure::new),
    }
}

pub(super) fn pairing(pairing: &Pairing) -> PairingPolicy {
    PairingPolicy {
        code_for: match pairing.mode {
            Mode::Qr => None,
            Mode::Code => pairing.phone_number.clone(),
        },
        idle_after: pairing.idle_after,
        device_name: pairing.device_name.clone(),
        platform: platform(pairing.platform).to_owned(),
    }
}

fn platform(platform: Platform) -> &'static str {
    match platform {
        Platform::Chrome => "chrome",
        Platform::Edge => "edge",
        Platform::Firefox => "firefox",
        Platform::Ie => "ie",
        Platform::Opera => "opera",
        Platform::Safari => "safari",
        Platform::Desktop => "desktop",
        Platform::Uwp => "uwp",
    }
}

pub(super) fn proxy(config: &Config) -> Option<Proxy> {
    config.whatsapp.proxy.as_ref().map(|proxy| Proxy {
        kind: match proxy.scheme {
            ProxyScheme::Http => ProxyKind::Http,
            ProxyScheme::Socks5 => ProxyKind::Socks5,
        },
        host: proxy.host.clone(),
        port: proxy.port,
        login: proxy
            .login
            .as_ref()
            .map(|(user, password)| (user.clone(), password.expose().to_owned())),
    })
}
