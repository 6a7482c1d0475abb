//! `walinkd status`: the connection at a glance.

use super::{
    failure::Failure,
    screen::{self, Paint, moment, paint, plain, say},
};
use crate::{
    client::Client,
    wire::{KeyInfo, State, Status, Timestamp},
};
use std::fmt;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print the API's answer
    #[arg(long)]
    json: bool,
    /// Show the phone number in full
    #[arg(long)]
    show_number: bool,
}

pub(super) async fn run(client: &Client, arguments: &Arguments) -> Result<(), Failure> {
    let answer = client.status().await;
    let answer = answer.map_err(|error| Failure::call("status", error))?;
    if arguments.json {
        say(&answer.body)?;
    } else {
        let view = View {
            show_number: arguments.show_number,
            colour: screen::has_colour(),
            window: screen::window(),
            now: Timestamp::now(),
        };
        let doors = Doors::of(client).await;
        say(&format!("{}{doors}", view.render(&answer.data)))?;
    }
    if answer.data.is_connected {
        Ok(())
    } else {
        Err(Failure::other_state())
    }
}

/// Where the daemon is reached, and by whom. Beside the status: what is refused is
/// left out.
struct Doors {
    listeners: Vec<String>,
    keys: Vec<KeyInfo>,
}

impl Doors {
    async fn of(client: &Client) -> Self {
        let listeners = client.listeners().await;
        let keys = client.keys().await;
        Self {
            listeners: listeners.map(|answer| answer.data).unwrap_or_default(),
            keys: keys.map(|answer| answer.data).unwrap_or_default(),
        }
    }
}

impl fmt::Display for Doors {
    /// Lines that go on where the status has ended.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in &self.listeners {
            let line = labelled("listens", &plain(place), screen::window());
            write!(f, "\n{line}")?;
        }
        let keys: Vec<String> = self.keys.iter().map(key).collect();
        if !keys.is_empty() {
            let line = labelled("keys", &keys.join(", "), screen::window());
            write!(f, "\n{line}")?;
        }
        Ok(())
    }
}

/// `dashboard (read)`.
fn key(key: &KeyInfo) -> String {
    let over = if key.expired { ", is over" } else { "" };
    format!("{} ({}{over})", plain(&key.name), key.scope)
}

/// How the status is shown.
pub(super) struct View {
    pub(super) show_number: bool,
    pub(super) colour: bool,
    pub(super) window: Option<(usize, usize)>,
    pub(super) now: Timestamp,
}

/// `    state: connected`, with what does not fit below.
fn labelled(label: &str, text: &str, window: Option<(usize, usize)>) -> String {
    format!("{label:>9}: {}", screen::hanging(text, 11, window))
}

impl View {
    pub(super) fn render(&self, status: &Status) -> String {
        let mut lines = Vec::new();
        let mut line = |label: &str, text: &str| {
            if !text.is_empty() {
                lines.push(labelled(label, text, self.window));
            }
        };
        for warning in &status.health {
            line(
                "warning",
                &paint(&plain(warning), Paint::Yellow, self.colour),
            );
        }
        let (words, shade) = in_words(status);
        let since = moment(status.state_since, self.now);
        line(
            "state",
            &format!("{}, since {since}", paint(words, shade, self.colour)),
        );
        if let Some(reason) = &status.reason {
            line("reason", &plain(&reason.message));
        }
        if let Some(action) = &status.user_action {
            line("to do", &paint(&plain(action), Paint::Bold, self.colour));
        }
        if let Some(digits) = &status.phone_number {
            line("number", &screen::number(digits, self.show_number));
        }
        line(
            "name",
            &plain(status.push_name.as_deref().unwrap_or_default()),
        );
        let at = |at: Option<Timestamp>| at.map(|at| moment(at, self.now)).unwrap_or_default();
        line("heard", &at(status.last_heard_at));
        if let Some(end) = &status.last_disconnect {
            let when = moment(end.at, self.now);
            line("last end", &format!("{}, {when}", plain(&end.message)));
        }
        if let Some(next) = status.next_attempt_at {
            let attempts = match status.attempts {
                0 => String::new(),
                1 => ", after 1 attempt".to_owned(),
                more => format!(", after {more} attempts"),
            };
            line("next try", &format!("{}{attempts}", moment(next, self.now)));
        }
        let started = moment(status.started_at, self.now);
        line(
            "version",
            &format!("{}, started {started}", plain(&status.version)),
        );
        lines.join("\n")
    }
}

/// The state for people, and how good that is.
pub(super) fn in_words(status: &Status) -> (&'static str, Paint) {
    match status.state {
        State::Starting => ("starting", Paint::Yellow),
        State::Connecting => ("connecting to WhatsApp", Paint::Yellow),
        State::WaitingQr => ("not linked, a QR code waits to be scanned", Paint::Yellow),
        State::WaitingCode => (
            "not linked, a pairing code waits to be entered",
            Paint::Yellow,
        ),
        State::WaitingPasskey => (
            "not linked, in the passkey step that WhatsApp asks for",
            Paint::Yellow,
        ),
        State::Linking => ("a phone has accepted, logging in", Paint::Yellow),
        State::Connected => ("connected", Paint::Green),
        State::Degraded => ("linked, but WhatsApp does not answer", Paint::Red),
        State::Reconnecting => ("linked, reconnecting", Paint::Red),
        State::Idle => ("not linked, nobody is asking for a code", Paint::Yellow),
        State::Paused if status.jid.is_some() => ("paused, the link is kept", Paint::Yellow),
        State::Paused => ("paused", Paint::Yellow),
        State::LoggedOut => ("logged out", Paint::Red),
        State::Replaced => ("the linked device is in use elsewhere", Paint::Red),
        State::Banned => ("WhatsApp has banned the account for some time", Paint::Red),
        State::Outdated => ("WhatsApp no longer accepts this version", Paint::Red),
        State::Stopping => ("stopping", Paint::Yellow),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Disconnection, Reason};

    const NOW: Timestamp = Timestamp::from_millis(1_766_811_600_000);

    fn status() -> Status {
        Status {
            is_connected: false,
            has_qr_code: false,
            has_pairing_code: false,
            phone_number: Some("6281234567889".to_owned()),
            last_qr_update: None,
            last_pairing_update: None,
            state: State::Reconnecting,
            state_since: NOW.plus_millis(-60_000),
            reason: Some(Reason {
                code: "network".to_owned(),
                message: "the network is\x1b[2J gone".to_owned(),
            }),
            user_action: Some("Check the network.".to_owned()),
            jid: Some("6281234567889:3@s.whatsapp.net".to_owned()),
            push_name: Some("Ana".to_owned()),
            last_heard_at: Some(NOW.plus_millis(-70_000)),
            last_disconnect: Some(Disconnection {
                code: "network".to_owned(),
                message: "the connection was cut".to_owned(),
                at: NOW.plus_millis(-60_000),
            }),
            next_attempt_at: Some(NOW.plus_millis(4_000)),
            attempts: 2,
            health: vec!["the link is down".to_owned()],
            generation: 7,
            started_at: NOW.plus_millis(-7_200_000),
            version: "0.1.0".to_owned(),
        }
    }

    fn view(show_number: bool, colour: bool) -> String {
        let view = View {
            show_number,
            colour,
            window: None,
            now: NOW,
        };
        view.render(&status())
    }

    #[test]
    fn warnings_come_first_and_the_number_is_masked() {
        assert_eq!(
            view(false, false),
            "  warning: the link is down
    state: linked, reconnecting, since 2025-12-27 04:59:00 UTC (1 min ago)
   reason: the network is [2J gone
    to do: Check the network.
   number: 62812******89
     name: Ana
    heard: 2025-12-27 04:58:50 UTC (1 min ago)
 last end: the connection was cut, 2025-12-27 04:59:00 UTC (1 min ago)
 next try: 2025-12-27 05:00:04 UTC (in 4 s), after 2 attempts
  version: 0.1.0, started 2025-12-27 03:00:00 UTC (2 h 0 min ago)"
        );
    }

    #[test]
    fn the_number_and_colours_come_only_when_wanted() {
        assert!(view(true, false).contains("number: 6281234567889"));
        let coloured = view(false, true);
        assert!(coloured.contains("\x1b[31mlinked, reconnecting\x1b[0m"));
        assert!(!coloured.contains("6281234567889"));
    }
}
