//! A random world that `postern-world` accepts.

use postern_world::{
    Assignment, Effect, Grant, Life, Membership, Parent, Permission, Resource, ResourceRef, ResourceType,
    Role, Subject, World,
};
use std::collections::BTreeMap;

use super::{ACTIONS, DIMENSIONS, NOW, SESSIONS, TYPES, UNLISTED, UUIDS, VALUES};
use crate::Chance;

const USERS: [&str; 8] =
    ["user:a", "user:b", "user:c", "user:x:y", "user:ünï·ид", "user:\"q\\", "service:edge-1", "service:a"];
const GROUPS: [&str; 4] = ["group:g1", "group:g2", "group:g3", "group:a"];
const ALIASES: [&str; 4] = ["ann@example.com", "A", "alias:b", "g"];
const RESOURCES: [&str; 7] = ["1", "2", "3", "a:b", "日本", "all", "user:a"];
const ROLES: [&str; 6] = [
    "role:organization:0192f1c2-7aa0-7bcd-8eef-000000000001",
    "role:organization:0192f1c2-7aa0-7bcd-8eef-000000000002",
    "role:global:0192f1c2-7aa0-7bcd-8eef-000000000001",
    "role:system:admin",
    "role:tech",
    "role:empty",
];

/// A world of a few dozen facts.
pub fn world(chance: &mut Chance) -> World {
    let mut world = World {
        organization: chance.word(&["o", "0192f1c2-7aa0-7bcd-8eef-ffffffffffff", "Örg 1"]).to_string(),
        revision: if chance.percent(5) { u64::MAX } else { chance.bits() % 1000 },
        ..World::default()
    };
    catalog(chance, &mut world);
    subjects(chance, &mut world);
    resources(chance, &mut world);
    roles(chance, &mut world);
    for _ in 0..chance.between(1, 6) {
        let assignment = assignment(chance, &world);
        repeat(chance, &mut world.assignments, assignment);
    }
    for _ in 0..chance.between(0, 3) {
        narrow(chance, &mut world);
    }
    for _ in 0..chance.between(0, 8) {
        let grant = grant(chance, &world);
        repeat(chance, &mut world.grants, grant);
    }
    world
}

/// Identical facts count once.
fn repeat<T: Clone>(chance: &mut Chance, list: &mut Vec<T>, fact: T) {
    if chance.percent(5) {
        list.push(fact.clone());
    }
    list.push(fact);
}

fn catalog(chance: &mut Chance, world: &mut World) {
    let mut keys = Vec::new();
    for kind in ["site", "secret", "mcp", "remote:mcp", "miner"] {
        for action in ACTIONS {
            if chance.percent(45) {
                keys.push(format!("{kind}:{action}"));
            }
        }
    }
    keys.push("site:read".to_string());
    for key in &keys {
        let permission = Permission {
            description: if chance.percent(20) { "For people".to_string() } else { String::new() },
            implied_by: some_keys(chance, &keys, 30),
            excluded_by: some_keys(chance, &keys, 25),
            requires: some_keys(chance, &keys, 10),
            works_when_inactive: chance.percent(20),
        };
        world.catalog.permissions.insert(key.clone(), permission);
    }
    for (name, scope, narrows, registered) in TYPES {
        if name != "site" && chance.percent(12) {
            continue;
        }
        let kind = ResourceType {
            scope,
            narrows: narrows ^ chance.percent(12),
            registered,
            owner_permissions: if chance.percent(50) { permission_list(chance, world) } else { Vec::new() },
        };
        world.catalog.types.insert(name.to_string(), kind);
    }
}

fn some_keys(chance: &mut Chance, keys: &[String], percent: usize) -> Vec<String> {
    let mut some = Vec::new();
    while chance.percent(percent) {
        some.push(chance.pick(keys).clone());
    }
    some
}

/// A permission list as a role, a grant or a type writes it: often empty, often with wildcards, some of which match nothing.
fn permission_list(chance: &mut Chance, world: &World) -> Vec<String> {
    let keys: Vec<String> = world.catalog.permissions.keys().cloned().collect();
    let mut list = Vec::new();
    for _ in 0..chance.between(0, 3) {
        list.push(match chance.below(20) {
            0 => "*".to_string(),
            1..4 => format!("{}:*", chance.word(&["site", "secret", "mcp", "remote:mcp", "remote", "miner"])),
            _ => chance.pick(&keys).clone(),
        });
    }
    list
}

/// When something counts: mostly always, sometimes with a bound within two microseconds of [`NOW`].
pub(super) fn life(chance: &mut Chance) -> Life {
    if chance.percent(80) {
        return Life::default();
    }
    let bound = |chance: &mut Chance| match chance.below(7) {
        0 => Some(NOW - 1_000_000),
        1 => Some(NOW - 1),
        2 => Some(NOW),
        3 => Some(NOW + 1),
        4 => Some(NOW + 86_400_000_000),
        _ => None,
    };
    Life { active: !chance.percent(25), not_before: bound(chance), expires_at: bound(chance) }
}

fn dimensions(chance: &mut Chance, percent: usize) -> BTreeMap<String, String> {
    let mut map = BTreeMap::new();
    while chance.percent(percent) {
        map.insert(chance.word(&DIMENSIONS).to_string(), chance.word(&VALUES).to_string());
    }
    map
}

/// Values that something has: no wildcard among them, most of the time.
fn attributes(chance: &mut Chance, names: &[&str]) -> BTreeMap<String, String> {
    let mut map = BTreeMap::new();
    while chance.percent(40) {
        let value = if chance.percent(5) { "*" } else { chance.word(&["x", "y", ""]) };
        map.insert(chance.word(names).to_string(), value.to_string());
    }
    map
}

fn subjects(chance: &mut Chance, world: &mut World) {
    let mut ids: Vec<String> = USERS.map(str::to_string).to_vec();
    ids.extend(UUIDS.map(|uuid| format!("user:{uuid}")));
    chance.shuffle(&mut ids);
    // The rest stays unlisted, and may hold facts all the same.
    ids.truncate(chance.between(1, 6));
    let groups = chance.between(0, GROUPS.len());
    ids.extend(GROUPS[..groups].iter().map(|group| group.to_string()));
    chance.shuffle(&mut ids);

    let mut aliases: Vec<&str> = ALIASES.to_vec();
    if !ids.iter().any(|id| id.ends_with(UUIDS[3])) {
        aliases.push(UUIDS[3]);
    }
    chance.shuffle(&mut aliases);
    for id in ids {
        let mut own = Vec::new();
        while chance.percent(25) {
            own.extend(aliases.pop().map(str::to_string));
        }
        world.subjects.push(Subject {
            id,
            aliases: own,
            attributes: attributes(chance, &["dept", "env"]),
            // Most questions end at once about a subject that does not count.
            life: if chance.percent(60) { Life::default() } else { life(chance) },
        });
    }
    if groups == 0 {
        return;
    }
    for _ in 0..chance.between(1, 7) {
        let member = if chance.percent(35) { group(chance, world) } else { someone(chance, world) };
        let membership = Membership { subject: member, group: group(chance, world), life: life(chance) };
        repeat(chance, &mut world.memberships, membership);
    }
}

/// A listed group, or an alias of one.
fn group(chance: &mut Chance, world: &World) -> String {
    let groups: Vec<&Subject> = world.subjects.iter().filter(|it| it.id.starts_with("group:")).collect();
    let group = *chance.pick(&groups);
    named(chance, group)
}

/// A subject by its id, or by one of its aliases.
fn named(chance: &mut Chance, subject: &Subject) -> String {
    let kind = subject.id.split_once(':').map_or("", |(kind, _)| kind);
    match chance.percent(20) {
        true => subject.aliases.first().map_or(subject.id.clone(), |alias| format!("{kind}:{alias}")),
        false => subject.id.clone(),
    }
}

/// A subject, mostly a listed one.
pub(super) fn someone(chance: &mut Chance, world: &World) -> String {
    let listed: Vec<&Subject> = world.subjects.iter().collect();
    match chance.below(10) {
        0 => chance.word(&USERS).to_string(),
        1 => format!("user:{}", chance.word(&UUIDS)),
        _ => {
            let subject = *chance.pick(&listed);
            named(chance, subject)
        }
    }
}

fn resources(chance: &mut Chance, world: &mut World) {
    let mut all: Vec<ResourceRef> = Vec::new();
    for name in world.catalog.types.keys() {
        let mut ids: Vec<&str> = RESOURCES.to_vec();
        ids.extend(UUIDS);
        chance.shuffle(&mut ids);
        ids.truncate(chance.between(0, 3));
        all.extend(ids.into_iter().map(|id| ResourceRef { kind: name.clone(), id: id.to_string() }));
    }
    chance.shuffle(&mut all);
    // Scopes come first, so that edges that lead to earlier ones mostly lead upwards.
    all.sort_by_key(|at| TYPES.iter().position(|(name, ..)| *name == at.kind));

    for (index, at) in all.iter().enumerate() {
        let mut parents = Vec::new();
        for _ in 0..chance.pick(&[0, 1, 1, 1, 2, 2, 3]).to_owned() {
            // An edge to any other closes cycles; one to itself is legal too.
            let limit = if chance.percent(80) { index } else { all.len() };
            let Some(parent) = chance.pick_any(&all[..limit]) else {
                continue;
            };
            let cap = chance.percent(25).then(|| {
                let mut cap: Vec<String> = Vec::new();
                while chance.percent(60) {
                    cap.push(chance.word(&["read", "read", "write", "a.b-c", "fly"]).to_string());
                }
                cap
            });
            let parent = Parent { at: parent.clone(), cap };
            repeat(chance, &mut parents, parent);
        }
        let owner = chance.percent(35).then(|| someone(chance, world));
        world.resources.push(Resource {
            at: at.clone(),
            parents,
            owner,
            attributes: attributes(chance, &["env", "tool"]),
            life: life(chance),
        });
    }
    chance.shuffle(&mut world.resources);
}

fn roles(chance: &mut Chance, world: &mut World) {
    let mut ids = ROLES.to_vec();
    chance.shuffle(&mut ids);
    ids.truncate(chance.between(1, 4));
    for id in ids {
        let permissions = permission_list(chance, world);
        world.roles.push(Role {
            id: id.to_string(),
            name: format!("Role {}", world.roles.len()),
            permissions,
            active: !chance.percent(10),
        });
    }
}

fn holder(chance: &mut Chance, world: &World) -> String {
    match chance.below(10) {
        0 | 1 => "user:all".to_string(),
        2 | 3 if world.subjects.iter().any(|it| it.id.starts_with("group:")) => group(chance, world),
        _ => someone(chance, world),
    }
}

/// Where something holds: often the whole organization, mostly at a scope, sometimes at what is not listed.
fn place(chance: &mut Chance, world: &World) -> Option<ResourceRef> {
    match chance.below(20) {
        0..6 => None,
        6 => {
            let types: Vec<&String> = world.catalog.types.keys().collect();
            let kind = chance.pick(&types).to_string();
            Some(ResourceRef { kind, id: chance.word(&RESOURCES).to_string() })
        }
        7..10 => chance.pick_any(&world.resources).map(|resource| resource.at.clone()),
        _ => {
            let scopes: Vec<&Resource> =
                world.resources.iter().filter(|it| world.catalog.types[&it.at.kind].scope).collect();
            chance.pick_any(&scopes).map(|resource| resource.at.clone())
        }
    }
}

fn assignment(chance: &mut Chance, world: &World) -> Assignment {
    Assignment {
        subject: holder(chance, world),
        role: chance.pick(&world.roles).id.clone(),
        at: place(chance, world),
        life: life(chance),
    }
}

/// Gives one two roles: one at a place that narrows, one at a parent of it or in the whole organization.
fn narrow(chance: &mut Chance, world: &mut World) {
    let mut narrowing: Vec<(ResourceRef, Vec<ResourceRef>)> = Vec::new();
    for resource in &world.resources {
        let parents = resource.parents.iter().map(|parent| parent.at.clone());
        narrowing.push((resource.at.clone(), parents.collect()));
    }
    // A question about what is not listed may state any parent.
    for (name, kind) in &world.catalog.types {
        let id = UNLISTED.to_string();
        let parents = world.resources.iter().map(|resource| resource.at.clone());
        if !kind.registered {
            narrowing.push((ResourceRef { kind: name.clone(), id }, parents.collect()));
        }
    }
    narrowing.retain(|(at, _)| world.catalog.types[&at.kind].narrows);
    let Some((narrower, parents)) = chance.pick_any(&narrowing).cloned() else {
        return;
    };
    let above = if chance.percent(50) { &parents[..] } else { &[] };
    let parent = chance.pick_any(above).cloned();
    let subject = holder(chance, world);
    for at in [parent, Some(narrower)] {
        let role = chance.pick(&world.roles).id.clone();
        world.assignments.push(Assignment { subject: subject.clone(), role, at, life: life(chance) });
    }
}

fn grant(chance: &mut Chance, world: &World) -> Grant {
    let exclude = chance.percent(30);
    let mut permissions = permission_list(chance, world);
    if permissions.is_empty() {
        permissions = permission_list(chance, world);
    }
    Grant {
        subject: if chance.percent(30) {
            chance.pick(&world.roles).id.clone()
        } else {
            holder(chance, world)
        },
        effect: if exclude { Effect::Exclude } else { Effect::Allow },
        permissions,
        at: place(chance, world),
        conditions: dimensions(chance, 20),
        require: dimensions(chance, 12),
        own: chance.percent(12),
        session: chance.percent(15).then(|| chance.word(&SESSIONS[..2]).to_string()),
        life: life(chance),
    }
}
