//! What is sent: bytes with their tag, and the event that carries them.

use super::compile::PublishError;
use crate::consistency;
use crate::statements::Named;
use axum::http::HeaderValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use postern_snapshot::{Opened, Prints, Snapshot, slice};
use postern_vocab::QueryError;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::hash::RandomState;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{OnceCell, Semaphore};

/// LIMIT: bytes of slices of one revision that are kept for the next who asks.
const SLICES_BYTES: usize = 8 * 1024 * 1024;

/// Up to so many bytes are encoded wherever they are wanted.
const AT_ONCE_BYTES: usize = 4 * 1024 * 1024;

/// Up to so many rows that a cut passes over, another thread would take longer to be woken than to cut.
const CUT_HERE_ROWS: u32 = 2048;

/// Fingerprints are compared within this process only.
static PRINT_KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// One organization at one revision, compiled. Never changes.
pub struct State {
    /// The whole snapshot.
    pub snapshot: Arc<Sendable>,
    /// What a later decision may ask to be as new as.
    pub consistency_token: HeaderValue,
    epoch: String,
    opened: Arc<Opened<Bytes>>,
    // One slice after the other: whoever follows asks in the moment of a new revision, and everyone else waits as well.
    turn: Semaphore,
    slices: Mutex<Slices>,
    prints: OnceCell<Prints>,
}

#[derive(Default)]
struct Slices {
    by_subject: HashMap<String, Arc<Sendable>>,
    bytes: usize,
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
    /// The hash of the catalog, for those who were made for one. Not signed: it only tells, and nothing is decided by it.
    pub catalog: HeaderValue,
    digest: [u8; 32],
    event: OnceLock<Bytes>,
    // The last statement that was made of it, and of which second.
    statement: Mutex<Option<(i64, HeaderValue)>>,
}

impl State {
    /// Checks the bytes of a snapshot and makes them ready. `epoch`: the history that the revision belongs to.
    pub fn new(revision: u64, epoch: String, bytes: Bytes) -> Result<Self, PublishError> {
        let opened = Arc::new(Opened::new(bytes.clone())?);
        // Hexadecimal digits are good in a header.
        let catalog = HeaderValue::try_from(opened.snapshot().catalog_hash());
        let catalog = catalog.unwrap_or(HeaderValue::from_static(""));
        let snapshot = Arc::new(Sendable::new(revision, bytes, &opened.snapshot(), catalog));
        let consistency_token = consistency::token(opened.snapshot().organization(), revision);
        Ok(State {
            snapshot,
            consistency_token,
            epoch,
            opened,
            turn: Semaphore::new(1),
            slices: Mutex::default(),
            prints: OnceCell::new(),
        })
    }

    /// The snapshot, to decide on.
    pub fn view(&self) -> Snapshot<'_> {
        self.opened.snapshot()
    }

    /// The revision.
    pub fn revision(&self) -> u64 {
        self.snapshot.revision
    }

    /// The history that the revision belongs to.
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// The slice of a subject: cut when it is first asked for.
    ///
    /// # Errors
    /// A subject that cannot ask, which a verified token does not name, or a failure of ours.
    pub async fn slice(&self, subject: &str) -> Result<Arc<Sendable>, CutError> {
        let slices = || self.slices.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slice) = slices().by_subject.get(subject) {
            return Ok(slice.clone());
        }
        let _turn = self.turn.acquire().await.map_err(|_| CutError::Stopped)?;
        if let Some(slice) = slices().by_subject.get(subject) {
            return Ok(slice.clone());
        }
        let (opened, asked, revision) = (self.opened.clone(), subject.to_owned(), self.revision());
        // A slice has the whole catalog.
        let catalog = self.snapshot.catalog.clone();
        let cut = move || {
            let bytes = Bytes::from(slice(&opened.snapshot(), &asked)?.to_bytes());
            // What was cut opens; if it ever did not, it would not be sent.
            let opened = Snapshot::open(&bytes).map_err(|_| CutError::Stopped)?;
            Ok::<_, CutError>(Sendable::new(revision, bytes.clone(), &opened, catalog))
        };
        let counts = self.view().counts();
        let slice = Arc::new(match counts.resources + counts.aliases <= CUT_HERE_ROWS {
            true => cut()?,
            false => tokio::task::spawn_blocking(cut).await.map_err(|_| CutError::Stopped)??,
        });
        let mut slices = slices();
        if slices.bytes + slice.bytes.len() > SLICES_BYTES {
            *slices = Slices::default();
        }
        slices.bytes += slice.bytes.len();
        slices.by_subject.insert(subject.to_owned(), slice.clone());
        Ok(slice)
    }

    /// The fingerprints of all slices, taken at once; those of two states of this process can be compared.
    pub fn fingerprints(&self) -> Prints {
        Prints::of(&self.view(), &PRINT_KEYS)
    }

    /// A fingerprint of all that a subject's slice is cut from: where two states have the same, the slices of both say
    /// the same.
    ///
    /// # Errors
    /// What takes fingerprints panicked.
    pub async fn print_of(&self, subject: &str) -> Result<u64, CutError> {
        let take = async || {
            let opened = self.opened.clone();
            tokio::task::spawn_blocking(move || Prints::of(&opened.snapshot(), &PRINT_KEYS)).await
        };
        let prints = self.prints.get_or_try_init(take).await.map_err(|_| CutError::Stopped)?;
        Ok(prints.of_subject(&self.view(), subject))
    }
}

/// Why there is no slice.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CutError {
    /// The subject cannot ask.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// What cuts slices panicked.
    #[error("cutting stopped")]
    Stopped,
}

impl Sendable {
    fn new(revision: u64, bytes: Bytes, opened: &Snapshot<'_>, catalog: HeaderValue) -> Self {
        let facts = Sha256::digest(opened.facts()).into();
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        // Hexadecimal digits and quotes are good in a header.
        let etag = HeaderValue::try_from(format!("\"{}\"", hex::encode(&digest[..16])));
        let etag = etag.unwrap_or(HeaderValue::from_static("\"\""));
        let (event, statement) = (OnceLock::new(), Mutex::default());
        Sendable { revision, bytes, etag, facts, catalog, digest, event, statement }
    }

    /// What a statement says of them.
    pub fn named(&self) -> Named {
        Named { revision: self.revision, digest: self.digest }
    }

    /// The SHA-256 of the bytes, in hexadecimal digits: their address.
    pub fn hash(&self) -> String {
        hex::encode(self.digest)
    }

    /// The statement about them of that second, made if it was not.
    pub fn stated(&self, second: i64, make: impl FnOnce() -> Option<HeaderValue>) -> Option<HeaderValue> {
        let mut statement = self.statement.lock().unwrap_or_else(PoisonError::into_inner);
        match &*statement {
            Some((made, text)) if *made == second => Some(text.clone()),
            _ => {
                let text = make()?;
                *statement = Some((second, text.clone()));
                Some(text)
            }
        }
    }

    /// About how long the event is, which is not made for the answer.
    pub fn encoded_len(&self) -> usize {
        self.bytes.len().div_ceil(3) * 4
    }

    /// The server-sent event, encoded once for all who get it.
    ///
    /// ```text
    /// id: 8
    /// event: state
    /// data: {"revision":8,"etag":"\"0f…\"","catalog":"5e…","bytes":"<base64>"}
    /// ```
    pub fn event(&self) -> Bytes {
        let encode = || {
            let etag = self.etag.to_str().unwrap_or_default().trim_matches('"');
            let catalog = self.catalog.to_str().unwrap_or_default();
            let mut event = format!(
                "id: {0}\nevent: state\ndata: {{\"revision\":{0},\"etag\":\"\\\"{etag}\\\"\",\"catalog\":\"{catalog}\",\"bytes\":\"",
                self.revision
            );
            STANDARD.encode_string(&self.bytes, &mut event);
            event.push_str("\"}\n\n");
            Bytes::from(event)
        };
        // A large one takes as long as others would have to wait; a runtime of one thread has nobody else to answer them.
        let threads = Handle::try_current().map(|handle| handle.runtime_flavor());
        match threads {
            Ok(RuntimeFlavor::MultiThread)
                if self.event.get().is_none() && self.bytes.len() > AT_ONCE_BYTES =>
            {
                tokio::task::block_in_place(|| self.event.get_or_init(encode).clone())
            }
            _ => self.event.get_or_init(encode).clone(),
        }
    }
}
