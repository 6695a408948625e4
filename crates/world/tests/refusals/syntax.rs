//! What is no JSON, and members that are unknown, given twice or missing.

use super::{WORLD, check};
use postern_world::World;

#[test]
fn what_is_not_json() {
    check(&[
        ("\"revision\": 7", "\"revision\": 7 ¦7", "$.revision", "expected `,` or `}`"),
        ("\"revision\": 7", "\"revision\" ¦7", "$.revision", "expected `:` after the name `revision`"),
        ("\"revision\": 7", "\"revision\": ¦07", "$.revision", "expected a whole number"),
        ("\"revision\": 7", "¦revision: 7", "$", "expected the name of a member"),
        ("\"active\": true}", "\"active\": true, ¦}", "$.subjects[0]", "remove the comma"),
        ("\"active\": true", "\"active\": ¦True", "$.subjects[0].active", "something that is not JSON"),
        ("\"active\": true", "\"active\": ¦truer", "$.subjects[0].active", "expected `true`"),
        ("\"acme\"", "\"ac¦\tme\"", "$.organization", "control character"),
        ("\"acme\"", "\"ac¦\\xme\"", "$.organization", "an escape that JSON does not have"),
        ("\"acme\"", "\"ac¦\\u12g4\"", "$.organization", "four hexadecimal digits"),
        ("\"acme\"", "\"ac¦\\ud800\"", "$.organization", "half of a surrogate pair"),
        ("\"acme\"", "\"ac¦\\ud800\\u0041\"", "$.organization", "half of a surrogate pair"),
        ("\"acme\"", "\"ac¦\\udc00\"", "$.organization", "half of a surrogate pair"),
        ("  ]\n}\n", "  ]\n}¦{}", "$", "after the end of the document"),
        ("  ]\n}\n", "  ]\n¦", "$.grants", "`}` is missing"),
        ("{\n  \"format\"", "¦\u{feff}{\n  \"format\"", "$", "byte order mark"),
    ]);
}

#[test]
fn what_is_not_text() {
    let mut bytes = WORLD.replace("acme", "ac?me").into_bytes();
    let at = bytes.iter().position(|&byte| byte == b'?').unwrap();
    bytes[at] = 0xff;
    let error = World::parse(&bytes).unwrap_err();
    assert_eq!((error.line, error.column, &*error.path), (3, 22, "$.organization"));
    assert!(error.message.contains("not UTF-8"), "{error}");

    let error = World::parse(b"").unwrap_err();
    assert_eq!(error.to_string(), "line 1, column 1, $: expected an object, found the end of the document");
    let error = World::parse(b"{\"format\": \"postern").unwrap_err();
    assert_eq!((error.column, &*error.path), (12, "$.format"));
    assert!(error.message.contains("closing `\"`"), "{error}");
}

#[test]
fn nesting_has_a_limit() {
    let deep = format!("{{\"revision\": {}", "[".repeat(100_000));
    assert!(World::parse(deep.as_bytes()).unwrap_err().message.contains("whole number"));
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
        ("\"requires\"", "¦\"require\"", "$.catalog.permissions[\"miner:reboot\"].require", "unknown member"),
        ("\"own\"", "¦\"owns\"", "$.grants[0].owns", "unknown member"),
        (
            "\"role\": \"role:tech\", \"at\": null",
            "\"role\": \"role:tech\", ¦\"scope\": null",
            "$.assignments[1].scope",
            "unknown member",
        ),
        ("\"id\": \"far\"", "\"id\": \"far\", ¦\"cap\": []", "$.grants[0].at.cap", "unknown member"),
        ("\"revision\": 7", "\"revision\": 7, ¦\"revision\": 7", "$.revision", "given twice"),
        ("\"revision\": 7", "\"revision\": 7, ¦\"revisio\\u006e\": 7", "$.revision", "given twice"),
        ("{\"x\": \"1\"}", "{\"x\": \"1\", ¦\"x\": \"1\"}", "$.grants[0].where.x", "given twice"),
        ("\"miner:read\": {}", "¦\"miner:all\": {}", "$.catalog.permissions[\"miner:all\"]", "given twice"),
        ("{\n  \"format\": \"postern-world/1\",", "¦{", "$", "the member `format` is missing"),
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
        ("{\"subject\": \"user:unlisted\", ", "¦{", "$.grants[1]", "`subject` is missing"),
        (
            "{\"subject\": \"user:unlisted\", \"effect\": \"allow\", ",
            "¦{\"subject\": \"user:unlisted\", ",
            "$.grants[1]",
            "`effect` is missing",
        ),
    ]);
    let error = World::parse(WORLD.replace("  \"revision\": 7,\n", "").as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "line 1, column 1, $: the member `revision` is missing; add it");
}
