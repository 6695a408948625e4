//! What is no world and no question: an error, or the answer to a malformed question, and never a panic.

use postern_oracle::Oracle;

const EMPTY: &str = r#"{"format": "postern-world/1", "organization": "o", "revision": 1}"#;

#[test]
fn what_is_no_world_is_refused() {
    for text in [
        "",
        "[]",
        "{",
        "{}",
        r#"{"format": "postern-world/2"}"#,
        r#"{"format": "postern-world/1", "subjects": {}}"#,
        r#"{"format": "postern-world/1", "subjects": [{"id": 7}]}"#,
        r#"{"format": "postern-world/1", "subjects": [{"id": "user:a", "active": "yes"}]}"#,
        r#"{"format": "postern-world/1", "subjects": [{"id": "user:a", "expires_at": "tomorrow"}]}"#,
        r#"{"format": "postern-world/1", "resources": [{"type": "s", "id": "1", "parents": ["r"]}]}"#,
        r#"{"format": "postern-world/1", "resources": [{"parents": [{"type": "r", "id": "1", "relation": "up"}]}]}"#,
        r#"{"format": "postern-world/1", "grants": [{"subject": "user:a", "permissions": ["*"]}]}"#,
        r#"{"format": "postern-world/1", "grants": [{"effect": "allow", "where": {"env": 1}}]}"#,
        r#"{"format": "postern-world/1", "catalog": {"permissions": {"a:b": {"implied_by": "a:c"}}}}"#,
    ] {
        assert!(Oracle::parse(text.as_bytes()).is_err(), "{text}");
    }
    assert!(Oracle::parse(b"\xff").is_err());
    assert!(Oracle::parse("[".repeat(100_000).as_bytes()).is_err());
    assert!(Oracle::parse(EMPTY.as_bytes()).is_ok());
}

#[test]
fn what_is_no_question_is_malformed() {
    let oracle = Oracle::parse(EMPTY.as_bytes()).unwrap();
    for line in [
        "",
        "null",
        "[]",
        r#"{"op": "guess", "subject": "user:a"}"#,
        r#"{"subject": ["user:a"], "permission": "a:b"}"#,
        r#"{"subject": "user:a", "permission": "a:b", "resource": "site/1"}"#,
        r#"{"subject": "user:a", "permission": "a:b", "now": 7}"#,
        r#"{"subject": "user:a", "permission": "a:b", "now": "2026-02-30T00:00:00Z"}"#,
    ] {
        assert_eq!(oracle.answer(line, 0), r#"{"error":"invalid_request"}"#, "{line}");
        assert_eq!(oracle.answer_in_slice("user:a", line, 0), r#"{"error":"invalid_request"}"#, "{line}");
    }
}
