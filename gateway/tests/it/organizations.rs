//! Organizations over HTTP, by whoever runs the installation.

use crate::support::{Answer, Setup, call, config, full_world, writing_key};
use futures_util::future::join_all;
use postern_gateway::access::{INSTALLATION_KEY_PREFIX, key_digest};
use postern_gateway::app::Gateway;
use postern_gateway::config::Config;
use postern_gateway::store::installation_keys;
use postern_world::World;
use serde_json::{Value, json};
use sqlx::PgConnection;

const CATALOG: &str = r#"{"format": "postern-world/1", "organization": "catalog", "revision": 1,
  "catalog": {"types": {"site": {"scope": true}}, "permissions": {"fleet:read": {}, "role:manage": {}, "role:read": {},
    "user:read": {}, "user:manage": {}}},
  "roles": [{"id": "role:system:SUPER_ADMIN", "name": "Super admin", "permissions": ["*"]},
    {"id": "role:system:VIEWER", "name": "Viewer", "permissions": ["fleet:read"]}]}"#;

pub async fn installation_key(
    connection: &mut PgConnection,
    can_write: bool,
    seconds: Option<i64>,
) -> String {
    let key = format!("{INSTALLATION_KEY_PREFIX}{}", uuid::Uuid::new_v4().simple());
    let new = (&key[..INSTALLATION_KEY_PREFIX.len() + 6], &key_digest(&key));
    installation_keys::create(connection, "test", new, can_write, seconds).await.unwrap();
    key
}

struct Installation {
    setup: Setup,
    key: String,
}

impl Installation {
    async fn new() -> Self {
        let catalog = World::parse(CATALOG.as_bytes()).unwrap();
        let mut setup = Setup::with(Config { catalog, ..config() }).await;
        let key = installation_key(&mut setup.connection, true, None).await;
        Installation { setup, key }
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        key: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Answer {
        let bearer = format!("Bearer {key}");
        let mut all = vec![("authorization", bearer.as_str()), ("content-type", "application/json")];
        all.extend_from_slice(headers);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        call(self.setup.address(), method, &format!("/v1/organizations{path}"), &all, &body).await
    }

    async fn create(&self, body: Value) -> Answer {
        self.send("POST", "", &self.key, &[], body).await
    }
}

fn said(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.code())
}

#[tokio::test]
async fn an_organization_comes_with_what_is_built_in_and_a_super_admin() {
    let mut here = Installation::new().await;
    let made = here.create(json!({"id": "new/one ü", "super_admin": "user:ada"})).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.header("location"), "/v1/organizations/new%2Fone%20%C3%BC");
    assert!(!made.header("postern-consistency-token").is_empty());
    let at = "/new%2Fone%20%C3%BC";
    let read = here.send("GET", at, &here.key, &[], Value::Null).await;
    assert_eq!((read.json(), read.header("etag")), (made.json(), made.header("etag")));
    assert_eq!(made.json()["id"], "new/one ü");

    // The key of the installation is an operator's there, and Ada may do everything.
    let roles = here.send("GET", &format!("{at}/roles"), &here.key, &[], Value::Null).await.json();
    let names: Vec<&str> =
        roles["items"].as_array().unwrap().iter().map(|role| role["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Super admin", "Viewer"]);
    let ada = writing_key(&mut here.setup.connection, "new/one ü", Some("user:ada")).await;
    let role = json!({"name": "Own", "permissions": ["fleet:read"]});
    let own = here.send("POST", &format!("{at}/roles"), &ada, &[], role).await;
    assert_eq!(own.status, 201, "{own:?}");
    let audit = here.send("GET", &format!("{at}/audit"), &here.key, &[], Value::Null).await.json();
    let mut events: Vec<(&str, &str)> = Vec::new();
    for event in audit["items"].as_array().unwrap() {
        events.push((event["operation"].as_str().unwrap(), event["target"].as_str().unwrap()));
    }
    events.reverse();
    let seeded = events.iter().filter(|event| event.0 == "role.seed").count();
    assert_eq!(seeded, 2, "{events:?}");
    assert!(
        events.contains(&("organization.create", "new/one ü"))
            && events.contains(&("subject.create", "user:ada"))
    );
    // What is the last one cannot be taken, whoever asks.
    let assignments =
        here.send("GET", &format!("{at}/assignments"), &here.key, &[], Value::Null).await.json();
    let id = assignments["items"][0]["id"].as_str().unwrap();
    let taken = here.send("DELETE", &format!("{at}/assignments/{id}"), &here.key, &[], Value::Null).await;
    assert_eq!(said(&taken), (409, "last_super_admin".to_owned()));
}

#[tokio::test]
async fn there_is_one_of_each_id_whoever_asks_at_once() {
    let here = Installation::new().await;
    let all = join_all((0..8).map(|_| here.create(json!({"id": "one"})))).await;
    let mut made = all.iter().filter(|answer| answer.status == 201);
    let first = made.next().unwrap();
    assert!(made.next().is_none());
    assert!(
        all.iter()
            .filter(|answer| answer.status != 201)
            .all(|answer| said(answer) == (409, "id_taken".into()))
    );
    assert_eq!(said(&here.create(json!({"id": "acme"})).await), (409, "id_taken".into()));
    let read = here.send("GET", "/one", &here.key, &[], Value::Null).await;
    assert_eq!(read.json(), first.json(), "nobody who was refused wrote anything");

    // The same request again has the same answer, another one under its key has none.
    let again = [("idempotency-key", "k1")];
    let body = json!({"id": "two", "super_admin": "user:bo"});
    let first = here.send("POST", "", &here.key, &again, body.clone()).await;
    let second = here.send("POST", "", &here.key, &again, body).await;
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (201, 201), "{second:?}");
    assert_eq!(first.body, second.body);
    let other = here.send("POST", "", &here.key, &again, json!({"id": "two"})).await;
    assert_eq!(said(&other), (422, "idempotency_key_reused".into()));
}

#[tokio::test]
async fn who_has_no_key_of_the_installation_neither_makes_ends_nor_lists() {
    let mut here = Installation::new().await;
    let connection = &mut here.setup.connection;
    let operator = writing_key(connection, "acme", None).await;
    let reader = installation_key(connection, false, None).await;
    let expired = installation_key(connection, true, Some(-1)).await;
    let revoked = installation_key(connection, true, None).await;
    let prefix = &revoked[..INSTALLATION_KEY_PREFIX.len() + 6];
    assert_eq!(installation_keys::revoke(connection, prefix).await.unwrap(), 1);
    assert_eq!(installation_keys::revoke(connection, prefix).await.unwrap(), 0);
    let token = here.setup.token("user:ann", 60);
    let calls =
        [("GET", "", Value::Null), ("POST", "", json!({"id": "x"})), ("DELETE", "/acme", Value::Null)];
    for (method, path, body) in calls {
        let any = ("if-match", "*");
        let send = async |key: &str| said(&here.send(method, path, key, &[any], body.clone()).await);
        for key in [operator.as_str(), &token, "a.b.c"] {
            assert_eq!(send(key).await, (403, "needs_installation_key".into()), "{method}");
        }
        let unknown = format!("{INSTALLATION_KEY_PREFIX}nothing");
        for key in [expired.as_str(), &revoked, &unknown] {
            assert_eq!(send(key).await, (401, "invalid_key".into()), "{method}");
        }
        let path = format!("/v1/organizations{path}");
        let bare =
            call(here.setup.address(), method, &path, &[("content-type", "application/json")], "{}").await;
        assert_eq!(said(&bare), (401, "missing_credentials".into()), "{method}");
        if method != "GET" {
            assert_eq!(send(&reader).await, (403, "read_only_key".into()), "{method}");
        }
        let preview =
            here.send(method, &format!("{}?preview=true", &path[17..]), &here.key, &[any], body).await;
        assert_eq!(said(&preview), (400, "invalid_query".into()), "{method}");
    }
    assert_eq!(here.send("GET", "", &reader, &[], Value::Null).await.status, 200);
    // In an organization the same keys are operators'; where there is none, they find none.
    let role = json!({"name": "R", "permissions": []});
    assert_eq!(
        said(&here.send("POST", "/acme/roles", &reader, &[], role.clone()).await),
        (403, "read_only_key".into())
    );
    assert_eq!(here.send("POST", "/acme/roles", &here.key, &[], role.clone()).await.status, 201);
    for (method, path) in
        [("GET", "/nowhere"), ("GET", "/nowhere/roles"), ("DELETE", "/nowhere"), ("GET", "/nowhere/catalog")]
    {
        let answer = here.send(method, path, &here.key, &[("if-match", "*")], Value::Null).await;
        assert_eq!(said(&answer), (404, "organization_not_found".into()), "{method} {path}");
    }
    assert_eq!(
        said(&here.send("POST", "/nowhere/roles", &expired, &[], role).await),
        (401, "invalid_key".into())
    );
    // They are no enforcement point's.
    let snapshot = here.send("GET", "/acme/snapshot", &here.key, &[], Value::Null).await;
    assert_eq!(said(&snapshot), (401, "invalid_key".into()));
    // Who belongs to an organization reads that one.
    for key in [&operator, &token] {
        assert_eq!(here.send("GET", "/acme", key, &[], Value::Null).await.json()["id"], "acme");
        assert_eq!(
            said(&here.send("GET", "/other", key, &[], Value::Null).await),
            (403, "other_organization".into())
        );
    }
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_leaves_nothing() {
    let here = Installation::new().await;
    for body in [
        json!({"id": ""}),
        json!({"id": "."}),
        json!({"id": ".."}),
        json!({"id": "a\u{0}b"}),
        json!({"id": "line\nbreak"}),
        json!({"id": "x".repeat(513)}),
        json!({"id": 7}),
        json!({}),
        json!([]),
        json!({"id": "x", "owner": "user:a"}),
        json!({"id": "x", "super_admin": "ann"}),
        json!({"id": "x", "super_admin": "user:all"}),
    ] {
        let answer = here.create(body.clone()).await;
        assert_eq!(said(&answer), (400, "invalid_request".into()), "{body}");
    }
    // Without a catalog file nobody can be its super admin; and then it is not there.
    let bare = Gateway::start(config(), &here.setup.url).await.unwrap();
    let bearer = format!("Bearer {}", here.key);
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let body = json!({"id": "x", "super_admin": "user:a"}).to_string();
    let refused = call(bare.address(), "POST", "/v1/organizations", &headers, &body).await;
    assert_eq!(said(&refused), (400, "unknown_role".into()));
    let all = here.send("GET", "", &here.key, &[], Value::Null).await.json();
    assert_eq!(all["items"].as_array().unwrap().len(), 1, "{all}");
    let id = "x".repeat(512);
    assert_eq!(here.create(json!({"id": id})).await.status, 201);
    assert_eq!(here.send("GET", &format!("/{id}"), &here.key, &[], Value::Null).await.status, 200);
    bare.stop().await.unwrap();
}

#[tokio::test]
async fn an_organization_ends_with_all_that_it_has_but_its_audit_and_number() {
    let mut here = Installation::new().await;
    postern_gateway::store::import::import(&mut here.setup.connection, &full_world("other"), false)
        .await
        .unwrap();
    let made = here.create(json!({"id": "brief", "super_admin": "user:ada"})).await.json();
    let key = writing_key(&mut here.setup.connection, "brief", None).await;
    let mut ids = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = here.send("GET", &format!("?limit=1{cursor}"), &here.key, &[], Value::Null).await.json();
        ids.push(page["items"][0]["id"].as_str().unwrap().to_owned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(ids, ["acme", "brief", "other"]);

    let delete =
        async |tag: &[(&str, &str)]| here.send("DELETE", "/brief", &here.key, tag, Value::Null).await;
    assert_eq!(said(&delete(&[]).await), (428, "precondition_required".into()));
    let tag = here.send("GET", "/brief", &key, &[], Value::Null).await;
    let tag = tag.header("etag").to_owned();
    let role = json!({"name": "Later", "permissions": []});
    assert_eq!(here.send("POST", "/brief/roles", &key, &[], role).await.status, 201);
    assert_eq!(
        said(&delete(&[("if-match", &tag)]).await),
        (412, "precondition_failed".into()),
        "it has changed"
    );
    let tag = here.send("GET", "/brief", &key, &[], Value::Null).await;
    let tag = tag.header("etag").to_owned();
    assert_eq!(delete(&[("if-match", &tag)]).await.status, 204);
    assert_eq!(said(&delete(&[("if-match", "*")]).await), (404, "organization_not_found".into()));
    let gone = here.send("GET", "/brief/roles", &key, &[], Value::Null).await;
    assert!(gone.status == 401 || gone.status == 404, "its keys are gone with it: {gone:?}");

    let again = here.create(json!({"id": "brief"})).await.json();
    let number = |item: &Value| item["revision"].as_str().unwrap().parse::<u64>().unwrap();
    assert!(number(&again) > number(&made) + 1, "{again}: no client sees a revision twice");
    let audit = here.send("GET", "/brief/audit", &here.key, &[], Value::Null).await.json();
    let ended =
        audit["items"].as_array().unwrap().iter().find(|event| event["operation"] == "organization.delete");
    assert_eq!(ended.unwrap()["before"]["id"], "brief");
    let left = here.send("GET", "/brief/subjects", &here.key, &[], Value::Null).await.json();
    assert_eq!(left["items"], json!([]));
}
