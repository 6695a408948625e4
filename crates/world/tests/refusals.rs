//! Every reason to refuse a world, with the place and the words of the error.

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
    {"subject": "user:unlisted", "permissions": ["miner:read"]}
  ]
}
"#;

/// The piece that is replaced, what stands there instead, with `¦` before the place that the error names, the path,
/// and a part of the message.
type Case<'a> = (&'a str, &'a str, &'a str, &'a str);

fn check(cases: &[Case]) {
    for &(piece, instead, path, message) in cases {
        assert_eq!(
            WORLD.matches(piece).count(),
            1,
            "the piece `{piece}` is not there just once"
        );
        let marked = WORLD.replace(piece, instead);
        let (before, _) = marked.split_once('¦').expect("no place is marked");
        let line = before.lines().count().max(1) + usize::from(before.ends_with('\n'));
        let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
        let error = match World::parse(marked.replace('¦', "").as_bytes()) {
            Ok(_) => panic!("`{instead}` is accepted"),
            Err(error) => error,
        };
        assert_eq!(
            (error.line, error.column, &*error.path),
            (line, column, path),
            "`{instead}`: {error}"
        );
        assert!(error.message.contains(message), "`{instead}`: {error}");
    }
}

#[test]
fn the_world_without_a_mistake_is_accepted() {
    let world = World::parse(WORLD.as_bytes()).unwrap();
    assert_eq!(
        (world.subjects.len(), world.grants.len(), world.revision),
        (3, 2, 7)
    );
    assert_eq!(world.resources[1].parents[0].cap, Some(vec!["read".to_string()]));
    let least = br#"{"format":"postern-world/1","organization":"o","revision":18446744073709551615}"#;
    assert_eq!(World::parse(least).unwrap().revision, u64::MAX);
}

#[test]
fn what_is_not_json() {
    check(&[
        (
            "\"revision\": 7",
            "\"revision\": 7 ¦7",
            "$.revision",
            "expected `,` or `}`",
        ),
        (
            "\"revision\": 7",
            "\"revision\" ¦7",
            "$.revision",
            "expected `:` after the name `revision`",
        ),
        (
            "\"revision\": 7",
            "\"revision\": ¦07",
            "$.revision",
            "expected a whole number",
        ),
        (
            "\"revision\": 7",
            "¦revision: 7",
            "$",
            "expected the name of a member",
        ),
        (
            "\"active\": true}",
            "\"active\": true, ¦}",
            "$.subjects[0]",
            "remove the comma",
        ),
        (
            "\"active\": true",
            "\"active\": ¦True",
            "$.subjects[0].active",
            "something that is not JSON",
        ),
        (
            "\"active\": true",
            "\"active\": ¦truer",
            "$.subjects[0].active",
            "expected `true`",
        ),
        ("\"acme\"", "\"ac¦\tme\"", "$.organization", "control character"),
        (
            "\"acme\"",
            "\"ac¦\\xme\"",
            "$.organization",
            "an escape that JSON does not have",
        ),
        (
            "\"acme\"",
            "\"ac¦\\u12g4\"",
            "$.organization",
            "four hexadecimal digits",
        ),
        (
            "\"acme\"",
            "\"ac¦\\ud800\"",
            "$.organization",
            "half of a surrogate pair",
        ),
        (
            "\"acme\"",
            "\"ac¦\\ud800\\u0041\"",
            "$.organization",
            "half of a surrogate pair",
        ),
        (
            "\"acme\"",
            "\"ac¦\\udc00\"",
            "$.organization",
            "half of a surrogate pair",
        ),
        ("  ]\n}\n", "  ]\n}¦{}", "$", "after the end of the document"),
        ("  ]\n}\n", "  ]\n¦", "$.grants", "`}` is missing"),
        (
            "{\n  \"format\"",
            "¦\u{feff}{\n  \"format\"",
            "$",
            "byte order mark",
        ),
    ]);
}

#[test]
fn what_is_not_text() {
    let mut bytes = WORLD.replace("acme", "ac?me").into_bytes();
    let at = bytes.iter().position(|&byte| byte == b'?').unwrap();
    bytes[at] = 0xff;
    let error = World::parse(&bytes).unwrap_err();
    assert_eq!(
        (error.line, error.column, &*error.path),
        (3, 22, "$.organization")
    );
    assert!(error.message.contains("not UTF-8"), "{error}");

    let error = World::parse(b"").unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 1, column 1, $: expected an object, found the end of the document"
    );
    let error = World::parse(b"{\"format\": \"postern").unwrap_err();
    assert_eq!((error.column, &*error.path), (12, "$.format"));
    assert!(error.message.contains("closing `\"`"), "{error}");
}

#[test]
fn nesting_has_a_limit() {
    let deep = format!("{{\"revision\": {}", "[".repeat(100_000));
    assert!(
        World::parse(deep.as_bytes())
            .unwrap_err()
            .message
            .contains("whole number")
    );
    // Only a member whose value is passed over could nest, and unknown members are refused before their value.
    let deep = format!("{{\"x\": {}", "{\"x\":".repeat(100_000));
    assert_eq!(World::parse(deep.as_bytes()).unwrap_err().path, "$.x");
}

#[test]
fn members() {
    check(&[
        (
            "\"organization\"",
            "¦\"organisation\"",
            "$.organisation",
            "unknown member `organisation`; the members here are format,",
        ),
        (
            "\"requires\"",
            "¦\"require\"",
            "$.catalog.permissions[\"miner:reboot\"].require",
            "unknown member",
        ),
        ("\"own\"", "¦\"owns\"", "$.grants[0].owns", "unknown member"),
        (
            "\"role\": \"role:tech\", \"at\": null",
            "\"role\": \"role:tech\", ¦\"scope\": null",
            "$.assignments[1].scope",
            "unknown member",
        ),
        (
            "\"id\": \"far\"",
            "\"id\": \"far\", ¦\"cap\": []",
            "$.grants[0].at.cap",
            "unknown member",
        ),
        (
            "\"revision\": 7",
            "\"revision\": 7, ¦\"revision\": 7",
            "$.revision",
            "given twice",
        ),
        (
            "\"revision\": 7",
            "\"revision\": 7, ¦\"revisio\\u006e\": 7",
            "$.revision",
            "given twice",
        ),
        (
            "{\"x\": \"1\"}",
            "{\"x\": \"1\", ¦\"x\": \"1\"}",
            "$.grants[0].where.x",
            "given twice",
        ),
        (
            "\"miner:read\": {}",
            "¦\"miner:all\": {}",
            "$.catalog.permissions[\"miner:all\"]",
            "given twice",
        ),
        (
            "{\n  \"format\": \"postern-world/1\",",
            "¦{",
            "$",
            "the member `format` is missing",
        ),
        (
            "\"format\": \"postern-world/1\"",
            "\"format\": ¦\"postern-world/2\"",
            "$.format",
            "`postern-world/2` is not known",
        ),
        (
            "{\"subject\": \"user:a\", \"group\": \"group:ops\"}",
            "¦{\"subject\": \"user:a\"}",
            "$.memberships[0]",
            "`group` is missing",
        ),
        ("{\"id\": \"user:b\", ", "¦{", "$.subjects[1]", "`id` is missing"),
        (
            "{\"type\": \"site\", \"id\": \"s1\", \"owner\"",
            "¦{\"type\": \"site\", \"owner\"",
            "$.resources[0]",
            "`id` is missing",
        ),
        (
            "\"at\": {\"type\": \"site\", \"id\": \"far\"}",
            "\"at\": ¦{\"id\": \"far\"}",
            "$.grants[0].at",
            "`type` is missing",
        ),
        ("{\"id\": \"role:tech\", ", "¦{", "$.roles[0]", "`id` is missing"),
        (
            "{\"subject\": \"user:unlisted\", ",
            "¦{",
            "$.grants[1]",
            "`subject` is missing",
        ),
    ]);
    let error = World::parse(WORLD.replace("  \"revision\": 7,\n", "").as_bytes()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 1, column 1, $: the member `revision` is missing; add it"
    );
}

#[test]
fn types_of_values() {
    check(&[
        (
            "\"revision\": 7",
            "\"revision\": ¦\"7\"",
            "$.revision",
            "expected a whole number from 0 to 18446744073709551615, found a string",
        ),
        (
            "\"revision\": 7",
            "\"revision\": ¦-7",
            "$.revision",
            "found a number",
        ),
        (
            "\"revision\": 7",
            "\"revision\": ¦7.0",
            "$.revision",
            "found `7.0`",
        ),
        (
            "\"revision\": 7",
            "\"revision\": ¦18446744073709551616",
            "$.revision",
            "found `18446744073709551616`",
        ),
        (
            "\"acme\"",
            "¦null",
            "$.organization",
            "expected a string, found null",
        ),
        (
            "\"scope\": true",
            "\"scope\": ¦1",
            "$.catalog.types.site.scope",
            "expected true or false, found a number",
        ),
        (
            "[\"secret:*\"]}\n",
            "¦\"secret:*\"}\n",
            "$.catalog.types.secret.owner_permissions",
            "expected an array, found a string",
        ),
        (
            "{\"role\": \"admin\"}",
            "{\"role\": ¦true}",
            "$.subjects[0].attributes.role",
            "expected a string, found a boolean",
        ),
        (
            "[\"ann@example.com\"]",
            "[¦{}]",
            "$.subjects[0].aliases[0]",
            "expected a string, found an object",
        ),
        (
            "\"own\": true",
            "\"own\": ¦null",
            "$.grants[0].own",
            "expected true or false, found null",
        ),
        (
            "\"at\": null",
            "\"at\": ¦[]",
            "$.assignments[1].at",
            "expected an object, found an array",
        ),
        (
            "\"effect\": \"exclude\"",
            "\"effect\": ¦\"deny\"",
            "$.grants[0].effect",
            "expected `allow` or `exclude`, found `deny`",
        ),
        (
            "\"relation\": \"ref\"",
            "\"relation\": ¦\"link\"",
            "$.resources[1].parents[0].relation",
            "expected `auto` or `ref`, found `link`",
        ),
        (
            "\"relation\": \"ref\", \"cap\": [\"read\"]",
            "\"relation\": \"auto\", \"cap\": ¦[\"read\"]",
            "$.resources[1].parents[0].cap",
            "belongs to the relation `ref`",
        ),
        (
            "\"relation\": \"ref\", \"cap\": [",
            "\"cap\": ¦[",
            "$.resources[1].parents[0].cap",
            "belongs to the relation `ref`",
        ),
    ]);
}

#[test]
fn times() {
    check(&[
        (
            "\"2026-01-01T00:00:00Z\"",
            "¦1767225600",
            "$.subjects[1].not_before",
            "expected a time as a string, found a number",
        ),
        (
            "\"2026-01-01T00:00:00Z\"",
            "¦\"2026-01-01\"",
            "$.subjects[1].not_before",
            "`2026-01-01` is not an RFC 3339 time",
        ),
        (
            "\"2026-01-01T00:00:00Z\"",
            "¦\"2026-01-01T00:00:00.1234567Z\"",
            "$.subjects[1].not_before",
            "six digits",
        ),
        (
            "\"expires_at\": null",
            "\"expires_at\": ¦\"2026-06-30T23:59:60Z\"",
            "$.assignments[1].expires_at",
            "leap second",
        ),
    ]);
}

#[test]
fn the_catalog() {
    check(&[
        (
            "\"remote:mcp:call\": {}",
            "¦\"minerread\": {}",
            "$.catalog.permissions.minerread",
            "`minerread` is no permission key",
        ),
        (
            "\"remote:mcp:call\": {}",
            "¦\"miner:*\": {}",
            "$.catalog.permissions[\"miner:*\"]",
            "is no permission key",
        ),
        (
            "\"remote:mcp:call\": {}",
            "¦\"a::b\": {}",
            "$.catalog.permissions[\"a::b\"]",
            "is no permission key",
        ),
        (
            "\"remote:mcp:call\": {}",
            "¦\"a b:c\": {}",
            "$.catalog.permissions[\"a b:c\"]",
            "is no permission key",
        ),
        (
            "[\"miner:all\"]",
            "[¦\"miner:some\"]",
            "$.catalog.permissions[\"miner:reboot\"].implied_by[0]",
            "`miner:some` is not in `catalog.permissions`",
        ),
        (
            "\"excluded_by\": []",
            "\"excluded_by\": [\"miner:all\", ¦\"miner:*\"]",
            "$.catalog.permissions[\"miner:reboot\"].excluded_by[1]",
            "is no permission key",
        ),
        (
            "\"requires\": [\"miner:read\"]",
            "\"requires\": [¦\"\"]",
            "$.catalog.permissions[\"miner:reboot\"].requires[0]",
            "empty",
        ),
        (
            "\"secret\": {\"owner",
            "¦\"\": {\"owner",
            "$.catalog.types[\"\"]",
            "the name of a type is empty",
        ),
        (
            "\"owner_permissions\": [\"secret:*\"]",
            "\"owner_permissions\": [¦\"secret:read\"]",
            "$.catalog.types.secret.owner_permissions[0]",
            "not in `catalog.permissions`",
        ),
        (
            "\"miner:*\", \"*\"",
            "\"miner:*\", ¦\"miner:fly\"",
            "$.roles[0].permissions[2]",
            "`miner:fly` is not in `catalog.permissions`",
        ),
        (
            "\"miner:*\", \"*\"",
            "¦\"miner\"",
            "$.roles[0].permissions[1]",
            "`miner` is no permission key",
        ),
        (
            "\"miner:*\", \"*\"",
            "¦\":*\"",
            "$.roles[0].permissions[1]",
            "`:*` is no permission key",
        ),
        (
            "\"permissions\": [\"secret:*\"]",
            "\"permissions\": [¦\"secret:read\"]",
            "$.grants[0].permissions[0]",
            "not in `catalog.permissions`",
        ),
    ]);
}

#[test]
fn subjects_and_groups() {
    check(&[
        (
            "\"id\": \"user:b\"",
            "\"id\": ¦\"b\"",
            "$.subjects[1].id",
            "`b` is no subject; write `<type>:<id>`",
        ),
        (
            "\"id\": \"user:b\"",
            "\"id\": ¦\"user:\"",
            "$.subjects[1].id",
            "is no subject",
        ),
        (
            "\"id\": \"user:b\"",
            "\"id\": ¦\":b\"",
            "$.subjects[1].id",
            "is no subject",
        ),
        ("\"id\": \"user:b\"", "\"id\": ¦\"\"", "$.subjects[1].id", "empty"),
        (
            "\"id\": \"user:b\"",
            "\"id\": ¦\"user:all\"",
            "$.subjects[1].id",
            "`user:all` stands for many",
        ),
        (
            "\"id\": \"user:b\"",
            "\"id\": ¦\"service:*\"",
            "$.subjects[1].id",
            "`service:*` stands for many",
        ),
        (
            "\"id\": \"user:b\"",
            "\"id\": ¦\"role:b\"",
            "$.subjects[1].id",
            "`role:b` names a role",
        ),
        (
            "\"id\": \"user:b\"",
            "\"id\": ¦\"user:a\"",
            "$.subjects[1].id",
            "the subject `user:a` is already listed at $.subjects[0]",
        ),
        (
            "[\"operations\"]",
            "[¦\"ops\"]",
            "$.subjects[2].aliases[0]",
            "`group:ops` already is the id or an alias",
        ),
        (
            "[\"operations\"]",
            "[\"o\", ¦\"o\"]",
            "$.subjects[2].aliases[1]",
            "`group:o` already is",
        ),
        (
            "[\"ann@example.com\"]",
            "[¦\"b\"]",
            "$.subjects[0].aliases[0]",
            "`user:b` already is",
        ),
        (
            "[\"operations\"]",
            "[¦\"all\"]",
            "$.subjects[2].aliases[0]",
            "`all` stands for many",
        ),
        ("[\"operations\"]", "[¦\"\"]", "$.subjects[2].aliases[0]", "empty"),
        (
            "\"group\": \"group:ops\"",
            "\"group\": ¦\"group:dev\"",
            "$.memberships[0].group",
            "the group `group:dev` is not listed",
        ),
        (
            "\"group\": \"group:ops\"",
            "\"group\": ¦\"user:b\"",
            "$.memberships[0].group",
            "`user:b` is no group",
        ),
        (
            "\"subject\": \"user:a\", \"group\"",
            "\"subject\": ¦\"user:all\", \"group\"",
            "$.memberships[0].subject",
            "stands for many",
        ),
        (
            "\"subject\": \"user:a\", \"group\"",
            "\"subject\": ¦\"group:dev\", \"group\"",
            "$.memberships[0].subject",
            "not listed",
        ),
        (
            "\"subject\": \"user:all\"",
            "\"subject\": ¦\"service:all\"",
            "$.assignments[1].subject",
            "stands for many",
        ),
        (
            "\"subject\": \"user:all\"",
            "\"subject\": ¦\"role:tech\"",
            "$.assignments[1].subject",
            "names a role",
        ),
        (
            "\"subject\": \"user:all\"",
            "\"subject\": ¦\"group:dev\"",
            "$.assignments[1].subject",
            "not listed",
        ),
        (
            "\"user:unlisted\"",
            "¦\"group:dev\"",
            "$.grants[1].subject",
            "the group `group:dev` is not listed",
        ),
        (
            "\"user:unlisted\"",
            "¦\"unlisted\"",
            "$.grants[1].subject",
            "is no subject",
        ),
        (
            "\"owner\": \"user:a\"",
            "\"owner\": ¦\"user:all\"",
            "$.resources[0].owner",
            "stands for many",
        ),
        (
            "\"owner\": \"user:a\"",
            "\"owner\": ¦\"a\"",
            "$.resources[0].owner",
            "is no subject",
        ),
        ("\"acme\"", "¦\"\"", "$.organization", "empty"),
    ]);
}

#[test]
fn resources_roles_and_places() {
    check(&[
        (
            "{\"type\": \"site\", \"id\": \"s1\", \"owner\"",
            "{\"type\": ¦\"farm\", \"id\": \"s1\", \"owner\"",
            "$.resources[0].type",
            "the type `farm` is not declared; add it to `catalog.types`",
        ),
        (
            "\"id\": \"k1\"",
            "\"id\": ¦\"*\"",
            "$.resources[1].id",
            "`*` stands for many",
        ),
        ("\"id\": \"k1\"", "\"id\": ¦\"\"", "$.resources[1].id", "empty"),
        (
            "{\"type\": \"secret\", \"id\": \"k1\"",
            "{\"type\": \"site\", \"id\": ¦\"s1\"",
            "$.resources[1].id",
            "the site `s1` is already listed at $.resources[0]",
        ),
        (
            "{\"type\": \"site\", \"id\": \"s1\", \"relation\"",
            "¦{\"type\": \"site\", \"id\": \"s2\", \"relation\"",
            "$.resources[1].parents[0]",
            "the parent `s2` of type `site` is not listed",
        ),
        (
            "{\"type\": \"site\", \"id\": \"s1\", \"relation\"",
            "{\"type\": ¦\"farm\", \"id\": \"s1\", \"relation\"",
            "$.resources[1].parents[0].type",
            "not declared",
        ),
        (
            "[\"read\"]",
            "[\"read\", ¦\"*\"]",
            "$.resources[1].parents[0].cap[1]",
            "has no wildcard",
        ),
        (
            "{\"department\": \"Legal\"}",
            "{¦\"subject.role\": \"Legal\"}",
            "$.resources[1].attributes[\"subject.role\"]",
            "would hide an attribute of the subject",
        ),
        (
            "\"id\": \"role:tech\"",
            "\"id\": ¦\"tech\"",
            "$.roles[0].id",
            "`tech` is no role id",
        ),
        (
            "\"id\": \"role:tech\"",
            "\"id\": ¦\"role:\"",
            "$.roles[0].id",
            "is no role id",
        ),
        (
            "\"id\": \"role:tech\"",
            "\"id\": ¦\"role:global:\"",
            "$.roles[0].id",
            "is no role id",
        ),
        (
            "\"id\": \"role:tech\"",
            "\"id\": ¦\"role:galaxy:1\"",
            "$.roles[0].id",
            "is no role id",
        ),
        (
            "\"id\": \"role:global:0192f1c2-7aa0-7bcd-8eef-0123456789ab\"",
            "\"id\": ¦\"role:tech\"",
            "$.roles[1].id",
            "the role `role:tech` is already listed at $.roles[0]",
        ),
        (
            "\"role\": \"role:tech\", \"at\": null",
            "\"role\": ¦\"role:chief\", \"at\": null",
            "$.assignments[1].role",
            "the role `role:chief` is not declared",
        ),
        (
            "\"subject\": \"role:tech\"",
            "\"subject\": ¦\"role:chief\"",
            "$.grants[0].subject",
            "the role `role:chief` is not declared",
        ),
        (
            "\"at\": {\"type\": \"site\", \"id\": \"s1\"}",
            "\"at\": {\"type\": ¦\"farm\", \"id\": \"s1\"}",
            "$.assignments[0].at.type",
            "not declared",
        ),
        (
            "\"at\": {\"type\": \"site\", \"id\": \"s1\"}",
            "\"at\": {\"type\": \"site\", \"id\": ¦\"*\"}",
            "$.assignments[0].at.id",
            "stands for many",
        ),
        (
            "\"type\": \"site\", \"id\": \"far\"",
            "\"type\": \"site\", \"id\": ¦\"\"",
            "$.grants[0].at.id",
            "empty",
        ),
        (
            "\"session\": \"s-9\"",
            "\"session\": ¦\"\"",
            "$.grants[0].session",
            "empty",
        ),
    ]);
}

#[test]
fn lengths() {
    let long = "x".repeat(4097);
    let case = |piece: &str, instead: &str, path: &str| {
        check(&[(
            piece,
            &instead.replace('@', &long),
            path,
            "4097 bytes long; at most 4096",
        )]);
    };
    case("\"acme\"", "¦\"@\"", "$.organization");
    case("\"Field tech\"", "¦\"@\"", "$.roles[0].name");
    case("{\"x\": \"1\"}", "{\"x\": ¦\"@\"}", "$.grants[0].where.x");
    case("\"id\": \"k1\"", "\"id\": ¦\"@\"", "$.resources[1].id");
    let shortened = format!("$.grants[0].require[\"{}…\"]", &long[..80]);
    case("{\"y\": \"2\"}", "{¦\"@\": \"2\"}", &shortened);
}

#[test]
fn messages_stay_on_one_line() {
    let text = WORLD.replace(
        "\"role:tech\", \"at\": null",
        "\"role:\\n\\u001b[31m\", \"at\": null",
    );
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
    assert_eq!(
        (error.line, error.column, &*error.path),
        (0, 0, "$.assignments[1].role")
    );
    assert!(
        error.to_string().starts_with("$.assignments[1].role: the role"),
        "{error}"
    );
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
    std::fs::File::create(&file)
        .unwrap()
        .set_len(512 * 1024 * 1024 + 1)
        .unwrap();
    let error = World::read_file(&file).unwrap_err().to_string();
    std::fs::remove_file(&file).unwrap();
    assert!(error.contains("larger than 536870912 bytes"), "{error}");
}
