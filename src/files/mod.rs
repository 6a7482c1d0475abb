//! Small private files, replaced in one step.
//!
//! Owns how a file of the state directory, or one with a secret, is written, so that a crash leaves
//! the old or the new and nobody else can read it. Must not know what is in it.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

/// Writes `content` to a file that only its owner can read, in place of what was
/// there. When this returns, it is on the disk.
///
/// # Errors
///
/// When the directory is full, read-only or another user's; then what was there
/// is there still.
pub fn replace(path: &Path, content: impl AsRef<[u8]>) -> io::Result<()> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)?;
    file.write_all(content.as_ref())?;
    file.sync_all()?;
    let folder = folder(path)?;
    fs::rename(&fresh, path)?;
    folder.sync_all()
}

/// Removes a file. When this returns, it is gone from the disk.
///
/// # Errors
///
/// When it is not there, or the directory is read-only or another user's.
pub fn remove(path: &Path) -> io::Result<()> {
    let folder = folder(path)?;
    fs::remove_file(path)?;
    folder.sync_all()
}

/// The directory, which keeps the names. Opened before anything is changed:
/// where that cannot be done, nothing has been.
fn folder(path: &Path) -> io::Result<File> {
    File::open(path.parent().unwrap_or(Path::new("/")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_file_is_replaced_and_private() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.toml");
        replace(&path, "old and longer").expect("written");
        replace(&path, "new").expect("written");
        assert_eq!(fs::read_to_string(&path).expect("readable"), "new");
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let files = fs::read_dir(folder.path()).expect("readable").count();
        assert_eq!(files, 1);
        assert!(replace(&folder.path().join("none/x"), "x").is_err());
    }
}
