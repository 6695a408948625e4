//! What a statement says, and its text.

use crate::{Refused, STATEMENT_BYTES_MAX};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Keeps tokens of other uses of the same key out.
pub const TYPE: &str = "postern-statement+jwt";

/// SHA-256 of a snapshot or slice, as a statement has it: 64 hexadecimal digits in lower case.
pub fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Which bytes are in force, and when that was known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Whose facts.
    pub organization: String,
    /// Of a slice: whose. `None`: the whole snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Names one history of revisions.
    pub epoch: String,
    /// Of the bytes.
    pub revision: u64,
    /// The newest revision at which the bytes were what the authority says.
    pub as_of: u64,
    /// What [`hash`] gives for the bytes.
    pub hash: String,
    /// When the authority last knew that nothing newer was in force, in seconds since 1970.
    pub iat: i64,
    /// From then on it says nothing about the present, in seconds since 1970.
    pub exp: i64,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Header {
    pub alg: String,
    pub kid: String,
    pub typ: String,
    #[serde(default, skip_serializing)]
    crit: Option<serde_json::Value>,
}

impl Header {
    pub fn new(kid: &str) -> Self {
        Header { alg: "EdDSA".to_owned(), kid: kid.to_owned(), typ: TYPE.to_owned(), crit: None }
    }
}

impl Statement {
    /// Check 5: whether it is about this organization, and this subject's slice or the whole snapshot.
    ///
    /// # Errors
    /// [`Refused::OtherState`]
    pub fn is_about(&self, organization: &str, subject: Option<&str>) -> Result<(), Refused> {
        let same = self.organization == organization && self.subject.as_deref() == subject;
        same.then_some(()).ok_or(Refused::OtherState)
    }

    /// Check 7: whether these are the bytes. Cost: SHA-256 of them.
    ///
    /// # Errors
    /// [`Refused::OtherBytes`]
    pub fn names(&self, bytes: &[u8]) -> Result<(), Refused> {
        (hash(bytes) == self.hash).then_some(()).ok_or(Refused::OtherBytes)
    }

    /// Check 6: whether it may take the place of another one about the same facts.
    ///
    /// # Errors
    /// [`Refused::Older`]
    pub fn may_follow(&self, held: &Statement) -> Result<(), Refused> {
        let newer = if self.epoch == held.epoch {
            self.as_of >= held.as_of && self.revision >= held.revision
        } else {
            self.iat > held.iat
        };
        newer.then_some(()).ok_or(Refused::Older)
    }
}

/// The parts of a statement that is not verified yet.
pub(crate) struct Parts<'a> {
    pub header: Header,
    pub signed: &'a str,
    pub payload: Vec<u8>,
    pub signature: [u8; 64],
}

/// Checks 1 and 2.
pub(crate) fn parts(text: &str) -> Result<Parts<'_>, Refused> {
    if text.len() > STATEMENT_BYTES_MAX {
        return Err(Refused::Malformed("it is longer than 16 KiB"));
    }
    let parts = text.rsplit_once('.').and_then(|(signed, signature)| {
        let (header, payload) = signed.split_once('.')?;
        (!payload.contains('.')).then_some((signed, header, payload, signature))
    });
    let (signed, header, payload, signature) = parts.ok_or(Refused::Malformed("it has not three parts"))?;
    let decode = |part: &str| {
        URL_SAFE_NO_PAD
            .decode(part)
            .map_err(|_| Refused::Malformed("a part is not base64url without padding"))
    };
    let header: Header = object(&decode(header)?)?;
    if header.typ != TYPE {
        return Err(Refused::Malformed("its `typ` is not `postern-statement+jwt`"));
    }
    // RFC 9864 names the algorithm of RFC 8037 anew.
    if !matches!(header.alg.as_str(), "EdDSA" | "Ed25519") {
        return Err(Refused::Malformed("its `alg` is neither `EdDSA` nor `Ed25519`"));
    }
    if header.crit.is_some() {
        return Err(Refused::Malformed("it has a `crit`"));
    }
    let signature = decode(signature)?.try_into();
    let signature = signature.map_err(|_| Refused::Malformed("its signature has not 64 bytes"))?;
    Ok(Parts { header, signed, payload: decode(payload)?, signature })
}

/// The payload, once the signature is right.
pub(crate) fn payload(bytes: &[u8]) -> Result<Statement, Refused> {
    let statement: Statement = object(bytes)?;
    let hexadecimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if statement.hash.len() != 64 || !statement.hash.bytes().all(hexadecimal) {
        return Err(Refused::Malformed("its `hash` is not 64 hexadecimal digits in lower case"));
    }
    if statement.as_of < statement.revision {
        return Err(Refused::Malformed("its `as_of` is less than its `revision`"));
    }
    Ok(statement)
}

/// A JSON object: a list of the members in their order is none.
fn object<T: serde::de::DeserializeOwned>(json: &[u8]) -> Result<T, Refused> {
    let refused = Refused::Malformed("a part is not a JSON object with the members of a statement");
    match json.trim_ascii_start().first() {
        Some(b'{') => serde_json::from_slice(json).map_err(|_| refused),
        _ => Err(refused),
    }
}
