//! Reading query files.

use postern_world::{LINE_BYTES_MAX, Op, Queries, Query, ReadError, ResourceRef, parse_query};

#[test]
fn a_query_with_everything() {
    let line = r#"{"op":"explain","subject":"user:a","permission":"miner:reboot","resource":{"type":"mcp","id":"m"},
        "in":[{"type":"site","id":"s1"},{"type":"site"}],"owner":"user:o","where":{"department":"Legal"},
        "session":"","now":"1970-01-01T00:00:00.0000019Z"}"#;
    let place = |kind: &str, id: &str| ResourceRef { kind: kind.into(), id: id.into() };
    assert_eq!(
        parse_query(line),
        Ok(Query {
            op: Op::Explain,
            subject: "user:a".into(),
            permission: "miner:reboot".into(),
            resource: Some(place("mcp", "m")),
            kind: String::new(),
            parents: vec![place("site", "s1"), place("site", "")],
            owner: Some("user:o".into()),
            dimensions: [("department".to_string(), "Legal".to_string())].into(),
            session: Some(String::new()),
            now: Some(1),
        })
    );
}

#[test]
fn what_is_absent_is_null_and_is_left_to_rule_1() {
    let nulls = r#"{"op":null,"subject":null,"permission":null,"resource":null,"type":null,"in":null,"owner":null,
        "where":null,"session":null,"now":null}"#;
    assert_eq!(parse_query(nulls), Ok(Query::default()));
    assert_eq!(parse_query("{}"), Ok(Query::default()));
    let query = parse_query(r#"{"resource":{}}"#).unwrap();
    assert_eq!(query.resource, Some(ResourceRef { kind: String::new(), id: String::new() }));
}

#[test]
fn what_is_no_query() {
    for (line, path, column, message) in [
        ("[]", "$", 1, "expected an object, found an array"),
        (
            r#"{"subjects":"user:a"}"#,
            "$.subjects",
            2,
            "unknown member `subjects`; the members here are op, subject",
        ),
        (r#"{"subject":"user:a","subject":"user:b"}"#, "$.subject", 21, "given twice"),
        (r#"{"subject":7}"#, "$.subject", 12, "expected a string, found a number"),
        (r#"{"op":"list"}"#, "$.op", 7, "`list` is not known; the ops are check, filter, subjects, actions"),
        (r#"{"resource":"site:s1"}"#, "$.resource", 13, "expected an object, found a string"),
        (r#"{"resource":{"type":"site","id":1}}"#, "$.resource.id", 33, "expected a string"),
        (r#"{"resource":{"kind":"site"}}"#, "$.resource.kind", 14, "unknown member"),
        (r#"{"in":{"type":"site","id":"s1"}}"#, "$.in", 7, "expected an array"),
        (r#"{"in":[{"type":"site","cap":[]}]}"#, "$.in[0].cap", 23, "unknown member"),
        (r#"{"where":{"d":1}}"#, "$.where.d", 15, "expected a string"),
        (r#"{"now":"tomorrow"}"#, "$.now", 8, "`tomorrow` is not an RFC 3339 time"),
        (r#"{"now":0}"#, "$.now", 8, "expected a time as a string"),
        (r#"{"type":"site","op":"check"}"#, "$.type", 9, "the op `check` does not use `type`"),
        (r#"{"op":"filter","resource":{}}"#, "$.resource", 27, "the op `filter` does not use `resource`"),
        (r#"{"op":"subjects","subject":""}"#, "$.subject", 28, "the op `subjects` does not use `subject`"),
        (r#"{"op":"actions","permission":"a:b"}"#, "$.permission", 30, "does not use `permission`"),
        (r#"{"op":"anywhere","resource":{}}"#, "$.resource", 29, "does not use `resource`"),
        (r#"{"op":"everywhere","type":"site"}"#, "$.type", 27, "does not use `type`"),
        (r#"{} {}"#, "$", 4, "after the end"),
        (r#"{"#, "$", 2, "expected the name of a member, found the end"),
    ] {
        let error = parse_query(line).unwrap_err();
        assert_eq!((error.line, error.column, &*error.path), (1, column, path), "{line}: {error}");
        assert!(error.message.contains(message), "{line}: {error}");
    }
}

#[test]
fn every_op_takes_the_context() {
    for op in Op::ALL {
        let line = format!(
            r#"{{"in":[],"owner":"user:a","where":{{}},"session":"s","now":"2026-01-01T00:00:00Z","op":"{}"}}"#,
            op.as_str()
        );
        assert_eq!(parse_query(&line).unwrap().op, op);
    }
}

#[test]
fn lines_are_counted_and_the_first_mistake_ends_the_file() {
    let file = "{\"subject\":\"user:a\"}\r\n\n  \t\n{\"subject\":\"user:b\"}\n{\"subject\":\"user:c\",\"now\":1}\n{}";
    let mut queries = Queries::new("q.jsonl", file.as_bytes());
    let mut seen = Vec::new();
    while let Some(Ok((line, query))) = queries.next() {
        seen.push((line, query.subject, queries.text().trim_end().to_string()));
        if line == 4 {
            break;
        }
    }
    let expected = [(1, "a"), (4, "b")]
        .map(|(line, who)| (line, format!("user:{who}"), format!("{{\"subject\":\"user:{who}\"}}")));
    assert_eq!(seen, expected);
    let error = queries.next().unwrap().unwrap_err().to_string();
    assert_eq!(error, "q.jsonl: line 5, column 27, $.now: expected a time as a string, found a number");
    assert!(queries.next().is_none());
}

#[test]
fn a_line_has_a_limit() {
    let fits = format!("{{\"subject\":\"{}\"}}", "x".repeat(LINE_BYTES_MAX as usize - 14));
    assert_eq!(fits.len() as u64, LINE_BYTES_MAX);
    assert!(Queries::new("q", format!("{fits}\n{fits}").as_bytes()).all(|next| next.is_ok()));
    let mut queries = Queries::new("q", format!("{{}}\n{fits} \n").into_bytes().leak() as &[u8]);
    assert!(queries.next().unwrap().is_ok());
    let error = queries.next().unwrap().unwrap_err();
    assert!(matches!(error, ReadError::TooLarge { line: 2, .. }), "{error}");
    assert_eq!(error.to_string(), "q: line 2: longer than 131072 bytes, the most that one query may take");
    assert!(queries.next().is_none());
}

#[test]
fn a_line_that_is_not_utf8_and_a_file_that_is_not_there() {
    let mut queries = Queries::new("q", &b"{\"subject\":\"\xff\"}"[..]);
    let error = queries.next().unwrap().unwrap_err().to_string();
    assert!(error.starts_with("q: line 1, column 13, $.subject: a byte that is not UTF-8"), "{error}");
    let error = Queries::open("no/such/file").err().unwrap().to_string();
    assert!(error.starts_with("no/such/file: cannot read: "), "{error}");
}
