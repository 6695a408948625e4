//! What is sent: bytes with their tag, and the event that carries them.

use super::compile::PublishError;
use super::cutter::Cutter;
use axum::http::HeaderValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use postern_snapshot::{OpenError, Snapshot};
use postern_vocab::QueryError;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// LIMIT: slices of one revision that are kept for the next who asks.
const SLICES_MAX: usize = 4096;

/// One organization at one revision, compiled. Never changes.
pub struct State {
    /// The whole snapshot.
    pub snapshot: Arc<Sendable>,
    cutter: Cutter,
    slices: Mutex<HashMap<String, Arc<Sendable>>>,
}

/// Bytes as they go out: as a body, or in an event.
pub struct Sendable {
    /// The revision that they are of.
    pub revision: u64,
    /// A snapshot or a slice.
    pub bytes: Bytes,
    /// Strong: other bytes have another one.
    pub etag: HeaderValue,
    /// A digest of what they say, which another revision may say too.
    pub facts: [u8; 32],
    event: OnceLock<Bytes>,
}

impl State {
    /// Checks the bytes of a snapshot and makes them ready.
    pub fn new(revision: u64, bytes: Bytes) -> Result<Self, PublishError> {
        let snapshot = Arc::new(Sendable::new(revision, bytes.clone())?);
        Ok(State { snapshot, cutter: Cutter::new(bytes), slices: Mutex::default() })
    }

    /// The revision.
    pub fn revision(&self) -> u64 {
        self.snapshot.revision
    }

    /// The slice of a subject: cut when it is first asked for.
    ///
    /// # Errors
    /// A subject that cannot ask, which a verified token does not name, or a cutter that failed.
    pub async fn slice(&self, subject: &str) -> Result<Arc<Sendable>, CutError> {
        let slices = || self.slices.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slice) = slices().get(subject) {
            return Ok(slice.clone());
        }
        // Not under the lock: two who ask at once cut twice, and wait for nobody.
        let bytes = self.cutter.cut(subject).await.ok_or(CutError::Stopped)??;
        // What was cut opens; if it ever did not, it would not be sent.
        let slice = Arc::new(Sendable::new(self.revision(), bytes).map_err(|_| CutError::Stopped)?);
        let mut slices = slices();
        if slices.len() >= SLICES_MAX {
            slices.clear();
        }
        slices.insert(subject.to_owned(), slice.clone());
        Ok(slice)
    }
}

/// Why there is no slice.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CutError {
    /// The subject cannot ask.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The cutter panicked.
    #[error("the worker that cuts slices stopped")]
    Stopped,
}

impl Sendable {
    fn new(revision: u64, bytes: Bytes) -> Result<Self, OpenError> {
        let facts = Sha256::digest(Snapshot::open(&bytes)?.facts()).into();
        let digest = Sha256::digest(&bytes);
        let hex: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        // Hexadecimal digits and quotes are good in a header.
        let etag = HeaderValue::try_from(format!("\"{hex}\"")).unwrap_or(HeaderValue::from_static("\"\""));
        Ok(Sendable { revision, bytes, etag, facts, event: OnceLock::new() })
    }

    /// The server-sent event, encoded once for all who get it.
    ///
    /// ```text
    /// id: 8
    /// event: state
    /// data: {"revision":8,"etag":"\"0f…\"","bytes":"<base64>"}
    /// ```
    pub fn event(&self) -> Bytes {
        let encode = || {
            let etag = self.etag.to_str().unwrap_or_default().trim_matches('"');
            let mut event = format!(
                "id: {0}\nevent: state\ndata: {{\"revision\":{0},\"etag\":\"\\\"{etag}\\\"\",\"bytes\":\"",
                self.revision
            );
            STANDARD.encode_string(&self.bytes, &mut event);
            event.push_str("\"}\n\n");
            Bytes::from(event)
        };
        self.event.get_or_init(encode).clone()
    }
}
