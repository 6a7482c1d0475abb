//! The keys as the manual and the reference file tell of them.

use super::{
    keys::{Change, KEYS, inside},
    reader::About,
};

/// A key, described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Dotted from the document, or from the table for a key inside a list.
    pub name: &'static str,
    /// What it is for, in sentences.
    pub about: &'static str,
    /// What to write; ends a sentence that begins with "write".
    pub kind: &'static str,
    /// As a file writes it: the default, or for a key inside a list an example.
    pub value: &'static str,
    /// Whether a reload puts a new value into force.
    pub live: bool,
    /// The keys of each table, where the value is a list of tables.
    pub inside: Vec<Self>,
}

/// Every key there is, section by section.
pub fn reference() -> Vec<Description> {
    KEYS.iter()
        .map(|key| {
            let live = key.change == Change::Live;
            let inside = inside(key.field.name);
            Description {
                inside: inside
                    .into_iter()
                    .map(|about| describe(about, live))
                    .collect(),
                ..describe(key.field.about(), live)
            }
        })
        .collect()
}

fn describe(field: About, live: bool) -> Description {
    Description {
        name: field.name,
        about: field.about,
        kind: field.kind,
        value: field.value,
        live,
        inside: Vec::new(),
    }
}
