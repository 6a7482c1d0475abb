//! `config/walinkd.reference.toml`: every key with its default and what it is for.

use super::Document;
use std::fmt::Write as _;
use walinkd::config::{Description, reference};

const PATH: &str = "config/walinkd.reference.toml";

const HEAD: &str = "\
# Every key of walinkd's configuration, with its default. The file to start from
# is walinkd.toml: copy from here what you want to change, without the # before
# the key. See also walinkd.toml(5).
";

/// Columns of a comment.
const WIDTH: usize = 80;

pub(super) fn document() -> Document {
    let mut text = HEAD.to_owned();
    let mut section = "";
    for key in reference() {
        let (table, name) = key.name.rsplit_once('.').unwrap_or(("", key.name));
        if key.inside.is_empty() {
            if table != section {
                section = table;
                write!(text, "\n[{table}]\n").expect("a string takes all");
            } else {
                text.push('\n');
            }
            comment(&mut text, &sentences(&key));
            writeln!(text, "#{name} = {}", key.value).expect("a string takes all");
        } else {
            text.push('\n');
            comment(&mut text, &sentences(&key));
            writeln!(text, "#[[{}]]", key.name).expect("a string takes all");
            for (index, field) in key.inside.iter().enumerate() {
                if index > 0 {
                    text.push('\n');
                }
                comment(&mut text, field.about);
                writeln!(text, "#{} = {}", field.name, field.value).expect("a string takes all");
            }
        }
    }
    Document { path: PATH, text }
}

fn sentences(key: &Description) -> String {
    let restart = if key.live {
        ""
    } else {
        " A change needs a restart."
    };
    format!("{} Write {}.{restart}", key.about, key.kind)
}

fn comment(text: &mut String, sentences: &str) {
    let mut line = "#".to_owned();
    for word in sentences.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            text.push_str(&line);
            text.push('\n');
            line = "#".to_owned();
        }
        line.push(' ');
        line.push_str(word);
    }
    text.push_str(&line);
    text.push('\n');
}

/// Without the # before each key the file is valid, and says the defaults.
#[test]
fn the_reference_can_be_used() {
    use std::process::Command;
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("walinkd.toml");
    let text = document().text.replace('…', &"7e".repeat(32));
    let lines = text.lines().map(|line| match line.strip_prefix('#') {
        Some(key) if !key.starts_with([' ', '#']) => key,
        _ => line,
    });
    let text: Vec<&str> = lines.collect();
    std::fs::write(&file, text.join("\n")).expect("a temporary file");
    let output = Command::new(env!("CARGO_BIN_EXE_walinkd"))
        .arg("check-config")
        .arg(&file)
        .env_clear()
        .output()
        .expect("the binary runs");
    assert!(output.status.success(), "{output:?}");
}
