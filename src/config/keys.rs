//! Every key there is: what to write, how it is read, and whether it can
//! change while the daemon runs. Reading, comparing and reloading all go by
//! these tables, and so does what people read about the keys.

use super::{
    Config, LogTarget, Mode, Platform, address, api_keys,
    reader::{About, Field},
    show::Show as _,
    tls, value, webhook,
};
use serde_json::Value;
use std::{ops::RangeInclusive, time::Duration};

/// When a changed value comes into force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Live,
    Restart,
}

/// A key of the document.
pub(super) struct Key {
    pub(super) field: Field<Config>,
    pub(super) change: Change,
    pub(super) differs: fn(&Config, &Config) -> bool,
    /// As the file could write it, secrets masked.
    pub(super) show: fn(&Config) -> Value,
    /// Copies the value from the first into the second.
    pub(super) take: fn(&Config, &mut Config),
}

impl AsRef<Field<Config>> for Key {
    fn as_ref(&self) -> &Field<Config> {
        &self.field
    }
}

/// A key that is named like the field it fills.
macro_rules! key {
    ($section:ident$(.$name:ident)*, $change:ident, $default:expr, $about:expr, $kind:expr, |$item:ident, $slot:ident| $read:expr) => {
        Key {
            field: Field {
                name: concat!(stringify!($section) $(, ".", stringify!($name))*),
                about: $about,
                value: $default,
                kind: $kind,
                read: |config, $item| {
                    let $slot = &mut config.$section$(.$name)*;
                    $read
                },
            },
            change: Change::$change,
            differs: |one, other| one.$section$(.$name)* != other.$section$(.$name)*,
            show: |config| config.$section$(.$name)*.show(),
            take: |from, into| into.$section$(.$name)*.clone_from(&from.$section$(.$name)*),
        }
    };
}

/// A time-out of zero would refuse everything; one of more than a day is a typing error.
const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(86_400);
/// Zero never stops; a year is as good as never.
const IDLE: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(365 * 86_400);
/// An hour, so that what has just happened can be read; ten years are as good as for ever.
const KEEP: RangeInclusive<Duration> =
    Duration::from_secs(3_600)..=Duration::from_secs(3_650 * 86_400);
/// A pairing request fits into the least; the most bounds what a caller can make the daemon hold.
const BODY: RangeInclusive<usize> = 256..=16 << 20;
/// The most is the kernel's own limit on descriptors of one process, fs.nr_open.
const CONNECTIONS: RangeInclusive<usize> = 1..=1 << 20;
/// Zero sets no limit; the most is as good as none.
const RATE: RangeInclusive<usize> = 0..=1_000_000;

const DURATION: &str = "a duration in quotes, for example \"10s\" or \"1h30m\"";

/// In the order of the reference.
pub(super) static KEYS: [Key; 30] = [
    key!(
        http.listen,
        Restart,
        "[\"127.0.0.1:3000\"]",
        "Where the API is served over TCP: as HTTPS with http.tls_cert and http.tls_key, else as plain HTTP, which beyond loopback wants a proxy with TLS in front.",
        "a list of addresses, for example [\"127.0.0.1:3000\"]; [] turns TCP off",
        |item, slot| {
            item.list(slot, address::listen, |_| Ok(()));
        }
    ),
    key!(
        http.tls_cert,
        Live,
        "\"\"",
        "The certificate for HTTPS, followed by those between it and its authority; with http.tls_key, or both not at all. Each reload reads the files again. The credentials tls-cert and tls-key of systemd do without these two keys.",
        "the absolute path of a PEM file in quotes; \"\" for none",
        |item, slot| {
            item.optional(slot, tls::pem);
        }
    ),
    key!(
        http.tls_key,
        Live,
        "\"\"",
        "The private key of the certificate, without a passphrase.",
        "the absolute path of a PEM file in quotes; \"\" for none",
        |item, slot| {
            item.optional(slot, tls::pem);
        }
    ),
    key!(
        http.cors_origins,
        Live,
        "[\"*\"]",
        "The web origins whose pages may call the API, with a key.",
        "a list of web origins, for example [\"https://example.org\"] or [\"*\"]",
        |item, slot| {
            item.list(slot, address::origin, address::origins);
        }
    ),
    key!(
        http.request_timeout,
        Live,
        "\"10s\"",
        "How long a request may take from the end of its head to its answer; a wait that it asks for comes on top.",
        DURATION,
        |item, slot| {
            item.text(slot, |text| value::duration(text, &TIMEOUT));
        }
    ),
    key!(
        http.header_timeout,
        Live,
        "\"5s\"",
        "How long a request's head may take to arrive.",
        DURATION,
        |item, slot| {
            item.text(slot, |text| value::duration(text, &TIMEOUT));
        }
    ),
    key!(
        http.max_connections,
        Live,
        "1024",
        "How many connections may be open at once, on TCP and again on the control socket. For one more the one goes that matters least: first those that have shown no good key yet, the largest crowd's before all; then quiet ones. While all are at work, more wait.",
        "a whole number, for example 1024",
        |item, slot| {
            item.number(slot, CONNECTIONS);
        }
    ),
    key!(
        http.max_connections_per_client,
        Live,
        "1000",
        "How many of them one address may have; proxies in http.trusted_proxies may have all.",
        "a whole number, for example 1000",
        |item, slot| {
            item.number(slot, CONNECTIONS);
        }
    ),
    key!(
        http.max_streams_per_key,
        Live,
        "1000",
        "How many calls that wait, and streams of events, one API key, or one user on the control socket, may have open at once.",
        "a whole number, for example 1000",
        |item, slot| {
            item.number(slot, CONNECTIONS);
        }
    ),
    key!(
        http.max_body,
        Live,
        "\"16KiB\"",
        "How large a request's body may be.",
        "a size, for example \"16KiB\", or a whole number of bytes",
        |item, slot| {
            item.size(slot, BODY);
        }
    ),
    key!(
        http.trusted_proxies,
        Live,
        "[]",
        "Proxies whose X-Forwarded-For is believed: the client's address in it is then the one that is logged and locked out.",
        "a list of networks or addresses, for example [\"127.0.0.1\", \"10.0.0.0/8\"]",
        |item, slot| {
            item.list(slot, address::network, |_| Ok(()));
        }
    ),
    key!(
        http.dashboard,
        Live,
        "true",
        "Whether GET / is the dashboard, a page to look at the connection and to steer it. The page itself needs no key, since it holds nothing; what it shows does.",
        "true or false, without quotes",
        |item, slot| {
            item.boolean(slot);
        }
    ),
    key!(
        http.rate_limit.requests_per_second,
        Live,
        "50",
        "How many requests a second each API key may send in the long run; 0 sets no limit.",
        "a whole number, for example 50",
        |item, slot| {
            item.number(slot, RATE);
        }
    ),
    key!(
        http.rate_limit.burst,
        Live,
        "100",
        "How many requests each API key may send at once; 0 sets no limit.",
        "a whole number, for example 100",
        |item, slot| {
            item.number(slot, RATE);
        }
    ),
    key!(
        http.rate_limit.failed_keys_per_minute,
        Live,
        "10",
        "So many wrong API keys from one address within a minute lock it out for a minute, good keys too; 0 locks nobody out. An IPv6 network of 64 bits counts as one address.",
        "a whole number, for example 10",
        |item, slot| {
            item.number(slot, RATE);
        }
    ),
    key!(
        control.socket,
        Restart,
        "\"/run/walinkd/control.sock\"",
        "The Unix socket that the commands use, with mode 0660. Set $RUNTIME_DIRECTORY, or start the daemon as a user without a file in /etc, and the default lies elsewhere.",
        "an absolute path in quotes",
        |item, slot| {
            item.text(slot, value::socket_path);
        }
    ),
    key!(
        control.group,
        Live,
        "\"\"",
        "The group whose members manage, as do root and the daemon's own user; the socket is given to it, for which the daemon's user must be in it or be root. Others who can open the socket only read.",
        "the name of a group in quotes; \"\" for none",
        |item, slot| {
            item.optional(slot, value::group);
        }
    ),
    key!(
        auth.keys,
        Live,
        "[]",
        "API keys for TCP, each known by its SHA-256 only, beside those that walinkd key add makes. With none at all, the first start makes one and says in which file it is.",
        "each key as [[auth.keys]] with its name, sha256 and scope below it",
        |item, slot| {
            api_keys::read(item, slot);
        }
    ),
    key!(
        pairing.mode,
        Live,
        "\"qr\"",
        "How an unlinked daemon begins: it shows QR codes, or it asks for a pairing code for phone_number.",
        "\"qr\" or \"code\"",
        |item, slot| {
            item.text(slot, |text| {
                value::word(text, &[("qr", Mode::Qr), ("code", Mode::Code)])
            });
        }
    ),
    key!(
        pairing.phone_number,
        Live,
        "\"\"",
        "The number to link, digits with the country code, needed with mode \"code\". When it changes, a reload pairs the new number beside the live link, which stays until the new one is linked.",
        "the number in quotes, for example \"628123456789\"",
        |item, slot| {
            item.optional(slot, value::phone);
        }
    ),
    key!(
        pairing.device_name,
        Live,
        "\"walinkd\"",
        "The name that the phone shows under Linked devices, from the next pairing on.",
        "a name in quotes, for example \"walinkd\"",
        |item, slot| {
            item.text(slot, value::device_name);
        }
    ),
    key!(
        pairing.platform,
        Live,
        "\"chrome\"",
        "The kind of device that the phone shows, from the next pairing on: chrome, edge, firefox, ie, opera, safari, desktop or uwp.",
        "a platform in quotes, for example \"chrome\"",
        |item, slot| {
            item.text(slot, |text| value::word(text, &PLATFORMS));
        }
    ),
    key!(
        pairing.idle_after,
        Live,
        "\"10m\"",
        "Unlinked and with nobody asking for so long, the daemon makes no more codes until somebody asks; \"0s\" never stops.",
        DURATION,
        |item, slot| {
            item.text(slot, |text| value::duration(text, &IDLE));
        }
    ),
    key!(
        whatsapp.url,
        Restart,
        "\"wss://web.whatsapp.com/ws/chat\"",
        "Where WhatsApp answers.",
        "an address in quotes, \"wss://web.whatsapp.com/ws/chat\"",
        |item, slot| {
            item.text(slot, address::whatsapp);
        }
    ),
    key!(
        whatsapp.proxy,
        Restart,
        "\"\"",
        "The proxy for every outgoing connection, http:// or socks5://, with user:password@ if needed; it is never bypassed.",
        "an address in quotes, for example \"socks5://127.0.0.1:1080\"; \"\" for none",
        |item, slot| {
            item.optional(slot, address::proxy);
        }
    ),
    key!(
        storage.state_dir,
        Restart,
        "\"/var/lib/walinkd\"",
        "The directory of the session with its keys, readable by the daemon's user only, and for one daemon at a time. Set $STATE_DIRECTORY, or start the daemon as a user without a file in /etc, and the default lies elsewhere.",
        "an absolute path in quotes",
        |item, slot| {
            item.text(slot, value::path);
        }
    ),
    key!(
        storage.keep_events,
        Live,
        "\"30d\"",
        "How long GET /connection/log remembers an event; the oldest go earlier when they fill more than 32 MiB.",
        DURATION,
        |item, slot| {
            item.text(slot, |text| value::duration(text, &KEEP));
        }
    ),
    key!(
        log.level,
        Live,
        "\"info\"",
        "What is logged: off, error, warn, info, debug, trace, or a filter such as \"info,walinkd=debug\".",
        "a level in quotes, for example \"info\"",
        |item, slot| {
            item.text(slot, value::log_level);
        }
    ),
    key!(
        log.target,
        Restart,
        "\"auto\"",
        "Where the log goes: auto is the journal under systemd and standard error elsewhere; json is standard error, one JSON object a line.",
        "\"auto\", \"journald\", \"stderr\" or \"json\"",
        |item, slot| {
            item.text(slot, |text| value::word(text, &TARGETS));
        }
    ),
    key!(
        webhook,
        Live,
        "[]",
        "Where events are sent, as they happen and in order, by the Standard Webhooks specification. What a receiver does not take is sent again, also after a restart.",
        "each endpoint as [[webhook]] with its url, secret and events below it",
        |item, slot| {
            webhook::read(item, slot);
        }
    ),
];

pub(super) const PLATFORMS: [(&str, Platform); 8] = [
    ("chrome", Platform::Chrome),
    ("edge", Platform::Edge),
    ("firefox", Platform::Firefox),
    ("ie", Platform::Ie),
    ("opera", Platform::Opera),
    ("safari", Platform::Safari),
    ("desktop", Platform::Desktop),
    ("uwp", Platform::Uwp),
];

pub(super) const TARGETS: [(&str, LogTarget); 4] = [
    ("auto", LogTarget::Auto),
    ("journald", LogTarget::Journald),
    ("stderr", LogTarget::Stderr),
    ("json", LogTarget::Json),
];

/// The keys of each table, where a key's value is a list of tables.
pub(super) fn inside(key: &str) -> Vec<About> {
    match key {
        "auth.keys" => api_keys::FIELDS.iter().map(Field::about).collect(),
        "webhook" => webhook::FIELDS.iter().map(Field::about).collect(),
        _ => Vec::new(),
    }
}
