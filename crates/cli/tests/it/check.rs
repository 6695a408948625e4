//! `postern world check`

use crate::examples::{QUERIES, WORLD};
use crate::{Folder, complaint, postern, stdout, text};
use std::path::Path;
use std::process::Output;

fn query_lines() -> String {
    QUERIES.iter().map(|(query, _)| format!("{{{query},\"now\":\"2026-01-01T00:00:00Z\"}}\n")).collect()
}

fn answers(engine: &str, folder: &Folder) -> Output {
    let world = folder.file("world.json", WORLD);
    let queries = folder.file("queries.jsonl", &query_lines());
    postern(&["world", "check", text(&world), "--queries", text(&queries), "--engine", engine])
}

fn expect_answers(engine: &str, output: &Output) {
    for ((query, expected), got) in QUERIES.iter().zip(stdout(output).lines()) {
        // Only the whole snapshot knows who else may.
        let expected = if engine == "slice" && query.contains("subjects") {
            r#"{"error":"not_in_slice"}"#
        } else {
            expected
        };
        assert_eq!(got, expected, "{engine}: {query}");
    }
    assert_eq!(stdout(output).lines().count(), QUERIES.len());
}

#[test]
fn every_native_engine_answers_the_examples() {
    let folder = Folder::new("engines");
    for engine in ["oracle", "native", "snapshot", "slice"] {
        expect_answers(engine, &answers(engine, &folder));
    }
    let world = folder.0.join("world.json");
    let queries = folder.0.join("queries.jsonl");
    expect_answers("default", &postern(&["world", "check", text(&world), "--queries", text(&queries)]));
}

#[test]
fn the_wasm_engine_answers_the_examples_or_tells_how_to_build_it() {
    let folder = Folder::new("wasm");
    let output = answers("wasm", &folder);
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wasm/dist/postern.wasm").is_file()
        || Path::new(env!("CARGO_BIN_EXE_postern")).with_file_name("postern.wasm").is_file();
    match built {
        true => expect_answers("wasm", &output),
        false => assert!(complaint(&output).contains("build it with `cargo xtask wasm`")),
    }
    let (world, queries) = (folder.0.join("world.json"), folder.0.join("queries.jsonl"));
    let arguments =
        ["world", "check", text(&world), "--queries", text(&queries), "--engine", "wasm", "--wasm"];
    let output = postern(&[&arguments[..], &["no/such.wasm"]].concat());
    assert!(complaint(&output).starts_with("no/such.wasm: cannot read: "));
    let output = postern(&[&arguments[..], &[text(&world)]].concat());
    assert!(complaint(&output).starts_with(&format!("{}: ", world.display())), "{output:?}");
}

#[test]
fn time_counts() {
    let folder = Folder::new("time");
    let world = folder.file("world.json", WORLD);
    let about = r#""subject":"user:b","permission":"miner:read","resource":{"type":"site","id":"s2"}"#;
    let queries = format!(
        "{{{about},\"now\":\"2026-12-31T23:59:59.9999999Z\"}}\n{{{about},\"now\":\"2027-01-01T01:00:00+01:00\"}}\n"
    );
    let queries = folder.file("queries.jsonl", &queries);
    for engine in ["oracle", "native", "snapshot", "slice"] {
        let output =
            postern(&["world", "check", text(&world), "--queries", text(&queries), "--engine", engine]);
        let expected = "{\"decision\":\"deny\",\"reason\":\"narrowed\"}\n{\"decision\":\"allow\",\"reason\":\"assignment\"}\n";
        assert_eq!(stdout(&output), expected, "{engine}");
    }
}

#[test]
fn an_unreadable_world_is_refused_by_every_engine() {
    let folder = Folder::new("world");
    let world =
        folder.file("world.json", &WORLD.replacen("\"role:tech\", \"at\"", "\"role:gone\", \"at\"", 1));
    let queries = folder.file("queries.jsonl", &query_lines());
    let expected = format!(
        "{}: line 32, column 35, $.assignments[0].role: the role `role:gone` is not declared; add it to `roles` or \
         name one of them",
        world.display()
    );
    for engine in ["oracle", "native", "snapshot", "slice", "wasm"] {
        let output =
            postern(&["world", "check", text(&world), "--queries", text(&queries), "--engine", engine]);
        assert!(output.stdout.is_empty());
        assert_eq!(complaint(&output), expected, "{engine}");
    }
    let output = postern(&["world", "compile", text(&world), "-o", text(&folder.0.join("out"))]);
    assert_eq!(complaint(&output), expected);
    assert_eq!(folder.names(), ["queries.jsonl", "world.json"]);
}

#[test]
fn an_unreadable_query_ends_the_answers() {
    let folder = Folder::new("query");
    let world = folder.file("world.json", WORLD);
    let queries =
        folder.file("queries.jsonl", "{\"permission\":\"miner:read\"}\n\n{\"resource\":{\"type\":7}}\n{}\n");
    for engine in ["oracle", "native"] {
        let output =
            postern(&["world", "check", text(&world), "--queries", text(&queries), "--engine", engine]);
        assert_eq!(output.stdout, b"{\"error\":\"invalid_request\"}\n");
        let expected = "line 3, column 21, $.resource.type: expected a string, found a number";
        assert_eq!(complaint(&output), format!("{}: {expected}", queries.display()));
    }
    let output = postern(&["world", "check", text(&world), "--queries", "no/such.jsonl"]);
    assert!(complaint(&output).starts_with("no/such.jsonl: cannot read: "));
    let output = postern(&["world", "check", "no/such.json", "--queries", text(&queries)]);
    assert_eq!(complaint(&output), "no/such.json: cannot read: No such file or directory (os error 2)");
    let output = postern(&["world", "check", text(&world), "--queries", text(&queries), "--engine", "guess"]);
    assert_eq!(output.status.code(), Some(2));
}
