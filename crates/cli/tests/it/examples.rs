//! A world, queries about it, and the answers.

/// A world with a bit of everything.
pub const WORLD: &str = r#"{
  "format": "postern-world/1",
  "organization": "acme",
  "revision": 7,
  "catalog": {
    "types": {
      "site": {"scope": true, "narrows": true},
      "secret": {"owner_permissions": ["secret:*"]},
      "mcp": {"registered": false}
    },
    "permissions": {
      "fleet:read": {}, "miner:read": {}, "miner:reboot": {}, "secret:read": {}, "mcp:call": {}
    }
  },
  "subjects": [
    {"id": "user:a", "aliases": ["ann@example.com"]},
    {"id": "user:b"},
    {"id": "user:gone", "active": false},
    {"id": "group:ops"}
  ],
  "memberships": [{"subject": "user:b", "group": "group:ops"}],
  "resources": [
    {"type": "site", "id": "s1"},
    {"type": "site", "id": "s2"},
    {"type": "secret", "id": "k1", "owner": "user:b", "parents": [{"type": "site", "id": "s2"}]}
  ],
  "roles": [
    {"id": "role:tech", "name": "Field tech", "permissions": ["fleet:read", "miner:*"]},
    {"id": "role:none", "name": "Nothing", "permissions": []}
  ],
  "assignments": [
    {"subject": "user:a", "role": "role:tech", "at": {"type": "site", "id": "s1"}},
    {"subject": "group:ops", "role": "role:tech"},
    {"subject": "user:b", "role": "role:none", "at": {"type": "site", "id": "s2"}, "expires_at": "2027-01-01T00:00:00Z"}
  ],
  "grants": [
    {"subject": "user:all", "effect": "allow", "permissions": ["mcp:call"], "at": {"type": "mcp", "id": "m1"}},
    {"subject": "user:b", "effect": "exclude", "permissions": ["miner:reboot"], "at": {"type": "site", "id": "s1"}}
  ]
}
"#;

/// Queries without their `now`, and the answers of the engines that know everything.
pub const QUERIES: &[(&str, &str)] = &[
    (
        r#""op":"check","subject":"user:a","permission":"miner:reboot","resource":{"type":"site","id":"s1"}"#,
        r#"{"decision":"allow","reason":"assignment"}"#,
    ),
    (r#""op":"filter","subject":"user:a","permission":"miner:reboot","type":"site""#, r#"{"ids":["s1"]}"#),
    (
        r#""op":"subjects","permission":"miner:reboot","resource":{"type":"site","id":"s1"},"type":"user""#,
        r#"{"subjects":["user:a"]}"#,
    ),
    (
        r#""op":"actions","subject":"user:a","resource":{"type":"site","id":"s1"}"#,
        r#"{"permissions":["fleet:read","miner:read","miner:reboot"]}"#,
    ),
    (r#""op":"anywhere","subject":"user:a","permission":"miner:reboot""#, r#"{"decision":"allow"}"#),
    (r#""op":"everywhere","subject":"user:a","permission":"miner:reboot""#, r#"{"decision":"deny"}"#),
    (
        r#""subject":"user:ann@example.com","permission":"miner:read","resource":{"type":"site","id":"s1"}"#,
        r#"{"decision":"allow","reason":"assignment"}"#,
    ),
    (
        r#""subject":"user:b","permission":"miner:reboot","resource":{"type":"site","id":"s1"}"#,
        r#"{"decision":"deny","reason":"excluded"}"#,
    ),
    (
        r#""subject":"user:b","permission":"miner:read","resource":{"type":"site","id":"s2"}"#,
        r#"{"decision":"deny","reason":"narrowed"}"#,
    ),
    (
        r#""subject":"user:b","permission":"secret:read","resource":{"type":"secret","id":"k1"}"#,
        r#"{"decision":"allow","reason":"owner"}"#,
    ),
    (
        r#""subject":"user:b","permission":"miner:read","resource":null"#,
        r#"{"decision":"allow","reason":"assignment"}"#,
    ),
    (
        r#""subject":"user:new","permission":"mcp:call","resource":{"type":"mcp","id":"m1"}"#,
        r#"{"decision":"allow","reason":"grant"}"#,
    ),
    (
        r#""subject":"user:new","permission":"miner:read","resource":null"#,
        r#"{"decision":"deny","reason":"unknown_subject"}"#,
    ),
    (
        r#""subject":"user:gone","permission":"miner:read","resource":null"#,
        r#"{"decision":"deny","reason":"inactive_subject"}"#,
    ),
    (r#""subject":"user:all","permission":"miner:read","resource":null"#, r#"{"error":"invalid_request"}"#),
    (r#""permission":"miner:read""#, r#"{"error":"invalid_request"}"#),
    (
        r#""subject":"user:a","permission":"miner:read","resource":{"type":"site"}"#,
        r#"{"error":"invalid_request"}"#,
    ),
    (r#""subject":"user:a","permission":"miner:fly""#, r#"{"error":"unknown_permission"}"#),
    (r#""op":"actions","subject":"""#, r#"{"error":"invalid_request"}"#),
    (
        r#""op":"filter","subject":"user:a","permission":"miner:fly","type":"site""#,
        r#"{"error":"unknown_permission"}"#,
    ),
    (
        r#""op":"explain","subject":"user:a","permission":"miner:reboot","resource":{"type":"site","id":"s1"}"#,
        r#"{"decision":"allow","reason":"assignment"}"#,
    ),
];
