//! The table itself.

use super::{Entry, entry};

/// What to do at each event that begins the passkey step.
const PASSKEY: &str = "It does not link this device without it. Run `walinkd passkey` and do what it\n\
     says, within ten minutes.";

pub(super) const ENTRIES: &[Entry] = &[
    entry(
        "connection.connecting",
        "ff9c59b7680d43bc8f02136bbc51f727",
        "Connecting to WhatsApp",
        "Nothing to do.",
    ),
    entry(
        "connection.waiting_qr",
        "e39a388f09e74ad8800098cd769ac9f8",
        "A QR code waits to be scanned",
        "On the phone: WhatsApp, Linked devices, Link a device. Show the code with\n\
         `walinkd qr`, or read it from GET /connection/qr.",
    ),
    entry(
        "connection.waiting_code",
        "cdeb054594894275b623a5a6be1a4552",
        "A pairing code waits to be entered",
        "On the phone: WhatsApp, Linked devices, Link a device, Link with phone number\n\
         instead. `walinkd status` tells whether the code is still good; it is read from\n\
         GET /connection/pairing.",
    ),
    entry(
        "connection.waiting_passkey",
        "7569f8a30f2343b8a49bbd9d0e81d365",
        "WhatsApp asks for the account's passkey",
        PASSKEY,
    ),
    entry(
        "connection.linking",
        "f19a1e4df0d6456abbfe2bd1aad47416",
        "A phone is being linked",
        "Nothing to do. Keep WhatsApp open on the phone until it is done.",
    ),
    entry(
        "connection.connected",
        "7eebd9c258774815ae86447174ab3db0",
        "Connected to WhatsApp",
        "Nothing to do.",
    ),
    entry(
        "connection.degraded",
        "66ad793356374d4c896d7661baed9e45",
        "WhatsApp does not answer",
        "The socket is open, but a ping went unanswered. After a second one the\n\
         connection is rebuilt. When this comes often, look at the network between this\n\
         machine and WhatsApp.",
    ),
    entry(
        "connection.reconnecting",
        "a53f7a64d25e490cb93fe8bc85e74e74",
        "The connection to WhatsApp is lost",
        "Reason: @WALINKD_REASON@. The link is kept, and walinkd goes on trying, with\n\
         pauses of up to five minutes; this is said once, not at each attempt.\n\n\
         When it lasts, check the network, DNS and the proxy. `walinkd status` tells when\n\
         the next attempt is due, `walinkd reconnect` makes it now.",
    ),
    entry(
        "connection.idle",
        "d2ec6c00b0874ebbb3a2bc8904f4b8c1",
        "Not linked, and nobody asks for a code",
        "No codes are made until somebody asks, for instance with `walinkd qr`. How long\n\
         it goes on without being asked is the key pairing.idle_after.",
    ),
    entry(
        "connection.paused",
        "1ae3cba3c74147a8a348bab2a3c3452b",
        "The connection is paused",
        "It stays so over restarts, and the link is kept. `walinkd resume` ends it.",
    ),
    entry(
        "connection.logged_out",
        "4a4a3096a86f4524b7765398e19c6089",
        "The link has ended",
        "Reason: @WALINKD_REASON@. The session has been wiped.\n\n\
         Link a phone again, with `walinkd qr` or `walinkd pair PHONE`.",
    ),
    entry(
        "connection.replaced",
        "8fa39f49f8074fce8f987ee038d0b4c2",
        "The linked device is in use elsewhere",
        "Another program has logged in with this link, probably from a copy of the state\n\
         directory. walinkd does not fight it.\n\n\
         Stop the other program, then run `walinkd reconnect`.",
    ),
    entry(
        "connection.banned",
        "1f92570c1df547e2926bf7bfc31ebd3b",
        "WhatsApp has banned the account for some time",
        "walinkd tries again when the ban ends; `walinkd status` tells when. WhatsApp on\n\
         the phone says more.",
    ),
    entry(
        "connection.outdated",
        "65b35607ddef4989a7ece9bd5394281c",
        "WhatsApp no longer accepts this version",
        "Update walinkd. Until then it tries once an hour.",
    ),
    entry(
        "connection.stopping",
        "d3dfef9b566e4b35949dfa615923ade8",
        "The connection is being closed",
        "Nothing to do; the link is kept.",
    ),
    entry(
        "connection.store",
        "bf737649651d417bbe1fbcb5e4167314",
        "The state on the disk is in trouble",
        "The message names the file and the fault. Make room on the disk, and the state\n\
         directory writable for the daemon's user. `walinkd status` shows what is left of\n\
         the trouble.",
    ),
    entry(
        "connection.unreachable",
        "9e678753858241c2ac70c7223e1d36c1",
        "WhatsApp cannot be reached to pair",
        "Reason: @WALINKD_REASON@. Without it there is no code to link with; walinkd goes\n\
         on trying.\n\n\
         Check the network, DNS and the proxy (whatsapp.proxy). `walinkd reconnect` tries\n\
         now.",
    ),
    entry(
        "pairing.code",
        "ddfb84a8c0794fe2b7b82e658148b0ec",
        "A pairing code is ready",
        "Enter it on the phone before it expires. It is not in the journal: read it from\n\
         GET /connection/pairing.",
    ),
    entry(
        "pairing.wrong_code",
        "e26a8065f8294a429161bed7ffb19cfd",
        "The code entered on the phone did not match",
        "A fresh one follows. Enter that one.",
    ),
    entry(
        "pairing.expired",
        "52bb1cf9101e41ed91f81ff47609d377",
        "The pairing code was not entered in time",
        "While somebody asks, a fresh one follows. `walinkd pair PHONE` asks for one.",
    ),
    entry(
        "pairing.limited",
        "b763887a54e84c08a7708ea371ac58be",
        "WhatsApp gives no codes for this number for now",
        "It limits how many codes it gives for a number. Wait some time, or link with the\n\
         QR code (`walinkd qr`).",
    ),
    entry(
        "pairing.refused",
        "f3d85cca867948d387e45b13c882beea",
        "WhatsApp gives no code for this number",
        "Check the number: country code first, no leading zero, and registered with\n\
         WhatsApp. The QR code (`walinkd qr`) works without it.",
    ),
    entry(
        "pairing.accepted",
        "e95077063489445c84f18cc57d329f76",
        "The phone has accepted this device",
        "Nothing to do. The login follows.",
    ),
    entry(
        "pairing.linked",
        "0a39120f332841acb1e8cd9ed4d1533b",
        "A phone is linked",
        "Nothing to do.",
    ),
    entry(
        "pairing.failed",
        "19da097034874dbd884edd56572411f0",
        "A phone could not be linked",
        "The message tells why. Link again, with the new code. A link that stood before\n\
         is still there.",
    ),
    entry(
        "pairing.old_device_stays",
        "92d7793d08744e27af7671ad369b9f76",
        "The old device could not be logged out",
        "A new link has taken its place, but the phone of the old one still lists it.\n\
         Remove it there: WhatsApp, Linked devices.",
    ),
    entry(
        "pairing.passkey",
        "4e2bfd3e79bf40b3ac752404ce6dba3a",
        "WhatsApp asks for the account's passkey",
        PASSKEY,
    ),
    entry(
        "pairing.passkey_answered",
        "c33df2afe17247bb8e4c1d038fb25af8",
        "The passkey has answered",
        "Keep WhatsApp open on the phone while it is checked.",
    ),
    entry(
        "pairing.passkey_code",
        "94b583fcc89740c5a00ecbe51b0ad0ef",
        "The phone shows a code to compare",
        "Compare it with the one that `walinkd passkey` shows, and confirm it there.",
    ),
    entry(
        "pairing.passkey_cancelled",
        "81de052a413e4dc0a0524781b1200351",
        "The passkey step was ended",
        "Nothing is lost but this attempt. To go on, use the code that is shown then, or\n\
         run `walinkd passkey` again.",
    ),
    entry(
        "pairing.passkey_bad",
        "ccb1d41cdaab404f8c80d8b02f369e39",
        "The passkey's answer was not sent on",
        "The message says which part of it is wrong. Run the present script on the page\n\
         that it names, and give its whole answer.",
    ),
    entry(
        "pairing.passkey_dropped",
        "481d09a739df426590a7c4d6bf8ef1b0",
        "The passkey step was broken off",
        "Another order took its place, as the message says.",
    ),
    entry(
        "pairing.passkey_lost",
        "3f1da7ff9b4249828696de1182a16e53",
        "The passkey step was cut off",
        "The connection ended in the middle of it. Link again, with the new code.",
    ),
    entry(
        "pairing.passkey_refused",
        "22897e8aa9c34be19c87133488d3ba74",
        "The passkey was refused",
        "The message tells why. Link again, with the new code, and use a passkey of the\n\
         account that the phone is logged in to.",
    ),
    entry(
        "pairing.passkey_unreadable",
        "9b6d36dbde824a42867f6838397feeca",
        "WhatsApp's passkey challenge cannot be read",
        "Link again, with the new code. If it comes again, update walinkd\n\
         and report it.",
    ),
    entry(
        "admin.start",
        "12125c53347a41739b838cd74682e753",
        "walinkd is ready",
        "Nothing to do. The message tells where it listens. Whether WhatsApp answers is\n\
         another matter: see `walinkd status`.",
    ),
    entry(
        "admin.stop",
        "d7b516a3b9ae4136b61ac46f20ed6829",
        "walinkd was told to stop",
        "It finishes what it has begun to answer and closes the connection; the link is\n\
         kept.",
    ),
    entry(
        "admin.reload",
        "82e911a97a264d3ba6270622b6c619b5",
        "The configuration is re-read",
        "The message tells what changed, and which keys need a restart for it.",
    ),
    entry(
        "admin.reload_refused",
        "aa24fcae71284961a8ab772dc07bc028",
        "The new configuration is refused",
        "The running one stays in force. Mend the places that the message names, check\n\
         with `walinkd check-config`, and reload again.",
    ),
    entry(
        "admin.pairing",
        "f911750fe5f7427da30186339dde2d8b",
        "Somebody asked for a pairing code",
        "By @WALINKD_PEER@. Nothing to do, if that was to be.",
    ),
    entry(
        "admin.passkey",
        "8ec25d94eb6c4a6eb90b43fbe0b4dced",
        "Somebody took the passkey step further",
        "By @WALINKD_PEER@. Nothing to do, if that was to be.",
    ),
    entry(
        "admin.disconnect",
        "80095b50839e4bcbb3996c9e78c2a0e7",
        "Somebody asked to end the link",
        "By @WALINKD_PEER@. If that was not to be, change the API keys and link again.",
    ),
    entry(
        "admin.disconnected",
        "609358cb565c48b09a566eefb9a4a1be",
        "The link has ended, as asked",
        "The session is wiped. If the message says that it was not unlinked at\n\
         WhatsApp, remove the device on the phone: WhatsApp, Linked devices.",
    ),
    entry(
        "admin.pause",
        "5911e8b99a9b4ffb8076603ae5e750fc",
        "Somebody asked to go offline",
        "By @WALINKD_PEER@. `walinkd resume` goes online again.",
    ),
    entry(
        "admin.resume",
        "6270cf654edd446fa55589839d9decd7",
        "Somebody asked to go online again",
        "By @WALINKD_PEER@. Nothing to do.",
    ),
    entry(
        "admin.resumed",
        "ff22f826ba5b4dc0b960a78e2cd1129f",
        "The pause has ended",
        "Nothing to do.",
    ),
    entry(
        "admin.reconnect",
        "5c738298193f4c09abc616169b10bcc4",
        "Somebody asked to connect anew",
        "By @WALINKD_PEER@. Nothing to do.",
    ),
    entry(
        "admin.key_add",
        "ed70deaa7ed845f5ae6b1fae6f13ab02",
        "Somebody has made an API key",
        "By @WALINKD_PEER@. If that was not to be, `walinkd key remove` it, and look who\n\
         may manage over the control socket: root, the daemon's user, and the group\n\
         control.group.",
    ),
    entry(
        "admin.key_remove",
        "4087ab7d43d342abb1eb2eca2c3e52a0",
        "Somebody has removed an API key",
        "By @WALINKD_PEER@. What waits with that key ends. If that was not to be, make\n\
         another with `walinkd key add` and give it to the client.",
    ),
    entry(
        "admin.backup",
        "5f0a64b1c7c94bd8a3e9027d5b46e0f7",
        "Somebody has copied the state",
        "By @WALINKD_PEER@, with `walinkd backup`. The copy holds the keys of the linked\n\
         device. If that was not to be, `walinkd disconnect` makes it worthless.",
    ),
    entry(
        "admin.log_level",
        "3c37a50fc74c40e8bb0d9bff5a82e313",
        "Somebody has changed what is logged",
        "By @WALINKD_PEER@, until the next reload or restart. `systemctl reload walinkd`\n\
         brings the configured level back.",
    ),
    entry(
        "admin.events_lost",
        "d4b7f09e0c5a46a9b502a363e9716c44",
        "Some events are not in GET /connection/log",
        "The message tells how many. They came faster than they could be written, or\n\
         the disk was full; the log has them all.",
    ),
    entry(
        "admin.webhook_failing",
        "4dd78c7a1663cb463fd2cba3c76508e9",
        "A webhook's receiver does not take what it is sent",
        "The message names the webhook and tells why. walinkd tries again with growing\n\
         pauses, and nothing is lost that GET /connection/log still has.",
    ),
    entry(
        "admin.webhook_delivering",
        "8bb962a8ef4fd7355212553df0099ef6",
        "A webhook's receiver takes again what it is sent",
        "Nothing to do. What has waited is being sent, in order.",
    ),
    entry(
        "admin.webhook_paused",
        "d3dfd15161d106ac2c48553f8dd70666",
        "A webhook is paused",
        "Its receiver has failed for three days, or has answered 410 Gone. Mend it, then\n\
         run `walinkd webhook resume`; or take the webhook out of the configuration.",
    ),
    entry(
        "admin.webhook_resume",
        "efc95bb03611e314a6166447a3837b63",
        "Somebody has resumed webhooks",
        "By @WALINKD_PEER@.",
    ),
    entry(
        "admin.webhook_test",
        "23a0b1d6145782fa446cdcb0ccc03319",
        "Somebody has tested webhooks",
        "By @WALINKD_PEER@.",
    ),
    entry(
        "auth.key_made",
        "80291d21caff49f1a3a32bfb120a92bf",
        "An API key was made",
        "None was configured. The message names the file that holds it; clients send it\n\
         as x-api-key. Keys of your own are the tables [[auth.keys]].",
    ),
    entry(
        "auth.refused",
        "bf413afaea4c4e1cb8ff7bd339e63298",
        "A call was refused",
        "From @WALINKD_PEER@. The message tells why. When many come at once, some are\n\
         counted instead of told.\n\n\
         A client of yours needs a good key, with the scope manage for what changes\n\
         something. On the control socket, its user has to be root, the daemon's own, or\n\
         in the group control.group. A client that is not yours: keep it away with a\n\
         firewall.",
    ),
    entry(
        "auth.locked_out",
        "26547022af9842258069cd65ecba8cd9",
        "An address is locked out for a minute",
        "@WALINKD_PEER@ has shown too many wrong API keys. For a minute none of its calls\n\
         is let in over TCP, with a good key neither.\n\n\
         A client of yours needs a good key. One that is not yours: keep it away with a\n\
         firewall, or let fail2ban do that. When all clients come by one proxy, name it\n\
         in http.trusted_proxies.",
    ),
];
