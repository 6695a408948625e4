//! Subject tokens: short-lived signed statements of who asks. A JWT, signed with a secret of the subject's organization.
//!
//! ```text
//! header  {"alg":"HS256","typ":"postern-subject+jwt","kid":"<id of the signing key>"}
//! claims  {"iss":"postern","aud":"postern-gateway","organization":"…","sub":"user:7f…","iat":…,"exp":…}
//! ```
//! The algorithm is ours to choose, never the token's; the key decides the organization, and the claim must agree.

use crate::store::credentials::SigningKey;
use hmac::{Hmac, Mac};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use postern_vocab::{is_reserved_id, split_subject};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use signature::{Signer, Verifier};
use std::time::Duration;
use uuid::Uuid;

/// Who issues tokens.
pub const ISSUER: &str = "postern";
/// For whom they are.
pub const AUDIENCE: &str = "postern-gateway";
/// Keeps tokens of other uses of the same secret out.
pub const TYPE: &str = "postern-subject+jwt";
/// A longer one is nobody's token.
pub const TOKEN_BYTES_MAX: usize = 16 * 1024;
/// A lost token is good for no longer than this.
pub const TTL_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// How far the issuer's clock may be ahead of ours, in seconds. Expiry has no leeway: a stream ends at that second.
const CLOCK_SKEW_SECONDS: i64 = 60;

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// [`ISSUER`]
    pub iss: String,
    /// [`AUDIENCE`]
    pub aud: String,
    /// Whose facts it is about.
    pub organization: String,
    /// Who asks: `<type>:<id>`.
    pub sub: String,
    /// Issued at, in seconds since 1970.
    pub iat: i64,
    /// Good until, in seconds since 1970.
    pub exp: i64,
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// It was good once.
    Expired,
    /// It was never good here.
    Invalid,
}

/// Whether a subject may be named in a token: an id that can ask.
pub fn valid_subject(subject: &str) -> bool {
    split_subject(subject).is_some_and(|(_, id)| !is_reserved_id(id))
        && subject.len() <= postern_vocab::limits::TEXT_BYTES_MAX
}

/// Issues a token. `now` in seconds since 1970.
pub fn issue(key: &SigningKey, subject: &str, now: i64, ttl: Duration) -> Result<String, Error> {
    let claims = Claims {
        iss: ISSUER.to_owned(),
        aud: AUDIENCE.to_owned(),
        organization: key.organization.clone(),
        sub: subject.to_owned(),
        iat: now,
        exp: now.saturating_add_unsigned(ttl.as_secs()),
    };
    sign(key, &claims)
}

/// Signs claims as they are.
pub fn sign(key: &SigningKey, claims: &Claims) -> Result<String, Error> {
    use_hmac_only();
    let mut header = Header::new(Algorithm::HS256);
    header.typ = Some(TYPE.to_owned());
    header.kid = Some(key.id.to_string());
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(&key.secret))
}

/// The id of the key that a token says it is signed with. Nothing is verified yet.
pub fn key_id(token: &str) -> Result<Uuid, TokenError> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(TokenError::Invalid);
    }
    let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Invalid)?;
    if header.alg != Algorithm::HS256 || header.typ.as_deref() != Some(TYPE) {
        return Err(TokenError::Invalid);
    }
    header.kid.and_then(|kid| kid.parse().ok()).ok_or(TokenError::Invalid)
}

/// Verifies a token with the key that [`key_id`] named. `now` in seconds since 1970.
pub fn verify(key: &SigningKey, token: &str, now: i64) -> Result<Claims, TokenError> {
    use_hmac_only();
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    // Checked below, against the time that the caller gives.
    validation.validate_exp = false;
    let decoded = jsonwebtoken::decode::<Claims>(token, &DecodingKey::from_secret(&key.secret), &validation)
        .map_err(|_| TokenError::Invalid)?;
    let claims = decoded.claims;
    let good = claims.organization == key.organization
        && valid_subject(&claims.sub)
        && claims.iat <= now.saturating_add(CLOCK_SKEW_SECONDS)
        && claims.exp.checked_sub(claims.iat).is_some_and(|life| life <= TTL_MAX.as_secs() as i64);
    match (good, now < claims.exp) {
        (false, _) => Err(TokenError::Invalid),
        (true, false) => Err(TokenError::Expired),
        (true, true) => Ok(claims),
    }
}

/// The only cryptography that the JWT crate gets: there is no way to make it accept another algorithm.
static HMAC_ONLY: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| match algorithm {
        Algorithm::HS256 => Ok(Box::new(Key::new(key.as_bytes())?)),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    },
    verifier_factory: |algorithm, key| match algorithm {
        Algorithm::HS256 => Ok(Box::new(Key::new(key.try_get_as_bytes()?)?)),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    },
    key_utils: KeyUtils::new_unimplemented(),
};

/// The crate's choice is one per process; a second call finds it made.
fn use_hmac_only() {
    let _ = HMAC_ONLY.install_default();
}

struct Key(Hmac<Sha256>);

impl Key {
    fn new(secret: &[u8]) -> Result<Self, Error> {
        Hmac::new_from_slice(secret).map(Key).map_err(|_| ErrorKind::InvalidKeyFormat.into())
    }
}

impl Signer<Vec<u8>> for Key {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(self.0.clone().chain_update(message).finalize().into_bytes().to_vec())
    }
}

impl Verifier<Vec<u8>> for Key {
    fn verify(&self, message: &[u8], tag: &Vec<u8>) -> Result<(), signature::Error> {
        // Compares in constant time.
        self.0.clone().chain_update(message).verify_slice(tag).map_err(|_| signature::Error::new())
    }
}

impl JwtSigner for Key {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl JwtVerifier for Key {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SigningKey {
        SigningKey { id: Uuid::from_u128(7), organization: "acme".to_owned(), secret: vec![9; 32] }
    }

    const NOW: i64 = 1_800_000_000;
    const TTL: Duration = Duration::from_secs(60);

    #[test]
    fn a_token_is_good_until_its_second() {
        let token = issue(&key(), "user:ann", NOW, TTL).unwrap();
        assert_eq!(key_id(&token), Ok(key().id));
        let claims = verify(&key(), &token, NOW + 59).unwrap();
        assert_eq!((claims.organization.as_str(), claims.sub.as_str()), ("acme", "user:ann"));
        assert_eq!(verify(&key(), &token, NOW + 60), Err(TokenError::Expired));
    }

    #[test]
    fn a_secret_signs_for_its_own_organization_only() {
        let other = SigningKey { organization: "other".to_owned(), ..key() };
        let token = issue(&other, "user:ann", NOW, TTL).unwrap();
        assert_eq!(verify(&key(), &token, NOW), Err(TokenError::Invalid));
        let secret = SigningKey { secret: vec![8; 32], ..key() };
        let token = issue(&secret, "user:ann", NOW, TTL).unwrap();
        assert_eq!(verify(&key(), &token, NOW), Err(TokenError::Invalid));
    }

    #[test]
    fn claims_that_are_not_ours_are_refused() {
        let good = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            organization: "acme".to_owned(),
            sub: "user:ann".to_owned(),
            iat: NOW,
            exp: NOW + 60,
        };
        assert!(verify(&key(), &sign(&key(), &good).unwrap(), NOW).is_ok());
        let bad = [
            Claims { iss: "elsewhere".to_owned(), ..good.clone() },
            Claims { aud: "elsewhere".to_owned(), ..good.clone() },
            Claims { sub: "ann".to_owned(), ..good.clone() },
            Claims { sub: "user:all".to_owned(), ..good.clone() },
            Claims { sub: "user:*".to_owned(), ..good.clone() },
            Claims { iat: NOW + 61, exp: NOW + 90, ..good.clone() },
            Claims { exp: NOW + 24 * 60 * 60 + 1, ..good.clone() },
        ];
        for claims in bad {
            let token = sign(&key(), &claims).unwrap();
            assert_eq!(verify(&key(), &token, NOW), Err(TokenError::Invalid), "{claims:?}");
        }
    }

    #[test]
    fn a_token_cannot_choose_its_algorithm() {
        use base64::Engine;
        let base64 = base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let token = issue(&key(), "user:ann", NOW, TTL).unwrap();
        let payload = token.split('.').nth(1).unwrap();
        let kid = key().id;
        for header in [
            format!(r#"{{"alg":"none","typ":"{TYPE}","kid":"{kid}"}}"#),
            format!(r#"{{"alg":"HS512","typ":"{TYPE}","kid":"{kid}"}}"#),
            format!(r#"{{"alg":"HS256","typ":"JWT","kid":"{kid}"}}"#),
            format!(r#"{{"alg":"HS256","typ":"{TYPE}"}}"#),
            format!(r#"{{"alg":"HS256","typ":"{TYPE}","kid":"mine"}}"#),
        ] {
            let forged = format!("{}.{payload}.", base64.encode(&header));
            assert_eq!(key_id(&forged), Err(TokenError::Invalid), "{header}");
            assert_eq!(verify(&key(), &forged, NOW), Err(TokenError::Invalid), "{header}");
        }
        assert_eq!(key_id(&"a".repeat(TOKEN_BYTES_MAX + 1)), Err(TokenError::Invalid));
        assert_eq!(key_id("no token"), Err(TokenError::Invalid));
    }

    #[test]
    fn a_changed_token_is_refused() {
        let token = issue(&key(), "user:ann", NOW, TTL).unwrap();
        let other = issue(&key(), "user:bob", NOW, TTL).unwrap();
        let parts: Vec<&str> = token.split('.').collect();
        let others: Vec<&str> = other.split('.').collect();
        let mixed = format!("{}.{}.{}", parts[0], others[1], parts[2]);
        assert_eq!(verify(&key(), &mixed, NOW), Err(TokenError::Invalid));
    }
}
