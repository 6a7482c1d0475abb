//! A linked device's life: pings, logout, unlinking, being replaced.

use crate::companion::{Companion, Linked, SOON, linked, logins, sandbox, sandbox_with};
use std::time::Duration;
use walinkd_sandbox::{Fault, Options, Sandbox, Target};
use whatsapp_rust::request::IqError;
use whatsapp_rust::types::events::Event;
use whatsapp_rust::wacore::iq::keepalive::KeepaliveSpec;

async fn offline(sandbox: &Sandbox) {
    sandbox
        .wait_for(|state| state.online() == 0, SOON)
        .await
        .expect("the device leaves");
}

#[tokio::test]
async fn both_ends_ping() {
    let sandbox = sandbox_with(Options {
        ping_interval: Duration::from_millis(200),
        ..Options::default()
    })
    .await;
    let linked = linked(&sandbox).await;
    let ping = || KeepaliveSpec::with_timeout(Duration::from_secs(10));
    let client = &linked.companion.client;
    client.execute(ping()).await.expect("a pong");
    sandbox
        .wait_for(|state| state.stats.server_pongs >= 4, SOON)
        .await
        .expect("the client answers");
    assert_eq!(sandbox.stats().pings, 1);
}

#[tokio::test]
async fn pings_alone_can_be_ignored() {
    let sandbox = sandbox().await;
    let linked = linked(&sandbox).await;
    sandbox
        .inject(Fault::IgnorePings, Target::device(&linked.device.jid))
        .expect("armed");
    let ping = |wait| KeepaliveSpec::with_timeout(wait);
    let client = &linked.companion.client;
    assert!(matches!(
        client.execute(ping(Duration::from_millis(300))).await,
        Err(IqError::Timeout)
    ));
    client
        .execute(ping(Duration::from_secs(10)))
        .await
        .expect("only the one was to be ignored");
    let stats = sandbox.stats();
    assert_eq!((stats.pings, stats.pings_ignored), (2, 1));
}

#[tokio::test]
async fn a_logout_removes_the_device() {
    let sandbox = sandbox().await;
    let Linked {
        phone,
        mut companion,
        store,
        ..
    } = linked(&sandbox).await;
    companion.client.logout().await;
    assert!(!companion.logged_out().await);
    assert!(phone.devices().is_empty());
    assert_eq!(sandbox.stats().removals, 1);
    offline(&sandbox).await;

    let mut again = Companion::start(&sandbox, store.path()).await;
    assert!(again.logged_out().await);
    assert_eq!(sandbox.stats().failures.get(&401), Some(&1));
}

#[tokio::test]
async fn an_unlinked_device_is_told_and_kept_out() {
    let sandbox = sandbox().await;
    let Linked {
        phone,
        device,
        mut companion,
        store,
    } = linked(&sandbox).await;
    assert!(phone.unlink(&device));
    assert!(!phone.unlink(&device));
    assert!(!companion.logged_out().await);
    offline(&sandbox).await;

    let mut again = Companion::start(&sandbox, store.path()).await;
    assert!(again.logged_out().await);
    assert_eq!(sandbox.stats().unlinks, 1);
}

#[tokio::test]
async fn an_unlinking_while_away_is_learnt_at_login() {
    let sandbox = sandbox().await;
    let Linked {
        phone,
        companion,
        store,
        ..
    } = linked(&sandbox).await;
    companion.shutdown().await;
    offline(&sandbox).await;
    assert_eq!(phone.unlink_all(), 1);
    let mut again = Companion::start(&sandbox, store.path()).await;
    assert!(again.logged_out().await);
}

#[tokio::test]
async fn a_second_login_replaces_the_first() {
    let sandbox = sandbox().await;
    let Linked {
        companion, store, ..
    } = linked(&sandbox).await;
    companion.shutdown().await;
    offline(&sandbox).await;
    let copy = tempfile::tempdir().expect("a directory");
    for file in std::fs::read_dir(store.path()).expect("reads") {
        let file = file.expect("an entry");
        std::fs::copy(file.path(), copy.path().join(file.file_name())).expect("copies");
    }

    let mut first = Companion::start(&sandbox, store.path()).await;
    logins(&sandbox, 2).await;
    first.connected().await;
    let _second = Companion::start(&sandbox, copy.path()).await;
    first
        .expect("StreamReplaced", |event| {
            matches!(event, Event::StreamReplaced(_)).then_some(())
        })
        .await;
    let state = sandbox
        .wait_for(|state| state.stats.logins == 3 && state.online() == 1, SOON)
        .await
        .expect("the second is in alone");
    assert_eq!(state.stats.replaced, 1);
}

#[tokio::test]
async fn connected_comes_late_without_the_key() {
    let sandbox = sandbox_with(Options {
        key_share: false,
        ..Options::default()
    })
    .await;
    let linked = linked(&sandbox).await;
    assert_eq!(sandbox.stats().key_shares, 0);
    assert!(linked.companion.client.push_name().is_empty());
}
