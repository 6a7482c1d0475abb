//! In which form an answer is given: as `?format=` says, else as the header
//! `Accept` likes best.

use super::query::{Params, bad};
use crate::wire::Problem;
use axum::{
    http::{
        HeaderMap, HeaderValue,
        header::{ACCEPT, CONTENT_TYPE, VARY},
    },
    response::{IntoResponse, Response},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Png,
    Svg,
    Text,
    /// JSON with the picture in it.
    DataUrl,
}

pub(super) const PNG: &str = "image/png";
pub(super) const SVG: &str = "image/svg+xml";
pub(super) const TEXT: &str = "text/plain";

impl Format {
    fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Png => "png",
            Self::Svg => "svg",
            Self::Text => "text",
            Self::DataUrl => "dataurl",
        }
    }

    /// What `Accept` asks for it with; what JSON holds it cannot tell.
    fn media(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Json => Some(("application", "json")),
            Self::Png => Some(("image", "png")),
            Self::Svg => Some(("image", "svg+xml")),
            Self::Text => Some(("text", "plain")),
            Self::DataUrl => None,
        }
    }

    /// Which of `offered` is asked for; of those that are equally welcome the
    /// first, and the first also when none is.
    pub(super) fn asked(
        offered: &[Self],
        params: &Params,
        headers: &HeaderMap,
    ) -> Result<Self, Problem> {
        if let Some(word) = params.get("format") {
            let found = offered.iter().find(|format| format.word() == word);
            return found.copied().ok_or_else(|| {
                let words: Vec<_> = offered.iter().map(|format| format.word()).collect();
                bad(format!(
                    "format is one of {}, or left out.",
                    words.join(", ")
                ))
            });
        }
        let ranges = ranges(headers);
        let mut best = (offered.first().copied().unwrap_or(Self::Json), 0);
        for format in offered {
            let welcome = format.media().map_or(0, |media| welcome(media, &ranges));
            if welcome > best.1 {
                best = (*format, welcome);
            }
        }
        Ok(best.0)
    }
}

/// A part of `Accept`.
struct Range {
    kind: String,
    subtype: String,
    /// In thousandths.
    quality: u16,
}

/// How welcome a type is, in thousandths: RFC 9110, section 12.5.1.
fn welcome(media: (&str, &str), ranges: &[Range]) -> u16 {
    let closeness = |range: &Range| match (&*range.kind, &*range.subtype) {
        (kind, subtype) if (kind, subtype) == media => 3,
        (kind, "*") if kind == media.0 => 2,
        ("*", "*") => 1,
        _ => 0,
    };
    let closest = ranges
        .iter()
        .max_by_key(|range| (closeness(range), range.quality));
    closest
        .filter(|range| closeness(range) > 0)
        .map_or(0, |range| range.quality)
}

/// What of `Accept` can be understood. Nothing said means that all is welcome.
fn ranges(headers: &HeaderMap) -> Vec<Range> {
    let told = headers.get_all(ACCEPT).iter();
    told.filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(range)
        .collect()
}

fn range(text: &str) -> Option<Range> {
    let mut parts = text.split(';').map(str::trim);
    let (kind, subtype) = parts.next()?.split_once('/')?;
    let mut thousandths = 1000;
    for parameter in parts {
        if let Some((name, value)) = parameter.split_once('=')
            && name.trim().eq_ignore_ascii_case("q")
        {
            thousandths = quality(value.trim())?;
        }
    }
    Some(Range {
        kind: kind.to_ascii_lowercase(),
        subtype: subtype.to_ascii_lowercase(),
        quality: thousandths,
    })
}

/// `0`, `0.25`, `1.000`, in thousandths.
fn quality(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let fraction: u16 = format!("{fraction:0<3}").parse().ok().filter(|_| digits)?;
    match whole {
        "0" => Some(fraction),
        "1" if fraction == 0 => Some(1000),
        _ => None,
    }
}

/// 200 with a body that is no JSON.
pub(super) fn body(media: HeaderValue, body: impl IntoResponse) -> Response {
    ([(CONTENT_TYPE, media)], body).into_response()
}

/// 200 with a text, which ends with a line break as a file does.
pub(super) fn text(text: &str) -> Response {
    let media = HeaderValue::from_static("text/plain; charset=utf-8");
    body(media, format!("{text}\n"))
}

/// Tells caches that another `Accept` gets another answer; also a refusal.
pub(super) fn varying(answer: Result<Response, Problem>) -> Response {
    let mut response = answer.into_response();
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("accept"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Format; 5] = [
        Format::Json,
        Format::Png,
        Format::Svg,
        Format::Text,
        Format::DataUrl,
    ];

    fn accepting(values: &[&str]) -> Vec<Range> {
        let value = |text: &&str| (ACCEPT, HeaderValue::from_str(text).expect("a header"));
        ranges(&values.iter().map(value).collect())
    }

    #[test]
    fn the_most_welcome_is_given() {
        for (accept, expected) in [
            ("", Format::Json),
            ("*/*", Format::Json),
            ("image/png", Format::Png),
            ("IMAGE/PNG ; Q=0.1", Format::Png),
            ("image/svg+xml", Format::Svg),
            ("text/plain;charset=utf-8", Format::Text),
            ("text/*", Format::Text),
            ("image/*", Format::Png),
            ("image/*, image/png;q=0.5", Format::Svg),
            ("image/png;q=0, */*", Format::Json),
            ("application/json;q=0, */*;q=0.1", Format::Png),
            ("application/json;q=0.2, text/plain;q=0.25", Format::Text),
            ("application/json;q=0.251, text/plain;q=0.25", Format::Json),
            // What a page's script sends, an address typed in, and an image.
            ("application/json, text/plain, */*", Format::Json),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8",
                Format::Json,
            ),
            (
                "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",
                Format::Png,
            ),
            // Not ours, or not to be understood.
            ("text/html", Format::Json),
            ("image/png;q=2, text/plain;q=0.1", Format::Text),
            ("image/png;q=0.1234, ;;, /, text", Format::Json),
        ] {
            let headers =
                HeaderMap::from_iter([(ACCEPT, HeaderValue::from_str(accept).expect("a header"))]);
            let given = Format::asked(&ALL, &Params::none(), &headers);
            assert_eq!(given, Ok(expected), "{accept}");
        }
    }

    #[test]
    fn several_headers_are_one() {
        let ranges = accepting(&["text/plain;q=0.1", "image/png;q=0.2"]);
        assert_eq!(welcome(("image", "png"), &ranges), 200);
        assert_eq!(welcome(("text", "plain"), &ranges), 100);
        assert_eq!(welcome(("image", "svg+xml"), &ranges), 0);
    }
}
