//! `GET /connection/status`.

use super::{
    App,
    problem::{internal, json},
    query::{Kind, Parameter, Params, bad},
};
use crate::{
    link::Moment,
    wire::{Problem, Success, Timestamp},
};
use axum::{body::Bytes, extract::State, response::Response};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

pub(super) const PATH: &str = "/connection/status";

/// How long `?after=` waits when it does not say.
const WAIT: Duration = Duration::from_secs(30);

pub(super) const AFTER: Parameter = Parameter {
    name: "after",
    required: false,
    kind: Kind::Number {
        least: 0,
        most: u64::MAX,
    },
    about: "The generation of the last answer: waits until it is another one, for 30 s unless wait says so.",
};

pub(super) async fn show(State(app): State<Arc<App>>, params: Params) -> Result<Response, Problem> {
    let wait = params.wait()?;
    let after = params.number(AFTER.name, "take `generation` from the last answer")?;
    app.link.asked();
    match (after, wait) {
        (Some(after), wait) => {
            // Not `>`: a restarted daemon counts anew.
            app.until(wait.unwrap_or(WAIT), |snapshot| {
                snapshot.status.generation != after
            })
            .await;
        }
        (None, Some(_)) => {
            return Err(bad(
                "wait needs after: send ?after=GENERATION&wait=30s with the generation of the last answer."
                    .to_owned(),
            ));
        }
        (None, None) => {}
    }
    at((app.now)(), &app).map(json)
}

/// How the connection stands, as JSON.
pub(super) fn at(now: Timestamp, app: &App) -> Result<Bytes, Problem> {
    app.written.status(app, now)
}

/// The answer as it was written last, for all who ask until something in it
/// changes.
#[derive(Debug, Default)]
pub struct Written(Mutex<Option<Answer>>);

#[derive(Debug)]
struct Answer {
    at: Moment,
    health: Vec<String>,
    body: Bytes,
}

impl Written {
    fn status(&self, app: &App, now: Timestamp) -> Result<Bytes, Problem> {
        let health = app.health();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = &*kept
            && app.link.is_still(&answer.at, now)
            && answer.health == health
        {
            return Ok(answer.body.clone());
        }
        let at = app.link.at(now);
        let mut status = at.status();
        status.health.extend_from_slice(&health);
        let body = serde_json::to_vec(&Success::new(status)).map_err(|error| {
            tracing::error!(%error, "the status could not be written as JSON");
            internal()
        })?;
        let body = Bytes::from(body);
        *kept = Some(Answer {
            at,
            health,
            body: body.clone(),
        });
        Ok(body)
    }
}
