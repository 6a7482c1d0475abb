//! Unlinking: at WhatsApp, on the disk, and from the phone.

use crate::{
    OTHER, link,
    support::{SOON, files},
    world,
};
use serde_json::json;
use walinkd_sandbox::{Fault, Stage, Target};

#[tokio::test]
async fn nothing_is_left_and_another_phone_can_link() {
    let (sandbox, phone, home) = world().await;
    let daemon = home.start();
    let device = link(&daemon, &phone).await;
    let identity = device.registration.identity_key;
    let noise = device.registration.noise_key;
    let answer = daemon.post("/connection/disconnect").await.json();
    assert_eq!(answer["success"], true);
    assert_eq!(
        answer["message"],
        "Disconnected successfully. Scan QR or use pairing code to reconnect."
    );
    assert_eq!(
        answer["data"],
        json!({"unlinkedAtWhatsApp": true, "wiped": true})
    );
    assert!(phone.devices().is_empty(), "the phone's list is empty");
    assert_eq!(sandbox.stats().removals, 1);
    for (path, bytes) in files(&home.state()) {
        for key in [identity.as_ref(), noise.as_ref()] as [&[u8]; 2] {
            let found = bytes.windows(key.len()).any(|window| window == key);
            assert!(!found, "{} still holds a key", path.display());
        }
    }
    assert!(!home.state().join("session.db").exists());

    let again = daemon.post("/connection/disconnect").await.json();
    assert_eq!(
        again["data"],
        json!({"unlinkedAtWhatsApp": false, "wiped": false})
    );
    let newcomer = sandbox.add_phone(OTHER);
    link(&daemon, &newcomer).await;
    assert_eq!(daemon.status().await["phoneNumber"], OTHER);
}

#[tokio::test]
async fn offline_it_says_that_whatsapp_does_not_know() {
    let (sandbox, phone, home) = world().await;
    let daemon = home.start();
    link(&daemon, &phone).await;
    sandbox.refuse().await;
    sandbox
        .inject(Fault::Drop { at: Stage::Live }, Target::all())
        .expect("dropped");
    daemon.until_state("reconnecting").await;
    let answer = daemon.post("/connection/disconnect").await.json();
    assert_eq!(
        answer["data"],
        json!({"unlinkedAtWhatsApp": false, "wiped": true})
    );
    assert_eq!(phone.devices().len(), 1, "the phone still lists it");
    assert!(!home.state().join("session.db").exists());
}

#[tokio::test]
async fn removed_on_the_phone_it_wipes_and_pairs_again() {
    let (sandbox, phone, home) = world().await;
    let daemon = home.start();
    let device = link(&daemon, &phone).await;
    assert!(phone.unlink(&device));
    let status = daemon
        .until("the removal", |status| {
            status["lastDisconnect"]["code"] == "device_removed"
        })
        .await;
    assert_eq!(status["isConnected"], false);
    assert!(!home.state().join("session.db").exists());
    link(&daemon, &phone).await;
    sandbox
        .wait_for(|state| state.online() == 1, SOON)
        .await
        .expect("linked again");
}
