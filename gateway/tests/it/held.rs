//! What is held of the facts and read again where a revision changed it gives the bytes that reading everything gives.

use crate::support::{full_world, migrated, run, try_run};
use postern_gateway::publish::compile;
use postern_gateway::store::held::Held;
use postern_gateway::store::import::import;
use postern_testkit::Chance;
use sqlx::PgConnection;

const TABLES: [&str; 14] = [
    "resource_types",
    "owner_permissions",
    "permissions",
    "permission_links",
    "subjects",
    "subject_aliases",
    "memberships",
    "resources",
    "resource_parents",
    "roles",
    "role_permissions",
    "assignments",
    "grants",
    "grant_permissions",
];

/// Changes of one table each, of few rows and of many. `?` stands for some number.
const CHANGES: [&str; 26] = [
    "INSERT INTO subjects (organization_id, subject_id, attributes) VALUES ('acme', 'user:n?', '{\"a\": \"?\"}')",
    "INSERT INTO subjects (organization_id, subject_id) SELECT 'acme', 'user:m' || n FROM generate_series(1, 270) AS n
        ON CONFLICT DO NOTHING",
    "INSERT INTO subject_aliases SELECT organization_id, split_part(subject_id, ':', 1) || ':alias-?', subject_id
        FROM subjects ORDER BY random() LIMIT 1",
    "UPDATE subjects SET active = NOT active WHERE ctid IN (SELECT ctid FROM subjects ORDER BY random() LIMIT 2)",
    "UPDATE subjects SET attributes = '{\"b\": \"?\"}' WHERE subject_id LIKE 'user:m%'",
    "INSERT INTO memberships (organization_id, subject_id, group_id, expires_at)
        SELECT 'acme', 'user:n?', subject_id, '2030-01-01' FROM subjects WHERE subject_id LIKE 'group:%' LIMIT 1",
    "UPDATE memberships SET active = NOT active",
    "INSERT INTO resources (organization_id, resource_type, resource_id, owner_id)
        SELECT 'acme', resource_type, 'r?', 'user:n?' FROM resource_types ORDER BY random() LIMIT 1",
    "INSERT INTO resource_parents (organization_id, child_type, child_id, parent_type, parent_id)
        SELECT 'acme', child.resource_type, child.resource_id, parent.resource_type, parent.resource_id
        FROM resources AS child, resources AS parent ORDER BY random() LIMIT 1",
    "UPDATE resources SET owner_id = 'user:o?' WHERE ctid = (SELECT ctid FROM resources ORDER BY random() LIMIT 1)",
    "UPDATE resource_parents SET child_id = (SELECT resource_id FROM resources
        WHERE resource_type = child_type ORDER BY random() LIMIT 1) WHERE relation = 'ref'",
    "INSERT INTO roles (organization_id, role_id, name) VALUES ('acme', 'role:r?', 'R?')",
    "INSERT INTO role_permissions SELECT organization_id, role_id, permission_key FROM roles, permissions
        ORDER BY random() LIMIT 3",
    "UPDATE roles SET active = NOT active WHERE ctid = (SELECT ctid FROM roles ORDER BY random() LIMIT 1)",
    "INSERT INTO assignments (organization_id, subject_id, role_id)
        SELECT 'acme', 'user:n?', role_id FROM roles ORDER BY random() LIMIT 1",
    "INSERT INTO assignments (organization_id, subject_id, role_id, at_type, at_id)
        SELECT 'acme', subject_id, role_id, resource_type, resource_id
        FROM (SELECT * FROM subjects ORDER BY random() LIMIT 60) AS subject, (SELECT * FROM roles LIMIT 3) AS role,
            (SELECT * FROM resources ORDER BY random() LIMIT 2) AS place",
    "UPDATE assignments SET subject_id = 'user:n?' WHERE ctid = (SELECT ctid FROM assignments ORDER BY random() LIMIT 1)",
    "UPDATE assignments SET active = NOT active",
    "INSERT INTO grants (organization_id, subject_id, effect, own)
        SELECT 'acme', subject_id, 'exclude', true FROM subjects ORDER BY random() LIMIT 1",
    "INSERT INTO grant_permissions SELECT held.organization_id, grant_id, permission_key FROM grants AS held, permissions
        ORDER BY random() LIMIT 2",
    "UPDATE grants SET subject_id = 'user:all' WHERE ctid = (SELECT ctid FROM grants ORDER BY random() LIMIT 1)",
    "UPDATE permissions SET works_when_inactive = NOT works_when_inactive",
    "INSERT INTO permissions (organization_id, permission_key) SELECT 'acme', resource_type || ':do?' FROM resource_types
        ORDER BY random() LIMIT 1",
    "UPDATE resource_types SET narrows = NOT narrows WHERE scope",
    "INSERT INTO permission_links SELECT 'acme', one.permission_key, 'implied_by', other.permission_key
        FROM permissions AS one, permissions AS other ORDER BY random() LIMIT 1",
    "INSERT INTO owner_permissions (organization_id, resource_type, permission)
        SELECT 'acme', resource_type, permission_key FROM resource_types, permissions ORDER BY random() LIMIT 1",
];

fn change(chance: &mut Chance) -> String {
    let number = chance.below(40);
    match chance.below(10) {
        0..6 => CHANGES[chance.below(CHANGES.len())].replace('?', &number.to_string()),
        6..9 => {
            // Without types, soon nothing would be left.
            let table = TABLES[1 + chance.below(TABLES.len() - 1)];
            format!("DELETE FROM {table} WHERE ctid = (SELECT ctid FROM {table} ORDER BY random() LIMIT 1)")
        }
        _ if number < 8 => format!("TRUNCATE {}", TABLES[TABLES.len() - 1 - number % 3]),
        _ => "UPDATE grants SET active = NOT active".to_owned(),
    }
}

async fn bytes(connection: &mut PgConnection, held: &mut Option<Held>) -> Vec<u8> {
    compile(connection, "acme", held).await.unwrap().unwrap().snapshot.bytes.to_vec()
}

#[tokio::test]
async fn what_is_held_and_read_again_is_what_is_there() {
    let (mut compared, mut changed) = (0, 0);
    for seed in 0..2 {
        let (_, mut connection) = migrated().await;
        import(&mut connection, &full_world("acme"), false).await.unwrap();
        run(&mut connection, &format!("SELECT setseed(0.{seed})")).await;
        let mut chance = Chance::new(seed);
        let mut held = None;
        let mut before = bytes(&mut connection, &mut held).await;
        for step in 0..100 {
            let count = chance.between(1, 3);
            let changes: Vec<String> = (0..count).map(|_| change(&mut chance)).collect();
            let sql = match chance.below(5) {
                // One transaction, with a part that is taken back; or none of it.
                0 => format!(
                    "BEGIN; SAVEPOINT a; {}; ROLLBACK TO a; {}; COMMIT",
                    changes[0],
                    changes.join("; ")
                ),
                1 => format!("BEGIN; {}; ROLLBACK", changes.join("; ")),
                2 => format!("BEGIN; {}; COMMIT", changes.join("; ")),
                _ => changes.join("; "),
            };
            // What a constraint refuses changes nothing.
            if try_run(&mut connection, &sql).await.is_err() {
                run(&mut connection, "ROLLBACK").await;
            }
            let after = bytes(&mut connection, &mut held).await;
            assert_eq!(after, bytes(&mut connection, &mut None).await, "seed {seed}, step {step}: {sql}");
            compared += 1;
            changed += usize::from(after != before);
            before = after;
        }
    }
    assert!(changed * 3 > compared, "{changed} of {compared} changed anything");
}

/// Nothing else is read again: what is changed behind the back of the triggers is not seen.
#[tokio::test]
async fn only_what_changed_is_read_again() {
    let (_, mut connection) = migrated().await;
    import(&mut connection, &full_world("acme"), false).await.unwrap();
    let mut held = None;
    bytes(&mut connection, &mut held).await;
    let behind = |delete: &str| {
        format!("ALTER TABLE assignments DISABLE TRIGGER ALL; {delete}; ALTER TABLE assignments ENABLE TRIGGER ALL;
            ALTER TABLE assignments ENABLE ALWAYS TRIGGER facts_inserted, ENABLE ALWAYS TRIGGER facts_updated,
                ENABLE ALWAYS TRIGGER facts_deleted, ENABLE ALWAYS TRIGGER facts_truncated")
    };
    run(&mut connection, &behind("DELETE FROM assignments")).await;
    run(&mut connection, "INSERT INTO subjects (organization_id, subject_id) VALUES ('acme', 'user:new')")
        .await;
    let kept = bytes(&mut connection, &mut held).await;
    assert_ne!(kept, bytes(&mut connection, &mut None).await, "the assignments are held, and were not read");
    run(
        &mut connection,
        "INSERT INTO assignments (organization_id, subject_id, role_id)
         SELECT 'acme', 'user:new' || n, role_id FROM roles, generate_series(1, 300) AS n",
    )
    .await;
    let all = bytes(&mut connection, &mut held).await;
    assert_eq!(all, bytes(&mut connection, &mut None).await, "so many changes are all of them");
}

/// Revisions of which it is not known what they changed, and another history, are read whole.
#[tokio::test]
async fn what_is_not_known_is_read_whole() {
    let (_, mut connection) = migrated().await;
    import(&mut connection, &full_world("acme"), false).await.unwrap();
    for what in [
        "DELETE FROM fact_changes",
        "UPDATE fact_changes SET relation = 'younger'",
        "UPDATE organization_heads SET revision = revision + 1",
    ] {
        let mut held = None;
        bytes(&mut connection, &mut held).await;
        run(&mut connection, "DELETE FROM grants WHERE ctid = (SELECT ctid FROM grants LIMIT 1)").await;
        run(&mut connection, what).await;
        assert_eq!(
            bytes(&mut connection, &mut held).await,
            bytes(&mut connection, &mut None).await,
            "{what}"
        );
    }
    let changes = async |connection: &mut PgConnection| -> i64 {
        sqlx::query_scalar("SELECT count(DISTINCT revision) FROM fact_changes")
            .fetch_one(connection)
            .await
            .unwrap()
    };
    for _ in 0..700 {
        run(&mut connection, "UPDATE subjects SET active = NOT active WHERE subject_id = 'user:ann'").await;
    }
    let kept = changes(&mut connection).await;
    assert!((512..640).contains(&kept), "{kept} revisions are told of");
}
