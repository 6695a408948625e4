//! `postern vault-key`

use crate::{Folder, complaint, fresh, postern, server, stdout, text};
use sqlx::{Connection, Executor, PgConnection};

/// A key is made, used, counted, and taken out when nothing needs it.
#[tokio::test]
async fn a_key_is_taken_out_when_nothing_needs_it() {
    let server = server().await;
    let url = fresh(&server, "vault_keys").await;
    let folder = Folder::new("vault-key");
    let file = folder.0.join("keys.toml");
    let file = text(&file);
    let key = |arguments: &[&str]| {
        let mut all = vec!["vault-key", arguments[0], file];
        all.extend_from_slice(&arguments[1..]);
        if matches!(arguments[0], "list" | "remove") {
            all.extend(["--database-url", &url]);
        }
        postern(&all)
    };
    assert!(complaint(&key(&["list"])).contains("keys.toml: No such file"));
    let first = stdout(&key(&["make"])).trim().to_owned();
    assert!(first.len() == 9 && first.starts_with('k'), "{first}");
    assert_eq!(stdout(&key(&["list"])), format!("{first}  0 values  encrypts\n"));
    assert_eq!(stdout(&key(&["make", "--id", "second"])).trim(), "second");
    assert!(complaint(&key(&["make", "--id", "second"])).contains("has a key `second` already"));
    assert!(complaint(&key(&["make", "--id", "a b"])).contains("--id: write 1 to 64"));
    assert!(complaint(&key(&["use", "third"])).contains("has no key `third`"));
    assert!(complaint(&key(&["remove", &first])).contains("is the key that encrypts"));
    assert_eq!(stdout(&key(&["use", "second"])), "");
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let rows = format!(
        "INSERT INTO organizations VALUES ('acme');
         INSERT INTO resource_types (organization_id, resource_type) VALUES ('acme', 'secret');
         INSERT INTO resources (organization_id, resource_type, resource_id) VALUES ('acme', 'secret', 's'), ('acme', 'secret', 't');
         INSERT INTO secrets (organization_id, secret_id, name, kind, description, key_id, sealed_key, sealed_value)
            VALUES ('acme', 's', 'n', 'other', '', '{first}', '', ''), ('acme', 't', 'n', 'other', '', 'lost', '', '')"
    );
    connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(rows))).await.unwrap();
    assert!(complaint(&key(&["remove", &first])).contains("1 values are encrypted with"));
    let listed = stdout(&key(&["list"]));
    let wanted = format!(
        "{first}  1 values\nsecond  0 values  encrypts\nlost  1 values, NOT IN THE FILE: they cannot be read\n"
    );
    assert_eq!(listed, wanted);
    connection.execute("DELETE FROM secrets").await.unwrap();
    assert_eq!(stdout(&key(&["remove", &first])), "");
    assert_eq!(stdout(&key(&["list"])), "second  0 values  encrypts\n");
    // What is no file of keys is told without anything of it, and is left as it is.
    std::fs::write(file, "current = \"second\"\n[keys]\nsecond = \"hunter2\"\n").unwrap();
    for arguments in [&["make"][..], &["use", "second"], &["list"], &["remove", "second"]] {
        let said = complaint(&key(arguments));
        assert!(
            said.contains("key `second` is not 32 bytes in base64") && !said.contains("hunter2"),
            "{said}"
        );
    }
    let serve = postern(&["serve", "--listen", "127.0.0.1:0", "--database-url", &url, "--vault-keys", file]);
    assert_eq!(serve.status.code(), Some(1));
    let said = String::from_utf8_lossy(&serve.stderr).into_owned();
    assert!(said.contains("--vault-keys: ") && !said.contains("hunter2"), "{said}");
    assert_eq!(folder.names(), ["keys.toml"]);
    server.stop().await;
}
