//! Who may call what.

use super::{GROUP, assert_problem, bench, call, send};
use crate::{
    api::table::{Place, Reach, Right, table},
    auth::{Origin, Peer, Scope},
};
use axum::http::{Method, StatusCode};
use std::{collections::HashSet, sync::Arc};

#[test]
fn every_call_has_the_right_its_method_asks_for() {
    let open = ["/livez", "/readyz"];
    for route in table() {
        let expected = match route.method {
            _ if open.contains(&route.path) => Right::Open,
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
