//! The API's description, as it is served at either place.

use super::Document;
use walinkd::api::{Place, description};

pub(super) fn documents() -> Vec<Document> {
    [
        ("man/openapi.json", Place::Tcp),
        ("man/openapi-control.json", Place::Control),
    ]
    .map(|(path, place)| {
        let mut text = serde_json::to_string_pretty(&description(place)).expect("it is JSON");
        text.push('\n');
        Document { path, text }
    })
    .into()
}
