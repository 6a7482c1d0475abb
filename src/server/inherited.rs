//! Sockets passed by the service manager (`LISTEN_FDS`).

use super::{ControlSocket, ListenError};
use std::{
    net,
    os::{
        fd::{BorrowedFd, OwnedFd, RawFd},
        unix::net as unix,
    },
};
use tokio::net::{TcpListener, UnixListener};

/// What was passed, by its `FileDescriptorName`; empty without socket
/// activation.
#[derive(Debug, Default)]
pub struct Inherited {
    /// Named `http`.
    pub tcp: Vec<TcpListener>,
    /// Named `control`.
    pub control: Vec<ControlSocket>,
}

/// Takes the sockets named `http` and `control` over.
///
/// # Errors
///
/// When one has another name or is of another kind than its name says.
pub fn inherited() -> Result<Inherited, ListenError> {
    let passed = sd_notify::listen_fds_with_names()
        .map_err(|error| ListenError::Inherited(error.to_string()))?;
    let mut inherited = Inherited::default();
    for (number, name) in passed {
        let fault =
            |why: &str| ListenError::Inherited(format!("{name} (descriptor {number}) {why}"));
        let socket = duplicate(number).map_err(|error| fault(&error.to_string()))?;
        match name.as_str() {
            "http" => {
                let listener = tcp(socket).map_err(|_| fault("is no TCP socket"))?;
                inherited.tcp.push(listener);
            }
            "control" => {
                let listener = control(socket).map_err(|_| fault("is no Unix socket"))?;
                inherited.control.push(ControlSocket::inherited(listener));
            }
            _ => return Err(fault("has a name that is not known")),
        }
    }
    Ok(inherited)
}

/// A descriptor of our own for a passed one, which stays as it is: so calling
/// twice cannot close what somebody else uses.
#[expect(unsafe_code, reason = "the service manager hands over plain numbers")]
fn duplicate(number: RawFd) -> std::io::Result<OwnedFd> {
    // SAFETY: `listen_fds` has just set a flag on this descriptor, so it is
    // open; nothing in this program closes descriptors it was started with.
    let passed = unsafe { BorrowedFd::borrow_raw(number) };
    passed.try_clone_to_owned()
}

fn tcp(socket: OwnedFd) -> std::io::Result<TcpListener> {
    let listener = net::TcpListener::from(socket);
    // Fails for other address families.
    listener.local_addr()?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

fn control(socket: OwnedFd) -> std::io::Result<UnixListener> {
    let listener = unix::UnixListener::from(socket);
    listener.local_addr()?;
    listener.set_nonblocking(true)?;
    UnixListener::from_std(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_is_what_its_name_says() {
        let inet = || {
            net::TcpListener::bind("127.0.0.1:0")
                .expect("a port")
                .into()
        };
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("s");
        let unix: OwnedFd = unix::UnixListener::bind(path).expect("a socket").into();
        assert!(control(inet()).is_err());
        assert!(tcp(unix.try_clone().expect("a copy")).is_err());
        assert!(tcp(inet()).is_ok());
        assert!(control(unix).is_ok());
    }

    #[tokio::test]
    async fn without_socket_activation_there_is_nothing() {
        let inherited = inherited().expect("nothing is no fault");
        assert!(inherited.tcp.is_empty() && inherited.control.is_empty());
    }
}
