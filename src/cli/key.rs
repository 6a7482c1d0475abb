//! `walinkd key`: API keys, made and removed while the daemon runs.

use super::{
    failure::Failure,
    screen::{Form, complain, plain, say},
};
use crate::{
    client::Client,
    wire::{KeyInfo, KeyRequest, KeySource, Scope},
};
use clap::{Subcommand, ValueEnum};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a key and print it, this once
    ///
    /// The key goes to standard output and nothing else does, for KEY=$(walinkd key add
    /// NAME). Only its SHA-256 is kept.
    #[command(after_help = "Example: KEY=$(walinkd key add dashboard --expires 2027-12-31)")]
    Add {
        /// What the log calls the key
        name: String,
        /// What it may do: read is GET, manage is everything
        #[arg(long, value_enum, default_value_t = Right::Read)]
        scope: Right,
        /// The last day, 2027-01-01, in UTC, or a moment, 2027-01-01T12:00:00Z
        #[arg(long, value_name = "DATE")]
        expires: Option<String>,
        /// Print the API's answer, which holds the key
        #[arg(long)]
        json: bool,
    },
    /// List the keys: their names, never the keys themselves
    #[command(after_help = "Example: walinkd key list")]
    List {
        /// Print the API's answer
        #[arg(long)]
        json: bool,
    },
    /// Remove a key; what waits with it ends
    ///
    /// Keys in the configuration, the environment or a credential are removed there.
    #[command(after_help = "Example: walinkd key remove dashboard")]
    Remove {
        /// The key's name
        name: String,
        #[command(flatten)]
        form: Form,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Right {
    Read,
    Manage,
}

pub(super) async fn run(client: &Client, arguments: Arguments) -> Result<(), Failure> {
    match arguments.verb {
        Verb::Add {
            name,
            scope,
            expires,
            json,
        } => {
            let scope = match scope {
                Right::Read => Scope::Read,
                Right::Manage => Scope::Manage,
            };
            let request = KeyRequest {
                name,
                scope,
                expires,
            };
            let added = client.add_key(&request).await;
            let answer = added.map_err(|error| Failure::call("key add", error))?;
            if json {
                return say(&answer.body);
            }
            let made = answer.data.data.ok_or_else(|| {
                let hint =
                    "walinkd key remove it, and see what the daemon says: journalctl -u walinkd";
                Failure::new("key add", "the answer holds no key", hint)
            })?;
            complain(&plain(&answer.data.message));
            say(&made.key)
        }
        Verb::List { json } => {
            let listed = client.keys().await;
            let answer = listed.map_err(|error| Failure::call("key list", error))?;
            if json {
                return say(&answer.body);
            }
            say(&table(&answer.data))
        }
        Verb::Remove { name, form } => {
            let removed = client.remove_key(&name).await;
            let answer = removed.map_err(|error| Failure::call("key remove", error))?;
            if form.json {
                return say(&answer.body);
            }
            say(&plain(&answer.data.message))
        }
    }
}

fn table(keys: &[KeyInfo]) -> String {
    if keys.is_empty() {
        return "no API keys: make one with walinkd key add NAME".to_owned();
    }
    let mut lines = vec![row("NAME", "SCOPE", "FROM", "EXPIRES")];
    for key in keys {
        let from = match key.source {
            KeySource::Configuration => "file",
            KeySource::Environment => "environment",
            KeySource::Credential => "credential",
            KeySource::Added => "key add",
            KeySource::FirstStart => "first start",
        };
        let expires = match key.expires {
            Some(at) if key.expired => format!("{at}, is over"),
            Some(at) => at.to_string(),
            None => "never".to_owned(),
        };
        let scope = key.scope.to_string();
        lines.push(row(&plain(&key.name), &scope, from, &expires));
    }
    lines.join("\n")
}

fn row(name: &str, scope: &str, from: &str, expires: &str) -> String {
    format!("{name:<24} {scope:<7} {from:<12} {expires}")
}
