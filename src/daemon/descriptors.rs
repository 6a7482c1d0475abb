//! How many files and connections the process may have open.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Beside the connections: listeners, database files, the connection to
/// WhatsApp, the runtime's own.
const OTHERS: u64 = 64;

/// Raises the limit to what the system allows: the usual soft one is kept low
/// for the sake of programs that use select(2), and this one does not.
pub(super) fn raise_limit() {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return;
    };
    if soft < hard {
        // Refused, the lower limit stays in force, and is told of below.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

/// Says so when there are fewer than the configuration's connections need: as
/// many on the control socket as on TCP.
pub(super) fn warn_if_too_few(max_connections: usize) {
    let needed = (max_connections as u64).saturating_mul(2) + OTHERS;
    if let Ok((soft, _)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < needed
    {
        tracing::warn!(
            "{soft} descriptors may be open, and http.max_connections = {max_connections} may need {needed}: raise LimitNOFILE= (ulimit -Hn), or lower http.max_connections"
        );
    }
}
