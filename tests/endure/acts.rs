//! What is done to it.

use crate::{
    chance::Chance,
    run::{LINKED, Run},
    support::SOON,
};
use hyper::Method;
use nix::sys::signal::Signal;
use serde_json::json;
use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};
use tokio::time::sleep;
use walinkd_sandbox::{Fault, Stage, Target};

#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Something the server does to the open connection.
    Live(Fault),
    /// Something that the next connections meet; then the open one is cut.
    Next(Fault, u32),
    /// The network is away for so long.
    Away(Duration),
    /// The server starts anew, with another key.
    ServerRestart,
    /// Nobody may log in for so long, and attempts must stay rare.
    Politeness(Duration),
    Hangup,
    Reload,
    BadFile,
    Pause(Duration),
    Reconnect,
    Kill,
    Stop,
    /// The other phone takes over.
    Replace,
    /// A pairing beside the link that nobody finishes.
    Abandon,
    /// The phone removes the device.
    Unlink,
    Disconnect,
    FewDescriptors(Duration),
    FullDisk(Duration),
    /// It is killed, and starts where there is no room for a byte.
    FullStart(Duration),
    ReadOnlyDisk(Duration),
    /// The server's name cannot be looked up for so long.
    Nameless(Duration),
    Clock(i64),
}

impl Act {
    pub(crate) fn name(&self) -> String {
        let debug = format!("{self:?}");
        let end = debug.find(['(', '{']).unwrap_or(debug.len());
        debug[..end].to_owned()
    }
}

/// Any of them that can be done here.
pub(crate) fn any(chance: &mut Chance, run: &Run) -> Act {
    match chance.below(39) {
        0..=9 => Act::Live(live(chance)),
        10..=14 => {
            let times = chance.below(3) + 1;
            next(chance, u32::try_from(times).expect("small"))
        }
        15 | 16 => Act::Away(chance.millis(100, 3_000)),
        17 => Act::ServerRestart,
        18 => Act::Politeness(Duration::from_secs(8)),
        19 => Act::Hangup,
        20 => Act::Reload,
        21 => Act::BadFile,
        22 => Act::Pause(chance.millis(0, 1_500)),
        23 => Act::Reconnect,
        24..=26 => Act::Kill,
        27 => Act::Stop,
        28 | 29 => Act::Replace,
        30 => Act::Abandon,
        31 => Act::Unlink,
        32 => Act::Disconnect,
        33 => Act::FewDescriptors(chance.millis(300, 2_000)),
        34 if run.disk.is_some() => Act::FullDisk(chance.millis(300, 2_000)),
        35 if run.disk.is_some() => Act::FullStart(chance.millis(300, 2_000)),
        36 if run.clock.is_some() => Act::Clock(*chance.of(&[-86_400, -3_600, -5, 0, 5, 3_600])),
        37 if run.disk.is_some() && run.names.is_some() => {
            Act::ReadOnlyDisk(chance.millis(300, 2_000))
        }
        38 if run.names.is_some() => Act::Nameless(chance.millis(300, 3_000)),
        _ => Act::Reconnect,
    }
}

fn live(chance: &mut Chance) -> Fault {
    match chance.below(9) {
        0 | 1 => Fault::Drop { at: Stage::Live },
        2 => Fault::BlackHole { at: Stage::Live },
        3 | 4 => Fault::stream_error(*chance.of(&[429, 500, 503, 515, 599])),
        5 => Fault::XmlStreamEnd,
        6 => Fault::WebSocketClose {
            code: *chance.of(&[1000, 1001, 1011]),
        },
        7 => Fault::replaced(),
        _ => Fault::GarbageFrame,
    }
}

fn next(chance: &mut Chance, times: u32) -> Act {
    let at = *chance.of(&[Stage::Tcp, Stage::Upgrade, Stage::Handshake]);
    match chance.below(6) {
        0 | 1 => Act::Next(Fault::Drop { at }, times),
        2 => Act::Next(Fault::BlackHole { at }, 1),
        3 => {
            let reason = *chance.of(&[500, 503, 599]);
            Act::Next(Fault::connect_failure(reason), times)
        }
        // Two would be the truth; one must not be believed.
        4 => Act::Next(Fault::connect_failure(*chance.of(&[401, 403, 406])), 1),
        _ => {
            let delay = chance.millis(10, 1_500);
            Act::Next(Fault::SlowHandshake { delay }, 1)
        }
    }
}

pub(crate) async fn perform(act: &Act, chance: &mut Chance, run: &mut Run) {
    match act {
        Act::Live(fault) => inject(run, fault.clone(), Target::all()),
        Act::Next(fault, times) => {
            run.sandbox.clear_faults();
            inject(run, fault.clone(), Target::next(*times));
            inject(run, Fault::Drop { at: Stage::Live }, Target::all());
        }
        Act::Away(lasts) => {
            run.sandbox.refuse().await;
            inject(run, Fault::Drop { at: Stage::Live }, Target::all());
            sleep(*lasts).await;
            run.accept().await;
        }
        Act::ServerRestart => {
            run.sandbox.refuse().await;
            inject(run, Fault::Drop { at: Stage::Live }, Target::all());
            run.sandbox.rotate_server_key().expect("a key");
            run.accept().await;
        }
        Act::Politeness(lasts) => polite(run, *lasts).await,
        Act::Hangup => {
            // Before it has begun to listen for it, the signal would end it.
            run.daemon().status().await;
            run.daemon().signal(Signal::SIGHUP);
        }
        Act::Reload => {
            let answer = run.daemon().post("/admin/reload").await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        Act::BadFile => {
            run.daemon().status().await;
            let good = fs::read(run.home.config()).expect("readable");
            run.home.configure("[pairing]\nmode = \"pigeon\"\n");
            let answer = run.daemon().post("/admin/reload").await;
            assert_eq!(answer.status, 400, "{answer:?}");
            fs::write(run.home.config(), good).expect("written");
        }
        Act::Pause(lasts) => {
            run.daemon().post("/connection/pause").await;
            sleep(*lasts).await;
            run.daemon().post("/connection/resume").await;
        }
        Act::Reconnect => drop(run.daemon().post("/connection/reconnect").await),
        Act::Kill => {
            sleep(chance.millis(0, 500)).await;
            run.kill();
        }
        Act::Stop => {
            run.daemon().status().await;
            sleep(chance.millis(0, 500)).await;
            run.stop().await;
        }
        Act::Replace => replace(run).await,
        Act::Abandon => {
            run.settle().await;
            let number = run.phones[1 - run.linked].number();
            let body = json!({"phoneNumber": number, "replace": true});
            run.daemon()
                .call(Method::POST, "/connection/pairing", Some(body))
                .await;
        }
        Act::Unlink => {
            run.settle().await;
            run.phone().unlink_all();
            run.daemon()
                .until("unlinked", |status| status["isConnected"] == false)
                .await;
            run.link().await;
        }
        Act::Disconnect => {
            run.settle().await;
            let answer = run.daemon().post("/connection/disconnect").await;
            let told = answer.json()["data"].clone();
            assert_eq!(told["wiped"], true, "{answer:?}");
            // What an earlier act left may cut it off, before WhatsApp has heard of
            // it or before it has heard WhatsApp's answer.
            let gone = run.phone().devices().is_empty();
            assert!(gone || told["unlinkedAtWhatsApp"] == false, "{answer:?}");
            run.phone().unlink_all();
            run.link().await;
        }
        Act::FewDescriptors(lasts) => few_descriptors(run, *lasts).await,
        Act::FullDisk(lasts) => {
            run.daemon().status().await;
            run.disk().fill();
            inject(run, Fault::Drop { at: Stage::Live }, Target::all());
            sleep(*lasts).await;
            run.disk().free();
        }
        Act::ReadOnlyDisk(lasts) => {
            run.daemon().status().await;
            let pid = run.daemon().pid();
            run.disk().protect(pid);
            inject(run, Fault::Drop { at: Stage::Live }, Target::all());
            sleep(*lasts).await;
            run.disk().unprotect(pid);
        }
        Act::Nameless(lasts) => {
            let names = run.names.as_ref().expect("there are some");
            names.know(false);
            inject(run, Fault::Drop { at: Stage::Live }, Target::all());
            sleep(*lasts).await;
            names.know(true);
        }
        Act::FullStart(lasts) => {
            run.disk().fill();
            run.kill();
            sleep(*lasts).await;
            run.disk().free();
        }
        Act::Clock(seconds) => run.clock.as_ref().expect("there is one").set(*seconds),
    }
}

fn inject(run: &Run, fault: Fault, target: Target) {
    run.sandbox.inject(fault, target).expect("armed");
}

/// The first wait is about a second and each doubles, with jitter; so few
/// attempts fit in.
async fn polite(run: &mut Run, lasts: Duration) {
    const AT_MOST: u64 = 7;
    run.settle().await;
    let before = run.sandbox.stats().tcp_connections;
    inject(run, Fault::connect_failure(503), Target::all().standing());
    inject(run, Fault::Drop { at: Stage::Live }, Target::all());
    sleep(lasts).await;
    let tried = run.sandbox.stats().tcp_connections - before;
    assert!(tried <= AT_MOST, "{tried} attempts in {lasts:?}");
}

async fn replace(run: &mut Run) {
    run.settle().await;
    let other = 1 - run.linked;
    let number = run.phones[other].number().to_owned();
    // A code that is up already may be one of a connection that has died without
    // a word; then a fresh one follows, and its owner enters that.
    let deadline = Instant::now() + LINKED;
    loop {
        let body = json!({"phoneNumber": number, "replace": true});
        let answer = run
            .daemon()
            .call(Method::POST, "/connection/pairing", Some(body))
            .await;
        if answer.status == 429 {
            // So many codes a number and no more: the old link is what remains.
            return;
        }
        assert_eq!(answer.status, 200, "{answer:?}\n{}", run.daemon().log());
        let code = answer.json()["data"]["pairingCode"]
            .as_str()
            .expect("a code")
            .to_owned();
        let Err(why) = run.phones[other].enter_code(&code).await else {
            break;
        };
        assert!(
            Instant::now() < deadline,
            "no code links: {why:?}\n{}",
            run.daemon().log()
        );
        sleep(Duration::from_millis(100)).await;
    }
    run.daemon()
        .until("the other number", |status| {
            status["isConnected"] == true && status["phoneNumber"] == *number
        })
        .await;
    let old = run.phones[run.linked].clone();
    // The old link may have been lost on the way; then its owner is told.
    let deadline = Instant::now() + SOON;
    while !old.devices().is_empty() {
        let log = run.daemon().get("/connection/log?limit=20").await;
        if log.text.contains("pairing.old_device_stays") {
            old.unlink_all();
        }
        assert!(
            Instant::now() < deadline,
            "the old one stays\n{}",
            run.daemon().log()
        );
        sleep(Duration::from_millis(50)).await;
    }
    run.linked = other;
}

/// Fewer descriptors than it needs for another connection.
async fn few_descriptors(run: &Run, lasts: Duration) {
    run.daemon().status().await;
    let pid = run.daemon().pid();
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).expect("it lives");
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let soft = line
        .and_then(|line| line.split_whitespace().nth(3))
        .expect("a limit");
    let open = fs::read_dir(format!("/proc/{pid}/fd"))
        .expect("it lives")
        .count();
    limit(pid, &open.to_string());
    inject(run, Fault::Drop { at: Stage::Live }, Target::all());
    sleep(lasts).await;
    limit(pid, soft);
}

fn limit(pid: i32, soft: &str) {
    let limited = Command::new("prlimit")
        .arg(format!("--pid={pid}"))
        .arg(format!("--nofile={soft}:"))
        .status();
    assert!(limited.expect("prlimit runs").success());
}
