//! Inputs near those of the corpus.

use bolero::{Driver, ValueGenerator};
use std::{fmt, ops::Bound};

/// Makes inputs out of the corpus and of words that mean something.
pub(super) struct Mutated {
    pub seeds: Vec<Vec<u8>>,
    pub words: &'static [&'static str],
}

#[derive(Clone)]
pub(super) struct Input(pub Vec<u8>);

impl fmt::Debug for Input {
    /// As a Rust byte string.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

/// So many changes make anything of anything.
const CHANGES: usize = 12;
/// Bytes that are taken out, doubled or carried over at once.
const PIECE: usize = 64;
/// Times that a piece is repeated, so that inputs grow past limits.
const REPEATS: usize = 400;

impl ValueGenerator for Mutated {
    type Output = Input;

    fn generate<D: Driver>(&self, driver: &mut D) -> Option<Input> {
        let mut input = self.seeds[below(driver, self.seeds.len())?].clone();
        for _ in 0..below(driver, CHANGES)? {
            let at = below(driver, input.len() + 1)?;
            let piece = at..(at + 1 + below(driver, PIECE)?).min(input.len());
            match below(driver, 7)? {
                0 => {
                    let word = self.words[below(driver, self.words.len())?];
                    input.splice(at..at, word.bytes());
                }
                1 => {
                    let word = self.words[below(driver, self.words.len())?];
                    input.splice(piece, word.bytes());
                }
                2 => drop(input.drain(piece)),
                3 => {
                    let byte: u8 = driver.produce()?;
                    input.insert(at, byte);
                }
                4 => {
                    if let Some(byte) = input.get_mut(at) {
                        *byte ^= 1 << below(driver, 8)?;
                    }
                }
                5 => {
                    let piece = input[piece].to_vec();
                    let many = below(driver, REPEATS)?;
                    // Mostly once.
                    let times = if many % 16 == 0 { many } else { 1 };
                    input.splice(at..at, piece.repeat(times));
                }
                _ => {
                    let other = &self.seeds[below(driver, self.seeds.len())?];
                    let from = below(driver, other.len() + 1)?;
                    let to = (from + PIECE).min(other.len());
                    input.splice(at..at, other[from..to].iter().copied());
                }
            }
        }
        Some(Input(input))
    }
}

/// A number from 0 up to and without `end`, which is not 0.
fn below<D: Driver>(driver: &mut D, end: usize) -> Option<usize> {
    driver.gen_usize(Bound::Included(&0), Bound::Excluded(&end))
}
