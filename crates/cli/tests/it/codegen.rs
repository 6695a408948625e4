//! `postern codegen`: what it writes for the fleet and for names that nobody should choose, and that it compiles.

use crate::{Folder, complaint, fresh, postern, server, stdout, text};
use std::path::{Path, PathBuf};
use std::process::Command;

#[path = "../../../../tests/golden/codegen/fleet.rs"]
mod fleet;
#[path = "../../../../tests/golden/codegen/hostile.rs"]
mod hostile;

/// A language, a world, and the file that it gives.
const GOLDEN: &[(&str, &str, &str)] = &[
    ("ts", "examples/fleet/builtins.json", "examples/fleet/src/catalog.ts"),
    ("rust", "examples/fleet/builtins.json", "tests/golden/codegen/fleet.rs"),
    ("ts", "tests/golden/codegen/hostile.json", "tests/golden/codegen/hostile.ts"),
    ("rust", "tests/golden/codegen/hostile.json", "tests/golden/codegen/hostile.rs"),
];

fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn generated(lang: &str, world: &Path) -> String {
    stdout(&postern(&["codegen", "--lang", lang, "--world", text(world)]))
}

#[test]
fn generated_code_is_as_agreed() {
    for (lang, world, file) in GOLDEN {
        let (world, file) = (at(world), at(file));
        let arguments = ["codegen", "--lang", lang, "--world", text(&world), "-o", text(&file)];
        if std::env::var_os("POSTERN_GOLDEN").is_some() {
            stdout(&postern(&arguments));
        }
        let agreed = std::fs::read_to_string(&file).unwrap();
        assert!(
            agreed == generated(lang, &world),
            "{}: other than agreed; `cargo xtask golden` writes it anew",
            file.display()
        );
        assert_eq!(stdout(&postern(&[&arguments[..], &["--check"]].concat())), "");
    }
}

#[test]
fn what_is_generated_names_the_catalog() {
    use fleet::{Permission, ResourceType, UnknownName, permission};
    assert_eq!(permission::MINER_REBOOT, "miner:reboot");
    assert_eq!(Permission::MinerReboot.key(), permission::MINER_REBOOT);
    assert_eq!("miner:reboot".parse(), Ok(Permission::MinerReboot));
    assert_eq!(Permission::try_from("miner:rebot"), Err(UnknownName));
    // The product's forty, and what the console asks for the audit.
    assert_eq!(Permission::ALL.len(), 41);
    assert_eq!(ResourceType::ALL.map(ResourceType::key), ["miner", "rack", "site"]);
    assert_eq!(fleet::resource_type::SITE, ResourceType::Site.to_string());
}

#[test]
fn every_name_comes_back_whatever_it_is_made_of() {
    let document = std::fs::read(at("tests/golden/codegen/hostile.json")).unwrap();
    let catalog = postern_world::World::parse(&document).unwrap().catalog;
    let keys: Vec<&str> = hostile::Permission::ALL.iter().map(|each| each.key()).collect();
    assert_eq!(keys, catalog.permissions.keys().collect::<Vec<_>>());
    assert!(hostile::Permission::ALL.iter().all(|each| each.key().parse() == Ok(*each)));
    let types: Vec<&str> = hostile::ResourceType::ALL.iter().map(|each| each.key()).collect();
    assert_eq!(types, catalog.types.keys().collect::<Vec<_>>());
    assert!(hostile::ResourceType::ALL.iter().all(|each| each.key().parse() == Ok(*each)));
}

/// Compiles a module as the only one of a crate without `std` and without patience.
fn compile(name: &str, module: &str) {
    let folder = Folder::new(name);
    let file = folder.file("generated.rs", module);
    let root = folder.file(
        "lib.rs",
        "//! A crate.\n#![no_std]\n#![deny(warnings, missing_docs)]\n#![forbid(unsafe_code)]\nmod generated;\n",
    );
    let mut rustc = Command::new("rustc");
    rustc.args(["--edition", "2021", "--crate-type", "lib", "--emit", "metadata", "--out-dir"]);
    let output = rustc.arg(&folder.0).arg(&root).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // Whoever formats a crate formats this with it, with settings of their own.
    for settings in ["max_width=100", "max_width=110,use_small_heuristics=Max", "max_width=140"] {
        let mut rustfmt = Command::new("rustfmt");
        let output = rustfmt.args(["--edition", "2021", "--check", "--config", settings]).arg(&file).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{settings}: {}", String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn it_compiles_without_std_and_is_formatted() {
    compile("codegen-fleet", &generated("rust", &at("examples/fleet/builtins.json")));
    compile("codegen-hostile", &generated("rust", &at("tests/golden/codegen/hostile.json")));
    let folder = Folder::new("codegen-empty");
    let empty = r#"{"format": "postern-world/1", "organization": "a", "revision": 1}"#;
    compile("codegen-nothing", &generated("rust", &folder.file("empty.json", empty)));
}

const WORLD: &str = r#"{"format": "postern-world/1", "organization": "a", "revision": 1, "catalog":
    {"types": {"b": {}, "a": {}}, "permissions": {"b:x": {}, "a:x": {"description": "First"}}}}"#;

#[test]
fn the_same_catalog_gives_the_same_text_and_hash() {
    let folder = Folder::new("codegen-order");
    let world = folder.file("world.json", WORLD);
    let other = folder.file(
        "other.json",
        r#"{"format": "postern-world/1", "organization": "z", "revision": 9, "catalog":
            {"types": {"a": {"scope": true}, "b": {}},
             "permissions": {"a:x": {"description": "First", "requires": ["b:x"]}, "b:x": {}}},
            "subjects": [{"id": "user:a"}]}"#,
    );
    for lang in ["ts", "rust"] {
        assert_eq!(generated(lang, &world), generated(lang, &other));
    }
    let (snapshot, slice) = (folder.0.join("w.snapshot"), folder.0.join("w.slice"));
    stdout(&postern(&["world", "compile", text(&other), "-o", text(&snapshot)]));
    stdout(&postern(&["snapshot", "slice", text(&snapshot), "--subject", "user:a", "-o", text(&slice)]));
    for file in [&snapshot, &slice] {
        let inspected: serde_json::Value =
            serde_json::from_str(&stdout(&postern(&["snapshot", "inspect", text(file)]))).unwrap();
        let hash = inspected["catalog"].as_str().unwrap();
        assert_eq!(hash.len(), 64);
        assert!(generated("rust", &world).contains(&format!("CATALOG_HASH: &str = \"{hash}\";")));
        assert!(generated("ts", &world).contains(&format!("catalogHash = \"{hash}\";")));
    }
}

#[test]
fn a_file_that_is_not_what_would_be_written_is_told() {
    let folder = Folder::new("codegen-check");
    let world = folder.file("world.json", WORLD);
    let file = folder.0.join("catalog.ts");
    let base = ["codegen", "--lang", "ts", "--world", text(&world), "-o", text(&file)];
    let check = || postern(&[&base[..], &["--check"]].concat());
    let refused = || {
        let output = check();
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty());
        String::from_utf8(output.stderr).unwrap()
    };
    let run = "run `postern codegen` without --check\n";
    assert_eq!(refused(), format!("postern: {}: is not there; {run}", file.display()));
    stdout(&postern(&base));
    assert_eq!(stdout(&check()), "");
    let good = std::fs::read_to_string(&file).unwrap();

    std::fs::write(&file, good.replace("\"b:x\"", "\"b:y\"")).unwrap();
    let place = format!("postern: {}: line ", file.display());
    let message = refused();
    assert!(
        message.starts_with(&place) && message.contains("what the catalog gives: `\"b:x\",`; "),
        "{message}"
    );
    std::fs::write(&file, good.replace('\n', "\r\n")).unwrap();
    assert!(refused().starts_with(&format!("{place}1 is not")));
    std::fs::write(&file, format!("{good}more")).unwrap();
    assert!(refused().contains(": line "));
    std::fs::write(&file, &good[..good.len() - 1]).unwrap();
    assert!(refused().ends_with(run));
    assert_eq!(stdout(&postern(&base)), "");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), good);
    assert_eq!(folder.names(), ["catalog.ts", "world.json"]);
}

#[test]
fn what_cannot_be_generated_is_refused() {
    let folder = Folder::new("codegen-refused");
    let world = folder.file("world.json", WORLD);
    let missing = ["codegen", "--lang", "ts"];
    let both = [&missing[..], &["--world", text(&world), "--organization", "a"]].concat();
    let unwritten = [&missing[..], &["--world", text(&world), "--check"]].concat();
    for arguments in [&missing[..], &both, &unwritten] {
        assert_eq!(postern(arguments).status.code(), Some(2), "{arguments:?}");
    }
    let nowhere = [&missing[..], &["--world", "nowhere.json"]].concat();
    assert!(complaint(&postern(&nowhere)).starts_with("nowhere.json: cannot read: "));
    assert!(
        complaint(&postern(&[&missing[..], &["--world", text(&at("Cargo.toml"))]].concat()))
            .contains("line 1")
    );

    // Two names that share an identifier are told apart by their hashes; a third may be called like one of these.
    let catalog = |keys: &str| {
        let document = r#"{"format": "postern-world/1", "organization": "a", "revision": 1, "catalog":
            {"types": {}, "permissions": {KEYS}}}"#;
        folder.file("collision.json", &document.replace("KEYS", keys))
    };
    let two = catalog(r#""a:b": {}, "a:B": {}"#);
    let code = generated("rust", &two);
    let (_, rest) = code.split_once("pub const A_B_").unwrap();
    let third = format!("a:b_{}", rest.split(':').next().unwrap().to_ascii_lowercase());
    let three = catalog(&format!(r#""a:b": {{}}, "a:B": {{}}, "{third}": {{}}"#));
    let message = complaint(&postern(&["codegen", "--lang", "rust", "--world", text(&three)]));
    assert!(message.contains("would both be called `A_B_X") && message.contains(&third), "{message}");
    assert!(generated("ts", &three).contains(&format!("\"{third}\"")), "TypeScript needs no identifiers");
}

#[test]
fn another_package_can_be_the_one_that_is_augmented() {
    let folder = Folder::new("codegen-package");
    let world = folder.file("world.json", WORLD);
    let arguments = ["codegen", "--lang", "ts", "--world", text(&world), "--package", "@postern/edge"];
    assert!(stdout(&postern(&arguments)).contains("\ndeclare module \"@postern/edge\" {\n"));
    assert!(generated("ts", &world).contains("\ndeclare module \"@postern/client\" {\n"));
}

#[test]
fn an_organizations_catalog_gives_what_its_document_gives() {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let server = server().await;
        let url = fresh(&server, "codegen").await;
        let world = at("tests/golden/codegen/hostile.json");
        let imported = postern(&["world", "import", text(&world), "--database-url", &url]);
        assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
        let of = |organization: &str, lang: &str| {
            let from = ["--organization", organization, "--database-url", &url];
            postern(&[&["codegen", "--lang", lang], &from[..]].concat())
        };
        for lang in ["ts", "rust"] {
            assert_eq!(stdout(&of("hostile", lang)), generated(lang, &world));
        }
        assert!(complaint(&of("nobody", "ts")).starts_with("there is no organization `nobody`"));
        server.stop().await;
    });
}
