//! The environment of the original API, and systemd's credentials, laid over
//! the file.

use super::{
    ApiKey, Config, Fault, Mode, Place, Sources, api_keys, fault::Wrong, tls::Pem, value, webhook,
};
use crate::wire::{KeySource, Scope};
use sha2::{Digest as _, Sha256};
use std::{collections::BTreeMap, fs, io, path::Path};

/// Lays the environment over `config`, which holds the file's values.
pub(super) fn apply(
    sources: &Sources,
    config: &mut Config,
    places: &BTreeMap<&'static str, Place>,
    faults: &mut Vec<Fault>,
) {
    let mut read = |name: &'static str, set: &mut dyn FnMut(&str) -> Result<(), Wrong>| {
        let Some(value) = sources.variable(name) else {
            return;
        };
        let set = match value.to_str() {
            Some(text) => set(text.trim()),
            None => Err(Wrong::new("is not UTF-8", "set it to plain text")),
        };
        if let Err(wrong) = set {
            faults.push(wrong.at(Place::Environment(name), ""));
        }
    };
    read("PORT", &mut |text| {
        let port = text.parse().map_err(|_| {
            Wrong::new(
                "is no port",
                "set it to a number from 0 to 65535, for example 3000",
            )
        })?;
        let first = config.http.listen.first_mut().ok_or_else(|| {
            Wrong::new(
                "is set, and http.listen = [] turns TCP off",
                "unset PORT, or list an address in http.listen",
            )
        })?;
        first.set_port(port);
        config.set_by("http.listen", Place::Environment("PORT"));
        Ok(())
    });
    read("USE_PAIRING_CODE", &mut |text| {
        config.pairing.mode = match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Mode::Code,
            "false" | "0" | "no" => Mode::Qr,
            _ => {
                return Err(Wrong::new(
                    "is neither true nor false",
                    "set it to true, or unset it",
                ));
            }
        };
        config.set_by("pairing.mode", Place::Environment("USE_PAIRING_CODE"));
        Ok(())
    });
    read("PHONE_NUMBER", &mut |text| {
        config.pairing.phone_number = Some(value::phone(text)?);
        config.set_by("pairing.phone_number", Place::Environment("PHONE_NUMBER"));
        Ok(())
    });
    read("API_KEY", &mut |text| {
        add_key(config, "API_KEY", KeySource::Environment, text.as_bytes())?;
        config.also_set_by("auth.keys", Place::Environment("API_KEY"));
        Ok(())
    });
    let mut credential = |name| {
        let directory = sources.variable("CREDENTIALS_DIRECTORY")?;
        let path = Path::new(directory).join(name);
        match fs::read(&path) {
            Ok(bytes) => Some((path, bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                let what = format!("the credential cannot be read: {error}");
                let wrong = Wrong::new(what, "check LoadCredential= in the unit");
                faults.push(wrong.at(Place::Path(path), ""));
                None
            }
        }
    };
    // The file's pair is not mixed with systemd's.
    if config.http.tls_cert.is_none() && config.http.tls_key.is_none() {
        if let Some((path, bytes)) = credential("tls-cert") {
            config.http.tls_cert = Some(Pem::new(&path, bytes));
            config.set_by("http.tls_cert", Place::Path(path));
        }
        if let Some((path, bytes)) = credential("tls-key") {
            config.http.tls_key = Some(Pem::new(&path, bytes));
            config.set_by("http.tls_key", Place::Path(path));
        }
    }
    let secret = credential("webhook-secret");
    if let Some((path, bytes)) = credential("api-key") {
        let place = Place::Path(path);
        match add_key(config, "api-key", KeySource::Credential, bytes.trim_ascii()) {
            Ok(()) => config.also_set_by("auth.keys", place),
            Err(wrong) => faults.push(wrong.at(place, "")),
        }
    }
    let secret = secret.as_ref().map(|(path, bytes)| (&**path, &**bytes));
    webhook::settle(&mut config.webhook, secret, places.get("webhook"), faults);
}

/// A key in plain text, with every right. The file knows its keys by hash.
fn add_key(config: &mut Config, name: &str, source: KeySource, key: &[u8]) -> Result<(), Wrong> {
    const MAKE: &str = "make one: openssl rand -hex 32";
    if key.is_empty() {
        return Err(Wrong::new("holds no key", MAKE));
    }
    // Anything else does not survive in an HTTP header.
    if !key.iter().all(u8::is_ascii_graphic) {
        let what = "has a key with characters that cannot stand in an HTTP header";
        return Err(Wrong::new(what, MAKE));
    }
    let sha256: [u8; 32] = Sha256::digest(key).into();
    if api_keys::is_published(&sha256) {
        return Err(api_keys::published());
    }
    for other in &config.auth.keys {
        if other.name == name {
            let what = format!("the file has a key of the name \"{name}\" too");
            return Err(Wrong::new(what, "rename the one in auth.keys"));
        }
        if other.sha256 == sha256 {
            return Err(api_keys::same_key());
        }
    }
    config.auth.keys.push(ApiKey {
        name: name.to_owned(),
        sha256,
        scope: Scope::Manage,
        source,
        expires: None,
    });
    Ok(())
}
