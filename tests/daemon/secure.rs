//! HTTPS: which versions, whose certificate, and what a reload does to it.

use crate::support::{Daemon, Home, KEY};
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, StatusCode, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Arc,
};

/// A certificate for this machine and its key, as files.
pub(crate) struct Pair {
    pub(crate) cert: PathBuf,
    key: PathBuf,
}

impl Pair {
    pub(crate) fn new(folder: &Path, name: &str) -> Self {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(names).expect("a certificate");
        let pair = Self {
            cert: folder.join(format!("{name}.crt")),
            key: folder.join(format!("{name}.key")),
        };
        fs::write(&pair.cert, cert.pem()).expect("written");
        fs::write(&pair.key, signing_key.serialize_pem()).expect("written");
        pair
    }

    pub(crate) fn settings(&self) -> String {
        settings(&self.cert, &self.key)
    }
}

fn settings(cert: &Path, key: &Path) -> String {
    format!("tls_cert = {cert:?}\ntls_key = {key:?}\n")
}

/// A daemon that need not reach anybody.
fn home() -> Arc<Home> {
    Home::new("ws://127.0.0.1:9/")
}

async fn curl(arguments: &[&str]) -> Output {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--max-time", "20"]);
    command.args(arguments);
    tokio::task::spawn_blocking(move || command.output())
        .await
        .expect("no panic")
        .expect("curl is installed")
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Whether a client that trusts `cert` alone gets an answer.
async fn trusts(daemon: &Daemon, cert: &Path) -> bool {
    let url = format!("https://localhost:{}/livez", daemon.home.port);
    let cert = cert.to_str().expect("UTF-8");
    let output = curl(&["--cacert", cert, &url]).await;
    told(&output).contains(r#""live":true"#)
}

#[tokio::test]
async fn https_speaks_tls_1_2_and_1_3_and_both_versions_of_http() {
    let home = home();
    let folder = tempfile::tempdir().expect("a folder");
    let pair = Pair::new(folder.path(), "first");
    home.configure_with(&pair.settings(), "");
    let daemon = home.start();
    daemon.status().await;
    daemon.until_logged(" is ready: https://127.0.0.1:").await;
    let url = format!("https://localhost:{}/connection/status", home.port);
    let cert = pair.cert.to_str().expect("UTF-8");
    let key = format!("x-api-key: {KEY}");
    for (version, expected) in [
        (&["--http2"][..], "2 200"),
        (&["--http1.1"], "1.1 200"),
        (&["--tlsv1.2", "--tls-max", "1.2"], "2 200"),
        (&["--tlsv1.3", "--http1.1"], "1.1 200"),
    ] {
        let mut arguments = vec!["--cacert", cert, "-H", &key, "-o", "/dev/null"];
        arguments.extend(["-w", "%{http_version} %{http_code}", &url]);
        arguments.extend(version);
        let output = curl(&arguments).await;
        assert_eq!(told(&output), expected, "{version:?}: {output:?}");
    }
    let old = [
        "--cacert",
        cert,
        "--tls-max",
        "1.1",
        "--ciphers",
        "DEFAULT@SECLEVEL=0",
    ];
    let output = curl(&[&old[..], &[&url]].concat()).await;
    assert!(!output.status.success(), "{output:?}");

    // A body over HTTP/2, and its limit.
    let large = format!("{{\"x\":\"{}\"}}", "x".repeat(100_000));
    fs::write(folder.path().join("body"), large).expect("written");
    let body = format!("@{}", folder.path().join("body").display());
    let url = format!("https://localhost:{}/connection/pairing", home.port);
    let arguments = [
        "--http2",
        "--cacert",
        cert,
        "-H",
        &key,
        "-H",
        "content-type: application/json",
    ];
    let output = curl(&[&arguments[..], &["-d", &body, &url]].concat()).await;
    assert!(told(&output).contains("body_too_large"), "{output:?}");

    let plain = format!("http://localhost:{}/livez", home.port);
    let output = curl(&["-w", " %{http_code}", &plain]).await;
    assert!(
        told(&output).contains("This port speaks HTTPS"),
        "{output:?}"
    );
    assert!(told(&output).ends_with(" 400"), "{output:?}");
}

#[tokio::test]
async fn a_reload_changes_the_certificate_and_drops_no_connection() {
    let home = home();
    let folder = tempfile::tempdir().expect("a folder");
    let (first, second) = (
        Pair::new(folder.path(), "first"),
        Pair::new(folder.path(), "second"),
    );
    home.configure_with(&first.settings(), "");
    let daemon = home.start();
    daemon.status().await;
    let mut kept = Kept::connect(&daemon, &first.cert).await;
    assert_eq!(kept.live().await, StatusCode::OK);

    // Renewed in place: the same names, other files.
    fs::copy(&second.cert, &first.cert).expect("a copy");
    fs::copy(&second.key, &first.key).expect("a copy");
    let reloaded = daemon.post("/admin/reload").await.json();
    let applied = &reloaded["data"]["applied"];
    assert_eq!(
        applied,
        &serde_json::json!(["http.tls_cert", "http.tls_key"])
    );
    assert!(trusts(&daemon, &second.cert).await);
    assert_eq!(kept.live().await, StatusCode::OK);

    // A pair that is none changes nothing.
    let third = Pair::new(folder.path(), "third");
    home.configure_with(&settings(&first.cert, &third.key), "");
    let refused = daemon.cli(&["reload"]).await;
    assert_eq!(refused.status.code(), Some(78));
    let complaint = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        complaint.contains("http.tls_key")
            && complaint.contains("is not the key of the certificate"),
        "{complaint}"
    );
    assert!(trusts(&daemon, &second.cert).await);
    home.configure_with(&format!("tls_cert = {:?}\n", third.cert), "");
    let refused = daemon.post("/admin/reload").await;
    assert!(
        refused.text.contains("is set, and http.tls_key is not"),
        "{refused:?}"
    );
    home.configure_with(&settings(&folder.path().join("none"), &third.key), "");
    let refused = daemon.post("/admin/reload").await;
    assert!(refused.text.contains("cannot be read"), "{refused:?}");
    assert_eq!(kept.live().await, StatusCode::OK);

    // And without any it is plain HTTP again.
    home.configure("");
    daemon.post("/admin/reload").await;
    let plain = daemon.call_tcp(Method::GET, "/livez", None, &[]).await;
    assert_eq!(plain.status, StatusCode::OK);
    assert_eq!(kept.live().await, StatusCode::OK);
}

#[tokio::test]
async fn systemd_may_pass_the_pair() {
    let home = home();
    let folder = tempfile::tempdir().expect("a folder");
    let pair = Pair::new(folder.path(), "x");
    fs::rename(&pair.cert, folder.path().join("tls-cert")).expect("moved");
    let path = folder.path().to_str().expect("UTF-8");
    let mut refused = home.start_with(&[("CREDENTIALS_DIRECTORY", path)]);
    assert_eq!(refused.ended().await.code(), Some(78));
    assert!(
        refused
            .log()
            .contains("tls-cert: http.tls_cert: is set, and"),
        "{}",
        refused.log()
    );

    fs::rename(&pair.key, folder.path().join("tls-key")).expect("moved");
    let daemon = home.start_with(&[("CREDENTIALS_DIRECTORY", path)]);
    daemon.status().await;
    assert!(trusts(&daemon, &folder.path().join("tls-cert")).await);
}

/// A connection that stays open.
struct Kept(http1::SendRequest<Full<Bytes>>);

impl Kept {
    async fn connect(daemon: &Daemon, cert: &Path) -> Self {
        use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
        let cert = CertificateDer::from_pem_file(cert).expect("a certificate");
        let mut roots = rustls::RootCertStore::empty();
        roots.add(cert).expect("a root");
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(ring)
            .with_safe_default_protocol_versions()
            .expect("TLS")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = tokio::net::TcpStream::connect(daemon.address()).await;
        let name = ServerName::try_from("localhost").expect("a name");
        let stream = tokio_rustls::TlsConnector::from(Arc::new(config))
            .connect(name, stream.expect("it listens"))
            .await
            .expect("TLS");
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("HTTP");
        tokio::spawn(connection);
        Self(sender)
    }

    async fn live(&mut self) -> StatusCode {
        let request = Request::get("/livez").header("host", "localhost");
        let request = request.body(Full::new(Bytes::new())).expect("a request");
        self.0.ready().await.expect("the connection stands");
        let answer = self.0.send_request(request).await.expect("an answer");
        let status = answer.status();
        answer.into_body().collect().await.expect("a body");
        status
    }
}
