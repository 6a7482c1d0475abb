//! `walinkd disconnect`: unlink, wipe, pair anew.

use super::{
    failure::Failure,
    screen::{Form, say},
};
use crate::client::Client;

pub(super) async fn run(client: &Client, form: Form) -> Result<(), Failure> {
    let answer = client.disconnect().await;
    let answer = answer.map_err(|error| Failure::call("disconnect", error))?;
    if form.json {
        return say(&answer.body);
    }
    let done = answer.data.data;
    say(
        match done.map(|done| (done.wiped, done.unlinked_at_whatsapp)) {
            Some((true, false)) => {
                "Disconnected: the session is wiped here, but WhatsApp could not be told. Remove the \
             device on the phone, under WhatsApp > Linked devices."
            }
            Some((false, false)) => "Nothing was linked.",
            _ => "Disconnected: unlinked at WhatsApp, the session is wiped here.",
        },
    )?;
    say("To link again: walinkd qr, or walinkd pair PHONE.")
}
