//! As SVG, which is sharp at any size.

use super::Symbol;
use std::fmt::Write as _;

impl Symbol {
    /// Black on white, `size` pixels wide and high, or as large as there is room.
    pub fn svg(&self, size: Option<usize>) -> String {
        let side = self.side();
        let size = size.map_or_else(String::new, |size| {
            format!(r#" width="{size}" height="{size}""#)
        });
        let mut path = String::new();
        for y in 0..side {
            let mut x = 0;
            while x < side {
                let run = (x..side).take_while(|x| self.is_dark(*x, y)).count();
                if run > 0 {
                    // Writing to a string cannot fail.
                    let _ = write!(path, "M{x} {y}h{run}v1h-{run}z");
                }
                x += run.max(1);
            }
        }
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\"{size} viewBox=\"0 0 {side} {side}\" \
             shape-rendering=\"crispEdges\"><title>QR code</title>\
             <rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/>\
             <path d=\"{path}\" fill=\"#000\"/></svg>\n"
        )
    }
}
