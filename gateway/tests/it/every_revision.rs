//! Every revision is told once, in order, whatever happens to gateways and to the database meanwhile.

use crate::support::{PATIENCE, Setup, config, full_world, get, revision, run, writing_key};
use postern_gateway::app::Gateway;
use postern_gateway::embedded::{Options, Server};
use postern_gateway::store;
use postern_gateway::store::import::import;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const WRITERS: u64 = 10;
const WRITES: u64 = 100;
/// Between two writes of one writer.
const BETWEEN: Duration = Duration::from_millis(50);
/// For a moment in which nobody answers.
const SOON: Duration = Duration::from_millis(20);

fn numbers(page: &Value) -> Vec<u64> {
    let items = page["items"].as_array().unwrap();
    items.iter().map(|item| item["revision"].as_str().unwrap().parse().unwrap()).collect()
}

/// Writes one revision after the other, whatever becomes of the database: a write is made again only where it was not
/// committed.
async fn write(url: String, writer: u64) {
    let mut connection = None;
    let begun = Instant::now();
    for number in 0..WRITES {
        loop {
            assert!(begun.elapsed() < PATIENCE * 6, "the database does not come back");
            if let Some(open) = &mut connection {
                let sql = "INSERT INTO subjects (organization_id, subject_id) VALUES ('acme', $1) ON CONFLICT DO NOTHING";
                match sqlx::query(sql).bind(format!("user:w{writer}-{number}")).execute(open).await {
                    Ok(_) => break,
                    Err(_) => connection = None,
                }
            } else {
                connection = PgConnection::connect(&url).await.ok();
            }
            if connection.is_none() {
                tokio::time::sleep(SOON).await;
            }
        }
        // 200 a second in all: a reader may be away for two of them.
        tokio::time::sleep(BETWEEN).await;
    }
}

/// Follows until it has seen a revision, at whatever address a gateway is.
async fn follow(address: Arc<Mutex<SocketAddr>>, key: String, from: u64, to: u64) -> Vec<u64> {
    let mut seen = Vec::new();
    let mut at = from;
    let begun = Instant::now();
    while at < to {
        assert!(begun.elapsed() < PATIENCE * 6, "{at} of {to}");
        let address = *address.lock().unwrap();
        let bearer = format!("Bearer {key}");
        // A gateway that goes in the middle of an answer did not answer; it ends a task of its own.
        let asked = tokio::spawn(async move {
            tokio::net::TcpStream::connect(address).await.ok()?;
            let path = format!("/v1/organizations/acme/revisions?after={at}&limit=7");
            Some(get(address, &path, &[("authorization", &bearer)]).await)
        });
        match asked.await {
            Ok(Some(answer)) if answer.status == 200 => {
                seen.extend(numbers(&answer.json()));
                at = seen.last().copied().unwrap_or(at);
            }
            Ok(Some(answer)) => assert!(answer.status.is_server_error(), "{answer:?}"),
            _ => {}
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_revision_is_seen_once_across_restarts_of_gateway_and_database() {
    let folder = tempfile::tempdir().unwrap();
    let bin_dir = std::env::var_os("POSTERN_PG_BIN").map(Into::into);
    let options = Options { data_dir: folder.path().to_owned(), bin_dir, durable: true };
    let server = Server::start(&options).await.unwrap();
    let url = server.url().to_owned();
    store::migrate(&url).await.unwrap();
    let mut connection = PgConnection::connect(&url).await.unwrap();
    import(&mut connection, &full_world("acme"), false).await.unwrap();
    let key = writing_key(&mut connection, "acme", None).await;
    let from = revision(&mut connection, "acme").await;
    let to = from + WRITERS * WRITES;
    drop(connection);
    let gateway = Gateway::start(config(), &url).await.unwrap();
    let address = Arc::new(Mutex::new(gateway.address()));
    let readers: Vec<_> =
        (0..2).map(|_| tokio::spawn(follow(address.clone(), key.clone(), from, to))).collect();
    let writers: Vec<_> = (0..WRITERS).map(|writer| tokio::spawn(write(url.clone(), writer))).collect();
    // Another gateway takes over.
    tokio::time::sleep(Duration::from_millis(200)).await;
    gateway.stop().await.unwrap();
    let gateway = Gateway::start(config(), &url).await.unwrap();
    *address.lock().unwrap() = gateway.address();
    // The database goes, and comes again.
    tokio::time::sleep(Duration::from_millis(200)).await;
    server.stop().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let server = Server::start(&options).await.unwrap();
    assert_eq!(server.url(), url);
    for writer in writers {
        writer.await.unwrap();
    }
    let mut connection = PgConnection::connect(&url).await.unwrap();
    assert_eq!(revision(&mut connection, "acme").await, to, "1,000 writes are 1,000 revisions");
    let all: Vec<u64> = (from + 1..=to).collect();
    for reader in readers {
        assert_eq!(reader.await.unwrap(), all, "each once, in order");
    }
    drop(connection);
    gateway.stop().await.unwrap();
    server.stop().await;
}

#[tokio::test]
async fn a_revision_tells_what_it_changed() {
    let mut setup = Setup::new().await;
    let operator = writing_key(&mut setup.connection, "acme", None).await;
    let after = async |setup: &Setup, number: u64| {
        setup.manage("GET", &format!("revisions?after={number}"), &operator, &[], Value::Null).await
    };
    let none = after(&setup, 41).await.json();
    assert_eq!((&none["newest"], &none["items"]), (&json!("41"), &json!([])));
    run(&mut setup.connection, "DELETE FROM assignments WHERE subject_id = 'user:ann'").await;
    let two =
        "BEGIN; UPDATE resources SET active = false WHERE resource_type = 'site' AND resource_id = 's1';
        INSERT INTO subjects (organization_id, subject_id) VALUES ('acme', 'user:zoe'); COMMIT";
    run(&mut setup.connection, two).await;
    let many = "INSERT INTO subjects (organization_id, subject_id)
        SELECT 'acme', 'user:m' || number FROM generate_series(1, 300) AS number";
    run(&mut setup.connection, many).await;
    let told = after(&setup, 41).await.json();
    assert_eq!(numbers(&told), [42, 43, 44]);
    assert_eq!(told["epoch"], none["epoch"]);
    let item = |number: usize| (&told["items"][number]["changes"], &told["items"][number]["more"]);
    assert_eq!(item(0), (&json!([{"relation": "assignments", "key": "user:ann"}]), &json!(false)));
    let both = json!([{"relation": "resources", "key": {"type": "site", "id": "s1"}},
        {"relation": "subjects", "key": "user:zoe"}]);
    assert_eq!(item(1), (&both, &json!(false)));
    assert_eq!(
        item(2),
        (&json!([{"relation": "subjects", "key": null}]), &json!(false)),
        "too many to be listed"
    );
    assert_eq!(numbers(&after(&setup, 43).await.json()), [44]);
    // What nobody knows is not told as nothing.
    for odd in ["45", "18446744073709551615"] {
        let answer =
            setup.manage("GET", &format!("revisions?after={odd}"), &operator, &[], Value::Null).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (410, "revisions_forgotten"), "{odd}");
    }
    for odd in ["revisions?after=", "revisions?after=-1", "revisions?after=x", "revisions?after=1&limit=0"] {
        let answer = setup.manage("GET", odd, &operator, &[], Value::Null).await;
        assert_eq!(answer.code(), "invalid_query", "{odd}");
    }
    let later = "UPDATE organization_heads SET revision = revision + 600 WHERE organization_id = 'acme'";
    run(&mut setup.connection, later).await;
    assert_eq!(after(&setup, 44).await.code(), "revisions_forgotten");
    // A revision that says nothing of itself changed anything.
    let unknown = after(&setup, 640).await.json();
    assert_eq!(unknown["items"][0], json!({"revision": "641", "changes": [], "more": true}));
}
