//! `walinkd qr`: the QR code in the terminal, until a phone has scanned it.

use super::{
    failure::Failure,
    screen::{self, plain, say},
    step,
};
use crate::{
    client::{Client, Error},
    files,
    picture::{Drawing, Ink, QUIET, Symbol},
    wire::{Code, QrCodeBody, State, Status},
};
use std::{
    fmt::Display,
    path::{self, Path, PathBuf},
    time::Duration,
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Write it to a PNG file instead, anew at each change
    #[arg(long, value_name = "FILE", group = "form")]
    png: Option<PathBuf>,
    /// Write it to an SVG file instead, anew at each change
    #[arg(long, value_name = "FILE", group = "form")]
    svg: Option<PathBuf>,
    /// Print the text of the QR code instead of drawing it
    #[arg(long, group = "form")]
    raw: bool,
    /// Show the present one and do not wait for the phone
    #[arg(long)]
    no_wait: bool,
}

/// The first QR code of a fresh daemon takes a connection to WhatsApp.
const FIRST: Duration = Duration::from_secs(10);
/// How long the daemon holds an answer when nothing changes.
pub(super) const WATCH: Duration = Duration::from_secs(30);

/// Between two looks at whether a small window was enlarged.
const LOOK: Duration = Duration::from_secs(1);

const HOW: &str = "Scan it: WhatsApp > Linked devices > Link a device.";

pub(super) async fn run(client: &Client, arguments: &Arguments) -> Result<(), Failure> {
    let failed = |error| Failure::call("qr", error);
    let mut status = client.status().await.map_err(failed)?.data;
    if status.jid.is_some() && status.state != State::Linking {
        return Err(Failure::new(
            "qr",
            format!("already linked{}", named(&status)),
            "unlink first with walinkd disconnect, or walinkd pair PHONE --replace",
        ));
    }
    if arguments.no_wait {
        may_come_now(&status)?;
        return match client.qr(FIRST).await {
            Ok(answer) => Screen::new(arguments.form()).show(&answer.data),
            Err(Error::Refused { problem, .. }) if problem.code == Code::NoQrCode => {
                let status = client.status().await.map_err(failed)?.data;
                may_come_now(&status)?;
                let hint = "try again, or leave out --no-wait to be told when it comes";
                Err(Failure::new("qr", why_none(&status), hint))
            }
            Err(error) => Err(failed(error)),
        };
    }
    let mut screen = Screen::new(arguments.form());
    loop {
        if status.is_connected {
            return screen.done(&format!("Linked{}", named(&status)));
        }
        if status.jid.is_none() {
            may_come(&status)?;
        }
        if status.has_qr_code {
            match client.qr(Duration::ZERO).await {
                Ok(answer) => screen.show(&answer.data)?,
                // It ran out between the two calls.
                Err(Error::Refused { problem, .. }) if problem.code == Code::NoQrCode => {}
                Err(error) => return Err(failed(error)),
            }
        } else {
            screen.note(&status);
        }
        let wait = if screen.cramped { LOOK } else { WATCH };
        let next = client.status_after(status.generation, wait).await;
        status = next.map_err(failed)?.data;
    }
}

/// ` as 62812*****89`, when the number is known.
pub(super) fn named(status: &Status) -> String {
    match &status.phone_number {
        Some(digits) => format!(" as {}", screen::number(digits, false)),
        None => String::new(),
    }
}

/// Refuses when no QR code will come by itself.
fn may_come(status: &Status) -> Result<(), Failure> {
    let (why, hint) = match status.state {
        State::WaitingCode => (
            format!("the daemon waits for a pairing code{}", {
                let number = named(status);
                number.replace(" as ", " for ")
            }),
            "enter that code on the phone (walinkd pair PHONE shows it), or go back to the \
             configured way with walinkd disconnect",
        ),
        State::Paused => ("the daemon is paused".to_owned(), "walinkd resume"),
        State::Stopping => ("the daemon is stopping".to_owned(), "start it again"),
        _ => return Ok(()),
    };
    Err(Failure::new("qr", why, hint))
}

/// As [`may_come`], for who does not wait for the end of the passkey step.
fn may_come_now(status: &Status) -> Result<(), Failure> {
    if status.state == State::WaitingPasskey {
        let why = "a code has been scanned, and WhatsApp asks for the account's passkey";
        return Err(Failure::new("qr", why, "run walinkd passkey"));
    }
    may_come(status)
}

/// Why there is nothing to scan just now.
fn why_none(status: &Status) -> String {
    match (&status.reason, status.state) {
        (_, State::WaitingPasskey) => step::ASKED.to_owned(),
        (_, State::Linking) => "the phone has accepted, logging in".to_owned(),
        (Some(reason), _) => format!("no QR code yet, {}", plain(&reason.message)),
        (None, state) => format!("no QR code yet, {state}"),
    }
}

/// How a code is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    Drawn,
    Raw,
    Png(PathBuf),
    Svg(PathBuf),
}

impl Arguments {
    fn form(&self) -> Form {
        match (&self.png, &self.svg) {
            (Some(file), _) => Form::Png(file.clone()),
            (None, Some(file)) => Form::Svg(file.clone()),
            (None, None) if self.raw => Form::Raw,
            (None, None) => Form::Drawn,
        }
    }
}

fn symbol(text: &str) -> Result<Symbol, Failure> {
    Symbol::new(text, QUIET).map_err(|error| unreadable(&error))
}

fn unreadable(error: &dyn Display) -> Failure {
    Failure::new("qr", error, "take its text from walinkd qr --raw")
}

/// In place of what is there, so that who looks never sees half of it.
fn write(file: &Path, picture: &[u8], qr: &QrCodeBody) -> Result<(), Failure> {
    let whole = path::absolute(file);
    let written = whole.and_then(|whole| files::replace(&whole, picture));
    let named = plain(&file.to_string_lossy());
    written.map_err(|error| {
        let what = format!("qr: cannot write {named}");
        Failure::new(what, error, "name a file that you may write")
    })?;
    say(&format!(
        "Written to {named}. {HOW} Good for {}.",
        plain(&qr.expires_in)
    ))
}

/// What is on the screen of it all.
struct Screen {
    form: Form,
    /// Draws over what it drew before.
    terminal: bool,
    /// What stands above the cursor.
    drawn: String,
    shown: String,
    /// The window has no room for the drawing.
    cramped: bool,
    noted: Option<State>,
}

impl Screen {
    fn new(form: Form) -> Self {
        Self {
            form,
            terminal: screen::is_terminal(),
            drawn: String::new(),
            shown: String::new(),
            cramped: false,
            noted: None,
        }
    }

    fn show(&mut self, qr: &QrCodeBody) -> Result<(), Failure> {
        if qr.qr_code == self.shown && !self.cramped {
            return Ok(());
        }
        self.shown.clone_from(&qr.qr_code);
        self.noted = None;
        let drawing = match &self.form {
            Form::Raw => return say(&plain(&qr.qr_code)),
            Form::Png(file) => {
                let png = symbol(&qr.qr_code)?.png(None);
                return write(file, &png.map_err(|error| unreadable(&error))?, qr);
            }
            Form::Svg(file) => {
                return write(file, symbol(&qr.qr_code)?.svg(None).as_bytes(), qr);
            }
            Form::Drawn => draw(&qr.qr_code, screen::ink()),
        };
        let refusal = screen::window().and_then(|window| no_room(&drawing, window));
        self.cramped = refusal.is_some();
        let mut text = refusal.unwrap_or(drawing);
        text.push_str(&format!("\n{HOW} Good for {}.", plain(&qr.expires_in)));
        let erase = self.erase();
        self.drawn = text;
        say(&format!("{erase}{}", self.drawn))
    }

    /// Takes the cursor back to where the last drawing began, as the window is
    /// now.
    fn erase(&mut self) -> String {
        let drawn = std::mem::take(&mut self.drawn);
        if !self.terminal || drawn.is_empty() {
            return String::new();
        }
        let rows = rows(&drawn, screen::window().map(|window| window.0));
        format!("\x1b[{rows}A\x1b[J")
    }

    /// Tells once why there is nothing to scan. On standard error, so that
    /// `--raw` stays what it is.
    fn note(&mut self, status: &Status) {
        if self.noted.replace(status.state) == Some(status.state) {
            return;
        }
        self.drawn.clear();
        self.cramped = false;
        screen::complain(&format!("walinkd: qr: {}", why_none(status)));
    }

    fn done(&mut self, text: &str) -> Result<(), Failure> {
        let erase = self.erase();
        say(&format!("{erase}{text}"))
    }
}

/// What to say instead of a drawing for which the window has no room, with the
/// caption and the cursor below it: a phone cannot read one that is torn.
fn no_room(drawing: &str, (columns, lines): (usize, usize)) -> Option<String> {
    let width = drawing.lines().map(columns_of).max().unwrap_or_default();
    let height = drawing.lines().count() + 2;
    (width > columns || height > lines).then(|| {
        format!(
            "The window is {columns}x{lines}, the code needs {width}x{height}: enlarge it or zoom out."
        )
    })
}

/// Rows of the screen that a text takes; longer lines wrap at `columns`.
fn rows(text: &str, columns: Option<usize>) -> usize {
    let row = |line| match columns {
        Some(columns) if columns > 0 => columns_of(line).div_ceil(columns).max(1),
        _ => 1,
    };
    text.lines().map(row).sum()
}

/// Columns of a line, without the escape codes in it.
fn columns_of(line: &str) -> usize {
    let mut parts = line.split('\x1b');
    let first = parts.next().unwrap_or_default().chars().count();
    let rest = parts.map(|part| part.split_once('m').map_or(part, |(_, text)| text));
    first + rest.map(|text| text.chars().count()).sum::<usize>()
}

/// What there is to scan, as a terminal shows it.
pub(super) fn draw(text: &str, ink: Ink) -> String {
    match Symbol::new(text, QUIET) {
        Ok(symbol) => Drawing::Half.draw(&symbol, ink),
        Err(error) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_without_room_is_told() {
        let drawing = draw("2@WsYovQD+qnbgd1tsGtBKn2N9ZBo96rx,a,b,c", Ink::Colour);
        let width = drawing.lines().map(columns_of).max().expect("a drawing");
        let height = drawing.lines().count() + 2;
        assert_eq!(no_room(&drawing, (width, height)), None);
        for (columns, lines) in [(width - 1, height), (width, height - 1)] {
            let said = no_room(&drawing, (columns, lines)).expect("a refusal");
            let begins =
                format!("The window is {columns}x{lines}, the code needs {width}x{height}:");
            assert!(said.starts_with(&begins), "{said}");
        }
    }

    #[test]
    fn wrapped_lines_count_as_the_rows_they_take() {
        let coloured = "\x1b[38;5;16m12\x1b[1m345\x1b[0m";
        let text = format!("{coloured}\n\n1234");
        assert_eq!(rows(&text, None), 3);
        assert_eq!(rows(&text, Some(5)), 3);
        assert_eq!(rows(&text, Some(3)), 2 + 1 + 2);
        assert!(HOW.len() + " Good for 160 seconds.".len() < 80);
    }
}
