//! Who may call what.

use super::{GROUP, assert_problem, bench, call, send, with_body};
use crate::{
    api::table::{Place, Reach, Right, table},
    auth::{Origin, Peer, Scope},
};
use axum::http::{Method, StatusCode};
use std::{
    collections::HashSet,
    io,
    sync::{Arc, Mutex},
};
use tracing_subscriber::fmt::MakeWriter;

#[test]
fn every_call_has_the_right_its_method_asks_for() {
    let open = ["/livez", "/readyz", "/openapi.json", "/"];
    for route in table() {
        let expected = match route.method {
            _ if open.contains(&route.path) => Right::Open,
            // Who sees the challenge and the code takes part in the step.
            _ if route.path.starts_with("/connection/passkey") => Right::Manage,
            Method::GET => Right::Read,
            _ => Right::Manage,
        };
        assert_eq!(route.right, expected, "{} {}", route.method, route.path);
        let control = route.path.starts_with("/admin/");
        assert_eq!(route.reach == Reach::ControlOnly, control, "{}", route.path);
    }
    let lines = table();
    let names: HashSet<_> = lines.iter().map(|r| (r.method.clone(), r.path)).collect();
    assert_eq!(names.len(), lines.len(), "a call stands in the table twice");
}

#[tokio::test]
async fn every_call_checks_its_caller() {
    let bench = bench();
    for route in table() {
        let request = |key: &str, origin: Option<Peer>| {
            let mut request = call(route.method.as_str(), route.path, key);
            if let Some(peer) = origin {
                request.extensions_mut().insert(Origin::Unix(peer));
            }
            request
        };
        let peer = |groups: &[u32]| Some(Peer::made_up(54_321, groups));
        for (key, origin, scope, code) in [
            ("", None, None, "bad_key"),
            ("wrong", None, None, "bad_key"),
            ("expired", None, None, "bad_key"),
            ("reader", None, Some(Scope::Read), "not_permitted"),
            ("manager", None, Some(Scope::Manage), ""),
            ("", peer(&[78]), Some(Scope::Read), "not_permitted"),
            ("manager", peer(&[78]), Some(Scope::Read), "not_permitted"),
            ("", peer(&[GROUP]), Some(Scope::Manage), ""),
        ] {
            let place = if origin.is_some() {
                Place::Control
            } else {
                Place::Tcp
            };
            let router = match place {
                Place::Tcp => &bench.routers.tcp,
                Place::Control => &bench.routers.control,
            };
            let told = format!("{} {} with {key:?} at {place:?}", route.method, route.path);
            let answer = send(router, request(key, origin)).await;
            if !route.reach.includes(place) {
                assert_problem(&answer, 404, "not_found");
            } else if route.right.scope() <= scope {
                assert_ne!(answer.status, StatusCode::FORBIDDEN, "{told}");
                assert_ne!(answer.body["code"], "not_found", "{told}");
            } else {
                assert_problem(&answer, 403, code);
            }
        }
    }
}

#[tokio::test]
async fn keys_come_only_in_headers_and_follow_a_reload() {
    let bench = bench();
    let path = "/connection/status?key=reader&api_key=reader&x-api-key=reader";
    let answer = send(&bench.routers.tcp, call("GET", path, "")).await;
    assert_problem(&answer, 403, "bad_key");

    let mut bearer = call("GET", "/connection/status", "");
    let value = "Bearer reader".parse().expect("a header value");
    bearer.headers_mut().insert("authorization", value);
    assert_eq!(send(&bench.routers.tcp, bearer).await.status, 200);

    bench.rules.send_replace(Arc::default());
    assert_problem(&bench.get("/connection/status").await, 403, "bad_key");
}

/// A log in memory.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn the_log_names_callers_and_keeps_their_secrets() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(lines.clone())
        .finish();
    // For the whole program: a subscriber of this thread alone misses events
    // whose first occurrence is in another test.
    tracing::subscriber::set_global_default(subscriber).expect("the only one");
    let bench = bench();
    let body = r#"{"phoneNumber":"628123456789","customCode":"ABCD-EFGH"}"#;
    let answer = bench.post("/connection/pairing", body).await;
    assert_eq!(answer.status, StatusCode::OK);
    let json = Some("application/json");
    let wrong = with_body("POST", "/connection/pairing", "s3cret-guess", json, body);
    assert_problem(&send(&bench.routers.tcp, wrong).await, 403, "bad_key");
    let mut local = call("POST", "/connection/pause", "");
    let peer = Peer::made_up(54_321, &[GROUP]);
    local.extensions_mut().insert(Origin::Unix(peer));
    send(&bench.routers.control, local).await;

    let log = lines.0.lock().expect("no panic").clone();
    let log = String::from_utf8(log).expect("text");
    for there in [
        r#""walinkd_event":"admin.pairing""#,
        r#""walinkd_key":"manager""#,
        r#""walinkd_peer":"192.0.2.1:4711""#,
        "pairing for 62812*****89, asked for by key manager from 192.0.2.1:4711",
        r#""walinkd_event":"auth.refused""#,
        "refused 192.0.2.1:4711: unknown key",
        r#""walinkd_event":"admin.pause""#,
        r#""walinkd_peer":"uid=54321 pid=4711""#,
    ] {
        assert!(log.contains(there), "{there} is not in {log}");
    }
    for secret in ["s3cret-guess", "628123456789", "ABCD"] {
        assert!(!log.contains(secret), "{secret} is in {log}");
    }
}
