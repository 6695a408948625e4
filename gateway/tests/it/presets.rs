//! Presets, and the roles that scopes get by them. The ids are those of statements about the systems that this has to
//! replace.

use crate::management_resources::{Yard, at, refused};
use crate::scopes::{estate, names, preset, project};
use crate::support::{refused_by, revision, run};
use serde_json::{Value, json};

fn id(item: &Value) -> String {
    item["id"].as_str().unwrap().to_owned()
}

async fn count(yard: &mut Yard, sql: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {sql}");
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&mut yard.setup.connection).await.unwrap()
}

/// BA-30: every preset of the type that is not deleted makes one role, with everything that it says; and no other does.
#[tokio::test]
async fn ba_30_a_new_scope_gets_a_role_for_each_preset_of_its_type() {
    let mut yard = estate().await;
    let auto = json!({"auto_assign": true, "role_name": "{scope.type} {scope.name} members"});
    let member = yard.made("presets", preset("Member", "project", &["vfolder:read"], auto)).await;
    let empty = yard.made("presets", preset("Guest", "project", &[], json!({}))).await;
    let wide =
        yard.made("presets", preset("Owner", "project", &["vfolder:*", "project:read"], json!({}))).await;
    yard.made("presets", preset("Other", "domain", &["project:read"], json!({}))).await;
    let gone = yard.made("presets", preset("Gone", "project", &["project:read"], json!({}))).await;
    assert_eq!(yard.delete(&format!("presets/{}", id(&gone)), &yard.operator).await.status, 200);
    let before = revision(&mut yard.setup.connection, "acme").await;
    let mut body = project("p1");
    body["attributes"] = json!({"name": "Apollo"});
    let scope = yard.made("scopes", body).await;
    assert_eq!(names(&scope), ["project Apollo members", "Guest p1", "Owner p1"]);
    for (role, preset, permissions, auto_assign) in [
        (&scope["roles"][0], &member, json!(["vfolder:read"]), true),
        (&scope["roles"][1], &empty, json!([]), false),
        (&scope["roles"][2], &wide, json!(["project:read", "vfolder:*"]), false),
    ] {
        let role = yard.get(&format!("roles/{}", id(role)), &yard.operator).await.json();
        assert_eq!((&role["preset"], &role["permissions"]), (&preset["id"], &permissions));
        assert_eq!((&role["scope"], &role["auto_assign"]), (&at("project", "p1"), &json!(auto_assign)));
        assert_eq!((&role["active"], &role["builtin"]), (&json!(true), &Value::Null));
    }
    // One transaction: one revision, under which all of it was taken down.
    assert_eq!(revision(&mut yard.setup.connection, "acme").await, before + 1);
    let log = yard.items("audit?limit=4").await;
    let done: Vec<&str> = log.iter().map(|event| event["operation"].as_str().unwrap()).collect();
    assert_eq!(done, ["scope.create", "role.create", "role.create", "role.create"]);
    assert!(log.iter().all(|event| event["revision"] == before + 1));
    assert_eq!(log[0]["after"], scope);
    // An ordinary role is no scope's; and presets are no facts: to write one raises nothing.
    let role = yard.get("roles/role:maker", &yard.operator).await.json();
    assert_eq!(
        (&role["scope"], &role["preset"], &role["auto_assign"]),
        (&Value::Null, &Value::Null, &json!(false))
    );
    yard.made("presets", preset("Late", "project", &[], json!({}))).await;
    assert_eq!(revision(&mut yard.setup.connection, "acme").await, before + 1);
}

/// BA-31: what a preset says later changes no role, until somebody asks for just what they were shown.
#[tokio::test]
async fn ba_31_a_preset_changes_roles_only_by_a_sync_that_was_previewed() {
    let mut yard = estate().await;
    let operator = yard.operator.clone();
    let made = yard
        .made("presets", preset("Member", "project", &["vfolder:read"], json!({"auto_assign": true})))
        .await;
    let path = format!("presets/{}", id(&made));
    let one = yard.made("scopes", project("p1")).await["roles"][0].clone();
    let two = yard.made("scopes", project("p2")).await["roles"][0].clone();
    yard.post("scopes/project/p1/members", &operator, json!({"subject": "user:ann"})).await;
    // What people made of a role is not in the way, and what they called it stays.
    let own = json!({"name": "Ours", "permissions": ["vfolder:read", "role:read"], "active": false});
    assert_eq!(yard.put(&format!("roles/{}", id(&two)), &operator, own).await.status, 200);
    let change = preset("Member", "project", &["project:read", "vfolder:read"], json!({}));
    assert_eq!(yard.put(&path, &operator, change).await.status, 200);
    assert!(!yard.may("user:ann", "project:read", ("project", "p1")).await);
    let (before, now) = (revision(&mut yard.setup.connection, "acme").await, yard.items("roles").await);
    let sync = format!("{path}/sync");
    let preview = yard.get(&sync, &operator).await;
    let part = |role: &Value, name: &str, scope: &str, removed: Value| {
        json!({"id": role["id"], "name": name, "scope": at("project", scope), "auto_assign": true,
            "added": ["project:read"], "removed": removed})
    };
    let wanted = json!({"preset": made["id"], "unchanged": 0,
        "roles": [part(&one, "Member p1", "p1", json!([])), part(&two, "Ours", "p2", json!(["role:read"]))]});
    assert_eq!(preview.json(), wanted);
    assert_eq!(yard.items("roles").await, now, "to look changes nothing");
    assert_eq!(revision(&mut yard.setup.connection, "acme").await, before);
    // Only what was seen is done.
    refused(&yard.post(&sync, &operator, Value::Null).await, 428, "precondition_required");
    let third = yard.made("scopes", project("p3")).await["roles"][0].clone();
    let fresh = yard.get(&sync, &operator).await;
    assert_eq!(fresh.json()["unchanged"], 1);
    let send = async |tag: &str| yard.send("POST", &sync, &operator, &[("if-match", tag)], Value::Null).await;
    refused(&send(preview.header("etag")).await, 412, "precondition_failed");
    let done = send(fresh.header("etag")).await;
    assert_eq!(
        (done.status.as_u16(), done.json()),
        (200, json!({"preset": made["id"], "roles": [], "unchanged": 3}))
    );
    assert_eq!(done.header("postern-revision"), (before + 2).to_string());
    let log = yard.items("audit?limit=3").await;
    assert_eq!((&log[0]["operation"], &log[0]["before"]), (&json!("preset.sync"), &fresh.json()));
    assert_eq!((&log[1]["operation"], &log[1]["target"]), (&json!("role.sync"), &two["id"]));
    assert_eq!(
        (&log[2]["before"]["permissions"], &log[2]["after"]["permissions"]),
        (&json!(["vfolder:read"]), &json!(["project:read", "vfolder:read"]))
    );
    let two = yard.get(&format!("roles/{}", id(&two)), &operator).await.json();
    assert_eq!(
        two,
        json!({"id": two["id"], "name": "Ours", "active": false, "builtin": null, "immutable": false,
        "scope": at("project", "p2"), "preset": made["id"], "auto_assign": true,
        "permissions": ["project:read", "vfolder:read"]})
    );
    assert_eq!(third["auto_assign"], false, "that it had dropped by then");
    // Once more, there is nothing to do; and a deleted preset does nothing.
    let again = yard.send("POST", &sync, &operator, &[("if-match", "*")], Value::Null).await;
    assert_eq!(
        (again.status.as_u16(), again.header("postern-revision")),
        (200, done.header("postern-revision"))
    );
    yard.delete(&path, &operator).await;
    let deleted = yard.send("POST", &sync, &operator, &[("if-match", "*")], Value::Null).await;
    refused(&deleted, 409, "preset_deleted");
    assert!(yard.may("user:ann", "project:read", ("project", "p1")).await);
}

/// BA-32: the scope, its edges, its roles and the creator's assignments come together or not at all.
#[tokio::test]
async fn ba_32_a_scope_comes_with_its_edges_roles_and_its_creators_assignments() {
    let mut yard = estate().await;
    let (operator, maker) = (yard.operator.clone(), yard.token("user:maker"));
    yard.made(
        "presets",
        preset("Admin", "project", &["vfolder:*", "resource:manage"], json!({"for_creator": true})),
    )
    .await;
    let member = yard
        .made("presets", preset("Member", "project", &["project:read"], json!({"auto_assign": true})))
        .await;
    yard.made("presets", preset("Reader", "project", &["vfolder:read"], json!({}))).await;
    let mut body = project("p1");
    let extra =
        json!([at("domain", "d1"), {"type": "project", "id": "p0", "relation": "ref", "cap": ["read"]}]);
    refused(
        &yard.post("scopes", &operator, json!({"type": "project", "id": "p1", "parents": extra})).await,
        400,
        "unknown_resource",
    );
    body["owner"] = json!("user:ann@acme.example");
    let once = [("idempotency-key", "s-1")];
    let made = yard.send("POST", "scopes", &maker, &once, body.clone()).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.header("location"), "/v1/organizations/acme/scopes/project/p1");
    let scope = made.json();
    assert_eq!(scope["parents"], json!([{"type": "domain", "id": "d1", "relation": "auto", "cap": []}]));
    assert_eq!(
        (&scope["owner"], &scope["active"], &scope["deleted_at"]),
        (&json!("user:ann"), &json!(true), &Value::Null)
    );
    assert_eq!(names(&scope), ["Admin p1", "Member p1", "Reader p1"]);
    let again = yard.send("POST", "scopes", &maker, &once, body.clone()).await;
    assert_eq!((again.status, again.body), (made.status, made.body.clone()));
    // The creator has what is for creators, without holding it elsewhere, and what comes by joining; and no more.
    let held = yard.items("assignments?subject=user:maker").await;
    let roles: Vec<&Value> =
        held.iter().filter(|held| held["at"] == at("project", "p1")).map(|held| &held["role"]).collect();
    assert!(roles.len() == 2 && !roles.contains(&&scope["roles"][2]["id"]), "{held:?}");
    assert!(yard.may("user:maker", "vfolder:update", ("project", "p1")).await);
    assert!(!yard.may("user:maker", "vfolder:update", ("domain", "d1")).await);
    // What flows down from the domain, and what is below the scope.
    yard.made("resources", json!({"type": "vfolder", "id": "v9", "parents": [at("project", "p1")]})).await;
    assert!(yard.may("user:maker", "vfolder:update", ("vfolder", "v9")).await);
    assert!(yard.may("user:dana", "role:manage", ("project", "p1")).await);
    assert_eq!(yard.get("scopes/project/p1", &maker).await.json(), scope);
    // What comes by joining the creator has to hold where the scope is put: else nothing is made.
    let more = preset("Member", "project", &["project:read", "vfolder:read"], json!({"auto_assign": true}));
    assert_eq!(yard.put(&format!("presets/{}", id(&member)), &operator, more).await.status, 200);
    let before = revision(&mut yard.setup.connection, "acme").await;
    let answer = refused(&yard.post("scopes", &maker, project("p2")).await, 403, "cannot_grant");
    assert_eq!((&answer["required"], &answer["scope"]), (&json!("vfolder:read"), &at("domain", "d1")));
    assert_eq!(revision(&mut yard.setup.connection, "acme").await, before);
    assert_eq!(count(&mut yard, "roles WHERE scope_id = 'p2'").await, 0);
    refused(&yard.get("scopes/project/p2", &operator).await, 404, "item_not_found");
    // A preset that nobody is given is in nobody's way; nor one that entitles to it.
    let entitled = preset(
        "Member",
        "project",
        &["project:read", "vfolder:read"],
        json!({"auto_assign": true, "for_creator": true}),
    );
    assert_eq!(yard.put(&format!("presets/{}", id(&member)), &operator, entitled).await.status, 200);
    assert_eq!(yard.post("scopes", &maker, project("p2")).await.status, 201);
    assert!(yard.may("user:maker", "vfolder:read", ("project", "p2")).await);
}

/// BA-33, and what was complained about in it: purged is what leads to the scope and away from it, what stands at it,
/// and the roles that existed for it. Nothing of it is left, and nothing else is gone.
#[tokio::test]
async fn ba_33_a_purge_leaves_nothing_of_a_scope_and_counts_it() {
    let mut yard = estate().await;
    let operator = yard.operator.clone();
    let member = preset("Member", "project", &["vfolder:read", "project:read"], json!({"auto_assign": true}));
    yard.made("presets", member).await;
    yard.made("presets", preset("Admin", "project", &["vfolder:*"], json!({"for_creator": true}))).await;
    yard.made("scopes", project("p2")).await;
    let tables = [
        "resources",
        "resource_parents",
        "roles",
        "role_permissions",
        "assignments",
        "grants",
        "grant_permissions",
    ];
    let mut before = Vec::new();
    for table in tables {
        before.push(count(&mut yard, table).await);
    }
    let mut body = project("p1");
    body["creator"] = json!("user:bo");
    let scope = yard.made("scopes", body).await;
    for subject in ["user:ann", "group:crew"] {
        let joined = yard.post("scopes/project/p1/members", &operator, json!({"subject": subject})).await;
        assert_eq!(joined.status, 200, "{joined:?}");
    }
    yard.made("assignments", json!({"subject": "user:bo", "role": "role:maker", "at": at("project", "p1")}))
        .await;
    yard.made("edges", json!({"child": at("vfolder", "v1"), "parent": at("project", "p1")})).await;
    let grant = |subject: &str, place: Value| json!({"subject": subject, "effect": "allow", "permissions": ["vfolder:read"], "at": place});
    yard.made("grants", grant("user:ann", at("project", "p1"))).await;
    yard.made("grants", grant(scope["roles"][0]["id"].as_str().unwrap(), Value::Null)).await;
    yard.made(
        "shares",
        json!({"resource": at("project", "p1"), "subject": "user:bo", "permissions": ["project:read"],
        "into": at("domain", "d2")}),
    )
    .await;
    let shared = json!({"resource": at("vfolder", "v1"), "subject": "user:bo", "permissions": ["vfolder:read"],
        "into": at("project", "p1")});
    let shared = yard.made("shares", shared).await;
    // Elsewhere it is deleted with all of that, or not at all.
    let used = refused(&yard.delete("resources/project/p1", &operator).await, 409, "resource_in_use");
    let part = |name: &str| used[name].as_i64().unwrap();
    assert_eq!((part("children"), part("assignments"), part("grants"), part("roles")), (2, 5, 2, 2));
    let raised = revision(&mut yard.setup.connection, "acme").await;
    let purge = |tag: &'static str| [("if-match", tag)];
    refused(
        &yard.send("POST", "scopes/project/p1/purge", &operator, &purge("\"0\""), Value::Null).await,
        412,
        "precondition_failed",
    );
    let once = [("if-match", "*"), ("idempotency-key", "purge-1")];
    let purged = yard.send("POST", "scopes/project/p1/purge", &operator, &once, Value::Null).await;
    let wanted = json!({"edges": 4, "grants": 3, "assignments": 5, "permissions": 3, "roles": 2});
    assert_eq!((purged.status.as_u16(), purged.json()), (200, wanted.clone()));
    assert_eq!(revision(&mut yard.setup.connection, "acme").await, raised + 1);
    let gone = yard.items("audit?limit=3").await;
    assert_eq!((&gone[0]["operation"], &gone[0]["after"]), (&json!("scope.purge"), &wanted));
    assert_eq!(
        (&gone[1]["operation"], &gone[1]["target"]),
        (&json!("role.delete"), &scope["roles"][1]["id"])
    );
    // A share into it has lost its place, and is one still.
    assert_eq!(yard.delete(&format!("shares/{}", id(&shared)), &operator).await.status, 204);
    for (table, before) in tables.iter().zip(before) {
        assert_eq!(count(&mut yard, table).await, before, "{table}");
    }
    let again = yard.send("POST", "scopes/project/p1/purge", &operator, &purge("*"), Value::Null).await;
    refused(&again, 404, "item_not_found");
    let replayed = yard.send("POST", "scopes/project/p1/purge", &operator, &once, Value::Null).await;
    assert_eq!((replayed.status, replayed.json()), (purged.status, wanted), "its answer was lost on the way");
    // Also by SQL a scope takes its roles along, and one of its id that is made later starts anew.
    run(&mut yard.setup.connection, "DELETE FROM resources WHERE resource_id = 'p2'").await;
    assert_eq!(count(&mut yard, "roles WHERE scope_id IS NOT NULL").await, 0);
    yard.made("scopes", project("p1")).await;
    assert_eq!(yard.items("edges?parent_type=project&parent_id=p1").await, Vec::<Value>::new());
    assert!(!yard.may("user:ann", "vfolder:read", ("project", "p1")).await);
}

/// BA-34: whoever joins gets every active role that comes by joining, and never an administrator's.
#[tokio::test]
async fn ba_34_who_joins_gets_what_comes_by_joining_and_no_administration() {
    let mut yard = estate().await;
    let (operator, dana) = (yard.operator.clone(), yard.token("user:dana"));
    for (permissions, name, more) in [
        (&["*"][..], "All", json!({})),
        (&["role:*"], "Roles", json!({})),
        (&["user:manage"], "Users", json!({})),
        (&["boss:all"], "Boss", json!({})),
        (&["project:read"], "Project ADMIN ", json!({})),
        (&["project:read"], "Named", json!({"role_name": "{scope.id}-admin"})),
    ] {
        let mut body = preset(name, "project", permissions, more);
        body["auto_assign"] = json!(true);
        let answer = refused(&yard.post("presets", &operator, body.clone()).await, 400, "admin_auto_assign");
        assert!(answer["detail"].as_str().unwrap().contains("auto_assign"), "{answer}");
        body["auto_assign"] = json!(false);
        yard.made("presets", body).await;
    }
    let member = yard
        .made("presets", preset("Member", "project", &["project:read"], json!({"auto_assign": true})))
        .await;
    yard.made("presets", preset("Reader", "project", &["vfolder:read"], json!({"auto_assign": true}))).await;
    yard.made("presets", preset("Asleep", "project", &["role:read"], json!({"auto_assign": true}))).await;
    let scope = yard.made("scopes", project("p1")).await;
    let role = |name: &str| {
        let roles = scope["roles"].as_array().unwrap();
        id(roles.iter().find(|role| role["name"] == format!("{name} p1")).unwrap())
    };
    let asleep = json!({"name": "Asleep p1", "permissions": ["role:read"], "active": false});
    assert_eq!(yard.put(&format!("roles/{}", role("Asleep")), &operator, asleep).await.status, 200);
    // What is there stays; the rest is added.
    let given = json!({"subject": "user:ann", "role": role("Reader"), "at": at("project", "p1")});
    let given = yard.made("assignments", given).await;
    let join = json!({"subject": "user:ann@acme.example"});
    let joined = yard.post("scopes/project/p1/members", &dana, join.clone()).await;
    assert_eq!(joined.status, 200, "{joined:?}");
    let body = joined.json();
    assert_eq!((&body["subject"], &body["scope"]), (&json!("user:ann"), &at("project", "p1")));
    let list = body["assignments"].as_array().unwrap();
    assert_eq!(
        list.iter().map(|one| one["role"].as_str().unwrap()).collect::<Vec<_>>(),
        [role("Member"), role("Reader")]
    );
    assert_eq!(list[1], given);
    assert_eq!(yard.items("assignments?subject=user:ann").await.len(), 2);
    let log = yard.items("audit?limit=2").await;
    assert_eq!((&log[0]["operation"], &log[0]["actor"]), (&json!("scope.join"), &json!("user:dana")));
    assert_eq!((&log[1]["operation"], &log[1]["after"]), (&json!("assignment.create"), &list[0]));
    let again = yard.post("scopes/project/p1/members", &dana, join).await;
    assert_eq!(
        (again.json(), again.header("postern-revision")),
        (body.clone(), joined.header("postern-revision"))
    );
    assert!(yard.may("user:ann", "vfolder:read", ("project", "p1")).await);
    assert!(!yard.may("user:ann", "role:manage", ("project", "p1")).await);
    // Who adds somebody holds what that gives.
    let uma = json!({"subject": "user:uma", "role": "role:manager", "at": at("project", "p1")});
    yard.made("assignments", uma).await;
    let answer =
        yard.post("scopes/project/p1/members", &yard.token("user:uma"), json!({"subject": "user:bo"})).await;
    assert_eq!(refused(&answer, 403, "cannot_grant")["required"], "vfolder:read");
    assert_eq!(yard.items("assignments?subject=user:bo").await, Vec::<Value>::new());
    // A role that comes by joining becomes no administrator's, neither by hand nor by a sync; and one that did by SQL
    // comes by joining no more.
    let more = json!({"name": "Member p1", "permissions": ["user:manage"]});
    refused(&yard.put(&format!("roles/{}", role("Member")), &operator, more).await, 400, "admin_auto_assign");
    let path = format!("presets/{}", id(&member));
    assert_eq!(
        yard.put(&path, &operator, preset("Member", "project", &["role:manage"], json!({}))).await.status,
        200
    );
    let sync = yard.send("POST", &format!("{path}/sync"), &operator, &[("if-match", "*")], Value::Null).await;
    let answer = refused(&sync, 400, "admin_auto_assign");
    assert!(answer["detail"].as_str().unwrap().contains(&role("Member")), "{answer}");
    let sql = format!(
        "UPDATE presets SET auto_assign = true WHERE preset_id = '{}';
        INSERT INTO role_permissions (organization_id, role_id, permission) VALUES ('acme', '{}', 'role:*')",
        id(&member),
        role("Member")
    );
    run(&mut yard.setup.connection, &sql).await;
    let joined =
        yard.post("scopes/project/p1/members", &operator, json!({"subject": "user:bo"})).await.json();
    assert_eq!(joined["assignments"].as_array().unwrap().len(), 1);
    let scope = yard.made("scopes", project("p2")).await;
    let roles = scope["roles"].as_array().unwrap();
    assert_eq!(roles.iter().filter(|role| role["auto_assign"] == true).count(), 2, "not the administrator's");
}

/// BA-35: a template that gives no names is refused when it is written; a scope is never refused for what it gives.
#[tokio::test]
async fn ba_35_a_template_is_refused_early_and_a_scope_never() {
    let mut yard = estate().await;
    let long = format!("{{scope.id}}{}", "x".repeat(55));
    for (template, said) in [
        ("", "1 to 64"),
        (&*long, "1 to 64"),
        ("members", "same name"),
        ("{scope.type}", "same name"),
        ("{scope.id} {user}", "`{user}` is no variable"),
        ("{scope.id", "brace"),
        ("{{scope.id}}", "no variable"),
    ] {
        let body = preset("Member", "project", &[], json!({"role_name": template}));
        let answer = refused(&yard.post("presets", &yard.operator, body).await, 400, "invalid_template");
        let detail = answer["detail"].as_str().unwrap();
        assert!(detail.starts_with("role_name: ") && detail.contains(said), "{template}: {detail}");
    }
    let of = |name: &str, template: &str| preset(name, "project", &[], json!({"role_name": template}));
    let first = yard.made("presets", of("First", "{scope.name} of {scope.type} {scope.id}")).await;
    refused(
        &yard.put(&format!("presets/{}", id(&first)), &yard.operator, of("First", "{}")).await,
        400,
        "invalid_template",
    );
    yard.made("presets", of("Second", "{scope.id}")).await;
    // Without a name; too long; taken, whatever its case; the ids beginning alike; with what no name may have.
    let scope = yard.made("scopes", project("0193d5a0-7c11-7e00-8000-000000000001")).await;
    assert_eq!(names(&scope), ["project-0193d5a0-role", "0193d5a0-7c11-7e00-8000-000000000001"]);
    let mut named = project("0193d5a0-7c11-7e00-8000-000000000002");
    named["attributes"] = json!({"name": "N".repeat(40)});
    let scope = yard.made("scopes", named).await;
    let tail = names(&scope)[0].strip_prefix("project-0193d5a0-role-").unwrap().to_owned();
    assert!(tail.len() == 12 && id(&scope["roles"][0]).ends_with(&tail), "{scope}");
    let scope = yard.made("scopes", project("EVERYTHING")).await;
    assert!(names(&scope)[1].starts_with("project-EVERYTHI-role-"), "{scope}");
    let scope = yard.made("scopes", project("\u{1}\u{7}")).await;
    assert!(names(&scope).iter().all(|name| name.starts_with("role-")), "{scope}");
    // A template that came by SQL.
    run(&mut yard.setup.connection, "UPDATE presets SET role_name = '{scope.owner}' WHERE name = 'First'")
        .await;
    assert_eq!(names(&yard.made("scopes", project("p7")).await), ["project-p7-role", "p7"]);
    let names: i64 =
        count(&mut yard, "(SELECT DISTINCT name_key FROM roles WHERE scope_id IS NOT NULL) AS names").await;
    assert_eq!(names, 10, "no two are called the same");
}

/// BA-36: deleted is not gone, and a change is no restoration; purged it is gone, and its roles are not.
#[tokio::test]
async fn ba_36_a_preset_is_deleted_restored_and_purged() {
    let mut yard = estate().await;
    let operator = yard.operator.clone();
    let made =
        yard.post("presets", &operator, preset(" Member ", "project", &["vfolder:*"], json!({}))).await;
    let preset_id = id(&made.json());
    let path = format!("presets/{preset_id}");
    assert_eq!(
        made.header("location"),
        format!("/v1/organizations/acme/presets/{}", preset_id.replace('-', "%2D"))
    );
    assert_eq!(
        made.json(),
        json!({"id": preset_id, "name": "Member", "type": "project", "role_name": null,
        "auto_assign": false, "for_creator": false, "deleted_at": null, "permissions": ["vfolder:*"]})
    );
    assert_eq!(yard.get(&path, &operator).await.header("etag"), made.header("etag"));
    let scope = yard.made("scopes", project("p1")).await;
    let act = async |method: &str, path: &str, tag: &str| {
        yard.send(method, path, &operator, &[("if-match", tag)], Value::Null).await
    };
    refused(&yard.send("DELETE", &path, &operator, &[], Value::Null).await, 428, "precondition_required");
    refused(&act("DELETE", &path, "\"0\"").await, 412, "precondition_failed");
    let deleted = act("DELETE", &path, made.header("etag")).await;
    assert_eq!(deleted.status, 200, "{deleted:?}");
    assert!(deleted.json()["deleted_at"].is_string());
    assert_eq!(act("DELETE", &path, "*").await.json(), deleted.json(), "deleted once");
    // A change leaves it deleted; its name stays its own.
    let change = json!({"name": "MEMBERS", "permissions": ["vfolder:read"]});
    let changed = yard.put(&path, &operator, change).await.json();
    assert_eq!(
        (&changed["deleted_at"], &changed["name"]),
        (&deleted.json()["deleted_at"], &json!("MEMBERS"))
    );
    refused(
        &yard.post("presets", &operator, preset("members", "project", &[], json!({}))).await,
        409,
        "name_taken",
    );
    let with_mark = json!({"name": "M", "permissions": [], "deleted_at": null});
    refused(&yard.put(&path, &operator, with_mark).await, 400, "invalid_request");
    let other = preset("Members", "domain", &[], json!({}));
    refused(&yard.put(&path, &operator, other).await, 400, "invalid_request");
    assert_eq!(names(&yard.made("scopes", project("p2")).await), Vec::<&str>::new());
    let restored = act("POST", &format!("{path}/restore"), "*").await;
    assert_eq!((restored.status.as_u16(), &restored.json()["deleted_at"]), (200, &Value::Null));
    assert_eq!(names(&yard.made("scopes", project("p3")).await), ["MEMBERS p3"]);
    assert_eq!(act("POST", &format!("{path}/purge"), "*").await.status, 204);
    for (method, path) in
        [("GET", path.clone()), ("POST", format!("{path}/restore")), ("GET", format!("{path}/sync"))]
    {
        refused(&act(method, &path, "*").await, 404, "item_not_found");
    }
    // What was made from it is as it was, for its scope.
    let role = yard.get(&format!("roles/{}", id(&scope["roles"][0])), &operator).await.json();
    assert_eq!(
        (&role["preset"], &role["permissions"], &role["scope"]),
        (&Value::Null, &json!(["vfolder:*"]), &at("project", "p1"))
    );
    let log = yard.items(&format!("audit?target={preset_id}")).await;
    let done: Vec<&str> = log.iter().map(|event| event["operation"].as_str().unwrap()).collect();
    assert_eq!(done, ["preset.purge", "preset.restore", "preset.update", "preset.delete", "preset.create"]);
    assert_eq!(count(&mut yard, "preset_permissions").await, 0);
    // With its type a preset goes, and with the organization everything.
    yard.made("presets", preset("Guest", "project", &["vfolder:read"], json!({}))).await;
    yard.made("scopes", project("p4")).await;
    let reach = "INSERT INTO organizations VALUES ('other'); INSERT INTO presets (organization_id, name, name_key, resource_type)
        VALUES ('other', 'x', 'x', 'project')";
    assert_eq!(refused_by(&mut yard.setup.connection, reach).await, "presets_type_fkey");
    run(&mut yard.setup.connection, "DELETE FROM organizations WHERE organization_id = 'acme'").await;
    assert_eq!(count(&mut yard, "presets").await + count(&mut yard, "roles").await, 0);
}
