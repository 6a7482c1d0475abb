//! `walinkd resume`: end a pause.

use super::{failure::Failure, screen::say};
use crate::{client::Client, wire::State};

pub(super) async fn run(client: &Client) -> Result<(), Failure> {
    let failed = |error| Failure::call("resume", error);
    let before = client.status().await.map_err(failed)?.data.state;
    client.resume().await.map_err(failed)?;
    say(match before {
        State::Paused => "Resumed. walinkd status shows how the connection comes up.",
        _ => "Nothing was paused.",
    })
}
