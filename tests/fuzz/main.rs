//! What strangers and files can send: nothing of it may end the daemon, hang
//! it, or get an answer that is none.
//!
//! A target first takes its corpus, `__fuzz__/TARGET/corpus`, always; then it
//! searches for a second, from the corpus, by mutations. Longer, or anew:
//!
//!     FUZZ_SECONDS=600 cargo test --workspace --test fuzz http
//!     BOLERO_RANDOM_SEED=… cargo test --workspace --test fuzz http
//!
//! An input that fails is printed; put it into the corpus. Built for libFuzzer
//! (`cargo bolero`) a target searches by coverage, with the corpus as its own. The
//! other binaries have no engine then: their linker must let unresolved symbols
//! be, or they do not link.

mod config;
mod cursor;
mod edge;
mod http;
mod mutate;
mod numbers;
mod requests;

use mutate::Mutated;
use std::{
    cell::Cell,
    env, fs, panic,
    path::{Path, PathBuf},
    sync::Once,
    time::Duration,
};

/// Enough of what no generator would make; bolero's own mutations of the
/// corpus need a fuzzing engine.
const RAW: usize = 100;

/// `$check` takes bytes and panics when something is wrong.
macro_rules! fuzz {
    ($name:literal, $words:expr, $check:expr) => {{
        let check = panic::AssertUnwindSafe($check);
        let check = &check;
        let seeds = corpus($name);
        for seed in &seeds {
            check(seed);
        }
        // With a fuzzing engine this one takes over.
        bolero::check!(name = $name)
            .with_test_time(Duration::MAX)
            .with_iterations(RAW)
            .for_each(|input: &[u8]| watched(|| check(input)));
        bolero::check!(name = $name)
            .with_test_time(patience())
            .with_iterations(usize::MAX)
            .with_generator(Mutated {
                seeds,
                words: $words,
            })
            .for_each(|input: &mutate::Input| watched(|| check(&input.0)));
    }};
}

#[test]
fn config() {
    fuzz!("config", config::WORDS, config::file());
}

#[test]
fn environment() {
    fuzz!("environment", config::VALUES, config::environment());
}

#[test]
fn http() {
    fuzz!("http", http::WORDS, http::connection());
}

#[test]
fn requests() {
    fuzz!("requests", requests::WORDS, requests::request());
}

#[test]
fn queries() {
    fuzz!("queries", requests::QUERY_WORDS, requests::query());
}

#[test]
fn cursor() {
    fuzz!("cursor", cursor::WORDS, cursor::place());
}

#[test]
fn numbers() {
    fuzz!("numbers", numbers::WORDS, numbers::number);
}

#[test]
fn codes() {
    fuzz!("codes", numbers::CODE_WORDS, numbers::code);
}

/// How long to search.
fn patience() -> Duration {
    let seconds = env::var("FUZZ_SECONDS").ok();
    let seconds = seconds.map(|text| text.parse().expect("FUZZ_SECONDS is a number of seconds"));
    Duration::from_secs(seconds.unwrap_or(1))
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/__fuzz__");
    let files = fs::read_dir(folder.join(name).join("corpus")).expect("a corpus");
    let mut files: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{name} has no corpus");
    files
        .iter()
        .map(|file| fs::read(file).expect("it is readable"))
        .collect()
}

thread_local! {
    static PANICS: Cell<usize> = const { Cell::new(0) };
}

/// A panic in a task ends only the task, and nobody would hear of it.
fn watched(check: impl FnOnce()) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            PANICS.set(PANICS.get() + 1);
            others(info);
        }));
    });
    let before = PANICS.get();
    check();
    assert_eq!(PANICS.get(), before, "something has panicked meanwhile");
}
