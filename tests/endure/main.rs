//! A long run: random faults at random moments, with clients asking all the
//! while, and what must hold through all of it. And `kill -9` at random instants
//! around everything that is written.
//!
//!     cargo test --features sandbox --test endure -- --ignored --nocapture
//!
//! `ENDURE_SECONDS` (180) is how long, `ENDURE_SEED` (1) makes the same choices
//! again, `ENDURE_KILLS` (40) is how often the second one kills. As root the state
//! is on a small disk of its own, which is full or write-protected at times, and
//! the server has a name that is unknown at times; with libfaketime the wall clock
//! jumps. What is missing is said at the beginning.

#![expect(
    clippy::unwrap_used,
    reason = "a test that panics is a test that fails"
)]

#[path = "../support/mod.rs"]
#[allow(
    clippy::allow_attributes,
    dead_code,
    unused_imports,
    reason = "shared by test programs that each use a part of it"
)]
mod support;

mod acts;
mod chance;
mod disk;
mod figures;
mod kills;
mod names;
mod onlooker;
mod run;

use chance::Chance;
use run::Run;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// A setting from the environment.
fn setting(name: &str, otherwise: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().expect("a number"),
        Err(_) => otherwise,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes; tests/run runs it by itself"]
async fn nothing_is_lost_under_any_fault() {
    let seed = setting("ENDURE_SEED", 1);
    let lasts = Duration::from_secs(setting("ENDURE_SECONDS", 180));
    let mut chance = Chance::new(seed);
    let mut run = Run::begin().await;
    println!("seed {seed}, {} s, {}", lasts.as_secs(), run.told());
    let end = Instant::now() + lasts;
    let mut done = BTreeMap::new();
    while Instant::now() < end {
        let act = acts::any(&mut chance, &run);
        println!("{:>6.1} s  {act:?}", run.age().as_secs_f64());
        acts::perform(&act, &mut chance, &mut run).await;
        *done.entry(act.name()).or_insert(0_u32) += 1;
        run.check();
        // Often the next act meets what this one has left.
        if chance.one_in(2) {
            run.settle().await;
        }
    }
    run.settle().await;
    let told = run.end().await;
    println!("{done:#?}\n{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes; tests/run runs it by itself"]
async fn kill_9_at_any_instant_leaves_one_of_two_truths() {
    let seed = setting("ENDURE_SEED", 1);
    let kills = setting("ENDURE_KILLS", 40);
    println!("seed {seed}, {kills} kills");
    println!("{}", kills::run(&mut Chance::new(seed), kills).await);
}
