//! The gateway's role sees one organization's rows, whatever a statement asks for.

use crate::support::{api_key, call, config, database, full_world, get, migrated, run, try_run, writing_key};
use postern_gateway::app::Gateway;
use postern_gateway::store::credentials::signing_key_for;
use postern_gateway::store::import::import;
use postern_gateway::store::{self, Pool};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::time::Duration;

/// What the role may not even ask for.
const HIDDEN: [&str; 5] = ["adoption_queries", "adoption_rules", "adoptions", "api_keys", "signing_keys"];
/// What it may read and never change.
const READ_ONLY: [&str; 6] = [
    "fact_changes",
    "organizations",
    "owner_permissions",
    "permission_links",
    "permissions",
    "resource_types",
];

fn pool(url: &str) -> Pool {
    Pool::new(url, 1, Duration::from_secs(20)).unwrap()
}

async fn number(connection: &mut PgConnection, sql: &str) -> i64 {
    let query = sqlx::query_scalar(AssertSqlSafe(sql.to_owned()));
    query.fetch_one(connection).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

async fn refused(connection: &mut PgConnection, sql: &str) -> String {
    try_run(connection, sql).await.expect_err(sql).to_string()
}

/// The tables whose rows belong to organizations.
async fn tables(connection: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT relname::text FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
         WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND attname = 'organization_id' ORDER BY 1",
    )
    .fetch_all(connection)
    .await
    .unwrap()
}

/// Two organizations with something in every table.
async fn two_organizations(connection: &mut PgConnection) {
    for organization in ["acme", "other"] {
        import(connection, &full_world(organization), false).await.unwrap();
        api_key(connection, organization).await;
        signing_key_for(connection, organization, &[7; 32]).await.unwrap().unwrap();
        for sql in [
            "INSERT INTO audit_events (organization_id, revision, actor, operation, target) VALUES ('$', 1, 'a', 'b', 'c')",
            "INSERT INTO decisions VALUES ('$', default, now(), 1, 'k', '', 'user:a', 'site:read', 'site', 's', true, 'r')",
            "INSERT INTO idempotency_keys VALUES ('$', 'a', 'b', sha256('c'), '{}')",
            "INSERT INTO presets (organization_id, name, name_key, resource_type) VALUES ('$', 'P', 'p', 'site')",
            "INSERT INTO preset_permissions (organization_id, preset_id, permission)
                SELECT organization_id, preset_id, '*' FROM presets WHERE organization_id = '$'",
            "INSERT INTO invitations (organization_id, invitation_id, subject_id, kind, offer, invited_by, invited_by_key,
                expires_at) VALUES ('$', '00000000-0000-0000-0000-000000000009', 'user:a', 'share', '{}', 'k', true, now())",
            "INSERT INTO secrets (organization_id, secret_id, name, kind, description, key_id, sealed_key, sealed_value)
                VALUES ('$', 'k1', 'n', 'other', '', 'k', '', '')",
            "INSERT INTO webhooks (organization_id, webhook_id, url, description, events, active, secret, delivered, announced)
                VALUES ('$', '00000000-0000-0000-0000-000000000009', 'u', '', '{role}', true, '', 0, 0)",
            "INSERT INTO webhook_dead_letters (organization_id, webhook_id, audit_event_id, error)
                VALUES ('$', '00000000-0000-0000-0000-000000000009', 1, 'e')",
            "INSERT INTO directory_entries (organization_id, subject_id, external_id)
                SELECT organization_id, subject_id, 'e' FROM subjects WHERE organization_id = '$' LIMIT 1",
            "INSERT INTO directory_events VALUES ('$', true, 'e', '1')",
            "INSERT INTO role_aliases (organization_id, alias_id, role_id)
                SELECT organization_id, 'role:former', role_id FROM roles WHERE organization_id = '$' LIMIT 1",
            "INSERT INTO adoptions (organization_id, plan_name, plan_digest, plan, source)
                VALUES ('$', 'p', sha256('p'), '', '')",
            "INSERT INTO adoption_queries SELECT organization_id, adoption_id, 'q' FROM adoptions WHERE organization_id = '$'",
            "INSERT INTO adoption_rules (organization_id, adoption_id, query_name, rule_name)
                SELECT organization_id, adoption_id, 'q', 'r' FROM adoptions WHERE organization_id = '$'",
        ] {
            run(connection, &sql.replace('$', organization)).await;
        }
    }
}

#[tokio::test]
async fn a_connection_sees_and_changes_one_organization() {
    let (url, mut owner) = migrated().await;
    two_organizations(&mut owner).await;
    let tables = tables(&mut owner).await;
    assert!(tables.len() >= 28, "{tables:?}");
    let guarded = "SELECT count(*) FROM pg_class JOIN pg_policy ON polrelid = pg_class.oid
        WHERE relnamespace = 'public'::regnamespace AND relrowsecurity AND polcmd = '*' AND NOT polpermissive
          AND polroles = ARRAY['postern_gateway'::regrole::oid]";
    assert_eq!(number(&mut owner, guarded).await, tables.len() as i64, "each table has a policy");
    let mut before = Vec::new();
    for table in &tables {
        let rows = format!("SELECT count(*) FROM {table} WHERE organization_id = ");
        assert!(number(&mut owner, &format!("{rows} 'acme'")).await > 0, "{table} is empty");
        before.push(number(&mut owner, &format!("{rows} 'other'")).await);
    }

    let pool = pool(&url);
    let mut connection = pool.of("acme").await.unwrap();
    let mut changed = 0;
    for table in &tables {
        let (read, moved, deleted) = (
            format!("SELECT count(*) FROM {table}"),
            format!("UPDATE {table} SET organization_id = 'other'"),
            format!("DELETE FROM {table}"),
        );
        if HIDDEN.contains(&table.as_str()) {
            for statement in [read, moved, deleted] {
                assert!(
                    refused(&mut connection, &statement).await.contains("permission denied"),
                    "{statement}"
                );
            }
            continue;
        }
        assert!(number(&mut connection, &read).await > 0, "{read}");
        let others = format!("SELECT count(*) FROM {table} WHERE organization_id <> 'acme'");
        assert_eq!(number(&mut connection, &others).await, 0, "{others}");
        let why = refused(&mut connection, &moved).await;
        let may_not = why.contains("permission denied");
        assert!(may_not || why.contains("row-level security"), "{moved}: {why}");
        match READ_ONLY.contains(&table.as_str()) {
            true => {
                assert!(refused(&mut connection, &deleted).await.contains("permission denied"), "{deleted}")
            }
            // Some rows are needed by others.
            false => changed += i64::from(try_run(&mut connection, &deleted).await.is_ok()),
        }
    }
    assert!(changed > 5, "{changed}");
    for (table, before) in tables.iter().zip(before) {
        let left = format!("SELECT count(*) FROM {table} WHERE organization_id = 'other'");
        assert_eq!(number(&mut owner, &left).await, before, "{left}");
    }
}

#[tokio::test]
async fn whoever_says_for_none_sees_none() {
    let (url, mut owner) = migrated().await;
    two_organizations(&mut owner).await;
    let pool = pool(&url);
    drop(pool.of("acme").await.unwrap());
    let mut connection = pool.of_none().await.unwrap();
    for table in tables(&mut owner).await.iter().filter(|table| !HIDDEN.contains(&table.as_str())) {
        assert_eq!(number(&mut connection, &format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
    drop(connection);
    let mut transaction = pool.begin("other").await.unwrap();
    assert_eq!(number(&mut transaction, "SELECT count(*) FROM organizations").await, 1);
    drop(transaction);
    let mut connection = pool.of_none().await.unwrap();
    assert_eq!(number(&mut connection, "SELECT count(*) FROM organizations").await, 0);
}

#[tokio::test]
async fn the_role_may_what_the_gateway_does_and_no_more() {
    let (url, mut owner) = migrated().await;
    two_organizations(&mut owner).await;
    let mut connection = pool(&url).of("acme").await.unwrap();
    let who: String =
        sqlx::query_scalar("SELECT current_user::text").fetch_one(&mut *connection).await.unwrap();
    assert_eq!(who, "postern_gateway");
    let mighty = "SELECT count(*) FROM pg_roles WHERE rolname = current_user
        AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolcanlogin)";
    assert_eq!(number(&mut connection, mighty).await, 0);
    for statement in [
        "UPDATE organization_heads SET revision = revision + 1",
        "UPDATE audit_events SET actor = 'somebody else'",
        "DELETE FROM audit_events",
        "DELETE FROM organizations",
        "INSERT INTO organizations VALUES ('third')",
        "INSERT INTO api_keys (organization_id, prefix, digest) VALUES ('acme', 'p', sha256('x'))",
        "DELETE FROM statement_keys",
        "ALTER TABLE roles DISABLE ROW LEVEL SECURITY",
        "DROP POLICY own_organization ON roles",
        "TRUNCATE roles CASCADE",
        "SELECT raise_revisions(ARRAY['other'])",
        "CREATE TABLE another (id int)",
    ] {
        let why = refused(&mut connection, statement).await;
        assert!(why.contains("permission denied") || why.contains("must be owner"), "{statement}: {why}");
    }
}

/// Logs in as somebody who owns the tables, has a schema of the same name and is no superuser.
#[tokio::test]
async fn the_program_need_not_be_a_superuser() {
    let (url, owner) = (database("template1").await, "postern_it_owner");
    let mut admin = PgConnection::connect(&url).await.unwrap();
    let made = format!(
        "DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{owner}') THEN
                CREATE ROLE {owner} LOGIN PASSWORD 'secret';
            END IF;
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'postern_gateway') THEN
                CREATE ROLE postern_gateway NOLOGIN;
            END IF;
        END $$;
        REVOKE postern_gateway FROM {owner};
        CREATE SCHEMA AUTHORIZATION {owner}"
    );
    run(&mut admin, &made).await;
    let (_, rest) = url.split_once('@').unwrap();
    let url = format!("postgres://{owner}:secret@{rest}");

    let why = store::migrate(&url).await.expect_err("it is no member of the role").to_string();
    assert!(why.contains(&format!("GRANT postern_gateway TO {owner};")), "{why}");
    run(&mut admin, &format!("GRANT postern_gateway TO {owner}")).await;
    store::migrate(&url).await.unwrap();
    let mut connection = PgConnection::connect(&url).await.unwrap();
    import(&mut connection, &full_world("acme"), false).await.unwrap();
    let there = format!("SELECT count(*) FROM {owner}.organizations");
    assert_eq!(number(&mut admin, &there).await, 1, "in the schema of the name");
    let key = writing_key(&mut connection, "acme", None).await;

    let gateway = Gateway::start(config(), &url).await.unwrap();
    let roles = "/v1/organizations/acme/roles";
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let body = r#"{"name": "Reader", "permissions": ["site:read"]}"#;
    let made = call(gateway.address(), "POST", roles, &headers, body).await;
    assert_eq!(made.status, 201, "{made:?}");
    let listed = get(gateway.address(), roles, &headers[..1]).await;
    assert!(
        listed.json()["items"].as_array().unwrap().iter().any(|role| role["name"] == "Reader"),
        "{listed:?}"
    );
    gateway.stop().await.unwrap();
}
