//! Without a key, with a wrong one, and with one in the wrong place.

use crate::{
    all,
    support::{Daemon, KEY},
    tally,
    wire::{send, statuses},
};
use sha2::{Digest, Sha256};

/// A key that attackers have too: what it may do is theirs, and no more.
pub(crate) const ATTACKERS: &str = "a-key-that-leaked";

pub(crate) fn attackers_key() -> String {
    format!("x-api-key: {ATTACKERS}\r\n")
}

pub(crate) fn keys() -> String {
    let hash: String = Sha256::digest(ATTACKERS)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!(
        "[http.rate_limit]\nrequests_per_second = 50\nburst = 1000\n\
         [[auth.keys]]\nname = \"attackers\"\nsha256 = \"{hash}\"\nscope = \"manage\"\n"
    )
}

pub(crate) async fn guessing(daemon: &Daemon) -> String {
    let address = daemon.address();
    let guesses = all(2_000, move |number| {
        Box::pin(async move {
            let request = format!(
                "GET /connection/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\nx-api-key: guess-{number}\r\n\r\n"
            );
            statuses(&send(address, request.as_bytes()).await)
        })
    });
    let guesses = guesses.await;
    let refused = guesses.iter().filter(|outcome| *outcome == "403").count();
    // Those that were under way when the limit was reached.
    assert!((10..=30).contains(&refused), "{}", tally(guesses));
    assert!(
        guesses
            .iter()
            .all(|outcome| outcome == "403" || outcome == "429")
    );
    // A good key does not help either, and is told how long.
    let good = format!(
        "GET /connection/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\nx-api-key: {KEY}\r\n\r\n"
    );
    let locked = send(address, good.as_bytes()).await;
    assert!(
        locked.contains(" 429 ") && locked.contains("retry-after: "),
        "{locked}"
    );
    let log = daemon.log();
    assert_eq!(log.matches("locked out 127.0.0.1 for 60 s").count(), 1);
    let told = log.matches("refused 127.0.0.1:").count();
    format!("{}; {told} told in the log", tally(guesses))
}

/// Not from the attackers' address, which is locked out by now.
pub(crate) async fn elsewhere(daemon: &Daemon) -> String {
    let address = daemon.address();
    let mut outcomes = Vec::new();
    for (target, header) in [
        (format!("/connection/status?key={KEY}"), String::new()),
        (
            format!("/connection/status?api_key={KEY}&x-api-key={KEY}"),
            String::new(),
        ),
        (
            "/connection/status".to_owned(),
            format!("Cookie: x-api-key={KEY}\r\n"),
        ),
        (
            "/connection/status".to_owned(),
            format!("Authorization: Basic {KEY}\r\n"),
        ),
    ] {
        let request =
            format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{header}\r\n");
        let stream = crate::wire::connect_from(3, address).await.expect("let in");
        outcomes.push(statuses(
            &crate::wire::talk(stream, request.as_bytes()).await,
        ));
    }
    assert!(
        outcomes.iter().all(|outcome| outcome == "403"),
        "{outcomes:?}"
    );
    tally(outcomes)
}
