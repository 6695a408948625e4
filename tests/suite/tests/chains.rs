//! Long chains of parents, and loops that only forged bytes could hold.

use postern_fuzzing::fitting;
use postern_snapshot::{OpenError, Snapshot};
use postern_suite::engines::{Engine, compile};
use postern_world::{Op, Query, World};
use serde_json::{Value, json};

/// Sites one above the other, the first at the bottom, and a subject who may read from the site `at` on downwards.
fn chain(sites: usize, at: usize) -> World {
    let resources: Vec<Value> = (0..sites)
        .map(|number| {
            let above = (number + 1 < sites).then(|| json!({"type": "site", "id": format!("s{}", number + 1)}));
            json!({"type": "site", "id": format!("s{number}"), "parents": above.into_iter().collect::<Vec<_>>()})
        })
        .collect();
    let world = json!({
        "format": "postern-world/1", "organization": "acme", "revision": 1,
        "catalog": {"types": {"site": {"scope": true}}, "permissions": {"site:read": {}}},
        "subjects": [{"id": "user:a"}], "resources": resources,
        "roles": [{"id": "role:reader", "name": "Reader", "permissions": ["site:read"]}],
        "assignments": [{"subject": "user:a", "role": "role:reader", "at": {"type": "site", "id": format!("s{at}")}}],
        "grants": [],
    });
    World::parse(world.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn chains_of_any_length_are_decided_alike() {
    for sites in [2, 6, 7, 8, 63, 64, 65, 66, 67, 130, 500] {
        let world = chain(sites, sites - 1);
        let mut engines: Vec<_> =
            [Engine::Native, Engine::Snapshot, Engine::Slice].map(|engine| engine.load(&world)).into();
        for number in [0, 1, sites / 2, sites - 2, sites - 1] {
            let query = Query {
                op: Op::Check,
                subject: "user:a".into(),
                permission: "site:read".into(),
                resource: Some(postern_world::ResourceRef { kind: "site".into(), id: format!("s{number}") }),
                ..Query::default()
            };
            for engine in &mut engines {
                assert_eq!(
                    engine.answer(&query),
                    r#"{"decision":"allow","reason":"assignment"}"#,
                    "{number} of {sites}"
                );
            }
        }
    }
}

#[test]
fn a_forged_loop_of_parents_is_refused() {
    let bytes = compile(&chain(3, 2)).to_bytes();
    Snapshot::open(&bytes).expect("written by our writer");
    // The last section are the rows of the resources: a string, the parent and an extension, four bytes each.
    let up_of = |entry: usize| bytes.len() - 12 * 3 + 12 * entry + 4;
    for loop_of in [&[0, 1][..], &[0, 1, 2], &[1]] {
        let mut forged = bytes.clone();
        for (place, entry) in loop_of.iter().enumerate() {
            let next = loop_of[(place + 1) % loop_of.len()] as u32 + 1;
            forged[up_of(*entry)..up_of(*entry) + 4].copy_from_slice(&next.to_le_bytes());
        }
        let refused = Snapshot::open(&fitting(&forged)).map(|_| ());
        assert!(
            matches!(refused, Err(OpenError::Malformed { section: "resources", .. })),
            "{loop_of:?}: {refused:?}"
        );
    }
}
