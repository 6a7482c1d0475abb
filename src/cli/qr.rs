//! `walinkd qr`: the QR code in the terminal, until a phone has scanned it.

use super::{
    board::Board,
    card::{self, Card, SCAN, Sheet},
    failure::Failure,
    screen::{self, complain, plain, say},
    step,
};
use crate::{
    client::{Client, Error},
    files,
    picture::{QUIET, Symbol},
    wire::{Code, QrCodeBody, State, Status},
};
use std::{
    fmt::Display,
    path::{self, Path, PathBuf},
    time::{Duration, Instant},
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
    /// Show the phone number in full
    #[arg(long)]
    show_number: bool,
}

const TOO_LOW: &str = "The window is too low to show all of the code: enlarge it or zoom out, or \
                       write a picture with walinkd qr --png FILE.";

/// The first QR code of a fresh daemon takes a connection to WhatsApp.
const FIRST: Duration = Duration::from_secs(10);
/// How long the daemon holds an answer when nothing changes.
pub(super) const WATCH: Duration = Duration::from_secs(30);

pub(super) async fn run(client: &Client, arguments: &Arguments) -> Result<(), Failure> {
    let failed = |error| Failure::call("qr", error);
    let status = client.status().await.map_err(failed)?.data;
    if status.jid.is_some() && status.state != State::Linking {
        return Err(Failure::new(
            "qr",
            format!("already linked{}", named(&status, arguments.show_number)),
            "unlink first with walinkd disconnect, or walinkd pair PHONE --replace",
        ));
    }
    if arguments.no_wait {
        may_come_now(&status)?;
        return match client.qr(FIRST).await {
            Ok(answer) => print(&arguments.form(), &answer.data),
            Err(Error::Refused { problem, .. }) if problem.code == Code::NoQrCode => {
                let status = client.status().await.map_err(failed)?.data;
                may_come_now(&status)?;
                let hint = "try again, or leave out --no-wait to be told when it comes";
                Err(Failure::new("qr", why_none(&status), hint))
            }
            Err(error) => Err(failed(error)),
        };
    }
    follow(client, arguments, status).await
}

/// Shows each code until one is scanned.
async fn follow(client: &Client, arguments: &Arguments, mut status: Status) -> Result<(), Failure> {
    let mut show = Show::new(arguments.form())?;
    loop {
        if status.is_connected {
            let done = format!("Linked{}", named(&status, arguments.show_number));
            drop(show);
            return say(&done);
        }
        if status.jid.is_none() {
            may_come(&status)?;
        }
        let mut failed = None;
        if status.has_qr_code {
            match client.qr(Duration::ZERO).await {
                Ok(answer) => show.code(&answer.data)?,
                // It ran out between the two calls.
                Err(Error::Refused { problem, .. }) if problem.code == Code::NoQrCode => {}
                Err(error) => failed = Some(error),
            }
        } else {
            show.note(&status)?;
        }
        let heard = match failed {
            Some(error) => show.board.back_after(client, error).await?,
            None => show.board.next(client, status.generation, WATCH).await?,
        };
        if heard.anew {
            show.forget();
        }
        status = heard.status;
    }
}

/// ` as 62812*****89`, when the number is known.
pub(super) fn named(status: &Status, whole: bool) -> String {
    match &status.phone_number {
        Some(digits) => format!(" as {}", screen::number(digits, whole)),
        None => String::new(),
    }
}

/// Refuses when no QR code will come by itself.
fn may_come(status: &Status) -> Result<(), Failure> {
    let (why, hint) = match status.state {
        State::WaitingCode => (
            format!("the daemon waits for a pairing code{}", {
                let number = named(status, false);
                number.replace(" as ", " for ")
            }),
            "enter that code on the phone (walinkd pair PHONE shows it), or go back to the \
             configured way with walinkd disconnect",
        ),
        State::Paused => ("the daemon is paused".to_owned(), "walinkd resume"),
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
        "Written to {named}. {SCAN} Good for {}.",
        plain(&qr.expires_in)
    ))
}

/// Shows a code by lines.
fn print(form: &Form, qr: &QrCodeBody) -> Result<(), Failure> {
    match form {
        Form::Raw => say(&plain(&qr.qr_code)),
        Form::Png(file) => {
            let png = symbol(&qr.qr_code)?.png(None);
            write(file, &png.map_err(|error| unreadable(&error))?, qr)
        }
        Form::Svg(file) => write(file, symbol(&qr.qr_code)?.svg(None).as_bytes(), qr),
        Form::Drawn => {
            let symbol = symbol(&qr.qr_code)?;
            // The caption, and the cursor below it.
            let drawing = card::drawn(&symbol, screen::sheet(), |_| 2);
            let drawing = drawing.unwrap_or_else(|refusal| refusal);
            let left = plain(&qr.expires_in);
            say(&format!("{drawing}\n{SCAN} Good for {left}."))
        }
    }
}

/// What the daemon prints on its own terminal, where the log scrolls a drawing by:
/// one that is too high can be scrolled to, one that is too wide is torn.
pub(super) fn draw(text: &str) -> String {
    let symbol = match Symbol::new(text, QUIET) {
        Ok(symbol) => symbol,
        Err(error) => return error.to_string(),
    };
    let sheet = screen::sheet();
    // The caption with a line before and one after, and the cursor.
    if let Ok(drawing) = card::drawn(&symbol, sheet, |_| 4) {
        return format!("{drawing}\n{SCAN}");
    }
    let window = sheet.window.map(|(columns, _)| (columns, card::SCROLLS));
    match card::drawn(&symbol, Sheet { window, ..sheet }, |_| 0) {
        Ok(drawing) => format!("{drawing}\n{SCAN}\n{}", screen::hanging(TOO_LOW, 0, window)),
        Err(refusal) => screen::hanging(&refusal, 0, window),
    }
}

/// What was shown so far.
struct Show {
    form: Form,
    board: Board,
    code: String,
    noted: Option<State>,
}

impl Show {
    fn new(form: Form) -> Result<Self, Failure> {
        Ok(Self {
            board: Board::new("qr", form == Form::Drawn)?,
            form,
            code: String::new(),
            noted: None,
        })
    }

    fn code(&mut self, qr: &QrCodeBody) -> Result<(), Failure> {
        if qr.qr_code == self.code {
            return Ok(());
        }
        self.code.clone_from(&qr.qr_code);
        self.noted = None;
        let card = Card::Qr {
            symbol: symbol(&qr.qr_code)?,
            until: card::until(&qr.expires_in, Instant::now()),
        };
        if self.board.show(card)? {
            return Ok(());
        }
        print(&self.form, qr)
    }

    /// Tells once why there is nothing to scan. By lines on standard error, so
    /// that `--raw` stays what it is.
    fn note(&mut self, status: &Status) -> Result<(), Failure> {
        if self.noted.replace(status.state) == Some(status.state) {
            return Ok(());
        }
        self.code.clear();
        let why = why_none(status);
        if !self.board.show(Card::note(&why))? {
            complain(&format!("walinkd: qr: {why}"));
        }
        Ok(())
    }

    /// The daemon is another one: what there is is shown again.
    fn forget(&mut self) {
        self.code.clear();
        self.noted = None;
    }
}
