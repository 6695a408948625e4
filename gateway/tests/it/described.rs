//! The description of the interface: as it was agreed on, and true.

use crate::management::Fleet;
use crate::support::{Answer, Setup, get};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write;

/// Compares with a file of `tests/golden`, or writes it (`cargo xtask golden`).
fn golden(name: &str, text: &str) {
    let file = format!("{}/../tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("POSTERN_GOLDEN").is_some() {
        std::fs::write(&file, text).unwrap();
    }
    let wanted = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(wanted == text, "tests/golden/{name} is another: look at what `cargo xtask golden` changes");
}

async fn document(setup: &Setup) -> (Value, String) {
    let answer = get(setup.address(), "/openapi.json", &[]).await;
    (answer.json(), String::from_utf8(answer.body.to_vec()).unwrap())
}

/// Every operation: method, path and what is said of it.
fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            all.push((method.to_uppercase(), path.clone(), operation));
        }
    }
    all
}

#[tokio::test]
async fn the_description_is_as_agreed() {
    let setup = Setup::new().await;
    let (document, text) = document(&setup).await;
    golden("openapi.json", &text);
    let mut ids = BTreeSet::new();
    let mut matrix = String::from(
        "Who may call what, and how it is refused: the statuses of each operation.\nMade by `cargo xtask golden`.\n\n",
    );
    for (method, path, operation) in operations(&document) {
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{path}");
        let who: Vec<&str> = operation["security"]
            .as_array()
            .unwrap()
            .iter()
            .map(|way| way.as_object().unwrap().keys().next().unwrap().as_str())
            .collect();
        let who = if who.is_empty() { "everybody".to_owned() } else { who.join(" or ") };
        let needs = operation["description"].as_str().unwrap_or_default();
        let statuses: Vec<&str> =
            operation["responses"].as_object().unwrap().keys().map(String::as_str).collect();
        let place = format!("{method} {path}");
        writeln!(matrix, "{place}\n    {who}. {needs}\n    {}", statuses.join(" ")).unwrap();
    }
    golden("endpoints.txt", &matrix);
}

/// Every reference leads somewhere, and every schema is one and used.
#[tokio::test]
async fn references_lead_somewhere() {
    let setup = Setup::new().await;
    let (document, text) = document(&setup).await;
    let schemas: BTreeSet<&str> =
        document["components"]["schemas"].as_object().unwrap().keys().map(String::as_str).collect();
    let used: BTreeSet<&str> =
        text.split("\"#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(used, schemas);
    for name in schemas {
        validator(&document, name);
    }
}

pub fn validator(document: &Value, schema: &str) -> jsonschema::Validator {
    let mut root = json!({"$ref": format!("#/components/schemas/{schema}")});
    root["components"] = document["components"].clone();
    jsonschema::validator_for(&root).unwrap()
}

/// An answer has every header that is described, and of those that others have no other.
fn told(document: &Value, method: &str, path: &str, answer: &Answer) {
    let responses = &document["paths"][path][method]["responses"];
    let described = responses[answer.status.as_str()]["headers"].as_object();
    let described =
        described.unwrap_or_else(|| panic!("{method} {path}: {} is not described", answer.status));
    for header in [
        "Location",
        "ETag",
        "Postern-Revision",
        "Postern-Statement",
        "Postern-Consistency-Token",
        "X-Request-ID",
    ] {
        let there = !answer.header(&header.to_lowercase()).is_empty();
        assert_eq!(described.contains_key(header), there, "{method} {path}: {header}");
    }
}

/// What is answered, and what is taken, has the form that is described.
#[tokio::test]
async fn answers_have_the_form_that_is_described() {
    let mut fleet = Fleet::new().await;
    crate::secrets::declare(&mut fleet.setup.connection).await;
    let (document, _) = document(&fleet.setup).await;
    let valid = |schema: &str, value: &Value| {
        if let Err(error) = validator(&document, schema).validate(value) {
            panic!("{schema}: {error} in {value}");
        }
    };
    let operator = fleet.operator.clone();
    let made = async |path: &str, fields: &str, schema: &str, body: Value| -> Answer {
        valid(fields, &body);
        let answer = fleet.post(path, &operator, body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        valid(schema, &answer.json());
        told(&document, "post", &format!("/v1/organizations/{{organization}}/{path}"), &answer);
        answer
    };
    made("roles", "RoleFields", "Role", json!({"name": "R", "permissions": ["fleet:read"], "active": false}))
        .await;
    let at = json!({"type": "site", "id": "s1"});
    let assignment = json!({"subject": "user:none", "role": "role:system:ADMIN", "at": at,
        "expires_at": "2030-01-01T00:00:00Z"});
    made("assignments", "NewAssignment", "Assignment", assignment).await;
    let subject = json!({"id": "user:new", "aliases": ["new@acme.example"], "attributes": {"a": "b"}});
    made("subjects", "SubjectFields", "Subject", subject).await;
    let membership = json!({"subject": "user:new", "group": "group:crew"});
    made("memberships", "NewMembership", "Membership", membership).await;
    let resource = json!({"type": "miner", "id": "m7", "owner": "user:new", "attributes": {"a": "b"}, "active": false,
        "parents": [at, {"type": "site", "id": "s2", "relation": "ref", "cap": ["read"]}]});
    made("resources", "ResourceFields", "Resource", resource).await;
    let edge = json!({"child": {"type": "miner", "id": "m1"}, "parent": {"type": "miner", "id": "m7"},
        "relation": "ref", "cap": ["read"]});
    made("edges", "NewEdge", "Edge", edge).await;
    let grant = json!({"subject": "role:system:ADMIN", "effect": "exclude", "permissions": ["miner:*"], "at": null,
        "where": {"a": "b"}, "require": {"c": "*"}, "own": true, "session": "x", "not_before": "2030-01-01T00:00:00Z"});
    made("grants", "NewGrant", "Grant", grant).await;
    let share = json!({"resource": {"type": "miner", "id": "m1"}, "subject": "user:new",
        "permissions": ["miner:read"], "into": {"type": "miner", "id": "m7"}});
    made("shares", "NewShare", "Share", share).await;
    let preset = json!({"name": "Keeper", "type": "site", "permissions": ["fleet:read"], "auto_assign": true,
        "for_creator": false, "role_name": "{scope.type} {scope.id}"});
    let preset = made("presets", "PresetFields", "Preset", preset).await.json();
    let offered = json!({"assignment": {"subject": "user:new", "role": "role:system:ADMIN", "at": null},
        "expires_at": "2990-01-01T00:00:00Z"});
    let invitation = made("invitations", "NewInvitation", "Invitation", offered).await.json();
    let offered = json!({"share": {"resource": {"type": "miner", "id": "m1"}, "subject": "user:none",
        "permissions": ["miner:read"]}});
    made("invitations", "NewInvitation", "Invitation", offered).await;
    let secret = json!({"name": "DB", "kind": "password", "description": "d", "value": "hunter2", "owner": "user:new",
        "visibility": {"to": "group", "groups": ["group:crew"]}, "expires_at": "2990-01-01T00:00:00Z"});
    let secret = made("secrets", "NewSecret", "Secret", secret).await.json();
    let former = json!({"id": "role:admins", "role": "role:system:ADMIN"});
    made("role-aliases", "RoleAlias", "RoleAlias", former).await;
    let hook = json!({"url": "https://hooks.example.com/a", "description": "d", "events": ["role", "revision"], "active": false});
    let webhook = made("webhooks", "WebhookFields", "Webhook", hook.clone()).await.json();
    let scope = json!({"type": "site", "id": "s7", "parents": [at], "owner": "user:new", "attributes": {"a": "b"},
        "creator": "user:new"});
    made("scopes", "ScopeFields", "Scope", scope).await;
    for (list, schema) in [
        ("scopes", "Scope"),
        ("presets", "Preset"),
        ("invitations", "Invitation"),
        ("secrets", "Secret"),
        ("webhooks", "Webhook"),
        ("role-aliases", "RoleAlias"),
        ("resources", "Resource"),
        ("edges", "Edge"),
        ("grants", "Grant"),
        ("shares", "Share"),
        ("roles", "Role"),
        ("assignments", "Assignment"),
        ("subjects", "Subject"),
        ("memberships", "Membership"),
        ("audit", "AuditEvent"),
    ] {
        let page = fleet.get(list, &operator).await.json();
        let items = page["items"].as_array().unwrap();
        assert!(!items.is_empty(), "{list}");
        items.iter().for_each(|item| valid(schema, item));
    }
    let organization = "/v1/organizations/{organization}";
    let member = json!({"subject": "user:none"});
    valid("NewMember", &member);
    let joined = fleet.post("scopes/site/s7/members", &operator, member).await;
    valid("Joined", &joined.json());
    told(&document, "post", &format!("{organization}/scopes/{{type}}/{{id}}/members"), &joined);
    let invited = fleet.setup.token("user:new", 60);
    let invitation = format!("invitations/{}", invitation["id"].as_str().unwrap());
    let accepted = fleet.post(&format!("{invitation}/accept"), &invited, Value::Null).await;
    valid("Invitation", &accepted.json());
    told(&document, "post", &format!("{organization}/invitations/{{id}}/accept"), &accepted);
    let secret = format!("secrets/{}", secret["id"].as_str().unwrap());
    let any = [("if-match", "*")];
    for (method, below, body, taken, answered) in [
        ("GET", "", Value::Null, None, "Secret"),
        ("PUT", "", json!({"name": "DB", "visibility": {"to": "user"}}), Some("SecretFields"), "Secret"),
        ("PUT", "/value", json!({"value": "hunter3"}), Some("NewSecretValue"), "Secret"),
        ("GET", "/value", Value::Null, None, "SecretValue"),
    ] {
        taken.iter().for_each(|schema| valid(schema, &body));
        let bearer = if answered == "SecretValue" { &invited } else { &operator };
        let answer = fleet.send(method, &format!("{secret}{below}"), bearer, &any, body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        valid(answered, &answer.json());
        told(&document, &method.to_lowercase(), &format!("{organization}/secrets/{{id}}{below}"), &answer);
    }
    let webhook = format!("webhooks/{}", webhook["id"].as_str().unwrap());
    for (method, below, schema) in [
        ("GET", "", "Webhook"),
        ("PUT", "", "Webhook"),
        ("GET", "/deliveries", "Deliveries"),
        ("GET", "/secret", "WebhookSecret"),
        ("POST", "/rotate", "Webhook"),
        ("POST", "/retry", "WebhookRetry"),
    ] {
        let body = if method == "PUT" { hook.clone() } else { Value::Null };
        let answer = fleet.send(method, &format!("{webhook}{below}"), &operator, &any, body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        valid(schema, &answer.json());
        told(&document, &method.to_lowercase(), &format!("{organization}/webhooks/{{id}}{below}"), &answer);
    }
    let events = &document["components"]["schemas"]["WebhookEvents"]["items"]["enum"];
    assert_eq!(*events, json!(postern_gateway::manage::EVENTS));
    let preset = format!("presets/{}", preset["id"].as_str().unwrap());
    let less = json!({"name": "Keeper", "permissions": []});
    fleet.send("PUT", &preset, &operator, &[("if-match", "*")], less).await;
    let preview = fleet.get(&format!("{preset}/sync"), &operator).await;
    assert_eq!(preview.json()["roles"][0]["removed"], json!(["fleet:read"]));
    for (method, path, described, schema) in [
        ("GET", format!("{preset}/sync"), "presets/{id}/sync", Some("PresetSync")),
        ("POST", format!("{preset}/sync"), "presets/{id}/sync", Some("PresetSync")),
        ("DELETE", preset.clone(), "presets/{id}", Some("Preset")),
        ("POST", format!("{preset}/restore"), "presets/{id}/restore", Some("Preset")),
        ("POST", format!("{preset}/purge"), "presets/{id}/purge", None),
        ("DELETE", "scopes/site/s7".to_owned(), "scopes/{type}/{id}", Some("Scope")),
        ("POST", "scopes/site/s7/restore".to_owned(), "scopes/{type}/{id}/restore", Some("Scope")),
        ("POST", "scopes/site/s7/purge".to_owned(), "scopes/{type}/{id}/purge", Some("Purged")),
    ] {
        let answer = fleet.send(method, &path, &operator, &[("if-match", "*")], Value::Null).await;
        assert_eq!(answer.status, if schema.is_some() { 200 } else { 204 }, "{method} {path}: {answer:?}");
        if let Some(schema) = schema {
            valid(schema, &answer.json());
        }
        told(&document, &method.to_lowercase(), &format!("{organization}/{described}"), &answer);
    }
    let question =
        json!({"subject": "user:tess", "permission": "miner:reboot", "resource": at, "where": {"a": "b"}});
    valid("Question", &question);
    valid("Explanation", &fleet.post("explain", &operator, question).await.json());
    valid("Revisions", &fleet.get("revisions?after=1", &operator).await.json());
    valid("Streams", &fleet.get("streams", &operator).await.json());
    let preview = fleet.post("roles?preview=true", &operator, json!({"name": "P", "permissions": []})).await;
    valid("Preview", &preview.json());
    let catalog = fleet.get("catalog", &operator).await;
    valid("Catalog", &catalog.json());
    told(&document, "get", "/v1/organizations/{organization}/catalog", &catalog);
    let role = fleet.get("roles/role:system:ADMIN", &operator).await;
    told(&document, "get", "/v1/organizations/{organization}/roles/{id}", &role);
    let resource = fleet.get("resources/miner/m7", &operator).await;
    told(&document, "get", "/v1/organizations/{organization}/resources/{type}/{id}", &resource);
    let any = [("if-match", "*")];
    let changed = fleet.send("PUT", "resources/miner/m7", &operator, &any, resource.json()).await;
    told(&document, "put", "/v1/organizations/{organization}/resources/{type}/{id}", &changed);
    let used = fleet.send("DELETE", "resources/miner/m7", &operator, &any, Value::Null).await;
    assert_eq!(used.code(), "resource_in_use");
    valid("Problem", &used.json());
    let gone = fleet.send("DELETE", "resources/miner/m7?cascade=true", &operator, &any, Value::Null).await;
    told(&document, "delete", "/v1/organizations/{organization}/resources/{type}/{id}", &gone);
    let gone = fleet.send("DELETE", "subjects/user:new", &operator, &[("if-match", "*")], Value::Null).await;
    told(&document, "delete", "/v1/organizations/{organization}/subjects/{id}", &gone);
    let snapshot = fleet.setup.get("/v1/organizations/acme/snapshot", &fleet.setup.key).await;
    told(&document, "get", "/v1/organizations/{organization}/snapshot", &snapshot);
    for refused in [
        fleet.post("roles", &operator, json!({"name": "x", "permissions": ["no:such"]})).await,
        fleet.post("roles", &operator, json!({"name": "x", "permissions": ["miner:reboot"]})).await,
        fleet.get("roles", &fleet.setup.token("user:none", 60)).await,
        fleet.get("odd", &operator).await,
    ] {
        valid("Problem", &refused.json());
    }
    // AuthZEN.
    let entity = |kind: &str, id: &str| json!({"type": kind, "id": id});
    let question = json!({"subject": entity("user", "root"), "action": {"name": "read"},
        "resource": entity("miner", "m1"), "context": null});
    valid("Evaluation", &question);
    let answer = fleet.setup.post("/access/v1/evaluation", &[], &question.to_string()).await;
    assert_eq!(answer.json()["decision"], true);
    valid("Decision", &answer.json());
    told(&document, "post", "/access/v1/evaluation", &answer);
    let many = json!({"action": {"name": "read"}, "resource": entity("miner", "m1"),
        "evaluations": [{"subject": entity("user", "root")}, {}], "options": {"reasons": true}});
    valid("Evaluations", &many);
    valid("Decisions", &fleet.setup.post("/access/v1/evaluations", &[], &many.to_string()).await.json());
    let mut search = question;
    search["page"] = json!({"limit": 1});
    valid("Search", &search);
    for kind in ["subject", "resource", "action"] {
        let answer = fleet.setup.post(&format!("/access/v1/search/{kind}"), &[], &search.to_string()).await;
        assert_eq!(answer.status, 200);
        valid("SearchResults", &answer.json());
    }
    let metadata = get(fleet.setup.address(), "/.well-known/authzen-configuration", &[]).await;
    valid("AuthzenMetadata", &metadata.json());
    told(&document, "get", "/.well-known/authzen-configuration", &metadata);
    let head = fleet.setup.get("/v1/organizations/acme/head", &fleet.setup.key).await;
    valid("Head", &head.json());
    told(&document, "get", "/v1/organizations/{organization}/head", &head);
    valid("KeySet", &get(fleet.setup.address(), "/.well-known/jwks.json", &[]).await.json());
    for health in ["/livez", "/readyz"] {
        valid("Health", &get(fleet.setup.address(), health, &[]).await.json());
    }
    // What is no such thing is told from it.
    assert!(!validator(&document, "Role").is_valid(&json!({"id": "role:x"})));
    assert!(!validator(&document, "NewAssignment").is_valid(&json!({"subject": "user:a", "role": "role:x"})));
}

/// Every operation of the management interface is among those that are attacked.
#[tokio::test]
async fn every_management_operation_is_attacked() {
    let setup = Setup::new().await;
    let (document, _) = document(&setup).await;
    let managed: BTreeSet<(String, String)> = operations(&document)
        .into_iter()
        .filter(|(_, path, operation)| {
            // Those for managers take three kinds of credentials.
            path.starts_with("/v1/organizations/{organization}/")
                && operation["security"].as_array().unwrap().len() == 3
        })
        .map(|(method, path, _)| (method, path.replace("/v1/organizations/{organization}/", "")))
        .collect();
    let attacked: BTreeSet<(String, String)> = crate::management_calls::endpoints()
        .into_iter()
        .map(|(method, path, _)| {
            let path = match path.split('/').collect::<Vec<_>>()[..] {
                [
                    list,
                    _,
                    act @ ("restore" | "purge" | "sync" | "accept" | "reject" | "cancel" | "value"
                    | "deliveries" | "secret" | "rotate" | "retry"),
                ] => {
                    format!("{list}/{{id}}/{act}")
                }
                [list, _, _] => format!("{list}/{{type}}/{{id}}"),
                [list, _, _, act] => format!("{list}/{{type}}/{{id}}/{act}"),
                [list, _] => format!("{list}/{{id}}"),
                _ => path.to_owned(),
            };
            (method.to_owned(), path)
        })
        .collect();
    assert_eq!(managed, attacked);
}
