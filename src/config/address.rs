//! Reads what names a place on the network: listen addresses, origins, the
//! WhatsApp endpoint, the proxy.

use super::{
    Proxy, ProxyScheme, Secret,
    fault::{Wrong, shown},
};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// `127.0.0.1:3000`, `[::1]:3000`; port 0 lets the system choose.
pub(super) fn listen(text: &str) -> Result<SocketAddr, Wrong> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let what = format!("{} is no address and port", shown(text));
    let hint = match text.rsplit_once(':') {
        _ if text.parse::<Ipv6Addr>().is_ok() => {
            format!("write the port too, with brackets: \"[{text}]:3000\"")
        }
        _ if text.parse::<IpAddr>().is_ok() => format!("write the port too: \"{text}:3000\""),
        Some(("localhost", port)) => format!("names are not looked up: \"127.0.0.1:{port}\""),
        Some(("" | "*", port)) => format!("for every address write \"0.0.0.0:{port}\""),
        _ => "write an IP address and a port, \"127.0.0.1:3000\" or \"[::1]:3000\"".to_owned(),
    };
    Err(Wrong::new(what, hint))
}

/// `*`, or an origin as a browser sends it, in small letters.
pub(super) fn origin(text: &str) -> Result<String, Wrong> {
    if text == "*" {
        return Ok(text.to_owned());
    }
    let wrong = |hint: &str| Wrong::new(format!("{} is no web origin", shown(text)), hint);
    let example = "write \"*\" or scheme://host[:port], for example \"https://example.org\"";
    let url = Url::split(text).ok_or_else(|| wrong(example))?;
    if !url.path.is_empty() {
        return Err(wrong(
            "an origin ends after its host and port: leave out the rest",
        ));
    }
    if url.login.is_some() {
        return Err(wrong("an origin has no user or password: leave them out"));
    }
    let scheme = url.scheme.to_ascii_lowercase();
    let host = url.host_with_brackets().to_ascii_lowercase();
    // Browsers leave the scheme's own port out, so it would never match.
    match (scheme.as_str(), url.port) {
        (_, None) | ("https", Some(443)) | ("http", Some(80)) => Ok(format!("{scheme}://{host}")),
        (_, Some(port)) => Ok(format!("{scheme}://{host}:{port}")),
    }
}

/// A network in CIDR notation, or one address.
pub(super) fn network(text: &str) -> Result<IpNet, Wrong> {
    let address = text.parse().map(|address: IpAddr| address.to_canonical());
    let network = address.map(IpNet::from).or_else(|_| text.parse::<IpNet>());
    network.map(|network| network.trunc()).map_err(|_| {
        let what = format!("{} is no network", shown(text));
        Wrong::new(
            what,
            "write an address, \"10.0.0.1\", or a network, \"10.0.0.0/8\"",
        )
    })
}

/// `*` makes every other origin moot.
pub(super) fn origins(origins: &[String]) -> Result<(), Wrong> {
    if origins.len() > 1 && origins.iter().any(|origin| origin == "*") {
        return Err(Wrong::new(
            "\"*\" stands beside other origins",
            "\"*\" allows every origin: write it alone, or leave it out",
        ));
    }
    Ok(())
}

/// Where WhatsApp answers.
pub(super) fn whatsapp(text: &str) -> Result<String, Wrong> {
    let wrong = |hint: &str| Wrong::new(format!("{} is no WhatsApp address", shown(text)), hint);
    let example = "write \"wss://web.whatsapp.com/ws/chat\"";
    let url = Url::split(text).ok_or_else(|| wrong(example))?;
    match url.scheme {
        _ if url.login.is_some() => Err(Wrong::new("has a user or password", example)),
        "wss" => Ok(text.to_owned()),
        "ws" if cfg!(feature = "sandbox") => Ok(text.to_owned()),
        "ws" => Err(wrong(
            "ws:// is not encrypted and only a build for the sandbox takes it: write wss://",
        )),
        _ => Err(wrong(example)),
    }
}

/// The proxy. Never echoed: it may hold a password.
pub(super) fn proxy(text: &str) -> Result<Proxy, Wrong> {
    let example = "write http:// or socks5://, then user:password@ if needed, host and port, \
                   for example \"socks5://127.0.0.1:1080\"";
    let wrong = |what: &str| Wrong::new(what, example);
    let url = Url::split(text).ok_or_else(|| wrong("is no proxy address"))?;
    let scheme = match url.scheme {
        "http" => ProxyScheme::Http,
        "socks5" => ProxyScheme::Socks5,
        _ => return Err(wrong("is a proxy of another kind")),
    };
    if !matches!(url.path, "" | "/") {
        return Err(wrong("has something after host and port"));
    }
    let port = url.port.filter(|port| *port != 0);
    let port = port.ok_or_else(|| wrong("has no port"))?;
    let login = url.login.map(|text| login(text).ok_or_else(bad_escape));
    let login = login.transpose()?;
    Ok(Proxy {
        scheme,
        host: url.host.to_owned(),
        port,
        login,
    })
}

/// The parts of `scheme://login@host:port/path`.
pub(super) struct Url<'t> {
    pub(super) scheme: &'t str,
    pub(super) login: Option<&'t str>,
    /// Without the brackets of an IPv6 address.
    pub(super) host: &'t str,
    pub(super) port: Option<u16>,
    /// With its slash, question mark or hash; empty when there is none.
    pub(super) path: &'t str,
}

impl<'t> Url<'t> {
    pub(super) fn split(text: &'t str) -> Option<Self> {
        let plain = |c: char| c.is_ascii_graphic();
        if !text.chars().all(plain) {
            return None;
        }
        let (scheme, rest) = text.split_once("://")?;
        let in_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        if !scheme.starts_with(|c: char| c.is_ascii_alphabetic()) || !scheme.chars().all(in_scheme)
        {
            return None;
        }
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (login, address) = match authority.rsplit_once('@') {
            Some((login, address)) => (Some(login), address),
            None => (None, authority),
        };
        let (host, port) = match address.strip_prefix('[') {
            Some(inside) => {
                let (host, after) = inside.split_once(']')?;
                host.parse::<Ipv6Addr>().ok()?;
                (host, after)
            }
            None => {
                let (host, after) = address.split_at(address.find(':').unwrap_or(address.len()));
                let in_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
                // The longest name of the DNS, RFC 1035 section 2.3.4.
                if host.is_empty() || host.len() > 253 || !host.chars().all(in_name) {
                    return None;
                }
                (host, after)
            }
        };
        let port = match port.strip_prefix(':') {
            Some(port) => Some(port.parse().ok()?),
            None if port.is_empty() => None,
            None => return None,
        };
        Some(Self {
            scheme,
            login,
            host,
            port,
            path,
        })
    }

    pub(super) fn host_with_brackets(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.to_owned()
        }
    }
}

pub(super) fn bad_escape() -> Wrong {
    Wrong::new(
        "has a user or password with a wrong %-escape",
        "write % as %25, and @ : / as %40 %3A %2F",
    )
}

/// The login of a URL, decoded; `None` when an escape is wrong.
pub(super) fn login(login: &str) -> Option<(String, Secret)> {
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let (user, password) = percent_decoded(user).zip(percent_decoded(password))?;
    Some((user, Secret::new(password)))
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first == b'%' {
            let (digits, after) = rest.split_at_checked(2)?;
            let digits = std::str::from_utf8(digits).ok()?;
            if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return None;
            }
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = after;
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}
