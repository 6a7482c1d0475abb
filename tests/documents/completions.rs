//! What the package gives to the shells is what the binary prints.

use super::Document;
use std::process::Command;

pub(super) fn documents() -> Vec<Document> {
    [
        ("bash", "packaging/completions/walinkd.bash"),
        ("zsh", "packaging/completions/_walinkd"),
        ("fish", "packaging/completions/walinkd.fish"),
    ]
    .map(|(shell, path)| {
        let output = Command::new(env!("CARGO_BIN_EXE_walinkd"))
            .args(["completions", shell])
            .output()
            .expect("the binary runs");
        assert!(output.status.success(), "{shell}: {output:?}");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        Document { path, text }
    })
    .into()
}
