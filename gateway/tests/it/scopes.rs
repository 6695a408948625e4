//! Scopes: who may make, join, delete and purge them, that a role made for one stays there, and many at once.

use crate::management::Fleet;
use crate::management_resources::{Yard, at, refused};
use crate::support::{Setup, config, refused_by, run, world, writing_key};
use postern_gateway::store::import::import;
use serde_json::{Value, json};

/// Two domains with projects to come; sites, where roles narrow; and people who may make scopes.
const ESTATE: &str = r#"{"format": "postern-world/1", "organization": "acme", "revision": 1,
  "catalog": {
    "types": {"domain": {"scope": true}, "project": {"scope": true}, "site": {"scope": true, "narrows": true}, "vfolder": {}},
    "permissions": {
      "vfolder:read": {}, "vfolder:update": {"requires": ["vfolder:read"]}, "project:read": {}, "boss:all": {},
      "role:manage": {"implied_by": ["boss:all"]}, "role:read": {}, "user:manage": {}, "resource:read": {},
      "resource:manage": {}, "audit:read": {}}},
  "subjects": [{"id": "user:root"}, {"id": "user:mara"}, {"id": "user:dana"}, {"id": "user:maker"},
    {"id": "user:ann", "aliases": ["ann@acme.example"]}, {"id": "user:bo"}, {"id": "group:crew"}],
  "memberships": [{"subject": "user:bo", "group": "group:crew"}],
  "resources": [{"type": "domain", "id": "d1"}, {"type": "domain", "id": "d2"},
    {"type": "vfolder", "id": "v1", "parents": [{"type": "domain", "id": "d1"}]}],
  "roles": [
    {"id": "role:all", "name": "Everything", "permissions": ["*"]},
    {"id": "role:manager", "name": "Manager", "permissions": ["role:manage", "role:read", "project:read"]},
    {"id": "role:maker", "name": "Maker", "permissions": ["resource:manage", "project:read"]}],
  "assignments": [
    {"subject": "user:root", "role": "role:all"},
    {"subject": "user:mara", "role": "role:manager"},
    {"subject": "user:dana", "role": "role:all", "at": {"type": "domain", "id": "d1"}},
    {"subject": "user:maker", "role": "role:maker", "at": {"type": "domain", "id": "d1"}}]}"#;

/// A gateway with these facts.
pub async fn estate() -> Yard {
    let mut setup = Setup::of(&world(ESTATE), config()).await;
    let operator = writing_key(&mut setup.connection, "acme", None).await;
    Yard { setup, operator }
}

pub fn preset(name: &str, kind: &str, permissions: &[&str], more: Value) -> Value {
    let mut body = json!({"name": name, "type": kind, "permissions": permissions});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

pub fn project(id: &str) -> Value {
    json!({"type": "project", "id": id, "parents": [at("domain", "d1")]})
}

/// The names of a scope's roles, in the order in which they were made.
pub fn names(scope: &Value) -> Vec<&str> {
    scope["roles"].as_array().unwrap().iter().map(|role| role["name"].as_str().unwrap()).collect()
}

/// Presets decide what others are given later: who writes them may do everything. Who makes a scope holds nothing by that
/// but what a preset is for.
#[tokio::test]
async fn who_may_not_do_everything_writes_no_preset_and_gains_by_none() {
    let mut yard = estate().await;
    let (mara, dana, maker, root) =
        (yard.token("user:mara"), yard.token("user:dana"), yard.token("user:maker"), yard.token("user:root"));
    let body = preset("Member", "project", &["project:read"], json!({}));
    refused(&yard.post("presets", &mara, body.clone()).await, 403, "needs_everything");
    refused(&yard.post("presets", &dana, body.clone()).await, 403, "forbidden");
    let made = yard.post("presets", &root, body.clone()).await;
    assert_eq!(made.status, 201, "{made:?}");
    let path = format!("presets/{}", made.json()["id"].as_str().unwrap());
    refused(&yard.put(&path, &mara, body).await, 403, "needs_everything");
    refused(&yard.delete(&path, &mara).await, 403, "needs_everything");
    for act in ["restore", "purge", "sync"] {
        let answer =
            yard.send("POST", &format!("{path}/{act}"), &mara, &[("if-match", "*")], Value::Null).await;
        refused(&answer, 403, "needs_everything");
    }
    assert_eq!(
        yard.get(&format!("{path}/sync"), &mara).await.status,
        200,
        "to look is for who may read roles"
    );
    // Where one may put nothing, one makes nothing; and for nobody else.
    for body in [
        json!({"type": "project", "id": "p1"}),
        json!({"type": "project", "id": "p1", "parents": [at("domain", "d2")]}),
    ] {
        refused(&yard.post("scopes", &maker, body).await, 403, "forbidden");
    }
    let mut for_ann = project("p1");
    for_ann["creator"] = json!("user:ann");
    refused(&yard.post("scopes", &maker, for_ann.clone()).await, 403, "needs_everything");
    // What was given at the id before it was listed is not woken by who holds less.
    let early = "INSERT INTO assignments (organization_id, subject_id, role_id, at_type, at_id)
        VALUES ('acme', 'user:bo', 'role:all', 'project', 'p0')";
    run(&mut yard.setup.connection, early).await;
    refused(&yard.post("scopes", &maker, project("p0")).await, 403, "needs_everything");
    // An operator is nobody, unless it says for whom.
    yard.made("presets", preset("Owner", "project", &["vfolder:*"], json!({"for_creator": true}))).await;
    yard.made("scopes", project("p2")).await;
    assert_eq!(
        yard.items("assignments").await.iter().filter(|held| held["at"] == at("project", "p2")).count(),
        0
    );
    assert_eq!(yard.post("scopes", &root, for_ann).await.status, 201);
    assert!(yard.may("user:ann", "vfolder:update", ("project", "p1")).await);
    // The rights of a creator end where the scope does: neither what lies beside it comes below it, nor is it given on.
    yard.made(
        "presets",
        preset("Manager", "project", &["role:manage", "resource:manage"], json!({"for_creator": true})),
    )
    .await;
    assert_eq!(yard.post("scopes", &maker, project("p3")).await.status, 201);
    let edge = json!({"child": at("vfolder", "v1"), "parent": at("project", "p3")});
    refused(&yard.post("edges", &maker, edge).await, 403, "cannot_grant");
    let give = |place: Value| json!({"subject": "user:bo", "role": "role:manager", "at": place});
    refused(&yard.post("assignments", &maker, give(at("domain", "d1"))).await, 403, "forbidden");
    refused(&yard.post("assignments", &maker, give(at("project", "p3"))).await, 403, "cannot_grant");
}

/// At a type that narrows, an assignment takes what is held from above: nobody is given one by the way.
#[tokio::test]
async fn who_makes_a_narrow_scope_loses_nothing_by_it() {
    let fleet = Fleet::new().await;
    let root = fleet.setup.token("user:root", 60);
    let keeper =
        preset("Keeper", "site", &["fleet:read"], json!({"for_creator": true, "role_name": "{scope.id}"}));
    assert_eq!(fleet.post("presets", &root, keeper).await.status, 201);
    let made = fleet.post("scopes", &root, json!({"type": "site", "id": "s8"})).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(names(&made.json()), ["s8"]);
    // Still somebody who may do everything.
    let more = preset("More", "site", &[], json!({}));
    assert_eq!(fleet.post("presets", &root, more).await.status, 201);
    // Who is named is given it, and so narrowed: that was said.
    let named = json!({"type": "site", "id": "s9", "creator": "user:root2"});
    assert_eq!(fleet.post("scopes", &root, named).await.status, 201);
    let held = fleet.get("assignments?subject=user:root2", &root).await.json();
    assert_eq!(held["items"].as_array().unwrap().len(), 2);
    // A built-in role's name is not taken by a scope, and none of them is a scope's.
    let scope = fleet.post("scopes", &root, json!({"type": "site", "id": "Super Admin"})).await.json();
    assert_eq!(names(&scope), ["site-Super Ad-role", "More Super Admin"]);
    // The last super admins stay whatever is purged, and so do built-in roles that are held there.
    let given = json!({"subject": "user:root", "role": "role:system:SUPER_ADMIN", "at": {"type": "site", "id": "s8"}});
    assert_eq!(fleet.post("assignments", &fleet.operator, given).await.status, 201);
    let purged =
        fleet.send("POST", "scopes/site/s8/purge", &fleet.operator, &[("if-match", "*")], Value::Null).await;
    assert_eq!(
        purged.json(),
        json!({"edges": 0, "grants": 0, "assignments": 1, "permissions": 1, "roles": 1})
    );
    let role = fleet.get("roles/role:system:SUPER_ADMIN", &root).await;
    assert_eq!((role.status.as_u16(), &role.json()["immutable"]), (200, &json!(true)));
    let mut setup = fleet.setup;
    for sql in [
        "UPDATE roles SET scope_type = 'site', scope_id = 's1' WHERE immutable",
        "UPDATE roles SET auto_assign = true",
    ] {
        assert_eq!(refused_by(&mut setup.connection, sql).await, "roles_scope_form");
    }
}

#[tokio::test]
async fn a_role_made_for_a_scope_is_assigned_there_only() {
    let mut yard = estate().await;
    let operator = yard.operator.clone();
    yard.made("presets", preset("Member", "project", &["vfolder:read"], json!({}))).await;
    let scope = yard.made("scopes", project("p1")).await;
    yard.made("scopes", project("p2")).await;
    let role = scope["roles"][0]["id"].as_str().unwrap();
    for place in [Value::Null, at("project", "p2"), at("domain", "d1"), at("vfolder", "v1")] {
        let give = json!({"subject": "user:ann", "role": role, "at": place});
        let answer = refused(&yard.post("assignments", &operator, give).await, 400, "role_of_scope");
        assert!(answer["detail"].as_str().unwrap().contains("`scope`"), "{answer}");
    }
    yard.made("assignments", json!({"subject": "user:ann", "role": role, "at": at("project", "p1")})).await;
    assert!(yard.may("user:ann", "vfolder:read", ("project", "p1")).await);
    // Not as the heir of another role either.
    let reassign = format!("roles/role:maker?reassign_to={role}");
    refused(&yard.delete(&reassign, &operator).await, 400, "role_of_scope");
    // Nor by SQL: by giving it, by moving what is given, or by tying a role that is held elsewhere.
    for sql in [
        format!(
            "INSERT INTO assignments (organization_id, subject_id, role_id) VALUES ('acme', 'user:bo', '{role}')"
        ),
        format!("UPDATE assignments SET at_id = 'p2' WHERE role_id = '{role}'"),
        format!("UPDATE roles SET scope_id = 'p2' WHERE role_id = '{role}'"),
        "UPDATE roles SET scope_type = 'project', scope_id = 'p1' WHERE role_id = 'role:maker'".to_owned(),
    ] {
        assert_eq!(
            refused_by(&mut yard.setup.connection, &sql).await,
            "assignments_at_scope_of_role",
            "{sql}"
        );
    }
    let foreign = format!("UPDATE roles SET scope_id = 'none' WHERE role_id <> '{role}' AND scope_id = 'p2'");
    assert_eq!(refused_by(&mut yard.setup.connection, &foreign).await, "roles_scope_fkey");
    // A change of the role keeps it where it is.
    let change = json!({"name": "Other", "permissions": ["project:read"]});
    let changed = yard.put(&format!("roles/{role}"), &operator, change).await.json();
    assert_eq!((&changed["scope"], changed["preset"].is_string()), (&at("project", "p1"), true));
}

#[tokio::test]
async fn a_deleted_scope_is_inactive_until_it_is_restored() {
    let mut yard = estate().await;
    let (operator, dana, maker) = (yard.operator.clone(), yard.token("user:dana"), yard.token("user:maker"));
    yard.made("presets", preset("Member", "project", &["vfolder:read"], json!({"auto_assign": true}))).await;
    let made = yard.made("scopes", project("p1")).await;
    yard.post("scopes/project/p1/members", &operator, json!({"subject": "user:ann"})).await;
    let path = "scopes/project/p1";
    refused(&yard.send("DELETE", path, &operator, &[], Value::Null).await, 428, "precondition_required");
    refused(
        &yard.send("DELETE", path, &operator, &[("if-match", "\"0\"")], Value::Null).await,
        412,
        "precondition_failed",
    );
    // Who makes scopes does not end those of others: they hold less there.
    refused(&yard.delete(path, &maker).await, 403, "cannot_grant");
    let purge = yard.send("POST", "scopes/project/p1/purge", &maker, &[("if-match", "*")], Value::Null).await;
    refused(&purge, 403, "cannot_grant");
    let deleted = yard.delete(path, &dana).await;
    assert_eq!((deleted.status.as_u16(), &deleted.json()["active"]), (200, &json!(false)));
    assert!(deleted.json()["deleted_at"].is_string());
    assert_eq!(deleted.json()["roles"], made["roles"], "what hangs on it stays");
    assert!(!yard.may("user:ann", "vfolder:read", ("project", "p1")).await);
    assert_eq!(yard.delete(path, &operator).await.json(), deleted.json(), "deleted once");
    refused(&yard.put("resources/project/p1", &operator, json!({})).await, 409, "scope_deleted");
    refused(
        &yard.post("scopes/project/p1/members", &operator, json!({"subject": "user:bo"})).await,
        409,
        "scope_deleted",
    );
    refused(&yard.post("scopes", &operator, project("p1")).await, 409, "id_taken");
    assert_eq!(
        refused_by(&mut yard.setup.connection, "UPDATE resources SET active = true").await,
        "resources_deleted_inactive"
    );
    // At what is not live nobody is allowed anything but those who may do everything.
    let restore = async |bearer: &str| {
        yard.send("POST", "scopes/project/p1/restore", bearer, &[("if-match", "*")], Value::Null).await
    };
    refused(&restore(&dana).await, 403, "forbidden");
    let restored = restore(&yard.token("user:root")).await;
    assert_eq!((restored.status.as_u16(), restored.json()), (200, made.clone()));
    let revision = restored.header("postern-revision").to_owned();
    assert_eq!(restore(&operator).await.header("postern-revision"), revision, "restored once");
    assert!(yard.may("user:ann", "vfolder:read", ("project", "p1")).await);
    // What was inactive before is so afterwards.
    assert_eq!(yard.put("resources/project/p1", &operator, json!({"active": false})).await.status, 200);
    yard.delete(path, &operator).await;
    let again = yard
        .send("POST", "scopes/project/p1/restore", &operator, &[("if-match", "*")], Value::Null)
        .await
        .json();
    assert_eq!((&again["active"], &again["deleted_at"]), (&json!(false), &Value::Null));
    let log = yard.items("audit?target=project:p1").await;
    let done: Vec<&str> = log.iter().map(|event| event["operation"].as_str().unwrap()).collect();
    assert_eq!(
        done,
        [
            "scope.restore",
            "scope.delete",
            "resource.update",
            "scope.restore",
            "scope.delete",
            "scope.join",
            "scope.create"
        ]
    );
    // Only scopes are told among them.
    let listed = yard.items("scopes?limit=1000").await;
    assert_eq!(
        listed.iter().map(|scope| scope["id"].as_str().unwrap()).collect::<Vec<_>>(),
        ["d1", "d2", "p1"]
    );
    assert_eq!(yard.items("scopes?type=project").await, [again]);
    refused(&yard.get("scopes/vfolder/v1", &operator).await, 404, "item_not_found");
    refused(&yard.delete("scopes/vfolder/v1", &operator).await, 404, "item_not_found");
}

/// However many make the same scope at once, it is made once, with one role for each preset.
#[tokio::test]
async fn a_scope_that_many_make_at_once_is_made_once() {
    let mut yard = estate().await;
    yard.made("presets", preset("Member", "project", &["project:read"], json!({"auto_assign": true}))).await;
    yard.made("presets", preset("Admin", "project", &["vfolder:*"], json!({"for_creator": true}))).await;
    let callers = [yard.token("user:maker"), yard.token("user:dana")];
    let asks = (0..20).map(|number| yard.post("scopes", &callers[number % 2], project("p1")));
    let answers = futures_util::future::join_all(asks).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert!(answers.iter().all(|answer| answer.status == 201 || answer.code() == "id_taken"), "{answers:?}");
    let scope = yard.get("scopes/project/p1", &yard.operator).await.json();
    assert_eq!(names(&scope), ["Member p1", "Admin p1"]);
    let held = yard.items("assignments").await;
    let here: Vec<&Value> = held.iter().filter(|held| held["at"] == at("project", "p1")).collect();
    assert!(here.len() == 2 && here[0]["subject"] == here[1]["subject"], "one creator: {here:?}");
    // Different ones at once do not take each other's names.
    let asks = (0..10).map(|number| {
        let mut body = project(&format!("P{number}"));
        body["attributes"] = json!({"name": "same"});
        yard.post("scopes", &yard.operator, body)
    });
    assert!(futures_util::future::join_all(asks).await.iter().all(|answer| answer.status == 201));
    let roles: i64 =
        sqlx::query_scalar("SELECT count(DISTINCT name_key) FROM roles WHERE scope_id IS NOT NULL")
            .fetch_one(&mut yard.setup.connection)
            .await
            .unwrap();
    assert_eq!(roles, 22);
}

/// Who is assigned, or joins, while a scope is purged: nothing is left that would come into force with the next one.
#[tokio::test]
async fn a_purge_among_assignments_leaves_none_behind() {
    let mut yard = estate().await;
    let operator = yard.operator.clone();
    yard.made("presets", preset("Member", "project", &["vfolder:read"], json!({"auto_assign": true}))).await;
    for round in 0..4 {
        let scope = yard.made("scopes", project("p1")).await;
        let role = scope["roles"][0]["id"].as_str().unwrap();
        let gives = (0..12).map(|number| {
            let subject = format!("user:x{number}");
            let (yard, operator) = (&yard, &operator);
            async move {
                match number % 3 {
                    0 => yard.post("scopes/project/p1/members", operator, json!({"subject": subject})).await,
                    1 => {
                        yard.post(
                            "assignments",
                            operator,
                            json!({"subject": subject, "role": role, "at": at("project", "p1")}),
                        )
                        .await
                    }
                    _ => {
                        yard.post(
                            "assignments",
                            operator,
                            json!({"subject": subject, "role": "role:maker", "at": at("project", "p1")}),
                        )
                        .await
                    }
                }
            }
        });
        let purge = async {
            tokio::time::sleep(std::time::Duration::from_millis(4 * round)).await;
            yard.send("POST", "scopes/project/p1/purge", &operator, &[("if-match", "*")], Value::Null).await
        };
        let (gives, purge) = tokio::join!(futures_util::future::join_all(gives), purge);
        assert_eq!(purge.status, 200, "{purge:?}");
        let given = gives.iter().filter(|answer| answer.status == 200 || answer.status == 201).count();
        let late = ["unknown_role", "unknown_scope", "item_not_found"];
        for answer in gives.iter().filter(|answer| answer.status.as_u16() >= 300) {
            assert!(late.contains(&answer.code().as_str()), "{answer:?}");
        }
        assert_eq!(purge.json()["assignments"], given, "all that were given were purged");
        let left: i64 = sqlx::query_scalar("SELECT count(*) FROM assignments WHERE at_id = 'p1'")
            .fetch_one(&mut yard.setup.connection)
            .await
            .unwrap();
        assert_eq!(left, 0);
    }
}

#[tokio::test]
async fn every_fault_of_scopes_and_presets_is_named() {
    let yard = estate().await;
    let of = |path: &'static str, body: Value| (path, body);
    for ((path, body), code, said) in [
        (of("presets", json!({"type": "project", "permissions": []})), "invalid_request", "`name`"),
        (of("presets", json!({"name": "M", "permissions": []})), "invalid_request", "type: "),
        (of("presets", json!({"name": "M", "type": "project"})), "invalid_request", "`permissions`"),
        (
            of("presets", preset("M", "project", &[], json!({"autoassign": true}))),
            "invalid_request",
            "`autoassign`",
        ),
        (of("presets", preset(" ", "project", &[], json!({}))), "invalid_name", "name: "),
        (of("presets", preset("M", "none", &[], json!({}))), "unknown_type", "type"),
        (of("presets", preset("M", "vfolder", &[], json!({}))), "not_a_scope", "`scope`"),
        (of("presets", preset("M", "project", &["a:b"], json!({}))), "unknown_permissions", "permissions"),
        (
            of("presets", preset("M", "project", &["vfolder:update"], json!({}))),
            "missing_permissions",
            "missing",
        ),
        (of("scopes", json!({"id": "p1"})), "invalid_request", "`type`"),
        (of("scopes", json!({"type": "project", "id": ""})), "invalid_request", "id: "),
        (
            of("scopes", json!({"type": "project", "id": "p1", "active": false})),
            "invalid_request",
            "`active`",
        ),
        (of("scopes", json!({"type": "none", "id": "p1"})), "unknown_type", "type"),
        (of("scopes", json!({"type": "vfolder", "id": "p1"})), "not_a_scope", "/resources"),
        (
            of("scopes", json!({"type": "project", "id": "p1", "parents": [at("domain", "")]})),
            "invalid_request",
            "parents/0",
        ),
        (
            of("scopes", json!({"type": "project", "id": "p1", "parents": [at("domain", "d9")]})),
            "unknown_resource",
            "parents: ",
        ),
        (
            of("scopes", json!({"type": "project", "id": "p1", "creator": "ann"})),
            "invalid_request",
            "creator: ",
        ),
        (of("scopes/domain/d1/members", json!({})), "invalid_request", "`subject`"),
        (of("scopes/domain/d1/members", json!({"subject": "role:all"})), "invalid_request", "subject: "),
    ] {
        let answer = refused(&yard.post(path, &yard.operator, body.clone()).await, 400, code);
        assert!(answer["detail"].as_str().unwrap().contains(said), "{body}: {answer}");
    }
    // Paths that take no body.
    for path in ["scopes/domain/d1/purge", "scopes/domain/d1/restore"] {
        let answer =
            yard.send("POST", path, &yard.operator, &[("if-match", "*")], json!({"sure": true})).await;
        assert!(refused(&answer, 400, "invalid_request")["detail"].as_str().unwrap().contains("takes none"));
    }
    refused(&yard.get("presets/none", &yard.operator).await, 404, "item_not_found");
    let unknown = yard.post("scopes/domain/d9/members", &yard.operator, json!({"subject": "user:ann"})).await;
    refused(&unknown, 404, "item_not_found");
    assert_eq!(yard.items("scopes?type=project").await, Vec::<Value>::new());
}

/// Presets go with their types, also while roles and deleted scopes hang on them.
#[tokio::test]
async fn an_import_that_replaces_leaves_nothing_of_presets() {
    let mut yard = estate().await;
    yard.made("presets", preset("Member", "project", &["vfolder:read"], json!({"auto_assign": true}))).await;
    yard.made("scopes", project("p1")).await;
    yard.made("scopes", project("p2")).await;
    yard.delete("scopes/project/p2", &yard.operator).await;
    let other = r#"{"format": "postern-world/1", "organization": "acme", "revision": 1,
        "catalog": {"types": {"project": {"scope": true}}, "permissions": {}}}"#;
    import(&mut yard.setup.connection, &world(other), true).await.unwrap();
    assert_eq!(yard.items("presets").await, Vec::<Value>::new());
    assert_eq!(yard.items("roles").await, Vec::<Value>::new());
    assert_eq!(names(&yard.made("scopes", json!({"type": "project", "id": "p1"})).await), Vec::<&str>::new());
}
