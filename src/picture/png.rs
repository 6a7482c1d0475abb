//! As PNG: one bit a pixel, black on white.

use super::Symbol;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use png::{BitDepth, ColorType, Encoder, EncodingError};
use thiserror::Error;

/// Below this a camera sees grey.
const LEAST: usize = 2;
/// What a module gets when no size is asked for.
const USUAL: usize = 8;

/// A picture in which nobody could tell the modules apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "this code needs a picture of at least {} px, {LEAST} for each of its {side} modules with the margin of {margin} on either side",
    .side * LEAST
)]
pub struct TooSmall {
    side: usize,
    margin: usize,
}

impl Symbol {
    /// `size` pixels wide and high, or as wide as is usual. Modules have whole
    /// pixels; those that are left over are light, around the margin.
    ///
    /// # Errors
    ///
    /// When `size` leaves too little for a module.
    pub fn png(&self, size: Option<usize>) -> Result<Vec<u8>, TooSmall> {
        let side = self.side();
        let size = size.unwrap_or(side * USUAL);
        let scale = size / side;
        if scale < LEAST {
            let margin = self.margin();
            return Err(TooSmall { side, margin });
        }
        let before = (size - side * scale) / 2;
        let row_bytes = size.div_ceil(8);
        let mut pixels = Vec::with_capacity(row_bytes * size);
        for y in 0..size {
            let mut row = vec![0xff_u8; row_bytes];
            if let Some(y) = y.checked_sub(before) {
                for x in before..before + side * scale {
                    if self.is_dark((x - before) / scale, y / scale) {
                        row[x / 8] &= !(0x80 >> (x % 8));
                    }
                }
            }
            pixels.extend(row);
        }
        Ok(encode(size, &pixels).expect("a picture of this shape, written to memory"))
    }

    /// The same as a `data:` URL, which an `img` takes as its `src`.
    ///
    /// # Errors
    ///
    /// As [`Symbol::png`].
    pub fn data_url(&self, size: Option<usize>) -> Result<String, TooSmall> {
        let png = STANDARD.encode(self.png(size)?);
        Ok(format!("data:image/png;base64,{png}"))
    }
}

fn encode(size: usize, pixels: &[u8]) -> Result<Vec<u8>, EncodingError> {
    let mut file = Vec::new();
    let side = u32::try_from(size).unwrap_or(u32::MAX);
    let mut encoder = Encoder::new(&mut file, side, side);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::One);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(file)
}
