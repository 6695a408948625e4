//! The command line as `docs/semantics.md` section 6 promises it: what goes in, what comes out, and the exit code.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const WORLD: &str = r#"{
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
const QUERIES: &[(&str, &str)] = &[
    (
        r#""op":"check","subject":"user:a","permission":"miner:reboot","resource":{"type":"site","id":"s1"}"#,
        r#"{"decision":"allow","reason":"assignment"}"#,
    ),
    (
        r#""op":"filter","subject":"user:a","permission":"miner:reboot","type":"site""#,
        r#"{"ids":["s1"]}"#,
    ),
    (
        r#""op":"subjects","permission":"miner:reboot","resource":{"type":"site","id":"s1"},"type":"user""#,
        r#"{"subjects":["user:a"]}"#,
    ),
    (
        r#""op":"actions","subject":"user:a","resource":{"type":"site","id":"s1"}"#,
        r#"{"permissions":["fleet:read","miner:read","miner:reboot"]}"#,
    ),
    (
        r#""op":"anywhere","subject":"user:a","permission":"miner:reboot""#,
        r#"{"decision":"allow"}"#,
    ),
    (
        r#""op":"everywhere","subject":"user:a","permission":"miner:reboot""#,
        r#"{"decision":"deny"}"#,
    ),
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
    (
        r#""subject":"user:all","permission":"miner:read","resource":null"#,
        r#"{"error":"invalid_request"}"#,
    ),
    (r#""permission":"miner:read""#, r#"{"error":"invalid_request"}"#),
    (
        r#""subject":"user:a","permission":"miner:read","resource":{"type":"site"}"#,
        r#"{"error":"invalid_request"}"#,
    ),
    (
        r#""subject":"user:a","permission":"miner:fly""#,
        r#"{"error":"unknown_permission"}"#,
    ),
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

/// A directory that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("postern-cli-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let file = self.0.join(name);
        std::fs::write(&file, text).unwrap();
        file
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn postern(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_postern"))
        .args(arguments)
        .env_remove("POSTERN_WASM")
        .output()
        .unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn stdout(output: &Output) -> String {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.stderr.is_empty());
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The one line on standard error of a command that failed as it should.
fn complaint(output: &Output) -> String {
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    stderr
        .trim_end()
        .strip_prefix("postern: ")
        .expect("whose complaint it is")
        .to_string()
}

fn query_lines() -> String {
    QUERIES
        .iter()
        .map(|(query, _)| format!("{{{query},\"now\":\"2026-01-01T00:00:00Z\"}}\n"))
        .collect()
}

fn answers(engine: &str, folder: &Folder) -> Output {
    let world = folder.file("world.json", WORLD);
    let queries = folder.file("queries.jsonl", &query_lines());
    postern(&[
        "world",
        "check",
        text(&world),
        "--queries",
        text(&queries),
        "--engine",
        engine,
    ])
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
    expect_answers(
        "default",
        &postern(&["world", "check", text(&world), "--queries", text(&queries)]),
    );
}

#[test]
fn the_wasm_engine_answers_the_examples_or_tells_how_to_build_it() {
    let folder = Folder::new("wasm");
    let output = answers("wasm", &folder);
    let built = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../wasm/dist/postern.wasm")
        .is_file()
        || Path::new(env!("CARGO_BIN_EXE_postern"))
            .with_file_name("postern.wasm")
            .is_file();
    match built {
        true => expect_answers("wasm", &output),
        false => assert!(complaint(&output).contains("build it with `cargo xtask wasm`")),
    }
    let (world, queries) = (folder.0.join("world.json"), folder.0.join("queries.jsonl"));
    let arguments = [
        "world",
        "check",
        text(&world),
        "--queries",
        text(&queries),
        "--engine",
        "wasm",
        "--wasm",
    ];
    let output = postern(&[&arguments[..], &["no/such.wasm"]].concat());
    assert!(complaint(&output).starts_with("no/such.wasm: cannot read: "));
    let output = postern(&[&arguments[..], &[text(&world)]].concat());
    assert!(
        complaint(&output).starts_with(&format!("{}: ", world.display())),
        "{output:?}"
    );
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
        let output = postern(&[
            "world",
            "check",
            text(&world),
            "--queries",
            text(&queries),
            "--engine",
            engine,
        ]);
        let expected = "{\"decision\":\"deny\",\"reason\":\"narrowed\"}\n{\"decision\":\"allow\",\"reason\":\"assignment\"}\n";
        assert_eq!(stdout(&output), expected, "{engine}");
    }
}

#[test]
fn an_unreadable_world_is_refused_by_every_engine() {
    let folder = Folder::new("world");
    let world = folder.file(
        "world.json",
        &WORLD.replacen("\"role:tech\", \"at\"", "\"role:gone\", \"at\"", 1),
    );
    let queries = folder.file("queries.jsonl", &query_lines());
    let expected = format!(
        "{}: line 32, column 35, $.assignments[0].role: the role `role:gone` is not declared; add it to `roles` or \
         name one of them",
        world.display()
    );
    for engine in ["oracle", "native", "snapshot", "slice", "wasm"] {
        let output = postern(&[
            "world",
            "check",
            text(&world),
            "--queries",
            text(&queries),
            "--engine",
            engine,
        ]);
        assert!(output.stdout.is_empty());
        assert_eq!(complaint(&output), expected, "{engine}");
    }
    let output = postern(&[
        "world",
        "compile",
        text(&world),
        "-o",
        text(&folder.0.join("out")),
    ]);
    assert_eq!(complaint(&output), expected);
    assert_eq!(folder.names(), ["queries.jsonl", "world.json"]);
}

#[test]
fn an_unreadable_query_ends_the_answers() {
    let folder = Folder::new("query");
    let world = folder.file("world.json", WORLD);
    let queries = folder.file(
        "queries.jsonl",
        "{\"permission\":\"miner:read\"}\n\n{\"resource\":{\"type\":7}}\n{}\n",
    );
    for engine in ["oracle", "native"] {
        let output = postern(&[
            "world",
            "check",
            text(&world),
            "--queries",
            text(&queries),
            "--engine",
            engine,
        ]);
        assert_eq!(output.stdout, b"{\"error\":\"invalid_request\"}\n");
        let expected = "line 3, column 21, $.resource.type: expected a string, found a number";
        assert_eq!(complaint(&output), format!("{}: {expected}", queries.display()));
    }
    let output = postern(&["world", "check", text(&world), "--queries", "no/such.jsonl"]);
    assert!(complaint(&output).starts_with("no/such.jsonl: cannot read: "));
    let output = postern(&["world", "check", "no/such.json", "--queries", text(&queries)]);
    assert!(complaint(&output).starts_with("no/such.json: cannot read: "));
    let output = postern(&[
        "world",
        "check",
        text(&world),
        "--queries",
        text(&queries),
        "--engine",
        "guess",
    ]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn snapshots_are_compiled_inspected_and_sliced() {
    let folder = Folder::new("snapshot");
    let world = folder.file("world.json", WORLD);
    let (snapshot, slice) = (folder.0.join("w.snapshot"), folder.0.join("a.slice"));
    assert_eq!(
        stdout(&postern(&[
            "world",
            "compile",
            text(&world),
            "-o",
            text(&snapshot)
        ])),
        ""
    );
    let bytes = std::fs::read(&snapshot).unwrap();

    let inspected: serde_json::Value =
        serde_json::from_str(&stdout(&postern(&["snapshot", "inspect", text(&snapshot)]))).unwrap();
    assert_eq!(inspected["organization"], "acme");
    assert_eq!(inspected["revision"], 7);
    assert_eq!(inspected["kind"], "snapshot");
    assert_eq!(inspected["size_bytes"], bytes.len());
    assert_eq!(inspected["depends_on_time"], true);
    assert_eq!(inspected["permissions"], 5);

    for subject in ["user:a", "user:ann@example.com", "user:new"] {
        let output = postern(&[
            "snapshot",
            "slice",
            text(&snapshot),
            "--subject",
            subject,
            "-o",
            text(&slice),
        ]);
        assert_eq!(stdout(&output), "");
        let inspected: serde_json::Value =
            serde_json::from_str(&stdout(&postern(&["snapshot", "inspect", text(&slice)]))).unwrap();
        assert_eq!(inspected["kind"], "slice", "{subject}");
        assert_eq!(inspected["revision"], 7);
    }

    // Written again over what is there: the same facts, the same bytes, and nothing left behind.
    let mut lines: Vec<&str> = WORLD.lines().collect();
    let first = lines
        .iter()
        .position(|line| line.contains("\"user:a\", \"aliases\""))
        .unwrap();
    lines.swap(first, first + 1);
    let world = folder.file("world.json", &lines.join("\n"));
    stdout(&postern(&[
        "world",
        "compile",
        text(&world),
        "-o",
        text(&snapshot),
    ]));
    assert_eq!(std::fs::read(&snapshot).unwrap(), bytes);
    assert_eq!(folder.names(), ["a.slice", "w.snapshot", "world.json"]);
}

#[test]
fn what_is_no_snapshot_is_refused_and_the_output_stays() {
    let folder = Folder::new("refused");
    let world = folder.file("world.json", WORLD);
    let kept = folder.file("kept", "as it was");
    let snapshot = folder.0.join("w.snapshot");
    stdout(&postern(&[
        "world",
        "compile",
        text(&world),
        "-o",
        text(&snapshot),
    ]));

    let slice = |file: &Path, subject: &str| {
        complaint(&postern(&[
            "snapshot",
            "slice",
            text(file),
            "--subject",
            subject,
            "-o",
            text(&kept),
        ]))
    };
    assert!(
        complaint(&postern(&["snapshot", "inspect", text(&world)]))
            .starts_with(&format!("{}: ", world.display()))
    );
    assert!(slice(&world, "user:a").starts_with(&format!("{}: ", world.display())));
    assert!(slice(&folder.0.join("missing"), "user:a").contains("missing: cannot read: "));
    assert!(slice(&snapshot, "ann").starts_with("--subject \"ann\": no slice can be cut for it"));
    assert!(slice(&snapshot, "user:all").starts_with("--subject \"user:all\": "));

    let mut bytes = std::fs::read(&snapshot).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let damaged = folder.0.join("damaged");
    std::fs::write(&damaged, bytes).unwrap();
    assert!(slice(&damaged, "user:a").starts_with(&format!("{}: ", damaged.display())));

    let of_a = folder.0.join("a.slice");
    stdout(&postern(&[
        "snapshot",
        "slice",
        text(&snapshot),
        "--subject",
        "user:a",
        "-o",
        text(&of_a),
    ]));
    assert!(slice(&of_a, "user:b").ends_with("no slice can be cut for it: not_in_slice"));
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), "as it was");

    let output = postern(&["world", "compile", text(&world), "-o", text(&folder.0)]);
    assert!(complaint(&output).starts_with(&format!("{}: cannot write: ", folder.0.display())));
    let output = postern(&[
        "world",
        "compile",
        text(&world),
        "-o",
        text(&folder.0.join("no/such/folder")),
    ]);
    assert!(complaint(&output).contains("folder: cannot write: "));
    assert_eq!(
        folder.names(),
        ["a.slice", "damaged", "kept", "w.snapshot", "world.json"]
    );
}

#[test]
fn output_may_go_to_a_device() {
    let folder = Folder::new("device");
    let world = folder.file("world.json", WORLD);
    let output = postern(&["world", "compile", text(&world), "-o", "/dev/stdout"]);
    assert!(output.status.success(), "{output:?}");
    let snapshot = folder.0.join("w.snapshot");
    stdout(&postern(&[
        "world",
        "compile",
        text(&world),
        "-o",
        text(&snapshot),
    ]));
    assert_eq!(output.stdout, std::fs::read(&snapshot).unwrap());
}
