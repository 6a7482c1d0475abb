//! Readers of QR codes that know nothing of how walinkd draws them.

use resvg::{tiny_skia, usvg};

/// What a reader sees in `side` by `side` pixels.
fn scan(width: usize, height: usize, grey: impl FnMut(usize, usize) -> u8) -> Option<String> {
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, grey);
    let grids = image.detect_grids();
    let (_, text) = grids.first()?.decode().ok()?;
    Some(text)
}

/// The width of a PNG, which is its height, and what is read in it.
pub(crate) fn png(file: &[u8]) -> (usize, Option<String>) {
    let mut decoder = ::png::Decoder::new(std::io::Cursor::new(file));
    decoder.set_transformations(::png::Transformations::EXPAND);
    let mut reader = decoder.read_info().expect("a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("it fits")];
    let info = reader.next_frame(&mut pixels).expect("a picture");
    let (width, height) = (info.width as usize, info.height as usize);
    assert_eq!(width, height);
    (width, scan(width, height, |x, y| pixels[y * width + x]))
}

/// The width that an SVG asks for, and what is read in it when it is drawn at
/// least `least` wide.
pub(crate) fn svg(file: &str, least: u32) -> (u32, Option<String>) {
    let tree = usvg::Tree::from_str(file, &usvg::Options::default()).expect("an SVG");
    let size = tree.size().to_int_size();
    let scale = least.div_ceil(size.width()).max(1);
    let mut pixels =
        tiny_skia::Pixmap::new(size.width() * scale, size.height() * scale).expect("a picture");
    let factor = scale as f32;
    let transform = tiny_skia::Transform::from_scale(factor, factor);
    resvg::render(&tree, transform, &mut pixels.as_mut());
    let width = pixels.width() as usize;
    let seen = scan(width, pixels.height() as usize, |x, y| {
        let pixel = pixels.pixels()[y * width + x];
        assert_eq!(pixel.alpha(), 255, "nothing shines through");
        pixel.green()
    });
    (size.width(), seen)
}

/// Pixels of a character, as most fonts have it.
const CELL: (usize, usize) = (6, 12);

/// What is read off a terminal with such colours: `text` and `ground` are grey.
pub(crate) fn terminal(screen: &vt100::Screen, text: u8, ground: u8) -> Option<String> {
    let (lines, columns) = screen.size();
    let grey = |colour: vt100::Color, usual: u8| match colour {
        vt100::Color::Idx(16) => 0,
        vt100::Color::Idx(231) => 255,
        vt100::Color::Default => usual,
        other => panic!("{other:?} is no colour of a code"),
    };
    let width = usize::from(columns.get()) * CELL.0;
    let height = usize::from(lines.get()) * CELL.1;
    scan(width, height, |x, y| {
        let at = |n: usize| u16::try_from(n).expect("small");
        let cell = screen.cell(at(y / CELL.1), at(x / CELL.0));
        let cell = cell.expect("on the screen");
        let upper = y % CELL.1 < CELL.1 / 2;
        let inked = match cell.contents() {
            // Some of a letter is ground; a # is mostly ink.
            "█" | "#" => true,
            "▀" => upper,
            "▄" => !upper,
            _ => false,
        };
        if inked {
            grey(cell.fgcolor(), text)
        } else {
            grey(cell.bgcolor(), ground)
        }
    })
}
