//! `walinkd reconnect`: drop the connection and connect now.

use super::{failure::Failure, screen::say};
use crate::{client::Client, wire::State};

pub(super) async fn run(client: &Client) -> Result<(), Failure> {
    let failed = |error| Failure::call("reconnect", error);
    client.reconnect().await.map_err(failed)?;
    if client.status().await.map_err(failed)?.data.state == State::Paused {
        return Err(Failure::not_reached(
            "reconnect",
            "the daemon is paused",
            "end that first: walinkd resume",
        ));
    }
    say("Connecting anew. walinkd status shows how it goes.")
}
