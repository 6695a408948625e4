//! The random worlds are worth as much as the rules that their questions reach.

use postern_oracle::Oracle;
use postern_testkit::json::{Style, query_text, world_text};
use postern_testkit::{Chance, random};
use postern_world::Op;
use std::collections::BTreeMap;

/// Every reason and error of a check, and how many of a thousand answers it has to be at least.
const AT_LEAST_PER_MILLE: [(&str, usize); 12] = [
    ("owner", 10),
    ("assignment", 100),
    ("grant", 50),
    ("inactive_subject", 15),
    ("unknown_resource", 15),
    ("inactive_resource", 15),
    ("excluded", 30),
    ("narrowed", 15),
    ("unknown_subject", 30),
    ("not_granted", 100),
    ("invalid_request", 15),
    ("unknown_permission", 10),
];

#[test]
fn every_reason_occurs_often() {
    let (mut checks, mut allows) = (0, 0);
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut questions: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 0..500 {
        let mut chance = Chance::new(seed);
        let world = random::world(&mut chance);
        let oracle = Oracle::parse(world_text(&world, Style::Terse).as_bytes()).unwrap();
        for query in random::queries(&mut chance, &world, 200) {
            let line = oracle.answer(&query_text(&query, Style::Terse), 0);
            let answer: serde_json::Value = serde_json::from_str(&line).unwrap();
            if query.op == Op::Check {
                checks += 1;
                allows += usize::from(answer["decision"] == "allow");
                let reason = answer.get("reason").or(answer.get("error")).unwrap().as_str().unwrap();
                *reasons.entry(reason.to_string()).or_default() += 1;
            } else {
                // Whether a list is empty, or what was decided.
                let kind = match answer.as_object().unwrap().values().next().unwrap() {
                    serde_json::Value::Array(list) if list.is_empty() => "nothing",
                    serde_json::Value::Array(_) => "something",
                    other => other.as_str().unwrap(),
                };
                *questions.entry(format!("{:?} {kind}", query.op)).or_default() += 1;
            }
        }
    }
    println!("{checks} checks, {allows} allowed");
    for (reason, count) in &reasons {
        println!("{:>6} per mille {reason}", count * 1000 / checks);
    }
    println!("{questions:#?}");

    assert!(allows * 100 >= checks * 25, "{allows} of {checks} checks are allowed");
    assert!(allows * 100 <= checks * 60, "{allows} of {checks} checks are allowed");
    for (reason, least) in AT_LEAST_PER_MILLE {
        let count = reasons.get(reason).copied().unwrap_or_default();
        assert!(count * 1000 >= checks * least, "`{reason}` answers only {count} of {checks} checks");
    }
    assert_eq!(reasons.len(), AT_LEAST_PER_MILLE.len(), "a reason that is not expected here");
    for op in ["Filter", "Subjects", "Actions"] {
        assert!(questions[&format!("{op} something")] > 1000 && questions[&format!("{op} nothing")] > 1000);
    }
    for op in ["Anywhere", "Everywhere"] {
        assert!(questions[&format!("{op} allow")] > 200 && questions[&format!("{op} deny")] > 200);
    }
}

#[test]
fn a_seed_means_the_same_world() {
    let text = |seed| world_text(&random::world(&mut Chance::new(seed)), Style::Full);
    assert_eq!(text(7), text(7));
    assert_ne!(text(7), text(8));
}
