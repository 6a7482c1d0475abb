//! A body, by its type: schema and examples cannot say different things.

use super::examples;
use crate::{
    api::{backup, events::MEDIA},
    metrics,
    wire::{Event, Gap, Status},
};
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// What a body looks like.
pub(super) struct Content {
    media: &'static str,
    schema: fn(&mut SchemaGenerator) -> Schema,
    examples: Map<String, Value>,
    /// Other types of media that it also comes as, described.
    others: Vec<(&'static str, Value)>,
}

impl Content {
    pub(super) fn of<T: JsonSchema + Serialize>(
        examples: impl IntoIterator<Item = (&'static str, T)>,
    ) -> Self {
        Self {
            media: "application/json",
            schema: SchemaGenerator::subschema_for::<T>,
            examples: examples
                .into_iter()
                .map(|(name, value)| (name.to_owned(), json!({"value": value})))
                .collect(),
            others: Vec::new(),
        }
    }

    /// Server-sent events.
    pub(super) fn events() -> Self {
        let example = json!({"value": examples::stream()});
        Self {
            media: MEDIA,
            schema: events,
            examples: Map::from_iter([("start".to_owned(), example)]),
            others: Vec::new(),
        }
    }

    /// Prometheus's text.
    pub(super) fn metrics() -> Self {
        let example = json!({"value": examples::METRICS});
        Self {
            media: metrics::MEDIA,
            schema: SchemaGenerator::subschema_for::<String>,
            examples: Map::from_iter([("start".to_owned(), example)]),
            others: Vec::new(),
        }
    }

    /// A file, for nobody to read but us.
    pub(super) fn backup() -> Self {
        Self {
            media: backup::MEDIA,
            schema: |_| json_schema!({"contentMediaType": backup::MEDIA}),
            examples: Map::new(),
            others: Vec::new(),
        }
    }

    /// For people.
    pub(super) fn page() -> Self {
        Self {
            media: "text/html",
            schema: |_| json_schema!({"type": "string"}),
            examples: Map::from_iter([("start".to_owned(), json!({"value": "<!doctype html>"}))]),
            others: Vec::new(),
        }
    }

    /// Also as a text, which may read like this.
    pub(super) fn or_text(self, media: &'static str, about: &str, example: &str) -> Self {
        let schema = json!({"type": "string", "description": about});
        let example = json!({"text": {"value": example}});
        self.or(media, json!({"schema": schema, "examples": example}))
    }

    /// Also as bytes.
    pub(super) fn or_bytes(self, media: &'static str, about: &str) -> Self {
        let schema = json!({"contentMediaType": media, "description": about});
        self.or(media, json!({"schema": schema}))
    }

    fn or(mut self, media: &'static str, described: Value) -> Self {
        self.others.push((media, described));
        self
    }

    /// A Media Type Object for each type of media.
    pub(super) fn describe(self, schemas: &mut SchemaGenerator) -> Value {
        let mut content = json!({
            self.media: {
                "schema": (self.schema)(schemas),
                "examples": self.examples,
            },
        });
        for (media, described) in self.others {
            content[media] = described;
        }
        content
    }
}

/// A text, as far as JSON Schema can tell; beside it, what the data of each of
/// its events is.
fn events(schemas: &mut SchemaGenerator) -> Schema {
    let status = schemas.subschema_for::<Status>();
    let gap = schemas.subschema_for::<Gap>();
    let event = schemas.subschema_for::<Event>();
    json_schema!({
        "type": "string",
        "description": "First the event `status`, without an id, and with `?status=live` one more \
            at each change. Then an event for each line of `GET /connection/log`: its id, its \
            type, and the same object as data. The event `gap` stands for those that are not \
            there any more. A line with `id:` alone gives a place to resume from. A comment comes \
            every 15 s.",
        "x-walinkd-data": {"status": status, "gap": gap, "other": event},
    })
}

/// For what the daemon writes: a field is required unless it may be left out.
pub(super) fn written() -> SchemaGenerator {
    settings().for_serialize().into_generator()
}

/// For what it reads: a field is required unless it has a default.
pub(super) fn read() -> SchemaGenerator {
    settings().for_deserialize().into_generator()
}

/// OpenAPI 3.1 speaks this dialect of JSON Schema.
fn settings() -> SchemaSettings {
    SchemaSettings::draft2020_12().with(|settings| {
        settings.meta_schema = None;
        settings.definitions_path = "/components/schemas".into();
    })
}
