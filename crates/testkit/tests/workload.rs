//! The truth that the workload carries is the one that the specification gives.

use postern_oracle::{Node, Op, Oracle, Query};
use postern_testkit::json::{Style, world_text};
use postern_testkit::workload;

#[test]
fn the_oracle_agrees_with_the_workload() {
    let workload = workload::generate(60, 2000, 5);
    let oracle = Oracle::parse(world_text(&workload.world(), Style::Terse).as_bytes()).unwrap();
    for query in &workload.queries {
        let asked = Query {
            op: Op::Check,
            subject: workload.user_id(query.user),
            permission: workload::permission_key(query.permission),
            resource: Some(Node { kind: "site".to_string(), id: workload::site_id(query.site) }),
            kind: String::new(),
            parents: Vec::new(),
            owner: None,
            dimensions: Default::default(),
            session: None,
            now: 0,
        };
        assert_eq!(oracle.check(&asked).map(|(allowed, _)| allowed), Ok(query.allowed), "{asked:?}");
    }
}
