//! Pages of results (section 8.2). A token says where the page before ended and what was asked for, so that any gateway
//! can go on; it is no secret and is not trusted: a forged one leads to another page of what the caller may see anyway.

use crate::entity::{Parts, object};
use crate::{BadRequest, PAGE_MAX};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const VERSION: u8 = 1;
const HEAD_BYTES: usize = 1 + 4 + 16;

#[derive(Deserialize)]
struct RawPage {
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    limit: Option<u64>,
}

/// Which part of the results was asked for.
pub(crate) struct Page {
    limit: Option<u32>,
    /// The last result of the page before.
    after: Option<String>,
    /// Of the question, whichever page of it.
    digest: [u8; 16],
}

impl Page {
    /// `None` where no page was asked for: everything is.
    pub fn read(raw: Option<&RawValue>, search: &str, parts: &Parts<'_>) -> Result<Option<Self>, BadRequest> {
        let Some(raw) = raw else { return Ok(None) };
        let raw: RawPage = object(raw.get(), "page")?;
        let limit = raw.limit.map(|limit| limit.min(PAGE_MAX as u64) as u32);
        let digest = digest(search, parts);
        let Some(token) = raw.token.filter(|token| !token.is_empty()) else {
            return Ok(Some(Page { limit, after: None, digest }));
        };
        let refused = |what: &str| BadRequest::new("page.token", what);
        let bytes = URL_SAFE_NO_PAD.decode(token).ok().filter(|bytes| bytes.first() == Some(&VERSION));
        let (head, after) = bytes
            .as_deref()
            .and_then(|bytes| bytes.split_at_checked(HEAD_BYTES))
            .ok_or_else(|| refused("it is none of this service's tokens"))?;
        let (first, asked) = head.split_at(5);
        if asked != digest {
            return Err(refused("it continues another search; send the same entities and context with it"));
        }
        let first: [u8; 4] = first[1..].try_into().unwrap_or_default();
        let first = u32::from_le_bytes(first);
        if limit.is_some_and(|limit| limit != first) {
            return Err(BadRequest::new("page.limit", "it is another than that of the page before"));
        }
        let after = std::str::from_utf8(after).map_err(|_| refused("it is none of this service's tokens"))?;
        Ok(Some(Page { limit: Some(first), after: Some(after.to_owned()), digest }))
    }

    /// The part of sorted results, and what is said about it.
    pub fn cut(&self, results: &mut Vec<String>) -> Value {
        let total = results.len();
        if let Some(after) = &self.after {
            let seen = results.partition_point(|result| result.as_bytes() <= after.as_bytes());
            results.drain(..seen);
        }
        let mut next = String::new();
        if let Some(limit) = self.limit
            && results.len() > limit as usize
        {
            results.truncate(limit as usize);
            let mut bytes = vec![VERSION];
            bytes.extend(limit.to_le_bytes());
            bytes.extend(self.digest);
            bytes.extend(results.last().or(self.after.as_ref()).map_or(&b""[..], |last| last.as_bytes()));
            next = URL_SAFE_NO_PAD.encode(bytes);
        }
        json!({"next_token": next, "count": results.len(), "total": total})
    }
}

fn digest(search: &str, parts: &Parts<'_>) -> [u8; 16] {
    let canonical = |raw: Option<&RawValue>| -> Value {
        raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
    };
    let asked = json!([
        search,
        canonical(parts.subject),
        canonical(parts.action),
        canonical(parts.resource),
        canonical(parts.context)
    ]);
    let whole: [u8; 32] = Sha256::digest(asked.to_string()).into();
    let mut half = [0; 16];
    half.copy_from_slice(&whole[..16]);
    half
}
