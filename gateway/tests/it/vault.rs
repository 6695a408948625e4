//! The vault: values are nowhere but in answers, and every one can be read at every moment of a change of keys.

use crate::management_resources::refused;
use crate::measured::{metrics, value};
use crate::secrets::Desk;
use crate::support::{PATIENCE, config, run};
use postern_gateway::config::Config;
use postern_gateway::store::Pool;
use postern_gateway::vault::file::KeysFile;
use postern_gateway::vault::{Pass, Vault};
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A file with these keys, of which the first encrypts; each byte of a key is the first of its name.
fn write_keys(file: &Path, ids: &[&str]) {
    let mut keys = KeysFile::default();
    for id in ids {
        keys = keys.with_new(id, &[id.as_bytes()[0]; 32]);
    }
    keys.write(file).unwrap();
}

async fn by_key(connection: &mut PgConnection) -> BTreeMap<String, i64> {
    let rows: Vec<(String, i64)> = sqlx::query_as("SELECT key_id, count(*) FROM secrets GROUP BY key_id")
        .fetch_all(connection)
        .await
        .unwrap();
    rows.into_iter().collect()
}

/// A desk with a file of keys of its own, and secrets in two organizations' names of which all are ann's.
async fn desk(file: &Path, secrets: usize) -> (Desk, Vec<String>) {
    let vault_keys = Some(file.to_owned());
    let metrics_listen = Some("127.0.0.1:0".parse().unwrap());
    let mut desk = Desk::with(Config { vault_keys, metrics_listen, ..config() }).await;
    let mut ids = Vec::new();
    for number in 0..secrets {
        ids.push(desk.made("user:ann", &format!("n{number}"), json!({"to": "user"})).await);
    }
    (desk, ids)
}

/// The values as a vault reads them from the database, whatever encrypts them.
async fn readable(vault: &Vault, connection: &mut PgConnection) -> usize {
    let mut count = 0;
    let ids: Vec<String> =
        sqlx::query_scalar("SELECT secret_id::text FROM secrets").fetch_all(&mut *connection).await.unwrap();
    for id in &ids {
        let (sealed, _) =
            postern_gateway::store::secrets::sealed(connection, ("acme", id)).await.unwrap().unwrap();
        let read = vault.value(("acme", id), &sealed).unwrap();
        assert!(read.starts_with("value of n"), "{read}");
        count += 1;
    }
    count
}

/// Another key is taken up by the running gateway, which encrypts everything anew while values are read and written;
/// then the old one can go.
#[tokio::test]
async fn a_running_gateway_changes_keys_while_values_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.toml");
    write_keys(&file, &["a"]);
    let (mut desk, ids) = desk(&file, 150).await;
    assert_eq!(by_key(&mut desk.setup.connection).await, BTreeMap::from([("a".to_owned(), 150)]));
    write_keys(&file, &["b", "a"]);
    let begun = Instant::now();
    let mut reads = 0;
    loop {
        let id = &ids[reads % ids.len()];
        assert_eq!(desk.reads("user:ann", id, "").await.unwrap(), format!("value of n{}", reads % ids.len()));
        let body = json!({"value": format!("value of n{}", reads % ids.len())});
        let written = desk.call("user:ann", "PUT", &format!("secrets/{id}/value"), body).await;
        assert_eq!(written.status, 200, "{written:?}");
        reads += 1;
        if by_key(&mut desk.setup.connection).await == BTreeMap::from([("b".to_owned(), 150)]) {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{:?}", by_key(&mut desk.setup.connection).await);
    }
    assert!(reads > 0);
    // The old key is needed by nobody.
    write_keys(&file, &["b"]);
    let vault = Vault::open(file.clone()).unwrap();
    assert_eq!(readable(&vault, &mut desk.setup.connection).await, 150);
    // A file that is none changes nothing.
    std::fs::write(&file, "current = \"b\"\n[keys]\nb = \"short\"\n").unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(desk.reads("user:ann", &ids[0], "").await.is_some());
    // Keys that do not open what there is: nothing is lost, it is told, and it is found again.
    write_keys(&file, &["c"]);
    let begun = Instant::now();
    while value(&metrics(&desk.setup).await, "postern_vault_values_unopened") != 150.0 {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let path = format!("secrets/{}/value", ids[0]);
    refused(&desk.call("user:ann", "GET", &path, Value::Null).await, 503, "vault_key_missing");
    write_keys(&file, &["c", "b"]);
    assert!(desk.reads("user:ann", &ids[0], "").await.is_some(), "found in the file at once");
    let begun = Instant::now();
    while value(&metrics(&desk.setup).await, "postern_vault_values_left") != 0.0 {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(by_key(&mut desk.setup.connection).await, BTreeMap::from([("c".to_owned(), 150)]));
}

/// A change of keys that is cut off anywhere leaves every value readable with the keys that there are, and is gone on
/// with; several gateways share the work.
#[tokio::test]
async fn a_change_of_keys_can_be_cut_off_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.toml");
    write_keys(&file, &["a"]);
    let (mut desk, _) = desk(&file, 1).await;
    // Many of one, to be quick about it: each is sealed under its own name.
    let vault = Vault::open(file.clone()).unwrap();
    for number in 0..400 {
        let id = format!("n{number:03}");
        let sealed = vault.keys().seal(("acme", &id), &format!("value of n{number}")).unwrap();
        let sql = "INSERT INTO resources (organization_id, resource_type, resource_id) VALUES ('acme', 'secret', $1)";
        sqlx::query(sql).bind(&id).execute(&mut desk.setup.connection).await.unwrap();
        let sql = "INSERT INTO secrets (organization_id, secret_id, name, kind, description, key_id, sealed_key, sealed_value)
            VALUES ('acme', $1, $1, 'other', '', $2, $3, $4)";
        let insert = sqlx::query(sql).bind(&id).bind(&sealed.key_id).bind(&sealed.key).bind(&sealed.value);
        insert.execute(&mut desk.setup.connection).await.unwrap();
    }
    let pool = Pool::new(&desk.setup.url, 4, Duration::from_secs(5)).unwrap();
    // Not the file that the gateway follows: it would do the work.
    let other = folder.path().join("other.toml");
    write_keys(&other, &["b", "a"]);
    let vault = Vault::open(other.clone()).unwrap();
    let (mut cuts, mut between) = (0, 0);
    let mut wait = Duration::from_micros(200);
    loop {
        let ended = tokio::time::timeout(wait, vault.pass(&pool)).await;
        assert_eq!(readable(&vault, &mut desk.setup.connection).await, 401);
        let keys = by_key(&mut desk.setup.connection).await;
        if keys.len() == 2 {
            between += 1;
        }
        match ended {
            Err(_) => {
                cuts += 1;
                // What was cut off may have to be undone by the server first.
                wait = wait.mul_f64(1.3);
            }
            Ok(pass) => {
                let pass = pass.unwrap();
                if pass == Pass::default() && !keys.contains_key("a") {
                    break;
                }
                assert_eq!(pass.unopened, 0);
            }
        }
        assert!(cuts < 200, "{keys:?}");
    }
    assert!(cuts > 3 && between > 0, "{cuts} {between}");
    // Two at once, to a third key: each value is exchanged once.
    write_keys(&other, &["c", "b"]);
    let (one, two) = (Vault::open(other.clone()).unwrap(), Vault::open(other.clone()).unwrap());
    let (first, second) = tokio::join!(one.pass(&pool), two.pass(&pool));
    let rest = one.pass(&pool).await.unwrap();
    assert_eq!(first.unwrap().done + second.unwrap().done + rest.done, 401);
    assert_eq!(readable(&one, &mut desk.setup.connection).await, 401);
    assert_eq!(by_key(&mut desk.setup.connection).await, BTreeMap::from([("c".to_owned(), 401)]));
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A value that is easy to find is found nowhere: not in the log, whatever is written to it, not in the database, nor in
/// what is told, audited, exported and pushed.
#[tokio::test]
async fn a_planted_value_is_found_nowhere() {
    const PLANTED: &str = "PLANTED-0xC0FFEE-hunter2";
    let log = Lines::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone());
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    let mut desk = Desk::new().await;
    let mut told = Vec::new();
    let body = json!({"name": "DB", "value": PLANTED, "visibility": {"to": "organization"}});
    let key = [("idempotency-key", "once")];
    let made = desk.call_with("user:ann", "POST", "secrets", &key, body.clone()).await;
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let (path, at_value) = (format!("secrets/{id}"), format!("secrets/{id}/value"));
    told.push(made.body);
    for number in 0..3 {
        let value = format!("{PLANTED}-{number}");
        told.push(desk.call("user:ann", "PUT", &at_value, json!({"value": value})).await.body);
        assert_eq!(desk.reads("user:bob", &id, "").await.unwrap(), value);
    }
    // Refusals of every kind quote nothing.
    let again = json!({"name": "DB", "value": format!("{PLANTED}!")});
    told.push(desk.call_with("user:ann", "POST", "secrets", &key, again).await.body);
    for wrong in [
        json!({"value": PLANTED}),
        json!({"name": PLANTED, "value": PLANTED, PLANTED: PLANTED}),
        json!({"name": "DB", "value": {PLANTED: PLANTED}}),
        json!({"name": "DB", "value": PLANTED, "visibility": PLANTED}),
        json!({"name": "DB", "value": PLANTED, "active": PLANTED}),
        json!({"name": "DB", "value": PLANTED.repeat(4000)}),
        json!([PLANTED]),
        json!(PLANTED),
    ] {
        for (method, path) in [("POST", "secrets"), ("PUT", path.as_str()), ("PUT", at_value.as_str())] {
            told.push(desk.call("user:ann", method, path, wrong.clone()).await.body);
        }
    }
    let text = format!("{{\"name\": \"DB\", \"value\": \"{PLANTED}");
    let bearer = format!("Bearer {}", desk.setup.token("user:ann", 60));
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let cut =
        crate::support::call(desk.setup.address(), "POST", "/v1/organizations/acme/secrets", &headers, &text)
            .await;
    assert_eq!(cut.status, 400);
    told.push(cut.body);
    let answer = desk.call("", "GET", &at_value, Value::Null).await;
    told.push(answer.body);
    for path in ["secrets", path.as_str(), "audit?limit=1000", "revisions", "grants", "resources", "streams"]
    {
        told.push(desk.call("", "GET", path, Value::Null).await.body);
    }
    told.push(desk.setup.get("/v1/organizations/acme/snapshot", &desk.setup.key).await.body);
    told.push(desk.setup.get("/v1/me/slice", &desk.setup.token("user:ann", 60)).await.body);
    told.push(desk.setup.get("/openapi.json", "").await.body);
    // Every row of every table as text, bytes as they are and in hexadecimal.
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables
         WHERE table_schema = 'public' AND table_type = 'BASE TABLE'",
    )
    .fetch_all(&mut desk.setup.connection)
    .await
    .unwrap();
    let mut rows = 0;
    for table in tables {
        let sql = format!("SELECT t::text FROM {table} AS t");
        let texts: Vec<String> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(&mut desk.setup.connection).await.unwrap();
        rows += texts.len();
        told.extend(texts.into_iter().map(|text| text.into_bytes().into()));
    }
    assert!(rows > 50);
    // What the log has of a failing vault.
    run(&mut desk.setup.connection, "UPDATE secrets SET sealed_value = sealed_key").await;
    let damaged = desk.call("user:ann", "GET", &at_value, Value::Null).await;
    refused(&damaged, 500, "internal");
    told.push(damaged.body);
    let log = log.0.lock().unwrap().clone();
    assert!(String::from_utf8_lossy(&log).contains("does not open with key"), "the log is not empty");
    told.push(log.into());
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD_NO_PAD;
    let encoded = STANDARD_NO_PAD.encode(&PLANTED.as_bytes()[..18]);
    for needle in ["PLANTED-0x", "C0FFEE", "hunter2", &hex::encode("PLANTED"), encoded.as_str()] {
        for (place, text) in told.iter().enumerate() {
            // A key of an object that is unknown, and a name, are none of the values.
            let found = text.windows(needle.len()).any(|part| part == needle.as_bytes());
            assert!(!found, "{needle} in {place}: {}", String::from_utf8_lossy(text));
        }
    }
}
