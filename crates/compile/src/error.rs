//! Why facts do not compile.

use postern_snapshot::DraftError;

/// Why [`crate::Compiler::finish`] refused the facts. The state compiled before stays in force.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// A fact names something that is not declared: declare it, or correct the name.
    #[error("{fact} names the {what} `{name}`, which is not declared")]
    Undeclared {
        /// The kind of fact.
        fact: &'static str,
        /// What it names.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Two objects have one id.
    #[error("two {what} have the id `{name}`")]
    Duplicate {
        /// The kind of object.
        what: &'static str,
        /// The id.
        name: String,
    },
    /// An id that may not stand here (`*`, `all`, empty, or without a type).
    #[error("{fact}: `{name}` is not an id that may stand here")]
    Id {
        /// The kind of fact.
        fact: &'static str,
        /// The id.
        name: String,
    },
    /// More than a snapshot can carry.
    #[error(transparent)]
    TooMuch(#[from] DraftError),
    /// More permissions than a catalog may have.
    #[error("{0} permissions; a catalog has at most {max}", max = postern_vocab::limits::PERMISSIONS_MAX)]
    Permissions(usize),
}
