//! The keys that an issuer publishes: a JWK Set (RFC 7517), and what verifies with them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::Value;

/// LIMIT: keys of one issuer.
const KEYS_MAX: usize = 100;

/// How a token may be signed: by algorithms with a public key only (RFC 7518, 8037).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[allow(missing_docs, reason = "they are called what the RFCs call them")]
pub enum Algorithm {
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    EdDSA,
}

impl Algorithm {
    /// All that are verified.
    pub const ALL: [Algorithm; 9] = {
        use Algorithm::*;
        [RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA]
    };

    /// By the name in a header.
    pub(crate) fn named(name: &str) -> Option<Algorithm> {
        Algorithm::ALL.into_iter().find(|algorithm| format!("{algorithm:?}") == name)
    }

    fn rsa(self) -> Option<&'static signature::RsaParameters> {
        Some(match self {
            Algorithm::RS256 => &signature::RSA_PKCS1_2048_8192_SHA256,
            Algorithm::RS384 => &signature::RSA_PKCS1_2048_8192_SHA384,
            Algorithm::RS512 => &signature::RSA_PKCS1_2048_8192_SHA512,
            Algorithm::PS256 => &signature::RSA_PSS_2048_8192_SHA256,
            Algorithm::PS384 => &signature::RSA_PSS_2048_8192_SHA384,
            Algorithm::PS512 => &signature::RSA_PSS_2048_8192_SHA512,
            Algorithm::ES256 | Algorithm::ES384 | Algorithm::EdDSA => return None,
        })
    }
}

/// A public key.
#[derive(Debug)]
pub(crate) struct Key {
    /// Its `kid`.
    pub(crate) id: Option<String>,
    /// What it may verify.
    fits: Vec<Algorithm>,
    public: Public,
}

#[derive(Debug)]
enum Public {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

impl Key {
    /// Whether it is for this algorithm: by its type, and by what is said of it.
    pub(crate) fn fits(&self, algorithm: Algorithm) -> bool {
        self.fits.contains(&algorithm)
    }

    /// Whether the signature is the key's.
    pub(crate) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let by = |with: &'static dyn signature::VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(with, key).verify(message, signature).is_ok()
        };
        match (&self.public, algorithm) {
            _ if !self.fits(algorithm) => false,
            (Public::Rsa { n, e }, _) => algorithm
                .rsa()
                .is_some_and(|with| RsaPublicKeyComponents { n, e }.verify(with, message, signature).is_ok()),
            (Public::P256(point), Algorithm::ES256) => by(&signature::ECDSA_P256_SHA256_FIXED, point),
            (Public::P384(point), Algorithm::ES384) => by(&signature::ECDSA_P384_SHA384_FIXED, point),
            (Public::Ed25519(key), Algorithm::EdDSA) => by(&signature::ED25519, key),
            _ => false,
        }
    }

    /// A key of a set; `None` where it is none that verifies signatures of a kind that is known.
    fn read(jwk: &Value) -> Option<Key> {
        let text = |name: &str| jwk[name].as_str();
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
        // A number without the zeros before it.
        let number = |name: &str| {
            let bytes = bytes(name)?;
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            Some(bytes[zeros..].to_vec()).filter(|bytes| !bytes.is_empty())
        };
        let point = |length: usize| {
            let (x, y) = (bytes("x")?, bytes("y")?);
            (x.len() == length && y.len() == length).then(|| [&[4][..], &x, &y].concat())
        };
        let for_verifying = jwk["use"].is_null() || text("use") == Some("sig");
        let operations = jwk["key_ops"].as_array();
        let may_verify = operations.is_none_or(|operations| operations.iter().any(|one| one == "verify"));
        if !for_verifying || !may_verify {
            return None;
        }
        let (public, fitting): (Public, &[Algorithm]) = match (text("kty")?, text("crv")) {
            ("RSA", _) => (Public::Rsa { n: number("n")?, e: number("e")? }, &Algorithm::ALL[..6]),
            ("EC", Some("P-256")) => (Public::P256(point(32)?), &[Algorithm::ES256]),
            ("EC", Some("P-384")) => (Public::P384(point(48)?), &[Algorithm::ES384]),
            ("OKP", Some("Ed25519")) => {
                (Public::Ed25519(bytes("x").filter(|x| x.len() == 32)?), &[Algorithm::EdDSA])
            }
            _ => return None,
        };
        let said = match &jwk["alg"] {
            Value::Null => None,
            // What it is said to be for, and nothing else: also where that is none of ours.
            alg => Some(alg.as_str().and_then(Algorithm::named)),
        };
        let fits: Vec<Algorithm> =
            fitting.iter().copied().filter(|one| said.is_none_or(|said| said == Some(*one))).collect();
        (!fits.is_empty()).then(|| Key { id: text("kid").map(str::to_owned), fits, public })
    }
}

/// The keys of a set that verify signatures. Others (for encryption, of other curves) are passed over.
///
/// # Errors
/// It is no JWK Set, has too many keys, or none of use.
pub(crate) fn read_set(text: &str) -> Result<Vec<Key>, &'static str> {
    let set: Value = serde_json::from_str(text).map_err(|_| "it is no JSON")?;
    let keys = set["keys"].as_array().ok_or("it has no `keys`")?;
    if keys.len() > KEYS_MAX {
        return Err("it has more than 100 keys");
    }
    let keys: Vec<Key> = keys.iter().filter_map(Key::read).collect();
    if keys.is_empty() {
        Err("none of its keys verifies signatures of a kind that is known")
    } else {
        Ok(keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    // RFC 7515, appendix A.2 and A.3; RFC 8037, appendix A.
    const RSA: &str = r#"{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}"#;
    const RSA_MESSAGE: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    const RSA_SIGNATURE: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    const P256: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
    const P256_MESSAGE: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    const P256_SIGNATURE: &str =
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    const ED: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    const ED_MESSAGE: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    const ED_SIGNATURE: &str =
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

    fn key(text: &str) -> Key {
        Key::read(&serde_json::from_str(text).unwrap()).unwrap()
    }

    #[test]
    fn signatures_of_the_standards_are_verified_and_others_are_not() {
        for (jwk, algorithm, message, signature) in [
            (RSA, Algorithm::RS256, RSA_MESSAGE, RSA_SIGNATURE),
            (P256, Algorithm::ES256, P256_MESSAGE, P256_SIGNATURE),
            (ED, Algorithm::EdDSA, ED_MESSAGE, ED_SIGNATURE),
        ] {
            let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
            let key = key(jwk);
            assert!(key.verifies(algorithm, message.as_bytes(), &signature), "{algorithm:?}");
            assert!(!key.verifies(algorithm, &message.as_bytes()[1..], &signature), "{algorithm:?}");
            let mut other = signature.clone();
            other[7] ^= 1;
            assert!(!key.verifies(algorithm, message.as_bytes(), &other), "{algorithm:?}");
            assert!(!key.verifies(algorithm, message.as_bytes(), &[]), "{algorithm:?}");
            // No algorithm but those of the key's type.
            for another in Algorithm::ALL.into_iter().filter(|another| *another != algorithm) {
                assert!(
                    !key.verifies(another, message.as_bytes(), &signature),
                    "{algorithm:?} as {another:?}"
                );
            }
        }
    }

    #[test]
    fn a_key_is_used_for_what_it_is_said_to_be_for() {
        let with = |name: &str, value: Value| {
            let mut jwk: Value = serde_json::from_str(RSA).unwrap();
            jwk[name] = value;
            Key::read(&jwk)
        };
        let only = with("alg", json!("PS256")).unwrap();
        assert!(only.fits(Algorithm::PS256) && !only.fits(Algorithm::RS256));
        assert!(with("use", json!("sig")).is_some());
        assert!(with("key_ops", json!(["verify"])).is_some());
        for (name, value) in [
            ("use", json!("enc")),
            ("key_ops", json!(["encrypt"])),
            ("alg", json!("HS256")),
            ("alg", json!("ES256")),
            ("alg", json!(7)),
            ("kty", json!("oct")),
            ("n", json!("")),
            ("e", json!("AA")),
        ] {
            assert!(with(name, value.clone()).is_none(), "{name} {value}");
        }
    }

    #[test]
    fn a_set_is_read_without_what_is_not_of_use() {
        let strange = json!({"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"});
        let set = json!({"keys": [strange, serde_json::from_str::<Value>(ED).unwrap(), 7]});
        assert_eq!(read_set(&set.to_string()).unwrap().len(), 1);
        for bad in ["", "7", "{}", "{\"keys\": 7}", "{\"keys\": []}", "{\"keys\": [7]}"] {
            assert!(read_set(bad).is_err(), "{bad}");
        }
        let many = json!({"keys": vec![strange; 101]});
        assert!(read_set(&many.to_string()).is_err());
    }
}
