//! Each form, read again by programs that know nothing of this room.

#[path = "../../tests/support/scanner.rs"]
mod scanner;

use super::*;
use std::num::NonZeroU16;

/// As long as WhatsApp's.
fn text() -> String {
    let part = "WsYovQD+qnbgd1tsGtBKn2N9ZBo96rx/aYkZ3q0o2Fg=";
    format!("2@{part}{part},{part},{part},{part},1")
}

fn symbol(margin: usize) -> Symbol {
    Symbol::new(&text(), margin).expect("short enough")
}

/// What a terminal with such colours shows: `text` and `ground` are grey.
fn scan_terminal(drawing: &str, text: u8, ground: u8) -> Option<String> {
    let lines = u16::try_from(drawing.lines().count() + 2).expect("few");
    let size = |n: u16| NonZeroU16::new(n).expect("some");
    let mut terminal = vt100::Parser::new(size(lines), size(200), 0);
    terminal.process(drawing.replace('\n', "\r\n").as_bytes());
    scanner::terminal(terminal.screen(), text, ground)
}

#[test]
fn png_is_read_at_every_size_and_margin() {
    for margin in [0, 1, 4, 10] {
        let symbol = symbol(margin);
        let side = symbol.side();
        for size in [
            None,
            Some(2 * side),
            Some(2 * side + 7),
            Some(512),
            Some(1001),
        ] {
            let (width, seen) = scanner::png(&symbol.png(size).expect("large enough"));
            assert_eq!(width, size.unwrap_or(8 * side));
            // The reader wants some light; the picture's edge has none.
            if margin > 0 {
                assert_eq!(seen, Some(text()), "margin {margin}, size {size:?}");
            }
        }
    }
}

#[test]
fn png_without_room_for_the_modules_is_refused() {
    let symbol = symbol(4);
    let least = 2 * symbol.side();
    assert!(symbol.png(Some(least)).is_ok());
    let refusal = symbol.png(Some(least - 1)).expect_err("too small");
    let said = refusal.to_string();
    assert!(said.contains(&format!("at least {least} px")), "{said}");
    assert!(symbol.data_url(Some(1)).is_err());
}

#[test]
fn data_url_holds_the_png() {
    use base64::Engine as _;
    let url = symbol(4).data_url(Some(300)).expect("large enough");
    let png = url
        .strip_prefix("data:image/png;base64,")
        .expect("its kind");
    let png = base64::engine::general_purpose::STANDARD.decode(png);
    assert_eq!(scanner::png(&png.expect("base64")), (300, Some(text())));
}

#[test]
fn svg_is_read_at_every_size_and_margin() {
    for margin in [1, 4, 10] {
        let symbol = symbol(margin);
        let side = u32::try_from(symbol.side()).expect("small");
        assert_eq!(scanner::svg(&symbol.svg(None), 400), (side, Some(text())));
        for size in [200, 512, 1001] {
            let (width, seen) = scanner::svg(&symbol.svg(Some(size)), 400);
            assert_eq!((width as usize, seen), (size, Some(text())), "{margin}");
        }
    }
}

#[test]
fn drawings_are_read_off_dark_and_light_terminals() {
    for margin in [1, 2, 4] {
        let symbol = symbol(margin);
        for drawing in [Drawing::Half, Drawing::Ascii] {
            let coloured = drawing.draw(&symbol, Ink::Colour);
            for (text_grey, ground) in [(230, 0), (20, 255), (120, 100)] {
                let seen = scan_terminal(&coloured, text_grey, ground);
                assert_eq!(seen, Some(text()), "{drawing:?} {margin} {ground}");
            }
            let plain = drawing.draw(&symbol, Ink::Plain);
            assert_eq!(
                scan_terminal(&plain, 255, 0),
                Some(text()),
                "{drawing:?} {margin}"
            );
            let width = plain.lines().map(|line| line.chars().count()).max();
            let room = (width.expect("lines"), plain.lines().count());
            assert_eq!(drawing.room(&symbol), room);
            assert!(!plain.contains('\x1b'));
            assert!(drawing != Drawing::Ascii || coloured.is_ascii() && plain.is_ascii());
        }
    }
}

#[test]
fn a_text_that_is_too_long_is_refused() {
    let Err(refusal) = Symbol::new(&"x".repeat(3000), QUIET) else {
        panic!("no code holds it");
    };
    assert_eq!(
        refusal.to_string(),
        "the text has 3000 bytes, too many for a QR code"
    );
    assert!(Symbol::new("", QUIET).is_ok());
}
