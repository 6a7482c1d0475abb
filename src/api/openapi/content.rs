//! A body, by its type: schema and examples cannot say different things.

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// What a body looks like.
pub(super) struct Content {
    schema: fn(&mut SchemaGenerator) -> Schema,
    examples: Map<String, Value>,
}

impl Content {
    pub(super) fn of<T: JsonSchema + Serialize>(
        examples: impl IntoIterator<Item = (&'static str, T)>,
    ) -> Self {
        Self {
            schema: SchemaGenerator::subschema_for::<T>,
            examples: examples
                .into_iter()
                .map(|(name, value)| (name.to_owned(), json!({"value": value})))
                .collect(),
        }
    }

    /// A Media Type Object for each type of media, of which there is one.
    pub(super) fn describe(self, schemas: &mut SchemaGenerator) -> Value {
        json!({
            "application/json": {
                "schema": (self.schema)(schemas),
                "examples": self.examples,
            },
        })
    }
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
