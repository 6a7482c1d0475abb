//! `walinkd webhook`: where events are sent, and whether they arrive.

use super::{
    failure::Failure,
    screen::{self, moment, plain, say},
};
use crate::{
    client::Client,
    wire::{Timestamp, WebhookInfo, WebhookTested, is_key_name},
};
use clap::Subcommand;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the webhooks: what waits, what has failed
    #[command(after_help = "Example: walinkd webhook list")]
    List {
        /// Print the API's answer
        #[arg(long)]
        json: bool,
    },
    /// Send a test to one webhook or to all, at once
    ///
    /// Exits with 1 when a receiver does not take it, and says why. The test has the
    /// type webhook.test, and passes what waits.
    #[command(after_help = "Example: walinkd webhook test shop")]
    Test {
        /// The webhook's name
        #[arg(value_parser = name)]
        name: Option<String>,
        /// Print the API's answer
        #[arg(long)]
        json: bool,
    },
    /// End the pause of one webhook or of all
    ///
    /// What the journal still has is sent then, in order. Those that wait after a
    /// failure are tried at once.
    #[command(after_help = "Example: walinkd webhook resume shop")]
    Resume {
        /// The webhook's name
        #[arg(value_parser = name)]
        name: Option<String>,
        /// Print the API's answer
        #[arg(long)]
        json: bool,
    },
}

fn name(text: &str) -> Result<String, String> {
    if is_key_name(text) {
        return Ok(text.to_owned());
    }
    Err(
        "a name has 1 to 63 letters, digits and - _ . @: walinkd webhook list shows them"
            .to_owned(),
    )
}

pub(super) async fn run(client: &Client, arguments: Arguments) -> Result<(), Failure> {
    match arguments.verb {
        Verb::List { json } => {
            let listed = client.webhooks().await;
            let answer = listed.map_err(|error| Failure::call("webhook list", error))?;
            if json {
                return say(&answer.body);
            }
            say(&list(&answer.data, Timestamp::now()))
        }
        Verb::Test { name, json } => {
            let tested = client.test_webhooks(name.as_deref()).await;
            let answer = tested.map_err(|error| Failure::call("webhook test", error))?;
            if json {
                say(&answer.body)?;
            } else {
                for one in &answer.data {
                    say(&outcome(one))?;
                }
            }
            if answer.data.iter().all(|one| one.delivered) {
                return Ok(());
            }
            let failed = answer.data.iter().filter(|one| !one.delivered).count();
            Err(Failure::new(
                "webhook test",
                format!("{failed} of {} did not take it", answer.data.len()),
                "look at the receiver, its address and its secret",
            ))
        }
        Verb::Resume { name, json } => {
            let resumed = client.resume_webhooks(name.as_deref()).await;
            let answer = resumed.map_err(|error| Failure::call("webhook resume", error))?;
            if json {
                return say(&answer.body);
            }
            say(&plain(&answer.data.message))
        }
    }
}

fn outcome(tested: &WebhookTested) -> String {
    let told = match (&tested.error, tested.status) {
        (Some(error), _) => plain(error),
        (None, Some(status)) => format!("taken, the receiver answered {status}"),
        (None, None) => "taken".to_owned(),
    };
    format!("{}: {told}", plain(&tested.name))
}

fn list(webhooks: &[WebhookInfo], now: Timestamp) -> String {
    if webhooks.is_empty() {
        return "no webhooks: each is a table [[webhook]] of the configuration".to_owned();
    }
    let blocks: Vec<String> = webhooks.iter().map(|webhook| block(webhook, now)).collect();
    blocks.join("\n")
}

fn block(webhook: &WebhookInfo, now: Timestamp) -> String {
    let state = match (webhook.paused, webhook.next_attempt_at) {
        (true, _) => format!("paused: walinkd webhook resume {}", plain(&webhook.name)),
        (false, Some(at)) => format!("failing, tried again {}", moment(at, now)),
        (false, None) if webhook.backlog > 0 => "sending".to_owned(),
        (false, None) => "waiting for events".to_owned(),
    };
    let mut lines = vec![
        plain(&webhook.name),
        line("url", &plain(&webhook.url)),
        line("events", &plain(&webhook.events.join(", "))),
        line("state", &state),
        line("backlog", &format!("{} events", webhook.backlog)),
    ];
    let at = |at: Option<Timestamp>| at.map_or("never".to_owned(), |at| moment(at, now));
    lines.push(line("taken", &at(webhook.last_success_at)));
    if let Some(failure) = &webhook.last_failure {
        let told = format!("{}: {}", moment(failure.at, now), plain(&failure.message));
        lines.push(line("failed", &told));
    }
    lines.join("\n")
}

fn line(name: &str, value: &str) -> String {
    let value = screen::hanging(value, 11, screen::window());
    format!("  {name:<9}{value}")
}
