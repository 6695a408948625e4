//! What a write did, and how it is kept for whoever sends the request again.

use super::impact::Impact;
use crate::problem::{Problem, Refusal};
use crate::store::manage::Item;
use serde_json::{Value, json};

/// A request that may come again (`Idempotency-Key`).
#[derive(Clone, Debug)]
pub struct Replay {
    /// The caller's name for it.
    pub key: String,
    /// Of method, path and body.
    pub digest: [u8; 32],
}

/// What a write did.
#[derive(Debug)]
pub struct Written {
    /// The organization's revision after it.
    pub revision: u64,
    /// What was written, as it is now; `None`: it is gone.
    pub item: Option<Item>,
    /// Whether anything was written: a write that finds everything as it should be writes nothing.
    pub changed: bool,
    /// What it would change, where it was only asked.
    pub impact: Option<Impact>,
}

impl Written {
    /// As it is kept for whoever asks again.
    pub(super) fn to_json(&self) -> String {
        let item = self.item.as_ref().map(|item| json!({"id": item.id, "text": item.text}));
        json!({"revision": self.revision.to_string(), "item": item}).to_string()
    }

    pub(super) fn read(text: &str) -> Result<Self, Refusal> {
        let kept: Value = serde_json::from_str(text).unwrap_or_default();
        let revision = kept["revision"].as_str().and_then(|revision| revision.parse().ok());
        let part = |name: &str| kept["item"][name].as_str().map(str::to_owned);
        let item = part("id").zip(part("text")).map(|(id, text)| Item { id, text });
        let revision = revision.ok_or(Problem::INTERNAL)?;
        Ok(Written { revision, item, changed: true, impact: None })
    }
}
