//! Requests that HTTP has nothing against, through the router of TCP: each
//! answer must be one that the API's own description has.

use crate::edge::{Edge, runtime};
use axum::{body::Body, http::Request};
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::runtime::Runtime;
use walinkd::{
    api::{Front, Place, description, routers},
    auth::{Acquaintance, Guest, Origin},
};

pub(super) const WORDS: &[&str] = &[
    "GET /connection/status",
    "POST /connection/pairing",
    "POST /connection/passkey",
    "DELETE /connection/passkey",
    "OPTIONS ",
    "PATCH ",
    "/",
    "%2f",
    "?",
    "&wait=1s",
    "\n",
    "x-api-key: manager\n",
    "x-api-key: reader\n",
    "authorization: Bearer manager\n",
    "authorization: bearer  manager\n",
    "content-type: application/json\n",
    "content-type: text/plain\n",
    "content-type: application/vnd.x+json;charset=utf-8\n",
    "origin: https://a.example\n",
    "access-control-request-method: POST\n",
    "\n\n",
    "{",
    "}",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    "\"phoneNumber\"",
    "\"customCode\"",
    "\"replace\"",
    "\"error\"",
    "\"name\"",
    "null",
    "true",
    "1e400",
    "\"\\ud800\"",
    "\"628123456789\"",
    "\"ABCD-EFGH\"",
    ":",
    ",",
];

pub(super) const QUERY_WORDS: &[&str] = &[
    "wait",
    "after",
    "format",
    "before",
    "limit",
    "=",
    "&",
    ";",
    "?",
    "%",
    "%3d",
    "%ff",
    "+",
    "ms",
    "s",
    "m",
    "h",
    "18446744073709551615",
    "18446744073709551616",
    "-1",
    "0x10",
    "json",
    "png",
    "10s",
    "٣",
];

/// Calls that take a query. A new one is named here.
const ASKED: &[&str] = &[
    "/connection/status",
    "/connection/qr",
    "/connection/passkey",
];

/// The input is a line with method and path, lines of headers, an empty line,
/// and the body. What cannot be a request is let be.
pub(super) fn request() -> impl Fn(&[u8]) {
    let bench = Bench::new();
    move |input| {
        if let Some(request) = read(input) {
            bench.send(request);
        }
    }
}

/// The input stands behind the `?` of each call that looks there.
pub(super) fn query() -> impl Fn(&[u8]) {
    let bench = Bench::new();
    move |input| {
        for path in ASKED {
            let uri = [path.as_bytes(), b"?", input].concat();
            let request = Request::get(uri.as_slice()).header("x-api-key", "manager");
            if let Ok(request) = request.body(Body::empty()) {
                bench.send(request);
            }
        }
    }
}

fn read(input: &[u8]) -> Option<Request<Body>> {
    let end = input.windows(2).position(|two| two == b"\n\n");
    let (head, body) = input.split_at(end.unwrap_or(input.len()));
    let mut lines = head.split(|byte| *byte == b'\n');
    let line = lines.next()?;
    let space = line.iter().position(|byte| *byte == b' ')?;
    let mut request = Request::builder()
        .method(&line[..space])
        .uri(&line[space + 1..]);
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':')?;
        request = request.header(&line[..colon], line[colon + 1..].trim_ascii());
    }
    let body = body.get(2..).unwrap_or_default().to_vec();
    request.body(Body::from(body)).ok()
}

struct Bench {
    runtime: Runtime,
    front: Front,
    description: Value,
    _edge: Edge,
}

impl Bench {
    fn new() -> Self {
        let runtime = runtime();
        let edge = Edge::new();
        let front = routers(edge.app(&runtime)).tcp;
        Self {
            runtime,
            front,
            description: description(Place::Tcp),
            _edge: edge,
        }
    }

    fn send(&self, request: Request<Body>) {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let clerk = self.front.welcome(Guest {
            origin: Origin::Tcp(([192, 0, 2, 1], 4711).into()),
            acquaintance: Acquaintance::default(),
        });
        let (status, kind, body) = self.runtime.block_on(async {
            let answer = clerk.answer(request).await;
            let status = answer.status().as_u16();
            let kind = answer.headers().get("content-type");
            let kind = kind.map(|kind| kind.to_str().expect("text").to_owned());
            let body = answer.into_body().collect().await.expect("a whole body");
            (status, kind.unwrap_or_default(), body.to_bytes())
        });
        let about = format!("{method} {path} answers {status} {body:?}");
        assert_ne!(status, 500, "{about}");
        if body.is_empty() {
            let bare = matches!(method.as_str(), "HEAD" | "OPTIONS") || status == 304;
            assert!(bare, "{about}");
        } else if !kind.starts_with("application/json") {
            // A picture, a page: never a refusal, and as described.
            let name = kind.split(';').next().unwrap_or_default();
            let call = &self.description["paths"][&path]["get"];
            let content = &call["responses"]["200"]["content"];
            assert_eq!(status, 200, "{about}");
            assert!(content.get(name).is_some(), "{kind}: {about}");
        } else {
            let body: Value = serde_json::from_slice(&body).expect("it says it is JSON");
            let told = body["success"] == (status == 200) || body["openapi"].is_string();
            assert!(told, "{about}");
        }
        self.is_described(method.as_str(), &path, status, &about);
    }

    fn is_described(&self, method: &str, path: &str, status: u16, about: &str) {
        if method == "OPTIONS" {
            return assert_eq!(status, 200, "{about}");
        }
        let Some(item) = self.description["paths"].get(path) else {
            return assert_eq!(status, 404, "{about}");
        };
        let method = if method == "HEAD" { "GET" } else { method };
        let calls = item.as_object().expect("a path item");
        // Methods are told apart by their case.
        let call = calls
            .iter()
            .find(|(name, _)| name.to_ascii_uppercase() == method);
        match call {
            Some((_, call)) => {
                let answers = &call["responses"];
                assert!(answers.get(status.to_string()).is_some(), "{about}");
            }
            None => assert_eq!(status, 405, "{about}"),
        }
    }
}
