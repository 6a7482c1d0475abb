//! Certificate and private key: read, understood, and of one pair; and the
//! certificates of authorities to trust.

use super::{Fault, Place, fault::Wrong, model::Http, value};
use rustls::{
    InconsistentKeys, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::ParsedCertificate,
    sign::CertifiedKey,
};
use std::{
    collections::BTreeMap,
    fmt, fs, io,
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A chain of certificates is some kilobytes.
const MAX_FILE: u64 = 1 << 20;

const CERT_FORM: &str = "write the certificate and then those between it and its authority into it, as PEM and of X.509 version 3 (certbot calls it fullchain.pem)";
const KEY_FORM: &str = "write the private key into it, as PEM (certbot calls it privkey.pem)";

/// A PEM file as it was read: so that a reload sees a renewed one.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Pem {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.fmt(f)
    }
}

impl Pem {
    pub(super) fn new(path: &Path, bytes: Vec<u8>) -> Self {
        Self {
            path: path.to_owned(),
            bytes,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Authorities whose certificates are trusted.
#[derive(Clone)]
pub struct Authorities {
    pem: Pem,
    roots: Arc<RootCertStore>,
}

impl Authorities {
    pub fn roots(&self) -> Arc<RootCertStore> {
        Arc::clone(&self.roots)
    }

    pub(super) fn path(&self) -> &Path {
        self.pem.path()
    }
}

/// By what was read: the same certificates are the same trust.
impl PartialEq for Authorities {
    fn eq(&self, other: &Self) -> bool {
        self.pem == other.pem
    }
}

/// Whom the HTTPS server shows itself as: a certificate with its chain and its
/// key.
#[derive(Clone)]
pub struct Identity(Arc<CertifiedKey>);

impl Identity {
    pub fn certified_key(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0)
    }
}

/// The certificates alone: with other ones comes another key.
impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        self.0.cert == other.0.cert
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} certificates", self.0.cert.len())
    }
}

/// Reads a PEM file with the certificates of authorities.
pub(super) fn authorities(text: &str) -> Result<Authorities, Wrong> {
    let pem = pem(text)?;
    let wrong = |what: String| {
        let hint = "write the certificate of the authority into it, as PEM, or those of several";
        Wrong::new(format!("{} {what}", pem.path.display()), hint)
    };
    let mut roots = RootCertStore::empty();
    for (index, one) in certificates(&pem).map_err(wrong)?.into_iter().enumerate() {
        roots.add(one).map_err(|_| wrong(unusable(index)))?;
    }
    Ok(Authorities {
        pem,
        roots: Arc::new(roots),
    })
}

/// At least one; if not, what is wrong with the file.
fn certificates(pem: &Pem) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem.bytes).collect();
    match found {
        Err(_) => Err("is broken PEM".to_owned()),
        Ok(found) if found.is_empty() => Err("holds no certificate".to_owned()),
        Ok(found) => Ok(found),
    }
}

fn unusable(index: usize) -> String {
    format!(
        "has a certificate that cannot be used, number {}",
        index + 1
    )
}

/// Reads a PEM file.
pub(super) fn pem(text: &str) -> Result<Pem, Wrong> {
    let path = value::path(text)?;
    // Anything else, a pipe for one, may have nobody at its other end.
    if fs::metadata(&path).is_ok_and(|there| !there.is_file()) {
        let what = format!("{} is no file", path.display());
        return Err(Wrong::new(what, "name a PEM file"));
    }
    match bytes(&path) {
        Ok(bytes) if bytes.len() as u64 > MAX_FILE => Err(Wrong::new(
            format!("{} is larger than 1 MiB", path.display()),
            "name a PEM file",
        )),
        Ok(bytes) => Ok(Pem { path, bytes }),
        Err(error) => Err(Wrong::new(
            format!("{} cannot be read: {error}", path.display()),
            match error.kind() {
                io::ErrorKind::PermissionDenied => {
                    "let the daemon's user read it, or pass it as a systemd credential"
                }
                _ => "name a PEM file that is there",
            },
        )),
    }
}

fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?
        .take(MAX_FILE + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

const CERT: &str = "http.tls_cert";
const KEY: &str = "http.tls_key";

/// Makes the identity of the pair, where there is one.
pub(super) fn settle(
    http: &mut Http,
    places: &BTreeMap<&'static str, Place>,
    faults: &mut Vec<Fault>,
) {
    if faults
        .iter()
        .any(|fault| [CERT, KEY].contains(&&*fault.key))
    {
        return;
    }
    let alone = |what: &str| {
        Wrong::new(
            what,
            "set both, or none; systemd's credentials tls-cert and tls-key count only together, with neither key set",
        )
    };
    let made = match (&http.tls_cert, &http.tls_key) {
        (None, None) => return,
        (Some(cert), Some(key)) => identity(cert, key),
        (Some(_), None) => Err((CERT, alone("is set, and http.tls_key is not"))),
        (None, Some(_)) => Err((KEY, alone("is set, and http.tls_cert is not"))),
    };
    match made {
        Ok(identity) => http.identity = Some(identity),
        Err((name, wrong)) => {
            let pem = if name == CERT {
                &http.tls_cert
            } else {
                &http.tls_key
            };
            // Without a line in the file it is a credential.
            let credential = || Some(Place::Path(pem.as_ref()?.path.clone()));
            let place = places.get(name).cloned().or_else(credential);
            faults.push(wrong.at(place.unwrap_or(Place::Default), name));
        }
    }
}

/// The key that is at fault, and why.
type Faulty = (&'static str, Wrong);

fn identity(cert: &Pem, key: &Pem) -> Result<Identity, Faulty> {
    let wrong = |name: &'static str, pem: &Pem, what: &str, hint: &str| {
        (
            name,
            Wrong::new(format!("{} {what}", pem.path.display()), hint),
        )
    };
    let chain = certificates(cert).map_err(|what| wrong(CERT, cert, &what, CERT_FORM))?;
    for (index, one) in chain.iter().enumerate() {
        if ParsedCertificate::try_from(one).is_err() {
            return Err(wrong(CERT, cert, &unusable(index), CERT_FORM));
        }
    }
    let locked = b"ENCRYPTED";
    if key.bytes.windows(locked.len()).any(|word| word == locked) {
        let hint = "store it without one: openssl pkey -in OLD -out NEW, readable for the daemon's user only";
        return Err(wrong(KEY, key, "is locked with a passphrase", hint));
    }
    let secret = PrivateKeyDer::from_pem_slice(&key.bytes)
        .map_err(|_| wrong(KEY, key, "holds no private key", KEY_FORM))?;
    // Read by itself first, to tell which of the two is at fault.
    ring::sign::any_supported_type(&secret).map_err(|_| {
        let hint = "use an RSA key of 2048 bits or more, ECDSA P-256 or P-384, or Ed25519";
        wrong(KEY, key, "is of a kind that TLS cannot use here", hint)
    })?;
    match CertifiedKey::from_der(chain, secret, &ring::default_provider()) {
        Ok(pair) => Ok(Identity(Arc::new(pair))),
        Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => Err(wrong(
            KEY,
            key,
            &format!(
                "is not the key of the certificate in {}",
                cert.path.display()
            ),
            "name the two files of one pair; the certificate itself comes first in its file",
        )),
        Err(error) => {
            let what = format!("cannot be used: {error}");
            Err(wrong(CERT, cert, &what, CERT_FORM))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertifiedKey as Made, generate_simple_self_signed};

    fn made() -> (Pem, Pem) {
        let Made { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let pem = |name: &str, text: String| Pem::new(Path::new(name), text.into_bytes());
        (
            pem("/c", cert.pem()),
            pem("/k", signing_key.serialize_pem()),
        )
    }

    fn complaint(cert: &Pem, key: &Pem) -> (&'static str, String) {
        let (name, wrong) = identity(cert, key).expect_err("a fault");
        (name, wrong.what)
    }

    #[test]
    fn a_pair_is_taken_and_the_faulty_half_is_named() {
        let (cert, key) = made();
        identity(&cert, &key).expect("a pair");
        let (other_cert, other_key) = made();
        identity(&other_cert, &other_key).expect("a pair");
        assert_eq!(
            complaint(&cert, &other_key),
            (KEY, "/k is not the key of the certificate in /c".to_owned())
        );
        assert_eq!(complaint(&key, &key).0, CERT);
        assert_eq!(
            complaint(&cert, &cert),
            (KEY, "/c holds no private key".to_owned())
        );
        let rubbish = Pem::new(
            Path::new("/r"),
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec(),
        );
        assert_eq!(
            complaint(&rubbish, &key),
            (
                CERT,
                "/r has a certificate that cannot be used, number 1".to_owned()
            )
        );
        let mut chain = cert.bytes.clone();
        chain.extend(&rubbish.bytes);
        let chain = Pem::new(Path::new("/r"), chain);
        assert_eq!(
            complaint(&chain, &key).1,
            "/r has a certificate that cannot be used, number 2"
        );
        let locked =
            b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        let locked = Pem::new(Path::new("/l"), locked.to_vec());
        assert_eq!(
            complaint(&cert, &locked),
            (KEY, "/l is locked with a passphrase".to_owned())
        );
    }

    #[test]
    fn debug_shows_no_key() {
        let (cert, key) = made();
        let identity = identity(&cert, &key).expect("a pair");
        assert_eq!(format!("{key:?} {identity:?}"), "\"/k\" 1 certificates");
    }
}
