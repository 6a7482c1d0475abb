//! `kill -9` around everything that is written: a pairing, a login, a promotion,
//! a reload, a key, an event. Afterwards the store opens, and the truth is one of
//! the two that are legal.

use crate::{
    chance::Chance,
    onlooker::call,
    support::{Daemon, Home, KEY, SOON},
};
use hyper::Method;
use nix::sys::signal::Signal;
use serde_json::json;
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::sleep;
use walinkd_sandbox::{Options, Phone, Sandbox};

const NUMBERS: [&str; 2] = ["628123456789", "6281987654321"];

#[derive(Debug, Clone, Copy)]
enum Moment {
    Pairing,
    Login,
    Takeover,
    Reload,
    Key,
    Events,
}

const MOMENTS: [Moment; 8] = [
    Moment::Pairing,
    Moment::Pairing,
    Moment::Login,
    Moment::Takeover,
    Moment::Takeover,
    Moment::Reload,
    Moment::Key,
    Moment::Events,
];

pub(crate) async fn run(chance: &mut Chance, kills: u64) -> String {
    let sandbox = Sandbox::start(Options::default()).await.expect("a sandbox");
    let phones = NUMBERS.map(|number| sandbox.add_phone_named(number, "Ayu"));
    let mut home = Home::new(&sandbox.url());
    let mut daemon = home.start();
    let mut outcomes = BTreeMap::new();
    for _ in 0..kills {
        let moment = *chance.of(&MOMENTS);
        prepare(moment, &daemon, &phones).await;
        let before = owners(&phones);
        let doing = tokio::spawn(begin(moment, Arc::clone(&home), phones.clone()));
        // A code or a scan takes longer than the rest.
        let most = match moment {
            Moment::Pairing | Moment::Takeover => 900,
            _ => 60,
        };
        sleep(chance.millis(0, most)).await;
        home = daemon.kill();
        doing.abort();
        daemon = home.start();
        let outcome = truth(&daemon, &phones, &before).await;
        *outcomes
            .entry(format!("{moment:?}: {outcome}"))
            .or_insert(0_u32) += 1;
    }
    let lines: Vec<_> = outcomes
        .iter()
        .map(|(outcome, times)| format!("{times:>4}  {outcome}"))
        .collect();
    lines.join("\n")
}

fn owners(phones: &[Phone; 2]) -> Vec<usize> {
    let owns = |at: &usize| !phones[*at].devices().is_empty();
    (0..phones.len()).filter(owns).collect()
}

/// A pairing begins with nothing linked, everything else with a link.
async fn prepare(moment: Moment, daemon: &Daemon, phones: &[Phone; 2]) {
    let linked = !owners(phones).is_empty();
    match moment {
        Moment::Pairing if linked => {
            daemon.post("/connection/disconnect").await;
            for phone in phones {
                phone.unlink_all();
            }
            daemon.qr().await;
        }
        Moment::Pairing => drop(daemon.qr().await),
        _ if linked => drop(daemon.until_connected().await),
        _ => {
            let qr = daemon.qr().await;
            phones[0].scan(&qr).await.expect("the phone accepts");
            daemon.until_connected().await;
        }
    }
}

/// Something that writes; nobody waits for its end.
async fn begin(moment: Moment, home: Arc<Home>, phones: [Phone; 2]) {
    let socket = home.socket();
    let post = async |path: &str, body: Option<serde_json::Value>| {
        let body = body.map(|json| json.to_string()).unwrap_or_default();
        call(&socket, "POST", path, &body).await
    };
    match moment {
        Moment::Pairing => {
            if let Some(answer) = call(&socket, "GET", "/connection/qr", "").await
                && let Some(qr) = answer["data"]["qrCode"].as_str()
            {
                let _ = phones[0].scan(qr).await;
            }
        }
        Moment::Login => drop(post("/connection/reconnect", None).await),
        Moment::Takeover => {
            let other = usize::from(!phones[0].devices().is_empty());
            let body = json!({"phoneNumber": phones[other].number(), "replace": true});
            if let Some(answer) = post("/connection/pairing", Some(body)).await
                && let Some(code) = answer["data"]["pairingCode"].as_str()
            {
                let _ = phones[other].enter_code(code).await;
            }
        }
        Moment::Reload => drop(post("/admin/reload", None).await),
        Moment::Key => {
            for number in 0..20 {
                let body = json!({"name": format!("key-{number}"), "scope": "read"});
                post("/admin/keys", Some(body)).await;
            }
        }
        Moment::Events => {
            for _ in 0..20 {
                post("/connection/pause", None).await;
                post("/connection/resume", None).await;
            }
        }
    }
}

/// After the start: who is linked, as daemon and phone see it. Fails when that is
/// not legal.
async fn truth(daemon: &Daemon, phones: &[Phone; 2], before: &[usize]) -> &'static str {
    let keys = daemon.get("/admin/keys").await;
    assert_eq!(keys.status, 200, "the keys are readable: {keys:?}");
    let log = daemon.get("/connection/log?limit=1000").await;
    assert_eq!(log.status, 200, "the events are readable: {log:?}");
    assert!(
        !daemon.log().contains("set aside"),
        "no file is damaged\n{}",
        daemon.log()
    );
    daemon.signal(Signal::SIGHUP);
    let key = [("x-api-key", KEY)];
    let answer = daemon
        .call_tcp(Method::GET, "/connection/status", None, &key)
        .await;
    assert_eq!(answer.status, 200, "the key is good: {answer:?}");
    for number in 0..20 {
        let name = format!("key-{number}");
        daemon
            .call(Method::DELETE, "/admin/keys", Some(json!({"name": name})))
            .await;
    }
    daemon.post("/connection/resume").await;

    let deadline = Instant::now() + 2 * SOON;
    loop {
        let status = daemon.status().await;
        let owners = owners(phones);
        let linked = status["isConnected"] == true;
        let number = status["phoneNumber"].as_str().unwrap_or_default();
        let of = owners.iter().position(|at| phones[*at].number() == number);
        match (linked, owners.len()) {
            (true, 1) if of.is_some() => {
                return if owners == before {
                    "as before"
                } else {
                    "as it was to be"
                };
            }
            (false, 0) if status["hasQRCode"] == true => {
                assert!(before.is_empty(), "a link is lost\n{}", daemon.log());
                return "not linked";
            }
            // The phone accepted, and the daemon died before it could know: only
            // the phone sees a device, which its owner removes there.
            (false, 1) if before.is_empty() && status["hasQRCode"] == true => {
                phones[owners[0]].unlink_all();
                return "not linked, with a dead device at the phone";
            }
            // The same beside a link, which has survived it.
            (true, 2)
                if before.len() == 1
                    && number == phones[before[0]].number()
                    && stays(daemon, phones).await =>
            {
                phones[1 - before[0]].unlink_all();
                return "as before, with a dead device at the other phone";
            }
            _ => {}
        }
        assert!(
            Instant::now() < deadline,
            "not legal: phones {owners:?}, before {before:?}, {status:#}\n{}",
            daemon.log()
        );
        sleep(Duration::from_millis(50)).await;
    }
}

/// Whether both phones still have a device when a takeover would have ended.
async fn stays(daemon: &Daemon, phones: &[Phone; 2]) -> bool {
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        if owners(phones).len() != 2 {
            return false;
        }
        sleep(Duration::from_millis(100)).await;
    }
    daemon.status().await["isConnected"] == true
}
