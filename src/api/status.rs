//! `GET /connection/status`.

use super::{
    App,
    problem::answer,
    query::{Kind, Parameter, Params, bad},
};
use crate::wire::{Problem, Success};
use axum::{extract::State, response::Response};
use std::{sync::Arc, time::Duration};

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
    Ok(answer(&Success::new(app.status())))
}
