//! Permission lists to sets of bits.

use crate::CompileError;
use postern_vocab::AllowedKey;
use std::collections::{BTreeMap, HashMap};

/// One permission as it was declared.
#[derive(Debug, Default)]
pub(crate) struct Declared {
    pub implied_by: Vec<String>,
    pub excluded_by: Vec<String>,
    pub works_when_inactive: bool,
}

/// How a list is meant.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Meaning {
    /// What it satisfies (rule 7).
    Satisfies,
    /// What it excludes (rule 8).
    Excludes,
}

/// The catalog's permissions by number, and the sets seen so far.
pub(crate) struct Sets {
    keys: Vec<String>,
    /// For each permission, those that it satisfies too, and those that its exclusion excludes too.
    satisfies: Vec<Vec<u32>>,
    excludes: Vec<Vec<u32>>,
    numbers: HashMap<Vec<u8>, u32>,
    sets: Vec<Vec<u8>>,
}

impl Sets {
    pub fn new(catalog: &BTreeMap<String, Declared>) -> Result<Self, CompileError> {
        let keys: Vec<String> = catalog.keys().cloned().collect();
        let mut sets = Sets {
            satisfies: vec![Vec::new(); keys.len()],
            excludes: vec![Vec::new(); keys.len()],
            keys,
            numbers: HashMap::new(),
            sets: Vec::new(),
        };
        for (number, (key, row)) in catalog.iter().enumerate() {
            for other in &row.implied_by {
                let other = sets.key(other, "implied_by")?;
                sets.satisfies[other].push(number as u32);
            }
            for other in &row.excluded_by {
                let other = sets.key(other, "excluded_by")?;
                sets.excludes[other].push(number as u32);
            }
            debug_assert_eq!(sets.keys[number], *key);
        }
        Ok(sets)
    }

    fn key(&self, key: &str, fact: &'static str) -> Result<usize, CompileError> {
        self.keys.binary_search_by(|other| other.as_str().cmp(key)).map_err(|_| CompileError::Undeclared {
            fact,
            what: "permission",
            name: key.to_owned(),
        })
    }

    /// The number of the set that a permission list stands for. `*` and `<type>:*` stand for every key of the catalog,
    /// or of that type; those that match nothing stand for no key.
    pub fn number(
        &mut self,
        list: &[impl AsRef<str>],
        meaning: Meaning,
        fact: &'static str,
    ) -> Result<u32, CompileError> {
        let mut bits = vec![0u8; self.keys.len().div_ceil(8)];
        let others = match meaning {
            Meaning::Satisfies => &self.satisfies,
            Meaning::Excludes => &self.excludes,
        };
        let mut add = |number: usize| {
            for one in others[number].iter().map(|other| *other as usize).chain([number]) {
                bits[one / 8] |= 1 << (one % 8);
            }
        };
        for entry in list {
            match AllowedKey::parse(entry.as_ref()) {
                AllowedKey::All => (0..self.keys.len()).for_each(&mut add),
                AllowedKey::Type(kind) => {
                    for (number, key) in self.keys.iter().enumerate() {
                        if postern_vocab::permission_parts(key).is_some_and(|(of, _)| of == kind) {
                            add(number);
                        }
                    }
                }
                AllowedKey::Key(key) => add(self.key(key, fact)?),
            }
        }
        if let Some(number) = self.numbers.get(&bits) {
            return Ok(*number);
        }
        let number = self.sets.len() as u32;
        self.numbers.insert(bits.clone(), number);
        self.sets.push(bits);
        Ok(number)
    }

    pub fn into_sets(self) -> Vec<Vec<u8>> {
        self.sets
    }
}
