//! Whom a webhook trusts and who may trust it: a receiver with a certificate of
//! the operator's own authority, and a secret that changes.

use crate::{
    support::{Daemon, Receiver},
    webhook::{SECRET, cli, endpoint, home, listed, reload, started},
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use serde_json::Value;
use std::{fs, sync::Arc};
use tokio_rustls::TlsAcceptor;

/// An authority of the operator's own. All have the same name.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, key).expect("a certificate"))
    }

    fn pem(&self) -> String {
        self.0.as_ref().pem()
    }

    /// A server that shows a certificate of this authority for these names.
    fn vouches_for(&self, name: &str) -> TlsAcceptor {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new([name.to_owned()]).expect("parameters");
        let cert = params.signed_by(&key, &self.0).expect("a certificate");
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("TLS")
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .expect("a pair");
        Arc::new(config).into()
    }
}

/// Why the webhook has failed, once it has failed for want of TLS more often
/// than so.
async fn refused(daemon: &Daemon, more_than: u64) -> (String, u64) {
    let times = |one: &Value| one["attempts"]["tls"].as_u64().expect("a count");
    let one = listed(daemon, "shop", |one| times(one) > more_than).await;
    assert!(one["backlog"].as_u64() > Some(0), "it is kept: {one}");
    let message = one["lastFailure"]["message"].as_str();
    (message.expect("a reason").to_owned(), times(&one))
}

#[tokio::test]
async fn a_receiver_with_a_private_authority_needs_its_certificate() {
    let home = home();
    let (ours, theirs) = (Authority::new(), Authority::new());
    let receiver = Receiver::start_secure(SECRET, ours.vouches_for("127.0.0.1")).await;
    let file = home.config().with_file_name("ca.pem");
    let hook = |more: &str| {
        let more = format!("events = [\"admin.*\"]\n{more}");
        endpoint("shop", &receiver.url(), &more)
    };
    home.configure(&hook(""));
    let daemon = started(&home).await;
    let (why, times) = refused(&daemon, 0).await;
    let told = "127.0.0.1 shows a certificate of an authority that is not trusted here";
    assert!(why.starts_with(told) && why.contains("ca_file"), "{why}");
    let (code, out, _) = cli(&daemon, &["webhook", "test"]).await;
    assert!(
        code == 1 && out.contains(told) && out.contains("ca_file"),
        "{out}"
    );

    // Another authority's does not help.
    fs::write(&file, theirs.pem()).expect("written");
    home.configure(&hook(&format!("ca_file = {file:?}")));
    reload(&daemon).await;
    let (why, times) = refused(&daemon, times).await;
    assert!(why.starts_with(told), "{why}");
    assert_eq!(receiver.received().len(), 0);

    // A file of several may have it; and what was kept comes.
    fs::write(&file, format!("{}{}", theirs.pem(), ours.pem())).expect("written");
    reload(&daemon).await;
    receiver.until_type("admin.start").await;
    assert_eq!(receiver.received()[0].body["type"], "admin.start");
    listed(&daemon, "shop", |one| one["backlog"] == 0).await;

    // Instead of the others, and read anew by each reload.
    fs::write(&file, theirs.pem()).expect("written");
    reload(&daemon).await;
    daemon.post("/connection/pause").await;
    refused(&daemon, times).await;
    receiver.assert_no_faults();
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused_and_named() {
    let home = home();
    let authority = Authority::new();
    let receiver = Receiver::start_secure(SECRET, authority.vouches_for("hooks.example")).await;
    let file = home.config().with_file_name("ca.pem");
    fs::write(&file, authority.pem()).expect("written");
    let more = format!("events = [\"admin.*\"]\nca_file = {file:?}");
    home.configure(&endpoint("shop", &receiver.url(), &more));
    let daemon = started(&home).await;
    let (why, _) = refused(&daemon, 0).await;
    assert!(
        why.contains("certificate") && why.contains("hooks.example"),
        "{why}"
    );
    assert_eq!(receiver.received().len(), 0);
}

#[tokio::test]
async fn receivers_change_to_a_new_secret_in_their_own_time() {
    const NEW: &str = "whsec_YW5vdGhlci1vbmUtb2YtMjQtYnl0ZXMtb3ItbW9yZQ==";
    let home = home();
    home.keep_secret(NEW);
    let (before, after) = (Receiver::start(SECRET).await, Receiver::start(NEW).await);
    let both = format!("{NEW} {SECRET}");
    let hooks = [("before", &before), ("after", &after)].map(|(name, receiver)| {
        endpoint(name, &receiver.url(), "events = [\"admin.*\"]").replace(SECRET, &both)
    });
    home.configure(&hooks.concat());
    let daemon = started(&home).await;
    for receiver in [&before, &after] {
        let taken = receiver.until_type("admin.start").await;
        let signatures = taken
            .head
            .lines()
            .find_map(|line| line.strip_prefix("webhook-signature: "));
        assert_eq!(
            signatures.expect("there").split(' ').count(),
            2,
            "{}",
            taken.head
        );
        receiver.assert_no_faults();
    }
    drop(daemon);
}
