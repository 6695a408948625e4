//! A residual, carried out on the listed resources of the type, selects what `filter` lists.

use postern_compile::compile;
use postern_resolver::{Context, Residual, filter, residual};
use postern_testkit::Chance;
use postern_testkit::random::{NOW, world};
use postern_world::World;
use std::collections::{BTreeMap, BTreeSet};

fn carried_out(world: &World, kind: &str, residual: Residual) -> Vec<String> {
    let listed: BTreeSet<&str> =
        world.resources.iter().filter(|row| row.at.kind == kind).map(|row| row.at.id.as_str()).collect();
    let ids: Vec<&str> = match &residual {
        Residual::All => listed.into_iter().collect(),
        Residual::AllExcept(ids) => {
            listed.into_iter().filter(|id| !ids.iter().any(|other| other == id)).collect()
        }
        Residual::Only(ids) => listed.into_iter().filter(|id| ids.iter().any(|other| other == id)).collect(),
        Residual::None => Vec::new(),
    };
    ids.into_iter().map(str::to_owned).collect()
}

#[test]
fn a_residual_selects_what_filter_lists() {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in 0..400 {
        let world = world(&mut Chance::new(700_000 + seed));
        let facts = compile(&world).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let context = Context { now: NOW, ..Context::default() };
        for subject in &world.subjects {
            for permission in world.catalog.permissions.keys() {
                for kind in world.catalog.types.keys() {
                    let Ok(listed) = filter(&facts, &subject.id, permission, kind, &context) else {
                        continue;
                    };
                    let Ok(found) = residual(&facts, &subject.id, permission, kind, &context) else {
                        panic!("seed {seed}: filter answers and residual does not")
                    };
                    let form = match &found {
                        Residual::All => "all",
                        Residual::AllExcept(ids) => {
                            assert!(!ids.is_empty());
                            "all_except"
                        }
                        Residual::Only(ids) => {
                            assert!(!ids.is_empty());
                            "only"
                        }
                        Residual::None => "none",
                    };
                    *seen.entry(form).or_default() += 1;
                    assert_eq!(
                        carried_out(&world, kind, found),
                        listed,
                        "seed {seed}: {} {permission} {kind}",
                        subject.id
                    );
                }
            }
        }
    }
    for form in ["all", "all_except", "only", "none"] {
        assert!(seen.get(form).is_some_and(|count| *count > 20), "{seen:?}");
    }
}
