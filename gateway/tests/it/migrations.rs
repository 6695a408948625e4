use crate::support::{PATIENCE, database, migrated, run};
use postern_gateway::store::{self, MIGRATOR};
use sqlx::{Connection, PgConnection};

/// Everything that the migrations make, as text.
async fn schema(connection: &mut PgConnection) -> Vec<String> {
    let queries = [
        "SELECT format('%s.%s %s %s %s %s', table_name, column_name, data_type, is_nullable, column_default,
            generation_expression) FROM information_schema.columns WHERE table_schema = 'public'",
        "SELECT format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint
            WHERE connamespace = 'public'::regnamespace",
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT format('%s %s %s', tgrelid::regclass, pg_get_triggerdef(oid), tgenabled) FROM pg_trigger
            WHERE NOT tgisinternal",
        "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
        "SELECT format('%s %s', typname, typtype) FROM pg_type WHERE typnamespace = 'public'::regnamespace",
    ];
    let mut all = Vec::new();
    for query in queries {
        let mut rows: Vec<String> = sqlx::query_scalar(query).fetch_all(&mut *connection).await.unwrap();
        rows.retain(|row| !row.contains("_sqlx_migrations"));
        rows.sort();
        all.extend(rows);
    }
    all
}

#[tokio::test]
async fn up_down_and_up_again_give_the_same_schema() {
    let url = database("template1").await;
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let empty = schema(&mut connection).await;
    MIGRATOR.run(&mut connection).await.unwrap();
    let full = schema(&mut connection).await;
    assert!(full.len() > empty.len() + 100);
    MIGRATOR.undo(&mut connection, 0).await.unwrap();
    assert_eq!(schema(&mut connection).await, empty);
    MIGRATOR.run(&mut connection).await.unwrap();
    assert_eq!(schema(&mut connection).await, full);
}

#[tokio::test]
async fn each_step_down_leaves_the_schema_of_the_step_before() {
    let url = database("template1").await;
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let mut versions: Vec<i64> = MIGRATOR
        .iter()
        .filter(|migration| migration.migration_type.is_up_migration())
        .map(|migration| migration.version)
        .collect();
    versions.insert(0, 0);
    let mut schemas = vec![schema(&mut connection).await];
    for version in &versions[1..] {
        MIGRATOR.run_to(*version, &mut connection).await.unwrap();
        schemas.push(schema(&mut connection).await);
    }
    for (version, before) in versions.iter().zip(&schemas).rev().skip(1) {
        MIGRATOR.undo(&mut connection, *version).await.unwrap();
        assert_eq!(&schema(&mut connection).await, before, "down to {version}");
    }
}

#[tokio::test]
async fn gateways_that_start_together_migrate_once() {
    let url = database("template1").await;
    let starts = (0..4).map(|_| store::migrate(&url));
    let results = tokio::time::timeout(PATIENCE, futures_util::future::join_all(starts)).await.unwrap();
    for result in results {
        result.unwrap();
    }
}

#[tokio::test]
async fn the_schema_may_be_any_that_the_search_path_names() {
    let url = database("template1").await;
    let mut connection = PgConnection::connect(&url).await.unwrap();
    run(&mut connection, "CREATE SCHEMA elsewhere").await;
    store::migrate(&format!("{url}?options=-csearch_path%3Delsewhere")).await.unwrap();
    run(&mut connection, "INSERT INTO elsewhere.organizations VALUES ('acme')").await;
    // The triggers find their tables although this connection's search_path does not have them.
    run(
        &mut connection,
        "INSERT INTO elsewhere.subjects (organization_id, subject_id) VALUES ('acme', 'user:ann')",
    )
    .await;
    let revision: i64 = sqlx::query_scalar("SELECT revision::int8 FROM elsewhere.organization_heads")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(revision, 2);
}

#[tokio::test]
async fn ids_are_compared_by_bytes_and_constraints_have_names() {
    let (_, mut connection) = migrated().await;
    let other_collations: Vec<String> = sqlx::query_scalar(
        "SELECT format('%s.%s', attrelid::regclass, attname) FROM pg_attribute
         JOIN pg_class ON pg_class.oid = attrelid JOIN pg_collation ON pg_collation.oid = attcollation
         WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND collname <> 'C'
           AND attname NOT IN ('name', 'description', 'prefix') AND relname <> '_sqlx_migrations' ORDER BY 1",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert_eq!(other_collations, Vec::<String>::new());
    // What Postgres would have called it.
    let unnamed: Vec<String> = sqlx::query_scalar(
        "SELECT conname::text FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> 0
           AND conname ~ '_(check[0-9]*|organization_id_.*fkey|not_null)$' AND contype IN ('c', 'f')",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert_eq!(unnamed, Vec::<String>::new());
}
