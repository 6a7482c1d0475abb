//! `walinkd reload`: SIGHUP, but with an answer.

use super::{
    failure::Failure,
    screen::{plain, say},
};
use crate::client::Client;

pub(super) async fn run(client: &Client) -> Result<(), Failure> {
    let answer = client.reload().await;
    let report = answer.map_err(|error| Failure::call("reload", error))?.data;
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
