//! SIGHUP: never at the cost of a link.

use crate::{NUMBER, OTHER, link, support::SOON, world};
use nix::sys::signal::Signal;
use serde_json::json;

fn code_for(number: &str) -> String {
    format!("[pairing]\nmode = \"code\"\nphone_number = \"{number}\"\n")
}

#[tokio::test]
async fn unlinked_it_pairs_for_the_number_in_the_file() {
    let (_sandbox, phone, home) = world().await;
    let daemon = home.start();
    daemon.qr().await;
    home.configure(&code_for(NUMBER));
    daemon.signal(Signal::SIGHUP);
    let code = daemon.code().await;
    daemon.signal(Signal::SIGHUP);
    daemon
        .until("a fresh code", |status| status["hasPairingCode"] == true)
        .await;
    let deadline = std::time::Instant::now() + SOON;
    let fresh = loop {
        let fresh = daemon.code().await;
        if fresh != code {
            break fresh;
        }
        assert!(std::time::Instant::now() < deadline, "still the old code");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    phone.enter_code(&fresh).await.expect("the phone accepts");
    daemon.until_connected().await;
}

#[tokio::test]
async fn ten_in_a_row_leave_the_link_alone() {
    let (sandbox, phone, home) = world().await;
    home.configure(&code_for(NUMBER));
    let daemon = home.start();
    let code = daemon.code().await;
    phone.enter_code(&code).await.expect("the phone accepts");
    daemon.until_connected().await;
    let before = sandbox.stats();
    for _ in 0..10 {
        daemon.signal(Signal::SIGHUP);
        let output = daemon.cli(&["reload"]).await;
        assert!(output.status.success(), "{output:?}");
    }
    let after = sandbox.stats();
    assert_eq!(before.logins, 1);
    assert_eq!(after.logins, 1, "the link was never dropped");
    assert_eq!(after.tcp_connections, before.tcp_connections);
    assert_eq!(daemon.status().await["isConnected"], true);
}

#[tokio::test]
async fn a_new_number_is_linked_beside_the_old_one() {
    let (sandbox, phone, home) = world().await;
    let newcomer = sandbox.add_phone(OTHER);
    home.configure(&code_for(NUMBER));
    let daemon = home.start();
    phone
        .enter_code(&daemon.code().await)
        .await
        .expect("the phone accepts");
    daemon.until_connected().await;
    home.configure(&code_for(OTHER));
    daemon.signal(Signal::SIGHUP);
    let code = daemon.code().await;
    let status = daemon.status().await;
    assert_eq!(
        (&status["isConnected"], &status["phoneNumber"]),
        (&json!(true), &json!(NUMBER))
    );
    assert_eq!(phone.devices().len(), 1, "the old link stands");
    newcomer
        .enter_code(&code)
        .await
        .expect("the new phone accepts");
    let status = daemon
        .until("the new number", |s| {
            s["phoneNumber"] == OTHER && s["isConnected"] == true
        })
        .await;
    assert_eq!(status["hasPairingCode"], false);
    sandbox
        .wait_for(|state| state.devices(NUMBER).is_empty(), SOON)
        .await
        .expect("the old device was logged out");
    assert_eq!(newcomer.devices().len(), 1);
    let home = daemon.kill();
    let daemon = home.start();
    let status = daemon.until_connected().await;
    assert_eq!(status["phoneNumber"], OTHER);
}

#[tokio::test]
async fn a_bad_file_changes_nothing_and_says_so() {
    let (_sandbox, phone, home) = world().await;
    let mut daemon = home.start();
    link(&daemon, &phone).await;
    home.configure("[pairing]\nmode = \"carrier pigeon\"\n");
    let output = daemon.cli(&["reload"]).await;
    assert_eq!(output.status.code(), Some(78), "{output:?}");
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("pairing.mode"), "{text}");
    daemon.signal(Signal::SIGHUP);
    assert!(daemon.is_running());
    assert_eq!(daemon.status().await["isConnected"], true);
}
