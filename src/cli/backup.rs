//! `walinkd backup`: a copy of the state in a file.

use super::{
    Common,
    failure::Failure,
    screen::{complain, say},
    socket,
};
use crate::{
    client::{Client, Error},
    daemon::{self, BackupFile},
};
use std::{
    env,
    fs::{self, File, OpenOptions},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where to write it; nobody else can read it there
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace what is there
    #[arg(long)]
    force: bool,
}

pub(super) fn run(common: &Common, arguments: &Arguments) -> Result<(), Failure> {
    let file = &arguments.file;
    if file.symlink_metadata().is_ok() && !arguments.force {
        let why = format!("{} is there already", file.display());
        return Err(Failure::new(
            "backup",
            why,
            "name another file, or add --force",
        ));
    }
    // Made beside, so that a copy that fails takes no good one's place.
    let mut fresh = file.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = PathBuf::from(fresh);
    let made = make(common, &fresh).and_then(|()| {
        let copy = BackupFile::open(&fresh).map_err(|error| Failure::work("backup", &error))?;
        fs::rename(&fresh, file).map_err(|error| unwritable(file, &error))?;
        sync_folder(file);
        Ok(copy)
    });
    if made.is_err() {
        // Ours, and it holds keys.
        let _ = fs::remove_file(&fresh);
    }
    let copy = made?;
    let holds = if copy.is_linked() {
        "Who has it can read and write as you."
    } else {
        complain("walinkd: backup: no device is linked: the copy holds only API keys and events");
        "Keep it as you keep a key."
    };
    say(&format!("Copied to {}. {holds}", file.display()))
}

/// By the daemon, or without it when none runs.
fn make(common: &Common, fresh: &Path) -> Result<(), Failure> {
    let client = socket::client(common)?;
    let nobody = match super::runtime()?.block_on(fetch(&client, fresh)) {
        Ok(done) => return done,
        Err(error @ Error::NoDaemon { .. }) => Failure::call("backup", error),
        Err(error) => return Err(Failure::call("backup", error)),
    };
    // Whose state it is, a socket alone does not tell.
    let named = common.config.is_some() || common.instance.is_some();
    let socket = env::var_os("WALINKD_SOCKET").filter(|socket| !socket.is_empty());
    if common.socket.is_some() || (socket.is_some() && !named) {
        return Err(nobody);
    }
    let config = common.daemon()?;
    // Left by a copy that was cut short.
    let _ = fs::remove_file(fresh);
    match daemon::back_up(&config, fresh) {
        Ok(Some(())) => Ok(()),
        Ok(None) => Err(nobody),
        Err(error) => Err(Failure::work("backup", &error)),
    }
}

/// The inner result is about the file.
async fn fetch(client: &Client, fresh: &Path) -> Result<Result<(), Failure>, Error> {
    let mut copy = client.backup().await?;
    let mut file = match private(fresh) {
        Ok(file) => file,
        Err(error) => return Ok(Err(unwritable(fresh, &error))),
    };
    while let Some(piece) = copy.next().await? {
        if let Err(error) = file.write_all(&piece) {
            return Ok(Err(unwritable(fresh, &error)));
        }
    }
    Ok(file.sync_all().map_err(|error| unwritable(fresh, &error)))
}

fn private(path: &Path) -> std::io::Result<File> {
    let _ = fs::remove_file(path);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600).open(path)
}

fn sync_folder(file: &Path) {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    // The copy is good; only a power cut right now could lose its name.
    let _ = File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all());
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::file("backup", path, error)
}
