//! `walinkd wait`: block until the connection stands as wanted.

use super::{failure::Failure, status::in_words};
use crate::{
    client::{Client, Error},
    config,
    wire::{State, Status},
};
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Longer than anybody waits; what a duration cannot hold is not asked for.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);
/// How long one call is held; the daemon cuts a longer one.
const HELD: Duration = Duration::from_secs(30);
/// Before a daemon that went away is looked for again.
const PAUSE: Duration = Duration::from_millis(200);

const CONNECTED: &str = "connected";
const UNLINKED: &str = "unlinked";

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// What to wait for: connected, unlinked (no device is linked), or a state as in
    /// walinkd status --json
    #[arg(
        long = "for",
        value_name = "STATE",
        default_value = CONNECTED,
        value_parser = PossibleValuesParser::new(words()).map(|word| Goal::of(&word)),
    )]
    goal: Goal,
    /// How long at most, such as 500ms, 60s or 1h30m; 0s looks once
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = time)]
    timeout: Duration,
}

fn time(text: &str) -> Result<Duration, String> {
    config::duration_up_to(text, LONGEST)
}

/// All but `idle`, which ends when somebody asks, so that it never comes to one
/// who waits.
fn words() -> Vec<&'static str> {
    let states = State::ALL.into_iter();
    let states = states.filter(|state| ![State::Idle, State::Connected].contains(state));
    [CONNECTED, UNLINKED]
        .into_iter()
        .chain(states.map(State::as_str))
        .collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goal {
    Connected,
    Unlinked,
    State(State),
}

impl Goal {
    fn of(word: &str) -> Self {
        let state = State::ALL.into_iter().find(|state| state.as_str() == word);
        match (word, state) {
            (CONNECTED, _) => Self::Connected,
            (_, Some(state)) => Self::State(state),
            _ => Self::Unlinked,
        }
    }

    fn holds(self, status: &Status) -> bool {
        match self {
            Self::Connected => status.is_connected,
            Self::Unlinked => status.jid.is_none(),
            Self::State(state) => status.state == state,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Connected => CONNECTED,
            Self::Unlinked => UNLINKED,
            Self::State(state) => state.as_str(),
        }
    }
}

pub(super) async fn run(client: &Client, arguments: &Arguments) -> Result<(), Failure> {
    let goal = arguments.goal;
    // Without a daemon to begin with it is as with any other verb.
    let first = client.status().await.map_err(failed)?.data;
    if goal.holds(&first) {
        return Ok(());
    }
    let mut last = Some(first);
    match timeout(arguments.timeout, reach(client, goal, &mut last)).await {
        Ok(reached) => reached,
        Err(_) => {
            let stands = match &last {
                Some(status) => format!("it is {}", in_words(status).0),
                None => "the daemon is away".to_owned(),
            };
            let why = format!("not {} in time, {stands}", goal.as_str());
            Err(Failure::not_reached(
                "wait",
                why,
                "see walinkd status, or give a longer --timeout",
            ))
        }
    }
}

/// Ends when the goal is reached; `last` is how things stood when last seen.
async fn reach(client: &Client, goal: Goal, last: &mut Option<Status>) -> Result<(), Failure> {
    loop {
        let answer = match last {
            Some(status) => client.status_after(status.generation, HELD).await,
            None => client.status().await,
        };
        match answer {
            Ok(answer) if goal.holds(&answer.data) => return Ok(()),
            Ok(answer) => *last = Some(answer.data),
            Err(error) if is_refusal(&error) => return Err(failed(error)),
            Err(_) => {
                *last = None;
                sleep(PAUSE).await;
            }
        }
    }
}

/// What another try does not mend; a daemon that stops or is away comes back.
fn is_refusal(error: &Error) -> bool {
    match error {
        Error::Refused { status, .. } => *status != 503,
        Error::Closed { .. } => true,
        Error::NoDaemon { .. } | Error::Broken(_) | Error::Silent | Error::Strange(_) => false,
    }
}

fn failed(error: Error) -> Failure {
    Failure::call("wait", error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_a_goal_of_its_own_name() {
        for word in words() {
            assert_eq!(Goal::of(word).as_str(), word);
        }
        assert!(!words().contains(&"idle"));
    }
}
