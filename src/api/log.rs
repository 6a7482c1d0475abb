//! `GET /connection/log`.

use super::{
    App,
    problem::{JSON, internal},
    query::{Kind, Parameter, Params, bad},
};
use crate::{
    link,
    wire::{Problem, Success},
};
use axum::{
    body::{Body, Bytes},
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use futures_util::stream;
use std::{convert::Infallible, sync::Arc};

/// Events in an answer that does not say how many.
const USUAL: usize = 100;
/// The most that may be asked for.
const MOST: usize = 1000;
/// What the answer's messages come to at most, in bytes; with less room there are
/// fewer events, and the next call goes on from the last.
const MOST_BYTES: usize = 512 * 1024;
/// What an event takes beside its message, roughly.
const OTHERS: usize = 256;
/// Handed over at once.
const PIECE: usize = 16 * 1024;
/// Answers that are on their way at once: they are large, and a client may be
/// slow to take them. More wait.
pub(super) const AT_ONCE: usize = 16;

pub(super) const LIMIT: Parameter = Parameter {
    name: "limit",
    required: false,
    kind: Kind::Number {
        least: 1,
        most: MOST as u64,
    },
    about: "How many events; 100 when it is left out.",
};

pub(super) const BEFORE: Parameter = Parameter {
    name: "before",
    required: false,
    kind: Kind::Number {
        least: 0,
        most: u64::MAX,
    },
    about: "The id of the last event in the last answer: goes on from there.",
};

pub(super) async fn show(State(app): State<Arc<App>>, params: Params) -> Result<Response, Problem> {
    let limit = match params.number(LIMIT.name, "ask for 1 to 1000 events")? {
        None => USUAL,
        Some(limit) => usize::try_from(limit)
            .ok()
            .filter(|limit| (1..=MOST).contains(limit))
            .ok_or_else(|| {
                bad(format!(
                    "limit is out of range: ask for 1 to {MOST} events."
                ))
            })?,
    };
    let before = params.number(
        BEFORE.name,
        "take `id` of the last event in the last answer",
    )?;
    // Held until the answer is sent.
    let turn = Arc::clone(&app.logs).acquire_owned().await;
    let turn = turn.map_err(|_| link::Stopping)?;
    let mut events = app.events.before(before, limit).await?;
    let mut room = MOST_BYTES;
    let fits = events.iter().take_while(|event| {
        let left = room.checked_sub(event.message.len() + OTHERS);
        room = left.unwrap_or(0);
        left.is_some()
    });
    let fits = fits.count().max(1);
    events.truncate(fits);
    let body = serde_json::to_vec(&Success::new(events)).map_err(|error| {
        tracing::error!(%error, "the log could not be written as JSON");
        internal()
    })?;
    let pieces = stream::unfold((Bytes::from(body), turn), async |(mut rest, turn)| {
        let piece = rest.split_to(PIECE.min(rest.len()));
        (!piece.is_empty()).then_some((Ok::<_, Infallible>(piece), (rest, turn)))
    });
    Ok(([(CONTENT_TYPE, JSON)], Body::from_stream(pieces)).into_response())
}
