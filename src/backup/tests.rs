//! Copies and the way back, on directories without a daemon.

use super::{Archive, BackupError, finish, last_use, make, restore};
use crate::wire::Timestamp;
use rusqlite::Connection;
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

fn noon() -> Timestamp {
    Timestamp::from_millis(1_766_811_600_000)
}

/// A state directory of which each file says `text`.
fn state(text: &str) -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    for name in ["session.db", "journal.db"] {
        let database = Connection::open(dir.path().join(name)).expect("a database");
        database
            .execute_batch(&format!(
                "PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES ('{text}')"
            ))
            .expect("a table");
    }
    for name in ["keys.toml", "state.toml", "api-key"] {
        fs::write(dir.path().join(name), text).expect("written");
    }
    dir
}

fn says(dir: &Path) -> Vec<String> {
    let mut said = Vec::new();
    for name in ["session.db", "journal.db"] {
        let database = Connection::open(dir.join(name)).expect("a database");
        said.push(
            database
                .query_row("SELECT x FROM t", [], |row| row.get(0))
                .expect("a row"),
        );
    }
    for name in ["keys.toml", "state.toml", "api-key"] {
        said.push(fs::read_to_string(dir.join(name)).expect("readable"));
    }
    said
}

fn copy(of: &TempDir) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("copy");
    make(of.path(), &path, noon).expect("a copy");
    (folder, path)
}

#[test]
fn a_copy_is_private_and_comes_back_in_place_of_what_is_there() {
    let old = state("old");
    let (folder, path) = copy(&old);
    let mode = fs::metadata(&path).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 1);
    assert!(make(old.path(), &path, noon).is_err(), "never written over");

    let archive = Archive::open(&path).expect("whole");
    assert_eq!((archive.made_at, archive.is_linked()), (noon(), true));
    let new = state("new");
    assert!(last_use(new.path()).is_some_and(|at| at > noon()));
    let aside = restore(&archive, new.path(), noon()).expect("restored");
    assert_eq!(says(new.path()), ["old"; 5]);
    assert_eq!(says(&aside.expect("there was a state")), ["new"; 5]);

    let empty = tempfile::tempdir().expect("a directory");
    assert_eq!(last_use(empty.path()), None);
    let aside = restore(&archive, empty.path(), noon()).expect("restored");
    assert_eq!(aside, None);
    assert_eq!(says(empty.path()), ["old"; 5]);
}

#[test]
fn a_restore_that_was_cut_short_is_finished() {
    let (_folder, path) = copy(&state("old"));
    let archive = Archive::open(&path).expect("whole");
    let prepare = |stage: &str| {
        let dir = state("new");
        let under = dir.path().join(stage);
        for name in ["new", "old"] {
            fs::create_dir_all(under.join(name)).expect("made");
        }
        archive.unpack(&under.join("new")).expect("unpacked");
        dir
    };
    // Not begun: nothing has happened.
    let dir = prepare("restore.new");
    assert_eq!(finish(dir.path(), noon()).expect("done"), None);
    assert_eq!(says(dir.path()), ["new"; 5]);
    // The old ones were going out.
    let dir = prepare("restore.out");
    let gone = "restore.out/old/session.db";
    fs::rename(dir.path().join("session.db"), dir.path().join(gone)).expect("moved");
    let aside = finish(dir.path(), noon())
        .expect("done")
        .expect("an old state");
    assert_eq!(says(dir.path()), ["old"; 5]);
    assert_eq!(says(&aside), ["new"; 5]);
    assert_eq!(finish(dir.path(), noon()).expect("done"), None);
    // The new ones were coming in: what is in is not taken for an old one.
    let dir = tempfile::tempdir().expect("a directory");
    let coming = dir.path().join("restore.in");
    fs::create_dir_all(coming.join("new")).expect("made");
    archive.unpack(&coming.join("new")).expect("unpacked");
    let keys = dir.path().join("keys.toml");
    fs::rename(coming.join("new/keys.toml"), keys).expect("moved");
    assert_eq!(finish(dir.path(), noon()).expect("done"), None);
    assert_eq!(says(dir.path()), ["old"; 5]);
}

#[test]
fn a_foreign_or_damaged_copy_is_refused() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("x");
    let foreign = |path: &Path| matches!(Archive::open(path), Err(BackupError::NoArchive { .. }));
    assert!(foreign(&path), "there is none");
    fs::write(&path, "this is no database, only some text").expect("written");
    assert!(foreign(&path));
    let other = state("x");
    assert!(foreign(&other.path().join("session.db")));

    let (_folder, path) = copy(&state("old"));
    let whole = fs::read(&path).expect("readable");
    let archive = Connection::open(&path).expect("a database");
    archive
        .execute(
            "UPDATE file SET content = x'00' WHERE name = 'keys.toml'",
            [],
        )
        .expect("changed");
    drop(archive);
    assert!(matches!(
        Archive::open(&path),
        Err(BackupError::Damaged { .. })
    ));
    fs::write(&path, &whole[..whole.len() / 2]).expect("cut");
    assert!(Archive::open(&path).is_err());
}
