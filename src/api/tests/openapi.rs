//! The description of the API: nothing is missing in it, and nothing made up.

use super::{bench, call, send};
use crate::{
    api::{Place, description, table::table},
    auth::{Origin, Peer},
};
use serde_json::Value;
use std::collections::BTreeSet;

const PLACES: [Place; 2] = [Place::Tcp, Place::Control];

/// What a Path Item Object may hold beside operations.
const NO_OPERATIONS: &[&str] = &["summary", "description", "servers", "parameters"];

fn described(description: &Value) -> BTreeSet<(String, String)> {
    let paths = description["paths"].as_object().expect("paths");
    paths
        .iter()
        .flat_map(|(path, item)| {
            let item = item.as_object().expect("a path item");
            item.keys()
                .filter(|method| !NO_OPERATIONS.contains(&method.as_str()))
                .map(|method| (method.to_ascii_uppercase(), path.clone()))
        })
        .collect()
}

#[test]
fn every_call_is_described_and_no_other() {
    for place in PLACES {
        let calls: BTreeSet<_> = table()
            .iter()
            .filter(|route| route.reach.includes(place))
            .map(|route| (route.method.to_string(), route.path.to_owned()))
            .collect();
        assert_eq!(
            described(&description(place)),
            calls,
            "describe it in api/openapi/calls.rs"
        );
    }
}

#[test]
fn no_two_calls_have_one_name() {
    let mut names = BTreeSet::new();
    each_operation(&description(Place::Control), |operation| {
        let name = operation["operationId"].as_str().expect("a name");
        assert!(names.insert(name.to_owned()), "{name}");
    });
}

#[test]
fn what_is_shared_is_there_and_used() {
    for place in PLACES {
        let description = description(place);
        let mut named = BTreeSet::new();
        references(&description, &mut named);
        let mut shared = BTreeSet::new();
        for kind in ["schemas", "responses"] {
            let components = description["components"][kind].as_object();
            let names = components.expect("components").keys();
            shared.extend(names.map(|name| format!("#/components/{kind}/{name}")));
        }
        assert_eq!(named, shared);
    }
}

#[test]
fn every_call_says_whom_it_serves() {
    each_operation(&description(Place::Tcp), |operation| {
        let right = operation["x-walinkd-right"].as_str().expect("a right");
        let asks = operation["security"].as_array().expect("told").len();
        assert_eq!(asks == 0, right == "none", "{operation}");
        for refusal in ["403", "429"] {
            let told = operation["responses"][refusal].is_object();
            assert_eq!(told, right != "none", "{operation}");
        }
    });
    each_operation(&description(Place::Control), |operation| {
        assert!(operation["security"].is_null());
        let told = operation["responses"]["403"].is_object();
        assert!(told || operation["x-walinkd-right"] != "manage");
    });
}

#[tokio::test]
async fn either_place_serves_its_own_without_a_key() {
    let bench = bench();
    let answer = send(&bench.routers.tcp, call("GET", "/openapi.json", "")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.body, description(Place::Tcp));
    let mut request = call("GET", "/openapi.json", "");
    let stranger = Origin::Unix(Peer::made_up(54_321, &[]));
    request.extensions_mut().insert(stranger);
    let answer = send(&bench.routers.control, request).await;
    assert_eq!(answer.body, description(Place::Control));
}

fn each_operation(description: &Value, mut look: impl FnMut(&Value)) {
    for (method, path) in described(description) {
        look(&description["paths"][path][method.to_ascii_lowercase()]);
    }
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            let reference = fields.get("$ref").and_then(Value::as_str);
            found.extend(reference.map(str::to_owned));
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
