//! The cases of `tests/authzen`, on a snapshot.

use postern_authzen::{Endpoint, Mapping};
use postern_snapshot::Snapshot;
use postern_testkit::random::NOW;
use postern_world::World;
use serde_json::Value;
use std::collections::HashSet;

fn endpoint(name: &str) -> Endpoint {
    let path = format!("/access/v1/{name}");
    Endpoint::ALL.into_iter().find(|endpoint| endpoint.path() == path).unwrap()
}

/// Whether an answer is what a case wants: an evaluation has at least those members, anything else is equal.
fn fits(wanted: &Value, got: &Value) -> bool {
    match (wanted, got) {
        (Value::Object(wanted), Value::Object(got)) if wanted.contains_key("decision") => {
            wanted.iter().all(|(name, value)| got.get(name) == Some(value))
        }
        _ => wanted == got,
    }
}

fn run(text: &str, cases_min: usize) {
    let file: Value = serde_json::from_str(text).unwrap();
    let world = World::parse(file["world"].to_string().as_bytes()).unwrap();
    let bytes = postern_compile::compile(&world).unwrap().to_bytes();
    let snapshot = Snapshot::open(&bytes).unwrap();
    let mut ids = HashSet::new();
    for case in file["cases"].as_array().unwrap() {
        let id = &case["id"];
        assert!(ids.insert((case["endpoint"].to_string(), id.to_string())), "{id} is there twice");
        let request = case["request"].to_string();
        let answer = endpoint(case["endpoint"].as_str().unwrap()).answer(
            &snapshot,
            &Mapping::default(),
            &request,
            NOW,
        );
        match (case.get("status"), answer) {
            (None, Ok(text)) => {
                let answer = serde_json::from_str(&text).unwrap();
                assert!(fits(&case["response"], &answer), "{id}: {answer}");
            }
            (Some(status), Err(_)) => assert_eq!(status, 400, "{id}"),
            (_, answer) => panic!("{id}: {answer:?}"),
        }
    }
    assert!(ids.len() >= cases_min, "{} cases", ids.len());
}

#[test]
fn the_todo_scenario() {
    run(include_str!("../../../tests/authzen/todo.json"), 70);
}

#[test]
fn the_certification_fixture() {
    run(include_str!("../../../tests/authzen/certification.json"), 80);
}

#[test]
fn departments_and_their_managers() {
    run(include_str!("../../../tests/authzen/departments.json"), 11);
}
