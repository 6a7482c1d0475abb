//! QR codes as pictures: for a browser, a file, and any terminal.
//!
//! Owns how a code's text becomes modules, and how these are drawn. Pure: a
//! string in, a picture out. Must not know where either comes from or goes.

mod drawing;
mod png;
mod svg;
mod symbol;
#[cfg(test)]
mod tests;

pub use drawing::{Drawing, Ink};
pub use png::TooSmall;
pub use symbol::{QUIET, Symbol, TooLong};
