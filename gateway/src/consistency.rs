//! Consistency tokens: what a caller keeps of an answer, so that a later decision is made on these facts or newer ones,
//! whichever gateway it asks. Opaque for callers.

use axum::http::HeaderValue;
use sha2::{Digest, Sha256};

/// The token of a revision: `<revision>.<8 bytes of the organization's SHA-256>`.
pub fn token(organization: &str, revision: u64) -> HeaderValue {
    // Digits and a point are good in a header.
    let token = HeaderValue::try_from(format!("{revision}.{}", mark(organization)));
    token.unwrap_or(HeaderValue::from_static(""))
}

/// The revision of a token. `None`: it is none of this organization's.
pub fn revision(organization: &str, token: &HeaderValue) -> Option<u64> {
    let (revision, of) = token.to_str().ok()?.split_once('.')?;
    // One spelling: no sign, no leading zeros.
    let number: u64 = revision.parse().ok()?;
    (of == mark(organization) && number.to_string() == revision).then_some(number)
}

fn mark(organization: &str) -> String {
    hex::encode(&Sha256::digest(organization)[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_of_its_organization() {
        let value = |text: &str| HeaderValue::from_str(text).unwrap();
        let made = token("acme", 42).to_str().unwrap().to_owned();
        assert_eq!(revision("acme", &value(&made)), Some(42));
        assert_eq!(revision("other", &value(&made)), None);
        for bad in
            ["42", "", "+42.", &made.replace("42", "042"), &made.replace("42", "-1"), &format!("{made}0")]
        {
            assert_eq!(revision("acme", &value(bad)), None, "{bad}");
        }
    }
}
