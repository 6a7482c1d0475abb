//! A code's modules, with the light around them.

use qrcode::{Color, EcLevel, QrCode};
use thiserror::Error;

/// Light around a code, in modules: ISO/IEC 18004, section 6.3.8. Most readers
/// do with less.
pub const QUIET: usize = 4;

/// A QR code, ready to be drawn. No `Debug`: who scans it owns the link.
#[derive(Clone, PartialEq, Eq)]
pub struct Symbol {
    modules: Vec<Color>,
    width: usize,
    margin: usize,
}

/// A text that no QR code holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the text has {0} bytes, too many for a QR code")]
pub struct TooLong(usize);

impl Symbol {
    /// The code of `text`, with `margin` modules of light around it.
    ///
    /// # Errors
    ///
    /// When the text is too long.
    pub fn new(text: &str, margin: usize) -> Result<Self, TooLong> {
        // Low correction gives the smallest picture, and a screen has no dirt.
        let code = QrCode::with_error_correction_level(text, EcLevel::L)
            .map_err(|_| TooLong(text.len()))?;
        Ok(Self {
            width: code.width(),
            modules: code.to_colors(),
            margin,
        })
    }

    /// The same code with another margin.
    #[must_use]
    pub fn with_margin(self, margin: usize) -> Self {
        Self { margin, ..self }
    }

    pub fn margin(&self) -> usize {
        self.margin
    }

    /// Modules on a side, the light around them included.
    pub fn side(&self) -> usize {
        self.width + 2 * self.margin
    }

    /// Whether a module is dark; outside of the code all is light.
    pub fn is_dark(&self, x: usize, y: usize) -> bool {
        let inside = |at: usize| at.checked_sub(self.margin).filter(|at| *at < self.width);
        match (inside(x), inside(y)) {
            (Some(x), Some(y)) => self.modules[y * self.width + x] == Color::Dark,
            _ => false,
        }
    }
}
