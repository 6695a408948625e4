//! What holds for every path of the management interface: who is let in, what is taken, what is kept, what is told.

use crate::management::Fleet;
use crate::support::{Events, PATIENCE, api_key, call, full_world, revision, run, writing_key};
use postern_gateway::app::Gateway;
use postern_gateway::store::import::import;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Every path, with its methods and a body that it takes.
pub fn endpoints() -> Vec<(&'static str, &'static str, Value)> {
    let role = json!({"name": "R", "permissions": []});
    let assignment = json!({"subject": "user:x", "role": "role:system:ADMIN", "at": null});
    let subject = json!({"id": "user:x"});
    let membership = json!({"subject": "user:x", "group": "group:crew"});
    let site = json!({"type": "site", "id": "s1"});
    let resource = json!({"type": "miner", "id": "m9", "parents": [site]});
    let edge = json!({"child": {"type": "miner", "id": "m1"}, "parent": {"type": "site", "id": "s2"}});
    let grant = json!({"subject": "user:x", "effect": "allow", "permissions": ["fleet:read"], "at": site});
    let share = json!({"subject": "user:x", "permissions": ["fleet:read"], "resource": site});
    let preset = json!({"name": "P", "type": "site", "permissions": []});
    let invitation = json!({"assignment": assignment});
    let webhook = json!({"url": "https://hooks.example.com/a", "events": ["revision"]});
    let secret = json!({"name": "N", "value": "v", "owner": "user:x"});
    vec![
        ("GET", "catalog", Value::Null),
        ("GET", "roles", Value::Null),
        ("POST", "roles", role.clone()),
        ("GET", "roles/role:system:ADMIN", Value::Null),
        ("PUT", "roles/role:system:ADMIN", role),
        ("DELETE", "roles/role:system:ADMIN", Value::Null),
        ("GET", "assignments", Value::Null),
        ("POST", "assignments", assignment),
        ("DELETE", "assignments/00000000-0000-0000-0000-000000000000", Value::Null),
        ("GET", "subjects", Value::Null),
        ("POST", "subjects", subject),
        ("GET", "subjects/user:tess", Value::Null),
        ("PUT", "subjects/user:tess", json!({})),
        ("DELETE", "subjects/user:tess", Value::Null),
        ("GET", "memberships", Value::Null),
        ("POST", "memberships", membership),
        ("DELETE", "memberships/00000000-0000-0000-0000-000000000000", Value::Null),
        ("GET", "resources", Value::Null),
        ("POST", "resources", resource),
        ("GET", "resources/miner/m1", Value::Null),
        ("PUT", "resources/miner/m1", json!({})),
        ("DELETE", "resources/miner/m1", Value::Null),
        ("GET", "edges", Value::Null),
        ("POST", "edges", edge),
        ("DELETE", "edges/00000000-0000-0000-0000-000000000000", Value::Null),
        ("GET", "grants", Value::Null),
        ("POST", "grants", grant),
        ("DELETE", "grants/00000000-0000-0000-0000-000000000000", Value::Null),
        ("GET", "scopes", Value::Null),
        ("POST", "scopes", json!({"type": "site", "id": "s9"})),
        ("GET", "scopes/site/s1", Value::Null),
        ("DELETE", "scopes/site/s1", Value::Null),
        ("POST", "scopes/site/s1/restore", Value::Null),
        ("POST", "scopes/site/s1/purge", Value::Null),
        ("POST", "scopes/site/s1/members", json!({"subject": "user:x"})),
        ("GET", "presets", Value::Null),
        ("POST", "presets", preset.clone()),
        ("GET", "presets/00000000-0000-0000-0000-000000000007", Value::Null),
        ("PUT", "presets/00000000-0000-0000-0000-000000000007", preset),
        ("DELETE", "presets/00000000-0000-0000-0000-000000000007", Value::Null),
        ("POST", "presets/00000000-0000-0000-0000-000000000007/restore", Value::Null),
        ("POST", "presets/00000000-0000-0000-0000-000000000007/purge", Value::Null),
        ("GET", "presets/00000000-0000-0000-0000-000000000007/sync", Value::Null),
        ("POST", "presets/00000000-0000-0000-0000-000000000007/sync", Value::Null),
        ("GET", "invitations", Value::Null),
        ("POST", "invitations", invitation),
        ("GET", "invitations/00000000-0000-0000-0000-000000000009", Value::Null),
        ("POST", "invitations/00000000-0000-0000-0000-000000000009/accept", Value::Null),
        ("POST", "invitations/00000000-0000-0000-0000-000000000009/reject", Value::Null),
        ("POST", "invitations/00000000-0000-0000-0000-000000000009/cancel", Value::Null),
        ("GET", "secrets", Value::Null),
        ("POST", "secrets", secret),
        ("GET", "secrets/s7", Value::Null),
        ("PUT", "secrets/s7", json!({"name": "N"})),
        ("DELETE", "secrets/s7", Value::Null),
        ("GET", "secrets/s7/value", Value::Null),
        ("PUT", "secrets/s7/value", json!({"value": "v"})),
        ("GET", "role-aliases", Value::Null),
        ("POST", "role-aliases", json!({"id": "role:old", "role": "role:system:ADMIN"})),
        ("DELETE", "role-aliases/role:old", Value::Null),
        ("GET", "webhooks", Value::Null),
        ("POST", "webhooks", webhook.clone()),
        ("GET", "webhooks/00000000-0000-0000-0000-000000000009", Value::Null),
        ("PUT", "webhooks/00000000-0000-0000-0000-000000000009", webhook),
        ("DELETE", "webhooks/00000000-0000-0000-0000-000000000009", Value::Null),
        ("GET", "webhooks/00000000-0000-0000-0000-000000000009/deliveries", Value::Null),
        ("GET", "webhooks/00000000-0000-0000-0000-000000000009/secret", Value::Null),
        ("POST", "webhooks/00000000-0000-0000-0000-000000000009/rotate", Value::Null),
        ("POST", "webhooks/00000000-0000-0000-0000-000000000009/retry", Value::Null),
        ("GET", "shares", Value::Null),
        ("POST", "shares", share),
        ("DELETE", "shares/00000000-0000-0000-0000-000000000000", Value::Null),
        ("POST", "explain", json!({"subject": "user:x", "permission": "fleet:read", "resource": null})),
        ("GET", "streams", Value::Null),
        ("GET", "revisions", Value::Null),
        ("GET", "audit", Value::Null),
        ("GET", "decisions", Value::Null),
    ]
}

/// What whoever belongs to the organization may read, whatever they hold.
const FOR_EVERYBODY: &[(&str, &str)] = &[("GET", "catalog"), ("GET", "secrets")];

#[tokio::test]
async fn every_path_is_attacked() {
    let mut fleet = Fleet::new().await;
    import(&mut fleet.setup.connection, &full_world("other"), false).await.unwrap();
    let foreign = writing_key(&mut fleet.setup.connection, "other", None).await;
    let reader = api_key(&mut fleet.setup.connection, "acme").await;
    let nobody = fleet.setup.token("user:none", 60);
    let there = "INSERT INTO presets (organization_id, preset_id, name, name_key, resource_type)
        VALUES ('acme', '00000000-0000-0000-0000-000000000007', 'P7', 'p7', 'site');
        INSERT INTO invitations (organization_id, invitation_id, subject_id, kind, offer, invited_by, invited_by_key,
            expires_at)
        VALUES ('acme', '00000000-0000-0000-0000-000000000009', 'user:x', 'share', '{}', 'user:y', false, now());
        INSERT INTO webhooks (organization_id, webhook_id, url, description, events, active, secret, delivered, announced)
        VALUES ('acme', '00000000-0000-0000-0000-000000000009', 'u', '', '{role}', false, '', 0, 0)";
    run(&mut fleet.setup.connection, there).await;
    crate::secrets::declare(&mut fleet.setup.connection).await;
    let there = "INSERT INTO resources (organization_id, resource_type, resource_id) VALUES ('acme', 'secret', 's7');
        INSERT INTO secrets (organization_id, secret_id, name, kind, description, key_id, sealed_key, sealed_value)
        VALUES ('acme', 's7', 'N', 'other', '', 'a', '', '')";
    run(&mut fleet.setup.connection, there).await;
    // What the other organization has is as unknown as what nobody has.
    for path in ["resources/secret/k1", "resources/project/p1", "resources/miner/none"] {
        for (method, body) in [("GET", Value::Null), ("PUT", json!({})), ("DELETE", Value::Null)] {
            let answer = fleet.send(method, path, &fleet.operator, &[("if-match", "*")], body).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (404, "item_not_found"), "{path}");
        }
    }
    for (table, list) in [("resource_parents", "edges"), ("grants", "grants"), ("grants", "shares")] {
        let key = format!("{}_id", table.trim_end_matches('s'));
        let sql = format!("SELECT {key}::text FROM {table} WHERE organization_id = 'other' LIMIT 1");
        let id: String = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_one(&mut fleet.setup.connection)
            .await
            .unwrap();
        let answer = fleet.send("DELETE", &format!("{list}/{id}"), &fleet.operator, &[], Value::Null).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (404, "item_not_found"), "{list}");
    }
    let before = revision(&mut fleet.setup.connection, "acme").await;
    let any = ("if-match", "*");
    for (method, path, body) in endpoints() {
        let name = format!("{method} {path}");
        let send =
            async |bearer: &str, body: &Value| fleet.send(method, path, bearer, &[any], body.clone()).await;
        // Without credentials, and with bad ones.
        let full = format!("/v1/organizations/acme/{path}");
        let json = ("content-type", "application/json");
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let answer = call(fleet.setup.address(), method, &full, &[json, any], &text).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (401, "missing_credentials"), "{name}");
        for (bad, code) in [
            ("postern_key_nothing", "invalid_key"),
            ("postern_installation_key_nothing", "invalid_key"),
            ("a.b.c", "invalid_token"),
        ] {
            let answer = send(bad, &body).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (401, code), "{name}");
        }
        // Another organization's, whose ids are as unknown as any: the answer is one.
        let answer = send(&foreign, &body).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "other_organization"), "{name}");
        let nowhere = full.replace("acme", "nowhere");
        let bearer = format!("Bearer {foreign}");
        let headers = [json, any, ("authorization", bearer.as_str())];
        let other = call(fleet.setup.address(), method, &nowhere, &headers, &text).await;
        assert_eq!(other.body, answer.body, "{name}");
        // Too few rights.
        let answer = send(&nobody, &body).await;
        if FOR_EVERYBODY.contains(&(method, path)) {
            assert_eq!(answer.status, 200, "{name}");
        } else {
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "forbidden"), "{name}");
            let members: BTreeSet<String> = answer.json().as_object().unwrap().keys().cloned().collect();
            assert!(
                members.contains("required") && members.contains("scope") && members.len() == 7,
                "{name}"
            );
        }
        // A key that reads only.
        let answer = send(&reader, &body).await;
        match (method, path) {
            // A value has a reader, which a key is not that stands for nobody.
            ("GET", "secrets/s7/value") => assert_eq!(answer.code(), "needs_subject"),
            // Whoever has it could sign.
            ("GET", "webhooks/00000000-0000-0000-0000-000000000009/secret") => {
                assert_eq!(answer.code(), "read_only_key");
            }
            ("GET", _) | (_, "explain") => assert_eq!(answer.status, 200, "{name}"),
            _ => {
                assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "read_only_key"), "{name}")
            }
        }
        // Parameters, bodies, types and methods that it does not take.
        let odd = fleet.send(method, &format!("{path}?odd=1"), &fleet.operator, &[any], body.clone()).await;
        assert_eq!((odd.status.as_u16(), odd.code().as_str()), (400, "invalid_query"), "{name}");
        if !body.is_null() {
            let bearer = format!("Bearer {}", fleet.operator);
            let post = async |kind: &str, text: &str| {
                let headers = [("authorization", bearer.as_str()), ("content-type", kind), any];
                call(fleet.setup.address(), method, &full, &headers, text).await
            };
            let plain = post("text/plain", &text).await;
            assert_eq!(plain.code(), "unsupported_content_type", "{name}");
            for bad in ["", "{", "[]", "7", "\"\u{0}\"", "{\"odd\": 1}"] {
                let answer = post("application/json", bad).await;
                assert_eq!(
                    (answer.status.as_u16(), answer.code().as_str()),
                    (400, "invalid_request"),
                    "{name} {bad}"
                );
            }
            let deep = "[".repeat(100_000);
            assert_eq!(post("application/json", &deep).await.code(), "invalid_request", "{name}");
            let long = " ".repeat(1024 * 1024 + 1);
            assert_eq!(post("application/json", &long).await.status, 413, "{name}");
        }
        let patch = fleet.send("PATCH", path, &fleet.operator, &[any], Value::Null).await;
        assert_eq!((patch.status.as_u16(), patch.code().as_str()), (405, "method_not_allowed"), "{name}");
        assert!(!patch.header("allow").is_empty(), "{name}");
    }
    assert_eq!(revision(&mut fleet.setup.connection, "acme").await, before, "and nothing was written");
    let odd = fleet.get("odd", &fleet.operator).await;
    assert_eq!((odd.status.as_u16(), odd.code().as_str()), (404, "not_found"));
}

#[tokio::test]
async fn a_personal_key_has_its_owners_rights_of_now() {
    let mut fleet = Fleet::new().await;
    let key = writing_key(&mut fleet.setup.connection, "acme", Some("user:rolf")).await;
    let create = async |fleet: &Fleet, name: &str| {
        fleet.post("roles", &key, json!({"name": name, "permissions": ["fleet:read"]})).await
    };
    assert_eq!(create(&fleet, "First").await.status, 201);
    let events = fleet.get("audit?limit=1", &fleet.operator).await.json();
    assert_eq!(events["items"][0]["actor"], "user:rolf");
    // It is no key to everything.
    let answer = fleet.setup.get("/v1/organizations/acme/snapshot", &key).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "personal_key"));
    let bearer = format!("Bearer {key}");
    let answer = fleet.setup.post("/access/v1/evaluation", &[("authorization", &bearer)], "{}").await;
    assert_eq!(answer.code(), "personal_key");
    run(&mut fleet.setup.connection, "DELETE FROM assignments WHERE subject_id = 'user:rolf'").await;
    assert_eq!(create(&fleet, "Second").await.code(), "forbidden");
    run(&mut fleet.setup.connection, "UPDATE subjects SET active = false WHERE subject_id = 'user:root'")
        .await;
    let root = fleet.setup.token("user:root", 60);
    let ended = fleet.post("roles", &root, json!({"name": "Third", "permissions": []})).await;
    assert_eq!(ended.code(), "forbidden", "whoever has ended may do nothing");
}

#[tokio::test]
async fn a_request_that_comes_again_is_done_once() {
    let mut fleet = Fleet::new().await;
    let operator = fleet.operator.clone();
    let body = json!({"name": "Once", "permissions": ["fleet:read"]});
    let key = [("idempotency-key", "3f1c-a")];
    let first = fleet.send("POST", "roles", &operator, &key, body.clone()).await;
    assert_eq!(first.status, 201);
    let again = fleet.send("POST", "roles", &operator, &key, body.clone()).await;
    assert_eq!((again.status, again.json()), (first.status, first.json()));
    for header in ["location", "etag", "postern-revision", "postern-consistency-token"] {
        assert_eq!(again.header(header), first.header(header), "{header}");
    }
    // Also when it has been changed or deleted since: it was answered.
    let path = format!("roles/{}", first.json()["id"].as_str().unwrap());
    assert_eq!(fleet.send("DELETE", &path, &operator, &[("if-match", "*")], Value::Null).await.status, 204);
    assert_eq!(fleet.send("POST", "roles", &operator, &key, body.clone()).await.json(), first.json());
    let other = json!({"name": "Twice", "permissions": []});
    let reused = fleet.send("POST", "roles", &operator, &key, other).await;
    assert_eq!((reused.status.as_u16(), reused.code().as_str()), (422, "idempotency_key_reused"));
    // Another caller's keys are others, and a failure is not kept.
    let root = fleet.setup.token("user:root", 60);
    assert_eq!(fleet.send("POST", "roles", &root, &key, body.clone()).await.status, 201);
    let retry = [("idempotency-key", "3f1c-b")];
    assert_eq!(fleet.send("POST", "roles", &operator, &retry, body.clone()).await.code(), "name_taken");
    let sql = "DELETE FROM roles WHERE name = 'Once'";
    run(&mut fleet.setup.connection, sql).await;
    assert_eq!(fleet.send("POST", "roles", &operator, &retry, body.clone()).await.status, 201);
    // Twenty at once.
    let body = json!({"name": "At once", "permissions": []});
    let key = [("idempotency-key", "3f1c-c")];
    let sends = (0..20).map(|_| fleet.send("POST", "roles", &operator, &key, body.clone()));
    let answers = futures_util::future::join_all(sends).await;
    assert!(answers.iter().all(|answer| answer.status == 201 && answer.body == answers[0].body));
    for bad in ["", &"x".repeat(256)] {
        let answer = fleet.send("POST", "roles", &operator, &[("idempotency-key", bad)], body.clone()).await;
        assert_eq!(answer.code(), "invalid_request");
    }
}

/// What asking now does not show is given away no more than what it shows.
#[tokio::test]
async fn what_depends_on_time_and_conditions_is_not_given_away() {
    let mut fleet = Fleet::new().await;
    let (operator, rolf) = (fleet.operator.clone(), fleet.setup.token("user:rolf", 60));
    let refused = |answer: crate::support::Answer| {
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "needs_everything"));
    };
    // A membership that begins later, in a group that may do more.
    let admin = json!({"subject": "group:crew", "role": "role:system:ADMIN", "at": null});
    let admin = fleet.post("assignments", &operator, admin).await.json();
    let later = json!({"subject": "user:rolf", "group": "group:crew", "not_before": "2999-01-01T00:00:00Z"});
    refused(fleet.post("memberships", &rolf, later).await);
    let path = format!("assignments/{}", admin["id"].as_str().unwrap());
    assert_eq!(fleet.send("DELETE", &path, &operator, &[], Value::Null).await.status, 204);
    // A group that holds something in one session only.
    let sql = "INSERT INTO grants (organization_id, grant_id, subject_id, session_id) VALUES
            ('acme', '00000000-0000-0000-0000-000000000001', 'group:crew', 'night');
        INSERT INTO grant_permissions (organization_id, grant_id, permission)
            VALUES ('acme', '00000000-0000-0000-0000-000000000001', 'miner:reboot')";
    run(&mut fleet.setup.connection, sql).await;
    let join = json!({"subject": "user:none", "group": "group:crew"});
    refused(fleet.post("memberships", &rolf, join.clone()).await);
    assert_eq!(fleet.post("memberships", &operator, join).await.status, 201);
    // Who was made inactive with it.
    run(&mut fleet.setup.connection, "UPDATE subjects SET active = false WHERE subject_id = 'user:none'")
        .await;
    refused(
        fleet.send("PUT", "subjects/user:none", &rolf, &[("if-match", "*")], json!({"active": true})).await,
    );
    // What one may give, one may give for later.
    let later = json!({"subject": "user:new", "role": "role:system:FIELD_TECH", "at": null,
        "not_before": "2999-01-01T00:00:00Z"});
    let later = fleet.post("assignments", &rolf, later).await;
    assert_eq!(later.status, 201, "{later:?}");
    let more = json!({"subject": "user:new", "role": "role:system:ADMIN", "at": null,
        "not_before": "2999-01-01T00:00:00Z"});
    assert_eq!(fleet.post("assignments", &rolf, more).await.code(), "cannot_grant");
    // A role with a grant of its own, under a condition.
    let sql = "INSERT INTO grants (organization_id, grant_id, subject_id, require) VALUES
            ('acme', '00000000-0000-0000-0000-000000000002', 'role:system:FIELD_TECH', '{\"env\": \"test\"}');
        INSERT INTO grant_permissions (organization_id, grant_id, permission)
            VALUES ('acme', '00000000-0000-0000-0000-000000000002', 'miner:reboot')";
    run(&mut fleet.setup.connection, sql).await;
    let give = json!({"subject": "user:other", "role": "role:system:FIELD_TECH", "at": null});
    refused(fleet.post("assignments", &rolf, give).await);
}

/// Where nobody is allowed anything, nobody lacks anything.
#[tokio::test]
async fn a_closed_site_is_in_nobodys_way() {
    let mut fleet = Fleet::new().await;
    run(&mut fleet.setup.connection, "UPDATE resources SET active = false WHERE resource_id = 's2'").await;
    for subject in ["user:root", "user:rolf"] {
        let give = json!({"subject": format!("{subject}-new"), "role": "role:system:FIELD_TECH", "at": null});
        let given = fleet.post("assignments", &fleet.setup.token(subject, 60), give).await;
        assert_eq!(given.status, 201, "{given:?}");
    }
}

#[tokio::test]
async fn it_is_told_why_and_what_would_help() {
    let fleet = Fleet::new().await;
    let ask = async |bearer: &str, body: Value| fleet.post("explain", bearer, body).await;
    let question = |subject: &str, site: &str| json!({"subject": subject, "permission": "miner:reboot", "resource": {"type": "site", "id": site}});
    let why = ask(&fleet.operator, question("user:tess", "s1")).await;
    let trail = json!([{"candidate": {"holder": "user:tess", "role": "role:system:FIELD_TECH",
        "at": {"type": "site", "id": "s1"}, "satisfies": false, "narrowed": false}}]);
    let remedy = json!([{"grant": {"at": {"type": "site", "id": "s1"}, "or_role": "role:system:ADMIN"}}]);
    let wanted = json!({"decision": "deny", "reason": "not_granted", "trail": trail, "remedy": remedy});
    assert_eq!(why.json(), wanted);
    assert!(!why.header("postern-consistency-token").is_empty());
    let why = ask(&fleet.setup.token("user:ada", 60), question("user:abe", "s2")).await.json();
    assert_eq!((&why["decision"], &why["reason"]), (&json!("allow"), &json!("assignment")));
    let unknown = json!({"subject": "user:tess", "permission": "no:such", "resource": null});
    assert_eq!(ask(&fleet.operator, unknown).await.json(), json!({"error": "unknown_permission"}));
    // It names roles: not for those who are denied.
    let denied = ask(&fleet.setup.token("user:tess", 60), question("user:tess", "s1")).await;
    assert_eq!(denied.code(), "forbidden");
    let list = json!({"op": "filter", "subject": "user:tess", "permission": "miner:reboot", "type": "site"});
    assert_eq!(ask(&fleet.operator, list).await.code(), "invalid_request");
}

#[tokio::test]
async fn pages_lead_through_a_list() {
    let fleet = Fleet::new().await;
    for list in ["roles", "assignments", "subjects", "audit"] {
        let whole = fleet.get(&format!("{list}?limit=1000"), &fleet.operator).await.json();
        let whole_items = whole["items"].as_array().unwrap();
        assert_eq!(whole["next_cursor"], Value::Null);
        assert!(whole_items.len() > 3, "{list}");
        for limit in [1, 3, whole_items.len()] {
            let (mut items, mut cursor) = (Vec::new(), String::new());
            loop {
                let path = format!("{list}?limit={limit}{cursor}");
                let page = fleet.get(&path, &fleet.operator).await.json();
                let part = page["items"].as_array().unwrap().clone();
                assert!(!part.is_empty() && part.len() <= limit);
                items.extend(part);
                match page["next_cursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
            assert_eq!(&items, whole_items, "{list} by {limit}");
        }
    }
    for bad in ["limit=0", "limit=1001", "limit=x", "limit=-1", "cursor=!", "cursor=_w", "limit=1&limit=2"] {
        assert_eq!(
            fleet.get(&format!("roles?{bad}"), &fleet.operator).await.code(),
            "invalid_query",
            "{bad}"
        );
    }
}

#[tokio::test]
async fn every_write_is_audited_with_its_revision() {
    let mut fleet = Fleet::new().await;
    let root = fleet.setup.token("user:root", 60);
    let id = [("x-request-id", "request 7"), ("if-match", "*")];
    let role = fleet.send("POST", "roles", &root, &id, json!({"name": "R", "permissions": []})).await;
    let role_path = format!("roles/{}", role.json()["id"].as_str().unwrap());
    let changed = json!({"name": "R2", "permissions": ["fleet:read"]});
    let changed = fleet.send("PUT", &role_path, &root, &id, changed).await;
    let given = json!({"subject": "user:none", "role": role.json()["id"], "at": null});
    let given = fleet.send("POST", "assignments", &root, &id, given).await;
    let taken = format!("assignments/{}", given.json()["id"].as_str().unwrap());
    let taken = fleet.send("DELETE", &taken, &root, &id, Value::Null).await;
    let gone = fleet.send("DELETE", &role_path, &root, &id, Value::Null).await;
    // A write that is refused leaves nothing behind.
    fleet.send("DELETE", &role_path, &root, &id, Value::Null).await;

    let ada = fleet.setup.token("user:ada", 60);
    let events = fleet.get("audit?limit=5", &ada).await.json();
    let events = events["items"].as_array().unwrap();
    let wanted = [
        ("role.delete", &gone, changed.json(), Value::Null),
        ("assignment.delete", &taken, given.json(), Value::Null),
        ("assignment.create", &given, Value::Null, given.json()),
        ("role.update", &changed, role.json(), changed.json()),
        ("role.create", &role, Value::Null, role.json()),
    ];
    assert_eq!(events.len(), wanted.len());
    for (event, (operation, answer, before, after)) in events.iter().zip(wanted) {
        assert_eq!(event["operation"], operation);
        assert_eq!(event["revision"].to_string(), answer.header("postern-revision"), "{operation}");
        assert_eq!((&event["actor"], &event["request_id"]), (&json!("user:root"), &json!("request 7")));
        assert_eq!((&event["before"], &event["after"]), (&before, &after), "{operation}");
    }
    let target = role.json()["id"].as_str().unwrap().to_owned();
    let of_role = fleet.get(&format!("audit?target={target}"), &ada).await.json();
    assert_eq!(of_role["items"].as_array().unwrap().len(), 3);
    for change in ["UPDATE audit_events SET actor = 'x'", "DELETE FROM audit_events"] {
        let connection = &mut fleet.setup.connection;
        assert_eq!(crate::support::refused_by(connection, change).await, "audit_events_stay");
    }
}

/// A write answers with a token, and a decision that is asked for with it knows of the write, at any gateway.
#[tokio::test]
async fn decisions_know_of_the_writes_that_they_follow() {
    let fleet = Fleet::new().await;
    let second = Gateway::start(crate::management::with_catalog(), &fleet.setup.url).await.unwrap();
    let question = json!({"subject": {"type": "user", "id": "none"}, "action": {"name": "read"},
        "resource": {"type": "rack", "id": "r", "properties": {"postern.at": "organization"}}})
    .to_string();
    let authorization = format!("Bearer {}", fleet.setup.key);
    for round in 0..10 {
        let given = json!({"subject": "user:none", "role": "role:system:FIELD_TECH", "at": null});
        let given = fleet.post("assignments", &fleet.operator, given).await;
        let path = format!("assignments/{}", given.json()["id"].as_str().unwrap());
        let asked = async |token: &str, gateway: std::net::SocketAddr| {
            let headers = [
                ("authorization", authorization.as_str()),
                ("content-type", "application/json"),
                ("postern-at-least", token),
            ];
            call(gateway, "POST", "/access/v1/evaluation", &headers, &question).await.json()["decision"]
                .clone()
        };
        for gateway in [fleet.setup.address(), second.address()] {
            assert_eq!(asked(given.header("postern-consistency-token"), gateway).await, true, "{round}");
        }
        let taken = fleet.send("DELETE", &path, &fleet.operator, &[], Value::Null).await;
        for gateway in [second.address(), fleet.setup.address()] {
            assert_eq!(asked(taken.header("postern-consistency-token"), gateway).await, false, "{round}");
        }
    }
    second.stop().await.unwrap();
}

/// Revisions are consecutive however many write at once, and whoever follows them sees the last, over a restart of the
/// gateway as well.
#[tokio::test]
async fn a_thousand_writes_at_once_are_a_thousand_revisions() {
    let mut fleet = Fleet::new().await;
    let before = revision(&mut fleet.setup.connection, "acme").await;
    let second = Gateway::start(crate::management::with_catalog(), &fleet.setup.url).await.unwrap();
    let bearer = format!("Bearer {}", fleet.setup.key);
    let headers = [("authorization", bearer.as_str())];
    let mut events = Events::open(second.address(), "/v1/organizations/acme/stream", &headers).await;
    let writers = (0..25).map(|writer| {
        let fleet = &fleet;
        async move {
            let mut made = Vec::new();
            for number in 0..40 {
                let subject = json!({"id": format!("user:w{writer}-{number}")});
                let answer = fleet.post("subjects", &fleet.operator, subject).await;
                assert_eq!(answer.status, 201, "{answer:?}");
                made.push(answer.header("postern-revision").parse::<u64>().unwrap());
            }
            made
        }
    });
    let follow = async {
        let mut seen: Vec<u64> = Vec::new();
        while seen.last().is_none_or(|last| *last < before + 500) {
            seen.push(events.next().await.unwrap().id.parse().unwrap());
        }
        // The gateway goes away in the middle of it.
        second.stop().await.unwrap();
        let third = Gateway::start(crate::management::with_catalog(), &fleet.setup.url).await.unwrap();
        let mut events = Events::open(third.address(), "/v1/organizations/acme/stream", &headers).await;
        while seen.last().is_none_or(|last| *last < before + 1000) {
            seen.push(events.next().await.unwrap().id.parse().unwrap());
        }
        third.stop().await.unwrap();
        seen
    };
    let both = async { tokio::join!(futures_util::future::join_all(writers), follow) };
    let (made, seen) = tokio::time::timeout(PATIENCE * 6, both).await.unwrap();
    let mut made: Vec<u64> = made.into_iter().flatten().collect();
    made.sort_unstable();
    assert_eq!(made, (before + 1..=before + 1000).collect::<Vec<_>>());
    assert!(seen.is_sorted(), "never back: {seen:?}");
    assert_eq!(seen.last(), Some(&(before + 1000)));
    // Each write is in the log once, in the order of the revisions.
    let logged: Vec<i64> = sqlx::query_scalar(
        "SELECT revision::int8 FROM audit_events WHERE operation = 'subject.create' ORDER BY audit_event_id",
    )
    .fetch_all(&mut fleet.setup.connection)
    .await
    .unwrap();
    assert_eq!(logged.iter().map(|revision| *revision as u64).collect::<Vec<_>>(), made);
}

/// The database goes away in the middle: nothing is half written, and writing goes on when it is back.
#[tokio::test]
async fn an_outage_leaves_no_write_half_done() {
    let mut fleet = Fleet::new().await;
    let before = revision(&mut fleet.setup.connection, "acme").await;
    let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let writers = (0..8).map(|writer| {
        let fleet = &fleet;
        async move {
            let (mut made, mut lost) = (Vec::new(), 0);
            for number in 0..30 {
                let id = format!("user:w{writer}-{number}");
                let answer = fleet.post("subjects", &fleet.operator, json!({"id": id})).await;
                match answer.status.as_u16() {
                    201 => made.push(id),
                    // Not known whether it was written: its transaction may have been committed.
                    500 | 503 => lost += 1,
                    _ => panic!("{answer:?}"),
                }
            }
            (made, lost)
        }
    });
    let mut admin = <sqlx::PgConnection as sqlx::Connection>::connect(&fleet.setup.url).await.unwrap();
    let outages = async {
        for _ in 0..5 {
            tokio::time::sleep(Duration::from_millis(60)).await;
            run(&mut admin, others).await;
        }
    };
    let (written, ()) = tokio::join!(futures_util::future::join_all(writers), outages);
    let made: BTreeSet<String> = written.iter().flat_map(|(made, _)| made.clone()).collect();
    let lost: usize = written.iter().map(|(_, lost)| lost).sum();
    let there: Vec<String> =
        sqlx::query_scalar("SELECT subject_id::text FROM subjects WHERE subject_id LIKE 'user:w%'")
            .fetch_all(&mut admin)
            .await
            .unwrap();
    let there: BTreeSet<String> = there.into_iter().collect();
    assert!(!made.is_empty() && made.is_subset(&there) && there.len() <= made.len() + lost);
    assert_eq!(revision(&mut admin, "acme").await, before + there.len() as u64);
    let audited: i64 = sqlx::query_scalar("SELECT count(*) FROM audit_events WHERE target LIKE 'user:w%'")
        .fetch_one(&mut admin)
        .await
        .unwrap();
    assert_eq!(audited as usize, there.len(), "what was written was taken down, and nothing else");
    let begun = Instant::now();
    while fleet.post("subjects", &fleet.operator, json!({"id": "user:after"})).await.status != 201 {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
