//! API keys: kept as named hashes, compared in constant time.

use crate::wire::Timestamp;
use sha2::{Digest, Sha256};
use std::{fmt, sync::Arc};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

/// What a caller may do; `Manage` includes `Read`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// `GET`: see the connection, its QR and pairing codes.
    Read,
    /// Everything.
    Manage,
}

/// One API key as it is kept: the hash, never the key.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    pub name: Arc<str>,
    /// SHA-256 of the key's text.
    pub sha256: [u8; 32],
    pub scope: Scope,
    /// From this moment on the key is refused.
    pub expires: Option<Timestamp>,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("name", &self.name)
            .field("scope", &self.scope)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// All keys that are in force.
#[derive(Debug, Clone, Default)]
pub struct Keyring(Vec<Key>);

impl Keyring {
    pub fn new(keys: Vec<Key>) -> Self {
        Self(keys)
    }

    /// The key whose hash is that of `presented`, expired or not.
    ///
    /// Looks at every key whatever it finds on the way, so that the time taken
    /// tells nothing about which hash came close.
    pub(super) fn find(&self, presented: &[u8]) -> Option<&Key> {
        let digest = Sha256::digest(presented);
        let mut found = Choice::from(0);
        let mut index = 0_u64;
        for (position, key) in (0_u64..).zip(&self.0) {
            let equal = digest.as_slice().ct_eq(&key.sha256);
            index.conditional_assign(&position, equal);
            found |= equal;
        }
        bool::from(found)
            .then(|| self.0.get(usize::try_from(index).ok()?))
            .flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str, secret: &str) -> Key {
        Key {
            name: name.into(),
            sha256: Sha256::digest(secret).into(),
            scope: Scope::Read,
            expires: None,
        }
    }

    #[test]
    fn finds_the_one_that_matches_wherever_it_stands() {
        let ring = Keyring::new(vec![key("a", "one"), key("b", "two"), key("c", "three")]);
        for (secret, name) in [("one", "a"), ("two", "b"), ("three", "c")] {
            let found = ring.find(secret.as_bytes()).expect("a known key");
            assert_eq!(&*found.name, name);
        }
        for unknown in ["", "on", "onee", "One", "four"] {
            assert!(ring.find(unknown.as_bytes()).is_none(), "{unknown}");
        }
        assert!(Keyring::default().find(b"").is_none());
    }

    #[test]
    fn debug_shows_no_hash() {
        let shown = format!("{:?}", key("a", "one"));
        assert!(shown.contains("\"a\"") && !shown.contains("sha256"));
    }

    #[test]
    fn manage_includes_read() {
        assert!(Scope::Manage >= Scope::Read && Scope::Read < Scope::Manage);
    }
}
