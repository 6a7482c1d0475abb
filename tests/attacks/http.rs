//! What is no proper HTTP, or more of it than anybody needs.

use crate::{
    all, keys, reload, shared,
    support::Daemon,
    tally,
    wire::{send, statuses},
};

fn post(headers: &str, body: &[u8]) -> Vec<u8> {
    let key = keys::attackers_key();
    let head = format!(
        "POST /connection/pairing HTTP/1.1\r\nHost: x\r\n{key}Content-Type: application/json\r\n\
         Connection: close\r\n{headers}\r\n"
    );
    [head.as_bytes(), body].concat()
}

fn sized(body: &[u8]) -> Vec<u8> {
    post(&format!("Content-Length: {}\r\n", body.len()), body)
}

pub(crate) async fn huge_headers(daemon: &Daemon) -> String {
    let address = daemon.address();
    let line = format!("x-large: {}\r\n", "x".repeat(1 << 20));
    let many: String = (0..100_000)
        .map(|number| format!("x-{number}: y\r\n"))
        .collect();
    let path = format!("/{}", "x".repeat(1 << 20));
    let requests = [
        format!("GET /livez HTTP/1.1\r\nHost: x\r\n{line}\r\n"),
        format!("GET /livez HTTP/1.1\r\nHost: x\r\n{many}\r\n"),
        format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"),
    ];
    let outcomes = all(150, move |number| {
        let request = requests[number % 3].clone();
        Box::pin(async move { statuses(&send(address, request.as_bytes()).await) })
    });
    let outcomes = outcomes.await;
    let fine = |outcome: &String| ["431", "414", "400", "closed"].contains(&&**outcome);
    assert!(outcomes.iter().all(fine), "{}", tally(outcomes));
    tally(outcomes)
}

pub(crate) async fn huge_bodies(daemon: &Daemon) -> String {
    let address = daemon.address();
    let large = vec![b'x'; 10 << 20];
    let chunk = [b"100000\r\n".as_slice(), &large[..1 << 20], b"\r\n"].concat();
    let requests = [
        sized(&large),
        post("Transfer-Encoding: chunked\r\n", &chunk.repeat(10)),
        post("Content-Length: 18446744073709551615\r\n", &large),
    ];
    let requests = std::sync::Arc::new(requests);
    let outcomes = all(60, move |number| {
        let requests = std::sync::Arc::clone(&requests);
        Box::pin(async move { statuses(&send(address, &requests[number % 3]).await) })
    });
    let outcomes = outcomes.await;
    // Some hear nothing, since they go on sending to a closed connection.
    let fine = |outcome: &String| ["413", "431", "400", "closed"].contains(&&**outcome);
    assert!(outcomes.iter().all(fine), "{}", tally(outcomes));
    tally(outcomes)
}

pub(crate) async fn malformed(daemon: &Daemon) -> String {
    let shapes: &[&[u8]] = &[
        b"\r\n\r\n\r\n\r\n",
        b"\0\0\0\0\0\0\0\0\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /livez\r\n\r\n",
        b"GET /livez HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET /livez HTTP/1.1\nHost: x\n",
        b"get /livez http/1.1\r\nhost: x\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost x\r\n\r\n",
        b"GET /livez HTTP/1.1\r\n: x\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: x\r\nx y: z\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: \xff\xfe\x01\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: x\r\nx: a\0b\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /livez?\xc0\xaf HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n",
    ];
    let address = daemon.address();
    let outcomes = all(shapes.len() * 20, move |number| {
        let shape = shapes[number % shapes.len()];
        Box::pin(async move {
            let outcome = statuses(&send(address, shape).await);
            assert!(
                !outcome.contains("500"),
                "{}",
                String::from_utf8_lossy(shape)
            );
            outcome
        })
    });
    tally(outcomes.await)
}

/// A request inside a request: when the two ends of a chain of proxies do not
/// agree where one ends, the second is somebody else's.
pub(crate) async fn smuggling(daemon: &Daemon) -> String {
    const INNER: &str = "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let address = daemon.address();
    let inner = INNER.len();
    // (headers, body), each of which ends before INNER for one way to read it.
    let shapes = [
        (
            "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
            format!("0\r\n\r\n{INNER}"),
        ),
        (
            "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
            format!("0\r\n\r\n{INNER}"),
        ),
        (
            "Content-Length: 0\r\nContent-Length: 5\r\n",
            format!("xxxxx{INNER}"),
        ),
        ("Content-Length: 0, 0\r\n", INNER.to_owned()),
        ("Content-Length: +0\r\n", INNER.to_owned()),
        ("Content-Length: -1\r\n", INNER.to_owned()),
        ("Content-Length: 0x10\r\n", INNER.to_owned()),
        ("Content-Length : 0\r\n", INNER.to_owned()),
        (
            "Transfer-Encoding : chunked\r\n",
            format!("0\r\n\r\n{INNER}"),
        ),
        (
            "Transfer-Encoding: xchunked\r\n",
            format!("0\r\n\r\n{INNER}"),
        ),
        (
            "Transfer-Encoding: chunked, identity\r\n",
            format!("0\r\n\r\n{INNER}"),
        ),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
            format!("0\r\n\r\n{INNER}"),
        ),
        (
            "Transfer-Encoding: chunked\r\n",
            format!("0x0\r\n\r\n{INNER}"),
        ),
        (
            "Transfer-Encoding: chunked\r\n",
            format!("-1\r\n\r\n{INNER}"),
        ),
        (
            "Transfer-Encoding: chunked\r\n",
            format!("ffffffffffffffff1\r\n{INNER}"),
        ),
        ("Transfer-Encoding: chunked\r\n", format!("1\r\nxx{INNER}")),
        ("Transfer-Encoding: chunked\r\n", format!("0;\n\r\n{INNER}")),
        (
            "Transfer-Encoding:\r\n chunked\r\n",
            format!("0\r\n\r\n{INNER}"),
        ),
    ];
    let lengths: Vec<String> = vec![format!("Content-Length: {inner}\r\nContent-Length: 0\r\n")];
    let key = keys::attackers_key();
    let request = move |headers: &str, body: &str| {
        format!("POST /connection/resume HTTP/1.1\r\nHost: x\r\n{key}{headers}\r\n{body}")
    };
    let mut requests: Vec<String> = shapes
        .iter()
        .map(|(headers, body)| request(headers, body))
        .collect();
    requests.extend(lengths.iter().map(|headers| request(headers, INNER)));
    let count = requests.len();
    let outcomes = all(count * 5, move |number| {
        let request = requests[number % count].clone();
        Box::pin(async move {
            let said = send(address, request.as_bytes()).await;
            assert!(
                !said.contains(r#""live":true"#),
                "the inner request was answered:\n{request}\n{said}"
            );
            statuses(&said)
        })
    });
    tally(outcomes.await)
}

pub(crate) async fn paths(daemon: &Daemon) -> String {
    let address = daemon.address();
    let targets = [
        "/connection/../admin/keys",
        "/./admin/keys",
        "//admin/keys",
        "/admin//keys",
        "/%61dmin/keys",
        "/admin%2fkeys",
        "/admin/keys/",
        "/admin/keys;x",
        "/admin/keys%00",
        "/ADMIN/KEYS",
        "/admin/keys?",
        "/livez/../admin/keys",
        "/livez/..%2fadmin/keys",
        "/livez%2f..%2fadmin%2fkeys",
        "/..;/admin/keys",
        "http://x/admin/keys",
        "http://localhost/admin/reload",
        "*",
        "admin/keys",
        "/connection/status/../../admin/keys",
        "/connection\\status",
        "/connection/status%20",
        "/connection/status/.",
        "/etc/passwd",
        "/..%c0%af..%c0%afetc/passwd",
    ];
    let key = keys::attackers_key();
    let outcomes = all(targets.len() * 10, move |number| {
        let (target, key) = (targets[number % targets.len()], key.clone());
        Box::pin(async move {
            let request =
                format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{key}\r\n");
            let outcome = statuses(&send(address, request.as_bytes()).await);
            assert!(
                ["400", "404", "405", "closed"].contains(&&*outcome),
                "{target}: {outcome}"
            );
            outcome
        })
    });
    tally(outcomes.await)
}

pub(crate) async fn bodies(daemon: &Daemon) -> String {
    let address = daemon.address();
    let shapes: Vec<Vec<u8>> = vec![
        b"{\"phoneNumber\":\"\xff\xfe\"}".to_vec(),
        b"\xef\xbb\xbf{}".to_vec(),
        "[".repeat(16_000).into_bytes(),
        "{\"a\":".repeat(3_000).into_bytes(),
        format!(
            "{{\"phoneNumber\":{}1{}}}",
            "[".repeat(7_000),
            "]".repeat(7_000)
        )
        .into_bytes(),
        br#"{"phoneNumber":"\ud800"}"#.to_vec(),
        br#"{"phoneNumber":1e999999}"#.to_vec(),
        format!("{{\"phoneNumber\":{}}}", "9".repeat(15_000)).into_bytes(),
        format!("{{\"phoneNumber\":\"{}\"}}", "9".repeat(15_000)).into_bytes(),
        "null".into(),
        "{\"phoneNumber\":{\"phoneNumber\":null}}".into(),
    ];
    let outcomes = all(shapes.len() * 10, move |number| {
        let request = sized(&shapes[number % shapes.len()]);
        Box::pin(async move { statuses(&send(address, &request).await) })
    });
    let outcomes = outcomes.await;
    assert!(
        outcomes.iter().all(|outcome| outcome == "400"),
        "{}",
        tally(outcomes)
    );
    tally(outcomes)
}

/// Pages of another origin than the allowed one.
pub(crate) async fn foreign_origins(daemon: &Daemon) -> String {
    let home = shared(daemon);
    home.configure_with("cors_origins = [\"https://good.example\"]\n", &keys::keys());
    reload(daemon).await;
    let address = daemon.address();
    let key = keys::attackers_key();
    let outcomes = all(200, move |number| {
        let key = key.clone();
        Box::pin(async move {
            let origin = [
                "https://evil.example",
                "null",
                "https://good.example.evil.example",
                "http://good.example",
            ][number % 4];
            let preflight = number % 2 == 0;
            let (method, more) = if preflight {
                ("OPTIONS", "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: x-api-key\r\n".to_owned())
            } else {
                ("GET", key)
            };
            let request = format!(
                "{method} /connection/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\nOrigin: {origin}\r\n{more}\r\n"
            );
            let said = send(address, request.as_bytes()).await;
            assert!(
                !said.to_lowercase().contains("access-control-allow-origin"),
                "{origin}: {said}"
            );
            format!("{} without leave", statuses(&said))
        })
    });
    let outcomes = outcomes.await;
    home.configure(&keys::keys());
    reload(daemon).await;
    tally(outcomes)
}
