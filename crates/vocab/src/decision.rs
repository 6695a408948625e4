//! What a check answers: a decision with its reason, or an error, and their numbers on the wire.

/// Whether the subject may do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// It may.
    Allow,
    /// It may not.
    Deny,
}

impl Decision {
    /// `"allow"` or `"deny"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Decision::Allow => "allow",
            Decision::Deny => "deny",
        }
    }
}

/// Why a check was decided as it was: a closed set, in the order in which `semantics.md` section 4 tries the rules.
///
/// The numbers are the codes that cross the WASM boundary. Allows are 1 to 15, denies 16 to 31, errors
/// ([`QueryError`]) 32 and above; 0 never occurs, so a zeroed answer is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Reason {
    /// Rule 9: the subject owns the resource.
    Owner = 1,
    /// Rule 10: a role that is assigned here.
    Assignment = 2,
    /// Rule 11: a grant.
    Grant = 3,
    /// Rule 2: the subject is listed, but not live.
    InactiveSubject = 16,
    /// Rule 3: the world does not list the resource, and its type must be listed.
    UnknownResource = 17,
    /// Rule 3: the resource is listed, but not live.
    InactiveResource = 18,
    /// Rule 8: an exclusion applies.
    Excluded = 19,
    /// Rule 12: a wider assignment would have allowed it, but a narrower one replaces that.
    Narrowed = 20,
    /// Rule 12: the world does not list the subject.
    UnknownSubject = 21,
    /// Rule 12: nothing allows it.
    NotGranted = 22,
    /// Section 7: a slice does not list this scope.
    NotInSlice = 23,
}

impl Reason {
    /// The decision that this reason belongs to.
    pub const fn decision(self) -> Decision {
        if (self as u8) < 16 { Decision::Allow } else { Decision::Deny }
    }

    /// The name in answers, as `semantics.md` spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Reason::Owner => "owner",
            Reason::Assignment => "assignment",
            Reason::Grant => "grant",
            Reason::InactiveSubject => "inactive_subject",
            Reason::UnknownResource => "unknown_resource",
            Reason::InactiveResource => "inactive_resource",
            Reason::Excluded => "excluded",
            Reason::Narrowed => "narrowed",
            Reason::UnknownSubject => "unknown_subject",
            Reason::NotGranted => "not_granted",
            Reason::NotInSlice => "not_in_slice",
        }
    }
}

/// A question that has no decision. It is never an allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum QueryError {
    /// Rule 1: no permission, a subject without a usable id, a resource without a type or with an unusable id.
    InvalidRequest = 32,
    /// Rule 1: the catalog lacks the permission.
    UnknownPermission = 33,
    /// Section 7: only the whole snapshot can answer this.
    NotInSlice = 34,
}

impl QueryError {
    /// The name in answers, as `semantics.md` spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            QueryError::InvalidRequest => "invalid_request",
            QueryError::UnknownPermission => "unknown_permission",
            QueryError::NotInSlice => "not_in_slice",
        }
    }
}

impl core::fmt::Display for QueryError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl core::error::Error for QueryError {}

/// What a check answers.
pub type Answer = Result<Reason, QueryError>;
