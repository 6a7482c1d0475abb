//! `walinkd reconnect`: drop the connection and connect now.

use super::{failure::Failure, screen::say};
use crate::client::Client;

pub(super) async fn run(client: &Client) -> Result<(), Failure> {
    let answer = client.reconnect().await;
    answer.map_err(|error| Failure::call("reconnect", error))?;
    say("Connecting anew. walinkd status shows how it goes.")
}
