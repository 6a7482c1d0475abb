//! What may be written to the terminal, and how.

use super::{card::Sheet, failure::Failure};
use crate::{
    picture::Ink,
    wire::{PhoneNumber, Timestamp},
};
use std::{
    env,
    io::{self, IsTerminal as _, Write as _},
};

/// Narrower than this nothing can be told.
const NARROWEST: usize = 8;

/// Writes to standard output.
pub(super) fn say(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")
        .and_then(|()| out.flush())
        .map_err(|error| Failure::output(&error))
}

/// Writes to standard output what is no line: orders to the terminal.
pub(super) fn send(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Writes sentences to standard error.
#[expect(clippy::print_stderr, reason = "the one place that does")]
pub(super) fn complain(text: &str) {
    match terminal_size::terminal_size_of(io::stderr()) {
        Some((columns, _)) => eprintln!("{}", wrapped(text, columns.0.into())),
        None => eprintln!("{text}"),
    }
}

/// How the answer to an order is told.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Form {
    /// Print the API's answer
    #[arg(long)]
    pub(super) json: bool,
}

/// True when standard output is a screen, which can be drawn over.
pub(super) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Columns and lines of the screen, when standard output is one.
pub(super) fn window() -> Option<(usize, usize)> {
    let (columns, lines) = terminal_size::terminal_size_of(io::stdout())?;
    Some((columns.0.into(), lines.0.into()))
}

/// True when colours are welcome: <https://no-color.org>.
pub(super) fn has_colour() -> bool {
    let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    is_terminal() && !refused
}

/// True when what stands there can be drawn over.
pub(super) fn is_live() -> bool {
    is_terminal() && env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// What can be drawn on standard output. Where that is no terminal nobody knows
/// who will look at it, and it is taken for a good one.
pub(super) fn sheet() -> Sheet {
    Sheet {
        window: window(),
        utf8: !is_terminal() || has_utf8(),
        ink: if has_colour() {
            Ink::Colour
        } else {
            Ink::Plain
        },
    }
}

/// The locale's characters: the first of these variables that is set decides,
/// see locale(7).
fn has_utf8() -> bool {
    let told = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter();
    let mut told = told.filter_map(|name| env::var(name).ok());
    let locale = told.find(|value| !value.is_empty()).unwrap_or_default();
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

/// A select graphic rendition around a text, where colours are welcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paint {
    Bold,
    Red,
    Green,
    Yellow,
}

pub(super) fn paint(text: &str, paint: Paint, colour: bool) -> String {
    let code = match paint {
        _ if !colour => return text.to_owned(),
        Paint::Bold => "1",
        Paint::Red => "31",
        Paint::Green => "32",
        Paint::Yellow => "33",
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}

/// Text that came over the network, without what steers a terminal.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// Broken at blanks into lines of at most `columns`.
pub(super) fn wrapped(text: &str, columns: usize) -> String {
    let columns = columns.max(NARROWEST);
    let mut lines = Vec::new();
    for text in text.lines() {
        let (mut line, mut width) = (String::new(), 0);
        for word in text.split_whitespace() {
            let length = word.chars().count();
            if width > 0 && width + 1 + length > columns {
                lines.push(std::mem::take(&mut line));
                width = 0;
            }
            if width > 0 {
                line.push(' ');
                width += 1;
            }
            line.push_str(word);
            width += length;
        }
        lines.push(line);
    }
    lines.join("\n")
}

/// A text that stands behind a label of so many columns, and goes on below itself.
pub(super) fn hanging(text: &str, label: usize, window: Option<(usize, usize)>) -> String {
    match window {
        Some((columns, _)) => {
            wrapped(text, columns.saturating_sub(label)).replace('\n', &format!("\n{:label$}", ""))
        }
        None => text.to_owned(),
    }
}

/// A number as the screen shows it: masked unless asked otherwise.
pub(super) fn number(digits: &str, whole: bool) -> String {
    match PhoneNumber::parse(digits) {
        Ok(phone) if !whole => phone.to_string(),
        Ok(phone) => phone.digits().to_owned(),
        Err(_) => "***".to_owned(),
    }
}

/// `2026-11-22 14:03:11 UTC (25 min ago)`.
pub(super) fn moment(at: Timestamp, now: Timestamp) -> String {
    let clock = clock(at);
    let away = now.millis().saturating_sub(at.millis());
    let span = span(away.unsigned_abs());
    if away >= 0 {
        format!("{clock} ({span} ago)")
    } else {
        format!("{clock} (in {span})")
    }
}

/// `2026-11-22 14:03:11 UTC`.
pub(super) fn clock(at: Timestamp) -> String {
    let text = at.to_string();
    let (day, time) = text.split_once('T').unwrap_or((&text, ""));
    let time = time.split('.').next().unwrap_or_default();
    format!("{day} {time} UTC")
}

/// The largest unit tells enough, and the next one up to hours.
fn span(millis: u64) -> String {
    let seconds = millis / 1000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_in_utc_and_from_now() {
        let at = Timestamp::from_millis(1_766_811_600_000);
        for (away, said) in [
            (1_000, "(1 s ago)"),
            (90_000, "(1 min ago)"),
            (5_400_000, "(1 h 30 min ago)"),
            (180_000_000, "(2 d 2 h ago)"),
            (-12_000, "(in 12 s)"),
        ] {
            let text = moment(at, at.plus_millis(away));
            assert_eq!(text, format!("2025-12-27 05:00:00 UTC {said}"));
        }
    }

    #[test]
    fn lines_are_broken_where_the_window_ends() {
        assert_eq!(wrapped("a bb  ccc dddd", 8), "a bb ccc\ndddd");
        assert_eq!(wrapped("averylongword b", 3), "averylongword\nb");
        assert_eq!(wrapped("one\n\ntwo three", 8), "one\n\ntwo\nthree");
        let window = Some((14, 24));
        assert_eq!(hanging("one two three", 4, window), "one two\n    three");
        assert_eq!(hanging("one  two three", 4, None), "one  two three");
    }

    #[test]
    fn foreign_text_cannot_steer_the_terminal() {
        assert_eq!(plain("a\x1b[2Jb\nc\u{9b}d"), "a [2Jb c d");
    }

    #[test]
    fn numbers_are_masked_unless_asked() {
        assert_eq!(number("6281234567889", false), "62812******89");
        assert_eq!(number("6281234567889", true), "6281234567889");
        assert_eq!(number("x\x1b", true), "***");
    }
}
