//! The end: what only shows once all facts are there, and the draft of the tables.

use super::{Compiler, EVERYONE, Pending, PendingHolds, ROLE};
use crate::CompileError;
use crate::sets::Sets;
use postern_resolver::view::*;
use postern_snapshot::{DraftHolding, DraftRole, DraftTerms, Facts, Holder, Holds, Key};

impl Compiler {
    /// Compiles what came.
    ///
    /// # Errors
    /// The first fault of any fact ([`CompileError`]).
    pub fn finish(mut self) -> Result<Facts, CompileError> {
        self.sets();
        self.check_groups();
        self.check_parents();
        let actual = self.resolve_aliases();
        if let Some(error) = self.error {
            return Err(error);
        }
        let mut draft = self.draft;
        draft.memberships = self
            .memberships
            .iter()
            .map(|(a, b, timing)| (actual[*a as usize], actual[*b as usize], *timing))
            .collect();
        for (resource, owner) in self.owners {
            draft.resources[resource as usize].owner = Some(actual[owner as usize]);
        }
        draft.aliases =
            self.aliases.iter().map(|((_, key), subject)| (actual[*subject as usize], *key)).collect();
        let mut role_numbers = vec![None; self.declared.len()];
        for (number, declared) in self.declared.iter().enumerate() {
            // Rule 5: only active roles make candidates, so that inactive ones and what they hold can never count.
            if let Some((id, name, set, true)) = declared {
                role_numbers[number] = Some(draft.roles.len() as u32);
                let (id, name) = (draft.strings.number(id), draft.strings.number(name));
                draft.roles.push(DraftRole { id: Some(id), name: Some(name), set: *set });
            } else if declared.is_none() {
                let name =
                    self.roles.iter().find(|(_, other)| **other == number as u32).map(|(id, _)| id.clone());
                return Err(CompileError::Undeclared {
                    fact: "assignment or grant",
                    what: "role",
                    name: name.unwrap_or_default(),
                });
            }
        }
        draft.holdings.reserve_exact(self.holdings.len());
        for Pending { holder, holds, at, terms } in self.holdings {
            let holder = match holder {
                EVERYONE => Holder::Everyone,
                role if role & ROLE != 0 => match role_numbers[(role & !ROLE) as usize] {
                    Some(role) => Holder::Role(role),
                    None => continue,
                },
                subject => Holder::Subject(actual[subject as usize]),
            };
            let holds = match holds {
                PendingHolds::Role(role) => match role_numbers[role as usize] {
                    Some(role) => Holds::Role(role),
                    None => continue,
                },
                PendingHolds::Grant(set) => Holds::Grant(set),
                PendingHolds::Exclusion(set) => Holds::Exclusion(set),
            };
            draft.holdings.push(DraftHolding { holder, holds, at, terms });
        }
        let mut terms: Vec<(DraftTerms, u32)> = self.terms.into_iter().collect();
        terms.sort_unstable_by_key(|(_, number)| *number);
        draft.terms = terms.into_iter().map(|(terms, _)| terms).collect();
        draft.sets = self.sets.map(Sets::into_sets).unwrap_or_default();
        self.subjects.clear();
        Ok(draft.finish()?)
    }

    /// Every group that a fact names is listed.
    fn check_groups(&mut self) {
        for number in std::mem::take(&mut self.named_groups) {
            let row = &self.draft.subjects[number as usize];
            if row.bits & SUBJECT_UNLISTED == 0 || self.aliases.contains_key(&(row.kind, row.key)) {
                continue;
            }
            let name = format!("group:{}", self.id_text(row.key));
            return self.fail(CompileError::Undeclared { fact: "a fact", what: "group", name });
        }
    }

    /// Every edge leads from a listed resource to a listed one.
    fn check_parents(&mut self) {
        let unlisted = |end: &u32| self.draft.resources[*end as usize].flags & RESOURCE_UNLISTED != 0;
        let found = self.draft.edges.iter().flat_map(|(child, parent, _)| [*child, *parent]).find(unlisted);
        if let Some(end) = found {
            let row = &self.draft.resources[end as usize];
            let kind = self.draft.strings.text(self.draft.types[row.kind as usize].name);
            let name = format!("{kind} {}", self.id_text(row.key));
            self.fail(CompileError::Undeclared { fact: "a parent edge", what: "resource", name });
        }
    }

    fn id_text(&self, key: Key) -> String {
        match key {
            Key::Text(text) => self.draft.strings.text(text).to_owned(),
            Key::Uuid(id) => String::from_utf8_lossy(&postern_vocab::format_uuid(&id)).into_owned(),
            Key::Digest(_) | Key::Hidden(_) => String::new(),
        }
    }

    /// The subject that each number stands for: an alias stands for its subject wherever it is written. What only an
    /// alias named is left without facts, and taken out of the table.
    fn resolve_aliases(&mut self) -> Vec<u32> {
        let mut actual: Vec<u32> = (0..self.draft.subjects.len() as u32).collect();
        let mut gone = Vec::new();
        for ((kind, key), subject) in &self.aliases {
            let Some(named) = self.subjects.get(&(*kind, *key)) else {
                continue;
            };
            if self.draft.subjects[*named as usize].bits & SUBJECT_UNLISTED == 0 {
                let name = self.id_text(*key);
                self.error.get_or_insert(CompileError::Duplicate { what: "aliases or subjects", name });
                continue;
            }
            actual[*named as usize] = *subject;
            gone.push(*named);
        }
        if gone.is_empty() {
            return actual;
        }
        // Close the gaps that the named aliases leave.
        gone.sort_unstable();
        let shift = |number: u32| number - gone.partition_point(|other| *other < number) as u32;
        for number in &mut actual {
            *number = shift(*number);
        }
        let mut number = 0;
        self.draft.subjects.retain(|_| {
            number += 1;
            gone.binary_search(&(number - 1)).is_err()
        });
        actual
    }
}
