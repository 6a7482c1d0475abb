//! Bytes on a connection, answered by the real server.

use crate::edge::{Edge, rules, runtime};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    runtime::Runtime,
    sync::watch,
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use walinkd::{
    api::{App, Front, routers},
    server::{ControlSocket, Server, Terms},
};

pub(super) const WORDS: &[&str] = &[
    "GET ",
    "POST ",
    "HEAD ",
    "DELETE ",
    "OPTIONS ",
    "CONNECT ",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "/connection/status",
    "/connection/pairing",
    "/livez",
    "/admin/reload",
    "/openapi.json",
    "http://x/livez",
    "*",
    "?wait=1s",
    "?after=0",
    "%00",
    "%2e%2e/",
    "//",
    "#",
    " HTTP/1.1\r\n",
    " HTTP/1.0\r\n",
    " HTTP/0.9\r\n",
    "Host: x\r\n",
    "Connection: close\r\n",
    "Connection: upgrade\r\nUpgrade: h2c\r\n",
    "Content-Length: 0\r\n",
    "Content-Length: 5\r\n",
    "Content-Length: +5\r\n",
    "Content-Length: 18446744073709551616\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: identity\r\n",
    "Expect: 100-continue\r\n",
    "Content-Type: application/json\r\n",
    "Content-Encoding: gzip\r\n",
    "x-api-key: manager\r\n",
    "Authorization: Bearer manager\r\n",
    "Origin: null\r\n",
    "\r\n",
    "\n",
    "\r",
    "\t",
    "\0",
    ":",
    "0\r\n\r\n",
    "5\r\nhello\r\n",
    "ffffffffffffffff\r\n",
    "5;a=b\r\n",
    "{\"phoneNumber\":\"628123456789\"}",
    "{}",
];

/// Nothing of what is sent here takes so long.
const HANG: Duration = Duration::from_secs(20);

/// Sends the bytes, says that there are no more, and reads to the end.
///
/// Over the control socket, since TCP runs out of ports after some ten
/// thousand connections; behind the accept it is the same server.
pub(super) fn connection() -> impl Fn(&[u8]) {
    let runtime = runtime();
    let edge = Edge::new();
    let socket = edge.folder.path().join("control.sock");
    serve(&runtime, edge.app(&runtime), socket.clone());
    move |input| {
        let _alive = &edge;
        let answer = runtime.block_on(async { timeout(HANG, talk(&socket, input)).await });
        well_formed(&answer.expect("the connection ends in time"));
    }
}

fn serve(runtime: &Runtime, app: App, socket: PathBuf) {
    let _context = runtime.enter();
    let (_, terms) = watch::channel(Arc::new(Terms {
        header_timeout: HANG,
        ..Terms::default()
    }));
    let routers = routers(app);
    let answers = |front: Front| {
        move |guest| {
            let clerk = front.welcome(guest);
            move |request| clerk.answer(request)
        }
    };
    let (tcp, control) = (answers(routers.tcp), answers(routers.control));
    let mut server = Server::new(tcp, control, terms, rules());
    let control = runtime.block_on(ControlSocket::bind(&socket, None));
    server.listen_control(control.expect("a socket"));
    runtime.spawn(server.run(CancellationToken::new()));
}

async fn talk(socket: &Path, input: &[u8]) -> Vec<u8> {
    let mut stream = UnixStream::connect(socket).await.expect("it listens");
    let (mut read, mut write) = stream.split();
    let send = async {
        // It may hang up before it has read all.
        if write.write_all(input).await.is_ok() {
            let _ = write.shutdown().await;
        }
    };
    let mut answer = Vec::new();
    let (_, read) = tokio::join!(send, read.read_to_end(&mut answer));
    // What was not read when it hung up is a reset; so is not an answer.
    let _ = read;
    answer
}

/// So much of an answer is told of one that is wrong.
const SHOWN: usize = 1_000;

/// Answers one behind the other: a head, and as many bytes as it says.
fn well_formed(mut answer: &[u8]) {
    while !answer.is_empty() {
        let shown = || answer[..answer.len().min(SHOWN)].escape_ascii().to_string();
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
        let (head, rest) = answer.split_at(end.unwrap_or_else(|| panic!("{}", shown())) + 4);
        let head = std::str::from_utf8(head).unwrap_or_else(|_| panic!("{}", shown()));
        let status = head
            .strip_prefix("HTTP/1.1 ")
            .or_else(|| head.strip_prefix("HTTP/1.0 "))
            .and_then(|rest| rest.get(..3))
            .and_then(|status| status.parse::<u16>().ok());
        let status = status.unwrap_or_else(|| panic!("{}", shown()));
        assert_ne!(status, 500, "{}", shown());
        let field = |wanted: &str| {
            head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case(wanted).then_some(value)
            })
        };
        let length = field("content-length");
        let length = length.map_or(0, |length| length.parse::<usize>().expect("a length"));
        // The answer to HEAD tells a length and has no body.
        let body = match rest.starts_with(b"HTTP/1.") {
            true => &[],
            false => &rest[..length.min(rest.len())],
        };
        let is_json =
            field("content-type").is_some_and(|kind| kind.starts_with("application/json"));
        assert!(body.is_empty() || body.len() == length, "{}", shown());
        if is_json && !body.is_empty() {
            serde_json::from_slice::<serde_json::Value>(body)
                .unwrap_or_else(|error| panic!("{error}: {}", shown()));
        }
        answer = &rest[body.len()..];
    }
}
