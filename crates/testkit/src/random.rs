//! Random worlds and questions. The vocabularies are small, so that facts collide with each other and with the
//! questions: narrowing, exclusions, ownership and expiry then decide often, and not once in a million.

mod queries;
mod worlds;

pub use queries::queries;
pub use worlds::world;

/// The instant around which everything begins, ends and is asked: 2026-01-01T00:00:00Z in microseconds.
pub const NOW: i64 = 1_767_225_600_000_000;

/// An id that a snapshot may pack into sixteen bytes, the same in upper case (another id), and two that look alike.
const UUIDS: [&str; 4] = [
    "0192f1c2-7aa0-7bcd-8eef-0123456789ab",
    "0192F1C2-7AA0-7BCD-8EEF-0123456789AB",
    "0192f1c27aa07bcd8eef0123456789ab",
    "0192f1c2-7aa0-7bcd-8eef-0123456789ac",
];

/// Types that every world may declare, with `scope`, `narrows`, `registered`.
const TYPES: [(&str, bool, bool, bool); 8] = [
    ("region", true, false, true),
    ("site", true, true, true),
    ("project", true, false, true),
    ("folder", false, false, true),
    ("rack", false, true, true),
    ("secret", false, false, true),
    ("mcp", false, false, false),
    ("remote:mcp", false, true, false),
];

/// A type that no world declares.
const UNDECLARED_TYPE: &str = "widget";

/// The id of a resource that no world lists.
const UNLISTED: &str = "new";

const ACTIONS: [&str; 4] = ["read", "write", "manage", "a.b-c"];

const DIMENSIONS: [&str; 3] = ["env", "subject.dept", "tool"];

const VALUES: [&str; 4] = ["x", "y", "*", ""];

/// The last one, the empty, only in questions: a grant is in no session without a name.
const SESSIONS: [&str; 3] = ["s1", "s2", ""];
