//! What a call may refuse, and how it says so.

use super::calls::Call;
use crate::{
    api::{
        body,
        guard::too_slow,
        health::starting,
        pairing,
        problem::{internal, status_of},
        qr,
        query::bad,
        table::{Place, Right, Route},
    },
    auth::Refusal,
    link::{BadCredential, PairError, PasskeyError, Stopping},
    wire::{Code, InvalidCode, InvalidPhone, Problem},
};
use axum::http::Method;
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, time::Duration};

/// The codes that a call may be refused with, by the status they come with.
pub(super) fn refusals(route: &Route, call: &Call, place: Place) -> BTreeMap<u16, Vec<Code>> {
    let mut codes = Vec::new();
    if !route.parameters.is_empty() {
        codes.push(Code::BadRequest);
    }
    if route.method != Method::GET {
        // Each of them reads its body, if only to throw it away; and is an
        // order to somebody, who may be leaving.
        codes.extend([
            Code::BadRequest,
            Code::Timeout,
            Code::BodyTooLarge,
            Code::Stopping,
        ]);
    }
    if call.body.is_some() {
        codes.push(Code::UnsupportedMediaType);
    }
    if route.right != Right::Open && place == Place::Tcp {
        codes.extend([Code::BadKey, Code::LockedOut, Code::RateLimited]);
    }
    // Who waits may lose the right to it meanwhile.
    let waits = !route.longest_wait.is_zero() || route.streams;
    // On the control socket a page of another origin may not even read.
    let foreign = route.right != Right::Open && place == Place::Control;
    if route.right == Right::Manage || waits || foreign {
        codes.push(Code::NotPermitted);
    }
    if waits {
        codes.push(Code::TooManyStreams);
    }
    codes.extend(call.refusals);
    codes.push(Code::Internal);

    let mut by_status = BTreeMap::<u16, Vec<Code>>::new();
    for code in codes {
        let told = by_status.entry(status_of(code).as_u16()).or_default();
        if !told.contains(&code) {
            told.push(code);
        }
    }
    by_status
}

/// The Response Object of refusals with one status.
pub(super) fn response(codes: &[Code], schemas: &mut SchemaGenerator) -> Value {
    let problem = schemas.subschema_for::<Problem>();
    let meanings = meanings(schemas);
    let mut examples = Map::new();
    let mut told = Vec::new();
    for &code in codes {
        let word = word(code);
        let meaning = meanings.get(&word).map_or("", String::as_str);
        told.push(format!("`{word}`: {meaning}"));
        examples.insert(word, json!({"value": sample(code)}));
    }
    let mut response = json!({
        "description": told.join("\n\n"),
        "content": {
            "application/json": {
                "schema": {
                    "allOf": [
                        problem,
                        {"properties": {"code": {"enum": codes}}},
                    ],
                },
                "examples": examples,
            },
        },
    });
    let waits = codes
        .iter()
        .filter(|code| sample(**code).retry_after.is_some());
    let waits = waits.count();
    if waits > 0 {
        response["headers"] = json!({
            "Retry-After": {
                "description": "Seconds after which the same request may succeed.",
                "required": waits == codes.len(),
                "schema": {"type": "integer", "minimum": 1},
            },
        });
    }
    response
}

/// What each code means, by its word: the comments beside them.
fn meanings(schemas: &mut SchemaGenerator) -> BTreeMap<String, String> {
    schemas.subschema_for::<Code>();
    let text = |value: &Value| value.as_str().unwrap_or_default().replace('\n', " ");
    schemas.definitions()["Code"]["oneOf"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|code| (text(&code["const"]), text(&code["description"])))
        .collect()
}

/// `BadKeyOrNotPermitted`: names it for the calls that share it.
pub(super) fn name(codes: &[Code]) -> String {
    let names: Vec<String> = codes.iter().map(|code| format!("{code:?}")).collect();
    names.join("Or")
}

fn word(code: Code) -> String {
    match json!(code) {
        Value::String(word) => word,
        other => other.to_string(),
    }
}

/// How it may read: the very words of the API where they are made in one place.
fn sample(code: Code) -> Problem {
    let name = "dashboard";
    match code {
        Code::BadRequest => bad("The body is not valid JSON: EOF while parsing.".to_owned()),
        Code::BadPhoneNumber => InvalidPhone::LeadingZero.into(),
        Code::BadCustomCode => InvalidCode.into(),
        Code::BadKey => Refusal::NoKey.into(),
        Code::NotPermitted => Refusal::ReadKey { name: name.into() }.into(),
        Code::NotFound => Problem::new(code, "No such path."),
        Code::NoSuchKey => Problem::new(code, "There is no key of this name."),
        Code::NoSuchWebhook => Problem::new(code, "There is no webhook of this name."),
        Code::KeyExists => Problem::new(code, "There is a key dashboard already."),
        Code::KeyFixed => Problem::new(
            code,
            "The key dashboard is in the configuration file: remove it there, then walinkd reload.",
        ),
        Code::NoQrCode => qr::none(),
        Code::NoPairingCode => pairing::none(),
        Code::NoPasskey => PasskeyError::NotAsked(None).into(),
        Code::PasskeyEnded => PasskeyError::NotAsked(Some("its time is over".to_owned())).into(),
        Code::BadPasskey => PasskeyError::Bad(BadCredential::Challenge).into(),
        Code::PasskeyCancelled => {
            PasskeyError::Browser("the browser gave no passkey: run the script again".to_owned())
                .into()
        }
        Code::PasskeyRefused => {
            PasskeyError::Refused("WhatsApp did not accept the passkey's answer".to_owned()).into()
        }
        Code::PasskeyStage => {
            PasskeyError::Stage("the passkey challenge has been answered already").into()
        }
        Code::MethodNotAllowed => Problem::new(code, "PUT does not work here."),
        Code::Timeout => too_slow(Duration::from_secs(10)),
        Code::AlreadyLinked => PairError::AlreadyLinked.into(),
        Code::BodyTooLarge => body::too_large(16 * 1024),
        Code::UnsupportedMediaType => body::not_json(),
        Code::PairingLimited => PairError::Limited {
            message: "too many codes".to_owned(),
            retry_after: Duration::from_secs(300),
        }
        .into(),
        Code::PairingRefused => PairError::Refused("not-acceptable".to_owned()).into(),
        Code::Unreachable => PairError::Unreachable("no route to host".to_owned()).into(),
        Code::RateLimited => Refusal::TooFast {
            name: name.into(),
            left: Duration::from_secs(1),
        }
        .into(),
        Code::LockedOut => Refusal::LockedOut(Duration::from_secs(60)).into(),
        Code::TooManyStreams => Refusal::TooManyStreams.into(),
        Code::Starting => starting(),
        Code::Stopping => Stopping.into(),
        Code::BadConfig => Problem::new(
            code,
            "the configuration is refused and the running one stays: http.listen: not an address",
        ),
        Code::Internal => internal(),
    }
}
