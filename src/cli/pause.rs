//! `walinkd pause`: go offline and stay so.

use super::{
    failure::Failure,
    screen::{Form, say},
};
use crate::client::Client;

pub(super) async fn run(client: &Client, form: Form) -> Result<(), Failure> {
    let failed = |error| Failure::call("pause", error);
    let answer = client.pause().await.map_err(failed)?;
    if form.json {
        return say(&answer.body);
    }
    let status = client.status().await.map_err(failed)?.data;
    say(match status.jid {
        Some(_) => "Paused. The link is kept; walinkd resume goes online again.",
        None => "Paused. Nothing is linked; walinkd resume begins to pair again.",
    })
}
