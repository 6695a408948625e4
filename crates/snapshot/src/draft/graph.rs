//! Which ways up are plain, and what the others can reach.

use super::{ALWAYS, Draft, DraftError, Timing, too_much};
use postern_resolver::view::{RESOURCE_DEAD, RESOURCE_UNLISTED};
use postern_vocab::limits::{PLAIN_PARENTS_MAX, REACH_MAX};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::vec::Vec;

/// The edges of one resource that can ever pass something: parent -> cap.
pub(crate) type Edges = BTreeMap<u32, Option<BTreeSet<u32>>>;

/// The resources' ways up, by final numbers.
pub(crate) struct Ways {
    pub edges: HashMap<u32, Edges>,
    complex: Vec<bool>,
    reach: HashMap<Vec<u32>, Arc<Vec<u32>>>,
}

impl Ways {
    /// `number` gives a provisional resource its final number.
    pub fn new(draft: &Draft, number: &[u32]) -> Result<Self, DraftError> {
        let mut edges: HashMap<u32, Edges> = HashMap::new();
        for (child, parent, cap) in &draft.edges {
            let dead = draft.resources[*parent as usize].flags & (RESOURCE_DEAD | RESOURCE_UNLISTED) != 0;
            let nothing = cap.as_ref().is_some_and(|cap| cap.is_empty());
            // Rule 4: dead ancestors neither anchor nor lead on. An edge to itself leads nowhere.
            if dead || nothing || child == parent {
                continue;
            }
            let edges = edges.entry(number[*child as usize]).or_default();
            let held = edges.entry(number[*parent as usize]).or_insert_with(|| Some(BTreeSet::new()));
            match (held, cap) {
                (held, None) => *held = None,
                (Some(held), Some(cap)) => held.extend(cap),
                (None, Some(_)) => {}
            }
        }
        let mut timed = std::vec![false; draft.resources.len()];
        for (resource, number) in draft.resources.iter().zip(number) {
            timed[*number as usize] = resource.rare.as_ref().is_some_and(|rare| rare.timing != ALWAYS);
        }
        Ok(Ways { complex: complex(&edges, &timed), edges, reach: HashMap::new() })
    }

    pub fn is_complex(&self, resource: u32) -> bool {
        self.complex[resource as usize]
    }

    /// The single parent of a resource whose ways up are plain.
    pub fn parent(&self, resource: u32) -> Option<u32> {
        self.edges.get(&resource).and_then(|edges| edges.keys().next().copied())
    }

    /// Every other resource that can ever be reached, ascending. Siblings share the answer.
    pub fn reach(&mut self, resource: u32) -> Result<Arc<Vec<u32>>, DraftError> {
        let parents: Vec<u32> =
            self.edges.get(&resource).into_iter().flat_map(BTreeMap::keys).copied().collect();
        let whole = match self.reach.get(&parents) {
            Some(whole) => whole.clone(),
            None => {
                let mut seen: BTreeSet<u32> = parents.iter().copied().collect();
                let mut open = parents.clone();
                while let Some(next) = open.pop() {
                    for parent in self.edges.get(&next).into_iter().flat_map(BTreeMap::keys) {
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
fn complex(edges: &HashMap<u32, Edges>, timed: &[bool]) -> Vec<bool> {
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
            let Some(own) = edges.get(&at) else {
                break Known::Plain;
            };
            match own.first_key_value() {
                Some((parent, None)) if own.len() == 1 && !timed[*parent as usize] => at = *parent,
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
