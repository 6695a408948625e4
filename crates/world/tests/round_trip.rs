//! What is written is read back as it was, and what is damaged is refused in good order.

use postern_world::*;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

/// Texts that JSON has to escape, or that are several bytes long, beside plain ones.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{1,8}", "\\PC{1,12}", "[\"\\\\\u{0}-\u{1f}\u{7f}/é😀a-c]{1,6}"]
}

fn life() -> impl Strategy<Value = Life> {
    let time = || option::of(-62_167_219_200_000_000..=253_402_300_799_999_999_i64);
    (any::<bool>(), time(), time()).prop_map(|(active, not_before, expires_at)| Life {
        active,
        not_before,
        expires_at,
    })
}

fn list(of: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    vec(prop::sample::select(of).prop_map(String::from), 0..4)
}

fn dimensions() -> impl Strategy<Value = std::collections::BTreeMap<String, String>> {
    btree_map(text().prop_filter("reserved", |name| !name.starts_with("subject.")), text(), 0..3)
}

const KEYS: &[&str] = &["a:read", "a:write", "b.c:d:x", "Z-9:_"];
const PERMITTED: &[&str] = &["a:read", "Z-9:_", "a:*", "nothing:*", "*"];
const TYPES: [&str; 3] = ["site", "a b", "ü\"\\"];
const HOLDERS: &[&str] = &["user:0", "user:x\n", "user:all", "group:1", "service:é"];

fn resource_ref() -> impl Strategy<Value = ResourceRef> {
    (prop::sample::select(&TYPES), "[0-3]").prop_map(|(kind, id)| ResourceRef { kind: kind.into(), id })
}

fn catalog() -> impl Strategy<Value = Catalog> {
    let kind = (any::<bool>(), any::<bool>(), any::<bool>(), list(PERMITTED)).prop_map(
        |(scope, narrows, registered, owner_permissions)| ResourceType {
            scope,
            narrows,
            registered: registered || scope,
            owner_permissions,
        },
    );
    let permission = (text(), list(KEYS), list(KEYS), list(KEYS), any::<bool>()).prop_map(
        |(description, implied_by, excluded_by, requires, works_when_inactive)| Permission {
            description,
            implied_by,
            excluded_by,
            requires,
            works_when_inactive,
        },
    );
    (vec(kind, 3), vec(permission, KEYS.len())).prop_map(|(kinds, permissions)| Catalog {
        types: TYPES.map(String::from).into_iter().zip(kinds).collect(),
        permissions: KEYS.iter().map(|key| key.to_string()).zip(permissions).collect(),
    })
}

/// Some users and two groups; aliases are numbered, so that none stands for two.
fn subjects() -> impl Strategy<Value = Vec<Subject>> {
    vec((text(), dimensions(), life(), 0..3usize), 2..6).prop_map(|given| {
        let subject = |(index, (text, attributes, life, aliases)): (usize, (String, _, _, usize))| Subject {
            id: if index < 2 { format!("group:{index}") } else { format!("user:{text}{index}") },
            aliases: (0..aliases).map(|n| format!("alias {n} of {index} {text}")).collect(),
            attributes,
            life,
        };
        given.into_iter().enumerate().map(subject).collect()
    })
}

fn resources() -> impl Strategy<Value = Vec<Resource>> {
    let listed = || prop::sample::subsequence(vec![0, 1, 2, 3, 4, 5], 0..=6);
    let at = |n: usize| ResourceRef { kind: TYPES[n % 3].into(), id: (n / 3).to_string() };
    let parents = vec((0..6usize, option::of(list(&["read", "write", "unknown"]))), 0..3);
    let owner =
        option::of(prop::sample::select(vec!["user:0", "group:1", "service:é"]).prop_map(String::from));
    (listed(), vec((parents, owner, dimensions(), life()), 6)).prop_map(move |(numbers, rest)| {
        let listed = numbers.clone();
        let resource =
            |(n, (parents, owner, attributes, life)): (usize, (Vec<(usize, _)>, _, _, _))| Resource {
                at: at(n),
                parents: parents
                    .into_iter()
                    .filter(|(parent, _)| listed.contains(parent))
                    .map(|(parent, cap)| Parent { at: at(parent), cap })
                    .collect(),
                owner,
                attributes,
                life,
            };
        numbers.into_iter().zip(rest).map(resource).collect()
    })
}

const ROLES: &[&str] = &["role:tech", "role:global:0192f1c2-7aa0-7bcd-8eef-0123456789ab", "role:system:root"];

fn holder() -> impl Strategy<Value = String> {
    prop::sample::select(HOLDERS).prop_map(String::from)
}

fn grants() -> impl Strategy<Value = Vec<Grant>> {
    let holder = prop_oneof![holder(), prop::sample::select(ROLES).prop_map(String::from)];
    let effect = prop_oneof![Just(Effect::Allow), Just(Effect::Exclude)];
    let conditions = (dimensions(), dimensions(), any::<bool>(), option::of(text()), life());
    let grant = (holder, effect, list(PERMITTED), option::of(resource_ref()), conditions).prop_map(
        |(subject, effect, permissions, at, (conditions, require, own, session, life))| Grant {
            subject,
            effect,
            permissions,
            at,
            conditions,
            require,
            own,
            session,
            life,
        },
    );
    vec(grant, 0..4)
}

prop_compose! {
    fn world()(
        organization in text(),
        revision in any::<u64>(),
        catalog in catalog(),
        subjects in subjects(),
        memberships in vec((holder(), 0..2usize, life()), 0..4),
        resources in resources(),
        roles in vec((text(), list(PERMITTED), any::<bool>()), ROLES.len()),
        assignments in vec((holder(), prop::sample::select(ROLES), option::of(resource_ref()), life()), 0..4),
        grants in grants(),
    ) -> World {
        World {
            organization,
            revision,
            catalog,
            subjects,
            memberships: memberships
                .into_iter()
                .filter(|(subject, ..)| subject != "user:all")
                .map(|(subject, group, life)| Membership { subject, group: format!("group:{group}"), life })
                .collect(),
            resources,
            roles: ROLES
                .iter()
                .zip(roles)
                .map(|(id, (name, permissions, active))| Role { id: id.to_string(), name, permissions, active })
                .collect(),
            assignments: assignments
                .into_iter()
                .map(|(subject, role, at, life)| Assignment { subject, role: role.into(), at, life })
                .collect(),
            grants,
        }
    }
}

fn query() -> impl Strategy<Value = Query> {
    let about = (prop::sample::select(&Op::ALL), text(), text(), option::of(resource_ref()), text());
    let stated = (vec(resource_ref(), 0..3), option::of(text()), dimensions(), option::of(text()));
    let now = option::of(-62_167_219_200_000_000..=253_402_300_799_999_999_i64);
    (about, stated, now).prop_map(|((op, subject, permission, resource, kind), stated, now)| {
        let (parents, owner, dimensions, session) = stated;
        let lists = matches!(op, Op::Filter | Op::Subjects);
        let placed = matches!(op, Op::Check | Op::Explain | Op::Subjects | Op::Actions);
        Query {
            op,
            subject: if op == Op::Subjects { String::new() } else { subject },
            permission: if op == Op::Actions { String::new() } else { permission },
            resource: resource.filter(|_| placed),
            kind: if lists { kind } else { String::new() },
            parents,
            owner,
            dimensions,
            session,
            now,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_world_is_read_as_it_was_written(world in world()) {
        let text = world.to_json();
        prop_assert_eq!(World::parse(text.as_bytes()), Ok(world.clone()), "{}", text);
        // Another reader agrees that it is JSON, and on every string in it.
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(value["organization"].as_str(), Some(&*world.organization));
        // Another writer escapes differently, without spaces, in another order of members.
        prop_assert_eq!(World::parse(value.to_string().as_bytes()), Ok(world));
    }

    #[test]
    fn a_query_is_read_as_it_was_written(query in query()) {
        let text = query.to_json();
        prop_assert!(!text.contains('\n'));
        prop_assert_eq!(parse_query(&text), Ok(query.clone()), "{}", text);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(parse_query(&value.to_string()), Ok(query));
    }

    #[test]
    fn damage_is_refused_with_a_place_in_the_document(
        world in world(),
        at in any::<prop::sample::Index>(),
        length in 0..3usize,
        instead in prop_oneof!["[{}\\[\\]:,\"\\\\0-9a-z\u{0}-\u{1f} ]{0,3}", "\\PC{0,2}"],
    ) {
        let mut bytes = world.to_json().into_bytes();
        let at = at.index(bytes.len());
        bytes.splice(at..(at + length).min(bytes.len()), instead.into_bytes());
        match World::parse(&bytes) {
            // Damage within a string, or to a number, can be another world. It must be JSON for other readers, too.
            Ok(world) => {
                prop_assert!(serde_json::from_slice::<serde_json::Value>(&bytes).is_ok());
                prop_assert_eq!(World::parse(world.to_json().as_bytes()), Ok(world));
            }
            Err(error) => {
                let lines: Vec<&[u8]> = bytes.split(|&byte| byte == b'\n').collect();
                prop_assert!((1..=lines.len()).contains(&error.line), "{}", error);
                prop_assert!((1..=lines[error.line - 1].len() + 1).contains(&error.column), "{}", error);
                prop_assert!(error.path.starts_with('$') && !error.message.is_empty());
            }
        }
    }
}

#[test]
fn the_document_has_a_fact_a_line_and_no_defaults() {
    let world = World {
        organization: "acme".into(),
        revision: 3,
        catalog: Catalog {
            types: [("site".to_string(), ResourceType { scope: true, ..ResourceType::default() })].into(),
            permissions: [("site:read".to_string(), Permission::default())].into(),
        },
        subjects: vec![Subject { id: "user:a".into(), ..Subject::default() }],
        resources: vec![Resource {
            at: ResourceRef { kind: "site".into(), id: "s1".into() },
            parents: vec![Parent {
                at: ResourceRef { kind: "site".into(), id: "s1".into() },
                cap: Some(vec![]),
            }],
            owner: None,
            attributes: Default::default(),
            life: Life { active: false, not_before: Some(1_500_000), expires_at: None },
        }],
        grants: vec![Grant { subject: "user:a".into(), ..Grant::default() }],
        ..World::default()
    };
    let expected = r#"{
  "format": "postern-world/1",
  "organization": "acme",
  "revision": 3,
  "catalog": {
    "types": {
      "site": {"scope": true}
    },
    "permissions": {
      "site:read": {}
    }
  },
  "subjects": [
    {"id": "user:a"}
  ],
  "memberships": [],
  "resources": [
    {"type": "site", "id": "s1", "parents": [{"type": "site", "id": "s1", "relation": "ref"}], "active": false, "not_before": "1970-01-01T00:00:01.5Z"}
  ],
  "roles": [],
  "assignments": [],
  "grants": [
    {"subject": "user:a", "effect": "allow", "permissions": []}
  ]
}
"#;
    assert_eq!(world.to_json(), expected);
    assert!(World::default().to_json().contains("\"types\": {},\n    \"permissions\": {}\n  },\n"));
}
