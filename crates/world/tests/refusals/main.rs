//! Every reason to refuse a world, with the place and the words of the error.

mod facts;
mod syntax;
mod values;

use postern_world::World;

/// A world that is accepted. Each case replaces one piece of it.
const WORLD: &str = r#"{
  "format": "postern-world/1",
  "organization": "acme",
  "revision": 7,
  "catalog": {
    "types": {
      "site": {"scope": true, "narrows": true},
      "secret": {"owner_permissions": ["secret:*"]}
    },
    "permissions": {
      "miner:reboot": {"description": "Restart", "implied_by": ["miner:all"], "excluded_by": [], "requires": ["miner:read"]},
      "miner:all": {"works_when_inactive": false},
      "miner:read": {},
      "remote:mcp:call": {}
    }
  },
  "subjects": [
    {"id": "user:a", "aliases": ["ann@example.com"], "attributes": {"role": "admin"}, "active": true},
    {"id": "user:b", "not_before": "2026-01-01T00:00:00Z"},
    {"id": "group:ops", "aliases": ["operations"]}
  ],
  "memberships": [
    {"subject": "user:a", "group": "group:ops"},
    {"subject": "user:b", "group": "group:operations"}
  ],
  "resources": [
    {"type": "site", "id": "s1", "owner": "user:a"},
    {"type": "secret", "id": "k1", "parents": [{"type": "site", "id": "s1", "relation": "ref", "cap": ["read"]}],
     "attributes": {"department": "Legal"}}
  ],
  "roles": [
    {"id": "role:tech", "name": "Field tech", "permissions": ["miner:read", "miner:*", "*"]},
    {"id": "role:global:0192f1c2-7aa0-7bcd-8eef-0123456789ab", "permissions": []}
  ],
  "assignments": [
    {"subject": "user:a", "role": "role:tech", "at": {"type": "site", "id": "s1"}},
    {"subject": "user:all", "role": "role:tech", "at": null, "expires_at": null}
  ],
  "grants": [
    {"subject": "role:tech", "effect": "exclude", "permissions": ["secret:*"], "at": {"type": "site", "id": "far"},
     "where": {"x": "1"}, "require": {"y": "2"}, "own": true, "session": "s-9"},
    {"subject": "user:unlisted", "effect": "allow", "permissions": ["miner:read"]}
  ]
}
"#;

/// The piece that is replaced, what stands there instead, with `¦` before the place that the error names, the path,
/// and a part of the message.
type Case<'a> = (&'a str, &'a str, &'a str, &'a str);

fn check(cases: &[Case]) {
    for &(piece, instead, path, message) in cases {
        assert_eq!(WORLD.matches(piece).count(), 1, "the piece `{piece}` is not there just once");
        let marked = WORLD.replace(piece, instead);
        let (before, _) = marked.split_once('¦').expect("no place is marked");
        let line = before.lines().count().max(1) + usize::from(before.ends_with('\n'));
        let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
        let error = match World::parse(marked.replace('¦', "").as_bytes()) {
            Ok(_) => panic!("`{instead}` is accepted"),
            Err(error) => error,
        };
        assert_eq!((error.line, error.column, &*error.path), (line, column, path), "`{instead}`: {error}");
        assert!(error.message.contains(message), "`{instead}`: {error}");
    }
}

#[test]
fn the_world_without_a_mistake_is_accepted() {
    let world = World::parse(WORLD.as_bytes()).unwrap();
    assert_eq!((world.subjects.len(), world.grants.len(), world.revision), (3, 2, 7));
    assert_eq!(world.resources[1].parents[0].cap, Some(vec!["read".to_string()]));
    let least = br#"{"format":"postern-world/1","organization":"o","revision":18446744073709551615}"#;
    assert_eq!(World::parse(least).unwrap().revision, u64::MAX);
}

#[test]
fn messages_stay_on_one_line() {
    let text = WORLD.replace("\"role:tech\", \"at\": null", "\"role:\\n\\u001b[31m\", \"at\": null");
    let error = World::parse(text.as_bytes()).unwrap_err();
    assert!(!error.to_string().chars().any(char::is_control), "{error}");
    assert!(error.message.contains(r"`role:\n\u{1b}[31m`"), "{error}");
}

#[test]
fn a_world_in_memory_is_checked_without_a_place() {
    let mut world = World::parse(WORLD.as_bytes()).unwrap();
    assert_eq!(world.validate(), Ok(()));
    world.assignments[1].role = "role:gone".into();
    let error = world.validate().unwrap_err();
    assert_eq!((error.line, error.column, &*error.path), (0, 0, "$.assignments[1].role"));
    assert!(error.to_string().starts_with("$.assignments[1].role: the role"), "{error}");
    world.assignments[1].role = "role:tech".into();
    world.assignments[1].life.expires_at = Some(i64::MAX);
    assert_eq!(world.validate().unwrap_err().path, "$.assignments[1].expires_at");
}

#[test]
fn files() {
    let error = World::read_file("no/such/world.json").unwrap_err().to_string();
    assert!(error.starts_with("no/such/world.json: cannot read: "), "{error}");
    let file = std::env::temp_dir().join(format!("postern-world-{}.json", std::process::id()));
    std::fs::write(&file, WORLD.replace("\"revision\": 7", "\"revision\": true")).unwrap();
    let error = World::read_file(&file).unwrap_err().to_string();
    assert!(error.ends_with(".json: line 4, column 15, $.revision: expected a whole number from 0 to 18446744073709551615, found a boolean"), "{error}");
    // A sparse file: larger than the limit, without using any space.
    std::fs::File::create(&file).unwrap().set_len(512 * 1024 * 1024 + 1).unwrap();
    let error = World::read_file(&file).unwrap_err().to_string();
    std::fs::remove_file(&file).unwrap();
    assert!(error.contains("larger than 536870912 bytes"), "{error}");
}
