//! Resources and edges: what is taken and told, and that nobody gains by them what their writer does not hold.

use crate::support::{Answer, Setup, config, revision, run, world, writing_key};
use serde_json::{Value, json};

/// Two sites in a region, with miners; a secret that ann owns, drives to find things in, and people who may write some of it.
const YARD: &str = r#"{"format": "postern-world/1", "organization": "acme", "revision": 1,
  "catalog": {
    "types": {"region": {"scope": true}, "site": {"scope": true, "narrows": true}, "miner": {}, "drive": {"owner_permissions": ["*"]}, "a:b": {},
      "secret": {"owner_permissions": ["secret:*", "resource:share"]}, "mcp": {"registered": false}},
    "permissions": {
      "fleet:read": {}, "miner:read": {}, "miner:reboot": {}, "secret:read": {}, "secret:write": {}, "mcp:call": {},
      "role:manage": {}, "role:read": {}, "resource:read": {}, "resource:manage": {}, "resource:share": {},
      "step:one": {}, "step:two": {"implied_by": ["step:one"]}, "step:three": {"implied_by": ["step:two"]},
      "miner:reset": {"excluded_by": ["miner:reboot"]}}},
  "subjects": [{"id": "user:root"}, {"id": "user:keeper"}, {"id": "user:clerk"}, {"id": "user:mira"}, {"id": "user:sam"},
    {"id": "user:ann", "aliases": ["ann@acme.example"]}, {"id": "user:carl"}, {"id": "group:crew"}],
  "memberships": [{"subject": "user:carl", "group": "group:crew"}],
  "resources": [{"type": "region", "id": "r1"},
    {"type": "site", "id": "s1", "parents": [{"type": "region", "id": "r1"}]},
    {"type": "site", "id": "s2", "parents": [{"type": "region", "id": "r1"}]},
    {"type": "miner", "id": "m1", "parents": [{"type": "site", "id": "s1"}]},
    {"type": "miner", "id": "m2", "parents": [{"type": "site", "id": "s2"}]},
    {"type": "miner", "id": "off", "parents": [{"type": "site", "id": "s1"}], "active": false},
    {"type": "secret", "id": "k1", "parents": [{"type": "site", "id": "s1"}, {"type": "drive", "id": "ann"}], "owner": "user:ann"},
    {"type": "drive", "id": "ann"}, {"type": "drive", "id": "sam", "owner": "user:sam"}],
  "roles": [
    {"id": "role:all", "name": "Everything", "permissions": ["*"]},
    {"id": "role:clerk", "name": "Clerk", "permissions": ["resource:manage", "resource:read", "miner:read"]},
    {"id": "role:manager", "name": "Manager", "permissions": ["role:manage", "miner:read", "fleet:read", "step:one"]},
    {"id": "role:reader", "name": "Reader", "permissions": ["miner:read"]}],
  "assignments": [
    {"subject": "user:root", "role": "role:all"},
    {"subject": "user:keeper", "role": "role:all", "at": {"type": "site", "id": "s1"}},
    {"subject": "user:clerk", "role": "role:clerk", "at": {"type": "site", "id": "s1"}},
    {"subject": "user:clerk", "role": "role:clerk", "at": {"type": "site", "id": "s2"}},
    {"subject": "user:mira", "role": "role:manager"},
    {"subject": "user:carl", "role": "role:all", "at": {"type": "site", "id": "s2"}},
    {"subject": "user:sam", "role": "role:reader", "at": {"type": "site", "id": "s2"}}]}"#;

/// A gateway with these facts.
pub struct Yard {
    pub setup: Setup,
    pub operator: String,
}

impl Yard {
    pub async fn new() -> Yard {
        let mut setup = Setup::of(&world(YARD), config()).await;
        let operator = writing_key(&mut setup.connection, "acme", None).await;
        Yard { setup, operator }
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

    /// By the operator, of what has to work.
    pub async fn made(&self, path: &str, body: Value) -> Value {
        let answer = self.post(path, &self.operator, body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()
    }

    pub async fn put(&self, path: &str, bearer: &str, body: Value) -> Answer {
        self.send("PUT", path, bearer, &[("if-match", "*")], body).await
    }

    pub async fn delete(&self, path: &str, bearer: &str) -> Answer {
        self.send("DELETE", path, bearer, &[("if-match", "*")], Value::Null).await
    }

    pub fn token(&self, subject: &str) -> String {
        self.setup.token(subject, 60)
    }

    pub async fn items(&self, path: &str) -> Vec<Value> {
        let answer = self.get(path, &self.operator).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["items"].as_array().unwrap().clone()
    }

    /// The id of the edge from a miner or secret to a parent.
    pub async fn edge(&self, child: (&str, &str), parent: (&str, &str)) -> String {
        let path = format!(
            "edges?child_type={}&child_id={}&parent_type={}&parent_id={}",
            child.0, child.1, parent.0, parent.1
        );
        self.items(&path).await[0]["id"].as_str().unwrap().to_owned()
    }

    /// A decision on the facts of now, with what accompanies the question.
    pub async fn decides(&mut self, subject: &str, permission: &str, at: (&str, &str), with: Value) -> bool {
        let now = revision(&mut self.setup.connection, "acme").await;
        let token = postern_gateway::consistency::token("acme", now);
        let mut question = json!({"subject": subject, "permission": permission,
            "resource": {"type": at.0, "id": at.1}});
        question.as_object_mut().unwrap().extend(with.as_object().cloned().unwrap_or_default());
        let header = [("postern-at-least", token.to_str().unwrap())];
        let answer = self.send("POST", "explain", &self.operator, &header, question).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["decision"] == "allow"
    }

    pub async fn may(&mut self, subject: &str, permission: &str, at: (&str, &str)) -> bool {
        self.decides(subject, permission, at, json!({})).await
    }
}

pub fn at(kind: &str, id: &str) -> Value {
    json!({"type": kind, "id": id})
}

/// A refusal: status and code, and what else it says.
pub fn refused(answer: &Answer, status: u16, code: &str) -> Value {
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{answer:?}");
    answer.json()
}

#[tokio::test]
async fn resources_come_change_and_go() {
    let mut yard = Yard::new().await;
    let operator = yard.operator.clone();
    let new = json!({"type": "miner", "id": "a b/ü", "owner": "user:ann@acme.example", "attributes": {"rack": "7"},
        "parents": [at("site", "s1"), {"type": "region", "id": "r1", "relation": "ref", "cap": ["reboot", "read", "read"]}],
        "expires_at": "2090-01-01T00:00:00Z"});
    let once = [("idempotency-key", "r-1")];
    let made = yard.send("POST", "resources", &operator, &once, new.clone()).await;
    assert_eq!(made.status, 201, "{made:?}");
    let whole = json!({"type": "miner", "id": "a b/ü", "owner": "user:ann", "attributes": {"rack": "7"},
        "parents": [{"type": "region", "id": "r1", "relation": "ref", "cap": ["read", "reboot"]},
            {"type": "site", "id": "s1", "relation": "auto", "cap": []}],
        "active": true, "not_before": null, "expires_at": "2090-01-01T00:00:00.000000Z"});
    assert_eq!(made.json(), whole);
    let path = "resources/miner/a%20b%2F%C3%BC";
    assert_eq!(made.header("location"), format!("/v1/organizations/acme/{path}"));
    let again = yard.send("POST", "resources", &operator, &once, new.clone()).await;
    assert_eq!(
        (again.status, again.body, again.headers["location"].clone()),
        (made.status, made.body.clone(), made.headers["location"].clone())
    );
    assert_eq!(yard.post("resources", &operator, new).await.code(), "id_taken");
    let read = yard.get(path, &operator).await;
    assert_eq!((read.json(), read.header("etag")), (whole.clone(), made.header("etag")));
    assert!(yard.may("user:keeper", "miner:reboot", ("miner", "a b/ü")).await);

    // A change is of what one has seen, and says all but the edges.
    let change = json!({"attributes": {"rack": "8"}});
    let put =
        async |headers: &[(&str, &str)]| yard.send("PUT", path, &operator, headers, change.clone()).await;
    refused(&put(&[]).await, 428, "precondition_required");
    refused(&put(&[("if-match", "\"0\"")]).await, 412, "precondition_failed");
    let changed = put(&[("if-match", made.header("etag"))]).await;
    assert_eq!(changed.status, 200);
    let mut wanted = whole.clone();
    wanted["attributes"] = json!({"rack": "8"});
    (wanted["owner"], wanted["expires_at"]) = (Value::Null, Value::Null);
    assert_eq!(changed.json(), wanted);
    let same = yard.put(path, &operator, changed.json()).await;
    assert_eq!(
        (same.status.as_u16(), same.header("postern-revision")),
        (200, changed.header("postern-revision"))
    );
    let moved = json!({"parents": [at("site", "s2")]});
    let moved = yard.put(path, &operator, moved).await.json();
    assert_eq!(moved["parents"], json!([{"type": "site", "id": "s2", "relation": "auto", "cap": []}]));
    assert!(!yard.may("user:keeper", "miner:reboot", ("miner", "a b/ü")).await);
    assert!(yard.may("user:carl", "miner:reboot", ("miner", "a b/ü")).await);
    let off = json!({"active": false});
    assert_eq!(yard.put(path, &operator, off).await.json()["active"], false);
    assert!(!yard.may("user:carl", "miner:reboot", ("miner", "a b/ü")).await);
    refused(&yard.put(path, &operator, json!({"id": "other"})).await, 400, "invalid_request");

    assert_eq!(yard.delete(path, &operator).await.status, 204);
    refused(&yard.delete(path, &operator).await, 404, "item_not_found");
    refused(&yard.get(path, &operator).await, 404, "item_not_found");
    let log = yard.items("audit?target=miner%3Aa%20b%2F%C3%BC").await;
    let done: Vec<&str> = log.iter().map(|event| event["operation"].as_str().unwrap()).collect();
    assert_eq!(
        done,
        ["resource.delete", "resource.update", "resource.update", "resource.update", "resource.create"]
    );
    assert_eq!((&log[4]["after"], &log[3]["before"]), (&whole, &whole));
}

#[tokio::test]
async fn what_hangs_on_a_resource_is_told_and_goes_with_it() {
    let mut yard = Yard::new().await;
    let operator = yard.operator.clone();
    yard.made(
        "grants",
        json!({"subject": "user:sam", "effect": "allow", "permissions": ["miner:read"],
        "at": at("site", "s1")}),
    )
    .await;
    let body = refused(&yard.delete("resources/site/s1", &operator).await, 409, "resource_in_use");
    assert_eq!((&body["children"], &body["assignments"], &body["grants"]), (&json!(3), &json!(2), &json!(1)));
    refused(&yard.delete("resources/site/s1?cascade=yes", &operator).await, 400, "invalid_query");
    assert_eq!(yard.delete("resources/site/s1?cascade=true", &operator).await.status, 204);
    assert!(!yard.may("user:keeper", "miner:reboot", ("miner", "m1")).await);
    // One of the same id does not bring back what stood at it.
    yard.made("resources", json!({"type": "site", "id": "s1"})).await;
    assert_eq!(yard.items("grants?at_type=site&at_id=s1").await, Vec::<Value>::new());
    assert!(!yard.may("user:keeper", "miner:reboot", ("site", "s1")).await);
    assert_eq!(yard.items("edges?parent_type=site&parent_id=s1").await, Vec::<Value>::new());
    // What has nothing hanging on it goes by itself.
    assert_eq!(yard.delete("resources/miner/m2", &operator).await.status, 204);
}

#[tokio::test]
async fn every_fault_of_a_resource_is_named() {
    let mut yard = Yard::new().await;
    let operator = yard.operator.clone();
    let revision_before = revision(&mut yard.setup.connection, "acme").await;
    let miner = |more: Value| {
        let mut body = json!({"type": "miner", "id": "m9"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (body, code, said) in [
        (json!({"id": "m9"}), "invalid_request", "type: "),
        (json!({"type": "miner"}), "invalid_request", "id: "),
        (json!({"type": "miner", "id": "*"}), "invalid_request", "id: "),
        (json!({"type": "miner", "id": "x".repeat(512)}), "invalid_request", "id: "),
        (json!({"type": "miner", "id": "a\u{0}"}), "invalid_request", "id: "),
        (json!({"type": "house", "id": "h"}), "unknown_type", "no such type"),
        (miner(json!({"owner": "ann"})), "invalid_request", "owner: "),
        (miner(json!({"owner": "user:all"})), "invalid_request", "owner: "),
        (miner(json!({"owner": "role:all"})), "invalid_request", "owner: "),
        (miner(json!({"owner": "group:none"})), "unknown_group", "no such group"),
        (miner(json!({"attributes": {"subject.role": "x"}})), "invalid_request", "attributes/subject.role: "),
        (miner(json!({"attributes": {"a": "\u{0}"}})), "invalid_request", "attributes/a: "),
        (miner(json!({"attributes": {"a": "x".repeat(4097)}})), "invalid_request", "attributes/a: "),
        (miner(json!({"not_before": "soon"})), "invalid_request", "not_before: "),
        (miner(json!({"parents": [at("site", "s1"), at("site", "")]})), "invalid_request", "parents/1/id: "),
        (miner(json!({"parents": [at("site", "none")]})), "unknown_resource", "parents"),
        (
            miner(json!({"parents": [{"type": "site", "id": "s1", "cap": ["read"]}]})),
            "invalid_request",
            "parents/0/cap/0: ",
        ),
        (
            miner(
                json!({"parents": [{"type": "site", "id": "s1", "relation": "ref", "cap": ["read", "*"]}]}),
            ),
            "invalid_request",
            "parents/0/cap/1: ",
        ),
        (
            miner(json!({"parents": [{"type": "site", "id": "s1", "relation": "down"}]})),
            "invalid_request",
            "unknown variant `down`",
        ),
    ] {
        let answer = refused(&yard.post("resources", &operator, body.clone()).await, 400, code);
        assert!(answer["detail"].as_str().unwrap().contains(said), "{body}: {answer}");
    }
    for (body, code) in [
        (json!({"child": at("miner", "m1")}), "invalid_request"),
        (json!({"child": at("miner", "m1"), "parent": at("site", "*")}), "invalid_request"),
        (json!({"child": at("miner", "m1"), "parent": at("site", "none")}), "unknown_resource"),
        (json!({"child": at("miner", "none"), "parent": at("site", "s2")}), "unknown_resource"),
        (json!({"child": at("miner", "m1"), "parent": at("site", "s2"), "cap": ["x"]}), "invalid_request"),
    ] {
        refused(&yard.post("edges", &operator, body).await, 400, code);
    }
    for bad in ["edges?child_type=site", "grants?at_id=s1", "shares?resource_type=site", "grants?effect=deny"]
    {
        refused(&yard.get(bad, &operator).await, 400, "invalid_query");
    }
    assert_eq!(revision(&mut yard.setup.connection, "acme").await, revision_before, "nothing was written");
}

#[tokio::test]
async fn edges_carry_what_they_say() {
    let mut yard = Yard::new().await;
    let operator = yard.operator.clone();
    let edge =
        json!({"child": at("miner", "m1"), "parent": at("site", "s2"), "relation": "ref", "cap": ["read"]});
    let made = yard.post("edges", &operator, edge.clone()).await;
    assert_eq!(made.status, 201);
    assert_eq!(made.json()["cap"], json!(["read"]));
    assert!(yard.may("user:carl", "miner:read", ("miner", "m1")).await);
    assert!(!yard.may("user:carl", "miner:reboot", ("miner", "m1")).await, "not in the cap");
    let again = yard.post("edges", &operator, edge).await;
    assert_eq!((again.status.as_u16(), again.json()), (200, made.json()));
    assert_eq!(again.header("postern-revision"), made.header("postern-revision"));
    // BA-40: one of relation `auto` is another edge, and takes no other's place.
    let auto =
        yard.post("edges", &operator, json!({"child": at("miner", "m1"), "parent": at("site", "s2")})).await;
    assert_eq!(auto.status, 201);
    assert!(yard.may("user:carl", "miner:reboot", ("miner", "m1")).await);
    assert_eq!(yard.items("edges?child_type=miner&child_id=m1").await.len(), 3);
    let path = format!("edges/{}", auto.json()["id"].as_str().unwrap());
    assert_eq!(yard.delete(&path, &operator).await.status, 204);
    refused(&yard.delete(&path, &operator).await, 404, "item_not_found");
    refused(&yard.delete("edges/x", &operator).await, 404, "item_not_found");
    assert!(!yard.may("user:carl", "miner:reboot", ("miner", "m1")).await);
    assert!(yard.may("user:carl", "miner:read", ("miner", "m1")).await);
}

#[tokio::test]
async fn lists_of_facts_have_pages_and_filters() {
    let yard = Yard::new().await;
    for number in 0..7 {
        let subject = format!("user:s{number}");
        yard.made(
            "shares",
            json!({"resource": at("secret", "k1"), "subject": subject, "permissions": ["secret:read"],
            "into": at("drive", "sam")}),
        )
        .await;
        yard.made("resources", json!({"type": "a:b", "id": number.to_string()})).await;
    }
    for (list, of) in [
        ("resources", 16),
        ("resources?type=miner", 3),
        ("resources?type=a%3Ab", 7),
        ("edges", 14),
        ("edges?parent_type=drive&parent_id=sam", 7),
        ("edges?child_type=site&child_id=s1&parent_type=region&parent_id=r1", 1),
        ("grants?effect=allow", 7),
        ("grants?effect=exclude", 0),
        ("grants?subject=user:s3", 1),
        ("grants?at_type=secret&at_id=k1", 7),
        ("shares", 7),
        ("shares?subject=user:s3&resource_type=secret&resource_id=k1", 1),
        ("shares?resource_type=secret&resource_id=k2", 0),
    ] {
        let whole = yard.items(list).await;
        assert_eq!(whole.len(), of, "{list}");
        let sign = if list.contains('?') { '&' } else { '?' };
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = yard.get(&format!("{list}{sign}limit=2{cursor}"), &yard.operator).await.json();
            items.extend(page["items"].as_array().unwrap().clone());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(items, whole, "{list}");
    }
}

#[tokio::test]
async fn a_resource_gives_nobody_what_its_writer_does_not_hold() {
    let mut yard = Yard::new().await;
    let clerk = yard.token("user:clerk");
    let put_in = |place: Value| json!({"type": "miner", "id": "m9", "parents": [place]});
    // Somewhere that the clerk does not look after: above, at the top, or there in name only.
    for (body, scope) in [
        (put_in(at("region", "r1")), at("region", "r1")),
        (json!({"type": "miner", "id": "m9"}), json!({})),
        (put_in(json!({"type": "site", "id": "s1", "relation": "ref"})), json!({})),
        (put_in(at("site", "nowhere")), at("site", "nowhere")),
    ] {
        let answer = refused(&yard.post("resources", &clerk, body).await, 403, "forbidden");
        assert_eq!((&answer["required"], &answer["scope"]), (&json!("resource:manage"), &scope));
    }
    assert_eq!(yard.post("resources", &clerk, put_in(at("site", "s1"))).await.status, 201);
    // Becoming an owner, where owners may do something.
    let secret = json!({"type": "secret", "id": "k9", "parents": [at("site", "s1")], "owner": "user:clerk"});
    refused(&yard.post("resources", &clerk, secret.clone()).await, 403, "cannot_grant");
    let mut theirs = yard.get("resources/secret/k1", &clerk).await.json();
    theirs["owner"] = json!("user:clerk");
    refused(&yard.put("resources/secret/k1", &clerk, theirs.clone()).await, 403, "cannot_grant");
    theirs["owner"] = Value::Null;
    refused(&yard.put("resources/secret/k1", &clerk, theirs).await, 403, "cannot_grant");
    assert!(!yard.may("user:clerk", "secret:read", ("secret", "k1")).await);
    // Where owners may do nothing, an owner is a name. Until a grant is about what somebody owns.
    let owned = json!({"owner": "user:clerk"});
    assert_eq!(yard.put("resources/miner/m1", &clerk, owned).await.status, 200);
    yard.made(
        "grants",
        json!({"subject": "user:sam", "effect": "allow", "permissions": ["miner:reboot"], "at": null,
        "own": true}),
    )
    .await;
    let owned = json!({"owner": "user:sam"});
    refused(&yard.put("resources/miner/m1", &clerk, owned).await, 403, "cannot_grant");
    // An attribute that a grant or an exclusion looks at.
    yard.made(
        "grants",
        json!({"subject": "user:carl", "effect": "exclude", "permissions": ["miner:reboot"],
        "at": at("site", "s2"), "require": {"department": "Legal"}}),
    )
    .await;
    let coloured = json!({"owner": "user:clerk", "attributes": {"colour": "red"}});
    assert_eq!(yard.put("resources/miner/m1", &clerk, coloured).await.status, 200);
    let legal = json!({"owner": "user:clerk", "attributes": {"colour": "red", "department": "Legal"}});
    refused(&yard.put("resources/miner/m1", &clerk, legal.clone()).await, 403, "cannot_grant");
    assert_eq!(yard.put("resources/miner/m1", &yard.operator, legal).await.status, 200);
    let coloured = json!({"owner": "user:clerk", "attributes": {"colour": "red"}});
    refused(&yard.put("resources/miner/m1", &clerk, coloured).await, 403, "cannot_grant");
    let legal = json!({"type": "miner", "id": "m8", "parents": [at("site", "s1")], "attributes": {"department": "Legal"}});
    refused(&yard.post("resources", &clerk, legal).await, 403, "cannot_grant");
    // Its life: to end it ends what is above and below it; what does not live answers nobody.
    let miner = yard.get("resources/miner/m1", &clerk).await.json();
    let mut ended = miner.clone();
    ended["active"] = json!(false);
    refused(&yard.put("resources/miner/m1", &clerk, ended.clone()).await, 403, "cannot_grant");
    let on = json!({"active": true});
    refused(&yard.put("resources/miner/off", &clerk, on.clone()).await, 403, "forbidden");
    refused(&yard.put("resources/miner/off", &yard.token("user:keeper"), on.clone()).await, 403, "forbidden");
    assert_eq!(yard.put("resources/miner/off", &yard.token("user:root"), on).await.status, 200);
    let keeper = yard.token("user:keeper");
    assert_eq!(
        yard.put("resources/miner/m1", &keeper, ended).await.status,
        200,
        "who holds everything at it"
    );
    // To delete it takes away what narrows below it.
    refused(&yard.delete("resources/site/s2?cascade=true", &clerk).await, 403, "cannot_grant");
    refused(&yard.delete("resources/miner/m2", &clerk).await, 403, "cannot_grant");
    assert_eq!(yard.delete("resources/secret/k1", &keeper).await.status, 204);
}

#[tokio::test]
async fn what_was_given_before_it_was_listed_does_not_come_into_force_by_anybodys_hand() {
    let mut yard = Yard::new().await;
    let keeper = yard.token("user:keeper");
    let sql = "INSERT INTO grants (organization_id, grant_id, subject_id, at_type, at_id) VALUES
            ('acme', '00000000-0000-0000-0000-000000000001', 'user:sam', 'miner', 'ghost');
        INSERT INTO grant_permissions (organization_id, grant_id, permission)
            VALUES ('acme', '00000000-0000-0000-0000-000000000001', 'miner:reboot')";
    run(&mut yard.setup.connection, sql).await;
    let ghost = json!({"type": "miner", "id": "ghost", "parents": [at("site", "s1")]});
    refused(&yard.post("resources", &keeper, ghost.clone()).await, 403, "needs_everything");
    assert_eq!(yard.post("resources", &yard.token("user:root"), ghost).await.status, 201);
    // Of a type whose ids need not be listed, to list one is to decide who its parents and its owner are.
    let mcp = json!({"type": "mcp", "id": "x", "parents": [at("site", "s1")]});
    refused(&yard.post("resources", &keeper, mcp.clone()).await, 403, "needs_everything");
    assert_eq!(yard.post("resources", &yard.operator, mcp).await.status, 201);
    refused(&yard.delete("resources/mcp/x", &keeper).await, 403, "needs_everything");
}

#[tokio::test]
async fn an_edge_gives_nobody_what_its_writer_does_not_hold() {
    let mut yard = Yard::new().await;
    let (clerk, keeper) = (yard.token("user:clerk"), yard.token("user:keeper"));
    let edge = |child: &str, parent: &str| json!({"child": at("miner", child), "parent": at("site", parent)});
    // The clerk looks after both ends, and may not do everything at the miner: carl would get to restart it.
    let body = refused(&yard.post("edges", &clerk, edge("m1", "s2")).await, 403, "cannot_grant");
    assert_eq!(body["scope"], at("miner", "m1"));
    let capped =
        json!({"child": at("miner", "m1"), "parent": at("site", "s2"), "relation": "ref", "cap": ["reboot"]});
    refused(&yard.post("edges", &clerk, capped).await, 403, "cannot_grant");
    let moved = json!({"parents": [at("site", "s2")]});
    refused(&yard.put("resources/miner/m1", &clerk, moved.clone()).await, 403, "cannot_grant");
    // One over which nothing flows gives nothing.
    let inert = json!({"child": at("miner", "m1"), "parent": at("site", "s2"), "relation": "ref"});
    assert_eq!(yard.post("edges", &clerk, inert).await.status, 201);
    assert!(!yard.may("user:carl", "miner:reboot", ("miner", "m1")).await);
    // The keeper may do everything at m1, and has nothing to say at s2 and at m2.
    let body = refused(&yard.post("edges", &keeper, edge("m1", "s2")).await, 403, "forbidden");
    assert_eq!((&body["required"], &body["scope"]), (&json!("resource:manage"), &at("site", "s2")));
    refused(&yard.put("resources/miner/m1", &keeper, moved).await, 403, "forbidden");
    refused(&yard.post("edges", &keeper, edge("m2", "s1")).await, 403, "forbidden");
    // Not even with a clerk's rights there, since it would then hold everything at m2.
    yard.made("assignments", json!({"subject": "user:keeper", "role": "role:clerk", "at": at("site", "s2")}))
        .await;
    refused(&yard.post("edges", &keeper, edge("m2", "s1")).await, 403, "cannot_grant");
    assert!(!yard.may("user:keeper", "miner:reboot", ("miner", "m2")).await);
    assert_eq!(yard.post("edges", &keeper, edge("m1", "s2")).await.status, 201, "its own to give");
    assert!(yard.may("user:carl", "miner:reboot", ("miner", "m1")).await);
    // A whole tree below another one: everything in it counts, what does not live as well.
    let tree = json!({"child": at("site", "s1"), "parent": at("site", "s2")});
    let body = refused(&yard.post("edges", &keeper, tree).await, 403, "cannot_grant");
    assert_eq!(body["scope"], at("miner", "off"));
    // To take an edge away ends what narrows along it.
    let edge = yard.edge(("miner", "m2"), ("site", "s2")).await;
    refused(&yard.delete(&format!("edges/{edge}"), &clerk).await, 403, "cannot_grant");
    refused(&yard.put("resources/miner/m2", &clerk, json!({"parents": []})).await, 403, "cannot_grant");
    refused(&yard.delete("edges/00000000-0000-0000-0000-000000000000", &clerk).await, 403, "forbidden");
    refused(
        &yard.delete("edges/00000000-0000-0000-0000-000000000000", &yard.token("user:root")).await,
        404,
        "item_not_found",
    );
}

/// LIMIT: what would have to be asked about one by one while nobody else can write.
#[tokio::test]
async fn a_very_large_tree_is_changed_by_those_who_may_do_everything() {
    let mut yard = Yard::new().await;
    let sql = "UPDATE resources SET active = true;
        INSERT INTO resources (organization_id, resource_type, resource_id)
            SELECT 'acme', 'miner', 'n' || number FROM generate_series(1, 10000) AS number;
        INSERT INTO resource_parents (organization_id, child_type, child_id, parent_type, parent_id)
            SELECT 'acme', 'miner', 'n' || number, 'site', 's1' FROM generate_series(1, 10000) AS number";
    run(&mut yard.setup.connection, sql).await;
    let (keeper, root) = (yard.token("user:keeper"), yard.token("user:root"));
    let ends = json!({"expires_at": "2090-01-01T00:00:00Z"});
    refused(&yard.put("resources/site/s1", &keeper, ends.clone()).await, 403, "needs_everything");
    let share = json!({"resource": at("site", "s1"), "subject": "user:bo", "permissions": ["miner:read"]});
    refused(&yard.post("shares", &keeper, share.clone()).await, 403, "needs_everything");
    assert_eq!(yard.put("resources/site/s1", &root, ends.clone()).await.status, 200);
    assert_eq!(yard.post("shares", &root, share).await.status, 201);
    // One by one they are the keeper's.
    assert_eq!(yard.put("resources/miner/n7", &keeper, ends).await.status, 200);
}

/// What lies below a resource without being listed is not its owner's.
#[tokio::test]
async fn an_owner_gives_nothing_below_what_they_own() {
    let mut yard = Yard::new().await;
    let sam = yard.token("user:sam");
    let beneath = json!({"in": [at("drive", "sam")]});
    assert!(yard.may("user:sam", "mcp:call", ("drive", "sam")).await);
    assert!(!yard.decides("user:sam", "mcp:call", ("mcp", "m"), beneath.clone()).await);
    let share = |permission: &str| json!({"resource": at("drive", "sam"), "subject": "user:bo", "permissions": [permission]});
    let answer = refused(&yard.post("shares", &sam, share("mcp:call")).await, 403, "cannot_grant");
    assert_eq!(answer["required"], "mcp:call");
    assert!(!yard.decides("user:bo", "mcp:call", ("mcp", "m"), beneath).await);
    assert_eq!(yard.post("shares", &sam, share("secret:read")).await.status, 201);
    // Nor moves it, or lets it end: its people above it would hold everything there.
    let moved = json!({"owner": "user:sam", "expires_at": "2090-01-01T00:00:00Z"});
    refused(&yard.put("resources/drive/sam", &sam, moved).await, 403, "cannot_grant");
    let given = json!({"owner": "user:bo"});
    assert_eq!(yard.put("resources/drive/sam", &sam, given).await.status, 200, "its owner gives it away");
}

/// Who may read a part of the tree reads the part.
#[tokio::test]
async fn resources_are_read_where_one_may() {
    let yard = Yard::new().await;
    let clerk = yard.token("user:clerk");
    assert_eq!(yard.get("resources/miner/m1", &clerk).await.status, 200);
    refused(&yard.get("resources/drive/ann", &clerk).await, 403, "forbidden");
    refused(&yard.get("resources/miner/none", &clerk).await, 403, "forbidden");
    refused(&yard.get("resources", &clerk).await, 403, "forbidden");
    refused(&yard.get("resources/miner/m1", &yard.token("user:sam")).await, 403, "forbidden");
    assert_eq!(yard.get("resources", &yard.token("user:mira")).await.status, 200);
}
