//! A slice holds nothing of anybody else: not an id, an alias, a role, a condition of a grant, or a resource at which
//! its subject holds nothing. Looked for in its bytes, with ids that cannot be there by chance.

use postern_oracle::{Node, Oracle};
use postern_suite::engines::{compile, oracle, slice_bytes};
use postern_testkit::json::{Style, world_text};
use postern_testkit::{Chance, random};
use postern_world::{Grant, World};
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn slices_hold_nothing_of_others() {
    let (mut searched, mut in_whole, mut own) = (0, 0, 0);
    for seed in 50_000..50_300 {
        let mut chance = Chance::new(seed);
        let mut world = random::world(&mut chance);
        rename(&mut chance, &mut world);
        world.validate().unwrap();
        let oracle = oracle(&world);
        let whole = compile(&world).to_bytes();
        for subject in &world.subjects {
            let slice = slice_bytes(&whole, &subject.id).unwrap();
            own += usize::from(contains(&slice, after_colon(&subject.id)));
            for (what, secret) in secrets(&world, &oracle, &subject.id) {
                searched += 1;
                in_whole += usize::from(contains(&whole, &secret));
                assert!(
                    !contains(&slice, &secret),
                    "seed {seed}: the slice of {} holds {what} `{secret}`\n{}",
                    subject.id,
                    world_text(&world, Style::Terse)
                );
            }
        }
    }
    // The search does find what is there: most of it in the whole snapshot, and its own subject in a slice.
    assert!(searched > 10_000, "{searched}");
    assert!(in_whole * 10 > searched * 6, "{in_whole} of {searched}");
    assert!(own > 500, "{own}");
}

/// Whether bytes hold a text, or the sixteen bytes of the UUID that it is.
fn contains(bytes: &[u8], text: &str) -> bool {
    let packed = postern_vocab::canonical_uuid(text);
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
        || packed.is_some_and(|packed| bytes.windows(16).any(|window| window == packed))
}

fn after_colon(id: &str) -> &str {
    id.split_once(':').map_or(id, |(_, id)| id)
}

/// Gives every id, alias, role, session and value a text that stands nowhere else; half of the ids are UUIDs.
fn rename(chance: &mut Chance, world: &mut World) {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut name = |kind: &str, old: &str| {
        let fresh = || {
            let (high, low) = (chance.bits(), chance.bits());
            match chance.percent(50) {
                true => format!("{kind}-{high:016x}"),
                false => {
                    let hex = format!("{high:016x}{low:016x}");
                    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
                }
            }
        };
        names.entry(format!("{kind} {old}")).or_insert_with(fresh).clone()
    };
    let mut subject = |id: &mut String| {
        if let Some((kind, old)) = id.clone().split_once(':')
            && kind != "role"
            && id != "user:all"
        {
            *id = format!("{kind}:{}", name(kind, old));
        }
    };
    for listed in &mut world.subjects {
        let kind = listed.id.split_once(':').map_or("", |(kind, _)| kind).to_string();
        for alias in &mut listed.aliases {
            let mut id = format!("{kind}:{alias}");
            subject(&mut id);
            *alias = after_colon(&id).to_string();
        }
        subject(&mut listed.id);
    }
    world.memberships.iter_mut().for_each(|it| {
        subject(&mut it.subject);
        subject(&mut it.group);
    });
    world.resources.iter_mut().filter_map(|it| it.owner.as_mut()).for_each(&mut subject);
    world.assignments.iter_mut().for_each(|it| subject(&mut it.subject));
    world.grants.iter_mut().for_each(|it| subject(&mut it.subject));

    let places = world.resources.iter_mut().flat_map(|it| {
        let parents = it.parents.iter_mut().map(|parent| &mut parent.at);
        parents.chain([&mut it.at])
    });
    let places = places.chain(world.assignments.iter_mut().filter_map(|it| it.at.as_mut()));
    for at in places.chain(world.grants.iter_mut().filter_map(|it| it.at.as_mut())) {
        at.id = name(&format!("resource of {}", at.kind), &at.id);
    }
    for role in &mut world.roles {
        let id = format!("role:{}", name("role", &role.id));
        world.assignments.iter_mut().filter(|it| it.role == role.id).for_each(|it| it.role.clone_from(&id));
        world.grants.iter_mut().filter(|it| it.subject == role.id).for_each(|it| it.subject.clone_from(&id));
        role.id = id;
        role.name = name("name", &role.name);
    }
    for grant in &mut world.grants {
        if let Some(session) = &mut grant.session {
            *session = name("session", session);
        }
        for value in grant.conditions.values_mut().chain(grant.require.values_mut()) {
            if value != "*" {
                *value = name("value", value);
            }
        }
    }
}

/// Texts that the slice of a subject must not hold.
fn secrets(world: &World, oracle: &Oracle, id: &str) -> BTreeSet<(&'static str, String)> {
    let principals = principals(world, id);
    let mut secrets = BTreeSet::new();
    for other in &world.subjects {
        if other.id != id {
            secrets.insert(("the id", after_colon(&other.id).to_string()));
            secrets.extend(other.aliases.iter().map(|alias| ("the alias", alias.clone())));
        }
    }
    let holds = |holder: &str| {
        let own_roles = world.assignments.iter().filter(|it| principals.contains(it.subject.as_str()));
        principals.contains(holder) || own_roles.into_iter().any(|it| it.role == holder)
    };
    for role in &world.roles {
        // Names of roles are for those who may read roles.
        secrets.insert(("the role's name", role.name.clone()));
        if !holds(&role.id) {
            secrets.insert(("the role", after_colon(&role.id).to_string()));
        }
    }
    let values = |grant: &Grant| {
        let values = grant.conditions.values().chain(grant.require.values()).chain(&grant.session);
        values.filter(|value| *value != "*").cloned().collect::<Vec<_>>()
    };
    let shared: BTreeSet<String> =
        world.grants.iter().filter(|it| holds(&it.subject)).flat_map(values).collect();
    for grant in world.grants.iter().filter(|it| !holds(&it.subject)) {
        secrets.extend(
            values(grant).into_iter().filter(|it| !shared.contains(it)).map(|it| ("the condition", it)),
        );
    }
    for resource in &world.resources {
        let node = Node { kind: resource.at.kind.clone(), id: resource.at.id.clone() };
        let is_scope = world.catalog.types[&node.kind].scope;
        let is_here = |at: &Option<postern_world::ResourceRef>| at.as_ref() == Some(&resource.at);
        let reached = resource.owner.as_deref().is_some_and(|owner| holds(&canonical(world, owner)))
            || world.assignments.iter().any(|it| is_here(&it.at) && holds(&it.subject))
            || world.grants.iter().any(|it| is_here(&it.at) && holds(&it.subject));
        if if is_scope { !oracle.slice_lists_scope(id, &node) && !reached } else { !reached } {
            secrets.insert(("the resource", node.id));
        }
    }
    secrets
}

/// The subject, its aliases, and its groups at any time, with theirs.
fn principals<'w>(world: &'w World, id: &'w str) -> BTreeSet<&'w str> {
    let mut principals = BTreeSet::from([id]);
    if id.starts_with("user:") {
        principals.insert("user:all");
    }
    loop {
        let before = principals.len();
        for membership in &world.memberships {
            let member = canonical(world, &membership.subject);
            if principals.contains(member.as_str()) {
                let group = canonical(world, &membership.group);
                principals.extend(world.subjects.iter().map(|it| it.id.as_str()).find(|it| *it == group));
            }
        }
        if principals.len() == before {
            break;
        }
    }
    let facts = world.assignments.iter().map(|it| it.subject.as_str());
    let facts = facts.chain(world.grants.iter().map(|it| it.subject.as_str()));
    let aliased: Vec<&str> = facts.filter(|it| principals.contains(canonical(world, it).as_str())).collect();
    principals.extend(aliased);
    principals
}

fn canonical(world: &World, id: &str) -> String {
    for subject in &world.subjects {
        let kind = subject.id.split_once(':').map_or("", |(kind, _)| kind);
        if subject.aliases.iter().any(|alias| format!("{kind}:{alias}") == id) {
            return subject.id.clone();
        }
    }
    id.to_string()
}
