//! From provisional numbers to the canonical tables.

use super::graph::{Groups, Ways};
use super::numbers::{ROWS_MAX, entry, number_rows, order, timings_of};
use super::{ALWAYS, Draft, DraftError, Holder, Holds, Timing, too_much};
use crate::facts::{Entry, Facts, PermissionFacts, RoleFacts, sort_key};
use crate::layout::{KINDS, Kind};
use crate::pool::Pool;
use postern_resolver::view::*;
use std::collections::{BTreeMap, BTreeSet};
use std::string::String;
use std::vec;
use std::vec::Vec;

/// Lists, numbered kind by kind.
struct Lists {
    kinds: [u32; KINDS + 1],
    offsets: Vec<u32>,
    items: Vec<u32>,
}

impl Lists {
    fn new() -> Self {
        Lists { kinds: [1; KINDS + 1], offsets: vec![0, 0], items: Vec::new() }
    }

    /// Adds all the lists of one kind and returns each first number's final one. The empty list is 0.
    fn add(&mut self, kind: Kind, pool: Pool<Vec<u32>>) -> Vec<u32> {
        let (lists, order) = pool.finish();
        let mut numbers = Vec::with_capacity(lists.len());
        let mut next = self.offsets.len() as u32 - 1;
        for list in lists {
            if list.is_empty() {
                numbers.push(0);
                continue;
            }
            numbers.push(next);
            next += 1;
            self.items.extend_from_slice(&list);
            self.offsets.push(self.items.len() as u32);
        }
        self.kinds[kind as usize + 1..].fill(next);
        order.into_iter().map(|place| numbers[place as usize]).collect()
    }
}

impl Draft {
    /// The canonical tables. Cost: sorting; memory in proportion to the facts.
    ///
    /// # Errors
    /// Facts that are more than the format can carry, each with its limit (`postern_vocab::limits`).
    pub fn finish(mut self) -> Result<Facts, DraftError> {
        self.drop_unused_attributes();
        let (strings, string) = self.take_strings();
        let set_bytes = self.permissions.len().div_ceil(8);
        let (sets, set) = self.number_sets();
        let set_count = sets.len().checked_div(set_bytes).unwrap_or(0);
        if set_count > BINDING_SET as usize {
            return Err(too_much("distinct permission sets", set_count, BINDING_SET as usize));
        }
        let mut timings = Pool::default();
        self.number_timings(&mut timings);
        let (timings, timing_order) = timings_of(timings);

        let (resources, resource) =
            order(self.resources.iter().map(|row| (row.kind, row.key)), &strings, &string)?;
        let (subjects, subject) =
            order(self.subjects.iter().map(|row| (string[row.kind as usize], row.key)), &strings, &string)?;
        let timing = |timing: Timing| match timing {
            ALWAYS => 0,
            timing => timing_order[&timing],
        };
        let pairs_of = |pairs: &[(u32, u32)]| {
            let sorted: BTreeMap<u32, u32> =
                pairs.iter().map(|(name, value)| (string[*name as usize], string[*value as usize])).collect();
            sorted.into_iter().flat_map(|(name, value)| [name, value]).collect::<Vec<u32>>()
        };

        // Lists, kind by kind: first the pairs of strings.
        let mut lists = Lists::new();
        let mut pool = Pool::default();
        let mut pairs = |pairs: &[(u32, u32)]| pool.number(pairs_of(pairs));
        let term_pairs: Vec<[u32; 2]> =
            self.terms.iter().map(|terms| [pairs(&terms.conditions), pairs(&terms.require)]).collect();
        let subject_pairs: Vec<Option<u32>> =
            self.subjects.iter().map(|row| row.rare.as_ref().map(|rare| pairs(&rare.attributes))).collect();
        let resource_pairs: Vec<Option<u32>> =
            self.resources.iter().map(|row| row.rare.as_ref().map(|rare| pairs(&rare.attributes))).collect();
        let pair_lists = lists.add(Kind::Pairs, pool);

        if self.edges.len() > ROWS_MAX {
            return Err(too_much("parent edges", self.edges.len(), ROWS_MAX));
        }
        let mut ways = Ways::new(&self, &resource);
        let mut pool = Pool::default();
        let caps: Vec<u32> = ways.caps.iter().map(|cap| pool.number_of(cap)).collect();
        let cap_lists = lists.add(Kind::Actions, pool);

        let mut groups = Groups::new(&self, &subject);
        let mut pool = Pool::default();
        let mut memberships: BTreeMap<u32, u32> = BTreeMap::new();
        for (member, direct) in &groups.direct {
            // By the numbers of the timings, which do not sort as their bounds do: always is 0.
            let sorted: BTreeSet<[u32; 2]> =
                direct.iter().map(|(group, bounds)| [*group, timing(*bounds)]).collect();
            memberships.insert(*member, pool.number(sorted.into_iter().flatten().collect()));
        }
        let membership_lists = lists.add(Kind::Memberships, pool);

        let mut pool = Pool::default();
        let mut reached: BTreeMap<u32, (u32, bool)> = BTreeMap::new();
        for member in memberships.keys() {
            let reach = groups.reach(*member)?;
            reached.insert(*member, (pool.number(reach.0.clone()), reach.1));
        }
        let group_lists = lists.add(Kind::Groups, pool);

        let mut edge_pool = Pool::default();
        let mut reach_pool = Pool::default();
        let mut complex: Vec<Option<[u32; 2]>> = vec![None; self.resources.len()];
        let mut edges = Vec::new();
        let mut reach_items = 0usize;
        for number in 0..self.resources.len() as u32 {
            if !ways.is_complex(number) {
                continue;
            }
            let reach = ways.reach(number)?;
            edges.clear();
            for (parent, cap) in ways.edges(number) {
                edges.extend([parent, cap.map_or(0, |place| cap_lists[caps[place] as usize])]);
            }
            reach_items += reach.len();
            complex[number as usize] = Some([edge_pool.number_of(&edges), reach_pool.number_of(&reach)]);
            if reach_items > ROWS_MAX {
                return Err(too_much(
                    "ancestors over branching edges, of all resources",
                    reach_items,
                    ROWS_MAX,
                ));
            }
        }
        let edge_lists = lists.add(Kind::Edges, edge_pool);
        let reach_lists = lists.add(Kind::Reach, reach_pool);

        // Roles in the order of their ids; a slice's have none and keep the order they came in.
        let mut role_order: Vec<u32> = (0..self.roles.len() as u32).collect();
        role_order.sort_by_key(|role| self.roles[*role as usize].id.map(|id| string[id as usize]));
        let mut role = vec![0; self.roles.len()];
        for (new, old) in role_order.iter().enumerate() {
            role[*old as usize] = new as u32;
        }
        let mut role_holds = vec![false; self.roles.len()];
        for holding in &self.holdings {
            if let Holder::Role(holder) = holding.holder {
                role_holds[holder as usize] = true;
            }
        }

        let terms_rows: Vec<Terms> = self
            .terms
            .iter()
            .zip(&term_pairs)
            .map(|(terms, [conditions, require])| Terms {
                timing: timing(terms.timing),
                flags: if terms.own { TERMS_OWN } else { 0 },
                session: terms.session.map_or(0, |session| string[session as usize] + 1),
                conditions: pair_lists[*conditions as usize],
                require: pair_lists[*require as usize],
            })
            .collect();
        let (terms, term) = number_rows(terms_rows, Terms::default());

        // Bindings: distinct, in their order; number 0 stands nowhere.
        let mut pool = Pool::default();
        let mut held: Vec<(Holder, u32)> = Vec::with_capacity(self.holdings.len());
        for holding in &self.holdings {
            let at = holding.at.map_or(ORGANIZATION_AT, |at| resource[at as usize] + 1);
            let terms = holding.terms.map_or(0, |terms| term[terms as usize]);
            let (mut what, number) = match holding.holds {
                Holds::Role(held) => {
                    let narrows = holding.at.is_some_and(|at| {
                        let kind = self.resources[at as usize].kind;
                        self.types[kind as usize].flags & TYPE_NARROWS != 0
                    });
                    let narrows = if narrows { BINDING_NARROWS } else { 0 };
                    let grants = if role_holds[held as usize] { BINDING_ROLE_GRANTS } else { 0 };
                    (set[self.roles[held as usize].set as usize] | narrows | grants, role[held as usize] + 1)
                }
                Holds::Grant(held) => (set[held as usize] | BINDING_GRANT, 0),
                Holds::Exclusion(held) => (set[held as usize] | BINDING_EXCLUDE, 0),
            };
            what |= if terms == 0 { 0 } else { BINDING_TERMS };
            held.push((holding.holder, pool.number(Binding { at, what, role: number, terms })));
        }
        let (distinct, binding) = pool.finish();
        if distinct.len() >= ROWS_MAX {
            return Err(too_much("distinct assignments and grants", distinct.len(), ROWS_MAX));
        }
        let mut bindings = vec![Binding { at: NOWHERE, ..Binding::default() }];
        bindings.extend(distinct);

        // Who holds which, in order and once.
        let mut by_subject: Vec<(u32, u32)> = Vec::with_capacity(held.len());
        let mut by_role: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        let mut everyone: BTreeSet<u32> = BTreeSet::new();
        for (holder, number) in held {
            let number = binding[number as usize] + 1;
            match holder {
                Holder::Subject(holder) => by_subject.push((subject[holder as usize], number)),
                Holder::Role(holder) => by_role.entry(role[holder as usize]).or_default().extend([number]),
                Holder::Everyone => everyone.extend([number]),
            }
        }
        by_subject.sort_unstable();
        by_subject.dedup();

        let mut pool = Pool::default();
        let everyone = pool.number(everyone.into_iter().collect::<Vec<_>>());
        let role_lists: Vec<u32> = (0..self.roles.len() as u32)
            .map(|role| pool.number(by_role.remove(&role).into_iter().flatten().collect()))
            .collect();
        let mut subject_lists: BTreeMap<u32, u32> = BTreeMap::new();
        let mut inline: Vec<[u16; 3]> = vec![[0; 3]; self.subjects.len()];
        let mut rest = by_subject.as_slice();
        while let Some((holder, _)) = rest.first() {
            let (own, others) = rest.split_at(rest.partition_point(|(other, _)| other == holder));
            rest = others;
            let old = subjects[*holder as usize];
            let ext = self.subjects[old as usize].rare.is_some() || memberships.contains_key(holder);
            let few = own.len() <= 3 && own.iter().all(|(_, number)| *number <= u32::from(u16::MAX));
            if few && !ext {
                for (place, (_, number)) in inline[*holder as usize].iter_mut().zip(own) {
                    *place = *number as u16;
                }
            } else {
                subject_lists.insert(*holder, pool.number(own.iter().map(|(_, number)| *number).collect()));
            }
        }
        let binding_lists = lists.add(Kind::Bindings, pool);
        if lists.items.len() > ROWS_MAX {
            return Err(too_much("items of all lists", lists.items.len(), ROWS_MAX));
        }

        // Rows that only some have.
        let subject_ext: Vec<SubjectExt> = subjects
            .iter()
            .enumerate()
            .map(|(new, old)| {
                let new = new as u32;
                let rare = self.subjects[*old as usize].rare.as_ref();
                if rare.is_none() && !memberships.contains_key(&new) {
                    return SubjectExt::default();
                }
                let (groups, always) = reached
                    .get(&new)
                    .map_or((0, false), |(list, always)| (group_lists[*list as usize], *always));
                SubjectExt {
                    bindings: subject_lists.get(&new).map_or(0, |list| binding_lists[*list as usize]),
                    memberships: memberships.get(&new).map_or(0, |list| membership_lists[*list as usize]),
                    groups,
                    timing: rare.map_or(0, |rare| timing(rare.timing)),
                    attributes: subject_pairs[*old as usize].map_or(0, |list| pair_lists[list as usize]),
                    flags: if always { GROUPS_ALWAYS } else { 0 },
                }
            })
            .collect();
        let (subject_exts, subject_ext) = number_rows(subject_ext, SubjectExt::default());
        let subject_entries = subjects
            .iter()
            .enumerate()
            .map(|(new, old)| {
                let row = &self.subjects[*old as usize];
                let link = |number: u32| [number as u16, (number >> 16) as u16, 0];
                let (form, words) = match (subject_ext[new], subject_lists.get(&(new as u32))) {
                    (0, None) => (0, inline[new]),
                    (0, Some(list)) => (SUBJECT_LIST, link(binding_lists[*list as usize])),
                    (ext, _) => (SUBJECT_EXT, link(ext - 1)),
                };
                entry(
                    string[row.kind as usize],
                    row.key,
                    &strings,
                    &string,
                    SubjectRow { bits: row.bits | form, words },
                )
            })
            .collect();

        let resource_ext: Vec<ResourceExt> = resources
            .iter()
            .enumerate()
            .map(|(new, old)| {
                let row = &self.resources[*old as usize];
                let [edges, reach] = complex[new].map_or([0; 2], |[edges, reach]| {
                    [edge_lists[edges as usize], reach_lists[reach as usize]]
                });
                ResourceExt {
                    flags: row.flags,
                    owner: row.owner.map_or(0, |owner| subject[owner as usize] + 1),
                    timing: row.rare.as_ref().map_or(0, |rare| timing(rare.timing)),
                    attributes: resource_pairs[*old as usize].map_or(0, |list| pair_lists[list as usize]),
                    edges,
                    reach,
                }
            })
            .collect();
        let (resource_exts, resource_ext) = number_rows(resource_ext, ResourceExt::default());
        let resource_entries = resources
            .iter()
            .enumerate()
            .map(|(new, old)| {
                let row = &self.resources[*old as usize];
                let number = new as u32;
                let up = match ways.is_complex(number) {
                    true => RESOURCE_COMPLEX,
                    false => ways.parent(number).map_or(ORGANIZATION_AT, |parent| parent + 1),
                };
                entry(row.kind, row.key, &strings, &string, ResourceRow { up, ext: resource_ext[new] })
            })
            .collect();

        let mut aliases: Vec<Entry<u32>> = self
            .aliases
            .iter()
            .map(|(of, key)| {
                let kind = string[self.subjects[*of as usize].kind as usize];
                entry(kind, *key, &strings, &string, subject[*of as usize])
            })
            .collect();
        aliases.sort_unstable_by_key(|entry| sort_key(entry.of, entry.hash, &entry.key));

        let flags = if self.own.is_some() { WORLD_SLICE } else { 0 }
            | if timings.is_empty() { 0 } else { WORLD_TIMED };
        let facts = Facts {
            organization: self.organization,
            revision: self.revision,
            flags,
            own: self.own.map_or(0, |own| subject[own as usize] + 1),
            everyone: binding_lists[everyone as usize],
            set_bytes,
            permissions: self
                .permissions
                .iter()
                .map(|row| PermissionFacts {
                    key: string[row.key as usize],
                    row: PermissionRow { action: row.action, flags: row.flags },
                })
                .collect(),
            types: self
                .types
                .iter()
                .map(|row| {
                    let owner_set = row.owner_set.map_or(0, |held| set[held as usize] + 1);
                    (string[row.name as usize], TypeRow { flags: row.flags, owner_set })
                })
                .collect(),
            sets,
            timings,
            list_kinds: lists.kinds,
            list_offsets: lists.offsets,
            items: lists.items,
            terms,
            roles: role_order
                .iter()
                .enumerate()
                .map(|(new, old)| {
                    let row = &self.roles[*old as usize];
                    let text = |number: Option<u32>| number.map_or(0, |number| string[number as usize] + 1);
                    RoleFacts {
                        id: text(row.id),
                        name: text(row.name),
                        set: set[row.set as usize],
                        grants: binding_lists[role_lists[new] as usize],
                    }
                })
                .collect(),
            bindings,
            subject_exts,
            resource_exts,
            subjects: subject_entries,
            aliases,
            resources: resource_entries,
            strings,
        };
        let text: usize = facts.strings.iter().map(String::len).sum();
        let bytes = text
            + (facts.subjects.len() + facts.resources.len()) * 24
            + facts.items.len() * 4
            + facts.sets.len();
        if bytes > u32::MAX as usize / 2 {
            return Err(too_much("bytes", bytes, u32::MAX as usize / 2));
        }
        Ok(facts)
    }
}
