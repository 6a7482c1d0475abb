//! Faults on demand, as the library meets them.

use crate::companion::{Companion, Linked, SOON, linked, logins, sandbox};
use std::time::Duration;
use walinkd_sandbox::{ConnectionStage, Fault, Sandbox, Snapshot, Stage, Target};
use whatsapp_rust::types::events::Event;

fn hit(sandbox: &Sandbox, linked: &Linked, fault: Fault) {
    let injected = sandbox
        .inject(fault, Target::device(&linked.device.jid))
        .expect("a fault of a live connection");
    assert_eq!(injected.hit, 1);
}

#[tokio::test]
async fn the_client_comes_back_from_what_passes() {
    let sandbox = sandbox().await;
    let linked = linked(&sandbox).await;
    let passing = [
        Fault::stream_error(515),
        Fault::stream_error(503),
        Fault::XmlStreamEnd,
        Fault::WebSocketClose { code: 1011 },
        Fault::Drop { at: Stage::Live },
    ];
    for (count, fault) in passing.into_iter().enumerate() {
        hit(&sandbox, &linked, fault);
        logins(&sandbox, count as u64 + 2).await;
    }
}

#[tokio::test]
async fn replaced_and_removed_end_the_client() {
    let sandbox = sandbox().await;
    let mut first = linked(&sandbox).await;
    hit(&sandbox, &first, Fault::replaced());
    first
        .companion
        .expect("StreamReplaced", |event| {
            matches!(event, Event::StreamReplaced(_)).then_some(())
        })
        .await;
    for end in [Fault::device_removed(), Fault::stream_error(516)] {
        let mut again = Companion::start(&sandbox, first.store.path()).await;
        again.connected().await;
        hit(&sandbox, &first, end);
        assert!(!again.logged_out().await);
        sandbox
            .wait_for(|state| state.online() == 0, SOON)
            .await
            .expect("the device leaves");
    }
    // The server only said so.
    assert_eq!(first.phone.devices().len(), 1);
}

#[tokio::test]
async fn a_frame_that_does_not_decrypt_leaves_the_client_deaf() {
    let sandbox = sandbox().await;
    let linked = linked(&sandbox).await;
    hit(&sandbox, &linked, Fault::GarbageFrame);
    let ping = whatsapp_rust::wacore::iq::keepalive::KeepaliveSpec::with_timeout(
        Duration::from_millis(500),
    );
    assert!(linked.companion.client.execute(ping).await.is_err());
    let state = sandbox.snapshot();
    assert_eq!((state.online(), state.stats.pings), (1, 1));
}

async fn failing(sandbox: &Sandbox, linked: &Linked, fault: Fault) -> Companion {
    sandbox
        .inject(fault, Target::device(&linked.device.jid))
        .expect("armed");
    Companion::start(sandbox, linked.store.path()).await
}

#[tokio::test]
async fn logins_fail_for_each_reason() {
    let sandbox = sandbox().await;
    let Linked {
        companion,
        store,
        device,
        phone,
    } = linked(&sandbox).await;
    companion.client.disconnect().await;
    sandbox
        .wait_for(|state| state.online() == 0, SOON)
        .await
        .expect("the device leaves");
    let away = Linked {
        companion,
        store,
        device,
        phone,
    };

    for reason in [401, 403, 406] {
        let mut refused = failing(&sandbox, &away, Fault::connect_failure(reason)).await;
        assert!(refused.logged_out().await, "{reason}");
    }
    let mut outdated = failing(&sandbox, &away, Fault::connect_failure(405)).await;
    outdated
        .expect("ClientOutdated", |event| {
            matches!(event, Event::ClientOutdated(_)).then_some(())
        })
        .await;
    let ban = Fault::banned(Duration::from_secs(3600));
    let mut banned = failing(&sandbox, &away, ban).await;
    let expire = banned
        .expect("TemporaryBan", |event| match event {
            Event::TemporaryBan(ban) => Some(ban.expire.num_seconds()),
            _ => None,
        })
        .await;
    assert_eq!(expire, 3600);
    let mut odd = failing(&sandbox, &away, Fault::connect_failure(418)).await;
    odd.expect("ConnectFailure", |event| {
        matches!(event, Event::ConnectFailure(_)).then_some(())
    })
    .await;
    for reason in [500, 503] {
        let before = sandbox.stats().logins;
        let retried = failing(&sandbox, &away, Fault::connect_failure(reason)).await;
        logins(&sandbox, before + 1).await;
        retried.shutdown().await;
        sandbox
            .wait_for(|state| state.online() == 0, SOON)
            .await
            .expect("the device leaves");
    }
    let failures = sandbox.stats().failures;
    for reason in [401, 402, 403, 405, 406, 418, 500, 503] {
        assert_eq!(failures.get(&reason), Some(&1), "{reason}");
    }
}

#[tokio::test]
async fn the_port_closes_and_opens_again() {
    let sandbox = sandbox().await;
    let linked = linked(&sandbox).await;
    let url = sandbox.url();
    sandbox.refuse().await;
    assert!(
        tokio::net::TcpStream::connect(sandbox.address())
            .await
            .is_err()
    );
    hit(&sandbox, &linked, Fault::Drop { at: Stage::Live });
    sandbox
        .wait_for(
            |state| !state.accepting && state.connections.is_empty(),
            SOON,
        )
        .await
        .expect("nobody is left");
    sandbox.accept().expect("the port is free");
    assert_eq!(sandbox.url(), url);
    logins(&sandbox, 2).await;
}

#[tokio::test]
async fn black_holes_swallow_at_each_stage() {
    let sandbox = sandbox().await;
    let mut swallowed = Vec::new();
    for at in [Stage::Tcp, Stage::Upgrade, Stage::Handshake, Stage::Live] {
        sandbox
            .inject(Fault::BlackHole { at }, Target::next(1))
            .expect("armed");
        let store = tempfile::tempdir().expect("a directory");
        let companion = Companion::start(&sandbox, store.path()).await;
        swallowed.push((companion, store));
        let holes = |state: &Snapshot| {
            let connections = state.connections.iter();
            connections
                .filter(|connection| connection.stage == ConnectionStage::BlackHole)
                .count()
        };
        sandbox
            .wait_for(|state| holes(state) == swallowed.len(), SOON)
            .await
            .unwrap_or_else(|error| panic!("{at:?}: {error}"));
    }
}

#[tokio::test]
async fn a_slow_handshake_gets_there() {
    let sandbox = sandbox().await;
    let delay = Duration::from_millis(300);
    sandbox
        .inject(Fault::SlowHandshake { delay }, Target::all().standing())
        .expect("armed");
    let started = std::time::Instant::now();
    linked(&sandbox).await;
    // One handshake to pair, one to log in.
    assert!(started.elapsed() >= 2 * delay);
    sandbox.clear_faults();
    assert!(sandbox.snapshot().faults.is_empty());
}

#[tokio::test]
async fn a_connection_can_be_dropped_at_each_stage() {
    let sandbox = sandbox().await;
    for at in [Stage::Tcp, Stage::Upgrade, Stage::Handshake, Stage::Live] {
        sandbox
            .inject(Fault::Drop { at }, Target::next(1))
            .expect("armed");
    }
    let store = tempfile::tempdir().expect("a directory");
    let _companion = Companion::start(&sandbox, store.path()).await;
    let state = sandbox
        .wait_for(
            |state| state.pairing() == 1 && state.faults.is_empty(),
            SOON,
        )
        .await
        .expect("the fifth connection stays");
    assert_eq!(state.stats.faults_hit, 4);
}
