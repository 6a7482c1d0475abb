//! Where the configuration comes from: which file, which environment, who
//! runs the daemon.

use super::{Fault, Place, fault::Wrong, reader::Reader};
use nix::unistd::{User, geteuid};
use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    fs, io,
    io::Read as _,
    path::{Path, PathBuf},
};

/// The file that is read when none is named.
pub const DEFAULT_FILE: &str = "/etc/walinkd/walinkd.toml";

const SYSTEM_CONFIG: &str = "/etc";
const SYSTEM_STATE: &str = "/var/lib/walinkd";
const SYSTEM_RUNTIME: &str = "/run/walinkd";
const SOCKET_NAME: &str = "control.sock";

/// A configuration is a page or two; more than this is another kind of file.
const MAX_FILE: u64 = 1 << 20;

/// The variables of the environment that mean something here.
pub const VARIABLES: [&str; 9] = [
    "API_KEY",
    "CREDENTIALS_DIRECTORY",
    "PHONE_NUMBER",
    "PORT",
    "RUNTIME_DIRECTORY",
    "STATE_DIRECTORY",
    "USE_PAIRING_CODE",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
];

/// Everything a configuration is made from, so that a test needs no process
/// environment.
#[derive(Clone, Default)]
pub struct Sources {
    /// `--config`.
    pub file: Option<PathBuf>,
    /// Read when there is no `--config` and it exists; see [`DEFAULT_FILE`].
    pub default_file: PathBuf,
    /// `--socket`, absolute.
    pub socket: Option<PathBuf>,
    pub env: BTreeMap<&'static str, OsString>,
    pub root: bool,
    /// Where per-user directories begin.
    pub home: Option<PathBuf>,
}

/// The configuration file as text.
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

/// A default that depends on who runs the daemon, and what it goes by.
pub(super) struct Fallback {
    pub(super) path: PathBuf,
    pub(super) place: Place,
}

impl Sources {
    /// What this process was started with; `file` is `--config`.
    pub fn from_process(file: Option<PathBuf>) -> Self {
        let user = geteuid();
        let home = env::var_os("HOME").map(PathBuf::from);
        let home = home.filter(|home| home.is_absolute()).or_else(|| {
            let user = User::from_uid(user).ok().flatten();
            user.map(|user| user.dir)
        });
        Self {
            file,
            default_file: PathBuf::from(DEFAULT_FILE),
            socket: None,
            env: VARIABLES
                .into_iter()
                .filter_map(|name| Some((name, env::var_os(name)?)))
                .collect(),
            root: user.is_root(),
            home,
        }
    }

    /// Where a daemon that was told nothing has its control socket, the
    /// likeliest place first.
    pub fn default_sockets(&self) -> Vec<PathBuf> {
        let mut sockets = vec![Path::new(SYSTEM_RUNTIME).join(SOCKET_NAME)];
        if let Some(runtime) = self.absolute("XDG_RUNTIME_DIR") {
            sockets.push(runtime.join("walinkd").join(SOCKET_NAME));
        }
        if !self.root
            && let Some(state) = self.user_state()
        {
            sockets.push(state.join(SOCKET_NAME));
        }
        sockets
    }

    /// A variable's value; an empty one counts as not set.
    pub(super) fn variable(&self, name: &str) -> Option<&OsString> {
        self.env.get(name).filter(|value| !value.is_empty())
    }

    /// The file to go by, if there is one.
    pub(super) fn read_file(&self) -> Result<Option<File>, Fault> {
        let path = self.file.as_ref().unwrap_or(&self.default_file);
        let bytes = match bytes(path) {
            Ok(bytes) => bytes,
            Err(error) if self.file.is_none() && self.passes_over(&error) => return Ok(None),
            Err(error) => return Err(unreadable(path, &error)),
        };
        if bytes.len() as u64 > MAX_FILE {
            let wrong = Wrong::new("is larger than 1 MiB", "name the TOML file of walinkd");
            return Err(wrong.at(Place::Path(path.clone()), ""));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let good = error.utf8_error().valid_up_to();
            let before = String::from_utf8_lossy(&error.as_bytes()[..good]);
            let place = Reader::new(path, &before).place(before.len());
            Wrong::new("is not UTF-8", "save the file as UTF-8").at(place, "")
        })?;
        if text.starts_with('\u{feff}') {
            let place = Reader::new(path, &text).place(0);
            let wrong = Wrong::new(
                "begins with a byte-order mark",
                "save the file as UTF-8 without one",
            );
            return Err(wrong.at(place, ""));
        }
        Ok(Some(File {
            path: path.clone(),
            text,
        }))
    }

    /// The system's own file need not be there, and is none of the business
    /// of a user who may not read it.
    fn passes_over(&self, error: &io::Error) -> bool {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => true,
            io::ErrorKind::PermissionDenied => !self.root,
            _ => false,
        }
    }

    /// The default of `storage.state_dir`; empty when there is none.
    pub(super) fn state_dir(&self, file: Option<&Path>) -> Fallback {
        if let Some(path) = self.first_directory("STATE_DIRECTORY") {
            return Fallback {
                path,
                place: Place::Environment("STATE_DIRECTORY"),
            };
        }
        let path = if self.is_system(file) {
            PathBuf::from(SYSTEM_STATE)
        } else {
            self.user_state().unwrap_or_default()
        };
        Fallback {
            path,
            place: Place::Default,
        }
    }

    /// The default of `control.socket`.
    pub(super) fn socket(&self, file: Option<&Path>, state_dir: &Path) -> Fallback {
        let (directory, place) = if let Some(path) = self.first_directory("RUNTIME_DIRECTORY") {
            (path, Place::Environment("RUNTIME_DIRECTORY"))
        } else if self.is_system(file) {
            (PathBuf::from(SYSTEM_RUNTIME), Place::Default)
        } else if let Some(path) = self.absolute("XDG_RUNTIME_DIR") {
            (path.join("walinkd"), Place::Environment("XDG_RUNTIME_DIR"))
        } else {
            (state_dir.to_owned(), Place::Default)
        };
        Fallback {
            path: directory.join(SOCKET_NAME),
            place,
        }
    }

    /// A file in `/etc` speaks for the system, whoever runs the daemon; one
    /// elsewhere is its user's own.
    fn is_system(&self, file: Option<&Path>) -> bool {
        let absolute = file.and_then(|file| std::path::absolute(file).ok());
        self.root || absolute.is_some_and(|file| file.starts_with(SYSTEM_CONFIG))
    }

    fn user_state(&self) -> Option<PathBuf> {
        let base = self.absolute("XDG_STATE_HOME");
        let base = base.or_else(|| Some(self.home.as_ref()?.join(".local/state")))?;
        Some(base.join("walinkd"))
    }

    /// The XDG specification has relative paths ignored.
    fn absolute(&self, name: &str) -> Option<PathBuf> {
        let path = PathBuf::from(self.variable(name)?);
        path.is_absolute().then_some(path)
    }

    /// systemd lists several directories with colons; the first is ours.
    fn first_directory(&self, name: &str) -> Option<PathBuf> {
        let first = env::split_paths(self.variable(name)?).next()?;
        first.is_absolute().then_some(first)
    }
}

fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?
        .take(MAX_FILE + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unreadable(path: &Path, error: &io::Error) -> Fault {
    let (what, hint) = match error.kind() {
        io::ErrorKind::NotFound => ("there is no such file", "name another with --config"),
        io::ErrorKind::PermissionDenied => (
            "may not be read by this user",
            "run as root or as the daemon's user, or change the file's mode",
        ),
        io::ErrorKind::IsADirectory => ("is a directory", "name the file in it"),
        _ => {
            let what = format!("cannot be read: {error}");
            return Wrong::new(what, "check the disk and the path")
                .at(Place::Path(path.to_owned()), "");
        }
    };
    Wrong::new(what, hint).at(Place::Path(path.to_owned()), "")
}
