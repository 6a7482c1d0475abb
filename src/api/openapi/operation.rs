//! The calls as Operation Objects, and what they share as components.

use super::{
    calls::Call,
    content::{read, written},
    refusals,
};
use crate::api::{
    query::{Kind, Parameter},
    table::{Place, Reach, Right, Route},
};
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

pub(super) struct Operations {
    place: Place,
    paths: Map<String, Value>,
    responses: Map<String, Value>,
    written: SchemaGenerator,
    read: SchemaGenerator,
}

impl Operations {
    pub(super) fn new(place: Place) -> Self {
        Self {
            place,
            paths: Map::new(),
            responses: Map::new(),
            written: written(),
            read: read(),
        }
    }

    pub(super) fn add(&mut self, route: &Route, call: Call) {
        let mut responses = Map::new();
        for (status, codes) in refusals::refusals(route, &call, self.place) {
            let name = refusals::name(&codes);
            let shared = json!({"$ref": format!("#/components/responses/{name}")});
            self.responses
                .entry(name)
                .or_insert_with(|| refusals::response(&codes, &mut self.written));
            responses.insert(status.to_string(), shared);
        }
        let answer = call.answer.describe(&mut self.written);
        responses.insert(
            "200".to_owned(),
            json!({"description": "Done.", "content": answer}),
        );

        let mut operation = json!({
            "operationId": call.id,
            "tags": [tag(route.path)],
            "summary": first_sentence(route.summary),
            "description": format!("{}\n\n{}", route.summary, self.right(route)),
            "responses": responses,
            "x-walinkd-right": word(route.right),
        });
        if !route.parameters.is_empty() {
            operation["parameters"] = route.parameters.iter().map(parameter).collect();
        }
        if let Some(body) = call.body {
            let content = body.describe(&mut self.read);
            operation["requestBody"] = json!({"required": true, "content": content});
        }
        if route.reach == Reach::ControlOnly {
            operation["x-walinkd-control-only"] = json!(true);
        }
        if self.place == Place::Tcp {
            operation["security"] = security(route.right);
        }
        let path = self.paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_ascii_lowercase()] = operation;
    }

    /// The Paths Object, and the components that it refers to.
    pub(super) fn into_parts(mut self) -> (Map<String, Value>, Value) {
        let mut schemas = self.read.take_definitions(true);
        schemas.extend(self.written.take_definitions(true));
        let mut components = json!({"schemas": schemas, "responses": self.responses});
        if self.place == Place::Tcp {
            components["securitySchemes"] = json!({
                "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
                "bearer": {"type": "http", "scheme": "bearer"},
            });
        }
        (self.paths, components)
    }

    fn right(&self, route: &Route) -> String {
        let place = match route.reach {
            Reach::ControlOnly => " On the control socket only.",
            Reach::Everywhere => "",
        };
        match (route.right, self.place) {
            (Right::Open, Place::Tcp) => format!("No key is needed.{place}"),
            (right, _) => format!("Right: {}.{place}", word(right)),
        }
    }
}

/// Either header does. The word beside it is the right that the key must have.
fn security(right: Right) -> Value {
    match right {
        Right::Open => json!([]),
        right => json!([{"apiKey": [word(right)]}, {"bearer": [word(right)]}]),
    }
}

fn word(right: Right) -> &'static str {
    match right {
        Right::Open => "none",
        Right::Read => "read",
        Right::Manage => "manage",
    }
}

/// `connection` and `admin`; what is about the daemon lies at the root.
fn tag(path: &str) -> &str {
    let mut parts = path.trim_start_matches('/').split('/');
    match (parts.next(), parts.next()) {
        (Some(first), Some(_)) => first,
        _ => "daemon",
    }
}

fn first_sentence(text: &str) -> &str {
    match text.split_once(". ") {
        Some((first, _)) => first,
        None => text.trim_end_matches('.'),
    }
}

fn parameter(parameter: &Parameter) -> Value {
    let schema = match parameter.kind {
        Kind::Time => json!({
            "type": "string",
            "pattern": "^[0-9]+(ms|s|m)?$",
            "examples": ["10s"],
        }),
        Kind::Number { least, most } => {
            let mut schema = json!({"type": "integer", "format": "uint64", "minimum": least});
            if most < u64::MAX {
                schema["maximum"] = json!(most);
            }
            schema
        }
        Kind::Text => json!({"type": "string"}),
        Kind::Word(words) => json!({"enum": words}),
    };
    json!({
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
        "description": parameter.about,
        "schema": schema,
    })
}
