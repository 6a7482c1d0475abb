//! Linking by pairing code, in each of the ways to ask for one.

use crate::{NUMBER, OTHER, link, support::SOON, world};
use hyper::{Method, StatusCode};
use serde_json::json;
use walinkd_sandbox::{Fault, Target};

#[tokio::test]
async fn by_environment() {
    let (_sandbox, phone, home) = world().await;
    let daemon = home.start_with(&[("USE_PAIRING_CODE", "true"), ("PHONE_NUMBER", NUMBER)]);
    let code = daemon.code().await;
    let status = daemon.status().await;
    assert_eq!(
        (&status["state"], &status["phoneNumber"]),
        (&json!("waiting_code"), &json!(NUMBER))
    );
    phone.enter_code(&code).await.expect("the phone accepts");
    daemon.until_connected().await;
}

#[tokio::test]
async fn by_the_api_on_a_running_daemon() {
    let (sandbox, phone, home) = world().await;
    let daemon = home.start();
    daemon.qr().await;
    let body = json!({"phoneNumber": NUMBER});
    let first = daemon
        .call(Method::POST, "/connection/pairing", Some(body.clone()))
        .await;
    assert_eq!(first.status, StatusCode::OK, "{first:?}");
    let first = first.json()["data"]["pairingCode"]
        .as_str()
        .unwrap()
        .to_owned();
    let again = daemon
        .call(Method::POST, "/connection/pairing", Some(body))
        .await
        .json();
    assert_eq!(
        again["data"]["pairingCode"], first,
        "one code while it lives"
    );
    assert_eq!(sandbox.stats().code_requests, 1);
    phone.enter_code(&first).await.expect("the phone accepts");
    let status = daemon.until_connected().await;
    assert_eq!(status["phoneNumber"], NUMBER);
    let refused = daemon
        .call(
            Method::POST,
            "/connection/pairing",
            Some(json!({"phoneNumber": OTHER})),
        )
        .await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{refused:?}");
}

#[tokio::test]
async fn by_the_command_line_with_a_code_of_ones_own() {
    let (_sandbox, phone, home) = world().await;
    let daemon = home.start();
    daemon.qr().await;
    let output = daemon
        .cli(&["pair", NUMBER, "--code", "WALK-2345", "--no-wait"])
        .await;
    assert!(output.status.success(), "{output:?}");
    home.keep_secret("WALK2345");
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("WALK-2345"), "{shown}");
    phone
        .enter_code("WALK2345")
        .await
        .expect("the phone accepts");
    daemon.until_connected().await;
}

#[tokio::test]
async fn a_wrong_code_does_not_link_and_the_right_one_still_does() {
    let (_sandbox, phone, home) = world().await;
    let daemon = home.start_with(&[("USE_PAIRING_CODE", "1"), ("PHONE_NUMBER", NUMBER)]);
    let code = daemon.code().await;
    phone
        .enter_code("ZZZZ-ZZZZ")
        .await
        .expect_err("the wrong code");
    assert!(phone.devices().is_empty());
    assert_eq!(daemon.status().await["isConnected"], false);
    let now = daemon.code().await;
    assert_eq!(now, code, "the code is still good");
    phone.enter_code(&now).await.expect("the phone accepts");
    daemon.until_connected().await;
}

#[tokio::test]
async fn a_limited_number_is_told_so_and_a_qr_code_still_links() {
    let (sandbox, phone, home) = world().await;
    let daemon = home.start();
    daemon.qr().await;
    sandbox
        .inject(Fault::code_rate_limited(None), Target::next(1))
        .expect("armed");
    let answer = daemon
        .call(
            Method::POST,
            "/connection/pairing",
            Some(json!({"phoneNumber": NUMBER})),
        )
        .await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{answer:?}");
    assert!(answer.headers.contains_key("retry-after"));
    assert!(daemon.get("/connection/pairing").await.status == StatusCode::NOT_FOUND);
    link(&daemon, &phone).await;
}

/// WhatsApp would shut the number out; walinkd stops before that.
#[tokio::test]
async fn too_many_codes_for_a_number_are_not_asked_for() {
    let (_sandbox, phone, home) = world().await;
    let daemon = home.start();
    daemon.qr().await;
    let ask = async |custom: &str| {
        let body = json!({"phoneNumber": NUMBER, "customCode": custom});
        daemon
            .call(Method::POST, "/connection/pairing", Some(body))
            .await
    };
    let custom = [
        "AAAA-1111",
        "AAAA-2222",
        "AAAA-3333",
        "AAAA-4444",
        "AAAA-5555",
    ];
    for custom in custom {
        let answer = ask(custom).await;
        assert_eq!(answer.json()["data"]["pairingCode"], custom, "{answer:?}");
    }
    let answer = ask("AAAA-6666").await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{answer:?}");
    assert_eq!(answer.json()["code"], "pairing_limited");
    let wait: u64 = answer.headers["retry-after"]
        .to_str()
        .expect("text")
        .parse()
        .expect("seconds");
    assert!((500..=600).contains(&wait), "{wait}");
    // The last code is as good as ever.
    assert_eq!(ask("AAAA-5555").await.status, StatusCode::OK);
    assert_eq!(daemon.code().await, "AAAA-5555");
    phone
        .enter_code("AAAA5555")
        .await
        .expect("the phone accepts");
    daemon.until_connected().await;
}

#[tokio::test]
async fn whatsapp_out_of_reach_is_told_in_time() {
    let (sandbox, _phone, home) = world().await;
    sandbox.refuse().await;
    let daemon = home.start();
    let status = daemon
        .until("a reason", |status| status["reason"]["code"] == "refused")
        .await;
    assert_eq!(status["state"], "connecting");
    assert!(status["nextAttemptAt"].is_string());
    let answer = daemon
        .call(
            Method::POST,
            "/connection/pairing",
            Some(json!({"phoneNumber": NUMBER})),
        )
        .await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
    sandbox.accept().expect("open again");
    daemon.post("/connection/reconnect").await;
    daemon.qr().await;
    sandbox
        .wait_for(|state| state.pairing() == 1, SOON)
        .await
        .expect("back");
}
