//! `walinkd resume`: end a pause.

use super::{failure::Failure, screen::say};
use crate::client::Client;

pub(super) async fn run(client: &Client) -> Result<(), Failure> {
    let answer = client.resume().await;
    answer.map_err(|error| Failure::call("resume", error))?;
    say("Resumed. walinkd status shows how the connection comes up.")
}
