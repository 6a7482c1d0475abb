//! Linking by QR code, and the logins after it.

use crate::companion::{Companion, NUMBER, SOON, linked, logins, sandbox, sandbox_with};
use std::time::Duration;
use walinkd_sandbox::{Fault, LinkError, Options, QrCode, ScanError, Stage, Target};
use whatsapp_rust::types::events::Event;

#[tokio::test]
async fn a_scan_links_and_the_device_comes_online() {
    let sandbox = sandbox().await;
    let phone = sandbox.add_phone_named(NUMBER, "Budi");
    let store = tempfile::tempdir().expect("a directory");
    let mut companion = Companion::start(&sandbox, store.path()).await;
    let device = companion.link(&phone).await;
    let jid = companion
        .expect("PairSuccess", |event| match event {
            Event::PairSuccess(success) => Some(success.id.to_string()),
            _ => None,
        })
        .await;
    assert_eq!(jid, device.jid);
    companion.connected().await;

    let state = sandbox
        .wait_for(|state| state.stats.key_shares == 1, SOON)
        .await
        .expect("the key is shared");
    assert_eq!(state.stats.pairings, 1);
    assert_eq!(state.stats.logins_by_device.get(&device.jid), Some(&1));
    assert_eq!(
        (state.stats.handshakes.xx, state.stats.handshakes.ik),
        (2, 0)
    );
    assert_eq!(state.stats.refs_issued, 6);
    assert_eq!(state.stats.bad_frames, 0);
    assert_eq!(companion.client.push_name(), "Budi");

    let shown = &phone.devices()[0];
    assert!(shown.online);
    assert_eq!(shown.registration.device_name, "walinkd test");
    assert_eq!(shown.registration.platform, "CHROME");
    assert_eq!(shown.registration.client.version, "2.3000.1027000000");
}

#[tokio::test]
async fn the_background_queries_are_all_answered() {
    let sandbox = sandbox().await;
    let linked = linked(&sandbox).await;
    let state = sandbox
        .wait_for(|state| state.stats.prekey_uploads == 1, SOON)
        .await
        .expect("keys are uploaded");
    assert_eq!(state.stats.unknown_queries, Default::default());
    linked.companion.shutdown().await;
}

#[tokio::test]
async fn a_reconnect_resumes_with_ik() {
    let sandbox = sandbox().await;
    let linked = linked(&sandbox).await;
    let hit = sandbox
        .inject(
            Fault::Drop { at: Stage::Live },
            Target::device(&linked.device.jid),
        )
        .expect("a fault of a live connection");
    assert_eq!((hit.hit, hit.armed), (1, None));
    logins(&sandbox, 2).await;
    let state = sandbox.snapshot();
    assert_eq!(
        (state.stats.handshakes.xx, state.stats.handshakes.ik),
        (2, 1)
    );
    assert!(state.last_login.is_some_and(|login| login.client.routed));
}

#[tokio::test]
async fn a_rotated_server_key_falls_back() {
    let sandbox = sandbox().await;
    let linked = linked(&sandbox).await;
    sandbox.rotate_server_key().expect("rotates");
    sandbox
        .inject(
            Fault::Drop { at: Stage::Live },
            Target::device(&linked.device.jid),
        )
        .expect("a fault of a live connection");
    logins(&sandbox, 2).await;
    assert_eq!(sandbox.stats().handshakes.fallback, 1);
}

#[tokio::test]
async fn a_restart_logs_in_from_the_store() {
    let sandbox = sandbox().await;
    let linked = linked(&sandbox).await;
    linked.companion.shutdown().await;
    sandbox
        .wait_for(|state| state.online() == 0, SOON)
        .await
        .expect("the device leaves");
    let mut again = Companion::start(&sandbox, linked.store.path()).await;
    again.connected().await;
    assert_eq!(linked.phone.devices()[0].logins, 2);
}

#[tokio::test]
async fn a_stale_secret_is_the_clients_to_refuse() {
    let sandbox = sandbox().await;
    let phone = sandbox.add_phone(NUMBER);
    let store = tempfile::tempdir().expect("a directory");
    let mut companion = Companion::start(&sandbox, store.path()).await;
    let qr = companion.qr().await;
    let mut fields: Vec<&str> = qr.split(',').collect();
    // The identity key will do as a secret that is not the client's.
    fields[3] = fields[2];
    match phone.scan(&fields.join(",")).await {
        Err(ScanError::Link(LinkError::Refused { code: 401, text })) => {
            assert_eq!(text, "hmac-mismatch");
        }
        other => panic!("{other:?}"),
    }
    assert!(phone.devices().is_empty());
    assert_eq!(sandbox.stats().pairings_failed, 1);
    phone.scan(&qr).await.expect("the right code still links");
}

#[tokio::test]
async fn a_code_must_name_the_clients_own_keys() {
    let sandbox = sandbox().await;
    let phone = sandbox.add_phone(NUMBER);
    let store = tempfile::tempdir().expect("a directory");
    let mut companion = Companion::start(&sandbox, store.path()).await;
    let qr = companion.qr().await;
    let parsed: QrCode = qr.parse().expect("a code");
    assert_eq!(parsed.client_type, '1');
    let fields: Vec<&str> = qr.split(',').collect();
    let [reference, noise, identity, secret, kind] = fields[..] else {
        panic!("five fields");
    };
    let scan = async |fields: [&str; 5]| phone.scan(&fields.join(",")).await;
    assert!(matches!(
        scan(["2@unknown", noise, identity, secret, kind]).await,
        Err(ScanError::UnknownRef)
    ));
    assert!(matches!(
        scan([reference, identity, identity, secret, kind]).await,
        Err(ScanError::NoiseKey)
    ));
    assert!(matches!(
        scan([reference, noise, noise, secret, kind]).await,
        Err(ScanError::IdentityKey)
    ));
    assert!(matches!(
        phone.scan("https://example.org").await,
        Err(ScanError::NotACode(_))
    ));
    let link = format!("https://wa.me/settings/linked_devices#{qr}");
    phone.scan(&link).await.expect("a deep link is a code too");
    assert!(matches!(phone.scan(&qr).await, Err(ScanError::UnknownRef)));
}

#[tokio::test]
async fn a_business_gives_its_name_at_once() {
    let sandbox = sandbox().await;
    let phone = sandbox.add_phone(NUMBER);
    phone.set_business_name("Toko Budi");
    let store = tempfile::tempdir().expect("a directory");
    let mut companion = Companion::start(&sandbox, store.path()).await;
    companion.link(&phone).await;
    let name = companion
        .expect("PairSuccess", |event| match event {
            Event::PairSuccess(success) => Some(success.business_name.clone()),
            _ => None,
        })
        .await;
    assert_eq!(name, "Toko Budi");
    companion.connected().await;
}

#[tokio::test]
async fn a_phone_links_so_many_devices() {
    let sandbox = sandbox_with(Options {
        max_devices: 1,
        ..Options::default()
    })
    .await;
    let linked = linked(&sandbox).await;
    let store = tempfile::tempdir().expect("a directory");
    let mut second = Companion::start(&sandbox, store.path()).await;
    let qr = second.qr().await;
    assert!(matches!(
        linked.phone.scan(&qr).await,
        Err(ScanError::Link(LinkError::TooManyDevices))
    ));
    assert!(linked.phone.unlink(&linked.device));
    let device = linked.phone.scan(&qr).await.expect("there is room now");
    assert_ne!(device.jid, linked.device.jid);
}

#[tokio::test]
async fn dead_refs_cannot_be_scanned() {
    let sandbox = sandbox().await;
    let phone = sandbox.add_phone(NUMBER);
    sandbox
        .inject(Fault::DeadRefs, Target::next(1))
        .expect("armed");
    let store = tempfile::tempdir().expect("a directory");
    let mut companion = Companion::start(&sandbox, store.path()).await;
    let qr = companion.qr().await;
    assert!(matches!(phone.scan(&qr).await, Err(ScanError::ExpiredRef)));
}

#[tokio::test]
async fn spent_refs_end_the_stream_and_new_ones_come() {
    let sandbox = sandbox_with(Options {
        ref_count: 2,
        ref_first: Duration::from_millis(200),
        ref_next: Duration::from_millis(200),
        ref_grace: Duration::from_millis(100),
        ..Options::default()
    })
    .await;
    let store = tempfile::tempdir().expect("a directory");
    let _companion = Companion::start(&sandbox, store.path()).await;
    sandbox
        .wait_for(|state| state.stats.refs_issued == 4, SOON)
        .await
        .expect("the client comes for more");
}

#[tokio::test]
async fn refs_can_be_withheld() {
    let sandbox = sandbox().await;
    sandbox
        .inject(Fault::NoRefs, Target::next(1))
        .expect("armed");
    let store = tempfile::tempdir().expect("a directory");
    let _companion = Companion::start(&sandbox, store.path()).await;
    let state = sandbox
        .wait_for(|state| state.pairing() == 1, SOON)
        .await
        .expect("the client registers");
    assert_eq!((state.stats.registrations, state.stats.refs_issued), (1, 0));
}
