//! The smallest world and question that still disagree.

use postern_world::{Query, World};

use crate::engines::{Engine, expected, oracle};

/// An answer that is not the specification's.
pub struct Mismatch {
    /// The specification's.
    pub expected: String,
    /// What the engine answered.
    pub got: String,
}

/// Asks one question of one engine.
pub fn mismatch(engine: Engine, world: &World, query: &Query) -> Option<Mismatch> {
    let mut loaded = engine.load(world);
    let expected = expected(&oracle(world), loaded.is_slice(), query);
    let got = loaded.answer(query);
    if expected == got { None } else { Some(Mismatch { expected, got }) }
}

/// Drops facts, one after the other, as long as the engine still answers wrongly.
pub fn shrink(engine: Engine, world: &World, query: &Query) -> (World, Query) {
    let (mut world, mut query) = (world.clone(), query.clone());
    let mut smaller = true;
    while smaller {
        smaller = false;
        for change in 0.. {
            let (mut next_world, mut next_query) = (world.clone(), query.clone());
            match simplify(&mut next_world, &mut next_query, change) {
                Change::None => break,
                Change::Void => continue,
                Change::Made => {}
            }
            if next_world.validate().is_ok() && mismatch(engine, &next_world, &next_query).is_some() {
                (world, query) = (next_world, next_query);
                smaller = true;
            }
        }
    }
    (world, query)
}

enum Change {
    /// There is no change of this number.
    None,
    /// It would change nothing.
    Void,
    Made,
}

/// Makes the change of a number: each fact can be dropped, and each optional part of a fact and of the question.
fn simplify(world: &mut World, query: &mut Query, change: usize) -> Change {
    let mut left = change;
    macro_rules! drop_one {
        ($list:expr) => {
            if left < $list.len() {
                $list.remove(left);
                return Change::Made;
            }
            left -= $list.len();
        };
    }
    macro_rules! reset_each {
        ($list:expr, $item:ident, $($part:expr),+) => {
            for $item in $list.iter_mut() {
                $(
                    if left == 0 {
                        let was = std::mem::take(&mut $part);
                        return if was == $part { Change::Void } else { Change::Made };
                    }
                    left -= 1;
                )+
            }
        };
    }
    drop_one!(world.grants);
    drop_one!(world.assignments);
    drop_one!(world.memberships);
    if left < world.resources.len() {
        let gone = world.resources.remove(left).at;
        for resource in &mut world.resources {
            resource.parents.retain(|parent| parent.at != gone);
        }
        return Change::Made;
    }
    left -= world.resources.len();
    drop_one!(world.subjects);
    drop_one!(world.roles);
    for resource in &mut world.resources {
        drop_one!(resource.parents);
    }
    for role in &mut world.roles {
        drop_one!(role.permissions);
    }
    for grant in &mut world.grants {
        drop_one!(grant.permissions);
    }
    reset_each!(world.resources, it, it.owner, it.attributes, it.life);
    reset_each!(world.subjects, it, it.aliases, it.attributes, it.life);
    reset_each!(world.memberships, it, it.life);
    reset_each!(world.assignments, it, it.at, it.life);
    reset_each!(world.grants, it, it.at, it.conditions, it.require, it.own, it.session, it.life);
    for parent in world.resources.iter_mut().flat_map(|resource| &mut resource.parents) {
        if left == 0 {
            return if parent.cap.take().is_some() { Change::Made } else { Change::Void };
        }
        left -= 1;
    }
    let types: Vec<String> = world.catalog.types.keys().cloned().collect();
    if let Some(name) = types.get(left) {
        world.catalog.types.remove(name);
        return Change::Made;
    }
    left -= types.len();
    reset_each!(world.catalog.types.values_mut().collect::<Vec<_>>(), it, it.owner_permissions, it.narrows);
    let keys: Vec<String> = world.catalog.permissions.keys().cloned().collect();
    if let Some(name) = keys.get(left) {
        world.catalog.permissions.remove(name);
        return Change::Made;
    }
    left -= keys.len();
    let permissions = &mut world.catalog.permissions;
    reset_each!(
        permissions.values_mut().collect::<Vec<_>>(),
        it,
        it.implied_by,
        it.excluded_by,
        it.requires,
        it.description,
        it.works_when_inactive
    );
    drop_one!(query.parents);
    reset_each!([&mut *query], it, it.owner, it.dimensions, it.session);
    Change::None
}
