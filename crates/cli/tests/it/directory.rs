//! `postern directory compare`: what has drifted from a directory is told, with what mends it.

use crate::{Folder, complaint, fresh, postern, server, text};
use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection};
use std::process::Output;

/// Ann and bob, whom the directory wrote, in ops; cleo and zoe, whom it wrote and no longer has; and dan, whom it never wrote.
const FACTS: &str = r#"
    INSERT INTO organizations VALUES ('acme');
    INSERT INTO subjects (organization_id, subject_id, active) VALUES ('acme', 'user:1', true), ('acme', 'user:2', true),
        ('acme', 'user:3', true), ('acme', 'user:4', false), ('acme', 'user:dan', true), ('acme', 'group:10', true),
        ('acme', 'group:11', true);
    INSERT INTO directory_entries (organization_id, subject_id, external_id, user_name, user_name_key, resource) VALUES
        ('acme', 'user:1', 'a', 'Ann@acme.example', 'ann@acme.example', '{}'),
        ('acme', 'user:2', 'b', 'bob@acme.example', 'bob@acme.example', '{}'),
        ('acme', 'user:3', 'c', 'cleo@acme.example', 'cleo@acme.example', '{}'),
        ('acme', 'user:4', 'z', 'zoe@acme.example', 'zoe@acme.example', '{}'),
        ('acme', 'group:10', 'g', NULL, NULL, '{"displayName": "Ops"}'),
        ('acme', 'group:11', 'h', NULL, NULL, '{"displayName": "All"}');
    INSERT INTO memberships (organization_id, subject_id, group_id) VALUES ('acme', 'user:1', 'group:10'),
        ('acme', 'user:2', 'group:10'), ('acme', 'group:10', 'group:11')"#;

fn user(id: &str, name: &str, active: bool) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": id, "userName": format!("{name}@acme.example"),
        "active": active})
}

fn group(id: &str, name: &str, members: &[&str]) -> Value {
    let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
    json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "id": id, "displayName": name, "members": members})
}

fn lines(output: &Output) -> Vec<Value> {
    String::from_utf8_lossy(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn what_has_drifted_is_told_with_what_mends_it() {
    let server = server().await;
    let url = fresh(&server, "directory").await;
    let folder = Folder::new("directory");
    let compare = |file: &str, more: &[&str]| {
        let mut all = vec!["directory", "compare", file, "--organization", "acme", "--database-url", &url];
        all.extend_from_slice(more);
        postern(&all)
    };
    let list = |values: &[Value]| {
        let file = folder.file("list.json", &json!({"Resources": values}).to_string());
        text(&file).to_owned()
    };
    let same = [
        user("a", "ann", true),
        user("b", "bob", true),
        user("c", "cleo", true),
        group("g", "Ops", &["a", "b"]),
        group("h", "All", &["g"]),
        // Who may do nothing there is not missed here.
        user("y", "yan", false),
    ];
    assert!(complaint(&compare(&list(&same), &[])).contains("there is no organization `acme`"));
    let mut connection = PgConnection::connect(&url).await.unwrap();
    connection.execute(sqlx::raw_sql(FACTS)).await.unwrap();

    let good = compare(&list(&same), &["--json"]);
    let told = lines(&good);
    assert!(good.status.success(), "{told:?}");
    let wanted =
        json!({"organization": "acme", "users": 4, "groups": 2, "others": 1, "differences": 0, "excess": 0});
    assert_eq!(told, [wanted]);

    let now = [
        user("a", "anna", false),
        user("b", "bob", true),
        user("e", "eve", true),
        group("g", "Operators", &["b", "e", "nobody"]),
        group("h", "All", &["g", "b"]),
        group("n", "New", &["b"]),
        user("a", "ann", true),
    ];
    let drifted = compare(&list(&now), &["--json"]);
    assert_eq!(drifted.status.code(), Some(1));
    let said = String::from_utf8_lossy(&drifted.stderr).into_owned();
    assert!(said.contains("`acme` is not what its directory says: 11 differences"), "{said}");
    let mut told = lines(&drifted);
    let last = told.pop().unwrap();
    assert_eq!((&last["differences"], &last["excess"]), (&json!(11), &json!(3)), "{told:#?}");
    let of = |kind: &str| -> Vec<&Value> { told.iter().filter(|one| one["kind"] == kind).collect() };
    let one = |kind: &str| match of(kind)[..] {
        [one] => one,
        _ => panic!("{kind}: {told:#?}"),
    };
    // What gives too much comes first.
    assert!(
        told[..3].iter().all(|one| one["excess"] == true)
            && told[3..].iter().all(|one| one["excess"] == false)
    );
    let patch = |path: &str, operation: Value| {
        json!({"method": "PATCH", "path": path, "body":
            {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]}})
    };
    let active = one("active");
    assert_eq!((&active["directory"], &active["here"]), (&json!(false), &json!(true)));
    assert_eq!(active["fix"], patch("Users/1", json!({"op": "replace", "path": "active", "value": false})));
    let names: Vec<&Value> = of("name").iter().map(|one| &one["directory"]).collect();
    assert_eq!(names, ["anna@acme.example", "Operators"]);
    let gone = one("user_not_in_directory");
    assert_eq!((&gone["subject"], &gone["fix"]["method"]), (&json!("user:3"), &json!("DELETE")));
    let extra = one("member_not_in_directory");
    assert_eq!(extra["subject"], "user:1");
    let remove = json!({"op": "remove", "path": "members[value eq \"1\"]"});
    assert_eq!(extra["fix"], patch("Groups/10", remove));
    let missed: Vec<&str> = of("member_not_here").iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(missed, ["eve@acme.example in Ops", "bob@acme.example in All"]);
    let add = json!({"op": "add", "path": "members", "value": [{"value": "2"}]});
    assert_eq!(of("member_not_here")[1]["fix"], patch("Groups/11", add));
    let new = one("user_not_here");
    assert_eq!((&new["fix"]["method"], &new["fix"]["path"]), (&json!("POST"), &json!("Users")));
    assert_eq!(new["fix"]["body"]["externalId"], "e");
    assert_eq!(one("group_not_here")["name"], "New");
    assert_eq!(one("member_not_listed")["directory"], "nobody");
    assert_eq!(one("listed_twice")["subject"], "user:1");
    let plain = compare(&list(&now), &[]);
    let said = String::from_utf8_lossy(&plain.stdout).into_owned();
    assert!(
        said.contains("excess   active: anna@acme.example (user:1): the directory says false, here is true"),
        "{said}"
    );
    assert!(said.ends_with("11 differences, 3 of which give more here than there\n"), "{said}");

    // Lists in other shapes: an array, and one after the other.
    let array = folder.file("array.json", &Value::from(same.to_vec()).to_string());
    let mut by_lines = String::new();
    same.iter().for_each(|one| by_lines.push_str(&format!("{one}\n")));
    let by_lines = folder.file("lines.json", &by_lines);
    for file in [&array, &by_lines] {
        assert!(compare(text(file), &[]).status.success());
    }
    for (content, said) in [
        ("", "there are no users and no groups"),
        ("{\"Resources\": []}", "there are no users and no groups"),
        ("{\"Resources\": [{\"id\"", "line 1 column"),
        ("[1]", "element 1 is no object"),
        ("{\"userName\": 1}", "element 1: userName"),
    ] {
        let file = folder.file("bad.json", content);
        let complained = complaint(&compare(text(&file), &[]));
        assert!(complained.contains("bad.json: ") && complained.contains(said), "{content}: {complained}");
    }
    assert!(complaint(&compare("nowhere.json", &[])).contains("nowhere.json: "));
    server.stop().await;
}
