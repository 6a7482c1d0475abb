//! `walinkd pause`: go offline and stay so.

use super::{failure::Failure, screen::say};
use crate::client::Client;

pub(super) async fn run(client: &Client) -> Result<(), Failure> {
    let answer = client.pause().await;
    answer.map_err(|error| Failure::call("pause", error))?;
    say("Paused. The link is kept; walinkd resume goes online again.")
}
