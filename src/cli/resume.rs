//! `walinkd resume`: end a pause.

use super::{
    failure::Failure,
    screen::{Form, say},
};
use crate::{client::Client, wire::State};

pub(super) async fn run(client: &Client, form: Form) -> Result<(), Failure> {
    let failed = |error| Failure::call("resume", error);
    let before = client.status().await.map_err(failed)?.data.state;
    let answer = client.resume().await.map_err(failed)?;
    if form.json {
        return say(&answer.body);
    }
    say(match before {
        State::Paused => "Resumed. walinkd status shows how the connection comes up.",
        _ => "Nothing was paused.",
    })
}
