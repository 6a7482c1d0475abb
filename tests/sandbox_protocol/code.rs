//! Linking by pairing code.

use crate::companion::{Companion, NUMBER, SOON, sandbox, sandbox_with};
use std::time::Duration;
use tempfile::TempDir;
use walinkd_sandbox::{CodeError, Fault, Options, Sandbox, Target};
use whatsapp_rust::pair_code::{PairCodeOptions, PairCodeRejection};
use whatsapp_rust::types::events::Event;

/// A client that shows QR codes, so can ask for a pairing code.
async fn waiting(sandbox: &Sandbox) -> (Companion, TempDir) {
    let store = tempfile::tempdir().expect("a directory");
    let mut companion = Companion::start(sandbox, store.path()).await;
    companion.qr().await;
    (companion, store)
}

fn asking(number: &str) -> PairCodeOptions {
    PairCodeOptions {
        phone_number: number.to_owned(),
        ..PairCodeOptions::default()
    }
}

/// Another code than this one.
fn other_than(code: &str) -> String {
    let last = if code.ends_with('A') { 'B' } else { 'A' };
    format!("{}{last}", &code[..7])
}

#[tokio::test]
async fn a_wrong_code_fails_and_the_right_one_links() {
    let sandbox = sandbox().await;
    let phone = sandbox.add_phone(NUMBER);
    assert!(matches!(
        phone.enter_code("ABCD-EFGH").await,
        Err(CodeError::NotAsked)
    ));
    let (mut companion, _store) = waiting(&sandbox).await;
    let code = companion
        .client
        .pair_with_code(asking(NUMBER))
        .await
        .expect("a code");
    let shown = phone.view().and_then(|phone| phone.code).expect("is asked");
    assert_eq!(shown.display, "Chrome (Linux)");

    assert!(matches!(
        phone.enter_code(&other_than(&code)).await,
        Err(CodeError::Wrong { left: 2 })
    ));
    assert!(phone.devices().is_empty());

    let hyphened = format!("{}-{}", &code[..4], &code[4..]).to_lowercase();
    let device = phone.enter_code(&hyphened).await.expect("links");
    companion.connected().await;
    assert!(phone.devices()[0].online);
    assert_eq!(phone.devices()[0].jid, device.jid);
    assert!(matches!(
        phone.enter_code(&code).await,
        Err(CodeError::NotAsked)
    ));
}

#[tokio::test]
async fn a_code_of_ones_own_choice() {
    let sandbox = sandbox().await;
    let phone = sandbox.add_phone(NUMBER);
    let (companion, _store) = waiting(&sandbox).await;
    let options = PairCodeOptions {
        custom_code: Some("WAL1NKD1".to_owned()),
        ..asking(NUMBER)
    };
    let code = companion
        .client
        .pair_with_code(options)
        .await
        .expect("a code");
    phone.enter_code(&code).await.expect("links");
}

#[tokio::test]
async fn too_many_wrong_codes_end_it() {
    let sandbox = sandbox_with(Options {
        code_attempts: 1,
        ..Options::default()
    })
    .await;
    let phone = sandbox.add_phone(NUMBER);
    let (companion, _store) = waiting(&sandbox).await;
    let code = companion
        .client
        .pair_with_code(asking(NUMBER))
        .await
        .expect("a code");
    assert!(matches!(
        phone.enter_code(&other_than(&code)).await,
        Err(CodeError::TooManyAttempts)
    ));
    assert!(matches!(
        phone.enter_code(&code).await,
        Err(CodeError::NotAsked)
    ));
}

#[tokio::test]
async fn an_old_code_is_refused() {
    let sandbox = sandbox_with(Options {
        code_validity: Duration::ZERO,
        ..Options::default()
    })
    .await;
    let phone = sandbox.add_phone(NUMBER);
    let (companion, _store) = waiting(&sandbox).await;
    let code = companion
        .client
        .pair_with_code(asking(NUMBER))
        .await
        .expect("a code");
    assert!(matches!(
        phone.enter_code(&code).await,
        Err(CodeError::Expired)
    ));
}

#[tokio::test]
async fn requests_are_refused_on_demand() {
    let sandbox = sandbox().await;
    sandbox.add_phone(NUMBER);
    let (companion, _store) = waiting(&sandbox).await;
    let ask = async |number: &str| {
        let error = companion
            .client
            .pair_with_code(asking(number))
            .await
            .expect_err("refused");
        (error.rejection(), error.backoff())
    };
    let arm = |fault| sandbox.inject(fault, Target::next(1)).expect("armed");

    arm(Fault::code_rate_limited(Some(Duration::from_secs(90))));
    assert_eq!(
        ask(NUMBER).await,
        (
            Some(PairCodeRejection::RateOverlimit),
            Some(Duration::from_secs(90))
        )
    );
    arm(Fault::code_bad_request());
    assert_eq!(
        ask(NUMBER).await,
        (Some(PairCodeRejection::BadRequest), None)
    );
    // Nobody's number.
    assert_eq!(
        ask("628999999999").await,
        (Some(PairCodeRejection::BadRequest), None)
    );
    let stats = sandbox.stats();
    assert_eq!((stats.code_requests, stats.code_refusals), (3, 3));
}

#[tokio::test]
async fn a_branded_system_is_refused() {
    let sandbox = sandbox().await;
    sandbox.add_phone(NUMBER);
    let (companion, _store) = waiting(&sandbox).await;
    let options = PairCodeOptions {
        display_os: Some("walinkd".to_owned()),
        ..asking(NUMBER)
    };
    let error = companion
        .client
        .pair_with_code(options)
        .await
        .expect_err("refused");
    assert_eq!(error.rejection(), Some(PairCodeRejection::BadRequest));
}

#[tokio::test]
async fn a_request_can_hang() {
    let sandbox = sandbox().await;
    let phone = sandbox.add_phone(NUMBER);
    sandbox
        .inject(Fault::HangCode, Target::all().standing())
        .expect("armed");
    let (companion, _store) = waiting(&sandbox).await;
    let client = companion.client.clone();
    let asked = tokio::spawn(async move { client.pair_with_code(asking(NUMBER)).await });
    sandbox
        .wait_for(|state| state.stats.faults_hit == 1, SOON)
        .await
        .expect("the request comes");
    assert!(!asked.is_finished());
    assert!(phone.view().is_some_and(|phone| phone.code.is_none()));
    asked.abort();
}

#[tokio::test]
async fn a_lost_connection_takes_its_code_along() {
    let sandbox = sandbox().await;
    let phone = sandbox.add_phone(NUMBER);
    let (mut companion, _store) = waiting(&sandbox).await;
    let code = companion
        .client
        .pair_with_code(asking(NUMBER))
        .await
        .expect("a code");
    sandbox
        .inject(Fault::WebSocketClose { code: 1001 }, Target::all())
        .expect("a fault of a live connection");
    companion
        .expect("Disconnected", |event| {
            matches!(event, Event::Disconnected(_)).then_some(())
        })
        .await;
    companion.qr().await;
    assert!(matches!(
        phone.enter_code(&code).await,
        Err(CodeError::NotAsked)
    ));
}
