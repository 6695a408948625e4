//! Which ways up are plain, and what the others can reach.

use super::{ALWAYS, Draft, DraftError, Timing, too_much};
use core::ops::Range;
use postern_resolver::view::{RESOURCE_DEAD, RESOURCE_UNLISTED};
use postern_vocab::limits::{PLAIN_PARENTS_MAX, REACH_MAX};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::vec::Vec;

/// Stands for no cap: the edge lets everything pass.
const UNCAPPED: u32 = 0;

/// The resources' ways up, by final numbers: the edges that can ever pass something, in the order of child and parent.
pub(crate) struct Ways {
    /// Where the edges of each resource begin; one more for the end.
    first: Vec<u32>,
    parents: Vec<u32>,
    /// Per edge: 0 where everything passes, or one more than the place in `caps`.
    capped: Vec<u32>,
    /// What passes, ascending.
    pub caps: Vec<Vec<u32>>,
    complex: Vec<bool>,
    reach: HashMap<Vec<u32>, Arc<Vec<u32>>>,
}

impl Ways {
    /// `number` gives a provisional resource its final number.
    pub fn new(draft: &Draft, number: &[u32]) -> Self {
        let mut edges: Vec<(u32, u32, Option<&[u32]>)> = Vec::with_capacity(draft.edges.len());
        for (child, parent, cap) in &draft.edges {
            let dead = draft.resources[*parent as usize].flags & (RESOURCE_DEAD | RESOURCE_UNLISTED) != 0;
            let nothing = cap.as_ref().is_some_and(|cap| cap.is_empty());
            // Rule 4: dead ancestors neither anchor nor lead on. An edge to itself leads nowhere.
            if !dead && !nothing && child != parent {
                edges.push((number[*child as usize], number[*parent as usize], cap.as_deref()));
            }
        }
        edges.sort_unstable_by_key(|(child, parent, _)| (*child, *parent));
        let mut ways = Ways {
            first: std::vec![0; draft.resources.len() + 1],
            parents: Vec::with_capacity(edges.len()),
            capped: Vec::with_capacity(edges.len()),
            caps: Vec::new(),
            complex: Vec::new(),
            reach: HashMap::new(),
        };
        // The same edge from several facts passes what any of them passes.
        for same in edges.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1)) {
            let (child, parent, _) = same[0];
            let capped = if same.iter().any(|(_, _, cap)| cap.is_none()) {
                UNCAPPED
            } else {
                let passes: BTreeSet<u32> =
                    same.iter().filter_map(|(_, _, cap)| *cap).flatten().copied().collect();
                ways.caps.push(passes.into_iter().collect());
                ways.caps.len() as u32
            };
            ways.parents.push(parent);
            ways.capped.push(capped);
            ways.first[child as usize + 1] = ways.parents.len() as u32;
        }
        // A resource without edges begins where the one before it ends.
        for place in 1..ways.first.len() {
            ways.first[place] = ways.first[place].max(ways.first[place - 1]);
        }
        let mut timed = std::vec![false; draft.resources.len()];
        for (resource, number) in draft.resources.iter().zip(number) {
            timed[*number as usize] = resource.rare.as_ref().is_some_and(|rare| rare.timing != ALWAYS);
        }
        ways.complex = complex(&ways, &timed);
        ways
    }

    fn range(&self, resource: u32) -> Range<usize> {
        self.first[resource as usize] as usize..self.first[resource as usize + 1] as usize
    }

    /// The parents of a resource, ascending.
    pub fn parents(&self, resource: u32) -> &[u32] {
        &self.parents[self.range(resource)]
    }

    /// The parents of a resource, ascending, each with the place of what passes in `caps`; `None`: everything.
    pub fn edges(&self, resource: u32) -> impl Iterator<Item = (u32, Option<usize>)> {
        let capped = &self.capped[self.range(resource)];
        self.parents(resource)
            .iter()
            .zip(capped)
            .map(|(parent, cap)| (*parent, cap.checked_sub(1).map(|place| place as usize)))
    }

    pub fn is_complex(&self, resource: u32) -> bool {
        self.complex[resource as usize]
    }

    /// The single parent of a resource whose ways up are plain.
    pub fn parent(&self, resource: u32) -> Option<u32> {
        self.parents(resource).first().copied()
    }

    /// Every other resource that can ever be reached, ascending. Siblings share the answer.
    pub fn reach(&mut self, resource: u32) -> Result<Arc<Vec<u32>>, DraftError> {
        let parents = self.parents(resource);
        let whole = match self.reach.get(parents) {
            Some(whole) => whole.clone(),
            None => {
                let parents = parents.to_vec();
                let mut seen: BTreeSet<u32> = parents.iter().copied().collect();
                let mut open = parents.clone();
                while let Some(next) = open.pop() {
                    for parent in self.parents(next) {
                        if seen.insert(*parent) {
                            open.push(*parent);
                        }
                    }
                }
                let whole = Arc::new(seen.into_iter().collect::<Vec<_>>());
                self.reach.insert(parents, whole.clone());
                whole
            }
        };
        let others = match whole.binary_search(&resource) {
            // In a cycle a resource reaches itself, and is not its own ancestor.
            Ok(place) => {
                let mut others = (*whole).clone();
                others.remove(place);
                Arc::new(others)
            }
            Err(_) => whole,
        };
        if others.len() > REACH_MAX {
            return Err(too_much("ancestors of one resource", others.len(), REACH_MAX));
        }
        Ok(others)
    }
}

/// A way up is plain when it is one chain of `auto` edges over resources that are live always, and not too long.
fn complex(ways: &Ways, timed: &[bool]) -> Vec<bool> {
    #[derive(Clone, Copy, PartialEq)]
    enum Known {
        No,
        OnPath,
        Plain,
        Complex,
    }
    let mut known = std::vec![Known::No; timed.len()];
    let mut path = Vec::new();
    let mut height = std::vec![0usize; timed.len()];
    for start in 0..timed.len() as u32 {
        let mut at = start;
        let end = loop {
            match known[at as usize] {
                // The path has come back to itself.
                Known::OnPath => break Known::Complex,
                Known::No => {}
                answer => {
                    break if timed[at as usize] && at != start { Known::Complex } else { answer };
                }
            }
            path.push(at);
            known[at as usize] = Known::OnPath;
            let mut edges = ways.edges(at);
            match (edges.next(), edges.next()) {
                (None, _) => break Known::Plain,
                (Some((parent, None)), None) if !timed[parent as usize] => at = parent,
                _ => break Known::Complex,
            }
        };
        let mut below = height[at as usize];
        for resource in path.drain(..).rev() {
            known[resource as usize] = end;
            if end == Known::Plain {
                below += 1;
                height[resource as usize] = below;
            }
        }
    }
    // A chain counts the resource that it begins at.
    let too_long = |height: usize| height > PLAIN_PARENTS_MAX + 1;
    known.into_iter().zip(height).map(|(known, height)| known == Known::Complex || too_long(height)).collect()
}

/// A membership by its group and when it counts.
type Joined = (u32, Timing);

/// The groups that subjects reach, by final numbers.
pub(crate) struct Groups {
    pub direct: HashMap<u32, BTreeSet<Joined>>,
    known: HashMap<Vec<Joined>, Arc<(Vec<u32>, bool)>>,
}

impl Groups {
    pub fn new(draft: &Draft, number: &[u32]) -> Self {
        let mut direct: HashMap<u32, BTreeSet<Joined>> = HashMap::new();
        for (member, group, timing) in &draft.memberships {
            let (member, group) = (number[*member as usize], number[*group as usize]);
            if member != group {
                direct.entry(member).or_default().insert((group, *timing));
            }
        }
        Groups { direct, known: HashMap::new() }
    }

    /// Every group that a subject can ever reach, ascending, and whether it reaches all of them always.
    pub fn reach(&mut self, subject: u32) -> Result<Arc<(Vec<u32>, bool)>, DraftError> {
        let own: Vec<Joined> = self.direct.get(&subject).into_iter().flatten().copied().collect();
        if let Some(known) = self.known.get(&own) {
            return Ok(known.clone());
        }
        let mut always = own.iter().all(|(_, timing)| *timing == ALWAYS);
        let mut seen: BTreeSet<u32> = own.iter().map(|(group, _)| *group).collect();
        let mut open: Vec<u32> = seen.iter().copied().collect();
        while let Some(next) = open.pop() {
            for (group, timing) in self.direct.get(&next).into_iter().flatten() {
                always &= *timing == ALWAYS;
                if seen.insert(*group) {
                    open.push(*group);
                }
            }
        }
        if seen.len() > REACH_MAX {
            return Err(too_much("groups of one subject", seen.len(), REACH_MAX));
        }
        let reached = Arc::new((seen.into_iter().collect(), always));
        self.known.insert(own, reached.clone());
        Ok(reached)
    }
}
