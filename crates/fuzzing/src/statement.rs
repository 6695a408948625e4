//! Statements, keys, and what they are made of.

use postern_statement::{KeySet, SecretKey, Statement};

/// Reads the input as a statement, as a set of keys and as what a statement says. What can be said is read back as it
/// was signed.
pub fn statement(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let key = SecretKey::from_seed(&[7; 32]);
    let keys = KeySet::of([key.public()]);
    // Nobody but the key can sign, so what passes is what it once signed: the corpus has such ones.
    if let Ok(statement) = keys.verify(text) {
        assert_eq!(keys.verify(&key.sign(&statement)).as_ref(), Ok(&statement));
    }
    if let Ok(keys) = KeySet::parse(text) {
        assert_eq!(KeySet::parse(&keys.to_json()), Ok(keys));
    }
    if let Ok(statement) = serde_json::from_str::<Statement>(text) {
        match keys.verify(&key.sign(&statement)) {
            Ok(read) => assert_eq!(read, statement),
            Err(refused) => assert_eq!(refused.code(), "malformed"),
        }
    }
}
