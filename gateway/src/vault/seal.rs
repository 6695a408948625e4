//! How a value is encrypted: with a key of its own, which is encrypted with a key of the vault (AES-256-GCM both). What
//! is encrypted belongs to one secret of one organization: under another name it does not open.

use hmac::{Hmac, Mac};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::Sha256;
use std::collections::BTreeMap;

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;

/// The keys of the vault.
pub struct Keys {
    /// The one that encrypts.
    current: String,
    keys: BTreeMap<String, LessSafeKey>,
    /// Makes what stands for a text that has a value in it.
    digests: Hmac<Sha256>,
}

/// An encrypted value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The key of the vault.
    pub key_id: String,
    /// The value's own key, encrypted.
    pub key: Vec<u8>,
    /// The value, encrypted.
    pub value: Vec<u8>,
}

/// Why a value cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// This gateway lacks the key.
    #[error("the vault has no key `{0}`: its file must keep every key that a value is encrypted with")]
    UnknownKey(String),
    /// It was changed, or is another secret's.
    #[error("what is kept does not open with key `{0}`")]
    Damaged(String),
    /// The operating system.
    #[error("there are no random bytes, or the value is too long")]
    NotSealed,
}

impl Keys {
    /// Keys by id, of which `current` encrypts; `None` where that is none of them.
    pub fn new(current: String, keys: BTreeMap<String, [u8; KEY_BYTES]>) -> Option<Keys> {
        let digests =
            Hmac::<Sha256>::new_from_slice(keys.get(&current)?).ok()?.chain_update(b"postern vault digest 1");
        let keys = keys.into_iter().map(|(id, bytes)| Some((id, key(&bytes)?))).collect::<Option<_>>()?;
        Some(Keys { current, keys, digests })
    }

    /// The id of the key that encrypts.
    pub fn current(&self) -> &str {
        &self.current
    }

    /// What stands for a text that has a value in it: from a digest without a key, a short value could be guessed.
    pub fn digest(&self, text: &str) -> [u8; 32] {
        self.digests.clone().chain_update(text).finalize().into_bytes().into()
    }

    /// Encrypts the value of a secret.
    pub fn seal(&self, of: (&str, &str), value: &str) -> Result<Sealed, SealError> {
        let wrapping = self.keys.get(&self.current).ok_or(SealError::NotSealed)?;
        let mut own = [0; KEY_BYTES];
        getrandom::fill(&mut own).map_err(|_| SealError::NotSealed)?;
        let sealing = key(&own).ok_or(SealError::NotSealed)?;
        let sealed = Sealed {
            key_id: self.current.clone(),
            key: seal(wrapping, &about(b"key", of), &own).ok_or(SealError::NotSealed)?,
            value: seal(&sealing, &about(b"value", of), value.as_bytes()).ok_or(SealError::NotSealed)?,
        };
        own.fill(0);
        Ok(sealed)
    }

    /// The value of a secret.
    pub fn open(&self, of: (&str, &str), sealed: &Sealed) -> Result<String, SealError> {
        let id = &sealed.key_id;
        let wrapping = self.keys.get(id).ok_or_else(|| SealError::UnknownKey(id.clone()))?;
        let damaged = || SealError::Damaged(id.clone());
        let own = open(wrapping, &about(b"key", of), &sealed.key).ok_or_else(damaged)?;
        let opening = own.try_into().ok().as_ref().and_then(key).ok_or_else(damaged)?;
        let value = open(&opening, &about(b"value", of), &sealed.value).ok_or_else(damaged)?;
        String::from_utf8(value).map_err(|_| damaged())
    }
}

fn key(bytes: &[u8; KEY_BYTES]) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, bytes).ok().map(LessSafeKey::new)
}

/// What an encryption is bound to: no two secrets, and no two parts of one, have the same.
fn about(part: &[u8], (organization, secret): (&str, &str)) -> Vec<u8> {
    let mut about = b"postern vault 1".to_vec();
    for text in [part, organization.as_bytes(), secret.as_bytes()] {
        about.extend((text.len() as u64).to_be_bytes());
        about.extend(text);
    }
    about
}

/// A fresh nonce, and after it what was encrypted with its tag.
fn seal(key: &LessSafeKey, about: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
    let mut nonce = [0; NONCE_LEN];
    getrandom::fill(&mut nonce).ok()?;
    let mut sealed = plain.to_vec();
    let bound = Nonce::assume_unique_for_key(nonce);
    key.seal_in_place_append_tag(bound, Aad::from(about), &mut sealed).ok()?;
    Some([&nonce[..], &sealed].concat())
}

fn open(key: &LessSafeKey, about: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
    let mut opened = sealed.to_vec();
    let bound = Nonce::assume_unique_for_key(*nonce);
    let length = key.open_in_place(bound, Aad::from(about), &mut opened).ok()?.len();
    opened.truncate(length);
    Some(opened)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(current: &str, ids: &[(&str, u8)]) -> Keys {
        let keys = ids.iter().map(|(id, byte)| ((*id).to_owned(), [*byte; KEY_BYTES])).collect();
        Keys::new(current.to_owned(), keys).unwrap()
    }

    #[test]
    fn a_value_opens_for_its_secret_and_with_its_key_only() {
        let old = keys("a", &[("a", 1)]);
        let of = ("acme", "k1");
        let sealed = old.seal(of, "hunter2").unwrap();
        assert_eq!(old.open(of, &sealed).unwrap(), "hunter2");
        assert_ne!(old.seal(of, "hunter2").unwrap(), sealed, "never the same twice");
        for text in [&sealed.key, &sealed.value] {
            assert!(!text.windows(4).any(|part| part == b"hunt"));
        }
        for other in [("acme", "k2"), ("acm", "ek1"), ("other", "k1"), ("", "acmek1")] {
            assert_eq!(old.open(other, &sealed), Err(SealError::Damaged("a".to_owned())));
        }
        // After a rotation both open; with another key of the same name nothing does.
        let both = keys("b", &[("a", 1), ("b", 2)]);
        assert_eq!(both.open(of, &sealed).unwrap(), "hunter2");
        assert_eq!(both.seal(of, "x").unwrap().key_id, "b");
        assert_eq!(old.open(of, &both.seal(of, "x").unwrap()), Err(SealError::UnknownKey("b".to_owned())));
        assert_eq!(keys("a", &[("a", 3)]).open(of, &sealed), Err(SealError::Damaged("a".to_owned())));
        assert_eq!(old.digest("x"), keys("a", &[("a", 1)]).digest("x"));
        assert_ne!(old.digest("x"), both.digest("x"));
        assert!(Keys::new("c".to_owned(), BTreeMap::new()).is_none());
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let keys = keys("a", &[("a", 1)]);
        let of = ("acme", "k1");
        let sealed = keys.seal(of, "s").unwrap();
        for part in 0..2 {
            let length = if part == 0 { sealed.key.len() } else { sealed.value.len() };
            for place in 0..length * 8 {
                let mut changed = sealed.clone();
                let bytes = if part == 0 { &mut changed.key } else { &mut changed.value };
                bytes[place / 8] ^= 1 << (place % 8);
                assert!(keys.open(of, &changed).is_err());
                let bytes = if part == 0 { &mut changed.key } else { &mut changed.value };
                bytes.truncate(place / 8);
                assert!(keys.open(of, &changed).is_err());
            }
        }
    }
}
