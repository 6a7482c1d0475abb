//! `GET /connection/qr`: as JSON, and as a picture for every use.

use super::{
    App,
    format::{self, Format, PNG, SVG, body, varying},
    problem::{answer, internal, sentence},
    query::{Kind, Parameter, Params, bad},
};
use crate::{
    picture::{Drawing, Ink, QUIET, Symbol, TooLong, TooSmall},
    wire::{Code, Problem, QrCodeBody, Success},
};
use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue},
    response::Response,
};
use std::sync::Arc;

/// The first is given unless another one is asked for.
const FORMATS: [Format; 5] = [
    Format::Json,
    Format::Png,
    Format::Svg,
    Format::Text,
    Format::DataUrl,
];

pub(super) const FORMAT: Parameter = Parameter {
    name: "format",
    required: false,
    kind: Kind::Word(&["json", "png", "svg", "text", "dataurl"]),
    about: "The form of the answer: json; png or svg, a picture; text, a drawing for a terminal; dataurl, json with the picture in dataUrl. Left out, the header Accept decides, and without one it is json.",
};

/// Pixels: the least that a code of any use fits in, and more than any screen has.
const SIZE_LEAST: u64 = 64;
const SIZE_MOST: u64 = 4096;

pub(super) const SIZE: Parameter = Parameter {
    name: "size",
    required: false,
    kind: Kind::Number {
        least: SIZE_LEAST,
        most: SIZE_MOST,
    },
    about: "Width and height of the picture in pixels, at least two for each module. Left out, a png has eight for each module, and an svg takes the room there is.",
};

/// Modules.
const MARGIN_MOST: u64 = 32;

pub(super) const MARGIN: Parameter = Parameter {
    name: "margin",
    required: false,
    kind: Kind::Number {
        least: 0,
        most: MARGIN_MOST,
    },
    about: "The light around the code, in modules; 4 when left out. With less than 4 some readers fail.",
};

/// How it is to look.
struct Wish {
    format: Format,
    size: Option<usize>,
    margin: usize,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    params: Params,
) -> Response {
    varying(shown(&app, &headers, &params).await)
}

async fn shown(app: &App, headers: &HeaderMap, params: &Params) -> Result<Response, Problem> {
    let wish = Wish {
        format: Format::asked(&FORMATS, params, headers)?,
        size: params.within(&SIZE)?,
        margin: params.within(&MARGIN)?.unwrap_or(QUIET),
    };
    let wait = params.wait()?.unwrap_or_default();
    app.link.asked();
    app.until(wait, |snapshot| {
        let now = (app.now)();
        snapshot.qr.as_ref().is_some_and(|qr| qr.expires_at > now)
    })
    .await;
    let now = (app.now)();
    match app.link.qr(now) {
        Some(qr) => wish.draw(qr.body(now)),
        None => Err(none()),
    }
}

pub(super) fn none() -> Problem {
    Problem::new(
        Code::NoQrCode,
        "No QR code available. Bot might already be connected.",
    )
}

impl Wish {
    fn draw(&self, mut qr: QrCodeBody) -> Result<Response, Problem> {
        let symbol = || Symbol::new(&qr.qr_code, self.margin);
        Ok(match self.format {
            Format::Json => answer(&Success::new(qr)),
            Format::Png => body(HeaderValue::from_static(PNG), symbol()?.png(self.size)?),
            Format::Svg => body(HeaderValue::from_static(SVG), symbol()?.svg(self.size)),
            Format::Text => format::text(&Drawing::Half.draw(&symbol()?, Ink::Colour)),
            Format::DataUrl => {
                qr.data_url = Some(symbol()?.data_url(self.size)?);
                answer(&Success::new(qr))
            }
        })
    }
}

impl From<TooSmall> for Problem {
    fn from(small: TooSmall) -> Self {
        let why = sentence(&small.to_string());
        bad(format!("size is too small. {why}"))
    }
}

impl From<TooLong> for Problem {
    /// WhatsApp makes the text, and has never come near this.
    fn from(long: TooLong) -> Self {
        tracing::error!("the QR code cannot be drawn: {long}");
        internal()
    }
}
