//! Every maximum, with the reason for it. Nothing is cut off silently: what exceeds a limit is refused with an error.

/// Longest id, alias, name, attribute or key, in bytes: longer ones are mistakes, and lengths stay small integers.
pub const TEXT_BYTES_MAX: usize = 4096;

/// Most permissions in a catalog. A permission set is a bit per permission and is kept once per distinct set.
pub const PERMISSIONS_MAX: usize = 16_384;

/// Most ancestors of one resource whose ways up branch, loop, are long or depend on the action, and most groups of one
/// subject: they are marked on the stack while deciding (two sets of 8 KiB).
pub const REACH_MAX: usize = 65_536;

/// Most parents in a chain that is followed without marking: so many are followed once for each resource when a snapshot
/// is opened, so that no chain of its bytes is a loop. What lies deeper is marked like ways that branch.
pub const PLAIN_PARENTS_MAX: usize = 64;

/// Largest world document, in bytes: it is held in memory several times over while it is compiled.
pub const WORLD_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// Deepest nesting of JSON in a world or a query.
pub const JSON_DEPTH_MAX: usize = 16;
