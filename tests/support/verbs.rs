//! The verbs of the command line, for tables that are to leave none out.

use clap::Command;
use std::collections::BTreeSet;

/// Every verb, two words for those that have verbs of their own.
pub(crate) fn all() -> BTreeSet<String> {
    within(&walinkd::cli::command(), "")
}

fn within(command: &Command, before: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let verbs = command.get_subcommands();
    for verb in verbs.filter(|verb| verb.get_name() != "help") {
        let name = format!("{before}{}", verb.get_name());
        if verb.has_subcommands() {
            names.extend(within(verb, &format!("{name} ")));
        } else {
            names.insert(name);
        }
    }
    names
}

/// Those of them that a table's lines begin with.
pub(crate) fn named<'a>(lines: impl IntoIterator<Item = &'a [&'a str]>) -> BTreeSet<String> {
    let lines: Vec<&[&str]> = lines.into_iter().collect();
    let begins = |name: &String| {
        let words: Vec<_> = name.split(' ').collect();
        lines.iter().any(|line| line.starts_with(&words))
    };
    all().into_iter().filter(begins).collect()
}
