//! The process on the other side of the control socket.

use nix::{
    libc,
    unistd::{Gid, Group, Uid, User, geteuid, getgrouplist},
};
use std::{
    ffi::CString,
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd},
    sync::Arc,
};
use thiserror::Error;
use tokio::net::UnixStream;

use super::Scope;

/// Who opened a control connection, as the kernel recorded it at that moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    pub uid: u32,
    /// Unknown when the peer lives in another PID namespace.
    pub pid: Option<i32>,
    /// The process's groups, and every group its user is a member of by now.
    /// Empty for root and the daemon's user, who need none.
    groups: Arc<[u32]>,
}

/// The group of `control.group` does not exist.
#[derive(Debug, Error)]
pub enum NoSuchGroup {
    #[error(
        "there is no group {0:?}: create it (groupadd --system {0}) or name another in control.group"
    )]
    Unknown(String),
    #[error("the group {0:?} cannot be looked up: {1}: check the name service (getent group {0})")]
    Lookup(String, nix::Error),
}

/// The number of a group.
///
/// # Errors
///
/// When the name service does not know it or does not answer.
pub fn group_id(name: &str) -> Result<u32, NoSuchGroup> {
    match Group::from_name(name) {
        Ok(Some(group)) => Ok(group.gid.as_raw()),
        Ok(None) => Err(NoSuchGroup::Unknown(name.to_owned())),
        Err(error) => Err(NoSuchGroup::Lookup(name.to_owned(), error)),
    }
}

impl Peer {
    /// Asks the kernel, and the name service for the groups of a user that is
    /// neither root nor the daemon's own.
    ///
    /// # Errors
    ///
    /// When the kernel gives no credentials, or the runtime is shutting down.
    pub async fn of(stream: &UnixStream) -> io::Result<Self> {
        let credentials = stream.peer_cred()?;
        let (uid, gid) = (credentials.uid(), credentials.gid());
        let groups = if owns_the_daemon(uid) {
            Vec::new()
        } else {
            // In a user namespace of our own a stranger's uid is nobody's; its
            // groups are still told where they are known here.
            let mut groups = groups_of_process(stream.as_fd())?;
            // The name service may ask over the network and blocks meanwhile.
            groups.extend(tokio::task::spawn_blocking(move || groups_of(uid, gid)).await?);
            groups
        };
        Ok(Self {
            uid,
            pid: credentials.pid(),
            groups: groups.into(),
        })
    }

    /// Root, the daemon's own user and the members of `group` manage; everybody
    /// else who could open the socket reads.
    pub(super) fn scope(&self, group: Option<u32>) -> Scope {
        let member = group.is_some_and(|gid| self.groups.contains(&gid));
        if owns_the_daemon(self.uid) || member {
            Scope::Manage
        } else {
            Scope::Read
        }
    }

    /// A peer made up for tests, with the groups it is in.
    #[cfg(test)]
    pub(crate) fn made_up(uid: u32, groups: &[u32]) -> Self {
        Self {
            uid,
            pid: Some(4711),
            groups: groups.into(),
        }
    }
}

fn owns_the_daemon(uid: u32) -> bool {
    uid == 0 || Uid::from_raw(uid) == geteuid()
}

/// The supplementary groups of the process on the other side.
#[expect(unsafe_code, reason = "no safe crate has SO_PEERGROUPS")]
fn groups_of_process(socket: BorrowedFd<'_>) -> io::Result<Vec<u32>> {
    let mut groups = vec![0_u32; 64];
    loop {
        let mut bytes = libc::socklen_t::try_from(size_of_val(&groups[..])).unwrap_or(0);
        // SAFETY: the buffer is as long as `bytes` says, and every bit pattern
        // is a `u32`.
        let failed = unsafe {
            libc::getsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERGROUPS,
                groups.as_mut_ptr().cast(),
                &raw mut bytes,
            )
        } != 0;
        let found = usize::try_from(bytes).unwrap_or(0) / size_of::<u32>();
        if !failed {
            groups.truncate(found);
            return Ok(groups);
        }
        let error = io::Error::last_os_error();
        // The kernel says then how much room it wants.
        if error.raw_os_error() != Some(libc::ERANGE) || found <= groups.len() {
            return Err(error);
        }
        groups.resize(found, 0);
    }
}

fn groups_of(uid: u32, gid: u32) -> Vec<u32> {
    let mut groups = vec![gid];
    // A user the name service does not know (a container's) has its own group.
    if let Ok(Some(user)) = User::from_uid(Uid::from_raw(uid))
        && let Ok(name) = CString::new(user.name)
        && let Ok(listed) = getgrouplist(&name, Gid::from_raw(gid))
    {
        groups.extend(listed.into_iter().map(Gid::as_raw));
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_kernel_tells_a_peers_groups() {
        let (one, _other) = UnixStream::pair().expect("a pair");
        let told = groups_of_process(one.as_fd()).expect("told");
        let ours: Vec<u32> = nix::unistd::getgroups()
            .expect("our own groups")
            .into_iter()
            .map(Gid::as_raw)
            .collect();
        assert_eq!(told, ours);
    }

    #[test]
    fn members_manage_and_others_read() {
        let stranger = Peer::made_up(54_321, &[54_321, 100]);
        assert_eq!(stranger.scope(None), Scope::Read);
        assert_eq!(stranger.scope(Some(7)), Scope::Read);
        assert_eq!(stranger.scope(Some(100)), Scope::Manage);
        assert_eq!(Peer::made_up(0, &[]).scope(None), Scope::Manage);
        let own = geteuid().as_raw();
        assert_eq!(Peer::made_up(own, &[]).scope(None), Scope::Manage);
    }

    #[test]
    fn groups_hold_the_process_group_even_of_an_unknown_user() {
        assert!(groups_of(3_999_999_999, 42).contains(&42));
        assert!(groups_of(0, 0).contains(&0));
    }

    #[test]
    fn an_unknown_group_is_named_with_what_to_do() {
        let error = group_id("no-such-group-here").expect_err("unknown");
        assert!(
            error
                .to_string()
                .contains("groupadd --system no-such-group-here")
        );
        assert_eq!(group_id("root").expect("root exists"), 0);
    }

    #[tokio::test]
    async fn the_kernel_names_the_peer() {
        let (here, _there) = UnixStream::pair().expect("a socket pair");
        let peer = Peer::of(&here).await.expect("credentials");
        assert_eq!(peer.uid, geteuid().as_raw());
        assert_eq!(peer.pid, i32::try_from(std::process::id()).ok());
        assert_eq!(peer.scope(None), Scope::Manage);
    }
}
