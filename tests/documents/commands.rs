//! What people copy from the pages works: each command line is one that walinkd
//! takes, each configuration one that it accepts, each JSON is JSON.

use super::{pages, root};
use clap::error::ErrorKind;
use std::{collections::BTreeSet, fs, process::Command};

const PAGES: [&str; 5] = [
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "tests/sandbox/README.md",
    "CHANGELOG.md",
];
/// What ends a command in a shell's line.
const ENDS: [&str; 9] = ["|", ">", ">/dev/null", "2>&1", "&&", "||", ";", "&", "#"];

fn read(page: &str) -> String {
    fs::read_to_string(root().join(page)).expect("it is there")
}

/// The command lines in a page: in spans of code and in lines of blocks.
fn commands(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut fenced = false;
    for line in text.lines() {
        fenced ^= line.starts_with("```");
        let block = fenced || line.starts_with("    ");
        let pieces: Vec<_> = if block {
            line.split("$(").collect()
        } else {
            line.split('`').skip(1).step_by(2).collect()
        };
        for piece in pieces {
            let piece = piece.trim().trim_start_matches("$ ");
            let piece = piece.replace("target/debug/walinkd ", "walinkd ");
            if let Some(rest) = piece.strip_prefix("walinkd ")
                && !rest.starts_with("…")
            {
                found.insert(command(rest));
            }
        }
    }
    found
}

/// Up to where the shell goes on with something else.
fn command(rest: &str) -> String {
    let words = rest.split_whitespace();
    let mut words: Vec<_> = words.take_while(|word| !ENDS.contains(word)).collect();
    if let Some(last) = words.last_mut()
        && !last.contains('(')
    {
        *last = last.trim_end_matches([')', ';', '"', '}', '\\']);
    }
    words.join(" ")
}

/// A value for each placeholder.
fn filled(word: &str) -> String {
    let value = match word {
        "PHONE" | "NUMBER" => "628123456789",
        "CODE8" => "ABCD2345",
        "FILE" => "/tmp/file",
        "NAME" => "sales",
        "DATE" => "2027-01-01",
        "SHELL" => "bash",
        "VERB" | "COMMAND" => "status",
        "STATE" => "connected",
        "PATH" => "/run/walinkd/control.sock",
        "SCOPE" => "read",
        "TIME" | "DURATION" => "30s",
        other => other,
    };
    value.to_owned()
}

/// The command lines that a notation with `[…]` and `|` stands for: without what
/// may be left out, then with each of it, and with each of the alternatives.
fn variants(notation: &str) -> Vec<Vec<String>> {
    let notation = notation.replace("\\|", "|");
    let (mut fixed, mut optional) = (Vec::new(), Vec::new());
    for (at, piece) in notation.split(['[', ']']).enumerate() {
        let words: Vec<_> = piece.split_whitespace().map(str::to_owned).collect();
        match at % 2 {
            0 => fixed.extend(words),
            _ => optional.push(words),
        }
    }
    let mut lines = vec![fixed.clone()];
    for words in optional {
        // `--png FILE|--svg FILE` are two, `--scope read|manage` as well.
        let joined = words.join(" ");
        let (name, values) = joined.split_once(' ').unwrap_or((&joined, ""));
        let choices: Vec<String> = if joined.contains("|--") || !joined.contains(' ') {
            joined.split('|').map(str::to_owned).collect()
        } else {
            values
                .split('|')
                .map(|value| format!("{name} {value}"))
                .collect()
        };
        for choice in choices {
            let mut line = fixed.clone();
            line.extend(choice.split_whitespace().map(str::to_owned));
            lines.push(line);
        }
    }
    lines
        .into_iter()
        .flat_map(alternatives)
        .map(|line| line.iter().map(|word| filled(word)).collect())
        .collect()
}

/// One line for each of `a|b` in it.
fn alternatives(line: Vec<String>) -> Vec<Vec<String>> {
    let Some(at) = line.iter().position(|word| word.contains('|')) else {
        return vec![line];
    };
    let choices = line[at].split('|');
    choices
        .map(|choice| {
            let mut line = line.clone();
            line[at] = choice.to_owned();
            line
        })
        .collect()
}

#[test]
fn every_command_line_is_taken() {
    let mut checked = 0;
    let manual = super::roff::plain(&read("man/walinkd.8"));
    let examples: String = manual
        .split("\n.SH ")
        .filter(|section| section.starts_with("SYNOPSIS") || section.starts_with("EXAMPLES"))
        .flat_map(str::lines)
        .filter(|line| line.starts_with("walinkd "))
        .map(|line| format!("    {}\n", line.replace("\\ ", " ")))
        .collect();
    assert!(examples.lines().count() > 10, "{examples}");
    let mut pages: Vec<_> = PAGES
        .iter()
        .map(|page| ((*page).to_owned(), read(page)))
        .collect();
    pages.push(("man/walinkd.8".to_owned(), examples));
    for (page, text) in pages {
        for notation in commands(&text) {
            for line in variants(&notation) {
                let words = ["walinkd".to_owned()].into_iter().chain(line);
                let words: Vec<String> = words.collect();
                let taken = pages::built().try_get_matches_from(&words);
                // Text may name a verb alone, or end in the help.
                let named = taken.as_ref().is_err_and(|error| {
                    !error.use_stderr()
                        || matches!(
                            error.kind(),
                            ErrorKind::MissingRequiredArgument
                                | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                        )
                });
                assert!(
                    taken.is_ok() || named,
                    "{page}: {}: {}",
                    words.join(" "),
                    taken.expect_err("refused")
                );
                checked += 1;
            }
        }
    }
    assert!(checked > 60, "only {checked}");
}

#[test]
fn every_verb_has_an_example_that_is_taken() {
    let command = pages::built();
    for verb in pages::verbs(&command) {
        let name = verb.get_name();
        if name == "help" {
            continue;
        }
        let example = verb.get_after_help().map(ToString::to_string);
        let example = example.unwrap_or_else(|| panic!("{name} has no example"));
        let lines: String = example
            .lines()
            .map(|line| line.trim_start_matches("Example: ").trim_start())
            .map(|line| format!("    {line}\n"))
            .collect();
        let lines: Vec<_> = commands(&lines)
            .into_iter()
            .filter(|line| line.starts_with(name))
            .collect();
        assert!(!lines.is_empty(), "{name}: {example}");
        for line in lines {
            // Behind so many blanks an explanation begins.
            let words = line
                .split_whitespace()
                .take_while(|word| *word != "and" && *word != "with");
            let words = ["walinkd"].into_iter().chain(words);
            let taken = pages::built().try_get_matches_from(words);
            assert!(taken.is_ok(), "{name}: {line}: {:?}", taken.err());
        }
    }
}

/// The fenced blocks of a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() == format!("```{language}") {
            let block: Vec<_> = lines
                .by_ref()
                .take_while(|line| line.trim() != "```")
                .collect();
            blocks.push(block.join("\n"));
        }
    }
    blocks
}

#[test]
fn every_configuration_is_accepted_but_for_its_places() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut checked = 0;
    for page in PAGES {
        for block in blocks(&read(page), "toml") {
            let file = folder.path().join("walinkd.toml");
            fs::write(&file, &block).expect("written");
            let output = Command::new(env!("CARGO_BIN_EXE_walinkd"))
                .arg("check-config")
                .arg(&file)
                .env_clear()
                .output()
                .expect("it runs");
            let told = String::from_utf8_lossy(&output.stderr);
            // A normal build does not talk to the sandbox, and the files that an
            // example names are not here.
            let faults: Vec<_> = told
                .lines()
                .filter(|line| line.contains("walinkd.toml:"))
                .filter(|line| !line.contains("whatsapp.url") && !line.contains("No such file"))
                .collect();
            assert!(faults.is_empty(), "{page}: {block}\n{told}");
            let looked = output.status.success() || told.contains("walinkd.toml:");
            assert!(looked, "{page}: {told}");
            checked += 1;
        }
    }
    assert!(checked > 1, "only {checked}");
}

#[test]
fn every_json_is_json() {
    for page in PAGES {
        for block in blocks(&read(page), "json") {
            let parsed = serde_json::from_str::<serde_json::Value>(&block);
            assert!(parsed.is_ok(), "{page}: {parsed:?}: {block}");
        }
    }
}
