//! Manual pages, completions, the reference of the configuration and the
//! description of the API are made from the command line, the table of keys, the
//! table of calls and the wire types. They are committed, and must be what would
//! be made now.
//!
//! To renew them: `UPDATE=1 cargo test --workspace --test documents`

mod commands;
mod complete;
mod completions;
mod descriptions;
mod links;
mod pages;
mod roff;
mod settings;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// A file of the repository, and what it should be.
struct Document {
    path: &'static str,
    text: String,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn documents() -> Vec<Document> {
    let mut documents = pages::documents();
    documents.extend(completions::documents());
    documents.extend(descriptions::documents());
    documents.push(settings::document());
    documents
}

#[test]
fn what_is_committed_is_what_would_be_made() {
    let renew = env::var_os("UPDATE").is_some();
    let mut stale = Vec::new();
    for Document { path, text } in documents() {
        let file = root().join(path);
        if fs::read_to_string(&file).is_ok_and(|committed| committed == text) {
            continue;
        }
        if renew {
            let folder = file.parent().expect("a file lies in a folder");
            fs::create_dir_all(folder).expect("the folder can be made");
            fs::write(&file, text).expect("the file can be written");
        } else {
            stale.push(path);
        }
    }
    assert!(
        stale.is_empty(),
        "{stale:?} say something else than their sources. Renew them, and look at the \
         difference before you commit it:\n\n    UPDATE=1 cargo test --workspace --test documents\n"
    );
}

/// What a page says, with roff's escapes undone.
fn page(name: &str) -> String {
    let document = pages::documents()
        .into_iter()
        .find(|document| Path::new(document.path).ends_with(name))
        .expect("a page of that name");
    roff::plain(&document.text)
}
