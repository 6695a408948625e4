//! `postern preflight`: everything that it can find is found where it is wrong, and not where it is not.

use crate::{Folder, complaint, fresh, postern, server, text};
use serde_json::Value;
use sqlx::{Connection, Executor, PgConnection};
use std::collections::BTreeMap;
use std::process::Output;

/// Nothing is missing here once it has a key.
const WORLD: &str = r#"{"format": "postern-world/1", "organization": "acme", "revision": 1,
  "catalog": {"types": {"site": {"scope": true}, "miner": {}},
    "permissions": {"miner:read": {}, "miner:reboot": {}, "miner:see": {"implied_by": ["miner:read"]}}},
  "subjects": [{"id": "user:root"}, {"id": "user:tech"}, {"id": "user:off", "active": false}, {"id": "group:ops"}],
  "memberships": [{"subject": "user:tech", "group": "group:ops"}],
  "resources": [{"type": "site", "id": "s"}, {"type": "miner", "id": "m", "parents": [{"type": "site", "id": "s"}]}],
  "roles": [{"id": "role:system:SUPER_ADMIN", "name": "Super admin", "permissions": ["*"]},
    {"id": "role:tech", "name": "Technician", "permissions": ["miner:*"]}],
  "assignments": [{"subject": "user:root", "role": "role:system:SUPER_ADMIN"},
    {"subject": "group:ops", "role": "role:tech", "at": {"type": "site", "id": "s"}}],
  "grants": []}"#;

const CATALOG: &str = r#"{"format": "postern-world/1", "organization": "builtins", "revision": 1,
  "catalog": {"types": {"site": {"scope": true}, "miner": {}},
    "permissions": {"miner:read": {}, "miner:reboot": {}, "miner:see": {"implied_by": ["miner:read"]}}},
  "subjects": [], "memberships": [], "resources": [],
  "roles": [{"id": "role:system:SUPER_ADMIN", "name": "Super admin", "permissions": ["*"]}],
  "assignments": [], "grants": []}"#;

/// Statements that each make one thing wrong; the check that finds it, and what it names.
const WRONG: [(&str, &str, &str, &str); 18] = [
    ("DELETE FROM role_permissions WHERE role_id = 'role:tech';
      UPDATE assignments SET active = false WHERE role_id = 'role:system:SUPER_ADMIN'",
     "unheld_permissions", "warning", "miner:read"),
    ("INSERT INTO roles (organization_id, role_id, name, name_key) VALUES ('acme', 'role:empty', 'E', 'e');
      INSERT INTO assignments (organization_id, subject_id, role_id) VALUES ('acme', 'user:tech', 'role:empty')",
     "empty_roles", "warning", "role:empty"),
    ("UPDATE assignments SET active = false WHERE role_id = 'role:system:SUPER_ADMIN'", "administrator", "missing",
     "role:system:SUPER_ADMIN"),
    ("UPDATE api_keys SET revoked_at = now()", "api_key", "missing", "acme"),
    ("UPDATE api_keys SET expires_at = now() + interval '3 days'", "keys_ending_soon", "warning", "postern_key_"),
    ("INSERT INTO adoptions (organization_id, plan_name, plan_digest, plan, source)
      VALUES ('acme', 'fleet', sha256('p'), '', '')", "adoption", "missing", "fleet"),
    ("DELETE FROM memberships", "users_without_rights", "warning", "user:tech"),
    ("INSERT INTO assignments (organization_id, subject_id, role_id) VALUES ('acme', 'user:ghost', 'role:tech')",
     "unlisted_subjects", "warning", "user:ghost"),
    ("UPDATE assignments SET at_id = 'typo' WHERE at_id = 's'", "unlisted_places", "warning", "site:typo"),
    ("INSERT INTO resources (organization_id, resource_type, resource_id) VALUES ('acme', 'miner', 'lost')",
     "resources_apart", "warning", "miner:lost"),
    ("UPDATE assignments SET expires_at = now() + interval '3 days' WHERE role_id = 'role:tech'", "ending_soon", "warning",
     "group:ops role:tech"),
    ("INSERT INTO role_aliases VALUES ('acme', 'role:former', 'role:tech')", "former_role_ids", "warning",
     "role:former role:tech"),
    ("INSERT INTO webhooks (organization_id, webhook_id, url, description, events, active, secret, delivered, announced)
        VALUES ('acme', '00000000-0000-0000-0000-000000000009', 'https://a.example', '', '{role}', true, '', 0, 0);
      INSERT INTO webhook_dead_letters (organization_id, webhook_id, audit_event_id, error)
        VALUES ('acme', '00000000-0000-0000-0000-000000000009', 1, 'e')", "undelivered", "warning", "https://a.example"),
    ("INSERT INTO permissions (organization_id, permission_key) VALUES ('acme', 'miner:old')", "unknown_to_catalog", "warning",
     "miner:old"),
    ("DELETE FROM permissions", "catalog_permissions", "missing", "miner:read"),
    ("DELETE FROM permissions", "permissions", "missing", "acme"),
    ("DELETE FROM resource_types WHERE resource_type = 'miner'", "catalog_types", "missing", "miner"),
    (
        "UPDATE roles SET builtin_key = NULL, immutable = false WHERE role_id = 'role:system:SUPER_ADMIN'",
        "catalog_roles",
        "missing",
        "role:system:SUPER_ADMIN",
    ),
];

/// The findings by check, and the last line.
fn findings(output: &Output) -> (BTreeMap<String, Value>, Value) {
    let mut lines: Vec<Value> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let last = lines.pop().unwrap();
    (lines.into_iter().map(|line| (line["check"].as_str().unwrap().to_owned(), line)).collect(), last)
}

#[tokio::test]
async fn what_is_missing_is_found_and_named() {
    let server = server().await;
    let url = fresh(&server, "preflight").await;
    let folder = Folder::new("preflight");
    let (world, catalog) = (folder.file("world.json", WORLD), folder.file("catalog.json", CATALOG));
    let look = |more: &[&str]| {
        let mut arguments = vec!["preflight", "--organization", "acme", "--database-url", &url];
        arguments.extend_from_slice(more);
        postern(&arguments)
    };
    let said = complaint(&look(&[]));
    assert!(said.contains("there is no organization `acme`"), "{said}");
    assert!(complaint(&look(&["--catalog", "nowhere.json"])).contains("nowhere.json"));
    assert!(postern(&["world", "import", text(&world), "--database-url", &url]).status.success());
    let key = postern(&["key", "create", "--organization", "acme", "--name", "k", "--database-url", &url]);
    assert!(key.status.success());
    let mut connection = PgConnection::connect(&url).await.unwrap();
    // As a gateway that starts with the catalog would leave it.
    let built_in = "UPDATE roles SET builtin_key = 'SUPER_ADMIN', immutable = true WHERE role_id = 'role:system:SUPER_ADMIN'";
    connection.execute(built_in).await.unwrap();
    connection.close().await.unwrap();

    let strict = ["--json", "--catalog", text(&catalog)];
    let good = look(&strict);
    let (found, last) = findings(&good);
    assert!(good.status.success() && found.is_empty(), "{found:?} {last}");
    assert_eq!((&last["ready"], &last["checks"], &last["good"]), (&true.into(), &19.into(), &19.into()));
    assert!(last["snapshot_bytes"].as_u64().unwrap() > 100);
    let plain = look(&[]);
    let said = String::from_utf8_lossy(&plain.stdout).into_owned();
    assert!(plain.status.success() && said.ends_with("19 of 19 checks found nothing\n"), "{said}");

    for (sql, check, level, example) in WRONG {
        // Each on its own, in a copy.
        let copy = fresh(&server, "preflight_wrong").await;
        let mut admin = PgConnection::connect(server.url()).await.unwrap();
        let copied = "DROP DATABASE preflight_wrong; CREATE DATABASE preflight_wrong TEMPLATE preflight";
        for statement in copied.split("; ") {
            admin.execute(statement).await.unwrap();
        }
        let mut wrong = PgConnection::connect(&copy).await.unwrap();
        // Also what the database refuses: that the last administrator goes.
        let sql = format!("ALTER TABLE assignments DISABLE TRIGGER USER; {sql}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql.clone()))
            .execute(&mut wrong)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        wrong.close().await.unwrap();
        let mut arguments = vec!["preflight", "--organization", "acme", "--database-url", &copy];
        arguments.extend_from_slice(&strict);
        let output = postern(&arguments);
        let (found, last) = findings(&output);
        let finding = found.get(check).unwrap_or_else(|| panic!("{check} is not found: {found:?}"));
        assert_eq!(finding["level"], level, "{check}");
        let named = finding["examples"][0].as_str().unwrap();
        assert!(named.starts_with(example), "{check}: {named}");
        let missing = found.values().filter(|finding| finding["level"] == "missing").count();
        assert_eq!(last["ready"], missing == 0, "{check}");
        assert_eq!(output.status.code(), Some(if missing == 0 { 0 } else { 1 }), "{check}");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(stderr.contains("`acme` is not ready"), missing > 0, "{stderr}");
    }
    server.stop().await;
}
