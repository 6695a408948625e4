//! Statements: signed, short, and made again and again. Each says which bytes are in force for an organization (or one
//! of its subjects), and when the authority last knew that. `docs/statements.md` is the format; its checks are cited as
//! "check n".
//!
//! ```
//! use postern_statement::{Held, KeySet, SecretKey, Statement, hash};
//!
//! let key = SecretKey::from_seed(&[7; 32]);
//! let keys = KeySet::parse(&KeySet::of([key.public()]).to_json())?;
//!
//! let bytes = b"a snapshot";
//! let text = key.sign(&Statement {
//!     organization: "acme".into(),
//!     subject: None,
//!     epoch: "e1".into(),
//!     revision: 42,
//!     as_of: 42,
//!     hash: hash(bytes),
//!     iat: 1_767_225_600,
//!     exp: 1_767_225_660,
//! });
//!
//! let statement = keys.verify(&text)?;
//! statement.is_about("acme", None)?;
//! statement.names(bytes)?;
//! let held = Held::new(statement, 1_767_225_601, 5_000_000);
//! assert!(held.is_fresh(5_000_000 + 58_000_000));
//! assert!(!held.is_fresh(5_000_000 + 59_000_000));
//! # Ok::<(), postern_statement::Refused>(())
//! ```
//!
//! Nothing here asks a clock or the network.

#![forbid(unsafe_code)]

mod held;
mod keys;
mod statement;

pub use held::Held;
pub use keys::{KeySet, PublicKey, SecretKey};
pub use statement::{Statement, TYPE, hash};

/// LIMIT: bytes of a statement. An organization's and a subject's id are at most 4,096 bytes each, in base64url.
pub const STATEMENT_BYTES_MAX: usize = 16 * 1024;

/// Why a statement is refused. Nothing changes then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// It is no statement (checks 1 and 2).
    #[error("this is no statement: {0}")]
    Malformed(&'static str),
    /// Its key is not in the set (check 3). A reason to fetch the set again.
    #[error("the statement is signed with a key that is not in the set of keys")]
    UnknownKey,
    /// It was not signed with that key (check 4).
    #[error("the statement's signature is wrong")]
    BadSignature,
    /// It is about another organization or subject (check 5).
    #[error("the statement is about another organization or subject")]
    OtherState,
    /// Something newer is in force (check 6).
    #[error("the statement is older than what is in force")]
    Older,
    /// The bytes are others than it names (check 7).
    #[error("the bytes are not the ones that the statement names")]
    OtherBytes,
}

impl Refused {
    /// For programs; never changes its meaning.
    pub const fn code(self) -> &'static str {
        match self {
            Refused::Malformed(_) => "malformed",
            Refused::UnknownKey => "unknown_key",
            Refused::BadSignature => "bad_signature",
            Refused::OtherState => "other_state",
            Refused::Older => "older",
            Refused::OtherBytes => "other_bytes",
        }
    }
}
