//! Request bodies, read within their limit.

use super::query::bad;
use crate::wire::{Code, Problem};
use axum::{
    body::{Body, HttpBody},
    extract::Request,
    http::{HeaderMap, header::CONTENT_TYPE},
};
use http_body_util::BodyExt;
use serde_json::Value;

/// So much beyond the limit is read and thrown away, so that a client that
/// sends its whole body before it reads gets the 413 and not a reset.
const LINGER: usize = 256 * 1024;

/// The JSON body of a call that needs one.
pub(super) async fn json(request: Request, limit: usize) -> Result<Value, Problem> {
    let declared = declared(request.headers());
    if declared == Declared::Other {
        return Err(not_json());
    }
    let body = read(request.into_body(), limit).await?;
    if body.is_empty() {
        return Err(bad(
            "The body is missing. Send JSON with the header Content-Type: application/json."
                .to_owned(),
        ));
    }
    if declared == Declared::Nothing {
        return Err(not_json());
    }
    serde_json::from_slice(&body)
        .map_err(|error| bad(format!("The body is not valid JSON: {error}.")))
}

/// The body of a call that needs none: whatever it is, it is thrown away.
pub(super) async fn none(request: Request, limit: usize) -> Result<(), Problem> {
    read(request.into_body(), limit).await.map(drop)
}

async fn read(mut body: Body, limit: usize) -> Result<Vec<u8>, Problem> {
    let most = limit.saturating_add(LINGER);
    if body.size_hint().lower() > most as u64 {
        return Err(too_large(limit));
    }
    let mut data = Vec::new();
    let mut received = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| bad("The body broke off. Send it again.".to_owned()))?;
        let Ok(chunk) = frame.into_data() else {
            continue;
        };
        received = received.saturating_add(chunk.len());
        if received > most {
            break;
        }
        if received <= limit {
            data.extend_from_slice(&chunk);
        }
    }
    if received > limit {
        return Err(too_large(limit));
    }
    Ok(data)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Declared {
    Nothing,
    Json,
    Other,
}

fn declared(headers: &HeaderMap) -> Declared {
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return Declared::Nothing;
    };
    let Ok(value) = value.to_str() else {
        return Declared::Other;
    };
    let kind = value.split(';').next().unwrap_or_default().trim();
    let kind = kind.to_ascii_lowercase();
    match kind.as_str() {
        "" => Declared::Nothing,
        "application/json" => Declared::Json,
        _ if kind.starts_with("application/") && kind.ends_with("+json") => Declared::Json,
        _ => Declared::Other,
    }
}

pub(super) fn too_large(limit: usize) -> Problem {
    Problem::new(
        Code::BodyTooLarge,
        format!("The body is larger than {limit} bytes, the limit set by http.max_body."),
    )
}

pub(super) fn not_json() -> Problem {
    Problem::new(
        Code::UnsupportedMediaType,
        "The body must be declared as JSON: send the header Content-Type: application/json (with curl: -H 'Content-Type: application/json').",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn knows_json_when_it_is_declared() {
        for (text, expected) in [
            ("application/json", Declared::Json),
            ("Application/JSON; charset=utf-8", Declared::Json),
            ("application/vnd.api+json", Declared::Json),
            ("application/x-www-form-urlencoded", Declared::Other),
            ("text/plain;charset=UTF-8", Declared::Other),
            ("text/json", Declared::Other),
            ("application/jsonp", Declared::Other),
            ("", Declared::Nothing),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(text))]);
            assert_eq!(declared(&headers), expected, "{text}");
        }
        assert_eq!(declared(&HeaderMap::new()), Declared::Nothing);
    }
}
