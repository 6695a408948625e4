//! The gateway's own Postgres.

use postern_gateway::embedded::{Database, EmbeddedError, Options, Server};
use sqlx::{Connection, PgConnection};
use std::path::Path;

fn options(folder: &Path) -> Options {
    Options {
        data_dir: folder.to_owned(),
        bin_dir: std::env::var_os("POSTERN_PG_BIN").map(Into::into),
        durable: false,
    }
}

#[tokio::test]
async fn data_survives_a_restart_and_the_address_stays() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(&folder.path().join("data of a gateway"));
    let server = Server::start(&options).await.unwrap();
    let url = server.url().to_owned();
    let mut connection = PgConnection::connect(&url).await.unwrap();
    sqlx::query("CREATE TABLE kept AS SELECT 7 AS value").execute(&mut connection).await.unwrap();
    drop(connection);
    server.stop().await;
    assert!(PgConnection::connect(&url).await.is_err(), "it has stopped");

    let server = Server::start(&options).await.unwrap();
    assert_eq!(server.url(), url);
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let value: i32 = sqlx::query_scalar("SELECT value FROM kept").fetch_one(&mut connection).await.unwrap();
    assert_eq!(value, 7);
    server.stop().await;
}

#[tokio::test]
async fn a_folder_has_one_owner_and_commands_share_its_server() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    let server = Server::start(&options).await.unwrap();
    let second = Server::start(&options).await.err().expect("two servers on one folder");
    assert!(matches!(second, EmbeddedError::InUse { .. }));
    let message = second.to_string();
    assert!(message.contains(&std::process::id().to_string()) && message.contains("--data-dir"), "{message}");
    let shared = Database::open(&options).await.unwrap();
    assert!(matches!(shared, Database::Shared { .. }));
    assert_eq!(shared.url(), server.url());
    shared.close().await;
    PgConnection::connect(server.url()).await.expect("closing a shared database leaves it running");
    server.stop().await;
}

#[tokio::test]
async fn a_server_that_was_left_behind_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    let server = Server::start(&options).await.unwrap();
    let pid_file = folder.path().join("postgres/data/postmaster.pid");
    let before = std::fs::read_to_string(&pid_file).unwrap();
    // The owner goes without waiting for its server.
    drop(server);
    let server = Server::start(&options).await.unwrap();
    assert_ne!(std::fs::read_to_string(&pid_file).unwrap().lines().next(), before.lines().next());
    PgConnection::connect(server.url()).await.unwrap();
    server.stop().await;

    // A number that now is another program's (ours, here) does not keep the next one from starting.
    let stale = before.replacen(before.lines().next().unwrap(), &std::process::id().to_string(), 1);
    std::fs::write(&pid_file, stale).unwrap();
    let server = Server::start(&options).await.unwrap();
    PgConnection::connect(server.url()).await.unwrap();
    server.stop().await;
}

#[tokio::test]
async fn what_is_missing_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let wrong = Options { bin_dir: Some(empty), ..options(folder.path()) };
    let message = Server::start(&wrong).await.err().expect("there is nothing in it").to_string();
    assert!(message.contains("POSTERN_PG_BIN") && message.contains("`postgres` is missing"), "{message}");

    let cluster = folder.path().join("postgres/data");
    std::fs::create_dir_all(&cluster).unwrap();
    std::fs::write(cluster.join("PG_VERSION"), "9\n").unwrap();
    let dir = Options { bin_dir: Some(folder.path().join("none")), ..wrong };
    let message = Server::start(&dir).await.err().expect("no such folder").to_string();
    assert!(message.contains("`postgres` is missing"), "{message}");
}

#[tokio::test]
async fn only_the_owner_can_read_how_to_connect() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&options(folder.path())).await.unwrap();
    for name in ["url", "password"] {
        let mode = std::fs::metadata(folder.path().join("postgres").join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let guess = server.url().replacen("postgres://postern:", "postgres://postern:x", 1);
    let refused = PgConnection::connect(&guess).await.expect_err("another password");
    assert!(refused.to_string().contains("password authentication failed"), "{refused}");
    server.stop().await;
}
