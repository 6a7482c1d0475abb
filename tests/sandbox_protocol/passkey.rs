//! The passkey gate, with the library as the companion.

use crate::companion::{Companion, NUMBER, SOON, linked, logins, sandbox, sandbox_with};
use serde_json::{Value, json};
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use walinkd_sandbox::{
    AssertionError, CodeError, Fault, GateStage, LinkError, LinkedDevice, Options, PasskeyError,
    PasskeyGate, Phone, Sandbox, ScanError, Stage, Target,
};
use whatsapp_rust::pair_code::PairCodeOptions;
use whatsapp_rust::passkey::Assertion;
use whatsapp_rust::store::commands::DeviceCommand;
use whatsapp_rust::types::events::Event;

const ORIGIN: &str = "https://web.whatsapp.com";

type Scan = JoinHandle<Result<LinkedDevice, ScanError>>;

/// A phone that demands a passkey, and a client that shows it a code.
struct Scene {
    sandbox: Sandbox,
    phone: Phone,
    companion: Companion,
    _store: TempDir,
}

impl Scene {
    async fn new() -> Self {
        Self::with(Options::default(), PasskeyGate::default()).await
    }

    async fn with(options: Options, gate: PasskeyGate) -> Self {
        let sandbox = sandbox_with(options).await;
        let phone = sandbox.add_phone(NUMBER);
        phone.require_passkey(gate);
        let store = tempfile::tempdir().expect("a directory");
        let companion = Companion::start(&sandbox, store.path()).await;
        Self {
            sandbox,
            phone,
            companion,
            _store: store,
        }
    }

    /// Scans the next code the client shows; the client is challenged.
    async fn challenged(&mut self) -> (Scan, Value) {
        let qr = self.companion.qr().await;
        self.scan(&qr).await
    }

    async fn scan(&mut self, qr: &str) -> (Scan, Value) {
        let (phone, qr) = (self.phone.clone(), qr.to_owned());
        let scan = tokio::spawn(async move { phone.scan(&qr).await });
        (scan, self.companion.challenge().await)
    }

    async fn at(&self, stage: GateStage) {
        let at = |state: &walinkd_sandbox::Snapshot| {
            let gate = state.phones[NUMBER].gate.as_ref();
            gate.is_some_and(|gate| gate.stage == stage)
        };
        self.sandbox
            .wait_for(at, SOON)
            .await
            .expect("the gate gets there");
    }

    /// Answers well, up to the code, which the phone must show too.
    async fn answer(&mut self, options: &Value) {
        let credential = self.phone.passkey().answer(options, ORIGIN);
        self.companion.respond(&credential).await.expect("accepted");
        let (code, known) = self.companion.code().await;
        assert!(!known);
        let shown = self.phone.gate().expect("is open");
        assert_eq!((shown.stage, shown.code), (GateStage::Code, Some(code)));
    }

    /// The rest of a good answer: the client is linked and comes online.
    async fn pass(&mut self, scan: Scan, options: &Value) {
        self.answer(options).await;
        self.companion.confirm().await.expect("accepted");
        let device = scan.await.expect("no panic").expect("links");
        self.companion.connected().await;
        assert_eq!(self.phone.devices()[0].jid, device.jid);
        assert_eq!(self.phone.gate(), None);
    }

    fn arm(&self, fault: Fault) {
        let armed = self.sandbox.inject(fault, Target::next(1));
        armed.expect("a fault of the gate");
    }
}

impl Companion {
    async fn challenge(&mut self) -> Value {
        let options = self
            .expect("PairPasskeyRequest", |event| match event {
                Event::PairPasskeyRequest(request) => Some(request.request_options_json.clone()),
                _ => None,
            })
            .await;
        serde_json::from_str(&options).expect("JSON")
    }

    /// Sends a credential as a browser gives it; the error's words, if any.
    async fn respond(&self, credential: &Value) -> Result<(), String> {
        use base64::Engine as _;
        let id = credential["rawId"].as_str().expect("an id");
        let assertion = Assertion {
            assertion_json: credential.to_string().into_bytes(),
            credential_id: base64::engine::general_purpose::URL_SAFE_NO_PAD
                .decode(id)
                .expect("Base64URL"),
        };
        let sent = self.client.send_passkey_response(assertion).await;
        sent.map_err(|error| error.to_string())
    }

    /// The code to compare, and whether that is not needed.
    async fn code(&mut self) -> (String, bool) {
        self.expect("PairPasskeyConfirmation", |event| match event {
            Event::PairPasskeyConfirmation(shown) => {
                Some((shown.code.clone(), shown.skip_handoff_ux))
            }
            _ => None,
        })
        .await
    }

    async fn confirm(&self) -> Result<(), String> {
        let sent = self.client.send_passkey_confirmation().await;
        sent.map_err(|error| error.to_string())
    }
}

/// Asks the control API; its status and what it says.
async fn call(sandbox: &Sandbox, method: &str, path: &str, body: &Value) -> (u16, Value) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let url = sandbox.control_url().expect("a control API");
    let host = url.strip_prefix("http://").expect("plain HTTP");
    let mut stream = tokio::net::TcpStream::connect(host)
        .await
        .expect("it listens");
    let body = body.to_string();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream
        .write_all(request.as_bytes())
        .await
        .expect("it reads");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .await
        .expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    (
        status.expect("a status"),
        serde_json::from_str(body).expect("JSON"),
    )
}

async fn gate_error(scan: Scan) -> PasskeyError {
    match scan.await.expect("no panic") {
        Err(ScanError::Link(LinkError::Passkey(error))) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_scan_and_a_passkey_link() {
    let mut scene = Scene::new().await;
    let (scan, options) = scene.challenged().await;
    assert_eq!(options["rpId"], json!("whatsapp.com"));
    assert_eq!(options["timeout"], json!(600_000));
    scene.at(GateStage::Challenge).await;
    scene.pass(scan, &options).await;
    let stats = scene.sandbox.stats();
    assert_eq!((stats.passkey_challenges, stats.passkey_assertions), (1, 1));
    assert_eq!((stats.passkey_refusals, stats.pairings), (0, 1));
    assert_eq!(stats.unknown_queries, Default::default());
}

#[tokio::test]
async fn a_code_and_a_passkey_link() {
    let mut scene = Scene::new().await;
    scene.companion.qr().await;
    let code = ask_code(&scene.companion).await;
    let phone = scene.phone.clone();
    let entered = tokio::spawn(async move { phone.enter_code(&code).await });
    let options = scene.companion.challenge().await;
    scene.answer(&options).await;
    scene.companion.confirm().await.expect("accepted");
    let device = entered.await.expect("no panic").expect("links");
    scene.companion.connected().await;
    assert_eq!(scene.phone.devices()[0].jid, device.jid);
}

async fn ask_code(companion: &Companion) -> String {
    let options = PairCodeOptions {
        phone_number: NUMBER.to_owned(),
        ..PairCodeOptions::default()
    };
    companion
        .client
        .pair_with_code(options)
        .await
        .expect("a code")
}

#[tokio::test]
async fn the_options_can_be_asked_for() {
    let mut scene = Scene::with(
        Options::default(),
        PasskeyGate {
            rp_id: "localhost".to_owned(),
            options_by_query: true,
            ..PasskeyGate::default()
        },
    )
    .await;
    let (scan, options) = scene.challenged().await;
    assert_eq!(options["rpId"], json!("localhost"));
    scene.pass(scan, &options).await;
}

#[tokio::test]
async fn what_does_not_verify_is_refused_and_the_next_try_links() {
    let mut scene = Scene::new().await;
    let qr = scene.companion.qr().await;
    let passkey = scene.phone.passkey();

    let (scan, options) = scene.scan(&qr).await;
    let wrong = passkey.wrong_signature(&options, ORIGIN);
    let refused = scene.companion.respond(&wrong).await;
    assert!(refused.is_err_and(|error| error.contains("401")));
    let error = gate_error(scan).await;
    assert_eq!(error, AssertionError::Signature.into());
    assert_eq!(scene.phone.gate(), None);

    // The challenge is spent, whatever answers it now.
    let late = passkey.answer(&options, ORIGIN);
    let refused = scene.companion.respond(&late).await;
    assert!(refused.is_err_and(|error| error.contains("410")));

    let (scan, options) = scene.scan(&qr).await;
    let elsewhere = passkey.answer(&options, "https://example.org");
    scene
        .companion
        .respond(&elsewhere)
        .await
        .expect_err("refused");
    let error = gate_error(scan).await;
    assert_eq!(
        error,
        AssertionError::Origin("https://example.org".to_owned()).into()
    );

    let (scan, mut options) = scene.scan(&qr).await;
    options["challenge"] = json!("AAECAwQF");
    let other = passkey.answer(&options, ORIGIN);
    scene.companion.respond(&other).await.expect_err("refused");
    assert_eq!(gate_error(scan).await, AssertionError::Challenge.into());

    let stranger = scene.sandbox.add_phone("4915112345678").passkey();
    let (scan, options) = scene.scan(&qr).await;
    let foreign = stranger.answer(&options, ORIGIN);
    scene
        .companion
        .respond(&foreign)
        .await
        .expect_err("refused");
    assert_eq!(gate_error(scan).await, AssertionError::Credential.into());

    let (scan, options) = scene.scan(&qr).await;
    scene.pass(scan, &options).await;
}

#[tokio::test]
async fn a_registered_passkey_is_the_accounts() {
    let mut scene = Scene::new().await;
    let elsewhere = scene.sandbox.add_phone("4915112345678").passkey();
    scene
        .phone
        .register_passkey(elsewhere.id(), &elsewhere.public_key())
        .expect("a passkey");
    let (_scan, options) = scene.challenged().await;
    let credential = elsewhere.answer(&options, ORIGIN);
    scene
        .companion
        .respond(&credential)
        .await
        .expect("accepted");
    scene.companion.code().await;
}

/// A store that was linked, and knows its account but no number.
async fn known(sandbox: &Sandbox) -> (Phone, Companion, TempDir) {
    let mut linked = linked(sandbox).await;
    linked.phone.require_passkey(PasskeyGate::default());
    linked.phone.unlink(&linked.device);
    linked.companion.logged_out().await;
    linked
        .companion
        .client
        .persistence_manager()
        .process_command(DeviceCommand::SetId(None))
        .await;
    linked.companion.shutdown().await;
    let companion = Companion::start(sandbox, linked.store.path()).await;
    (linked.phone, companion, linked.store)
}

#[tokio::test]
async fn a_client_that_was_linked_needs_no_code_after_a_scan() {
    let sandbox = sandbox().await;
    let (phone, mut companion, _store) = known(&sandbox).await;
    let qr = companion.qr().await;
    let scanning = phone.clone();
    let scan = tokio::spawn(async move { scanning.scan(&qr).await });
    pass_known(&phone, &mut companion).await;
    scan.await.expect("no panic").expect("links");
    logins(&sandbox, 2).await;
}

/// A pairing by code gives the client a new secret first, and it is that one
/// which the library then proves.
#[tokio::test]
async fn after_a_pairing_code_its_proof_holds_for_no_device() {
    let sandbox = sandbox().await;
    let (phone, mut companion, _store) = known(&sandbox).await;
    companion.qr().await;
    let code = ask_code(&companion).await;
    let entering = phone.clone();
    let entered = tokio::spawn(async move { entering.enter_code(&code).await });
    let options = companion.challenge().await;
    let credential = phone.passkey().answer(&options, ORIGIN);
    companion.respond(&credential).await.expect_err("refused");
    let error = entered.await.expect("no panic").expect_err("not linked");
    assert!(
        matches!(
            error,
            CodeError::Link(LinkError::Passkey(PasskeyError::Handoff))
        ),
        "{error}"
    );
}

async fn pass_known(phone: &Phone, companion: &mut Companion) {
    let options = companion.challenge().await;
    let credential = phone.passkey().answer(&options, ORIGIN);
    companion.respond(&credential).await.expect("accepted");
    let (_, known) = companion.code().await;
    assert!(known);
    let shown = phone.gate().expect("is open");
    assert_eq!((shown.stage, shown.code), (GateStage::Known, None));
    companion.confirm().await.expect("accepted");
}

#[tokio::test]
async fn a_gate_outlives_the_refs_and_its_end_ends_the_stream() {
    let options = Options {
        ref_count: 1,
        ref_first: Duration::from_secs(5),
        ref_grace: Duration::ZERO,
        ..Options::default()
    };
    let mut scene = Scene::with(options, PasskeyGate::default()).await;
    let (scan, options) = scene.challenged().await;
    scene
        .sandbox
        .wait_for(|state| state.pairing() == 0, Duration::from_secs(6))
        .await
        .expect_err("the client stays");
    let wrong = scene.phone.passkey().wrong_signature(&options, ORIGIN);
    scene.companion.respond(&wrong).await.expect_err("refused");
    assert_eq!(gate_error(scan).await, AssertionError::Signature.into());
    scene
        .sandbox
        .wait_for(|state| state.stats.refs_issued == 2, SOON)
        .await
        .expect("the client comes for more");
}

#[tokio::test]
async fn a_late_answer_is_refused() {
    let gate = PasskeyGate {
        timeout: Duration::from_millis(200),
        ..PasskeyGate::default()
    };
    let mut scene = Scene::with(Options::default(), gate).await;
    let qr = scene.companion.qr().await;
    let (scan, options) = scene.scan(&qr).await;
    assert_eq!(gate_error(scan).await, PasskeyError::Expired);
    assert_eq!(scene.phone.gate(), None);
    let late = scene.phone.passkey().answer(&options, ORIGIN);
    let refused = scene.companion.respond(&late).await;
    assert!(refused.is_err_and(|error| error.contains("410")));

    scene.phone.require_passkey(PasskeyGate::default());
    let (scan, options) = scene.scan(&qr).await;
    scene.pass(scan, &options).await;
}

#[tokio::test]
async fn cancel_ends_the_stream() {
    let mut scene = Scene::new().await;
    assert!(!scene.phone.cancel_passkey());
    let (scan, _) = scene.challenged().await;
    assert!(scene.phone.cancel_passkey());
    assert_eq!(gate_error(scan).await, PasskeyError::Cancelled);
    scene
        .sandbox
        .wait_for(|state| state.stats.registrations == 2, SOON)
        .await
        .expect("the client comes again");
}

#[tokio::test]
async fn a_lost_connection_takes_its_gate_along() {
    let mut scene = Scene::new().await;
    let (scan, options) = scene.challenged().await;
    scene.answer(&options).await;
    scene
        .sandbox
        .inject(Fault::Drop { at: Stage::Live }, Target::all())
        .expect("a fault of a live connection");
    assert_eq!(gate_error(scan).await, PasskeyError::Lost);
    assert_eq!(scene.phone.gate(), None);
}

#[tokio::test]
async fn one_phone_at_a_time() {
    let mut scene = Scene::new().await;
    let qr = scene.companion.qr().await;
    let (scan, _) = scene.scan(&qr).await;
    let other = scene.sandbox.add_phone("4915112345678");
    assert!(matches!(
        other.scan(&qr).await,
        Err(ScanError::Link(LinkError::Taken))
    ));
    // The same phone begins anew.
    let (scan_again, options) = scene.scan(&qr).await;
    assert_eq!(gate_error(scan).await, PasskeyError::Superseded);
    scene.pass(scan_again, &options).await;
}

#[tokio::test]
async fn a_waived_gate_is_no_more() {
    let mut scene = Scene::new().await;
    scene.phone.waive_passkey();
    scene.companion.link(&scene.phone).await;
    assert_eq!(scene.sandbox.stats().passkey_challenges, 0);
}

#[tokio::test]
async fn assertions_are_refused_on_demand() {
    let mut scene = Scene::new().await;
    scene.arm(Fault::RefuseAssertion {
        code: 403,
        text: "forbidden".to_owned(),
    });
    let (scan, options) = scene.challenged().await;
    let credential = scene.phone.passkey().answer(&options, ORIGIN);
    let refused = scene.companion.respond(&credential).await;
    assert!(refused.is_err_and(|error| error.contains("403")));
    let refused = PasskeyError::OnDemand {
        code: 403,
        text: "forbidden".to_owned(),
    };
    assert_eq!(gate_error(scan).await, refused);
}

#[tokio::test]
async fn assertions_can_hang() {
    let mut scene = Scene::new().await;
    scene.arm(Fault::HangAssertion);
    let (scan, options) = scene.challenged().await;
    let credential = scene.phone.passkey().answer(&options, ORIGIN);
    let hanging = scene.companion.respond(&credential);
    tokio::select! {
        answered = hanging => panic!("{answered:?}"),
        hit = scene.sandbox.wait_for(|state| state.stats.faults_hit == 1, SOON) => {
            hit.expect("the assertion comes");
        }
    }
    scene.at(GateStage::Challenge).await;
    assert!(!scan.is_finished());
}

#[tokio::test]
async fn the_phone_can_stay_silent() {
    let mut scene = Scene::new().await;
    scene.arm(Fault::NoContinuation);
    let (scan, options) = scene.challenged().await;
    let credential = scene.phone.passkey().answer(&options, ORIGIN);
    scene
        .companion
        .respond(&credential)
        .await
        .expect("accepted");
    scene.at(GateStage::Exchange).await;
    assert!(!scan.is_finished());
}

#[tokio::test]
async fn pairing_requests_are_refused_on_demand() {
    let mut scene = Scene::new().await;
    scene.arm(Fault::RefusePairingRequest {
        code: 500,
        text: "internal-server-error".to_owned(),
    });
    let qr = scene.companion.qr().await;
    let (scan, options) = scene.scan(&qr).await;
    scene.answer(&options).await;
    let refused = scene.companion.confirm().await;
    assert!(refused.is_err_and(|error| error.contains("500")));
    assert!(matches!(
        gate_error(scan).await,
        PasskeyError::OnDemand { code: 500, .. }
    ));
    let (scan, options) = scene.scan(&qr).await;
    scene.pass(scan, &options).await;
}

#[tokio::test]
async fn pairing_requests_can_hang() {
    let mut scene = Scene::new().await;
    scene.arm(Fault::HangPairingRequest);
    let (scan, options) = scene.challenged().await;
    scene.answer(&options).await;
    tokio::select! {
        answered = scene.companion.confirm() => panic!("{answered:?}"),
        hit = scene.sandbox.wait_for(|state| state.stats.faults_hit == 1, SOON) => {
            hit.expect("the request comes");
        }
    }
    scene.at(GateStage::Code).await;
    assert!(!scan.is_finished());
}

#[tokio::test]
async fn a_code_serves_once_even_if_the_gate_fails() {
    let mut scene = Scene::new().await;
    scene.companion.qr().await;
    let code = ask_code(&scene.companion).await;
    let (phone, entry) = (scene.phone.clone(), code.clone());
    let entered = tokio::spawn(async move { phone.enter_code(&entry).await });
    let options = scene.companion.challenge().await;
    let wrong = scene.phone.passkey().wrong_signature(&options, ORIGIN);
    scene.companion.respond(&wrong).await.expect_err("refused");
    assert!(matches!(
        entered.await.expect("no panic"),
        Err(CodeError::Link(LinkError::Passkey(_)))
    ));
    assert!(matches!(
        scene.phone.enter_code(&code).await,
        Err(CodeError::NotAsked)
    ));
}

#[tokio::test]
async fn a_person_can_play_it_by_the_control_api() {
    let options = Options {
        control: Some(std::net::SocketAddr::from(([127, 0, 0, 1], 0))),
        ..Options::default()
    };
    let mut scene = Scene::with(options, PasskeyGate::default()).await;
    let phone = format!("/phones/{NUMBER}");
    let gate = format!("{phone}/passkey");
    let none = json!({});
    assert_eq!(call(&scene.sandbox, "GET", &gate, &none).await.0, 404);

    let qr = scene.companion.qr().await;
    let scanned = call(
        &scene.sandbox,
        "POST",
        &format!("{phone}/scan"),
        &json!({ "qr": qr }),
    )
    .await;
    assert_eq!(scanned, (202, json!({ "passkey": "challenge" })));
    let options = scene.companion.challenge().await;
    let (_, shown) = call(&scene.sandbox, "GET", &gate, &none).await;
    assert_eq!(shown["stage"], json!("challenge"));

    let ask = json!({ "publicKey": options });
    let answer = format!("{gate}/answer");
    let (status, credential) = call(&scene.sandbox, "POST", &answer, &ask).await;
    assert_eq!(status, 200);
    scene
        .companion
        .respond(&credential)
        .await
        .expect("accepted");
    let (code, _) = scene.companion.code().await;
    let (_, shown) = call(&scene.sandbox, "GET", &gate, &none).await;
    assert_eq!(
        (&shown["stage"], &shown["code"]),
        (&json!("code"), &json!(code))
    );
    scene.companion.confirm().await.expect("accepted");
    scene.companion.connected().await;

    let cancel = format!("{gate}/cancel");
    let cancelled = call(&scene.sandbox, "POST", &cancel, &none).await;
    assert_eq!(cancelled, (200, json!({ "cancelled": false })));
}
