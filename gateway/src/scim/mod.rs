//! SCIM 2.0 (RFC 7643, RFC 7644) without HTTP and without the database: filters, changes, and how resources look.

pub mod filter;
pub mod patch;

/// The `scimType` of an error and what is wrong, for people (RFC 7644 section 3.12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// `invalidFilter`, `invalidPath`, `invalidSyntax`, `invalidValue`, `mutability`.
    pub kind: &'static str,
    /// What.
    pub what: String,
}

impl Invalid {
    /// An error of a kind.
    pub fn new(kind: &'static str, what: impl Into<String>) -> Invalid {
        Invalid { kind, what: what.into() }
    }
}

/// Schemas of users.
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// Schemas of groups.
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// The schema of a change.
pub const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// The name of an attribute without the schema that it may be qualified with: `urn:…:User:userName`.
pub(crate) fn unqualified(path: &str) -> &str {
    let starts =
        |schema: &str| path.len() > schema.len() && path[..schema.len()].eq_ignore_ascii_case(schema);
    for schema in [USER, GROUP] {
        if path.is_char_boundary(schema.len().min(path.len())) && starts(schema) {
            return path[schema.len()..].strip_prefix(':').unwrap_or(path);
        }
    }
    path
}
