//! Deciding on numbers and as a mask is deciding by text.

use postern_resolver::{
    Context, ORGANIZATION, Question, check, check_handles, mask, permission_handle, resource_handle,
    subject_handle,
};
use postern_snapshot::Opened;
use postern_suite::engines::{compile, open};
use postern_testkit::random::NOW;
use postern_testkit::{Chance, random};
use postern_vocab::Decision;

#[test]
fn handles_and_masks_decide_like_texts() {
    let mut compared = 0;
    for seed in 0..300 {
        let mut chance = Chance::new(seed);
        let world = random::world(&mut chance);
        let bytes = compile(&world).to_bytes();
        let view = open(&bytes);
        let now = NOW + *chance.pick(&[0, 0, -1, 1, 86_400_000_000]);
        let context = Context { now, ..Context::default() };

        let listed = world.subjects.iter().map(|subject| subject.id.as_str());
        let holders = world.assignments.iter().map(|assignment| assignment.subject.as_str());
        let subjects: Vec<&str> = listed.chain(holders.filter(|&holder| holder != "user:all")).collect();
        let places = [None].into_iter().chain(
            world.resources.iter().map(|resource| Some((resource.at.kind.as_str(), resource.at.id.as_str()))),
        );
        for resource in places {
            let place = match resource {
                None => ORGANIZATION,
                Some((kind, id)) => resource_handle(&view, kind, id).unwrap(),
            };
            for &subject in &subjects {
                // One that is listed, or that an assignment names, has a number; an inactive fact may be left out.
                let Some(who) = subject_handle(&view, subject) else {
                    continue;
                };
                let mut bits = vec![0u8; world.catalog.permissions.len().div_ceil(8)];
                mask(&view, who, place, now, &mut bits);
                for (number, permission) in world.catalog.permissions.keys().enumerate() {
                    let handle = permission_handle(&view, permission).unwrap();
                    assert_eq!(
                        handle as usize, number,
                        "permissions are numbered in the order of their keys"
                    );
                    let question = Question { subject, permission, resource, context };
                    let reason = check(&view, &question).unwrap();
                    assert_eq!(
                        check_handles(&view, who, handle, place, now),
                        reason,
                        "seed {seed}: {question:?}"
                    );
                    let bit = bits[number / 8] >> (number % 8) & 1 == 1;
                    assert_eq!(
                        bit,
                        reason.decision() == Decision::Allow,
                        "seed {seed}: mask of {question:?}"
                    );
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 100_000, "{compared}");
}

/// A snapshot that is kept answers as the one that was opened, and what cannot be opened cannot be kept.
#[test]
fn opened_bytes_stay_opened() {
    let mut chance = Chance::new(3);
    for _ in 0..50 {
        let world = random::world(&mut chance);
        let bytes = compile(&world).to_bytes();
        let kept = Opened::new(bytes.clone()).unwrap();
        let opened = open(&bytes);
        assert_eq!(kept.snapshot().counts(), opened.counts());
        assert_eq!(kept.bytes(), &bytes);
        for subject in 0..opened.counts().subjects {
            for permission in 0..opened.counts().permissions {
                for resource in 0..=opened.counts().resources {
                    let ask = |view| check_handles(view, subject, permission, resource, NOW);
                    assert_eq!(ask(&kept.snapshot()), ask(&opened));
                }
            }
        }
        let mut damaged = bytes;
        let at = chance.below(damaged.len());
        damaged[at] ^= 1;
        assert!(Opened::new(damaged).is_err());
    }
}
