//! What the metrics tell of webhooks follows a scripted receiver, to the last
//! attempt.

use crate::{
    exposition::Exposition,
    metrics::scrape,
    support::{Daemon, Mood, Receiver, SOON, free_port},
    webhook::{SECRET, endpoint, home, reload, started},
};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// What a scrape tells of one webhook.
#[derive(Debug, Clone, PartialEq)]
struct Figures {
    /// Those that are not zero.
    attempts: BTreeMap<String, f64>,
    lag: f64,
    failures: f64,
    paused: f64,
}

impl Figures {
    /// `None` when nothing is told of it.
    fn read(told: &Exposition, name: &str) -> Option<Self> {
        let of =
            |figure: &str| told.get(&format!("walinkd_webhook_{figure}"), &[("webhook", name)]);
        let lag = of("lag_events")?;
        let seconds = of("lag_seconds").expect("both");
        assert!(lag > 0.0 || seconds == 0.0, "{seconds} s");
        assert!((0.0..300.0).contains(&seconds), "{seconds}");
        let all = told.all("walinkd_webhook_attempts_total");
        let all: Vec<_> = all.filter(|(by, _)| by["webhook"] == name).collect();
        assert_eq!(all.len(), 8, "each is there from the start: {all:?}");
        let made = all.into_iter().filter(|(_, times)| *times > 0.0);
        let attempts = made.map(|(by, times)| (by["outcome"].clone(), times));
        Some(Self {
            attempts: attempts.collect(),
            lag,
            failures: of("failures").expect("told"),
            paused: of("paused").expect("told"),
        })
    }
}

/// The figures of `name`, once they are as wanted.
async fn until(
    daemon: &Daemon,
    name: &str,
    what: &str,
    holds: impl Fn(&Figures) -> bool,
) -> Figures {
    let deadline = Instant::now() + SOON;
    loop {
        let told = scrape(daemon).await;
        let figures = Figures::read(&told, name).expect("it is told of");
        if holds(&figures) {
            return figures;
        }
        assert!(Instant::now() < deadline, "{what}: {figures:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until a scrape says just this of the webhook `shop`.
async fn told(daemon: &Daemon, attempts: &[(&str, f64)], lag: u32, failures: u32, paused: bool) {
    let attempts = attempts
        .iter()
        .map(|(outcome, times)| ((*outcome).to_owned(), *times));
    let wanted = Figures {
        attempts: attempts.collect(),
        lag: lag.into(),
        failures: failures.into(),
        paused: f64::from(u8::from(paused)),
    };
    until(daemon, "shop", &format!("{wanted:?}"), |figures| {
        *figures == wanted
    })
    .await;
}

/// So far away that only a resume brings the next attempt.
const LATER: &str = "retry-after: 3600\r\n";

async fn post(daemon: &Daemon, path: &str) {
    let answer = daemon.post(path).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn they_follow_a_receiver_through_its_moods() {
    const RETRY: &str = "/admin/webhooks/resume?name=shop";
    let home = home();
    let (receiver, hung) = (Receiver::start(SECRET).await, Receiver::start(SECRET).await);
    hung.set(Mood::Hang);
    // Its own pauses and tests are no events for it, and so no backlog either.
    let shop = endpoint(
        "shop",
        &receiver.url(),
        r#"events = ["admin.start", "admin.pause", "admin.resume"]"#,
    );
    let start = r#"events = ["admin.start"]"#;
    let nobody = format!("http://127.0.0.1:{}/", free_port());
    home.configure(&format!(
        "{shop}{}{}",
        endpoint("hung", &hung.url(), start),
        endpoint("nobody", &nobody, start)
    ));
    let daemon = started(&home).await;
    told(&daemon, &[("delivered", 1.0)], 0, 0, false).await;

    receiver.set(Mood::Answer(500, LATER));
    post(&daemon, "/connection/pause").await;
    let mut attempts = vec![("delivered", 1.0), ("server_error", 1.0)];
    told(&daemon, &attempts, 1, 1, false).await;
    post(&daemon, "/connection/resume").await;
    told(&daemon, &attempts, 2, 1, false).await;
    for (mood, outcome) in [
        (Mood::Answer(404, LATER), "client_error"),
        (Mood::Answer(302, LATER), "redirect"),
        // No success either, and not the receiver's own fault or ours.
        (Mood::Answer(600, LATER), "server_error"),
    ] {
        receiver.set(mood);
        post(&daemon, RETRY).await;
        match attempts.iter_mut().find(|(known, _)| *known == outcome) {
            Some((_, times)) => *times += 1.0,
            None => attempts.push((outcome, 1.0)),
        }
        told(&daemon, &attempts, 2, 1, false).await;
    }
    // It is tried again and again, and each failure counts in both.
    let failed = attempts.len();
    receiver.set(Mood::Down);
    post(&daemon, RETRY).await;
    until(&daemon, "shop", "two failures", |figures| {
        figures.failures >= 2.0
    })
    .await;
    receiver.set(Mood::DieMidBody);
    let cut = receiver.received().len();
    receiver.until("another", |all| all.len() > cut).await;
    receiver.set(Mood::Answer(500, LATER));
    let at_rest = until(&daemon, "shop", "the last", |figures| {
        figures.attempts["server_error"] == 3.0
    })
    .await;
    let broken = at_rest.attempts["broken"];
    assert_eq!(at_rest.attempts.len(), failed + 1, "{at_rest:?}");
    assert_eq!(at_rest.failures, broken + 1.0);

    receiver.set(Mood::Take);
    post(&daemon, RETRY).await;
    let mut attempts = vec![
        ("broken", broken),
        ("client_error", 1.0),
        ("delivered", 3.0),
        ("redirect", 1.0),
        ("server_error", 3.0),
    ];
    told(&daemon, &attempts, 0, 0, false).await;

    // Paused, it is left alone, and a test counts for nothing.
    receiver.set(Mood::Answer(410, ""));
    post(&daemon, "/connection/pause").await;
    attempts[1].1 += 1.0;
    told(&daemon, &attempts, 1, 1, true).await;
    receiver.set(Mood::Take);
    post(&daemon, "/admin/webhooks/test?name=shop").await;
    post(&daemon, "/connection/resume").await;
    told(&daemon, &attempts, 2, 1, true).await;
    let waits = scrape(&daemon).await;
    let waits = waits.get("walinkd_webhook_lag_seconds", &[("webhook", "shop")]);
    assert!(waits > Some(0.0), "{waits:?}");

    for (name, outcome) in [("hung", "timeout"), ("nobody", "unreachable")] {
        let failed = until(&daemon, name, outcome, |figures| figures.failures > 0.0).await;
        let counted = BTreeMap::from([(outcome.to_owned(), failed.failures)]);
        assert_eq!(failed.attempts, counted);
        assert_eq!((failed.lag, failed.paused), (1.0, 0.0));
    }

    // Counts begin anew with the daemon; what waits and the pause do not.
    let daemon = started(&daemon.kill()).await;
    told(&daemon, &[], 3, 0, true).await;
    post(&daemon, RETRY).await;
    told(&daemon, &[("delivered", 3.0)], 0, 0, false).await;

    home.configure(&shop);
    reload(&daemon).await;
    let scraped = scrape(&daemon).await;
    assert_eq!(Figures::read(&scraped, "hung"), None);
    home.configure("");
    reload(&daemon).await;
    let scraped = scrape(&daemon).await;
    let left: Vec<_> = scraped
        .names()
        .into_iter()
        .filter(|name| name.contains("webhook"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    receiver.assert_no_faults();
}
