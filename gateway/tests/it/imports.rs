//! Documents in and out.

use crate::support::{FULL, full_world, migrated, revision, run, world};
use postern_gateway::cli::{WorldExportArgs, WorldImportArgs, world_export, world_import};
use postern_gateway::config::DatabaseArgs;
use postern_gateway::publish::compile;
use postern_gateway::store::import::{ImportError, import};
use postern_world::World;
use std::path::{Path, PathBuf};

fn database_args(url: &str) -> DatabaseArgs {
    DatabaseArgs { database_url: Some(url.to_owned()), data_dir: PathBuf::new(), pg_bin: None }
}

async fn export(url: &str, organization: &str, file: &Path) -> Result<String, String> {
    let args = WorldExportArgs {
        organization: organization.to_owned(),
        output: Some(file.to_owned()),
        database: database_args(url),
    };
    world_export(args).await.map_err(|error| format!("{}: {error}", error.exit_code()))?;
    Ok(std::fs::read_to_string(file).unwrap())
}

async fn import_file(url: &str, file: &Path, replace: bool) -> Result<(), String> {
    let args = WorldImportArgs { world: file.to_owned(), replace, database: database_args(url) };
    world_import(args).await.map_err(|error| format!("{}: {error}", error.exit_code()))
}

#[tokio::test]
async fn an_import_exports_and_compiles_to_the_same_bytes() {
    let (url, mut connection) = migrated().await;
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("first.json"), folder.path().join("second.json"));
    std::fs::write(&first, FULL).unwrap();
    import_file(&url, &first, false).await.unwrap();
    assert_eq!(revision(&mut connection, "acme").await, 41, "the document's own revision");

    let text = export(&url, "acme", &second).await.unwrap();
    let exported = world(&text);
    let expected = postern_compile::compile(&world(FULL)).unwrap().to_bytes();
    assert_eq!(postern_compile::compile(&exported).unwrap().to_bytes(), expected, "of the exported document");
    let state = compile(&mut connection, "acme", &mut None).await.unwrap().unwrap();
    assert_eq!(state.snapshot.bytes, expected, "of the rows themselves");
    assert_eq!(text, exported.to_json(), "written as the world's own writer would");

    // Exporting what was imported from an export changes nothing any more.
    let other = text.replacen("\"acme\"", "\"acme 2\"", 1);
    std::fs::write(&first, &other).unwrap();
    import_file(&url, &first, false).await.unwrap();
    assert_eq!(export(&url, "acme 2", &second).await.unwrap(), other);
}

#[tokio::test]
async fn an_empty_world_survives() {
    let (url, mut connection) = migrated().await;
    let folder = tempfile::tempdir().unwrap();
    let empty = World { organization: "\"é\u{1}\n'; --".to_owned(), revision: u64::MAX, ..World::default() };
    import(&mut connection, &empty, false).await.unwrap();
    let text = export(&url, &empty.organization, &folder.path().join("empty.json")).await.unwrap();
    assert_eq!(world(&text), empty);
    assert_eq!(text, empty.to_json());
    let zero = World { organization: "zero".to_owned(), ..World::default() };
    assert_eq!(import(&mut connection, &zero, false).await.unwrap().revision, 0);
}

#[tokio::test]
async fn facts_that_are_written_twice_are_stored_once() {
    let (_, mut connection) = migrated().await;
    let mut twice = full_world("acme");
    twice.memberships.extend(twice.memberships.clone());
    twice.assignments.extend(twice.assignments.clone());
    for resource in &mut twice.resources {
        resource.parents.extend(resource.parents.clone());
    }
    // A group under its alias is the same group.
    let mut again = twice.memberships[1].clone();
    again.group = "group:operations".to_owned();
    twice.memberships.push(again);
    let imported = import(&mut connection, &twice, false).await.unwrap();
    let once = import(&mut connection, &full_world("once"), false).await.unwrap();
    assert_eq!(imported.rows, once.rows);
}

#[tokio::test]
async fn an_existing_organization_is_replaced_only_when_asked() {
    let (url, mut connection) = migrated().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("world.json");
    std::fs::write(&file, FULL).unwrap();
    import_file(&url, &file, false).await.unwrap();
    let refused = import_file(&url, &file, false).await.unwrap_err();
    assert!(refused.starts_with("2: ") && refused.contains("--replace"), "{refused}");
    assert_eq!(revision(&mut connection, "acme").await, 41);
    let key = crate::support::api_key(&mut connection, "acme").await;

    let smaller = World { grants: Vec::new(), revision: 7, ..full_world("acme") };
    let imported = import(&mut connection, &smaller, true).await.unwrap();
    assert_eq!((imported.revision, imported.replaced), (42, true), "one step on, whatever the document says");
    let grants: i64 =
        sqlx::query_scalar("SELECT count(*) FROM grants").fetch_one(&mut connection).await.unwrap();
    assert_eq!(grants, 0);
    let digest = postern_gateway::access::key_digest(&key);
    let found = postern_gateway::store::credentials::api_key(&mut connection, &digest).await.unwrap();
    assert_eq!(found.unwrap().organization, "acme", "keys stay");
}

#[tokio::test]
async fn an_organization_that_was_deleted_comes_back_with_a_later_revision() {
    let (_, mut connection) = migrated().await;
    import(&mut connection, &full_world("acme"), false).await.unwrap();
    run(&mut connection, "DELETE FROM organizations").await;
    assert_eq!(revision(&mut connection, "acme").await, 42);
    let imported = import(&mut connection, &full_world("acme"), false).await.unwrap();
    assert_eq!(imported.revision, 43, "41 was seen before");
    run(&mut connection, "DELETE FROM organizations").await;
    let later = World { revision: 1000, ..full_world("acme") };
    assert_eq!(import(&mut connection, &later, false).await.unwrap().revision, 1000);
}

#[tokio::test]
async fn a_document_that_cannot_be_stored_changes_nothing() {
    let (url, mut connection) = migrated().await;
    let mut long = full_world("acme");
    long.subjects[3].aliases.push("a".repeat(508));
    let error = import(&mut connection, &long, false).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "$.subjects[3].aliases: longer than the 512 bytes that an id has in the database"
    );
    let mut zero = full_world("acme");
    zero.grants[1].conditions.insert("tier".to_owned(), "\0".to_owned());
    let error = import(&mut connection, &zero, false).await.unwrap_err();
    assert!(matches!(&error, ImportError::Text { path, .. } if path == "$.grants[1].where"), "{error}");
    let count: i64 =
        sqlx::query_scalar("SELECT count(*) FROM organizations").fetch_one(&mut connection).await.unwrap();
    assert_eq!(count, 0);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("world.json");
    std::fs::write(&file, FULL.replace("\"role:empty\", \"name\"", "\"role:empty\", \"nome\"")).unwrap();
    let refused = import_file(&url, &file, false).await.unwrap_err();
    assert!(
        refused.starts_with("2: ") && refused.contains("$.roles[1]") && refused.contains("world.json"),
        "{refused}"
    );
    let refused = export(&url, "acme", &file).await.unwrap_err();
    assert!(refused.starts_with("2: ") && refused.contains("no organization `acme`"), "{refused}");
    assert!(file.exists(), "a failed export leaves the file that was there");
}

#[tokio::test]
async fn rows_written_by_hand_compile_as_the_document_would() {
    let (_, mut connection) = migrated().await;
    run(
        &mut connection,
        "INSERT INTO organizations VALUES ('acme');
         INSERT INTO resource_types (organization_id, resource_type, scope) VALUES ('acme', 'site', true);
         INSERT INTO permissions (organization_id, permission_key) VALUES ('acme', 'site:read');
         INSERT INTO subjects (organization_id, subject_id, attributes, expires_at)
             VALUES ('acme', 'user:ann', '{\"long name\": \"\\u00e9\", \"b\": \"\\\"\"}', '2030-01-01 00:00:00.25+00');
         INSERT INTO resources (organization_id, resource_type, resource_id) VALUES ('acme', 'site', 's1');
         INSERT INTO roles (organization_id, role_id, name) VALUES ('acme', 'role:r', 'R');
         INSERT INTO role_permissions (organization_id, role_id, permission) VALUES ('acme', 'role:r', 'site:read');
         INSERT INTO assignments (organization_id, subject_id, role_id, at_type, at_id)
             VALUES ('acme', 'user:ann', 'role:r', 'site', 's1');",
    )
    .await;
    let document = r#"{"format": "postern-world/1", "organization": "acme", "revision": 1,
        "catalog": {"types": {"site": {"scope": true}}, "permissions": {"site:read": {}}},
        "subjects": [{"id": "user:ann", "attributes": {"b": "\"", "long name": "é"},
                      "expires_at": "2030-01-01T00:00:00.25Z"}],
        "memberships": [], "resources": [{"type": "site", "id": "s1"}],
        "roles": [{"id": "role:r", "name": "R", "permissions": ["site:read"]}],
        "assignments": [{"subject": "user:ann", "role": "role:r", "at": {"type": "site", "id": "s1"}}], "grants": []}"#;
    let expected = postern_compile::compile(&world(document)).unwrap().to_bytes();
    assert_eq!(compile(&mut connection, "acme", &mut None).await.unwrap().unwrap().snapshot.bytes, expected);
    assert!(compile(&mut connection, "nobody", &mut None).await.unwrap().is_none());
}
