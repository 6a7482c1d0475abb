//! The wrong protocol on the right port.

use crate::{
    all,
    support::Daemon,
    tally,
    wire::{send, statuses},
};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use std::{fs, path::Path, sync::Arc};
use tokio_rustls::TlsConnector;

/// The beginning of a TLS handshake, and then nothing sensible.
fn hello() -> Vec<u8> {
    let mut bytes = vec![
        0x16, 0x03, 0x01, 0x40, 0x00, 0x01, 0x00, 0x3f, 0xfc, 0x03, 0x03,
    ];
    bytes.extend((0..4_000_u32).map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()[3]));
    bytes
}

pub(crate) async fn tls_on_plain(daemon: &Daemon) -> String {
    let address = daemon.address();
    let outcomes = all(300, move |_| {
        Box::pin(async move { statuses(&send(address, &hello()).await) })
    });
    let outcomes = outcomes.await;
    let fine = |outcome: &String| ["400", "closed"].contains(&&**outcome);
    assert!(outcomes.iter().all(fine), "{}", tally(outcomes));
    tally(outcomes)
}

pub(crate) async fn garbage_on_tls(daemon: &Daemon) -> String {
    let address = daemon.address();
    let plain = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n".to_vec();
    let mut broken = hello();
    broken.truncate(40);
    broken.extend([0xff; 4_000]);
    // A client that says hello and then falls silent.
    let silent = hello()[..100].to_vec();
    let shapes = [
        plain,
        hello(),
        broken,
        vec![0; 1_000],
        silent,
        vec![0xff; 100_000],
    ];
    let outcomes = all(300, move |number| {
        let shape = shapes[number % shapes.len()].clone();
        Box::pin(async move { statuses(&send(address, &shape).await) })
    });
    let outcomes = outcomes.await;
    let fine = |outcome: &String| ["400", "closed"].contains(&&**outcome);
    assert!(outcomes.iter().all(fine), "{}", tally(outcomes));
    tally(outcomes)
}

/// A second daemon, which speaks HTTPS, and who trusts it.
pub(crate) fn settings(folder: &Path) -> (String, TlsConnector) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    fs::write(&cert, made.cert.pem()).expect("written");
    fs::write(&key, made.signing_key.serialize_pem()).expect("written");
    let settings = format!("tls_cert = {cert:?}\ntls_key = {key:?}\n");
    (settings, trusting(made.cert.der().clone(), &[]))
}

/// A client of the second daemon that asks for HTTP/2.
pub(crate) fn http2(daemon: &Daemon) -> TlsConnector {
    let text = fs::read_to_string(daemon.home.config()).expect("readable");
    let cert = text
        .lines()
        .find_map(|line| line.strip_prefix("tls_cert = "));
    let cert = cert.expect("it speaks HTTPS").trim_matches('"');
    let cert = CertificateDer::from_pem_file(cert).expect("a certificate");
    trusting(cert, &[b"h2"])
}

fn trusting(cert: CertificateDer<'static>, protocols: &[&[u8]]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(cert).expect("a root");
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}
