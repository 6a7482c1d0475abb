//! `walinkd reload`: SIGHUP, but with an answer.

use super::{
    failure::Failure,
    screen::{Form, plain, say},
};
use crate::client::Client;

pub(super) async fn run(client: &Client, form: Form) -> Result<(), Failure> {
    let answer = client.reload().await;
    let answer = answer.map_err(|error| Failure::call("reload", error))?;
    if form.json {
        return say(&answer.body);
    }
    let report = answer.data;
    let list = |keys: &[String]| plain(&keys.join(", "));
    if !report.applied.is_empty() {
        say(&format!("applied: {}", list(&report.applied)))?;
    }
    if !report.needs_restart.is_empty() {
        say(&format!("needs a restart: {}", list(&report.needs_restart)))?;
    }
    if let Some(number) = &report.pairing_for {
        say(&format!("pairing for: {}", plain(number)))?;
    }
    if report.applied.is_empty() && report.needs_restart.is_empty() {
        say("reloaded: no setting has changed")?;
    }
    Ok(())
}
