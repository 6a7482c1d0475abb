//! `walinkd reconnect`: drop the connection and connect now.

use super::{
    failure::Failure,
    screen::{Form, say},
};
use crate::{client::Client, wire::State};

pub(super) async fn run(client: &Client, form: Form) -> Result<(), Failure> {
    let failed = |error| Failure::call("reconnect", error);
    let answer = client.reconnect().await.map_err(failed)?;
    if form.json {
        say(&answer.body)?;
    }
    let (why, hint) = match client.status().await.map_err(failed)?.data.state {
        State::Paused => ("the daemon is paused", "end that first: walinkd resume"),
        State::WaitingPasskey => (
            "WhatsApp waits for the passkey on this connection",
            "end that first: walinkd passkey --cancel",
        ),
        _ if form.json => return Ok(()),
        _ => return say("Connecting anew. walinkd status shows how it goes."),
    };
    Err(Failure::not_reached("reconnect", why, hint))
}
