//! What `docs/semantics.md` section 7 says of every world.

use postern_suite::engines::{Engine, compile, on, open, slice_bytes};
use postern_testkit::json::{Style, query_text, world_text};
use postern_testkit::{Chance, random};
use postern_world::{Assignment, Effect, Grant, Op, Query, World};

const ALLOW: &str = r#"{"decision":"allow""#;

/// A world without one fact, or with one more, and what the change is called.
type Changed = (World, &'static str);

/// Removing what gives, or adding what takes, gives nobody anything.
#[test]
fn taking_away_never_allows() {
    let (mut compared, mut lost) = (0, 0);
    for seed in 10_000..10_400 {
        let mut chance = Chance::new(seed);
        let world = random::world(&mut chance);
        let mut queries = random::queries(&mut chance, &world, 60);
        queries.retain(|query| query.op == Op::Check);
        let mut before = Engine::Native.load(&world);
        let answers: Vec<String> = queries.iter().map(|query| before.answer(query)).collect();
        for (less, change) in changes(&mut chance, &world) {
            less.validate().unwrap();
            let mut after = Engine::Native.load(&less);
            for (query, answer) in queries.iter().zip(&answers) {
                let now = after.answer(query);
                compared += 1;
                lost += usize::from(answer.starts_with(ALLOW) && !now.starts_with(ALLOW));
                assert!(
                    answer.starts_with(ALLOW) || !now.starts_with(ALLOW),
                    "seed {seed}: {change} turned {answer} into {now}\n{}\nfrom {}\nto {}",
                    query_text(query, Style::Terse),
                    world_text(&world, Style::Terse),
                    world_text(&less, Style::Terse),
                );
            }
        }
    }
    assert!(compared > 100_000, "{compared}");
    // The property would hold for changes that change nothing, too.
    assert!(lost > 1000, "{lost}");
}

fn changes(chance: &mut Chance, world: &World) -> Vec<Changed> {
    let mut changes: Vec<Changed> = Vec::new();
    for (index, grant) in world.grants.iter().enumerate() {
        if grant.effect == Effect::Allow {
            let mut less = world.clone();
            less.grants.remove(index);
            changes.push((less, "removing an allow grant"));
        }
    }
    for (index, assignment) in world.assignments.iter().enumerate() {
        if !narrows(world, assignment) && !role_excludes(world, &assignment.role) {
            let mut less = world.clone();
            less.assignments.remove(index);
            changes.push((less, "removing an assignment without narrowing"));
        }
    }
    for index in 0..world.memberships.len() {
        if !group_takes(world) {
            let mut less = world.clone();
            less.memberships.remove(index);
            changes.push((less, "removing a membership without exclusions"));
        }
    }
    for _ in 0..3 {
        let keys: Vec<String> = world.catalog.permissions.keys().cloned().collect();
        let holders: Vec<String> = world.assignments.iter().map(|it| it.subject.clone()).collect();
        let mut less = world.clone();
        less.grants.push(Grant {
            subject: chance.pick(&holders).clone(),
            effect: Effect::Exclude,
            permissions: vec![chance.pick(&keys).clone()],
            at: chance.pick_any(&world.resources).map(|resource| resource.at.clone()),
            ..Grant::default()
        });
        changes.push((less, "adding an exclusion"));
    }
    changes
}

fn narrows(world: &World, assignment: &Assignment) -> bool {
    assignment.at.as_ref().is_some_and(|at| world.catalog.types[&at.kind].narrows)
}

/// An assignment carries the exclusions of its role.
fn role_excludes(world: &World, role: &str) -> bool {
    world.grants.iter().any(|grant| grant.effect == Effect::Exclude && grant.subject == role)
}

/// A membership carries all that its group holds, and counts as ownership: where any exclusion or narrowing assignment
/// is held by a group or asks for ownership, it may be what takes.
fn group_takes(world: &World) -> bool {
    let is_group = |holder: &str| holder.starts_with("group:");
    world
        .grants
        .iter()
        .any(|grant| grant.effect == Effect::Exclude && (is_group(&grant.subject) || grant.own))
        || world
            .assignments
            .iter()
            .any(|it| is_group(&it.subject) && (narrows(world, it) || role_excludes(world, &it.role)))
}

/// The same facts give the same bytes, whatever order they arrive in, and however often.
#[test]
fn the_order_of_facts_does_not_matter() {
    for seed in 20_000..20_500 {
        let mut chance = Chance::new(seed);
        let world = random::world(&mut chance);
        let bytes = compile(&world).to_bytes();
        let mut other = world.clone();
        shuffle(&mut chance, &mut other);
        let shuffled = compile(&other).to_bytes();
        assert!(
            bytes == shuffled,
            "seed {seed}: {}\nand in another order {}",
            world_text(&world, Style::Terse),
            world_text(&other, Style::Terse)
        );
        let subject = &chance.pick(&world.subjects).id;
        assert!(
            slice_bytes(&bytes, subject) == slice_bytes(&shuffled, subject),
            "seed {seed}: slice of {subject}"
        );

        // Not everything is the same: one fact less gives other bytes.
        other.subjects.push(postern_world::Subject { id: "user:one-more".to_string(), ..Default::default() });
        assert!(bytes != compile(&other).to_bytes(), "seed {seed}: a subject more");
    }
}

/// Puts every list into another order and says some facts twice.
fn shuffle(chance: &mut Chance, world: &mut World) {
    for _ in 0..2 {
        world.assignments.extend(chance.pick_any(&world.assignments.clone()).cloned());
        world.grants.extend(chance.pick_any(&world.grants.clone()).cloned());
        world.memberships.extend(chance.pick_any(&world.memberships.clone()).cloned());
    }
    chance.shuffle(&mut world.subjects);
    chance.shuffle(&mut world.memberships);
    chance.shuffle(&mut world.resources);
    chance.shuffle(&mut world.roles);
    chance.shuffle(&mut world.assignments);
    chance.shuffle(&mut world.grants);
    world.subjects.iter_mut().for_each(|subject| chance.shuffle(&mut subject.aliases));
    world.roles.iter_mut().for_each(|role| chance.shuffle(&mut role.permissions));
    world.grants.iter_mut().for_each(|grant| chance.shuffle(&mut grant.permissions));
    for resource in &mut world.resources {
        resource.parents.extend(chance.pick_any(&resource.parents.clone()).cloned());
        chance.shuffle(&mut resource.parents);
        resource
            .parents
            .iter_mut()
            .filter_map(|parent| parent.cap.as_mut())
            .for_each(|cap| chance.shuffle(cap));
    }
    for permission in world.catalog.permissions.values_mut() {
        chance.shuffle(&mut permission.implied_by);
        chance.shuffle(&mut permission.excluded_by);
    }
}

/// A slice says that it is one, and of which revision. Cut once more it answers the same, and only for its subject.
#[test]
fn a_slice_can_be_cut_again() {
    for seed in 30_000..30_200 {
        let mut chance = Chance::new(seed);
        let world = random::world(&mut chance);
        let whole = compile(&world).to_bytes();
        let ids: Vec<&str> = world.subjects.iter().map(|subject| subject.id.as_str()).collect();
        let (one, other) = (*chance.pick(&ids), *chance.pick(&ids));
        let slice = slice_bytes(&whole, one).unwrap();
        assert!(open(&slice).is_slice() && !open(&whole).is_slice());
        assert_eq!(open(&slice).revision(), world.revision);
        assert_eq!(open(&slice).organization(), world.organization);
        let again = slice_bytes(&slice, one).unwrap();
        for query in random::queries(&mut chance, &world, 60) {
            let query = Query { subject: one.to_string(), ..query };
            assert_eq!(
                on(&again, &query),
                on(&slice, &query),
                "seed {seed}: {}\n{}",
                query_text(&query, Style::Terse),
                world_text(&world, Style::Terse)
            );
        }
        if one != other {
            assert!(slice_bytes(&slice, other).is_err(), "seed {seed}: {other} from the slice of {one}");
        }
    }
}

/// An organization's answers depend on nothing but its own world: the same world under another name and revision.
#[test]
fn names_of_organizations_decide_nothing() {
    for seed in 40_000..40_100 {
        let mut chance = Chance::new(seed);
        let world = random::world(&mut chance);
        let queries: Vec<Query> = random::queries(&mut chance, &world, 60);
        let renamed = World { organization: "another".to_string(), revision: 1, ..world.clone() };
        for engine in Engine::measured() {
            let (mut first, mut second) = (engine.load(&world), engine.load(&renamed));
            for query in &queries {
                assert_eq!(first.answer(query), second.answer(query), "seed {seed}, {engine:?}");
            }
        }
    }
}
