//! What a waiting verb shows: text for a window of some size, at some moment.

use super::screen::{Paint, paint, wrapped};
use crate::picture::{Drawing, Ink, QUIET, Symbol};
use std::time::{Duration, Instant};

/// How to scan a QR code.
pub(super) const SCAN: &str = "Scan it: WhatsApp > Linked devices > Link a device.";

/// How to enter a pairing code.
pub(super) const ENTER: &str = "Enter it: WhatsApp on the phone > Linked devices > Link a device \
                                > Link with phone number instead.";

/// The lines of a window in which what is torn can be scrolled to.
pub(super) const SCROLLS: usize = usize::MAX;

const COMING: &str = "A new one is coming.";

/// What is on show.
pub(super) enum Card {
    Note(String),
    Qr {
        symbol: Symbol,
        until: Option<Instant>,
    },
    /// A pairing code, the number it is for, and what there is to say before.
    Code {
        before: Option<String>,
        code: String,
        number: String,
        until: Option<Instant>,
    },
}

/// What it is shown on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sheet {
    /// Columns and lines, where there is an end to them.
    pub window: Option<(usize, usize)>,
    /// More than ASCII can be drawn.
    pub utf8: bool,
    pub ink: Ink,
}

impl Card {
    /// A text that stands alone.
    pub(super) fn note(text: &str) -> Self {
        Self::Note(sentence(text))
    }

    /// Lines that fit the sheet.
    pub(super) fn text(&self, sheet: Sheet, now: Instant) -> String {
        let columns = sheet.window.map_or(usize::MAX, |window| window.0);
        let wrap = |text: &str| wrapped(text, columns);
        match self {
            Self::Note(note) => wrap(note),
            Self::Qr { symbol, until } => {
                let caption = wrap(&format!("{SCAN} {}", left(*until, now)));
                // Whatever it says, so that nothing jumps while it counts.
                let longest = format!("{SCAN} {COMING}");
                let below = |columns| wrapped(&longest, columns).lines().count();
                match drawn(symbol, sheet, below) {
                    Ok(drawing) => format!("{drawing}\n{caption}"),
                    Err(refusal) => wrap(&refusal),
                }
            }
            Self::Code {
                before,
                code,
                number,
                until,
            } => {
                let before = before.as_ref().map(|before| wrap(before) + "\n\n");
                let before = before.unwrap_or_default();
                let colour = sheet.ink == Ink::Colour;
                let head = wrap(&format!("Pairing code for {number}:"));
                let code = paint(code, Paint::Bold, colour);
                let tail = wrap(&format!("{ENTER} {}", left(*until, now)));
                format!("{before}{head}\n\n    {code}\n\n{tail}")
            }
        }
    }
}

/// The drawing for which the sheet has room, the one with the most light around
/// it; or what to say instead, since a phone cannot read one that is torn. `below`
/// gives the lines that follow in a window of so many columns.
pub(super) fn drawn(
    symbol: &Symbol,
    sheet: Sheet,
    below: impl Fn(usize) -> usize,
) -> Result<String, String> {
    let drawing = if sheet.utf8 {
        Drawing::Half
    } else {
        Drawing::Ascii
    };
    let mut symbol = symbol.clone();
    for margin in [QUIET, 2, 1] {
        symbol = symbol.with_margin(margin);
        let (width, height) = drawing.room(&symbol);
        let fits = |(columns, lines)| width <= columns && height + below(columns) <= lines;
        if sheet.window.is_none_or(fits) {
            return Ok(drawing.draw(&symbol, sheet.ink));
        }
    }
    let (columns, lines) = sheet.window.unwrap_or_default();
    let needs = |(width, height)| match lines {
        SCROLLS => format!("{width}"),
        _ => format!("{width}x{}", height + below(width)),
    };
    let has = match lines {
        SCROLLS => format!("{columns} columns wide"),
        _ => format!("{columns}x{lines}"),
    };
    let mut said = format!(
        "The window is {has}, the code needs {}: enlarge it, zoom out, or write a picture with \
         walinkd qr --png FILE.",
        needs(drawing.room(&symbol))
    );
    if drawing == Drawing::Ascii {
        let less = needs(Drawing::Half.room(&symbol));
        said.push_str(&format!(
            " In a UTF-8 locale (LANG=C.UTF-8) it needs {less}."
        ));
    }
    Err(said)
}

/// When what is good for `"20 seconds"` from now on runs out. By this clock,
/// which need not agree with the daemon's.
pub(super) fn until(expires_in: &str, now: Instant) -> Option<Instant> {
    let seconds = expires_in.split(' ').next()?.parse().ok()?;
    now.checked_add(Duration::from_secs(seconds))
}

pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}

fn left(until: Option<Instant>, now: Instant) -> String {
    let Some(until) = until else {
        return String::new();
    };
    match until
        .saturating_duration_since(now)
        .as_millis()
        .div_ceil(1000)
    {
        0 => COMING.to_owned(),
        seconds => format!("Good for {seconds} s."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHEET: Sheet = Sheet {
        window: None,
        utf8: true,
        ink: Ink::Plain,
    };

    fn symbol() -> Symbol {
        let text = "2@WsYovQD+qnbgd1tsGtBKn2N9ZBo96rx,a,b,c";
        Symbol::new(text, QUIET).expect("a short text")
    }

    fn within(window: (usize, usize), utf8: bool) -> Result<String, String> {
        let window = Some(window);
        drawn(
            &symbol(),
            Sheet {
                window,
                utf8,
                ..SHEET
            },
            |_| 1,
        )
    }

    #[test]
    fn a_smaller_window_gets_a_smaller_drawing_and_then_a_sentence() {
        for (drawing, utf8) in [(Drawing::Half, true), (Drawing::Ascii, false)] {
            let room = |margin| drawing.room(&symbol().with_margin(margin));
            for margin in [4, 2, 1] {
                let (width, height) = room(margin);
                let text = within((width, height + 1), utf8).expect("it fits");
                assert_eq!(text.lines().count(), height);
            }
            let (width, height) = room(1);
            for window in [(width - 1, 200), (200, height)] {
                let said = within(window, utf8).expect_err("no room");
                let (columns, lines) = window;
                let begins = format!(
                    "The window is {columns}x{lines}, the code needs {width}x{}:",
                    height + 1
                );
                assert!(said.starts_with(&begins), "{said}");
                assert_eq!(said.contains("UTF-8"), !utf8);
            }
        }
    }

    #[test]
    fn a_window_that_scrolls_is_told_by_its_width() {
        let (width, _) = Drawing::Half.room(&symbol().with_margin(1));
        let text = within((width, SCROLLS), true).expect("it fits");
        assert!(text.contains('█'));
        let said = within((width - 1, SCROLLS), true).expect_err("no room");
        let columns = width - 1;
        let begins = format!("The window is {columns} columns wide, the code needs {width}: ");
        assert!(said.starts_with(&begins), "{said}");
    }

    #[test]
    fn the_time_left_is_counted_down() {
        let now = Instant::now();
        let end = until("20 seconds", now);
        let at = |millis| left(end, now + Duration::from_millis(millis));
        assert_eq!(at(0), "Good for 20 s.");
        assert_eq!(at(1), "Good for 20 s.");
        assert_eq!(at(19_500), "Good for 1 s.");
        assert_eq!(at(20_000), "A new one is coming.");
        assert_eq!(left(until("soon", now), now), "");
    }

    #[test]
    fn lines_are_broken_where_the_window_ends() {
        let card = Card::Code {
            before: None,
            code: "ABCD-EFGH".to_owned(),
            number: "62812*****89".to_owned(),
            until: None,
        };
        let window = Some((40, 24));
        let text = card.text(Sheet { window, ..SHEET }, Instant::now());
        assert!(text.contains("\n\n    ABCD-EFGH\n\n"), "{text}");
        assert!(text.lines().all(|line| line.len() <= 40), "{text}");
    }
}
