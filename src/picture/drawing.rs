//! As text, for a terminal.

use super::Symbol;

/// What the modules are drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drawing {
    /// Half blocks: a character is two modules, one above the other.
    Half,
    /// ASCII alone: two characters are one module.
    Ascii,
}

/// What tells dark from light.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// Black on white by escape codes: right on any terminal.
    Colour,
    /// The characters alone: right for light text on a dark ground.
    Plain,
}

/// Black on white out of the colour cube, which no theme changes.
const BLACK_ON_WHITE: &str = "\x1b[38;5;16;48;5;231m";
const WHITE_ON_BLACK: &str = "\x1b[38;5;231;48;5;16m";
const RESET: &str = "\x1b[0m";

impl Drawing {
    /// Columns and lines that it takes.
    pub fn room(self, symbol: &Symbol) -> (usize, usize) {
        let side = symbol.side();
        match self {
            Self::Half => (side, side.div_ceil(2)),
            Self::Ascii => (2 * side, side),
        }
    }

    /// The lines, without a line break at the end.
    pub fn draw(self, symbol: &Symbol, ink: Ink) -> String {
        let lines: Vec<String> = match self {
            Self::Half => (0..symbol.side())
                .step_by(2)
                .map(|y| half_blocks(symbol, y, ink))
                .collect(),
            Self::Ascii => (0..symbol.side()).map(|y| ascii(symbol, y, ink)).collect(),
        };
        lines.join("\n")
    }
}

/// The rows `y` and `y + 1`; below the last one all is light.
fn half_blocks(symbol: &Symbol, y: usize, ink: Ink) -> String {
    let colour = ink == Ink::Colour;
    let line: String = (0..symbol.side())
        .map(|x| {
            let (upper, lower) = (symbol.is_dark(x, y), symbol.is_dark(x, y + 1));
            match (upper == colour, lower == colour) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            }
        })
        .collect();
    match ink {
        Ink::Colour => format!("{BLACK_ON_WHITE}{line}{RESET}"),
        Ink::Plain => line,
    }
}

/// The row `y`. With colours the ground does it all, and the characters are
/// blanks; without, the light is made of `#`.
fn ascii(symbol: &Symbol, y: usize, ink: Ink) -> String {
    let mut line = String::new();
    let mut ground = None;
    for x in 0..symbol.side() {
        let dark = symbol.is_dark(x, y);
        match ink {
            Ink::Plain => line.push_str(if dark { "  " } else { "##" }),
            Ink::Colour => {
                if ground.replace(dark) != Some(dark) {
                    line.push_str(if dark { WHITE_ON_BLACK } else { BLACK_ON_WHITE });
                }
                line.push_str("  ");
            }
        }
    }
    if ink == Ink::Colour {
        line.push_str(RESET);
    }
    line
}
