//! Which daemon a command talks to.

use super::{Common, failure::Failure};
use crate::{
    client::Client,
    config::{self, Sources},
};
use std::{env, path::PathBuf};

/// A client of the daemon that the flags name, else the environment, else of
/// the one that runs where a daemon runs by default.
pub(super) fn client(common: &Common) -> Result<Client, Failure> {
    let variable = env::var_os("WALINKD_SOCKET").filter(|socket| !socket.is_empty());
    let sockets = if let Some(socket) = &common.socket {
        vec![socket.clone()]
    } else if let Some(instance) = &common.instance {
        vec![instance.socket()]
    } else if common.config.is_some() {
        vec![config::load(&common.sources()?)?.control.socket]
    } else if let Some(socket) = variable {
        vec![PathBuf::from(socket)]
    } else {
        Sources::from_process(None).default_sockets()
    };
    Ok(Client::new(sockets))
}
