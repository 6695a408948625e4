//! Random questions about a world. Most are aimed at one of its facts, so that allows and the rarer denies are as
//! frequent as the denies that any question gets.

use postern_world::{Effect, Op, Query, ResourceRef, World};
use std::collections::BTreeMap;

use super::worlds::someone;
use super::{DIMENSIONS, NOW, SESSIONS, TYPES, UNDECLARED_TYPE, UNLISTED, UUIDS, VALUES};
use crate::Chance;

/// So many questions.
pub fn queries(chance: &mut Chance, world: &World, count: usize) -> Vec<Query> {
    (0..count).map(|_| query(chance, world)).collect()
}

fn query(chance: &mut Chance, world: &World) -> Query {
    let mut query = Query {
        op: match chance.below(100) {
            0..70 => Op::Check,
            70..77 => Op::Filter,
            77..83 => Op::Subjects,
            83..90 => Op::Actions,
            90..95 => Op::Anywhere,
            _ => Op::Everywhere,
        },
        subject: someone(chance, world),
        permission: any_permission(chance, world),
        resource: any_resource(chance, world),
        kind: String::new(),
        parents: Vec::new(),
        owner: None,
        dimensions: BTreeMap::new(),
        session: chance.percent(25).then(|| chance.word(&SESSIONS).to_string()),
        now: Some(NOW + *chance.pick(&[0, 0, 0, 0, -1, 1, -1_000_001, 86_400_000_000])),
    };
    if chance.percent(80) {
        aim(chance, world, &mut query);
    }
    while chance.percent(15) {
        query.dimensions.insert(chance.word(&DIMENSIONS).to_string(), chance.word(&VALUES).to_string());
    }
    if let Some(at) = &query.resource
        && (!is_listed(world, at) || chance.percent(5))
    {
        state_facts(chance, world, &mut query);
    }
    query.kind = match (query.op, &query.resource) {
        (Op::Subjects, _) => chance.word(&["user", "user", "service", "group", "nobody"]).to_string(),
        (_, Some(at)) if chance.percent(80) => at.kind.clone(),
        _ => chance.pick(&TYPES).0.to_string(),
    };
    if chance.percent(5) {
        spoil(chance, &mut query);
    }
    query
}

/// What the enforcement point states of a resource: needed when it is not listed, ignored when it is.
fn state_facts(chance: &mut Chance, world: &World, query: &mut Query) {
    while chance.percent(50) {
        query.parents.extend(any_resource(chance, world));
    }
    if query.owner.is_none() && chance.percent(40) {
        query.owner = Some(match chance.below(10) {
            0 => chance.word(&["user:all", "user:*", "nobody", "", "group:"]).to_string(),
            1..6 => query.subject.clone(),
            _ => someone(chance, world),
        });
    }
    chance.shuffle(&mut query.parents);
}

/// Points the question at one fact of the world.
fn aim(chance: &mut Chance, world: &World, query: &mut Query) {
    let owned: Vec<_> = world.resources.iter().filter(|resource| resource.owner.is_some()).collect();
    match chance.below(13) {
        0..5 => {
            let Some(assignment) = chance.pick_any(&world.assignments) else {
                return;
            };
            query.subject = holder_member(chance, world, &assignment.subject);
            if let Some(role) = world.roles.iter().find(|role| role.id == assignment.role) {
                aim_permission(chance, world, &role.permissions, query);
            }
            aim_resource(chance, world, assignment.at.as_ref(), query);
        }
        5..9 => {
            let Some(grant) = chance.pick_any(&world.grants) else {
                return;
            };
            query.subject = holder_member(chance, world, &grant.subject);
            aim_permission(chance, world, &grant.permissions, query);
            aim_resource(chance, world, grant.at.as_ref(), query);
            for (name, value) in grant.conditions.iter().chain(&grant.require) {
                if grant.effect == Effect::Exclude || chance.percent(70) {
                    let value = if value == "*" { "x" } else { value };
                    query.dimensions.insert(name.clone(), value.to_string());
                }
            }
            if grant.session.is_some() && chance.percent(85) {
                query.session = grant.session.clone();
            }
            if grant.own {
                let mine = owned.iter().find(|resource| resource.owner.as_ref() == Some(&query.subject));
                query.resource = mine.map(|resource| resource.at.clone()).or(query.resource.take());
                query.owner = Some(query.subject.clone());
            }
        }
        9..12 => aim_narrowed(chance, world, query),
        _ => {
            let Some(resource) = chance.pick_any(&owned) else {
                return;
            };
            query.resource = Some(resource.at.clone());
            if let Some(owner) = &resource.owner {
                query.subject = holder_member(chance, world, owner);
            }
            aim_permission(chance, world, &world.catalog.types[&resource.at.kind].owner_permissions, query);
        }
    }
}

/// Asks below one assignment for what another one of the same holder gives.
fn aim_narrowed(chance: &mut Chance, world: &World, query: &mut Query) {
    let Some(assignment) = chance.pick_any(&world.assignments) else {
        return;
    };
    let narrows = |at: &ResourceRef| world.catalog.types[&at.kind].narrows;
    let narrower: Vec<_> = world
        .assignments
        .iter()
        .filter(|other| other.subject == assignment.subject && other.at.as_ref().is_some_and(narrows))
        .collect();
    let Some(narrower) = chance.pick_any(&narrower) else {
        return;
    };
    query.subject = holder_member(chance, world, &assignment.subject);
    if let Some(role) = world.roles.iter().find(|role| role.id == assignment.role) {
        aim_permission(chance, world, &role.permissions, query);
    }
    aim_resource(chance, world, narrower.at.as_ref(), query);
    // Of what is not listed, the wider place is a parent only where the question says so.
    if query.resource.as_ref().is_some_and(|at| !is_listed(world, at)) {
        query.parents.extend(assignment.at.clone());
    }
}

/// The holder itself, or one whom it stands for: a member of the group, one who has the role, any user.
fn holder_member(chance: &mut Chance, world: &World, holder: &str) -> String {
    let mut members: Vec<String> = Vec::new();
    for membership in &world.memberships {
        if membership.group == holder {
            members.push(membership.subject.clone());
        }
    }
    for assignment in &world.assignments {
        if assignment.role == holder {
            members.push(assignment.subject.clone());
        }
    }
    match chance.pick_any(&members) {
        Some(member) if member != holder && (holder.starts_with("role:") || chance.percent(70)) => {
            holder_member(&mut chance.clone(), world, member)
        }
        _ if holder == "user:all" => {
            chance.word(&["user:a", "user:b", "user:stranger", "user:x:y"]).to_string()
        }
        _ => holder.to_string(),
    }
}

fn aim_permission(chance: &mut Chance, world: &World, list: &[String], query: &mut Query) {
    let Some(entry) = chance.pick_any(list) else {
        return;
    };
    let is_meant = |key: &String| {
        let kind = key.rsplit_once(':').map_or("", |(kind, _)| kind);
        entry == "*" || entry == key || *entry == format!("{kind}:*")
    };
    let keys: Vec<&String> = world.catalog.permissions.keys().filter(|key| is_meant(key)).collect();
    let Some(&key) = chance.pick_any(&keys) else {
        return;
    };
    // A key that the listed one implies, or whose exclusion excludes it.
    let related: Vec<&String> = world
        .catalog
        .permissions
        .iter()
        .filter(|(_, permission)| permission.implied_by.contains(key) || permission.excluded_by.contains(key))
        .map(|(other, _)| other)
        .collect();
    query.permission = match chance.pick_any(&related) {
        Some(other) if chance.percent(30) => other.to_string(),
        _ => key.clone(),
    };
}

/// The place itself, something below it, or something unlisted that is stated to be below it.
fn aim_resource(chance: &mut Chance, world: &World, place: Option<&ResourceRef>, query: &mut Query) {
    let Some(place) = place else {
        if chance.percent(35) {
            query.resource = None;
        }
        return;
    };
    let mut at = place.clone();
    for _ in 0..3 {
        let below = |it: &&postern_world::Resource| it.parents.iter().any(|parent| parent.at == at);
        let children: Vec<_> = world.resources.iter().filter(below).collect();
        match chance.pick_any(&children) {
            Some(child) if chance.percent(55) => at = child.at.clone(),
            _ => break,
        }
    }
    let unlisted: Vec<ResourceRef> = unregistered_types(world)
        .into_iter()
        .map(|kind| ResourceRef { kind, id: UNLISTED.to_string() })
        .collect();
    match chance.pick_any(&unlisted) {
        Some(new) if chance.percent(25) => {
            query.parents.push(at);
            query.resource = Some(new.clone());
        }
        _ => query.resource = Some(at),
    }
}

fn unregistered_types(world: &World) -> Vec<String> {
    world.catalog.types.iter().filter(|(_, kind)| !kind.registered).map(|(name, _)| name.clone()).collect()
}

fn is_listed(world: &World, at: &ResourceRef) -> bool {
    world.resources.iter().any(|resource| resource.at == *at)
}

fn any_permission(chance: &mut Chance, world: &World) -> String {
    let keys: Vec<&String> = world.catalog.permissions.keys().collect();
    match chance.below(40) {
        0 => chance.word(&["site:fly", "site:*", "*", "site", "SITE:read", "site:read "]).to_string(),
        _ => chance.pick(&keys).to_string(),
    }
}

fn any_resource(chance: &mut Chance, world: &World) -> Option<ResourceRef> {
    let of = |kind: &str, id: &str| Some(ResourceRef { kind: kind.to_string(), id: id.to_string() });
    match chance.below(20) {
        0 => None,
        1 => of(UNDECLARED_TYPE, chance.word(&["1", "2"])),
        2 | 3 => of(chance.pick(&TYPES).0, chance.word(&["1", "2", UNLISTED, "x/y", UUIDS[0], UUIDS[1]])),
        4 | 5 => {
            let kinds = unregistered_types(world);
            chance.pick_any(&kinds).and_then(|kind| of(kind, chance.word(&["1", UNLISTED, UUIDS[2]])))
        }
        _ => chance.pick_any(&world.resources).map(|resource| resource.at.clone()),
    }
}

/// Makes the question malformed, or nearly so.
fn spoil(chance: &mut Chance, query: &mut Query) {
    let resource = |kind: &str, id: &str| Some(ResourceRef { kind: kind.to_string(), id: id.to_string() });
    match chance.below(3) {
        0 => {
            let subjects = [
                "",
                "user",
                "user:",
                "user:*",
                "user:all",
                "group:all",
                ":a",
                "*",
                "user:all:x",
                "User:a",
                "role:tech",
            ];
            query.subject = chance.word(&subjects).to_string();
        }
        1 => query.permission = chance.word(&["", "site:fly", "site:read"]).to_string(),
        _ => {
            query.resource = match chance.below(5) {
                0 => resource("", "1"),
                1 => resource("site", ""),
                2 => resource("site", "*"),
                3 => resource(UNDECLARED_TYPE, "*"),
                _ => resource("site", "all"),
            };
        }
    }
}
