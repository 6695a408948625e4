//! SCIM: what directories send, as they send it, becomes subjects, aliases and memberships, and nothing else does.

use crate::secrets::{Desk, FACTS};
use crate::support::{Answer, api_key, call, full_world, revision, run, world, writing_key};
use postern_gateway::store::import::import;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// A directory that writes with the operator's key.
pub struct Directory {
    pub desk: Desk,
}

impl Directory {
    pub async fn new() -> Directory {
        Directory { desk: Desk::new().await }
    }

    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Value) -> Answer {
        self.send_as(&self.desk.operator, method, path, headers, body).await
    }

    pub async fn send_as(
        &self,
        bearer: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Answer {
        let bearer = format!("Bearer {bearer}");
        let mut all = vec![("authorization", bearer.as_str()), ("content-type", "application/scim+json")];
        all.extend_from_slice(headers);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        call(self.desk.setup.address(), method, &format!("/scim/v2/acme/{path}"), &all, &body).await
    }

    pub async fn get(&self, path: &str) -> Value {
        let answer = self.send("GET", path, &[], Value::Null).await;
        assert_eq!(answer.status, 200, "{path} {answer:?}");
        assert_eq!(answer.header("content-type"), "application/scim+json");
        answer.json()
    }

    async fn made(&self, path: &str, body: Value) -> Value {
        let answer = self.send("POST", path, &[], body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let made = answer.json();
        assert_eq!(answer.header("location"), made["meta"]["location"]);
        assert_eq!(answer.header("etag"), made["meta"]["version"]);
        made
    }

    async fn patch(&self, path: &str, operations: Value) -> Answer {
        self.send("PATCH", path, &[], json!({"schemas": [PATCH], "Operations": operations})).await
    }

    async fn patched(&self, path: &str, operations: Value) -> Value {
        let answer = self.patch(path, operations).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// Ids of a list.
    async fn found(&self, path: &str) -> Vec<String> {
        let list = self.get(path).await;
        let all = list["Resources"].as_array().unwrap();
        assert_eq!(list["itemsPerPage"], all.len());
        all.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    }

    /// Decisions of the newest facts.
    pub async fn may(&mut self, subject: &str, permission: &str) -> bool {
        let question = json!({"subject": subject, "permission": permission, "resource": null});
        let answer = self.desk.call("", "POST", "explain", question).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["decision"] == "allow"
    }
}

fn refused(answer: &Answer, status: u16, kind: Option<&str>) -> String {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/scim+json");
    let body = answer.json();
    assert_eq!((&body["schemas"], &body["status"]), (&json!([ERROR]), &json!(status.to_string())), "{body}");
    assert_eq!(body["scimType"].as_str(), kind, "{body}");
    body["detail"].as_str().unwrap().to_owned()
}

/// The life of a user, as Okta and Entra ID write it.
#[tokio::test]
async fn a_user_comes_changes_and_goes() {
    let mut directory = Directory::new().await;
    assert!(directory.found("Users?filter=userName%20eq%20%22eve%40acme.example%22").await.is_empty());
    let made = directory
        .made(
            "Users",
            json!({"schemas": [USER], "userName": "Eve@acme.example", "externalId": "00u1", "active": true,
                "name": {"givenName": "Eve", "familyName": "E"}, "displayName": "Eve E", "password": "hunter2",
                "emails": [{"type": "work", "value": "eve@acme.example", "primary": true}], "groups": [{"value": "x"}],
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Ops"}}),
        )
        .await;
    let id = made["id"].as_str().unwrap().to_owned();
    let wanted = json!({"schemas": [USER, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"], "id": id,
        "userName": "Eve@acme.example", "externalId": "00u1", "active": true, "displayName": "Eve E",
        "name": {"givenName": "Eve", "familyName": "E"},
        "emails": [{"type": "work", "value": "eve@acme.example", "primary": true}],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Ops"}, "meta": made["meta"]});
    assert_eq!(made, wanted);
    assert_eq!(made["meta"]["resourceType"], "User");
    let path = format!("Users/{id}");
    assert_eq!(directory.get(&path).await, made);
    // She asks under her id, her name, or the directory's own id for her.
    let subject = format!("user:{id}");
    let grant = json!({"subject": subject, "effect": "allow", "permissions": ["note:read"], "at": null});
    assert_eq!(directory.desk.call("", "POST", "grants", grant).await.status, 201);
    for subject in [&subject, "user:Eve@acme.example", "user:00u1"] {
        assert!(directory.may(subject, "note:read").await, "{subject}");
    }
    // Found by name whatever its case, and by what the directory calls her.
    for filter in [
        "userName eq \"EVE@acme.EXAMPLE\"",
        "externalId eq \"00u1\"",
        "externalId eq \"00u1\" and active eq true",
        &format!("id eq \"{id}\""),
    ] {
        let query = percent_encoding::utf8_percent_encode(filter, percent_encoding::NON_ALPHANUMERIC);
        assert_eq!(directory.found(&format!("Users?filter={query}")).await, [id.as_str()], "{filter}");
    }
    assert!(
        directory
            .found("Users?filter=externalId%20eq%20%2200u1%22%20and%20active%20eq%20false")
            .await
            .is_empty()
    );
    // Nobody else is called so.
    for body in [json!({"userName": "EVE@acme.example"}), json!({"userName": "other", "externalId": "00u1"})]
    {
        refused(&directory.send("POST", "Users", &[], body).await, 409, Some("uniqueness"));
    }
    // Entra's ways: operations in capitals, and a text for no.
    let operations = json!([{"op": "Replace", "path": "active", "value": "False"},
        {"op": "Add", "path": "emails[type eq \"work\"].value", "value": "e@acme.example"},
        {"op": "Replace", "value": {"name.givenName": "Evi", "displayName": "Evi E"}}]);
    let now = directory.patched(&path, operations).await;
    assert_eq!((&now["active"], &now["name"]["givenName"]), (&json!(false), &json!("Evi")));
    assert_eq!(
        (&now["displayName"], &now["emails"][0]["value"]),
        (&json!("Evi E"), &json!("e@acme.example"))
    );
    assert!(!directory.may(&subject, "note:read").await, "who is not active may do nothing");
    // Okta's: no path.
    let operations = json!([{"op": "replace", "value": {"active": true, "id": id}}]);
    assert_eq!(directory.patched(&path, operations).await["active"], true);
    assert!(directory.may(&subject, "note:read").await);
    // The whole of her, under another name: the one before is not hers any more.
    let put = json!({"schemas": [USER], "id": id, "userName": "evi@acme.example", "externalId": "00u1"});
    let answer = directory.send("PUT", &path, &[], put).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["displayName"], Value::Null);
    assert!(directory.may("user:evi@acme.example", "note:read").await);
    assert!(!directory.may("user:Eve@acme.example", "note:read").await);
    // What changes nothing raises nothing.
    let before = revision(&mut directory.desk.setup.connection, "acme").await;
    directory.patched(&path, json!([{"op": "replace", "path": "active", "value": true}])).await;
    directory.patched(&path, json!([{"op": "replace", "path": "title", "value": "Dr"}])).await;
    assert_eq!(revision(&mut directory.desk.setup.connection, "acme").await, before);
    assert_eq!(directory.send("DELETE", &path, &[], Value::Null).await.status, 204);
    for method in ["GET", "DELETE"] {
        refused(&directory.send(method, &path, &[], Value::Null).await, 404, None);
    }
    assert!(!directory.may("user:evi@acme.example", "note:read").await);
    // All of it is in the audit, with what the directory says, and without what is never kept.
    let audit = directory.desk.call("", "GET", &format!("audit?target={subject}"), Value::Null).await;
    let text = String::from_utf8(audit.body.to_vec()).unwrap();
    assert!(!text.contains("hunter2") && text.contains("\"Ops\""));
    let told: Vec<Value> =
        audit.json()["items"].as_array().unwrap().iter().map(|event| event["operation"].clone()).collect();
    assert_eq!(
        told,
        [
            "subject.delete",
            "subject.update",
            "subject.update",
            "subject.update",
            "subject.update",
            "subject.create"
        ]
    );
}

/// Groups and who belongs to them; roles are given to groups, and so to whoever comes in.
#[tokio::test]
async fn who_belongs_to_a_group_holds_what_it_holds() {
    let mut directory = Directory::new().await;
    let made = directory
        .made(
            "Groups",
            json!({"displayName": "Night shift", "externalId": "g1", "members": [{"value": "x"}]}),
        )
        .await;
    let id = made["id"].as_str().unwrap().to_owned();
    let member = json!([{"value": "x", "display": "x", "type": "User", "$ref": made["members"][0]["$ref"]}]);
    assert_eq!(made["members"], member);
    let path = format!("Groups/{id}");
    let subject = format!("group:{id}");
    let grant = json!({"subject": subject, "effect": "allow", "permissions": ["note:read"], "at": null});
    assert_eq!(directory.desk.call("", "POST", "grants", grant).await.status, 201);
    assert!(directory.may("user:x", "note:read").await && !directory.may("user:y", "note:read").await);
    assert_eq!(directory.get("Users/x").await["groups"][1]["display"], "s1");
    let named: BTreeSet<String> = directory.get("Users/x").await["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| group["display"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(named, BTreeSet::from(["Night shift".to_owned(), "s1".to_owned()]));
    let members = |group: &Value| -> Vec<String> {
        group["members"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["value"].as_str().unwrap().to_owned())
            .collect()
    };
    for (operations, wanted) in [
        (
            json!([{"op": "add", "path": "members", "value": [{"value": "y"}, {"value": "x"}]}]),
            &["x", "y"][..],
        ),
        (json!([{"op": "Add", "value": {"members": [{"value": "z"}]}}]), &["x", "y", "z"]),
        (json!([{"op": "remove", "path": "members[value eq \"x\"]"}]), &["y", "z"]),
        (json!([{"op": "Remove", "path": "members", "value": [{"value": "z"}, {"value": "gone"}]}]), &["y"]),
        (
            json!([{"op": "replace", "path": "members", "value": [{"value": "t1"}, {"value": "x"}]}]),
            &["t1", "x"],
        ),
        (json!([{"op": "replace", "path": "displayName", "value": "Nights"}]), &["t1", "x"]),
        (json!([{"op": "remove", "path": "members"}]), &[]),
        (
            json!([{"op": "add", "path": "members", "value": {"value": "x"}}, {"op": "replace", "value": {"externalId": "g2"}}]),
            &["x"],
        ),
    ] {
        assert_eq!(members(&directory.patched(&path, operations.clone()).await), wanted, "{operations}");
    }
    let now = directory.get(&path).await;
    assert_eq!((&now["displayName"], &now["externalId"]), (&json!("Nights"), &json!("g2")));
    assert_eq!(directory.get(&format!("{path}?excludedAttributes=members")).await["members"], Value::Null);
    for (filter, wanted) in [
        ("displayName eq \"Nights\"", vec![id.clone()]),
        ("displayName eq \"t1\"", vec!["t1".to_owned()]),
        ("externalId eq \"g2\"", vec![id.clone()]),
        ("members.value eq \"x\"", vec![id.clone(), "s1".to_owned()]),
        ("members eq \"x\" and displayName eq \"Nights\"", vec![id.clone()]),
    ] {
        let query = percent_encoding::utf8_percent_encode(filter, percent_encoding::NON_ALPHANUMERIC);
        assert_eq!(directory.found(&format!("Groups?filter={query}")).await, wanted, "{filter}");
    }
    // All at once, and nobody who is not there.
    let body = json!({"displayName": "Nights", "members": [{"value": "y"}]});
    assert_eq!(members(&directory.send("PUT", &path, &[], body).await.json()), ["y"]);
    let unknown = json!([{"op": "add", "path": "members", "value": [{"value": "z"}, {"value": "none"}]}]);
    let detail = refused(&directory.patch(&path, unknown).await, 400, Some("invalidValue"));
    assert!(detail.contains("`none`"));
    assert_eq!(members(&directory.get(&path).await), ["y"], "all of a change, or nothing");
    assert!(directory.may("user:y", "note:read").await);
    assert_eq!(directory.send("DELETE", &path, &[], Value::Null).await.status, 204);
    assert!(!directory.may("user:y", "note:read").await);
    let audit = directory.desk.call("", "GET", "audit?limit=1000", Value::Null).await.json();
    let of = |operation: &str| {
        audit["items"].as_array().unwrap().iter().filter(|event| event["operation"] == operation).count()
    };
    assert_eq!((of("membership.create"), of("membership.delete")), (7, 6));
}

/// GR-47, decided otherwise: a directory says how things are to be, and may say it again; what is older than what is there
/// is refused by its tag.
#[tokio::test]
async fn gr_47_what_is_said_twice_is_done_once_and_what_is_older_is_refused() {
    let mut directory = Directory::new().await;
    let made = directory.made("Users", json!({"userName": "eve"})).await;
    let path = format!("Users/{}", made["id"].as_str().unwrap());
    let old = made["meta"]["version"].as_str().unwrap().to_owned();
    let off = json!([{"op": "replace", "path": "active", "value": false}]);
    let now = directory.patched(&path, off.clone()).await;
    let before = revision(&mut directory.desk.setup.connection, "acme").await;
    assert_eq!(directory.patched(&path, off).await, now);
    assert_eq!(revision(&mut directory.desk.setup.connection, "acme").await, before);
    let late = json!({"userName": "eve", "active": true});
    for method in ["PUT", "DELETE"] {
        let answer = directory.send(method, &path, &[("if-match", &old)], late.clone()).await;
        refused(&answer, 412, None);
    }
    let version = now["meta"]["version"].as_str().unwrap().to_owned();
    assert_eq!(directory.send("PUT", &path, &[("if-match", &version)], late).await.status, 200);
    // Of a group, its members are a part of what is there.
    let group = directory.made("Groups", json!({"displayName": "G"})).await;
    let path = format!("Groups/{}", group["id"].as_str().unwrap());
    let old = group["meta"]["version"].as_str().unwrap().to_owned();
    let add = json!([{"op": "add", "path": "members", "value": [{"value": "x"}]}]);
    let now = directory.patched(&path, add).await;
    let body = json!({"displayName": "G", "members": []});
    refused(&directory.send("PUT", &path, &[("if-match", &old)], body.clone()).await, 412, None);
    let version = now["meta"]["version"].as_str().unwrap().to_owned();
    assert_eq!(directory.send("PUT", &path, &[("if-match", &version)], body).await.status, 200);
}

/// Subjects that nobody's directory made are seen, and become the directory's when it writes them.
#[tokio::test]
async fn who_is_there_already_is_found_and_taken_over() {
    let mut directory = Directory::new().await;
    let list = directory.get("Users").await;
    assert_eq!((&list["totalResults"], &list["startIndex"]), (&json!(7), &json!(1)));
    assert_eq!(directory.found("Users?startIndex=2&count=3").await, ["bob", "off", "root"]);
    assert_eq!(directory.found("Users?startIndex=8").await, Vec::<String>::new());
    assert_eq!(directory.found("Users?count=0").await, Vec::<String>::new());
    assert_eq!(directory.found("Users?filter=active%20eq%20false").await, ["off"]);
    assert_eq!(directory.found("Groups").await, ["s1", "t1", "t2"]);
    for name in ["ann@acme.example", "bob"] {
        let found = directory.get(&format!("Users?filter=userName%20eq%20%22{name}%22")).await;
        assert_eq!(found["Resources"][0]["userName"], name);
    }
    let own = directory.get("Users/ann?attributes=userName").await;
    assert_eq!(own, json!({"schemas": [USER], "id": "ann", "userName": "ann@acme.example"}));
    // Its other aliases, its attributes and its end stay.
    let sql = "UPDATE subjects SET attributes = '{\"team\": \"a\"}', expires_at = '2990-01-01' WHERE subject_id = 'user:ann'";
    run(&mut directory.desk.setup.connection, sql).await;
    let taken = json!([{"op": "replace", "value": {"externalId": "00a", "userName": "ann@new.example"}}]);
    directory.patched("Users/ann", taken).await;
    let ann = directory.desk.call("", "GET", "subjects/user:ann", Value::Null).await.json();
    let wanted = json!({"id": "user:ann", "aliases": ["00a", "ann@acme.example", "ann@new.example"],
        "attributes": {"team": "a"}, "active": true, "not_before": null, "expires_at": "2990-01-01T00:00:00.000000Z"});
    assert_eq!(ann, wanted);
    // What was said of it survives an import.
    let all = world(FACTS);
    import(&mut directory.desk.setup.connection, &all, true).await.unwrap();
    let ann = directory.get("Users/ann").await;
    assert_eq!((&ann["userName"], &ann["externalId"]), (&json!("ann@new.example"), &json!("00a")));
}

/// Who may, what is no request, and what the last super admin is protected from.
#[tokio::test]
async fn what_is_refused_is_refused_as_the_standard_says() {
    let mut directory = Directory::new().await;
    import(&mut directory.desk.setup.connection, &full_world("other"), false).await.unwrap();
    let foreign = writing_key(&mut directory.desk.setup.connection, "other", None).await;
    let reader = api_key(&mut directory.desk.setup.connection, "acme").await;
    let personal = writing_key(&mut directory.desk.setup.connection, "acme", Some("user:root")).await;
    let body = json!({"userName": "eve"});
    let patch = json!({"schemas": [PATCH], "Operations": []});
    for (method, path, body) in [
        ("GET", "Users", &Value::Null),
        ("POST", "Users", &body),
        ("GET", "Users/ann", &Value::Null),
        ("PUT", "Users/ann", &body),
        ("PATCH", "Users/ann", &patch),
        ("DELETE", "Users/ann", &Value::Null),
        ("GET", "Groups", &Value::Null),
        ("POST", "Groups", &json!({"displayName": "G"})),
        ("GET", "Groups/s1", &Value::Null),
        ("PUT", "Groups/s1", &json!({"displayName": "G"})),
        ("PATCH", "Groups/s1", &patch),
        ("DELETE", "Groups/s1", &Value::Null),
        ("GET", "ServiceProviderConfig", &Value::Null),
        ("GET", "Schemas", &Value::Null),
        ("GET", "ResourceTypes/User", &Value::Null),
    ] {
        let none =
            call(directory.desk.setup.address(), method, &format!("/scim/v2/acme/{path}"), &[], "").await;
        refused(&none, 401, None);
        assert!(none.header("www-authenticate").starts_with("Bearer"));
        refused(&directory.send_as("postern_key_no", method, path, &[], body.clone()).await, 401, None);
        refused(&directory.send_as(&foreign, method, path, &[], body.clone()).await, 403, None);
        refused(&directory.send_as(&personal, method, path, &[], body.clone()).await, 403, None);
        let token = directory.desk.setup.token("user:root", 60);
        refused(&directory.send_as(&token, method, path, &[], body.clone()).await, 403, None);
        let read = directory.send_as(&reader, method, path, &[], body.clone()).await;
        match method {
            "GET" => assert_eq!(read.status, 200, "{path}"),
            _ => drop(refused(&read, 403, None)),
        }
    }
    let none = json!({"userName": ""});
    for (method, path, body, status, kind) in [
        ("POST", "Users", json!({}), 400, Some("invalidValue")),
        ("POST", "Users", none, 400, Some("invalidValue")),
        ("POST", "Users", json!({"userName": "all"}), 400, Some("invalidValue")),
        ("POST", "Users", json!({"userName": 7}), 400, Some("invalidValue")),
        ("POST", "Users", json!({"userName": "e", "active": "perhaps"}), 400, Some("invalidValue")),
        ("POST", "Users", json!({"userName": "e", "title": "\u{0}"}), 400, Some("invalidValue")),
        ("POST", "Users", json!({"userName": "e", "title": "x".repeat(70_000)}), 400, Some("invalidValue")),
        ("POST", "Users", json!(["e"]), 400, Some("invalidSyntax")),
        ("POST", "Groups", json!({}), 400, Some("invalidValue")),
        ("POST", "Groups", json!({"displayName": "G", "members": 7}), 400, Some("invalidValue")),
        ("PUT", "Users/none", json!({"userName": "e"}), 404, None),
        ("PATCH", "Users/ann", json!({}), 400, Some("invalidSyntax")),
        (
            "PATCH",
            "Users/ann",
            json!({"schemas": [PATCH], "Operations": [{"op": "remove", "path": "userName"}]}),
            400,
            Some("invalidValue"),
        ),
        (
            "PATCH",
            "Users/ann",
            json!({"schemas": [PATCH], "Operations": [{"op": "replace", "path": "id", "value": "b"}]}),
            400,
            Some("mutability"),
        ),
        (
            "PATCH",
            "Groups/s1",
            json!({"schemas": [PATCH], "Operations": [{"op": "add", "path": "members.value", "value": "b"}]}),
            400,
            Some("invalidPath"),
        ),
        ("GET", "Users?filter=userName%20co%20%22a%22", Value::Null, 400, Some("invalidFilter")),
        ("GET", "Users?filter=title%20eq%20%22a%22", Value::Null, 400, Some("invalidFilter")),
        ("GET", "Users?count=x", Value::Null, 400, Some("invalidValue")),
        ("GET", "Schemas/none", Value::Null, 404, None),
    ] {
        refused(&directory.send(method, path, &[], body.clone()).await, status, kind);
    }
    let text = [("content-type", "text/plain")];
    let bearer = format!("Bearer {}", directory.desk.operator);
    let plain = call(
        directory.desk.setup.address(),
        "POST",
        "/scim/v2/acme/Users",
        &[("authorization", bearer.as_str()), text[0]],
        "{}",
    )
    .await;
    refused(&plain, 400, None);
    // A group in itself, and a circle, are what they are elsewhere: the facts take what they take.
    let before = revision(&mut directory.desk.setup.connection, "acme").await;
    for (method, path) in
        [("GET", "Users"), ("GET", "Groups?count=5000"), ("GET", "Schemas"), ("GET", "ResourceTypes")]
    {
        assert_eq!(directory.send(method, path, &[], Value::Null).await.status, 200);
    }
    assert_eq!(revision(&mut directory.desk.setup.connection, "acme").await, before);
    let configuration = directory.get("ServiceProviderConfig").await;
    assert_eq!(
        (&configuration["patch"]["supported"], &configuration["bulk"]["supported"]),
        (&json!(true), &json!(false))
    );
    for kind in ["ResourceTypes", "Schemas"] {
        for one in directory.get(kind).await["Resources"].as_array().unwrap() {
            let path = format!("{kind}/{}", one["id"].as_str().unwrap());
            assert_eq!(directory.get(&path).await, *one);
            assert!(one["meta"]["location"].as_str().unwrap().ends_with(&format!("/scim/v2/acme/{path}")));
        }
    }
}

/// The last one who may do everything is neither deactivated nor deleted, by a directory either.
#[tokio::test]
async fn the_last_super_admin_stays() {
    let setup = crate::support::Setup::of(
        &world(
            r#"{"format": "postern-world/1", "organization": "acme", "revision": 1,
              "catalog": {"types": {}, "permissions": {"fleet:read": {}}}, "subjects": [{"id": "user:root"}]}"#,
        ),
        crate::management::with_catalog(),
    )
    .await;
    let mut setup = setup;
    let operator = writing_key(&mut setup.connection, "acme", None).await;
    let directory = Directory { desk: Desk { setup, operator } };
    let body = json!({"subject": "user:root", "role": "role:system:SUPER_ADMIN", "at": null});
    let given = directory.desk.setup.manage("POST", "assignments", &directory.desk.operator, &[], body).await;
    assert_eq!(given.status, 201, "{given:?}");
    let off = json!([{"op": "replace", "path": "active", "value": false}]);
    refused(&directory.patch("Users/root", off).await, 409, None);
    refused(&directory.send("DELETE", "Users/root", &[], Value::Null).await, 409, None);
}
