//! The control socket: its place in the file system and who may open it.

use super::ListenError;
use nix::unistd::{Gid, chown, getegid};
use std::{
    fs::{self, DirBuilder, Permissions},
    io::{self, ErrorKind},
    os::unix::{
        fs::{FileTypeExt, MetadataExt, PermissionsExt},
        net as unix,
    },
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{
    net::{UnixListener, UnixStream},
    time::timeout,
};

/// Owner and group open it; what each may do is decided by its credentials.
const MODE: u32 = 0o660;

/// A listening Unix socket; unlinked when dropped, if it is still ours.
#[derive(Debug)]
pub struct ControlSocket {
    listener: UnixListener,
    /// `None` for an inherited one: its file is the service manager's.
    file: Option<SocketFile>,
}

#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl ControlSocket {
    /// Listens on `path` with mode 0660, owned by `group` where that is given
    /// and permitted. A socket file that nobody answers on is replaced.
    ///
    /// # Errors
    ///
    /// Says why the socket cannot be had and what to do.
    pub async fn bind(path: &Path, group: Option<u32>) -> Result<Self, ListenError> {
        if unix::SocketAddr::from_pathname(path).is_err() {
            return Err(ListenError::PathTooLong(path.to_owned()));
        }
        let fault = |error: io::Error| match error.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                ListenError::SocketForbidden(path.to_owned())
            }
            _ => unusable(path, error),
        };
        if let Some(folder) = path.parent() {
            let is_new = !folder.exists();
            let mut builder = DirBuilder::new();
            builder.recursive(true).create(folder).map_err(fault)?;
            if is_new {
                // Past the umask: who may do what is decided at the socket.
                let open = Permissions::from_mode(0o755);
                fs::set_permissions(folder, open).map_err(fault)?;
            }
        }
        make_way(path).await?;
        let listener = open(path).map_err(fault)?;
        let made = fs::symlink_metadata(path).map_err(fault)?;
        let socket = Self {
            listener: UnixListener::from_std(listener).map_err(fault)?,
            file: Some(SocketFile {
                path: path.to_owned(),
                device: made.dev(),
                inode: made.ino(),
            }),
        };
        if group.is_some() {
            socket.regroup(group);
        }
        Ok(socket)
    }

    pub(super) fn inherited(listener: UnixListener) -> Self {
        Self {
            listener,
            file: None,
        }
    }

    /// Where it is, also of an inherited one.
    pub(super) fn path(&self) -> Option<PathBuf> {
        // One of ours was bound under another name and moved into place.
        if let Some(file) = &self.file {
            return Some(file.path.clone());
        }
        let address = self.listener.local_addr().ok()?;
        address.as_pathname().map(Path::to_owned)
    }

    pub(super) async fn accept(&self) -> io::Result<UnixStream> {
        self.listener.accept().await.map(|(stream, _)| stream)
    }

    /// Gives the socket to `group`, or back to the daemon's own.
    pub(super) fn regroup(&self, group: Option<u32>) {
        let Some(file) = self.file.as_ref().filter(|file| file.is_ours()) else {
            return;
        };
        let gid = group.map_or_else(getegid, Gid::from_raw);
        if fs::symlink_metadata(&file.path).is_ok_and(|found| found.gid() == gid.as_raw()) {
            return;
        }
        if let Err(error) = chown(&file.path, None, Some(gid)) {
            tracing::warn!(
                "{}: the control socket cannot be given to group {gid}: {error}: make the daemon's user a member of that group and restart",
                file.path.display()
            );
        }
    }
}

impl SocketFile {
    /// Another daemon may have taken the place meanwhile.
    fn is_ours(&self) -> bool {
        fs::symlink_metadata(&self.path)
            .is_ok_and(|found| (found.dev(), found.ino()) == (self.device, self.inode))
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.is_ours() {
            // What is left behind is replaced at the next start.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn unusable(path: &Path, error: io::Error) -> ListenError {
    ListenError::Socket {
        path: path.to_owned(),
        error,
    }
}

/// Looks whether the place is free, or held by a socket nobody answers on.
async fn make_way(path: &Path) -> Result<(), ListenError> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            return Err(ListenError::SocketForbidden(path.to_owned()));
        }
        Err(error) => return Err(unusable(path, error)),
    };
    if !found.file_type().is_socket() {
        return Err(ListenError::NotASocket(path.to_owned()));
    }
    match timeout(Duration::from_secs(1), UnixStream::connect(path)).await {
        Ok(Err(error)) => match error.kind() {
            ErrorKind::ConnectionRefused | ErrorKind::NotFound => Ok(()),
            ErrorKind::PermissionDenied => Err(ListenError::SocketForbidden(path.to_owned())),
            // A full queue: somebody is there, and busy.
            ErrorKind::WouldBlock => Err(ListenError::SocketInUse(path.to_owned())),
            _ => Err(unusable(path, error)),
        },
        Ok(Ok(_)) | Err(_) => Err(ListenError::SocketInUse(path.to_owned())),
    }
}

/// Opens the socket beside its place and moves it there: so nobody finds it
/// with a mode that is not yet right, nor a moment without one.
fn open(path: &Path) -> io::Result<unix::UnixListener> {
    let beside = path.with_file_name(format!(".{}", std::process::id()));
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = unix::UnixListener::bind(&beside)?;
    let placed = fs::set_permissions(&beside, Permissions::from_mode(MODE))
        .and_then(|()| listener.set_nonblocking(true))
        .and_then(|()| fs::rename(&beside, path));
    if let Err(error) = placed {
        // The first error is the one to tell.
        let _ = fs::remove_file(&beside);
        return Err(error);
    }
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("it exists").mode() & 0o777
    }

    #[tokio::test]
    async fn it_has_its_mode_and_goes_away() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("run/walinkd/control.sock");
        let socket = ControlSocket::bind(&path, None).await.expect("a socket");
        assert_eq!(mode(&path), MODE);
        let (near, _far) = tokio::join!(UnixStream::connect(&path), socket.accept());
        near.expect("it answers");
        drop(socket);
        assert!(!path.exists());
        let left = fs::read_dir(path.parent().expect("a folder")).expect("readable");
        assert_eq!(left.count(), 0);
    }

    #[tokio::test]
    async fn a_stale_socket_is_replaced_and_a_live_one_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("control.sock");
        drop(unix::UnixListener::bind(&path).expect("a socket"));
        assert!(path.exists());
        let first = ControlSocket::bind(&path, None)
            .await
            .expect("it was stale");
        let error = ControlSocket::bind(&path, None)
            .await
            .expect_err("it is live");
        assert!(matches!(error, ListenError::SocketInUse(_)));
        assert!(error.to_string().contains("stop it"));

        // Somebody else's socket in our place is not ours to unlink.
        fs::remove_file(&path).expect("ours");
        let other = unix::UnixListener::bind(&path).expect("the other's");
        drop(first);
        assert!(path.exists());
        drop(other);
    }

    #[tokio::test]
    async fn what_stands_in_the_way_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        fs::write(&file, "precious").expect("written");
        let error = ControlSocket::bind(&file, None).await.expect_err("a file");
        assert!(matches!(error, ListenError::NotASocket(_)));
        assert_eq!(fs::read(&file).expect("still there"), b"precious");

        let below = file.join("control.sock");
        let error = ControlSocket::bind(&below, None)
            .await
            .expect_err("no folder");
        assert!(error.to_string().contains("control.socket"));

        let long = folder.path().join("x".repeat(108));
        let error = ControlSocket::bind(&long, None)
            .await
            .expect_err("too long");
        assert!(matches!(error, ListenError::PathTooLong(_)));
    }
}
