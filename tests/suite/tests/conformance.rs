//! The conformance corpus, answered by every engine, and its register of statements.

use postern_oracle::Oracle;
use postern_suite::corpus::{self, Case};
use postern_suite::engines::Engine;
use postern_testkit::random::NOW;
use postern_world::{Query, World, parse_query};
use std::collections::{BTreeMap, BTreeSet};

fn cases() -> Vec<Case> {
    corpus::cases().unwrap_or_else(|error| panic!("{error}"))
}

fn world(case: &Case) -> World {
    World::parse(case.world.as_bytes()).unwrap_or_else(|error| panic!("{}, {}: {error}", case.file, case.id))
}

fn query(case: &Case, line: &str) -> Query {
    parse_query(line).unwrap_or_else(|error| panic!("{}, {}: {error}\n{line}", case.file, case.id))
}

/// Compares what `answer` gives with what the corpus expects, and shows every difference.
fn run(name: &str, is_slice: bool, answer: impl Fn(&Case) -> Vec<String>) {
    let (mut asked, mut wrong) = (0, 0);
    for case in cases() {
        let oracle = Oracle::parse(case.world.as_bytes()).unwrap();
        for (question, got) in case.questions.iter().zip(answer(&case)) {
            asked += 1;
            let expected = match &question.slice {
                _ if !is_slice => question.expect.clone(),
                Some(answer) => answer.clone(),
                None => oracle.answer_in_slice(&query(&case, &question.line).subject, &question.line, NOW),
            };
            if got != expected {
                wrong += 1;
                let (file, id, line) = (&case.file, &case.id, &question.line);
                eprintln!("{file}, {id}, {name}: {line}\n  expected {expected}\n  answered {got}");
            }
        }
    }
    assert_eq!(wrong, 0, "of {asked} answers");
    assert!(asked > 600, "the corpus has become small: {asked} questions");
}

#[test]
fn the_oracle_answers_the_corpus() {
    run("oracle", false, |case| {
        let oracle = Oracle::parse(case.world.as_bytes()).unwrap();
        case.questions.iter().map(|question| oracle.answer(&question.line, NOW)).collect()
    });
}

#[test]
fn the_oracle_answers_the_corpus_as_a_slice() {
    run("oracle, slice", true, |case| {
        let oracle = Oracle::parse(case.world.as_bytes()).unwrap();
        let answer = |line: &str| oracle.answer_in_slice(&query(case, line).subject, line, NOW);
        case.questions.iter().map(|question| answer(&question.line)).collect()
    });
}

#[test]
fn every_engine_answers_the_corpus() {
    for engine in Engine::measured() {
        run(&format!("{engine:?}"), engine == Engine::Slice, |case| {
            let mut loaded = engine.load(&world(case));
            case.questions.iter().map(|question| loaded.answer(&query(case, &question.line))).collect()
        });
    }
}

/// Every statement has a case, or the README says why not.
#[test]
fn every_statement_is_shown_or_explained() {
    let readme = std::fs::read_to_string(corpus::folder().join("README.md")).unwrap();
    let listed = section(&readme, "## Every statement");
    let listed: BTreeSet<&str> = listed.split("```").nth(1).unwrap().split_whitespace().collect();
    let explained: BTreeMap<&str, &str> = section(&readme, "## Not expressed")
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split_once(" | "))
        .filter(|(id, _)| *id != "id" && !id.starts_with('-'))
        .collect();
    let cases = cases();
    let shown: BTreeSet<&str> = cases.iter().map(|case| case.id.as_str()).collect();

    for id in &listed {
        match explained.get(id) {
            None => assert!(shown.contains(id), "{id} has neither a case nor an explanation"),
            Some(rest) => {
                assert_eq!(shown.contains(id), rest.starts_with("yes | "), "{id}: is there a case?")
            }
        }
    }
    for id in shown.iter().chain(explained.keys()) {
        assert!(listed.contains(id), "{id} is not in the README's list of statements");
    }
    for (prefix, numbers) in [
        ("BA", 1..=18),
        ("BA", 20..=26),
        ("PF", 1..=10),
        ("PF", 20..=21),
        ("AB", 1..=13),
        ("GR", 10..=21),
        ("GR", 30..=39),
        ("S", 1..=12),
    ] {
        for number in numbers {
            let id = format!("{prefix}-{number}");
            assert!(listed.contains(id.as_str()), "{id} is missing from the README's list of statements");
        }
    }
}

fn section<'a>(readme: &'a str, heading: &str) -> &'a str {
    let from = readme.find(heading).unwrap_or_else(|| panic!("no `{heading}`"));
    let rest = &readme[from + heading.len()..];
    rest.find("\n## ").map_or(rest, |end| &rest[..end])
}
