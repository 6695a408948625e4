//! The hash of a catalog: `docs/codegen.md` specifies the bytes that it is taken of.
//!
//! Only names count: which types and permissions there are, and not what they imply or who holds them. Code that was
//! generated from one catalog fits another one exactly when the hashes are the same.

use crate::open::Snapshot;
use postern_resolver::view::View as _;
use sha2::{Digest, Sha256};
use std::string::String;
use std::vec::Vec;

/// What the bytes begin with: the version of the rule.
const HEAD: &[u8] = b"postern-catalog/1\n";

/// The SHA-256 of a catalog, as 64 hexadecimal digits in lower case. The names may come in any order.
pub fn catalog_hash<'a>(
    types: impl IntoIterator<Item = &'a str>,
    permissions: impl IntoIterator<Item = &'a str>,
) -> String {
    let mut hash = Sha256::new_with_prefix(HEAD);
    let mut list = |mut names: Vec<&str>| {
        names.sort_unstable();
        // LIMIT: a catalog holds far fewer than 2^32 names, and each is far shorter.
        hash.update((names.len() as u32).to_le_bytes());
        for name in names {
            hash.update((name.len() as u32).to_le_bytes());
            hash.update(name);
        }
    };
    list(types.into_iter().collect());
    list(permissions.into_iter().collect());
    hash.finalize().iter().flat_map(|byte| [byte >> 4, byte & 15]).map(digit).collect()
}

fn digit(value: u8) -> char {
    char::from(b"0123456789abcdef"[usize::from(value)])
}

impl Snapshot<'_> {
    /// The hash of its catalog. A slice has the whole catalog, and so the same one.
    pub fn catalog_hash(&self) -> String {
        catalog_hash(
            (0..self.type_count()).map(|kind| self.type_name(kind)),
            (0..self.permission_count()).map(|permission| self.permission_key(permission)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_those_of_the_page() {
        let bytes = b"postern-catalog/1\n\x01\0\0\0\x04\0\0\0site\x02\0\0\0\x0a\0\0\0miner:read\x0c\0\0\0miner:reboot";
        let expected: String = Sha256::digest(bytes).iter().map(|byte| std::format!("{byte:02x}")).collect();
        assert_eq!(expected, "e7d6d124e31b5b8754f99b5999c56bfb2a0f67e6efc6c4151ca55ca6aee332cf");
        assert_eq!(catalog_hash(["site"], ["miner:read", "miner:reboot"]), expected);
        assert_eq!(catalog_hash(["site"], ["miner:reboot", "miner:read"]), expected, "in any order");
    }

    #[test]
    fn names_do_not_run_into_each_other() {
        let hashes = [
            catalog_hash([], []),
            catalog_hash(["a"], []),
            catalog_hash([], ["a"]),
            catalog_hash(["ab"], []),
            catalog_hash(["a", "b"], []),
            catalog_hash(["a"], ["b"]),
            catalog_hash(["a\0\0\0\u{1}b"], []),
        ];
        for (index, hash) in hashes.iter().enumerate() {
            assert!(!hashes[..index].contains(hash), "{index}");
        }
    }
}
