//! Every write of a fact raises the revision once per transaction, by whatever path.

use crate::support::{migrated, refused_by, revision, run, try_run};
use sqlx::{Connection, PgConnection};
use std::time::Duration;

/// One row in each table of facts.
const FACTS: &str = "
    INSERT INTO resource_types (organization_id, resource_type) VALUES ('acme', 'site');
    INSERT INTO permissions (organization_id, permission_key) VALUES ('acme', 'site:read'), ('acme', 'site:manage');
    INSERT INTO permission_links VALUES ('acme', 'site:read', 'implied_by', 'site:manage');
    INSERT INTO owner_permissions (organization_id, resource_type, permission) VALUES ('acme', 'site', 'site:*');
    INSERT INTO subjects (organization_id, subject_id) VALUES ('acme', 'user:ann'), ('acme', 'group:ops');
    INSERT INTO subject_aliases VALUES ('acme', 'user:ann@example.com', 'user:ann');
    INSERT INTO memberships (organization_id, subject_id, group_id) VALUES ('acme', 'user:ann', 'group:ops');
    INSERT INTO resources (organization_id, resource_type, resource_id) VALUES ('acme', 'site', 's1');
    INSERT INTO resource_parents (organization_id, child_type, child_id, parent_type, parent_id)
        VALUES ('acme', 'site', 's1', 'site', 's1');
    INSERT INTO roles (organization_id, role_id, name) VALUES ('acme', 'role:tech', 'Tech');
    INSERT INTO role_permissions (organization_id, role_id, permission) VALUES ('acme', 'role:tech', 'site:read');
    INSERT INTO assignments (organization_id, subject_id, role_id) VALUES ('acme', 'user:ann', 'role:tech');
    INSERT INTO grants (organization_id, grant_id, subject_id)
        VALUES ('acme', '00000000-0000-0000-0000-000000000001', 'user:ann');
    INSERT INTO grant_permissions (organization_id, grant_id, permission)
        VALUES ('acme', '00000000-0000-0000-0000-000000000001', 'site:read');";

async fn with_facts() -> (String, PgConnection) {
    let (url, mut connection) = migrated().await;
    run(&mut connection, "INSERT INTO organizations VALUES ('acme'), ('other')").await;
    run(&mut connection, FACTS).await;
    (url, connection)
}

async fn fact_tables(connection: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT table_name::text FROM information_schema.columns
         WHERE column_name = 'organization_id' AND table_schema = 'public'
           AND table_name NOT IN ('organizations', 'organization_heads', 'api_keys', 'signing_keys',
                'audit_events', 'idempotency_keys', 'fact_changes', 'adoptions', 'adoption_queries', 'adoption_rules', 'decisions',
                'presets', 'preset_permissions', 'invitations', 'secrets', 'webhooks', 'webhook_dead_letters',
                'directory_entries', 'directory_events', 'role_aliases') ORDER BY 1",
    )
    .fetch_all(connection)
    .await
    .unwrap()
}

#[tokio::test]
async fn every_statement_on_every_table_raises() {
    let (_, mut connection) = with_facts().await;
    let tables = fact_tables(&mut connection).await;
    assert_eq!(tables.len(), 14);
    for table in &tables {
        let before = revision(&mut connection, "acme").await;
        // Many statements outside a transaction run in one; these are separate.
        run(&mut connection, &format!("UPDATE {table} SET organization_id = organization_id")).await;
        assert_eq!(revision(&mut connection, "acme").await, before + 1, "UPDATE {table}");
        run(&mut connection, &format!("TRUNCATE {table} CASCADE")).await;
        assert_eq!(revision(&mut connection, "acme").await, before + 2, "TRUNCATE {table}");
        run(&mut connection, "TRUNCATE organizations CASCADE; INSERT INTO organizations VALUES ('acme')")
            .await;
        let before = revision(&mut connection, "acme").await;
        run(&mut connection, FACTS).await;
        // One transaction for all of these.
        assert_eq!(revision(&mut connection, "acme").await, before + 1, "INSERT");
        run(&mut connection, &format!("DELETE FROM {table}")).await;
        assert_eq!(revision(&mut connection, "acme").await, before + 2, "DELETE {table}");
        run(&mut connection, "TRUNCATE organizations CASCADE; INSERT INTO organizations VALUES ('acme')")
            .await;
        run(&mut connection, FACTS).await;
    }
}

#[tokio::test]
async fn copy_merge_and_upsert_raise() {
    let (_, mut connection) = with_facts().await;
    let before = revision(&mut connection, "acme").await;
    let mut copy =
        connection.copy_in_raw("COPY subjects (organization_id, subject_id) FROM STDIN").await.unwrap();
    copy.send(&b"acme\tuser:bob\nacme\tuser:cleo\n"[..]).await.unwrap();
    copy.finish().await.unwrap();
    assert_eq!(revision(&mut connection, "acme").await, before + 1);
    run(
        &mut connection,
        "MERGE INTO subjects AS old USING (VALUES ('user:bob'), ('user:dan')) AS new (id)
         ON old.organization_id = 'acme' AND old.subject_id = new.id
         WHEN MATCHED THEN UPDATE SET active = false
         WHEN NOT MATCHED THEN INSERT (organization_id, subject_id) VALUES ('acme', new.id)",
    )
    .await;
    assert_eq!(revision(&mut connection, "acme").await, before + 2);
    run(
        &mut connection,
        "INSERT INTO subjects (organization_id, subject_id) VALUES ('acme', 'user:bob')
         ON CONFLICT (organization_id, subject_id) DO UPDATE SET active = true",
    )
    .await;
    assert_eq!(revision(&mut connection, "acme").await, before + 3);
    run(&mut connection, "UPDATE subjects SET active = true WHERE subject_id = 'user:nobody'").await;
    assert_eq!(revision(&mut connection, "acme").await, before + 3, "nothing was written");
    run(
        &mut connection,
        "SET session_replication_role = replica; DELETE FROM subjects WHERE subject_id = 'user:dan'",
    )
    .await;
    assert_eq!(revision(&mut connection, "acme").await, before + 4, "also where ordinary triggers are off");
}

#[tokio::test]
async fn a_transaction_raises_once_and_a_rollback_not_at_all() {
    let (_, mut connection) = with_facts().await;
    let before = revision(&mut connection, "acme").await;
    run(&mut connection, "BEGIN; DELETE FROM assignments; DELETE FROM memberships; ROLLBACK").await;
    assert_eq!(revision(&mut connection, "acme").await, before);
    run(
        &mut connection,
        "BEGIN; DELETE FROM assignments; DELETE FROM memberships; UPDATE roles SET name = 'x'; COMMIT",
    )
    .await;
    assert_eq!(revision(&mut connection, "acme").await, before + 1);
}

#[tokio::test]
async fn savepoints_take_back_the_raise_with_the_facts() {
    let (_, mut connection) = with_facts().await;
    let before = revision(&mut connection, "acme").await;
    run(&mut connection, "BEGIN; SAVEPOINT a; DELETE FROM assignments; ROLLBACK TO a; COMMIT").await;
    assert_eq!(revision(&mut connection, "acme").await, before, "nothing is left of it");
    run(
        &mut connection,
        "BEGIN; SAVEPOINT a; DELETE FROM assignments; ROLLBACK TO a; UPDATE roles SET name = 'y'; COMMIT",
    )
    .await;
    assert_eq!(revision(&mut connection, "acme").await, before + 1, "raised again after the rollback");
    run(
        &mut connection,
        "BEGIN; SAVEPOINT a; UPDATE roles SET name = 'z'; RELEASE a; SAVEPOINT b; DELETE FROM assignments; RELEASE b;
         DELETE FROM memberships; COMMIT",
    )
    .await;
    assert_eq!(revision(&mut connection, "acme").await, before + 2, "one transaction");
}

#[tokio::test]
async fn a_transaction_raises_each_organization_that_it_touches() {
    let (_, mut connection) = with_facts().await;
    let (acme, other) = (revision(&mut connection, "acme").await, revision(&mut connection, "other").await);
    run(
        &mut connection,
        "INSERT INTO subjects (organization_id, subject_id) VALUES ('acme', 'user:x'), ('other', 'user:x')",
    )
    .await;
    assert_eq!(revision(&mut connection, "acme").await, acme + 1);
    assert_eq!(revision(&mut connection, "other").await, other + 1);
    run(
        &mut connection,
        "UPDATE subjects SET organization_id = 'other', subject_id = 'user:y'
         WHERE organization_id = 'acme' AND subject_id = 'user:x'",
    )
    .await;
    assert_eq!(revision(&mut connection, "acme").await, acme + 2, "a row that left");
    assert_eq!(revision(&mut connection, "other").await, other + 2, "a row that came");
}

#[tokio::test]
async fn concurrent_writers_leave_no_gap_and_commit_in_order() {
    const WRITERS: usize = 8;
    const WRITES: usize = 25;
    let (url, mut connection) = with_facts().await;
    let start = revision(&mut connection, "acme").await;
    let writers = (0..WRITERS).map(|writer| {
        let url = url.clone();
        tokio::spawn(async move {
            let mut connection = PgConnection::connect(&url).await.unwrap();
            for write in 0..WRITES {
                run(
                    &mut connection,
                    &format!(
                        "BEGIN;
                         INSERT INTO subjects (organization_id, subject_id) VALUES ('acme', 'user:{writer}-{write}');
                         INSERT INTO memberships (organization_id, subject_id, group_id)
                             VALUES ('acme', 'user:{writer}-{write}', 'group:ops');
                         COMMIT"
                    ),
                )
                .await;
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    // A reader sees, in one snapshot, as many facts as the revision says: each writer adds one per revision.
    let mut seen = Vec::new();
    while !writers.iter().all(|writer| writer.is_finished()) {
        let (revision, members): (i64, i64) = sqlx::query_as(
            "SELECT (SELECT revision::int8 FROM organization_heads WHERE organization_id = 'acme'),
                    (SELECT count(*) FROM memberships WHERE organization_id = 'acme')",
        )
        .fetch_one(&mut connection)
        .await
        .unwrap();
        seen.push((revision, members));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let end = revision(&mut connection, "acme").await;
    assert_eq!(end, start + (WRITERS * WRITES) as u64, "no gap, and none twice");
    for (revision, members) in seen {
        assert_eq!(
            revision - start as i64,
            members - 1,
            "the facts of a revision are those committed up to it"
        );
    }
}

#[tokio::test]
async fn a_writer_waits_for_the_one_before_it() {
    let (url, mut first) = with_facts().await;
    let before = revision(&mut first, "acme").await;
    run(&mut first, "BEGIN; UPDATE roles SET name = 'first'").await;
    let second = tokio::spawn(async move {
        let mut second = PgConnection::connect(&url).await.unwrap();
        run(&mut second, "UPDATE subjects SET active = false").await;
        revision(&mut second, "acme").await
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!second.is_finished(), "the head is locked until the first commits");
    run(&mut first, "COMMIT").await;
    assert_eq!(second.await.unwrap(), before + 2);
}

#[tokio::test]
async fn an_organization_goes_with_its_facts_and_comes_back_with_a_later_revision() {
    let (_, mut connection) = with_facts().await;
    let before = revision(&mut connection, "acme").await;
    run(&mut connection, "DELETE FROM organizations WHERE organization_id = 'acme'").await;
    for table in fact_tables(&mut connection).await {
        let left: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}")))
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert_eq!(left, 0, "{table}");
    }
    assert_eq!(revision(&mut connection, "acme").await, before + 1);
    run(&mut connection, "INSERT INTO organizations VALUES ('acme')").await;
    assert_eq!(revision(&mut connection, "acme").await, before + 2);
    assert_eq!(
        refused_by(&mut connection, "DELETE FROM organization_heads").await,
        "organizations_head_fkey"
    );
}

#[tokio::test]
async fn a_revision_never_goes_back() {
    let (_, mut connection) = with_facts().await;
    let refused = refused_by(&mut connection, "UPDATE organization_heads SET revision = 0").await;
    assert_eq!(refused, "organization_heads_revision_rises");
    let refused = refused_by(
        &mut connection,
        "UPDATE organizations SET organization_id = 'b' WHERE organization_id = 'other'",
    )
    .await;
    assert_eq!(refused, "organizations_id_stays");
}

#[tokio::test]
async fn a_writer_without_rights_on_the_heads_raises_them() {
    let (_, mut connection) = with_facts().await;
    let before = revision(&mut connection, "acme").await;
    let role = format!("writer_{}", uuid::Uuid::new_v4().simple());
    run(&mut connection, &format!("CREATE ROLE {role}; GRANT SELECT, INSERT, UPDATE ON subjects TO {role}"))
        .await;
    run(&mut connection, &format!("SET ROLE {role}")).await;
    // A table of the same name in front of the real one misleads nobody.
    run(&mut connection, "CREATE TEMPORARY TABLE organization_heads (LIKE public.subjects)").await;
    run(
        &mut connection,
        "INSERT INTO public.subjects (organization_id, subject_id) VALUES ('acme', 'user:w')",
    )
    .await;
    let refused =
        try_run(&mut connection, "UPDATE public.organization_heads SET revision = revision + 1").await;
    assert!(refused.unwrap_err().to_string().contains("permission denied"));
    let refused = try_run(&mut connection, "SELECT public.raise_revisions('{acme}')").await;
    assert!(refused.unwrap_err().to_string().contains("permission denied"));
    run(&mut connection, "RESET ROLE; DROP TABLE pg_temp.organization_heads").await;
    assert_eq!(revision(&mut connection, "acme").await, before + 1);
    run(&mut connection, &format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test]
async fn a_restored_dump_does_not_swallow_a_raise() {
    let (_, mut connection) = with_facts().await;
    let before = revision(&mut connection, "acme").await;
    // What a dump of another cluster may bring: the very number that the next transaction here will have.
    run(
        &mut connection,
        "UPDATE organization_heads SET raised_in = (pg_current_xact_id()::text::int8 + 1)::text::xid8,
            raised_at = '2020-01-01'",
    )
    .await;
    run(&mut connection, "UPDATE roles SET name = 'restored'").await;
    assert_eq!(revision(&mut connection, "acme").await, before + 1);
}
