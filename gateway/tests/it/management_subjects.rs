//! Subjects, the last super admin, built-in roles, and what holds for every write.

use crate::management::{Fleet, with_catalog};
use crate::support::{Setup, refused_by, run, world, writing_key};
use futures_util::future::join_all;
use postern_gateway::app::Gateway;
use postern_gateway::config::Config;
use serde_json::{Value, json};
use sqlx::Connection;

const FACTS: &str = r#"{"format": "postern-world/1", "organization": "acme", "revision": 1, "subjects": [{"id": "user:root"}]}"#;

#[tokio::test]
async fn subjects_come_change_and_go() {
    let fleet = Fleet::new().await;
    let (operator, ada) = (&fleet.operator, fleet.setup.token("user:ada", 60));
    let new = json!({"id": "user:new", "aliases": ["new@acme.example"], "attributes": {"team": "night"}});
    let made = fleet.post("subjects", &ada, new.clone()).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(
        made.json(),
        json!({"id": "user:new", "aliases": ["new@acme.example"], "attributes": {"team": "night"}, "active": true,
            "not_before": null, "expires_at": null})
    );
    for taken in [
        new,
        json!({"id": "user:x", "aliases": ["new@acme.example"]}),
        json!({"id": "user:new@acme.example"}),
    ] {
        assert_eq!(fleet.post("subjects", &ada, taken).await.code(), "id_taken");
    }
    for bad in [
        json!({}),
        json!({"id": "new"}),
        json!({"id": "user:all"}),
        json!({"id": "role:x"}),
        json!({"id": "user:y", "aliases": [""]}),
        json!({"id": "user:y", "attributes": {"a": 1}}),
        json!({"id": "user:y", "x": 1}),
    ] {
        assert_eq!(fleet.post("subjects", &ada, bad).await.code(), "invalid_request");
    }
    // An alias stands for its subject when something is assigned.
    let role = "role:system:FIELD_TECH";
    let at_once = json!({"subject": "user:new@acme.example", "role": role, "at": null});
    assert_eq!(fleet.post("assignments", &ada, at_once).await.json()["subject"], "user:new");

    let put = async |bearer: &str, id: &str, body: Value| {
        fleet.send("PUT", &format!("subjects/{id}"), bearer, &[("if-match", "*")], body).await
    };
    let off = json!({"active": false});
    assert_eq!(put(&ada, "user:new", off.clone()).await.json()["active"], false);
    assert_eq!(put(&ada, "user:new", json!({"id": "user:other"})).await.code(), "invalid_request");
    assert_eq!(put(&ada, "user:gone", off.clone()).await.code(), "item_not_found");
    // PF-40 and PF-42: not who may do more, and nobody ends himself.
    for subject in ["user:root", "user:abe"] {
        assert_eq!(put(&ada, subject, off.clone()).await.code(), "holds_more", "{subject}");
    }
    let root = fleet.setup.token("user:root", 60);
    assert_eq!(put(&root, "user:root", off.clone()).await.code(), "own_end");
    assert_eq!(
        fleet.send("DELETE", "subjects/user:root", &root, &[("if-match", "*")], Value::Null).await.code(),
        "own_end"
    );
    assert_eq!(put(&root, "user:abe", off).await.status, 200);

    let gone = fleet.send("DELETE", "subjects/user:new", &ada, &[("if-match", "*")], Value::Null).await;
    assert_eq!(gone.status, 204);
    let left = fleet.get("assignments?subject=user:new", operator).await.json();
    assert_eq!(left["items"], json!([]), "what it held is gone with it");
    let groups = fleet.get("subjects?type=group", operator).await.json();
    assert_eq!(groups["items"][0]["id"], "group:crew");
    assert_eq!(
        fleet.post("memberships", &ada, json!({"subject": "user:tess", "group": "group:none"})).await.code(),
        "unknown_group"
    );
    assert_eq!(
        fleet.post("memberships", &ada, json!({"subject": "user:tess", "group": "user:none"})).await.code(),
        "unknown_group"
    );
    let joined =
        fleet.post("memberships", &ada, json!({"subject": "user:tess", "group": "group:crew"})).await;
    assert_eq!(joined.status, 201);
    assert_eq!(
        fleet.post("memberships", &ada, json!({"subject": "user:tess", "group": "group:crew"})).await.json(),
        joined.json()
    );
    assert_eq!(
        fleet.get("memberships?group=group:crew", operator).await.json()["items"],
        json!([joined.json()])
    );
}

#[tokio::test]
async fn the_last_super_admin_stays() {
    let mut fleet = Fleet::new().await;
    let operator = fleet.operator.clone();
    let of = async |fleet: &Fleet, subject: &str| {
        let list = fleet
            .get(&format!("assignments?subject={subject}&role=role:system:SUPER_ADMIN"), &operator)
            .await;
        list.json()["items"][0]["id"].as_str().unwrap().to_owned()
    };
    let (first, second) = (of(&fleet, "user:root").await, of(&fleet, "user:root2").await);
    let any = [("if-match", "*")];
    assert_eq!(
        fleet.send("DELETE", &format!("assignments/{second}"), &operator, &any, Value::Null).await.status,
        204
    );
    // PF-42: not demoted, deactivated nor deleted; by nobody.
    let demote = fleet.send("DELETE", &format!("assignments/{first}"), &operator, &any, Value::Null).await;
    assert_eq!((demote.status.as_u16(), demote.code().as_str()), (409, "last_super_admin"));
    let off = fleet.send("PUT", "subjects/user:root", &operator, &any, json!({"active": false})).await;
    assert_eq!(off.code(), "last_super_admin");
    let soon = json!({"expires_at": "2020-01-01T00:00:00Z"});
    assert_eq!(
        fleet.send("PUT", "subjects/user:root", &operator, &any, soon).await.code(),
        "last_super_admin"
    );
    let gone = fleet.send("DELETE", "subjects/user:root", &operator, &any, Value::Null).await;
    assert_eq!(gone.code(), "last_super_admin");
    // Nor by listing somebody as ended who held the role without being listed.
    let boss = json!({"subject": "user:boss", "role": "role:system:SUPER_ADMIN", "at": null});
    assert_eq!(fleet.post("assignments", &operator, boss).await.status, 201);
    let ended = json!({"id": "user:boss", "active": false});
    let rolf = fleet.setup.token("user:rolf", 60);
    assert_eq!(fleet.post("subjects", &rolf, ended.clone()).await.code(), "holds_more");
    assert_eq!(
        fleet.send("DELETE", &format!("assignments/{first}"), &operator, &any, Value::Null).await.status,
        204
    );
    assert_eq!(fleet.post("subjects", &operator, ended).await.code(), "last_super_admin");
    let first = json!({"subject": "user:root", "role": "role:system:SUPER_ADMIN", "at": null});
    let first = fleet.post("assignments", &operator, first).await.json()["id"].as_str().unwrap().to_owned();
    let boss = of(&fleet, "user:boss").await;
    assert_eq!(
        fleet.send("DELETE", &format!("assignments/{boss}"), &operator, &any, Value::Null).await.status,
        204
    );
    // One at a site does not count.
    let at = json!({"subject": "user:none", "role": "role:system:SUPER_ADMIN", "at": {"type": "site", "id": "s1"}});
    assert_eq!(fleet.post("assignments", &operator, at).await.status, 201);
    let demote = fleet.send("DELETE", &format!("assignments/{first}"), &operator, &any, Value::Null).await;
    assert_eq!(demote.code(), "last_super_admin");
    // Not by SQL either; but the organization itself can go.
    let connection = &mut fleet.setup.connection;
    let delete = "DELETE FROM assignments WHERE subject_id = 'user:root'";
    assert_eq!(refused_by(connection, delete).await, "assignments_super_admin_stays");
    let update = "UPDATE subjects SET active = false";
    assert_eq!(refused_by(connection, update).await, "subjects_super_admin_stays");
    // Handed over within one transaction, in any order.
    run(
        connection,
        "BEGIN; DELETE FROM assignments WHERE subject_id = 'user:root' AND role_id = 'role:system:SUPER_ADMIN';
         INSERT INTO assignments (organization_id, subject_id, role_id)
             VALUES ('acme', 'user:ada', 'role:system:SUPER_ADMIN'); COMMIT",
    )
    .await;
    run(connection, "DELETE FROM organizations WHERE organization_id = 'acme'").await;
}

/// Whoever comes first is demoted, and one is left.
#[tokio::test]
async fn fifty_demotions_at_once_leave_one_super_admin() {
    let mut setup = Setup::of(&world(FACTS), with_catalog()).await;
    let operator = writing_key(&mut setup.connection, "acme", None).await;
    run(
        &mut setup.connection,
        "INSERT INTO assignments (organization_id, subject_id, role_id)
         SELECT 'acme', 'user:' || number, 'role:system:SUPER_ADMIN' FROM generate_series(1, 50) AS number",
    )
    .await;
    let fleet = Fleet { setup, operator };
    let list = fleet.get("assignments?limit=1000", &fleet.operator).await.json();
    let demotions = list["items"].as_array().unwrap().iter().map(|item| {
        let path = format!("assignments/{}", item["id"].as_str().unwrap());
        let fleet = &fleet;
        async move { fleet.send("DELETE", &path, &fleet.operator, &[], Value::Null).await }
    });
    let answers = join_all(demotions).await;
    assert_eq!(answers.len(), 50);
    assert_eq!(answers.iter().filter(|answer| answer.status == 204).count(), 49);
    let refused = answers.iter().find(|answer| answer.status != 204).unwrap();
    assert_eq!(refused.code(), "last_super_admin");
    assert_eq!(fleet.get("assignments", &fleet.operator).await.json()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn built_in_roles_are_made_once_and_the_highest_is_repaired() {
    let mut setup = Setup::of(&world(FACTS), with_catalog()).await;
    let operator = writing_key(&mut setup.connection, "acme", None).await;
    let fleet = Fleet { setup, operator: operator.clone() };
    let any = [("if-match", "*")];
    let role = async |fleet: &Fleet, key: &str| {
        fleet.get(&format!("roles/role:system:{key}"), &operator).await.json()
    };
    assert_eq!(role(&fleet, "SUPER_ADMIN").await["permissions"], json!(["*"]));
    let change = json!({"name": "Super admin", "permissions": []});
    let path = "roles/role:system:SUPER_ADMIN";
    let answer = fleet.send("PUT", path, &operator, &any, change).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "BUILTIN_ROLE_IMMUTABLE"));
    assert_eq!(
        fleet.send("DELETE", path, &operator, &any, Value::Null).await.code(),
        "BUILTIN_ROLE_IMMUTABLE"
    );
    let path = "roles/role:system:ADMIN";
    let answer = fleet.send("DELETE", path, &operator, &any, Value::Null).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "BUILTIN_ROLE_NON_DELETABLE"));
    let renamed = json!({"name": "Boss", "permissions": []});
    assert_eq!(fleet.send("PUT", path, &operator, &any, renamed).await.code(), "reserved_name");
    let fewer = json!({"name": "admin", "permissions": ["fleet:read"]});
    let fewer = fleet.send("PUT", path, &operator, &any, fewer).await;
    assert_eq!((fewer.status.as_u16(), &fewer.json()["name"]), (200, &json!("Admin")));

    // Damaged by SQL; another gateway starts.
    let mut setup = fleet.setup;
    run(
        &mut setup.connection,
        "DELETE FROM role_permissions WHERE role_id = 'role:system:SUPER_ADMIN';
         UPDATE roles SET active = false, name = 'x' WHERE role_id = 'role:system:SUPER_ADMIN'",
    )
    .await;
    let revision = crate::support::revision(&mut setup.connection, "acme").await;
    let second = Gateway::start(with_catalog(), &setup.url).await.unwrap();
    let fleet = Fleet { setup, operator: operator.clone() };
    let repaired = role(&fleet, "SUPER_ADMIN").await;
    assert_eq!((&repaired["permissions"], &repaired["active"]), (&json!(["*"]), &json!(true)));
    assert_eq!(repaired["name"], "Super admin");
    assert_eq!(
        role(&fleet, "ADMIN").await["permissions"],
        json!(["fleet:read"]),
        "what was revoked stays so"
    );
    let events = fleet.get("audit?target=role:system:SUPER_ADMIN", &operator).await.json();
    let operations: Vec<&str> = events["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["operation"].as_str().unwrap())
        .collect();
    assert_eq!(operations, ["role.repair", "role.seed"]);
    assert_eq!(events["items"][0]["actor"], "gateway");
    let mut setup = fleet.setup;
    assert_eq!(crate::support::revision(&mut setup.connection, "acme").await, revision + 1);
    second.stop().await.unwrap();
}

#[tokio::test]
async fn gateways_that_start_together_seed_once() {
    let (url, mut connection) = crate::support::migrated().await;
    for organization in ["acme", "other", "third"] {
        let facts = postern_world::World { organization: organization.to_owned(), ..world(FACTS) };
        postern_gateway::store::import::import(&mut connection, &facts, false).await.unwrap();
    }
    let starts = join_all((0..8).map(|_| Gateway::start(with_catalog(), &url))).await;
    for gateway in starts {
        gateway.unwrap().stop().await.unwrap();
    }
    let seeds: i64 = sqlx::query_scalar("SELECT count(*) FROM audit_events WHERE operation = 'role.seed'")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(seeds, 9, "three roles in three organizations");
    for organization in ["acme", "other", "third"] {
        assert_eq!(crate::support::revision(&mut connection, organization).await, 2, "{organization}");
    }
    connection.close().await.unwrap();
}

/// Who holds everything that there is to hold, some of it because something else implies it, gets no more by `*`.
#[tokio::test]
async fn a_role_that_gives_everything_becomes_the_built_in_one_also_by_implication() {
    for (by, adopted) in [(r#""fleet:read""#, true), ("", false)] {
        let text = |roles: &str| {
            format!(
                r#"{{"format": "postern-world/1", "organization": "acme", "revision": 1, "catalog": {{"types": {{}},
                "permissions": {{"fleet:read": {{}}, "audit:read": {{"implied_by": [{by}]}}}}}}, "roles": [{roles}]}}"#
            )
        };
        let held =
            text(r#"{"id": "role:organization:1", "name": "SUPER_ADMIN", "permissions": ["fleet:read"]}"#);
        let file = text(r#"{"id": "role:system:SUPER_ADMIN", "name": "SUPER_ADMIN", "permissions": ["*"]}"#);
        let config = Config { catalog: world(&file), ..crate::support::config() };
        let mut setup = Setup::of(&world(&held), config).await;
        let operator = writing_key(&mut setup.connection, "acme", None).await;
        let fleet = Fleet { setup, operator };
        let role = fleet.get("roles/role:organization:1", &fleet.operator).await.json();
        assert_eq!(role["builtin"] == "SUPER_ADMIN", adopted, "{role}");
    }
}

/// An import that has roles of these names: they become the built-in ones, as they are; but nobody gets more by that.
#[tokio::test]
async fn roles_of_the_same_name_become_the_built_in_ones() {
    let with = |permissions: &str| {
        let facts = format!(
            r#"{{"format": "postern-world/1", "organization": "acme", "revision": 1,
            "catalog": {{"types": {{}}, "permissions": {{"fleet:read": {{}}}}}},
            "roles": [{{"id": "role:organization:1", "name": "SUPER ADMIN", "permissions": {permissions}}},
                {{"id": "role:organization:2", "name": "Admin", "permissions": ["fleet:read"]}}]}}"#
        );
        world(&facts)
    };
    for (permissions, adopted) in [(r#"["*"]"#, true), (r#"["fleet:read"]"#, false)] {
        let mut setup = Setup::of(&with(permissions), with_catalog()).await;
        let operator = writing_key(&mut setup.connection, "acme", None).await;
        let fleet = Fleet { setup, operator };
        let role = async |id: &str| fleet.get(&format!("roles/{id}"), &fleet.operator).await.json();
        let first = role("role:organization:1").await;
        assert_eq!(first["builtin"] == "SUPER_ADMIN", adopted, "{first}");
        assert_eq!(first["permissions"], serde_json::from_str::<Value>(permissions).unwrap());
        let own = role("role:system:SUPER_ADMIN").await;
        assert_eq!(own["immutable"] == true, !adopted, "{own}");
        let second = role("role:organization:2").await;
        assert_eq!((&second["builtin"], &second["permissions"]), (&json!("ADMIN"), &json!(["fleet:read"])));
        assert_eq!(role("role:system:FIELD_TECH").await["builtin"], "FIELD_TECH");
        let count = fleet.get("roles", &fleet.operator).await.json()["items"].as_array().unwrap().len();
        assert_eq!(count, if adopted { 3 } else { 4 });
    }
}

/// A role that somebody made under the name of a built-in one, before there was a catalog, stays what it is.
#[tokio::test]
async fn a_name_gives_no_rights() {
    let mut setup = Setup::of(&world(FACTS), crate::support::config()).await;
    let operator = writing_key(&mut setup.connection, "acme", None).await;
    let fleet = Fleet { setup, operator };
    let mine = json!({"name": "Super admin", "permissions": []});
    let mine = fleet.post("roles", &fleet.operator, mine).await.json();
    let second = Gateway::start(with_catalog(), &fleet.setup.url).await.unwrap();
    let path = format!("roles/{}", mine["id"].as_str().unwrap());
    assert_eq!(fleet.get(&path, &fleet.operator).await.json(), mine);
    second.stop().await.unwrap();
}
