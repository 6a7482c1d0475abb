//! From the configuration to the settings of each room.

use crate::{
    api,
    config::{Config, Identity, Mode, Pairing, Platform, ProxyScheme},
    dial::{Proxy, ProxyKind},
    link::PairingPolicy,
    server,
};

pub(super) fn api(config: &Config) -> api::Settings {
    api::Settings {
        cors_origins: config.http.cors_origins.clone(),
        dashboard: config.http.dashboard,
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
