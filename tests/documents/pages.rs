//! The manual pages: a template each, with what can be made from the program
//! put in. A line `.\" @name@` stands for the block of that name.

use super::{
    Document,
    roff::{bold, filled, italic, tagged, text},
};
use clap::{Arg, Command};
use walinkd::{
    api::{self, Call},
    cli,
    config::{self, Description},
};

pub(super) fn documents() -> Vec<Document> {
    let command = built();
    vec![
        Document {
            path: "man/walinkd.8",
            text: fill(
                include_str!("walinkd.8.in"),
                &[
                    (
                        "synopsis",
                        verbs(&command).iter().map(synopsis_line).collect(),
                    ),
                    ("options", common(&command).map(option).collect()),
                    ("verbs", verbs(&command).iter().map(verb).collect()),
                ],
            ),
        },
        Document {
            path: "man/walinkd.toml.5",
            text: fill(include_str!("walinkd.toml.5.in"), &[("keys", keys())]),
        },
        Document {
            path: "man/walinkd-api.7",
            text: fill(
                include_str!("walinkd-api.7.in"),
                &[("calls", api::reference().iter().map(call).collect())],
            ),
        },
    ]
}

/// With `help`, and with the common options in each verb.
pub(super) fn built() -> Command {
    let mut command = cli::command();
    command.build();
    command
}

fn fill(template: &str, blocks: &[(&str, String)]) -> String {
    let mut page = String::from(".\\\" Made by tests/documents; see there before you change it.\n");
    for line in template.lines() {
        let name = line
            .strip_prefix(".\\\" @")
            .and_then(|rest| rest.strip_suffix('@'));
        match name {
            Some(name) => {
                let block = blocks.iter().find(|(known, _)| *known == name);
                page.push_str(&block.expect("a block of that name").1);
            }
            None => {
                page.push_str(&line.replace("@version@", env!("CARGO_PKG_VERSION")));
                page.push('\n');
            }
        }
    }
    page
}

/// Every verb, and in the place of one that only has verbs of its own those, by
/// their whole names. Help has all of them, and is one.
pub(super) fn verbs(command: &Command) -> Vec<Command> {
    let visible = |verb: &&Command| !verb.is_hide_set();
    let mut verbs = Vec::new();
    for verb in command.get_subcommands().filter(visible) {
        if verb.get_name() == "help" || !verb.has_subcommands() {
            verbs.push(verb.clone());
            continue;
        }
        let inner = verb.get_subcommands().filter(visible);
        for inner in inner.filter(|inner| inner.get_name() != "help") {
            let name = format!("{} {}", verb.get_name(), inner.get_name());
            // clap keeps names that live for ever; this program does not.
            verbs.push(inner.clone().name(&*name.leak()));
        }
    }
    verbs
}

/// What the program itself takes, and what every verb takes.
fn common(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|arg| !arg.is_hide_set())
}

/// What only this verb takes.
fn own(verb: &Command) -> impl Iterator<Item = &Arg> {
    let common = |arg: &Arg| arg.is_global_set() || arg.get_id() == "help";
    verb.get_arguments()
        .filter(move |arg| !common(arg) && !arg.is_hide_set())
}

fn synopsis_line(verb: &Command) -> String {
    format!(".br\n{}\n", synopsis(verb))
}

fn synopsis(verb: &Command) -> String {
    let mut words = vec![bold(&format!("walinkd {}", verb.get_name()))];
    for arg in own(verb) {
        let name = flag(arg).map(|flag| bold(&flag));
        let parts: Vec<String> = name.into_iter().chain(value(arg)).collect();
        let word = parts.join("\\ ");
        words.push(if arg.is_required_set() {
            word
        } else {
            format!("[{word}]")
        });
    }
    // Help is asked for a verb by its name.
    if verb.has_subcommands() {
        words.push(format!("[{}]", italic("COMMAND")));
    }
    words.join(" ")
}

fn verb(verb: &Command) -> String {
    let about = verb.get_long_about().or(verb.get_about());
    let about = about.expect("every verb says what it is for").to_string();
    let mut section = format!(".SS {}\n{}\n", text(verb.get_name()), synopsis(verb));
    for paragraph in about.split("\n\n") {
        section.push_str(".PP\n");
        section.push_str(&filled(&ended(paragraph)));
    }
    section.extend(own(verb).map(option));
    if let Some(example) = verb.get_after_help() {
        let example: Vec<String> = example.to_string().lines().map(text).collect();
        section.push_str(&format!(".PP\n.EX\n{}\n.EE\n", example.join("\n")));
    }
    section
}

fn option(arg: &Arg) -> String {
    let help = arg.get_long_help().or(arg.get_help());
    let mut help = ended(&help.expect("every option says what it is for").to_string());
    let words: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|_| arg.get_action().takes_values())
        .map(|word| word.get_name().to_owned())
        .collect();
    if !words.is_empty() {
        help.push_str(&format!(" One of: {}.", words.join(", ")));
    }
    let short = arg.get_short().map(|short| bold(&format!("-{short}")));
    let long = flag(arg).map(|long| bold(&long));
    let names: Vec<String> = short.into_iter().chain(long).collect();
    let tag: Vec<String> = [names.join(", ")].into_iter().chain(value(arg)).collect();
    tagged(tag.join(" ").trim(), &[&help])
}

fn flag(arg: &Arg) -> Option<String> {
    arg.get_long().map(|long| format!("--{long}"))
}

fn value(arg: &Arg) -> Option<String> {
    let names = arg.get_value_names()?;
    let takes = arg.get_action().takes_values();
    takes.then(|| {
        let names: Vec<String> = names.iter().map(|name| italic(name)).collect();
        names.join(" ")
    })
}

/// Help has no full stop where it is one sentence.
fn ended(help: &str) -> String {
    let stop = if help.ends_with(['.', ']', ')']) {
        ""
    } else {
        "."
    };
    format!("{help}{stop}")
}

fn keys() -> String {
    let mut page = String::new();
    let mut section = "";
    for key in config::reference() {
        let (table, name) = key.name.split_once('.').unwrap_or(("", key.name));
        if !key.inside.is_empty() {
            section = table;
            page.push_str(&format!(".SS [[{}]]\n", text(key.name)));
            page.push_str(&filled(key.about));
            page.push_str("The values below are examples.\n");
            for field in &key.inside {
                let tag = format!("{} = {}", bold(field.name), text(field.value));
                page.push_str(&tagged(&tag, &[field.about, &write(field)]));
            }
            continue;
        }
        if table != section {
            section = table;
            page.push_str(&format!(".SS [{}]\n", text(table)));
        }
        let tag = format!("{} = {}", bold(name), text(key.value));
        page.push_str(&tagged(&tag, &[key.about, &write(&key)]));
    }
    page
}

fn write(key: &Description) -> String {
    let restart = if key.live {
        ""
    } else {
        " A change needs a restart."
    };
    format!("Write {}.{restart}", key.kind)
}

fn call(call: &Call) -> String {
    let right = match (call.open, call.manage) {
        (true, _) => "No key is needed.",
        (_, true) => "Right: manage.",
        (_, false) => "Right: read.",
    };
    let place = if call.control_only {
        " On the control socket only."
    } else {
        ""
    };
    let wait = match call.longest_wait {
        Some(longest) => format!(" A wait is cut to {} s.", longest.as_secs()),
        None => String::new(),
    };
    let tag = bold(&format!("{} {}", call.method, call.path));
    tagged(
        &tag,
        &[
            &format!("{}{wait}", call.summary),
            &format!("{right}{place}"),
        ],
    )
}
