//! What a token says, and whether that is for us. Everything but the signature is decided here.

use crate::issuers::Refused;
use crate::keys::Algorithm;
use crate::settings::IssuerSettings;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// LIMIT: bytes of a token.
pub(crate) const TOKEN_BYTES_MAX: usize = 16 * 1024;
/// How far the issuer's clock may be ahead of ours. Its end has no leeway: streams end at that moment.
const SKEW_SECONDS: f64 = 60.0;
/// A lost token is good for no longer than this.
const LIFE_SECONDS_MAX: f64 = 24.0 * 60.0 * 60.0;

/// A token taken apart. Nothing is verified.
pub(crate) struct Token<'t> {
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: Option<String>,
    typ: Option<String>,
    claims: Map<String, Value>,
    /// What is signed.
    pub(crate) message: &'t [u8],
    pub(crate) signature: Vec<u8>,
}

impl<'t> Token<'t> {
    pub(crate) fn read(text: &'t str) -> Result<Self, Refused> {
        if text.len() > TOKEN_BYTES_MAX {
            return Err(Refused::Invalid("it is longer than 16 KiB"));
        }
        let parts: Vec<&str> = text.split('.').collect();
        let [header, claims, signature] = parts[..] else {
            return Err(Refused::Invalid("it has not three parts"));
        };
        let object = |part: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
            serde_json::from_slice::<Unique>(&bytes).ok().map(|unique| unique.0)
        };
        let signed = &text.as_bytes()[..header.len() + 1 + claims.len()];
        let header = object(header).ok_or(Refused::Invalid("its header is no JSON object"))?;
        let claims = object(claims).ok_or(Refused::Invalid("its claims are no JSON object"))?;
        let signature = URL_SAFE_NO_PAD
            .decode(signature)
            .map_err(|_| Refused::Invalid("its signature is no base64url"))?;
        // Where keys are is never for the token to say (`jku`, `jwk`, `x5u`, `x5c`): none of these is looked at.
        if header.contains_key("crit") {
            return Err(Refused::Invalid("a critical header is none that is understood"));
        }
        let text_of = |name: &str| match header.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(Refused::Invalid("a member of its header is no text")),
        };
        let algorithm = text_of("alg")?.as_deref().and_then(Algorithm::named);
        Ok(Token {
            algorithm: algorithm.ok_or(Refused::Invalid("its algorithm is none that is verified"))?,
            key_id: text_of("kid")?,
            typ: text_of("typ")?,
            claims,
            message: signed,
            signature,
        })
    }

    /// A claim that is a text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name)?.as_str()
    }

    /// Whether its header and claims are those of an access token of this issuer for us. `now`: microseconds since 1970.
    /// Gives its end, as microseconds too, which may be over.
    pub(crate) fn check(&self, issuer: &IssuerSettings, now: i64) -> Result<i64, Refused> {
        if !issuer.algorithms.contains(&self.algorithm) {
            return Err(Refused::Invalid("its algorithm is not allowed for its issuer"));
        }
        let typ = self.typ.as_deref().map(|typ| {
            let typ = typ.to_ascii_lowercase();
            typ.strip_prefix("application/").unwrap_or(&typ).to_owned()
        });
        match typ.as_deref() {
            Some("at+jwt") => {}
            None | Some("jwt") if !issuer.require_at_jwt => {
                // RFC 9068 came late; what many issuers call `JWT` is told from an ID token by what only these have.
                if ["nonce", "at_hash", "c_hash"].iter().any(|name| self.claims.contains_key(*name)) {
                    return Err(Refused::Invalid("it is an ID token"));
                }
            }
            _ => return Err(Refused::Invalid("its type is not that of an access token")),
        }
        if self.text("iss") != Some(issuer.issuer.as_str()) {
            return Err(Refused::Invalid("its issuer is another"));
        }
        let wanted = issuer.audience.all();
        let for_us =
            |audience: &Value| audience.as_str().is_some_and(|one| wanted.iter().any(|own| own == one));
        let audience_good = match self.claims.get("aud") {
            Some(Value::Array(all)) => all.iter().all(Value::is_string) && all.iter().any(for_us),
            Some(one) => for_us(one),
            None => false,
        };
        if !audience_good {
            return Err(Refused::Invalid("it is for another audience"));
        }
        if self.text("sub").is_none_or(str::is_empty) {
            return Err(Refused::Invalid("it has no subject"));
        }
        if self.claims.contains_key("cnf") {
            return Err(Refused::Invalid("it is bound to a key, whose proof is not taken"));
        }
        self.end(now)
    }

    fn end(&self, now: i64) -> Result<i64, Refused> {
        let second = |name: &str| match self.claims.get(name) {
            None => Ok(None),
            Some(Value::Number(number)) => Ok(number.as_f64().filter(|second| second.is_finite())),
            Some(_) => Err(Refused::Invalid("a time is no number")),
        };
        let seconds_now = now as f64 / 1e6;
        let exp = second("exp")?.ok_or(Refused::Invalid("it has no end"))?;
        for name in ["nbf", "iat"] {
            if second(name)?.is_some_and(|second| second > seconds_now + SKEW_SECONDS) {
                return Err(Refused::Invalid("it is not good yet"));
            }
        }
        if exp - second("iat")?.unwrap_or(seconds_now) > LIFE_SECONDS_MAX {
            return Err(Refused::Invalid("it is good for more than 24 hours"));
        }
        // Numbers of this size are exact to the microsecond, and what is larger was refused as too long.
        Ok((exp * 1e6) as i64)
    }
}

/// A JSON object none of whose members is there twice: nobody reads another one than we do.
struct Unique(Map<String, Value>);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Unique;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Unique, A::Error> {
                let mut members = Map::new();
                while let Some((name, value)) = access.next_entry::<String, Value>()? {
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom("a member is there twice"));
                    }
                }
                Ok(Unique(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}
