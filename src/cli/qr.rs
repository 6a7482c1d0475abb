//! `walinkd qr`: the QR code in the terminal, until a phone has scanned it.

use super::{
    failure::Failure,
    screen::{self, plain, say},
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

const HOW: &str = "Scan it: WhatsApp on the phone > Linked devices > Link a device.";

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
        may_come(&status)?;
        return match client.qr(FIRST).await {
            Ok(answer) => Screen::new(arguments.raw).show(&answer.data),
            Err(Error::Refused { problem, .. }) if problem.code == Code::NoQrCode => {
                let status = client.status().await.map_err(failed)?.data;
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
        let next = client.status_after(status.generation, WATCH).await;
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
            "enter that code on the phone (walinkd pair PHONE shows it), or set \
             pairing.mode = \"qr\" and reload",
        ),
        State::Paused => ("the daemon is paused".to_owned(), "walinkd resume"),
        State::Stopping => ("the daemon is stopping".to_owned(), "start it again"),
        _ => return Ok(()),
    };
    Err(Failure::new("qr", why, hint))
}

/// Why there is nothing to scan just now.
fn why_none(status: &Status) -> String {
    match (&status.reason, status.state) {
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
    /// Lines of the drawing that stands above the cursor.
    drawn: usize,
    shown: String,
    noted: Option<State>,
}

impl Screen {
    fn new(raw: bool) -> Self {
        Self {
            raw,
            terminal: screen::is_terminal(),
            drawn: 0,
            shown: String::new(),
            noted: None,
        }
    }

    fn show(&mut self, qr: &QrCodeBody) -> Result<(), Failure> {
        if qr.qr_code == self.shown {
            return Ok(());
        }
        self.shown.clone_from(&qr.qr_code);
        self.noted = None;
        if self.raw {
            return say(&plain(&qr.qr_code));
        }
        let drawing = draw(&qr.qr_code, screen::has_colour());
        let text = format!("{drawing}\n{HOW} It is good for {}.", plain(&qr.expires_in));
        let erase = self.erase();
        self.drawn = text.lines().count();
        say(&format!("{erase}{text}"))
    }

    /// Takes the cursor back to where the last drawing began.
    fn erase(&mut self) -> String {
        match std::mem::take(&mut self.drawn) {
            lines if self.terminal && lines > 0 => format!("\x1b[{lines}A\x1b[J"),
            _ => String::new(),
        }
    }

    /// Tells once why there is nothing to scan. On standard error, so that
    /// `--raw` stays what it is.
    fn note(&mut self, status: &Status) {
        if self.noted.replace(status.state) == Some(status.state) {
            return;
        }
        self.drawn = 0;
        screen::complain(&format!("walinkd: qr: {}", why_none(status)));
    }

    fn done(&mut self, text: &str) -> Result<(), Failure> {
        let erase = self.erase();
        say(&format!("{erase}{text}"))
    }
}

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
            // Black on white out of the colour cube, which no theme changes.
            format!("\x1b[38;5;16;48;5;231m{line}\x1b[0m")
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
            let line = line
                .trim_start_matches("\x1b[38;5;16;48;5;231m")
                .trim_end_matches("\x1b[0m");
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
    fn what_is_too_long_is_told() {
        assert!(draw(&"x".repeat(3000), true).starts_with("too long"));
    }
}
