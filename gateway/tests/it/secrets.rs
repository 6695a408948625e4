//! Secrets: who reads a value, who is told of it, and who may change either. The ids are those of statements about the
//! systems that this has to replace (docs/systems.md).

use crate::management_resources::refused;
use crate::support::{Answer, Setup, config, revision, run, world, writing_key};
use postern_gateway::config::Config;
use postern_gateway::store::import::import;
use serde_json::{Value, json};
use sqlx::PgConnection;

/// What the vault needs of a catalog, written into one that lacks it.
pub async fn declare(connection: &mut PgConnection) {
    let sql = "INSERT INTO resource_types (organization_id, resource_type) VALUES ('acme', 'secret');
        INSERT INTO permissions (organization_id, permission_key) VALUES ('acme', 'secret:read');
        INSERT INTO owner_permissions (organization_id, resource_type, permission) VALUES ('acme', 'secret', 'secret:read')";
    run(connection, sql).await;
}

/// People: ann and bob, who make secrets; x, y and z, of whom x takes part in session s1 and y is in team t1; a viewer and
/// an editor of session s1; and somebody who may do everything.
pub const FACTS: &str = r#"{"format": "postern-world/1", "organization": "acme", "revision": 1,
  "catalog": {
    "types": {"secret": {"owner_permissions": ["secret:*"]}, "session": {}, "note": {}, "tenant": {"scope": true}},
    "permissions": {
      "secret:create": {}, "secret:read": {}, "secret:write": {}, "secret:share": {},
      "secret:describe": {"works_when_inactive": true}, "secret:manage": {"works_when_inactive": true},
      "secret:use": {"implied_by": ["secret:read"]},
      "session:view": {}, "session:edit": {}, "note:read": {}, "role:manage": {}, "audit:read": {}, "webhook:manage": {}}},
  "subjects": [{"id": "user:root"}, {"id": "user:ann", "aliases": ["ann@acme.example"]}, {"id": "user:bob"},
    {"id": "user:x"}, {"id": "user:y"}, {"id": "user:z"}, {"id": "user:off", "active": false},
    {"id": "group:s1"}, {"id": "group:t1"}, {"id": "group:t2"}],
  "memberships": [{"subject": "user:x", "group": "group:s1"}, {"subject": "user:y", "group": "group:t1"}],
  "resources": [{"type": "session", "id": "s1"}, {"type": "session", "id": "s2"}],
  "roles": [{"id": "role:all", "name": "Everything", "permissions": ["*"]},
    {"id": "role:maker", "name": "Maker", "permissions": ["secret:create"]},
    {"id": "role:hooks", "name": "Hooks", "permissions": ["webhook:manage"]},
    {"id": "role:viewer", "name": "Viewer", "permissions": ["session:view"]},
    {"id": "role:editor", "name": "Editor", "permissions": ["session:view", "session:edit"]}],
  "assignments": [{"subject": "user:root", "role": "role:all"},
    {"subject": "user:ann", "role": "role:maker"}, {"subject": "user:bob", "role": "role:maker"},
    {"subject": "user:y", "role": "role:hooks"},
    {"subject": "user:ann", "role": "role:editor", "at": {"type": "session", "id": "s1"}},
    {"subject": "user:bob", "role": "role:viewer", "at": {"type": "session", "id": "s1"}},
    {"subject": "user:z", "role": "role:editor", "at": {"type": "session", "id": "s1"}}]}"#;

/// A gateway with these facts.
pub struct Desk {
    pub setup: Setup,
    pub operator: String,
}

impl Desk {
    pub async fn new() -> Desk {
        Desk::with(config()).await
    }

    pub async fn with(config: Config) -> Desk {
        let mut setup = Setup::of(&world(FACTS), config).await;
        let operator = writing_key(&mut setup.connection, "acme", None).await;
        Desk { setup, operator }
    }

    /// In the name of a subject, or of the operator where it is empty; reads are of the newest facts.
    pub async fn call(&mut self, who: &str, method: &str, path: &str, body: Value) -> Answer {
        self.call_with(who, method, path, &[], body).await
    }

    pub async fn call_with(
        &mut self,
        who: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Answer {
        let bearer = if who.is_empty() { self.operator.clone() } else { self.setup.token(who, 60) };
        let now = revision(&mut self.setup.connection, "acme").await;
        let token = postern_gateway::consistency::token("acme", now);
        let mut all = vec![("postern-at-least", token.to_str().unwrap()), ("if-match", "*")];
        all.retain(|(name, _)| !headers.iter().any(|(given, _)| given == name));
        all.extend_from_slice(headers);
        self.setup.manage(method, path, &bearer, &all, body).await
    }

    /// Makes a secret; its id.
    pub async fn made(&mut self, who: &str, name: &str, visibility: Value) -> String {
        let body = json!({"name": name, "value": format!("value of {name}"), "visibility": visibility});
        let answer = self.call(who, "POST", "secrets", body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// What somebody reads, if they do; who does not is denied in the usual way.
    pub async fn reads(&mut self, who: &str, id: &str, session: &str) -> Option<String> {
        let query = if session.is_empty() { String::new() } else { format!("?session={session}") };
        let answer = self.call(who, "GET", &format!("secrets/{id}/value{query}"), Value::Null).await;
        if answer.status == 200 {
            return Some(answer.json()["value"].as_str().unwrap().to_owned());
        }
        let denied = refused(&answer, 403, "forbidden");
        assert_eq!(denied["required"], "secret:read");
        assert_eq!(denied["scope"], json!({"type": "secret", "id": id}));
        None
    }

    /// Who of these reads a secret: a subject, or one in a session behind a blank.
    async fn readers<'w>(&mut self, id: &str, who: &[&'w str]) -> Vec<&'w str> {
        let mut readers = Vec::new();
        for one in who {
            let (subject, session) = one.split_once(' ').unwrap_or((one, ""));
            if self.reads(&format!("user:{subject}"), id, session).await.is_some() {
                readers.push(*one);
            }
        }
        readers
    }

    async fn share(&mut self, who: &str, id: &str, with: &str) -> Answer {
        let body = json!({"resource": {"type": "secret", "id": id}, "subject": with, "permissions": ["secret:read"]});
        self.call(who, "POST", "shares", body).await
    }

    async fn names(&mut self, who: &str, query: &str) -> Vec<String> {
        let page = self.call(who, "GET", &format!("secrets{query}"), Value::Null).await;
        assert_eq!(page.status, 200, "{page:?}");
        let page = page.json();
        let items = page["items"].as_array().unwrap();
        items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    }
}

const EVERYBODY: &[&str] =
    &["ann", "ann s9", "bob", "x", "x s1", "x s2", "y", "y s1", "z", "z s1", "off", "none"];

/// AB-1 to AB-5, AB-11, AB-12: each visibility, decided by the resolver.
#[tokio::test]
async fn ab_1_a_visibility_says_who_reads() {
    let mut desk = Desk::new().await;
    let session = json!({"to": "session", "session": "s1", "participants": "group:s1"});
    for (visibility, readers) in [
        (json!({"to": "user"}), &["ann", "ann s9"][..]),
        (session.clone(), &["ann", "ann s9", "x s1"]),
        (json!({"to": "group", "groups": ["group:t1"]}), &["ann", "ann s9", "y", "y s1"]),
        (json!({"to": "group", "groups": ["group:t2"]}), &["ann", "ann s9"]),
        // Of this organization, with its token; those who are not active are nobody.
        (
            json!({"to": "organization"}),
            &["ann", "ann s9", "bob", "x", "x s1", "x s2", "y", "y s1", "z", "z s1", "none"],
        ),
    ] {
        let id = desk.made("user:ann", "DB", visibility.clone()).await;
        assert_eq!(desk.readers(&id, EVERYBODY).await, readers, "{visibility}");
        let told = desk.call("user:ann", "GET", &format!("secrets/{id}"), Value::Null).await.json();
        assert_eq!(told["visibility"], visibility);
        // The same by a change of one that was another's before.
        let other =
            desk.made("user:ann", "DB", json!({"to": "group", "groups": ["group:t1", "group:t2"]})).await;
        let path = format!("secrets/{other}");
        let changed =
            desk.call("user:ann", "PUT", &path, json!({"name": "DB", "visibility": visibility})).await;
        assert_eq!((changed.status.as_u16(), &changed.json()["visibility"]), (200, &visibility));
        assert_eq!(desk.readers(&other, EVERYBODY).await, readers, "{visibility}");
        // Without it, it stays.
        let before = revision(&mut desk.setup.connection, "acme").await;
        let changed = desk.call("user:ann", "PUT", &path, json!({"name": "Renamed"})).await.json();
        assert_eq!((&changed["visibility"], &changed["name"]), (&visibility, &json!("Renamed")));
        assert_eq!(revision(&mut desk.setup.connection, "acme").await, before, "a name is no fact");
    }
    // No team at all is nobody.
    let id = desk.made("user:ann", "DB", json!({"to": "group", "groups": []})).await;
    assert_eq!(desk.readers(&id, EVERYBODY).await, ["ann", "ann s9"]);
    // What others wrote among the facts is told as it is, and ends with the next visibility.
    let grant = json!({"subject": "user:z", "effect": "allow", "permissions": ["secret:read"],
        "at": {"type": "secret", "id": id}});
    assert_eq!(desk.call("", "POST", "grants", grant).await.status, 201);
    let path = format!("secrets/{id}");
    let told = desk.call("user:ann", "GET", &path, Value::Null).await.json();
    let other = json!({"to": "other", "readers": [{"subject": "user:z", "session": null}]});
    assert_eq!(told["visibility"], other);
    assert_eq!(desk.readers(&id, &["ann", "z"]).await, ["ann", "z"]);
    let body = json!({"name": "DB", "visibility": {"to": "user"}});
    assert_eq!(desk.call("user:ann", "PUT", &path, body).await.status, 200);
    assert_eq!(desk.readers(&id, &["ann", "z"]).await, ["ann"]);
    // Under an alias the owner is the same.
    assert!(desk.reads("user:ann@acme.example", &id, "").await.is_some());
}

/// AB-6 to AB-9: shares add, and take nothing but what they gave.
#[tokio::test]
async fn ab_9_a_share_leaves_the_visibility_as_it_was() {
    let mut desk = Desk::new().await;
    let groups = json!({"to": "group", "groups": ["group:t1"]});
    let id = desk.made("user:ann", "DB", groups.clone()).await;
    for wanted in [201, 200] {
        assert_eq!(desk.share("user:ann", &id, "user:x").await.status, wanted);
    }
    assert_eq!(desk.share("user:ann", &id, "user:z").await.status, 201);
    assert_eq!(desk.readers(&id, &["ann", "bob", "x", "y", "z"]).await, ["ann", "x", "y", "z"]);
    let told = desk.call("user:ann", "GET", &format!("secrets/{id}"), Value::Null).await.json();
    assert_eq!(told["visibility"], groups);
    // Another visibility leaves the shares, and their end leaves the visibility.
    let body = json!({"name": "DB", "visibility": {"to": "group", "groups": ["group:s1"]}});
    assert_eq!(desk.call("user:ann", "PUT", &format!("secrets/{id}"), body).await.status, 200);
    assert_eq!(desk.readers(&id, &["x", "y", "z"]).await, ["x", "z"]);
    let path = format!("shares?resource_type=secret&resource_id={id}");
    let shares = desk.call("user:ann", "GET", &path, Value::Null).await.json();
    assert_eq!(shares["items"].as_array().unwrap().len(), 2);
    for share in shares["items"].as_array().unwrap() {
        let path = format!("shares/{}", share["id"].as_str().unwrap());
        refused(&desk.call("user:x", "DELETE", &path, Value::Null).await, 403, "forbidden");
        assert_eq!(desk.call("user:ann", "DELETE", &path, Value::Null).await.status, 204);
    }
    assert_eq!(desk.readers(&id, &["ann", "x", "y", "z"]).await, ["ann", "x"], "x by its group");
    // Who reads does not share.
    refused(&desk.share("user:x", &id, "user:y").await, 403, "forbidden");
    refused(&desk.call("user:x", "GET", &path, Value::Null).await, 403, "forbidden");
}

/// AB-20: into a session by who edits it, and owns what they put there.
#[tokio::test]
async fn ab_20_who_edits_a_session_puts_their_secrets_into_it() {
    let mut desk = Desk::new().await;
    let session = |id: &str| json!({"to": "session", "session": id, "participants": "group:s1"});
    let body = |id: &str| json!({"name": "DB", "value": "v", "visibility": session(id)});
    // Bob only sees the session; an unknown one is nobody's.
    for (who, id) in [("user:bob", "s1"), ("user:ann", "s2"), ("user:ann", "none")] {
        let denied = desk.call(who, "POST", "secrets", body(id)).await;
        assert_eq!(refused(&denied, 403, "forbidden")["required"], "session:edit", "{who} {id}");
    }
    let bobs = desk.made("user:bob", "DB", json!({"to": "user"})).await;
    let path = format!("secrets/{bobs}");
    let change = json!({"name": "DB", "visibility": session("s1")});
    let denied = desk.call("user:bob", "PUT", &path, change.clone()).await;
    assert_eq!(refused(&denied, 403, "forbidden")["required"], "session:edit");
    // Who edits the session and does not own the secret.
    for who in ["user:ann", "user:z"] {
        let denied = desk.call(who, "PUT", &path, change.clone()).await;
        assert_eq!(refused(&denied, 403, "forbidden")["required"], "secret:manage", "{who}");
    }
    let anns = desk.made("user:ann", "DB", session("s1")).await;
    assert_eq!(desk.readers(&anns, &["bob s1", "x s1", "z s1"]).await, ["x s1"]);
    // Who leaves the participants reads it no more.
    run(&mut desk.setup.connection, "DELETE FROM memberships WHERE subject_id = 'user:x'").await;
    assert_eq!(desk.readers(&anns, &["x s1"]).await, Vec::<&str>::new());
}

/// AB-10, AB-13: what does not count is read by nobody, and its owner is told of it.
#[tokio::test]
async fn ab_10_what_has_expired_is_told_to_its_owner_and_read_by_nobody() {
    let mut desk = Desk::new().await;
    let id = desk.made("user:ann", "DB", json!({"to": "organization"})).await;
    assert_eq!(desk.share("user:ann", &id, "user:x").await.status, 201);
    let path = format!("secrets/{id}");
    for life in [
        json!({"active": false}),
        json!({"expires_at": "2020-01-01T00:00:00Z"}),
        json!({"not_before": "2990-01-01T00:00:00Z"}),
    ] {
        let mut body = json!({"name": "DB"});
        body.as_object_mut().unwrap().extend(life.as_object().unwrap().clone());
        assert_eq!(desk.call("user:ann", "PUT", &path, body).await.status, 200);
        assert_eq!(desk.readers(&id, &["ann", "bob", "x", "root"]).await, Vec::<&str>::new(), "{life}");
        // Its owner sees that it is there, whoever runs the gateway too, and whoever may describe secrets.
        for who in ["user:ann", "user:root", ""] {
            let told = desk.call(who, "GET", &path, Value::Null).await;
            assert_eq!((told.status.as_u16(), &told.json()["name"]), (200, &json!("DB")), "{who}");
            assert_eq!(desk.names(who, "").await, ["DB"], "{who}");
        }
        for who in ["user:bob", "user:x"] {
            refused(&desk.call(who, "GET", &path, Value::Null).await, 403, "forbidden");
            assert!(desk.names(who, "").await.is_empty(), "{who}");
        }
        // Its value is not written while it does not count, and it is no way around that.
        refused(
            &desk.call("user:ann", "PUT", &format!("{path}/value"), json!({"value": "w"})).await,
            403,
            "forbidden",
        );
        assert_eq!(desk.call("user:ann", "PUT", &path, json!({"name": "DB"})).await.status, 200);
        assert_eq!(desk.readers(&id, &["ann", "bob", "x"]).await, ["ann", "bob", "x"]);
    }
}

/// The list has what the caller sees, page by page.
#[tokio::test]
async fn a_list_has_what_the_caller_sees() {
    let mut desk = Desk::new().await;
    for number in 0..12 {
        let visibility = match number % 3 {
            0 => json!({"to": "user"}),
            1 => json!({"to": "group", "groups": ["group:t1"]}),
            _ => json!({"to": "session", "session": "s1", "participants": "group:s1"}),
        };
        desk.made("user:ann", &format!("n{number}"), visibility).await;
    }
    desk.made("user:bob", "bobs", json!({"to": "user"})).await;
    let of =
        |kind: usize| (0..12).filter(move |number| number % 3 == kind).map(|number| format!("n{number}"));
    let all: Vec<String> = (0..12).map(|number| format!("n{number}")).collect();
    assert_eq!(desk.names("user:ann", "").await, all);
    assert_eq!(desk.names("user:bob", "").await, ["bobs"]);
    assert_eq!(desk.names("", "").await.len(), 13);
    assert_eq!(desk.names("user:y", "").await, of(1).collect::<Vec<_>>());
    assert!(desk.names("user:x", "").await.is_empty());
    assert_eq!(desk.names("user:x", "?session=s1").await, of(2).collect::<Vec<_>>());
    assert_eq!(desk.names("user:ann", "?name=n7").await, ["n7"]);
    assert!(desk.names("user:bob", "?name=n7").await.is_empty());
    // Each is on one page, and the last page says that it is the last.
    for limit in [1, 2, 3, 4, 5] {
        let (mut names, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let path = format!("secrets?limit={limit}{cursor}");
            let page = desk.call("user:y", "GET", &path, Value::Null).await.json();
            let items = page["items"].as_array().unwrap();
            names.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
            pages += 1;
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!((names, pages), (of(1).collect::<Vec<_>>(), 4_usize.div_ceil(limit)), "{limit}");
    }
}

/// Who looks at many and sees few gets to the end of them.
#[tokio::test]
async fn few_among_many_are_found() {
    let mut desk = Desk::new().await;
    let many = "INSERT INTO resources (organization_id, resource_type, resource_id, owner_id)
            SELECT 'acme', 'secret', 'n' || lpad(n::text, 6, '0'), CASE WHEN n % 12345 = 7 THEN 'user:bob' ELSE 'user:ann' END
            FROM generate_series(1, 25000) AS n;
        INSERT INTO secrets (organization_id, secret_id, name, kind, description, key_id, sealed_key, sealed_value)
            SELECT 'acme', resource_id, resource_id, 'other', '', 'a', '', '' FROM resources WHERE resource_type = 'secret'";
    run(&mut desk.setup.connection, many).await;
    let (mut names, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page =
            desk.call("user:bob", "GET", &format!("secrets?limit=2{cursor}"), Value::Null).await.json();
        names.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].clone()));
        pages += 1;
        assert!(pages < 10, "{page}");
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(json!(names), json!(["n000007", "n012352", "n024697"]));
    assert!(pages > 1);
}

/// Who may do what, and what is no secret.
#[tokio::test]
async fn a_secret_is_its_owners_to_change() {
    let mut desk = Desk::new().await;
    let id = desk.made("user:ann", "DB", json!({"to": "organization"})).await;
    let (path, value) = (format!("secrets/{id}"), format!("secrets/{id}/value"));
    for who in ["user:bob", "user:x", "user:none"] {
        for (method, path, body) in [
            ("PUT", &path, json!({"name": "B"})),
            ("DELETE", &path, Value::Null),
            ("PUT", &value, json!({"value": "w"})),
        ] {
            refused(&desk.call(who, method, path, body).await, 403, "forbidden");
        }
    }
    refused(
        &desk.call("user:x", "POST", "secrets", json!({"name": "N", "value": "v"})).await,
        403,
        "forbidden",
    );
    // A new value is one version more, and only for who has seen the last.
    let first = desk.call("user:ann", "GET", &path, Value::Null).await;
    let tag = [("if-match", first.header("etag"))];
    let second = desk.call_with("user:ann", "PUT", &value, &tag, json!({"value": "w"})).await;
    assert_eq!((second.status.as_u16(), &second.json()["version"]), (200, &json!(2)));
    let late = desk.call_with("user:ann", "PUT", &value, &tag, json!({"value": "lost"})).await;
    refused(&late, 412, "precondition_failed");
    refused(
        &desk.call_with("user:ann", "DELETE", &path, &tag, Value::Null).await,
        412,
        "precondition_failed",
    );
    assert_eq!(desk.reads("user:bob", &id, "").await.unwrap(), "w");
    // An operator writes for others, and reads nothing.
    let body = json!({"name": "O", "value": "of bob", "owner": "user:bob"});
    let bobs = desk.call("", "POST", "secrets", body).await.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(desk.reads("user:bob", &bobs, "").await.unwrap(), "of bob");
    let answer = desk.call("", "GET", &format!("secrets/{bobs}/value"), Value::Null).await;
    refused(&answer, 403, "needs_subject");
    // A key of a subject's own reads what the subject reads.
    let bearer = writing_key(&mut desk.setup.connection, "acme", Some("user:bob")).await;
    let answer = desk.setup.manage("GET", &format!("secrets/{bobs}/value"), &bearer, &[], Value::Null).await;
    assert_eq!(answer.json(), json!({"value": "of bob", "version": 1}));
    assert_eq!(answer.header("cache-control"), "no-store");
    // What is no secret, or not one's own.
    let long = "v".repeat(65_537);
    for (who, body, what) in [
        ("user:ann", json!({"name": "N"}), "value:"),
        ("user:ann", json!({"name": "N", "value": ""}), "value:"),
        ("user:ann", json!({"name": "N", "value": long}), "value:"),
        ("user:ann", json!({"name": "", "value": "v"}), "name:"),
        ("user:ann", json!({"name": "a b", "value": "v"}), "name:"),
        ("user:ann", json!({"name": "N", "kind": "ä", "value": "v"}), "kind:"),
        ("user:ann", json!({"name": "N", "description": "d".repeat(1025), "value": "v"}), "description:"),
        ("user:ann", json!({"name": "N", "value": "v", "owner": "user:bob"}), "owner:"),
        ("user:ann", json!({"name": "N", "value": "v", "expires_at": "soon"}), "expires_at:"),
        (
            "user:ann",
            json!({"name": "N", "value": "v", "visibility": {"to": "group", "groups": ["user:x"]}}),
            "groups/0",
        ),
        (
            "user:ann",
            json!({"name": "N", "value": "v", "visibility": {"to": "user", "groups": []}}),
            "this path takes",
        ),
        (
            "user:ann",
            json!({"name": "N", "value": "v", "visibility": {"to": "other", "readers": []}}),
            "this path takes",
        ),
        ("", json!({"name": "N", "value": "v"}), "owner:"),
    ] {
        let answer = desk.call(who, "POST", "secrets", body).await;
        let problem = refused(&answer, 400, "invalid_request");
        assert!(problem["detail"].as_str().unwrap().contains(what), "{problem}");
    }
    let unknown = json!({"name": "N", "value": "v", "visibility": {"to": "group", "groups": ["group:none"]}});
    refused(&desk.call("user:ann", "POST", "secrets", unknown).await, 400, "unknown_group");
    let unknown = json!({"name": "N", "value": "v", "owner": "group:none"});
    refused(&desk.call("", "POST", "secrets", unknown).await, 400, "unknown_group");
    for body in [json!({"name": "N", "value": "v"}), json!({"name": "N", "owner": "user:bob"})] {
        refused(&desk.call("user:ann", "PUT", &path, body).await, 400, "invalid_request");
    }
    // A resource that is a secret is not deleted without it, by whatever path.
    let resource = format!("resources/secret/{id}?cascade=true");
    refused(&desk.call("", "DELETE", &resource, Value::Null).await, 409, "holds_secret");
    // What hangs below a secret would go with it.
    let note = json!({"type": "note", "id": "n1", "parents": [{"type": "secret", "id": id}]});
    assert_eq!(desk.call("", "POST", "resources", note).await.status, 201);
    for (method, body) in [("DELETE", Value::Null), ("PUT", json!({"name": "DB", "active": false}))] {
        let answer = desk.call("user:ann", method, &path, body).await;
        assert_eq!(refused(&answer, 409, "resource_in_use")["children"], 1);
    }
    assert_eq!(desk.call("", "DELETE", "resources/note/n1", Value::Null).await.status, 204);
    assert_eq!(desk.call("user:ann", "DELETE", &path, Value::Null).await.status, 204);
    assert!(desk.reads("user:ann", &id, "").await.is_none());
    refused(&desk.call("user:root", "GET", &path, Value::Null).await, 403, "forbidden");
    refused(&desk.call("", "GET", &path, Value::Null).await, 404, "item_not_found");
    refused(&desk.call("", "PUT", &value, json!({"value": "v"})).await, 404, "item_not_found");
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM grants WHERE at_id = $1")
        .bind(&id)
        .fetch_one(&mut desk.setup.connection)
        .await
        .unwrap();
    assert_eq!(left, 0);
}

/// What the catalog lets no owner do, nobody does by making a secret; and a catalog without secrets has none.
#[tokio::test]
async fn the_catalog_says_what_a_secret_is() {
    let mut desk = Desk::new().await;
    let body = json!({"name": "N", "value": "v", "visibility": {"to": "organization"}});
    let own = "DELETE FROM owner_permissions; INSERT INTO owner_permissions VALUES ('acme', 'secret', 'secret:read'),
        ('acme', 'secret', 'secret:share')";
    run(&mut desk.setup.connection, own).await;
    // Who reads a secret may use it, which the owner may not here.
    let denied = desk.call("user:ann", "POST", "secrets", body.clone()).await;
    assert_eq!(refused(&denied, 403, "cannot_grant")["required"], "secret:use");
    run(&mut desk.setup.connection, "INSERT INTO owner_permissions VALUES ('acme', 'secret', 'secret:use')")
        .await;
    assert_eq!(desk.call("user:ann", "POST", "secrets", body.clone()).await.status, 201);
    run(&mut desk.setup.connection, "DELETE FROM owner_permissions WHERE permission = 'secret:share'").await;
    let denied = desk.call("user:ann", "POST", "secrets", body.clone()).await;
    assert_eq!(refused(&denied, 403, "cannot_grant")["required"], "secret:share");
    run(
        &mut desk.setup.connection,
        "UPDATE resource_types SET registered = false WHERE resource_type = 'secret'",
    )
    .await;
    refused(&desk.call("user:ann", "POST", "secrets", body.clone()).await, 400, "unknown_type");
    let none = "DELETE FROM secrets; DELETE FROM resource_types WHERE resource_type = 'secret'";
    run(&mut desk.setup.connection, none).await;
    refused(&desk.call("user:ann", "POST", "secrets", body).await, 400, "unknown_type");
}

/// Sent again, a request makes nothing again; its value is in no digest that could be guessed from.
#[tokio::test]
async fn a_request_sent_again_makes_one_secret() {
    let mut desk = Desk::new().await;
    let body = json!({"name": "N", "value": "hunter2"});
    let key = [("idempotency-key", "once")];
    let first = desk.call_with("user:ann", "POST", "secrets", &key, body.clone()).await;
    let again = desk.call_with("user:ann", "POST", "secrets", &key, body.clone()).await;
    assert_eq!((first.status.as_u16(), &again.body), (201, &first.body));
    let other = json!({"name": "N", "value": "hunter3"});
    let other = desk.call_with("user:ann", "POST", "secrets", &key, other).await;
    refused(&other, 422, "idempotency_key_reused");
    assert_eq!(desk.names("user:ann", "").await, ["N"]);
    use sha2::{Digest, Sha256};
    let plain = format!("POST /v1/organizations/acme/secrets\0{body}");
    let kept: Vec<u8> =
        sqlx::query_scalar("SELECT request_digest FROM idempotency_keys WHERE idempotency_key = 'once'")
            .fetch_one(&mut desk.setup.connection)
            .await
            .unwrap();
    assert_ne!(kept, Sha256::digest(plain).to_vec());
    // Asked about only, nothing is made.
    let preview = desk.call("user:ann", "POST", "secrets?preview=true", body).await;
    assert_eq!(preview.status, 200, "{preview:?}");
    assert_eq!(desk.names("user:ann", "").await, ["N"]);
}

/// Each reading of a value is taken down before it is answered, and each that was denied.
#[tokio::test]
async fn who_reads_a_value_is_taken_down() {
    let mut desk = Desk::new().await;
    let session = json!({"to": "session", "session": "s1", "participants": "group:s1"});
    let id = desk.made("user:ann", "DB", session).await;
    let path = format!("secrets/{id}/value?session=s1");
    let header = [("x-request-id", "r-1")];
    assert_eq!(desk.call_with("user:x", "GET", &path, &header, Value::Null).await.status, 200);
    desk.reads("user:y", &id, "").await;
    desk.reads("user:y", "none", "").await;
    let body = json!({"value": "w"});
    desk.call("user:ann", "PUT", &format!("secrets/{id}/value"), body).await;
    let audit = desk.call("", "GET", &format!("audit?target=secret:{id}"), Value::Null).await.json();
    let told: Vec<_> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| {
            json!([event["operation"], event["actor"], event["after"]["reason"], event["after"]["session"]])
        })
        .collect();
    assert_eq!(
        json!(told),
        json!([
            ["secret.write", "user:ann", null, null],
            ["secret.denied", "user:y", "not_granted", null],
            ["secret.read", "user:x", "grant", "s1"],
            ["secret.create", "user:ann", null, null]
        ])
    );
    let read = &audit["items"][2];
    assert_eq!((&read["request_id"], &read["after"]["version"]), (&json!("r-1"), &json!(1)));
    // What cannot be taken down is not answered.
    run(&mut desk.setup.connection, "REVOKE INSERT ON audit_events FROM postern_gateway").await;
    let answer = desk.call("user:ann", "GET", &format!("secrets/{id}/value"), Value::Null).await;
    refused(&answer, 503, "unavailable");
    run(&mut desk.setup.connection, "GRANT INSERT ON audit_events TO postern_gateway").await;
}

/// A world that is exchanged for another keeps the values of the secrets that it still has, and cannot lose one.
#[tokio::test]
async fn an_import_loses_no_value() {
    let mut desk = Desk::new().await;
    let id = desk.made("user:ann", "DB", json!({"to": "group", "groups": ["group:t1"]})).await;
    let mut other = world(FACTS);
    let lost = import(&mut desk.setup.connection, &other, true).await.unwrap_err().to_string();
    assert!(lost.contains(&id) && lost.contains("secret"), "{lost}");
    assert_eq!(desk.reads("user:y", &id, "").await.unwrap(), "value of DB");
    let listed = FACTS.replace(
        r#""resources": ["#,
        &format!(r#""resources": [{{"type": "secret", "id": "{id}", "owner": "user:ann"}}, "#),
    );
    other = world(&listed);
    import(&mut desk.setup.connection, &other, true).await.unwrap();
    assert_eq!(desk.readers(&id, &["ann", "y"]).await, ["ann"]);
}

/// A gateway without keys has no vault, and says so to those who belong to the organization.
#[tokio::test]
async fn without_keys_there_is_no_vault() {
    let mut desk = Desk::with(Config { vault_keys: None, ..config() }).await;
    for (method, path, body) in [
        ("GET", "secrets", Value::Null),
        ("POST", "secrets", json!({"name": "N", "value": "v"})),
        ("GET", "secrets/k/value", Value::Null),
        ("PUT", "secrets/k/value", json!({"value": "v"})),
        ("DELETE", "secrets/k", Value::Null),
    ] {
        refused(&desk.call("user:ann", method, path, body).await, 404, "no_vault");
    }
}
