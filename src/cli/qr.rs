//! `walinkd qr`: the QR code in the terminal, until a phone has scanned it.

use super::{
    failure::Failure,
    screen::{self, plain, say},
    step,
};
use crate::{
    client::{Client, Error},
    wire::{Code, QrCodeBody, State, Status},
};
use qrcode::{Color, EcLevel, QrCode};
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print the text of the QR code instead of drawing it
    #[arg(long)]
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
            Ok(answer) => Screen::new(arguments.raw).show(&answer.data),
            Err(Error::Refused { problem, .. }) if problem.code == Code::NoQrCode => {
                let status = client.status().await.map_err(failed)?.data;
                may_come_now(&status)?;
                let hint = "try again, or leave out --no-wait to be told when it comes";
                Err(Failure::new("qr", why_none(&status), hint))
            }
            Err(error) => Err(failed(error)),
        };
    }
    let mut screen = Screen::new(arguments.raw);
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

/// What is on the screen of it all.
struct Screen {
    raw: bool,
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
    fn new(raw: bool) -> Self {
        Self {
            raw,
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
        if self.raw {
            return say(&plain(&qr.qr_code));
        }
        let drawing = draw(&qr.qr_code, screen::has_colour());
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

/// Columns of a line, without the colours that [`draw`] puts around it.
fn columns_of(line: &str) -> usize {
    let line = line.strip_prefix(COLOUR).unwrap_or(line);
    let line = line.strip_suffix(NO_COLOUR).unwrap_or(line);
    line.chars().count()
}

/// Black on white out of the colour cube, which no theme changes.
const COLOUR: &str = "\x1b[38;5;16;48;5;231m";
const NO_COLOUR: &str = "\x1b[0m";

/// Light around the code, in modules: ISO/IEC 18004, section 6.3.8.
const QUIET: usize = 4;

/// Draws a QR code with half blocks, two modules a character. With `colour`
/// both colours are set, which is right on any terminal; without, it is meant
/// for light text on a dark ground.
pub(super) fn draw(text: &str, colour: bool) -> String {
    // Low correction gives the smallest picture, and a screen has no dirt.
    let Ok(code) = QrCode::with_error_correction_level(text, EcLevel::L) else {
        return format!("too long for a QR code: {}", plain(text));
    };
    let width = code.width();
    let modules = code.to_colors();
    let side = width + 2 * QUIET;
    let dark = |x: usize, y: usize| {
        let inside = |at: usize| at.checked_sub(QUIET).filter(|at| *at < width);
        match (inside(x), inside(y)) {
            (Some(x), Some(y)) => modules[y * width + x] == Color::Dark,
            _ => false,
        }
    };
    let mut lines = Vec::new();
    for y in (0..side).step_by(2) {
        let line: String = (0..side)
            .map(|x| {
                // The row below the last one is light as well.
                let (upper, lower) = (dark(x, y), dark(x, y + 1));
                match (upper == colour, lower == colour) {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                }
            })
            .collect();
        lines.push(if colour {
            format!("{COLOUR}{line}{NO_COLOUR}")
        } else {
            line
        });
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The modules as drawn: true is dark.
    fn read(drawing: &str, colour: bool) -> Vec<Vec<bool>> {
        let mut rows = Vec::new();
        for line in drawing.lines() {
            let line = line.trim_start_matches(COLOUR).trim_end_matches(NO_COLOUR);
            for half in ["█▀", "█▄"] {
                rows.push(line.chars().map(|c| half.contains(c) == colour).collect());
            }
        }
        rows
    }

    #[test]
    fn the_drawing_is_the_code_with_light_around_it() {
        let text = "2@WsYovQD+qnbgd1tsGtBKn2N9ZBo96rx,a,b,c";
        let code = QrCode::with_error_correction_level(text, EcLevel::L).expect("a short text");
        let width = code.width();
        for colour in [true, false] {
            let rows = read(&draw(text, colour), colour);
            for (y, row) in rows.iter().enumerate() {
                assert_eq!(row.len(), width + 2 * QUIET);
                for (x, dark) in row.iter().enumerate() {
                    let inside = |at: usize| (QUIET..QUIET + width).contains(&at);
                    let expected =
                        inside(x) && inside(y) && code[(x - QUIET, y - QUIET)] == Color::Dark;
                    assert_eq!(*dark, expected, "{x},{y} colour {colour}");
                }
            }
        }
    }

    #[test]
    fn a_window_without_room_is_told() {
        let drawing = draw("2@WsYovQD+qnbgd1tsGtBKn2N9ZBo96rx,a,b,c", true);
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
        let coloured = format!("{COLOUR}12345{NO_COLOUR}");
        let text = format!("{coloured}\n\n1234");
        assert_eq!(rows(&text, None), 3);
        assert_eq!(rows(&text, Some(5)), 3);
        assert_eq!(rows(&text, Some(3)), 2 + 1 + 2);
        assert!(HOW.len() + " Good for 160 seconds.".len() < 80);
    }

    #[test]
    fn what_is_too_long_is_told() {
        assert!(draw(&"x".repeat(3000), true).starts_with("too long"));
    }
}
