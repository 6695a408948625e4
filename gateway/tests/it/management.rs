//! Role management: who may write what. The ids are those of statements about the systems that this has to replace
//! (docs/systems).

use crate::support::{Answer, Setup, config, run, world, writing_key};
use postern_gateway::config::Config;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What a program brings along: its catalog, and three built-in roles.
pub const CATALOG: &str = r#"{"format": "postern-world/1", "organization": "catalog", "revision": 1,
  "catalog": {
    "types": {"site": {"scope": true, "narrows": true}, "miner": {}},
    "permissions": {
      "fleet:read": {}, "rack:read": {}, "audit:read": {}, "user:read": {}, "role:manage": {},
      "miner:read": {"requires": ["fleet:read"]},
      "miner:reboot": {"requires": ["fleet:read", "miner:read"]},
      "rack:manage": {"requires": ["rack:read"]},
      "user:manage": {"requires": ["user:read"]}}},
  "roles": [
    {"id": "role:system:SUPER_ADMIN", "name": "Super admin", "permissions": ["*"]},
    {"id": "role:system:ADMIN", "name": "Admin", "permissions": ["fleet:read", "rack:read", "audit:read", "user:read",
      "user:manage", "miner:read", "miner:reboot", "rack:manage"]},
    {"id": "role:system:FIELD_TECH", "name": "Field tech", "permissions": ["fleet:read", "miner:read", "rack:read"]}]}"#;

const FACTS: &str = r#"{"format": "postern-world/1", "organization": "acme", "revision": 1,
  "catalog": {"types": {"site": {"scope": true, "narrows": true}, "miner": {}}, "permissions": {}},
  "subjects": [{"id": "user:root"}, {"id": "user:root2"}, {"id": "user:ada"}, {"id": "user:abe"}, {"id": "user:tess"},
    {"id": "user:rolf"}, {"id": "user:none"}, {"id": "group:crew"}],
  "resources": [{"type": "site", "id": "s1"}, {"type": "site", "id": "s2"},
    {"type": "miner", "id": "m1", "parents": [{"type": "site", "id": "s1"}]}]}"#;

const SUPER_ADMIN: &str = "role:system:SUPER_ADMIN";
const ADMIN: &str = "role:system:ADMIN";
const FIELD_TECH: &str = "role:system:FIELD_TECH";

pub fn with_catalog() -> Config {
    Config { catalog: world(CATALOG), ..config() }
}

/// A gateway with people: two super admins, two admins, a field technician at s1, and Rolf, who manages roles and may do
/// what a field technician may, and nothing else.
pub struct Fleet {
    pub setup: Setup,
    pub operator: String,
}

impl Fleet {
    pub async fn new() -> Fleet {
        let mut setup = Setup::of(&world(FACTS), with_catalog()).await;
        let operator = writing_key(&mut setup.connection, "acme", None).await;
        let fleet = Fleet { setup, operator };
        let manager = fleet
            .make_role(&fleet.operator, "Manager", &["fleet:read", "miner:read", "rack:read", "role:manage"])
            .await;
        for (subject, role, at) in [
            ("user:root", SUPER_ADMIN, Value::Null),
            ("user:root2", SUPER_ADMIN, Value::Null),
            ("user:ada", ADMIN, Value::Null),
            ("user:abe", ADMIN, Value::Null),
            ("user:tess", FIELD_TECH, json!({"type": "site", "id": "s1"})),
            ("user:rolf", &manager, Value::Null),
        ] {
            assert_eq!(fleet.assign(&fleet.operator, subject, role, at).await.status, 201, "{subject}");
        }
        fleet
    }

    pub async fn send(
        &self,
        method: &str,
        path: &str,
        bearer: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Answer {
        self.setup.manage(method, path, bearer, headers, body).await
    }

    pub async fn get(&self, path: &str, bearer: &str) -> Answer {
        self.send("GET", path, bearer, &[], Value::Null).await
    }

    pub async fn post(&self, path: &str, bearer: &str, body: Value) -> Answer {
        self.send("POST", path, bearer, &[], body).await
    }

    /// A change of what is there now.
    async fn put(&self, path: &str, bearer: &str, body: Value) -> Answer {
        self.send("PUT", path, bearer, &[("if-match", "*")], body).await
    }

    async fn delete(&self, path: &str, bearer: &str) -> Answer {
        self.send("DELETE", path, bearer, &[("if-match", "*")], Value::Null).await
    }

    fn token(&self, subject: &str) -> String {
        self.setup.token(subject, 60)
    }

    async fn make_role(&self, bearer: &str, name: &str, permissions: &[&str]) -> String {
        let answer = self.post("roles", bearer, json!({"name": name, "permissions": permissions})).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    async fn assign(&self, bearer: &str, subject: &str, role: &str, at: Value) -> Answer {
        self.post("assignments", bearer, json!({"subject": subject, "role": role, "at": at})).await
    }

    /// The ids of somebody's assignments.
    async fn assignments(&self, subject: &str) -> Vec<String> {
        let answer = self.get(&format!("assignments?subject={subject}"), &self.operator).await;
        let items = answer.json()["items"].as_array().unwrap().clone();
        items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    }
}

/// A refusal: status, code, and what else it says.
fn refused(answer: &Answer, status: u16, code: &str) -> Value {
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{answer:?}");
    answer.json()
}

#[tokio::test]
async fn a_role_has_known_permissions_and_those_that_they_need() {
    let fleet = Fleet::new().await;
    let create = async |permissions: Value| {
        fleet.post("roles", &fleet.operator, json!({"name": "Role", "permissions": permissions})).await
    };
    // PF-30
    let answer = create(json!(["fleet:read", "fleet:fly", "nothing", "robot:*"])).await;
    assert_eq!(
        refused(&answer, 400, "unknown_permissions")["permissions"],
        json!(["fleet:fly", "nothing", "robot:*"])
    );
    // PF-31
    for (permissions, missing) in [
        (
            json!(["miner:reboot", "miner:read"]),
            json!({"miner:read": ["fleet:read"], "miner:reboot": ["fleet:read"]}),
        ),
        (json!(["miner:reboot"]), json!({"miner:reboot": ["fleet:read", "miner:read"]})),
        (json!(["rack:manage", "fleet:read"]), json!({"rack:manage": ["rack:read"]})),
        (json!(["miner:*"]), json!({"miner:read": ["fleet:read"], "miner:reboot": ["fleet:read"]})),
    ] {
        assert_eq!(refused(&create(permissions).await, 400, "missing_permissions")["missing"], missing);
    }
    let answer = create(json!(["miner:reboot", "fleet:read", "miner:read", "fleet:read"])).await;
    assert_eq!(answer.status, 201);
    let role = answer.json();
    assert_eq!(role["permissions"], json!(["fleet:read", "miner:read", "miner:reboot"]), "sorted, each once");
    assert_eq!(
        (&role["builtin"], &role["immutable"], &role["active"]),
        (&Value::Null, &json!(false), &json!(true))
    );
    let path = format!(
        "/v1/organizations/acme/roles/{}",
        role["id"].as_str().unwrap().replace(':', "%3A").replace('-', "%2D")
    );
    assert_eq!(answer.header("location"), path);
    assert_eq!(fleet.setup.get(&path, &fleet.operator).await.json(), role);
    // An empty one is legal, and so are single keys that need nothing.
    for (name, permissions) in
        [("No entry", json!([])), ("One", json!(["role:manage"])), ("All", json!(["*"]))]
    {
        let body = json!({"name": name, "permissions": permissions});
        assert_eq!(fleet.post("roles", &fleet.operator, body).await.status, 201, "{name}");
    }
    let many: Vec<String> = (0..1001).map(|number| format!("a:{number}")).collect();
    let many = json!({"name": "Many", "permissions": many});
    refused(&fleet.post("roles", &fleet.operator, many).await, 400, "invalid_request");
}

#[tokio::test]
async fn names_are_unique_whatever_their_case_and_blanks() {
    let mut fleet = Fleet::new().await;
    let operator = fleet.operator.clone();
    let create = async |fleet: &Fleet, name: &str| {
        fleet.post("roles", &operator, json!({"name": name, "permissions": []})).await
    };
    assert_eq!(create(&fleet, "  Night Shift ").await.json()["name"], "Night Shift");
    for same in ["Night Shift", "night shift", "NIGHT SHIFT\t"] {
        refused(&create(&fleet, same).await, 409, "name_taken");
    }
    assert_eq!(create(&fleet, "ÄRGER").await.status, 201);
    refused(&create(&fleet, "ärger").await, 409, "name_taken");
    for bad in ["", "   ", &"x".repeat(256), "a\u{7}b"] {
        refused(&create(&fleet, bad).await, 400, "invalid_name");
    }
    assert_eq!(create(&fleet, &"ü".repeat(255)).await.status, 201, "characters are counted, not bytes");
    for reserved in ["super_admin", " ADMIN ", "Field_Tech", "super admin", "FIELD TECH"] {
        refused(&create(&fleet, reserved).await, 400, "reserved_name");
    }
    // The database holds it, too, and the other organization does not matter.
    let sql = "INSERT INTO roles (organization_id, role_id, name, name_key)
        VALUES ('acme', 'role:x', 'x', 'night shift')";
    assert_eq!(crate::support::refused_by(&mut fleet.setup.connection, sql).await, "roles_name_key");
    // A role that came by SQL has its name as well.
    let sql = "INSERT INTO roles (organization_id, role_id, name) VALUES ('acme', 'role:y', ' By SQL ')";
    run(&mut fleet.setup.connection, sql).await;
    refused(&create(&fleet, "by sql").await, 409, "name_taken");
    // To keep one's own name is no clash.
    let id = fleet.make_role(&operator, "Mine", &[]).await;
    let kept = fleet.put(&format!("roles/{id}"), &operator, json!({"name": "MINE", "permissions": []})).await;
    assert_eq!((kept.status.as_u16(), &kept.json()["name"]), (200, &json!("MINE")));
    let taken =
        fleet.put(&format!("roles/{id}"), &operator, json!({"name": "Manager", "permissions": []})).await;
    refused(&taken, 409, "name_taken");
}

#[tokio::test]
async fn nobody_writes_a_role_with_what_they_do_not_hold() {
    let fleet = Fleet::new().await;
    let rolf = fleet.token("user:rolf");
    let create = async |bearer: &str, name: &str, permissions: Value| {
        fleet.post("roles", bearer, json!({"name": name, "permissions": permissions})).await
    };
    // PF-33
    assert_eq!(create(&rolf, "Readers", json!(["fleet:read", "miner:read"])).await.status, 201);
    let answer = create(&rolf, "More", json!(["fleet:read", "miner:read", "miner:reboot"])).await;
    let body = refused(&answer, 403, "cannot_grant");
    assert_eq!((&body["required"], &body["scope"]), (&json!("miner:reboot"), &json!({})));
    refused(&create(&rolf, "All", json!(["*"])).await, 403, "cannot_grant");
    // What is held at a site does not count.
    let rebooters = fleet
        .make_role(&fleet.operator, "Rebooters", &["fleet:read", "miner:read", "miner:reboot", "role:manage"])
        .await;
    fleet.assign(&fleet.operator, "user:rolf", &rebooters, json!({"type": "site", "id": "s1"})).await;
    refused(
        &create(&rolf, "More", json!(["fleet:read", "miner:read", "miner:reboot"])).await,
        403,
        "cannot_grant",
    );
    // Who does not manage roles is told exactly what it needs.
    for subject in ["user:ada", "user:tess", "user:none", "user:unlisted"] {
        let answer = create(&fleet.token(subject), "Mine", json!([])).await;
        let body = refused(&answer, 403, "forbidden");
        assert_eq!((&body["required"], &body["scope"]), (&json!("role:manage"), &json!({})), "{subject}");
        let members: BTreeSet<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
        let said = ["code", "detail", "required", "scope", "status", "title", "type"];
        assert_eq!(members, BTreeSet::from(said), "and nothing else");
    }
    // Super admins hold everything.
    assert_eq!(create(&fleet.token("user:root"), "Everything", json!(["*"])).await.status, 201);
}

#[tokio::test]
async fn a_change_of_a_role_gives_nobody_more_than_its_writer_holds() {
    let fleet = Fleet::new().await;
    let rolf = fleet.token("user:rolf");
    let readers = fleet.make_role(&rolf, "Readers", &["fleet:read"]).await;
    let path = format!("roles/{readers}");
    fleet.assign(&fleet.operator, "user:none", &readers, Value::Null).await;
    let more = json!({"name": "Readers", "permissions": ["fleet:read", "miner:read", "miner:reboot"]});
    refused(&fleet.put(&path, &rolf, more).await, 403, "cannot_grant");
    let some = json!({"name": "Readers", "permissions": ["fleet:read", "miner:read"]});
    assert_eq!(fleet.put(&path, &rolf, some.clone()).await.status, 200);
    // Rolf holds nothing at s2, where a narrower role replaces his: so nobody gets anything there by his hand.
    let empty = fleet.make_role(&fleet.operator, "No entry", &[]).await;
    let s2 = json!({"type": "site", "id": "s2"});
    fleet.assign(&fleet.operator, "user:rolf", &empty, s2.clone()).await;
    let one_more = json!({"name": "Readers", "permissions": ["fleet:read", "miner:read", "rack:read"]});
    let body = refused(&fleet.put(&path, &rolf, one_more).await, 403, "cannot_grant");
    assert_eq!((&body["required"], &body["scope"]), (&json!("rack:read"), &s2));
    // To take away is always possible.
    let fewer = json!({"name": "Readers", "permissions": ["fleet:read"]});
    assert_eq!(fleet.put(&path, &rolf, fewer).await.status, 200);
}

#[tokio::test]
async fn a_change_says_what_it_is_a_change_of() {
    let fleet = Fleet::new().await;
    let id = fleet.make_role(&fleet.operator, "Role", &["fleet:read"]).await;
    let path = format!("roles/{id}");
    let etag = fleet.get(&path, &fleet.operator).await.header("etag").to_owned();
    let body = json!({"name": "Role", "permissions": ["rack:read"]});
    let put = async |headers: &[(&str, &str)]| {
        fleet.send("PUT", &path, &fleet.operator, headers, body.clone()).await
    };
    refused(&put(&[]).await, 428, "precondition_required");
    refused(&put(&[("if-match", "\"0\"")]).await, 412, "precondition_failed");
    refused(&put(&[("if-match", &format!("W/{etag}"))]).await, 412, "precondition_failed");
    let changed = put(&[("if-match", &format!("\"0\", {etag}"))]).await;
    assert_eq!(changed.status, 200);
    assert_ne!(changed.header("etag"), etag);
    refused(&put(&[("if-match", &etag)]).await, 412, "precondition_failed");
    // What is as it should be is not written again.
    let revision = changed.header("postern-revision").to_owned();
    let again = put(&[("if-match", changed.header("etag"))]).await;
    assert_eq!((again.status.as_u16(), again.header("postern-revision")), (200, revision.as_str()));
    refused(
        &fleet.send("DELETE", &path, &fleet.operator, &[], Value::Null).await,
        428,
        "precondition_required",
    );
    refused(
        &fleet.send("DELETE", &path, &fleet.operator, &[("if-match", &etag)], Value::Null).await,
        412,
        "precondition_failed",
    );
    assert_eq!(fleet.delete(&path, &fleet.operator).await.status, 204);
    refused(&fleet.get(&path, &fleet.operator).await, 404, "item_not_found");
    refused(&fleet.put(&path, &fleet.operator, body.clone()).await, 404, "item_not_found");
}

#[tokio::test]
async fn a_role_that_is_held_is_not_deleted_but_can_be_exchanged() {
    let mut fleet = Fleet::new().await;
    let operator = fleet.operator.clone();
    let id = fleet.make_role(&operator, "Night", &["fleet:read"]).await;
    let path = format!("roles/{id}");
    for (subject, at) in [("user:none", Value::Null), ("user:tess", json!({"type": "site", "id": "s2"}))] {
        fleet.assign(&operator, subject, &id, at).await;
    }
    // PF-34
    assert_eq!(refused(&fleet.delete(&path, &operator).await, 409, "role_held")["holders"], 2);
    run(&mut fleet.setup.connection, "UPDATE subjects SET active = false WHERE subject_id = 'user:none'")
        .await;
    assert_eq!(refused(&fleet.delete(&path, &operator).await, 409, "role_held")["holders"], 1);
    // GR-44: their holders are given another one, at the same places.
    for bad in ["role:none", &id] {
        refused(&fleet.delete(&format!("{path}?reassign_to={bad}"), &operator).await, 400, "unknown_role");
    }
    let gone = fleet.delete(&format!("{path}?reassign_to={FIELD_TECH}"), &operator).await;
    assert_eq!(gone.status, 204);
    refused(&fleet.get(&path, &operator).await, 404, "item_not_found");
    let items = fleet.get("assignments?subject=user:tess", &operator).await.json();
    let held: BTreeSet<(String, String)> = items["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            (item["role"].as_str().unwrap().to_owned(), item["at"]["id"].as_str().unwrap().to_owned())
        })
        .collect();
    let place = |id: &str| (FIELD_TECH.to_owned(), id.to_owned());
    assert_eq!(held, BTreeSet::from([place("s1"), place("s2")]));
    // Only somebody who has ended holds it: it goes.
    let id = fleet.make_role(&operator, "Ghosts", &["fleet:read"]).await;
    fleet.assign(&operator, "user:none", &id, Value::Null).await;
    assert_eq!(fleet.delete(&format!("roles/{id}"), &operator).await.status, 204);
    assert_eq!(fleet.assignments("user:none").await.len(), 1, "and its assignments with it");
    // The other role may be one that the caller could not give.
    let rolf = fleet.token("user:rolf");
    let id = fleet.make_role(&rolf, "Lent", &["fleet:read"]).await;
    fleet.assign(&operator, "user:unlisted", &id, Value::Null).await;
    refused(&fleet.delete(&format!("roles/{id}?reassign_to={ADMIN}"), &rolf).await, 403, "cannot_grant");
    assert_eq!(fleet.delete(&format!("roles/{id}?reassign_to={FIELD_TECH}"), &rolf).await.status, 204);
}

#[tokio::test]
async fn who_manages_whom() {
    let fleet = Fleet::new().await;
    let [root, ada, rolf, tess] =
        ["user:root", "user:ada", "user:rolf", "user:tess"].map(|subject| fleet.token(subject));
    let s2 = json!({"type": "site", "id": "s2"});
    // PF-40: an admin manages technicians, but no admin, and nobody above.
    assert_eq!(fleet.assign(&ada, "user:tess", FIELD_TECH, s2.clone()).await.status, 201);
    refused(&fleet.assign(&ada, "user:abe", FIELD_TECH, s2.clone()).await, 403, "holds_more");
    refused(&fleet.assign(&ada, "user:root", FIELD_TECH, s2.clone()).await, 403, "holds_more");
    refused(&fleet.assign(&ada, "user:ada", FIELD_TECH, s2.clone()).await, 403, "holds_more");
    // PF-41: a new role is one that the caller could hold.
    refused(&fleet.assign(&ada, "user:none", SUPER_ADMIN, Value::Null).await, 403, "cannot_grant");
    assert_eq!(fleet.assign(&ada, "user:none", ADMIN, Value::Null).await.status, 201, "as much as oneself");
    // Super admins manage each other.
    assert_eq!(fleet.assign(&root, "user:root2", ADMIN, Value::Null).await.status, 201);
    // PF-43: a role that was loaded before.
    let loaded = fleet.make_role(&root, "Loaded", &["user:manage", "user:read", "role:manage"]).await;
    let body = refused(&fleet.assign(&rolf, "user:rolf", &loaded, Value::Null).await, 403, "cannot_grant");
    assert_eq!(body["required"], "user:manage");
    refused(&fleet.assign(&rolf, "user:unlisted", &loaded, Value::Null).await, 403, "cannot_grant");
    // Who manages roles manages those who hold no more.
    assert_eq!(fleet.assign(&rolf, "user:unlisted", FIELD_TECH, Value::Null).await.status, 201);
    refused(&fleet.assign(&rolf, "user:ada", FIELD_TECH, Value::Null).await, 403, "holds_more");
    // Who manages nobody.
    let body = refused(&fleet.assign(&tess, "user:none", FIELD_TECH, s2.clone()).await, 403, "forbidden");
    assert_eq!((&body["required"], &body["scope"]), (&json!("role:manage"), &s2));
    // To take away is to manage, too.
    let of_root = fleet.assignments("user:root").await;
    refused(&fleet.delete(&format!("assignments/{}", of_root[0]), &ada).await, 403, "holds_more");
}

#[tokio::test]
async fn managing_at_a_site_ends_there() {
    let fleet = Fleet::new().await;
    let keeper = fleet
        .make_role(&fleet.operator, "Keeper", &["fleet:read", "miner:read", "rack:read", "role:manage"])
        .await;
    let (s1, s2) = (json!({"type": "site", "id": "s1"}), json!({"type": "site", "id": "s2"}));
    fleet.assign(&fleet.operator, "user:none", &keeper, s1.clone()).await;
    let none = fleet.token("user:none");
    assert_eq!(fleet.assign(&none, "user:new", FIELD_TECH, s1.clone()).await.status, 201);
    let m1 = json!({"type": "miner", "id": "m1"});
    assert_eq!(fleet.assign(&none, "user:new", FIELD_TECH, m1).await.status, 201, "what lies below");
    for (at, scope) in [(s2.clone(), s2), (Value::Null, json!({}))] {
        let body = refused(&fleet.assign(&none, "user:new", FIELD_TECH, at).await, 403, "forbidden");
        assert_eq!(body["scope"], scope);
    }
    refused(&fleet.assign(&none, "user:new", ADMIN, s1.clone()).await, 403, "cannot_grant");
    refused(&fleet.post("roles", &none, json!({"name": "R", "permissions": []})).await, 403, "forbidden");
    // A super admin may do more there.
    refused(&fleet.assign(&none, "user:root", FIELD_TECH, s1).await, 403, "holds_more");
}

/// To take a narrow role away can give a wide one back.
#[tokio::test]
async fn taking_away_gives_nobody_more_than_the_caller_holds() {
    let fleet = Fleet::new().await;
    let (operator, rolf) = (fleet.operator.clone(), fleet.token("user:rolf"));
    let empty = fleet.make_role(&operator, "No entry", &[]).await;
    let s1 = json!({"type": "site", "id": "s1"});
    // Both are narrowed away from s1; Nona is a technician everywhere else.
    fleet.assign(&operator, "user:nona", FIELD_TECH, Value::Null).await;
    let narrow = fleet.assign(&operator, "user:nona", &empty, s1.clone()).await.json();
    fleet.assign(&operator, "user:rolf", &empty, s1.clone()).await;
    let path = format!("assignments/{}", narrow["id"].as_str().unwrap());
    refused(&fleet.delete(&path, &rolf).await, 403, "forbidden");
    // Now Rolf manages roles at s1, and still may do nothing else there.
    let only = fleet.make_role(&operator, "Only roles", &["role:manage"]).await;
    fleet.assign(&operator, "user:rolf", &only, s1.clone()).await;
    let body = refused(&fleet.delete(&path, &rolf).await, 403, "cannot_grant");
    assert_eq!((&body["required"], &body["scope"]), (&json!("fleet:read"), &s1));
    assert_eq!(fleet.delete(&path, &operator).await.status, 204);

    // The same over a group.
    let crew =
        fleet.post("memberships", &operator, json!({"subject": "user:nona", "group": "group:crew"})).await;
    fleet.assign(&operator, "group:crew", &empty, s1.clone()).await;
    let of_crew = fleet.assignments("group:crew").await;
    refused(&fleet.delete(&format!("assignments/{}", of_crew[0]), &rolf).await, 403, "cannot_grant");
    let membership = format!("memberships/{}", crew.json()["id"].as_str().unwrap());
    refused(&fleet.delete(&membership, &rolf).await, 403, "cannot_grant");
    assert_eq!(fleet.delete(&membership, &fleet.token("user:root")).await.status, 204);
}

#[tokio::test]
async fn groups_and_everybody_are_given_no_more_than_one_holds() {
    let fleet = Fleet::new().await;
    let (operator, rolf) = (fleet.operator.clone(), fleet.token("user:rolf"));
    fleet.assign(&operator, "group:crew", ADMIN, Value::Null).await;
    let join = async |bearer: &str, subject: &str| {
        fleet.post("memberships", bearer, json!({"subject": subject, "group": "group:crew"})).await
    };
    refused(&join(&rolf, "user:rolf").await, 403, "cannot_grant");
    refused(&join(&rolf, "user:none").await, 403, "cannot_grant");
    assert_eq!(join(&operator, "user:none").await.status, 201);
    refused(&fleet.assign(&rolf, "user:all", FIELD_TECH, Value::Null).await, 403, "gives_to_everybody");
    assert_eq!(fleet.assign(&operator, "user:all", FIELD_TECH, Value::Null).await.status, 201);
    // An attribute that a grant looks at is a gift as well.
    let sql = "INSERT INTO grants (organization_id, grant_id, subject_id, require) VALUES ('acme',
            '00000000-0000-0000-0000-000000000001', 'user:all', '{\"subject.trusted\": \"yes\"}');
        INSERT INTO grant_permissions (organization_id, grant_id, permission)
            VALUES ('acme', '00000000-0000-0000-0000-000000000001', 'miner:reboot')";
    let mut fleet = fleet;
    run(&mut fleet.setup.connection, sql).await;
    let trusted = json!({"id": "user:new", "attributes": {"trusted": "yes"}});
    let body = refused(&fleet.post("subjects", &rolf, trusted.clone()).await, 403, "cannot_grant");
    assert_eq!(body["required"], "miner:reboot");
    assert_eq!(fleet.post("subjects", &operator, trusted).await.status, 201);
}

#[tokio::test]
async fn assignments_name_what_is_there() {
    let mut fleet = Fleet::new().await;
    let operator = fleet.operator.clone();
    let s1 = json!({"type": "site", "id": "s1"});
    refused(
        &fleet.assign(&operator, "user:none", "role:organization:nothing", s1.clone()).await,
        400,
        "unknown_role",
    );
    for at in [
        json!({"type": "site", "id": "s9"}),
        json!({"type": "house", "id": "s1"}),
        json!({"type": "site", "id": "*"}),
    ] {
        refused(&fleet.assign(&operator, "user:none", FIELD_TECH, at).await, 400, "unknown_scope");
    }
    refused(&fleet.assign(&operator, "group:nobody", FIELD_TECH, s1.clone()).await, 400, "unknown_group");
    for bad in ["none", "user:", "user:*", "role:x", ":x", ""] {
        refused(&fleet.assign(&operator, bad, FIELD_TECH, s1.clone()).await, 400, "invalid_request");
    }
    for body in [
        json!({"subject": "user:none", "role": FIELD_TECH}),
        json!({"subject": "user:none", "role": FIELD_TECH, "at": null, "expires": "2030-01-01T00:00:00Z"}),
        json!({"subject": "user:none", "role": FIELD_TECH, "at": null, "expires_at": "tomorrow"}),
        json!({"subject": "user:none", "role": FIELD_TECH, "at": "s1"}),
        json!({"subject": "user:none", "role": FIELD_TECH, "at": null, "not_before": "2031-01-01T00:00:00Z",
            "expires_at": "2030-01-01T00:00:00Z"}),
        json!([]),
        json!("x"),
    ] {
        refused(&fleet.post("assignments", &operator, body).await, 400, "invalid_request");
    }
    // PF-35: another organization's role is as unknown as any.
    let other = postern_world::World { organization: "other".to_owned(), ..world(FACTS) };
    postern_gateway::store::import::import(&mut fleet.setup.connection, &other, false).await.unwrap();
    run(
        &mut fleet.setup.connection,
        "INSERT INTO roles (organization_id, role_id, name) VALUES ('other', 'role:theirs', 'Theirs')",
    )
    .await;
    refused(&fleet.assign(&operator, "user:none", "role:theirs", Value::Null).await, 400, "unknown_role");
    refused(&fleet.get("roles/role:theirs", &operator).await, 404, "item_not_found");

    let bounded = json!({"subject": "user:none", "role": FIELD_TECH, "at": s1, "not_before": "2026-01-01T01:00:00+01:00",
        "expires_at": "2030-01-01T00:00:00.25Z"});
    let made = fleet.post("assignments", &operator, bounded.clone()).await;
    assert_eq!(made.status, 201);
    assert_eq!(made.json()["not_before"], "2026-01-01T00:00:00.000000Z");
    assert_eq!(made.json()["expires_at"], "2030-01-01T00:00:00.250000Z");
    // BA-46: the same once more is no error, and writes nothing.
    let again = fleet.post("assignments", &operator, bounded).await;
    assert_eq!((again.status.as_u16(), again.json()), (200, made.json()));
    assert_eq!(again.header("postern-revision"), made.header("postern-revision"));
    let path = format!("assignments/{}", made.json()["id"].as_str().unwrap());
    assert_eq!(fleet.delete(&path, &operator).await.status, 204);
    refused(&fleet.delete(&path, &operator).await, 404, "item_not_found");
    refused(&fleet.delete("assignments/x", &operator).await, 404, "item_not_found");
}
