//! What goes wrong leaves the state before in force, and shows.

use crate::support::{Events, PATIENCE, Setup, get, run};
use hyper::StatusCode;
use sqlx::{Connection, PgConnection};
use std::time::{Duration, Instant};

const SNAPSHOT: &str = "/v1/organizations/acme/snapshot";

async fn readiness(setup: &Setup) -> (StatusCode, serde_json::Value) {
    let answer = get(setup.address(), "/readyz", &[]).await;
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

async fn wait_for_readiness(setup: &Setup, wanted: &str) -> (StatusCode, serde_json::Value) {
    let begun = Instant::now();
    loop {
        let (status, body) = readiness(setup).await;
        if body["status"] == wanted {
            return (status, body);
        }
        assert!(begun.elapsed() < PATIENCE, "still {body}, not {wanted}");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

#[tokio::test]
async fn an_outage_of_the_database_keeps_the_states() {
    let mut setup = Setup::new().await;
    let token = setup.token("user:ann", 60);
    let before = setup.get(SNAPSHOT, &setup.key).await;
    let slice = setup.get("/v1/me/slice", &token).await;
    assert_eq!((before.status, slice.status), (StatusCode::OK, StatusCode::OK));
    let headers = [("authorization", format!("Bearer {}", setup.key))];
    let headers = [("authorization", headers[0].1.as_str())];
    let mut events = Events::open(setup.address(), "/v1/organizations/acme/stream", &headers).await;
    events.next().await.unwrap();

    // Nobody may connect to the database any more, and who is connected is thrown out.
    let (address, name) = setup.url.rsplit_once('/').unwrap();
    let mut admin = PgConnection::connect(&format!("{address}/postgres")).await.unwrap();
    run(&mut admin, &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).await;
    let others = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    run(&mut admin, &others).await;
    let (status, body) = wait_for_readiness(&setup, "unready").await;
    assert_eq!((status, &body["checks"]["database"]), (StatusCode::SERVICE_UNAVAILABLE, &"down".into()));
    assert_eq!(get(setup.address(), "/livez", &[]).await.status, StatusCode::OK);

    let begun = Instant::now();
    assert_eq!(setup.get(SNAPSHOT, &setup.key).await.body, before.body);
    assert_eq!(setup.get("/v1/me/slice", &token).await.body, slice.body);
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "requests do not wait for a database that is known to be away"
    );
    let unknown = setup.get(SNAPSHOT, "postern_key_never-seen-before").await;
    assert_eq!((unknown.status, unknown.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "unavailable"));
    assert_eq!(unknown.header("retry-after"), "1");

    run(&mut admin, &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true")).await;
    wait_for_readiness(&setup, "ready").await;
    setup.connection = PgConnection::connect(&setup.url).await.unwrap();
    run(&mut setup.connection, "DELETE FROM grants").await;
    assert_eq!(events.next().await.unwrap().id, "42", "the stream that was open all the time");
}

#[tokio::test]
async fn what_was_written_during_an_outage_is_pushed_after_it() {
    let mut setup = Setup::new().await;
    let bearer = format!("Bearer {}", setup.key);
    let mut events =
        Events::open(setup.address(), "/v1/organizations/acme/stream", &[("authorization", &bearer)]).await;
    events.next().await.unwrap();
    // The gateway's connections end, and in the same moment there is a new revision.
    run(
        &mut setup.connection,
        "BEGIN; DELETE FROM grants;
         SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid();
         COMMIT",
    )
    .await;
    assert_eq!(events.next().await.unwrap().id, "42");
}

#[tokio::test]
async fn facts_that_do_not_compile_keep_the_state_before() {
    let mut setup = Setup::new().await;
    let before = setup.get(SNAPSHOT, &setup.key).await;
    let bearer = format!("Bearer {}", setup.key);
    let mut events =
        Events::open(setup.address(), "/v1/organizations/acme/stream", &[("authorization", &bearer)]).await;
    assert_eq!(events.next().await.unwrap().id, "41");
    // More permissions than a catalog may have: no constraint of the database counts them.
    run(
        &mut setup.connection,
        "INSERT INTO permissions (organization_id, permission_key)
         SELECT 'acme', 'too:many' || n FROM generate_series(1, 17000) AS n",
    )
    .await;
    let (status, body) = wait_for_readiness(&setup, "degraded").await;
    assert_eq!(status, StatusCode::OK, "one organization's trouble is not everyone's");
    assert_eq!(body["organizations_on_an_old_revision"], 1);
    assert_eq!(setup.get(SNAPSHOT, &setup.key).await.body, before.body);

    run(&mut setup.connection, "DELETE FROM permissions WHERE permission_key LIKE 'too:many%'").await;
    assert_eq!(events.next().await.unwrap().id, "43", "42 was never published");
    wait_for_readiness(&setup, "ready").await;
}

#[tokio::test]
async fn facts_that_never_compiled_are_an_error_with_a_code() {
    let mut setup = Setup::new().await;
    run(
        &mut setup.connection,
        "INSERT INTO permissions (organization_id, permission_key)
         SELECT 'acme', 'too:many' || n FROM generate_series(1, 17000) AS n",
    )
    .await;
    for path in [SNAPSHOT, "/v1/organizations/acme/stream"] {
        let answer = setup.get(path, &setup.key).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::SERVICE_UNAVAILABLE, "not_compiled")
        );
    }
}
