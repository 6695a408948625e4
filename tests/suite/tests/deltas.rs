//! Deltas: `apply(old, diff(old, new))` is `new`, byte for byte, and nothing else ever comes out.

use postern_fuzzing::fitting;
use postern_snapshot::{DeltaError, DeltaHead, Facts, Prints, Snapshot, apply, diff, slice};
use postern_suite::engines::compile;
use postern_testkit::workload::generate;
use postern_testkit::{Chance, random};
use postern_world::{ResourceRef, World};

/// One of a list's elements less, if there is one.
fn without<T>(chance: &mut Chance, list: &mut Vec<T>) {
    if !list.is_empty() {
        list.remove(chance.below(list.len()));
    }
}

/// A later revision of a world: some facts less.
fn later(chance: &mut Chance, world: &World) -> World {
    let mut world = world.clone();
    for _ in 0..chance.between(1, 3) {
        match chance.below(5) {
            0 => without(chance, &mut world.assignments),
            1 => without(chance, &mut world.grants),
            2 => without(chance, &mut world.memberships),
            3 => without(chance, &mut world.resources),
            _ => {
                if let Some(role) = world.roles.first_mut() {
                    let count = role.permissions.len();
                    role.permissions.truncate(count.saturating_sub(1));
                }
            }
        }
    }
    world.revision = world.revision.wrapping_add(1);
    world
}

fn bytes_of(world: &World) -> Vec<u8> {
    compile(world).to_bytes()
}

/// Random worlds, each with the bytes of two revisions of it.
fn revisions(seeds: std::ops::Range<u64>) -> impl Iterator<Item = (u64, Chance, World, [Vec<u8>; 2])> {
    seeds.filter_map(|seed| {
        let mut chance = Chance::new(seed);
        let world = random::world(&mut chance);
        let next = later(&mut chance, &world);
        next.validate().is_ok().then(|| (seed, chance, world.clone(), [bytes_of(&world), bytes_of(&next)]))
    })
}

fn open(bytes: &[u8]) -> Snapshot<'_> {
    Snapshot::open(bytes).expect("written by our writer")
}

#[test]
fn applying_a_delta_gives_the_new_bytes() {
    let (mut small, mut all) = (0, 0);
    for (seed, mut chance, _, [old, new]) in revisions(70_000..70_600) {
        // There and back: adding is taking away, seen from the other side.
        for (from, to) in [(&old, &new), (&new, &old), (&old, &old)] {
            let delta = diff(&open(from), &open(to));
            assert_eq!(apply(&open(from), &delta).as_ref(), Ok(to), "seed {seed}");
            all += 1;
            small += usize::from(!DeltaHead::read(&delta).unwrap().whole);
        }
        let unrelated = bytes_of(&random::world(&mut chance));
        let delta = diff(&open(&old), &open(&unrelated));
        assert_eq!(apply(&open(&old), &delta), Ok(unrelated), "seed {seed}: anything leads to anything");
    }
    assert!(small * 10 > all * 8, "{small} of {all} deltas say what changed");
}

#[test]
fn slices_have_deltas_too() {
    let mut compared = 0;
    for (seed, _, world, [old, new]) in revisions(71_000..71_150) {
        for subject in world.subjects.iter().take(6) {
            let cut = |bytes: &[u8]| slice(&open(bytes), &subject.id).unwrap().to_bytes();
            let (from, to) = (cut(&old), cut(&new));
            let delta = diff(&open(&from), &open(&to));
            assert_eq!(apply(&open(&from), &delta), Ok(to), "seed {seed}, {}", subject.id);
            assert!(apply(&open(&old), &delta).is_err(), "a slice is not the snapshot that it was cut from");
            compared += 1;
        }
    }
    assert!(compared > 300, "{compared}");
}

#[test]
fn one_changed_assignment_is_a_few_hundred_bytes() {
    let mut world = generate(20_000, 1, 7).world();
    let old = bytes_of(&world);
    world.revision = world.revision.wrapping_add(1);
    let user = world.assignments[5000].subject.clone();
    let place = world.assignments.iter().rposition(|assignment| assignment.subject == user).unwrap();
    world.assignments.remove(place);
    let new = bytes_of(&world);
    let delta = diff(&open(&old), &open(&new));
    assert_eq!(apply(&open(&old), &delta), Ok(new.clone()));
    assert!(delta.len() < 300, "an assignment less takes {} bytes of {}", delta.len(), new.len());

    // A new site and a role at it: numbers of strings, resources and bindings move in every row.
    let site = world.resources[3].clone();
    let place = ResourceRef { id: "site-005a".into(), ..site.at.clone() };
    world.resources.push(postern_world::Resource { at: place.clone(), ..site });
    let mut assignment = world.assignments[0].clone();
    assignment.at = Some(place);
    world.assignments.push(assignment);
    world.revision = world.revision.wrapping_add(1);
    let newer = bytes_of(&world);
    let delta = diff(&open(&new), &open(&newer));
    assert_eq!(apply(&open(&new), &delta), Ok(newer.clone()));
    assert!(delta.len() < 400, "a new place takes {} bytes of {}", delta.len(), newer.len());
}

#[test]
fn a_delta_is_for_one_snapshot_only() {
    let mut chance = Chance::new(72_000);
    let world = random::world(&mut chance);
    let mut next = world.clone();
    next.revision = next.revision.wrapping_add(1);
    let mut other = world.clone();
    other.organization = "another".into();
    let [old, new, other] = [&world, &next, &other].map(bytes_of);
    let delta = diff(&open(&old), &open(&new));
    assert!(matches!(apply(&open(&new), &delta), Err(DeltaError::Base { .. })));
    assert!(matches!(apply(&open(&other), &delta), Err(DeltaError::Base { .. })));
    let mut same_revision = world.clone();
    same_revision.assignments.clear();
    same_revision.grants.clear();
    let fork = bytes_of(&same_revision);
    if fork != old {
        assert_eq!(apply(&open(&fork), &delta), Err(DeltaError::OtherBytes));
    }
    assert_eq!(apply(&open(&old), &old), Err(DeltaError::NotADelta));
    assert_eq!(apply(&open(&old), b"POSTERN+"), Err(DeltaError::Checksum));
    let mut future = delta.clone();
    future[8] = 9;
    assert_eq!(apply(&open(&old), &future), Err(DeltaError::Version { expected: 1, got: 9 }));
}

/// Damage is refused, also behind a checksum that fits.
#[test]
fn a_damaged_delta_gives_an_error() {
    let (mut refused, mut harmless) = (0, 0);
    for (seed, mut chance, _, [old, new]) in revisions(73_000..73_060) {
        let snapshot = open(&old);
        let delta = diff(&snapshot, &open(&new));
        for cut in 0..delta.len() {
            assert!(apply(&snapshot, &delta[..cut]).is_err(), "seed {seed}: cut at {cut}");
        }
        for _ in 0..300 {
            let mut bytes = delta.clone();
            for _ in 0..chance.between(1, 3) {
                let at = chance.below(bytes.len());
                bytes[at] ^= 1 << chance.below(8);
            }
            if bytes == delta {
                continue;
            }
            assert!(apply(&snapshot, &bytes).is_err(), "seed {seed}: a flipped bit");
            let sealed = fitting(&bytes);
            match apply(&snapshot, &sealed) {
                // Some bits change nothing: what comes out is then what the writer had.
                Ok(result) => {
                    assert_eq!(result, new, "seed {seed}");
                    harmless += 1;
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > 5000 && harmless < refused / 20, "{refused} refused, {harmless} harmless");
}

/// Facts and their bytes are one: what was applied decides like what was compiled.
#[test]
fn what_was_applied_slices_like_what_was_compiled() {
    let mut chance = Chance::new(74_000);
    let world = random::world(&mut chance);
    let next = later(&mut chance, &world);
    let (old, new) = (bytes_of(&world), bytes_of(&next));
    let applied = apply(&open(&old), &diff(&open(&old), &open(&new))).unwrap();
    let cut = |bytes: &[u8], subject: &str| slice(&open(bytes), subject).map(|facts: Facts| facts.to_bytes());
    for subject in &world.subjects {
        assert_eq!(cut(&applied, &subject.id), cut(&new, &subject.id));
    }
}

/// Whose fingerprint a change leaves as it was has the slice from before, in everything but its revision.
#[test]
fn who_is_not_concerned_keeps_the_slice() {
    let keys = std::hash::RandomState::new();
    let (mut kept, mut concerned, mut wrongly) = (0, 0, 0);
    for (seed, _, world, [old, new]) in revisions(73_000..75_000) {
        let (old, new) = (open(&old), open(&new));
        let (before, after) = (Prints::of(&old, &keys), Prints::of(&new, &keys));
        let subjects = world.subjects.iter().map(|subject| subject.id.clone());
        let aliases = world.subjects.iter().flat_map(|subject| {
            let kind = subject.id.split(':').next().unwrap_or_default();
            subject.aliases.iter().map(move |alias| format!("{kind}:{alias}"))
        });
        let holders = world.assignments.iter().map(|it| it.subject.clone());
        let holders = holders.chain(world.grants.iter().map(|it| it.subject.clone()));
        let strangers = ["user:nobody-knows", "service:nobody-knows"].map(str::to_owned);
        for subject in subjects.chain(aliases).chain(holders).chain(strangers) {
            let [Ok(from), Ok(to)] = [&old, &new].map(|snapshot| slice(snapshot, &subject)) else { continue };
            let (from, to) = (from.to_bytes(), to.to_bytes());
            let same = open(&from).facts() == open(&to).facts();
            if before.of_subject(&old, &subject) == after.of_subject(&new, &subject) {
                assert!(same, "seed {seed}: {subject} has another slice and is not told");
                kept += 1;
            } else {
                concerned += 1;
                wrongly += usize::from(same);
            }
        }
    }
    assert!(kept > 2000 && concerned > 2000, "{kept} {concerned}");
    assert!(wrongly * 2 < concerned, "{wrongly} of {concerned} are told of what does not concern them");
}

/// One changed assignment concerns its holder, and nobody else.
#[test]
fn one_changed_assignment_concerns_one() {
    let keys = std::hash::RandomState::new();
    let world = generate(2000, 0, 1).world();
    let mut next = world.clone();
    let removed = next.assignments.remove(700);
    let (old, new) = (bytes_of(&world), bytes_of(&next));
    let (old, new) = (open(&old), open(&new));
    let (before, after) = (Prints::of(&old, &keys), Prints::of(&new, &keys));
    let concerned = world
        .subjects
        .iter()
        .filter(|subject| before.of_subject(&old, &subject.id) != after.of_subject(&new, &subject.id));
    let concerned: Vec<&str> = concerned.map(|subject| &*subject.id).collect();
    assert_eq!(concerned, [removed.subject.as_str()]);
}
