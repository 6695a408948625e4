//! Former ids of roles: for as long as one is known, whatever names it means the role.

use crate::management_resources::refused;
use crate::secrets::{Desk, FACTS};
use crate::support::{refused_by, revision, run, world};
use postern_gateway::store::import::import;
use serde_json::{Value, json};

impl Desk {
    async fn may_read_notes(&mut self, subject: &str) -> bool {
        let question = json!({"subject": subject, "permission": "note:read", "resource": null});
        self.call("", "POST", "explain", question).await.json()["decision"] == "allow"
    }

    async fn grants_of(&mut self, role: &str) -> Vec<Value> {
        let list = self.call("", "GET", &format!("grants?subject={role}"), Value::Null).await.json();
        list["items"].as_array().unwrap().clone()
    }
}

/// GR-1: a grant under the slug of a role, and an assignment of the role: while both names are in use they are one role;
/// after the cut-over the slug is nobody.
#[tokio::test]
async fn gr_1_one_role_under_two_names() {
    let mut desk = Desk::new().await;
    let role = desk.call("", "POST", "roles", json!({"name": "Editors", "permissions": []})).await.json();
    let role = role["id"].as_str().unwrap().to_owned();
    let grant =
        json!({"subject": "role:editors", "effect": "allow", "permissions": ["note:read"], "at": null});
    refused(&desk.call("", "POST", "grants", grant.clone()).await, 400, "unknown_role");
    let alias = json!({"id": "role:editors", "role": role});
    let before = revision(&mut desk.setup.connection, "acme").await;
    let made = desk.call("", "POST", "role-aliases", alias.clone()).await;
    assert_eq!((made.status.as_u16(), made.json()), (201, alias.clone()));
    assert_eq!(desk.call("", "POST", "role-aliases", alias.clone()).await.status, 200);
    assert_eq!(revision(&mut desk.setup.connection, "acme").await, before, "a name is no fact");
    // The grant under the old name, the assignment under either: both eras' writers mean the same.
    assert_eq!(desk.call("", "POST", "grants", grant.clone()).await.status, 201);
    let given = json!({"subject": "user:x", "role": role, "at": null});
    assert_eq!(desk.call("", "POST", "assignments", given).await.status, 201);
    let given = json!({"subject": "user:y", "role": "role:editors", "at": null});
    assert_eq!(desk.call("", "POST", "assignments", given).await.json()["role"], role);
    for who in ["user:x", "user:y"] {
        assert!(desk.may_read_notes(who).await, "{who}");
    }
    // Written once, found under either, and by whatever path.
    let canonical = json!({"subject": role, "effect": "allow", "permissions": ["note:read"], "at": null});
    assert_eq!(desk.call("", "POST", "grants", canonical).await.status, 200, "it is there");
    let sql = "INSERT INTO grants (organization_id, grant_id, subject_id)
            VALUES ('acme', '00000000-0000-0000-0000-000000000001', 'role:editors');
        INSERT INTO grant_permissions VALUES ('acme', '00000000-0000-0000-0000-000000000001', 'session:view')";
    run(&mut desk.setup.connection, sql).await;
    let all = desk.grants_of("role:editors").await;
    assert_eq!((all.len(), &all), (2, &desk.grants_of(&role).await));
    assert!(all.iter().all(|grant| grant["subject"] == role.as_str()));
    let read = desk.call("", "GET", "roles/role:editors", Value::Null).await;
    assert_eq!(read.json()["id"], role);
    // An id is one role's, or a former one.
    let other = json!({"id": "role:editors", "role": "role:maker"});
    refused(&desk.call("", "POST", "role-aliases", other).await, 409, "id_taken");
    let taken = json!({"id": "role:maker", "role": role});
    refused(&desk.call("", "POST", "role-aliases", taken).await, 409, "id_taken");
    let sql = "INSERT INTO roles (organization_id, role_id, name) VALUES ('acme', 'role:editors', 'E')";
    assert_eq!(refused_by(&mut desk.setup.connection, sql).await, "role_aliases_key");
    for id in ["role:", "role:a:b", "role:*", "editors", "user:editors"] {
        let body = json!({"id": id, "role": role});
        refused(&desk.call("", "POST", "role-aliases", body).await, 400, "invalid_request");
    }
    let nobody = json!({"id": "role:none", "role": "role:none"});
    refused(&desk.call("", "POST", "role-aliases", nobody).await, 400, "unknown_role");
    refused(&desk.call("user:x", "POST", "role-aliases", alias.clone()).await, 403, "forbidden");
    // The cut-over: what was given stays the role's, and the slug names nothing.
    let path = "role-aliases/role:editors";
    assert_eq!(desk.call("", "DELETE", path, Value::Null).await.status, 204);
    refused(&desk.call("", "DELETE", path, Value::Null).await, 404, "item_not_found");
    assert!(desk.may_read_notes("user:x").await);
    refused(&desk.call("", "POST", "grants", grant).await, 400, "unknown_role");
    assert!(desk.grants_of("role:editors").await.is_empty());
    // With the role goes what was given under either name.
    assert_eq!(desk.call("", "POST", "role-aliases", alias).await.status, 201);
    let gone = desk.call("", "DELETE", &format!("roles/{role}?reassign_to=role:viewer"), Value::Null).await;
    assert_eq!(gone.status, 204, "{gone:?}");
    assert!(!desk.may_read_notes("user:x").await);
    let list = desk.call("", "GET", "role-aliases", Value::Null).await.json();
    assert_eq!(list["items"], json!([]));
}

/// A world that is exchanged leaves the names of the roles that it still has.
#[tokio::test]
async fn a_former_id_survives_an_import() {
    let mut desk = Desk::new().await;
    for (id, role) in [("role:old", "role:maker"), ("role:older", "role:hooks")] {
        assert_eq!(desk.call("", "POST", "role-aliases", json!({"id": id, "role": role})).await.status, 201);
    }
    let facts = FACTS.replace("role:viewer\"", "role:older\"").replace("\"Viewer\"", "\"Older\"");
    import(&mut desk.setup.connection, &world(&facts), true).await.unwrap();
    let list = desk.call("", "GET", "role-aliases", Value::Null).await.json();
    assert_eq!(list["items"], json!([{"id": "role:old", "role": "role:maker"}]));
}
