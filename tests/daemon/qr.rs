//! Linking by QR code, and keeping the link over the daemon's death.

use crate::{NUMBER, link, support::SOON, world};
use hyper::{Method, StatusCode};

#[tokio::test]
async fn a_phone_scans_the_code_and_the_link_survives_kill_9() {
    let (sandbox, phone, home) = world().await;
    let daemon = home.start();
    let status = daemon
        .until("a QR code", |status| status["hasQRCode"] == true)
        .await;
    assert_eq!(status["state"], "waiting_qr");
    assert_eq!(status["isConnected"], false);
    assert_eq!(status["phoneNumber"], serde_json::Value::Null);

    let device = link(&daemon, &phone).await;
    let status = daemon.status().await;
    assert_eq!(status["phoneNumber"], NUMBER);
    assert_eq!(status["jid"], device.jid);
    assert_eq!(status["hasQRCode"], false);
    assert_eq!(
        daemon.get("/connection/qr").await.status,
        StatusCode::NOT_FOUND
    );
    let named = daemon
        .until("the push name", |status| status["pushName"] == "Ayu")
        .await;
    assert!(named["lastHeardAt"].is_string());
    assert_eq!(device.registration.platform.to_ascii_lowercase(), "chrome");

    let home = daemon.kill();
    sandbox
        .wait_for(|state| state.online() == 0, SOON)
        .await
        .expect("the socket is gone");
    let daemon = home.start();
    daemon.until_connected().await;
    let stats = sandbox.stats();
    assert_eq!(stats.registrations, 1, "no QR code was needed");
    assert!(stats.handshakes.ik >= 1, "the session was resumed");
    assert_eq!(phone.devices().len(), 1);
}

#[tokio::test]
async fn the_code_on_offer_is_the_one_with_time_left() {
    let (_sandbox, _phone, home) = world().await;
    let daemon = home.start();
    daemon.qr().await;
    let data = daemon.get("/connection/qr?wait=10s").await.json()["data"].clone();
    let left: u64 = data["expiresIn"]
        .as_str()
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=60).contains(&left), "{data}");
    assert!(data["qrCode"].as_str().unwrap().split(',').count() >= 4);
    let head = daemon.call(Method::HEAD, "/connection/qr", None).await;
    assert_eq!((head.status, head.text.as_str()), (StatusCode::OK, ""));
}

#[tokio::test]
async fn codes_stop_when_nobody_asks_and_come_back_when_somebody_does() {
    let (sandbox, phone, home) = world().await;
    home.configure("[pairing]\nidle_after = \"1s\"\n");
    let daemon = home.start();
    sandbox
        .wait_for(|state| state.stats.registrations == 1, SOON)
        .await
        .expect("it begins");
    sandbox
        .wait_for(|state| state.connections.is_empty(), SOON)
        .await
        .expect("it stops by itself");
    link(&daemon, &phone).await;
}
