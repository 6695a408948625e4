//! The keys: one that signs, and the set that verifies.

use crate::Refused;
use crate::statement::{Header, Statement, parts, payload};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// A private key.
pub struct SecretKey {
    key: SigningKey,
    id: String,
}

/// A public key, with its thumbprint (RFC 7638) as its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    id: String,
    key: VerifyingKey,
}

/// The public keys of one authority: a JWK Set (RFC 7517).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeySet(BTreeMap<String, VerifyingKey>);

impl SecretKey {
    /// The key of 32 random bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(seed);
        let id = PublicKey::new(key.verifying_key()).id;
        SecretKey { key, id }
    }

    /// What verifies what it signs.
    pub fn public(&self) -> PublicKey {
        PublicKey { id: self.id.clone(), key: self.key.verifying_key() }
    }

    /// Signs a statement as it is. Costs some tens of microseconds.
    pub fn sign(&self, statement: &Statement) -> String {
        // Neither has anything in it that JSON cannot say.
        let json =
            |value: Result<Vec<u8>, serde_json::Error>| URL_SAFE_NO_PAD.encode(value.unwrap_or_default());
        let header = json(serde_json::to_vec(&Header::new(&self.id)));
        let mut text = format!("{header}.{}", json(serde_json::to_vec(statement)));
        let signature = self.key.sign(text.as_bytes());
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(signature.to_bytes(), &mut text);
        text
    }
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SecretKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl PublicKey {
    fn new(key: VerifyingKey) -> Self {
        let x = URL_SAFE_NO_PAD.encode(key.as_bytes());
        // RFC 7638: the required members in the order of their names, without white space.
        let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
        PublicKey { id: URL_SAFE_NO_PAD.encode(Sha256::digest(canonical)), key }
    }

    /// Its `kid`.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl KeySet {
    /// The set of these keys.
    pub fn of(keys: impl IntoIterator<Item = PublicKey>) -> Self {
        KeySet(keys.into_iter().map(|key| (key.id, key.key)).collect())
    }

    /// Reads a JWK Set. Keys of other kinds and for other uses are left out, as a set may have them (RFC 7517,
    /// section 5); a weak key, which signs everything, as well.
    ///
    /// # Errors
    /// [`Refused::Malformed`] where it is no JWK Set, or none of its keys is one for statements.
    pub fn parse(json: &str) -> Result<Self, Refused> {
        let refused = Refused::Malformed("this is no JWK Set with an Ed25519 key");
        let set: Value = serde_json::from_str(json).map_err(|_| refused)?;
        let keys = set["keys"].as_array().ok_or(refused)?.iter().filter_map(|jwk| {
            let is = |name: &str, value: &str| jwk[name] == value;
            let allowed = |name: &str, values: &[&str]| {
                jwk.get(name).is_none_or(|value| values.iter().any(|allowed| value == allowed))
            };
            if !is("kty", "OKP") || !is("crv", "Ed25519") {
                return None;
            }
            if !allowed("use", &["sig"]) || !allowed("alg", &["EdDSA", "Ed25519"]) {
                return None;
            }
            let x: [u8; 32] = URL_SAFE_NO_PAD.decode(jwk["x"].as_str()?).ok()?.try_into().ok()?;
            let key = PublicKey::new(VerifyingKey::from_bytes(&x).ok().filter(|key| !key.is_weak())?);
            // The authority's name for it; its thumbprint where it has none.
            let id = jwk["kid"].as_str().map_or(key.id, str::to_owned);
            Some((id, key.key))
        });
        let keys: BTreeMap<_, _> = keys.collect();
        if keys.is_empty() { Err(refused) } else { Ok(KeySet(keys)) }
    }

    /// The set as a JWK Set, in the order of the ids.
    pub fn to_json(&self) -> String {
        let keys = self.0.iter().map(|(id, key)| {
            let x = URL_SAFE_NO_PAD.encode(key.as_bytes());
            json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": id, "alg": "EdDSA", "use": "sig"})
        });
        json!({"keys": keys.collect::<Vec<_>>()}).to_string()
    }

    /// Checks 1 to 4. What the statement is about, and whether it is news, is for the caller to check
    /// ([`Statement::is_about`], [`Statement::may_follow`], [`Statement::names`]).
    ///
    /// # Errors
    /// `Malformed`, `UnknownKey`, `BadSignature`
    pub fn verify(&self, text: &str) -> Result<Statement, Refused> {
        let parts = parts(text)?;
        let key = self.0.get(&parts.header.kid).ok_or(Refused::UnknownKey)?;
        let signature = Signature::from_bytes(&parts.signature);
        // Strict: one signature has one form, and a key of small order signs nothing.
        key.verify_strict(parts.signed.as_bytes(), &signature).map_err(|_| Refused::BadSignature)?;
        payload(&parts.payload)
    }
}
