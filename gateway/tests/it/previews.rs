//! What a write would change is told before it is made, exactly, and nothing is written by asking.

use crate::management::Fleet;
use crate::management_calls::endpoints;
use crate::support::{PATIENCE, revision, run};
use postern_resolver::view::View;
use postern_resolver::{Context, Question, check};
use postern_snapshot::Snapshot;
use postern_vocab::Decision;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// A place that is no scope, which a write is about.
type About<'a> = Option<(&'a str, &'a str)>;

/// Subject, place, permission.
type Right = (String, Option<(String, String)>, String);

const PEOPLE: [&str; 9] = [
    "user:abe",
    "user:ada",
    "user:kay",
    "user:new",
    "user:none",
    "user:rolf",
    "user:root",
    "user:root2",
    "user:tess",
];

/// The organization, every site that there ever is, and a place that is no scope.
fn places(about: About<'_>) -> BTreeSet<Option<(String, String)>> {
    let sites = ["s1", "s2", "s9"].map(|id| Some(("site", id)));
    let all = sites.into_iter().chain([None, about]);
    all.map(|place| place.map(|(kind, id)| (kind.to_owned(), id.to_owned()))).collect()
}

/// Who may do what where, by the published snapshot, question by question.
async fn rights(fleet: &mut Fleet, about: About<'_>) -> BTreeSet<Right> {
    let newest = revision(&mut fleet.setup.connection, "acme").await;
    let begun = Instant::now();
    let bytes = loop {
        let answer = fleet.setup.get("/v1/organizations/acme/snapshot", &fleet.setup.key).await;
        if answer.header("postern-revision") == newest.to_string() {
            break answer.body;
        }
        assert!(begun.elapsed() < PATIENCE, "revision {newest} was not published");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    };
    let view = Snapshot::open(&bytes).unwrap();
    let now = postern_gateway::clock::now_micros();
    let mut rights = BTreeSet::new();
    for subject in PEOPLE {
        for place in places(about) {
            for permission in (0..view.permission_count()).map(|permission| view.permission_key(permission)) {
                let resource = place.as_ref().map(|(kind, id)| (kind.as_str(), id.as_str()));
                let context = Context { now, ..Context::default() };
                let answer = check(&view, &Question { subject, permission, resource, context });
                if answer.unwrap().decision() == Decision::Allow {
                    rights.insert((subject.to_owned(), place.clone(), permission.to_owned()));
                }
            }
        }
    }
    rights
}

/// The rows of a preview as rights.
fn told(preview: &Value, side: &str) -> BTreeSet<Right> {
    let mut told = BTreeSet::new();
    for row in preview["changes"].as_array().unwrap() {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let at = row["at"].as_object().map(|at| (text(&at["type"]), text(&at["id"])));
        for permission in row[side].as_array().unwrap() {
            assert!(told.insert((text(&row["subject"]), at.clone(), text(permission))), "twice: {row}");
        }
    }
    told
}

fn with_preview(path: &str) -> String {
    format!("{path}{}preview=true", if path.contains('?') { '&' } else { '?' })
}

#[tokio::test]
async fn what_is_told_before_a_write_is_what_it_does() {
    let mut fleet = Fleet::new().await;
    let operator = fleet.operator.clone();
    let any = [("if-match", "*")];
    let of_kind = |path: &str| path.split(['/', '?']).next().unwrap().to_owned();
    let place = |kind: &str, id: &str| json!({"type": kind, "id": id});
    let subject = |id: &str| json!({"id": id});
    // `LAST` is what the last write of that kind made.
    let writes: [(&str, &str, Value, About<'_>); 29] = [
        ("POST", "subjects", subject("user:kay"), None),
        ("POST", "subjects", subject("user:new"), None),
        ("POST", "roles", json!({"name": "Reboots", "permissions": ["fleet:read", "miner:read"]}), None),
        ("POST", "assignments", json!({"subject": "user:kay", "role": "LAST roles", "at": null}), None),
        (
            "PUT",
            "roles/LAST roles",
            json!({"name": "Reboots", "permissions": ["fleet:read", "miner:*"]}),
            None,
        ),
        (
            "POST",
            "assignments",
            json!({"subject": "user:all", "role": "LAST roles", "at": place("site", "s2")}),
            None,
        ),
        ("PUT", "roles/LAST roles", json!({"name": "Reboots", "permissions": ["rack:read"]}), None),
        ("DELETE", "assignments/LAST assignments", Value::Null, None),
        ("POST", "memberships", json!({"subject": "user:new", "group": "group:crew"}), None),
        (
            "POST",
            "assignments",
            json!({"subject": "group:crew", "role": "role:system:ADMIN", "at": place("site", "s1")}),
            None,
        ),
        ("DELETE", "memberships/LAST memberships", Value::Null, None),
        (
            "POST",
            "grants",
            json!({"subject": "user:none", "effect": "allow", "permissions": ["miner:reboot"],
            "at": place("miner", "m1")}),
            Some(("miner", "m1")),
        ),
        (
            "POST",
            "grants",
            json!({"subject": "user:root", "effect": "exclude", "permissions": ["miner:*"],
            "at": place("site", "s1")}),
            None,
        ),
        ("DELETE", "grants/LAST grants", Value::Null, None),
        (
            "POST",
            "grants",
            json!({"subject": "user:none", "effect": "allow", "permissions": ["fleet:read"], "at": null,
            "where": {"env": "test"}}),
            None,
        ),
        (
            "POST",
            "shares",
            json!({"subject": "user:none", "permissions": ["miner:read"],
            "resource": place("miner", "m1")}),
            Some(("miner", "m1")),
        ),
        ("DELETE", "shares/LAST shares", Value::Null, Some(("miner", "m1"))),
        (
            "POST",
            "edges",
            json!({"child": place("miner", "m1"), "parent": place("site", "s2")}),
            Some(("miner", "m1")),
        ),
        ("PUT", "resources/site/s2", json!({"active": false}), None),
        ("PUT", "resources/site/s2", json!({"active": true}), None),
        (
            "POST",
            "presets",
            json!({"name": "Member", "type": "site", "permissions": ["fleet:read"], "auto_assign": true}),
            None,
        ),
        ("POST", "scopes", json!({"type": "site", "id": "s9", "creator": "user:kay"}), None),
        ("POST", "scopes/site/s9/members", subject_only("user:new"), None),
        ("DELETE", "scopes/site/s9", Value::Null, None),
        ("POST", "scopes/site/s9/restore", Value::Null, None),
        ("POST", "scopes/site/s9/purge", Value::Null, None),
        ("PUT", "subjects/user:tess", json!({"active": false}), None),
        ("DELETE", "subjects/user:ada", Value::Null, None),
        ("DELETE", "roles/LAST roles?reassign_to=role:system:FIELD_TECH", Value::Null, None),
    ];
    let mut last: BTreeMap<String, String> = BTreeMap::new();
    let mut gained = 0;
    for (method, path, body, about) in writes {
        let with_last = |text: &str| {
            last.iter().fold(text.to_owned(), |text, (kind, id)| text.replace(&format!("LAST {kind}"), id))
        };
        let (path, body) =
            (with_last(path), serde_json::from_str::<Value>(&with_last(&body.to_string())).unwrap());
        let name = format!("{method} {path} {body}");
        let before = rights(&mut fleet, about).await;
        let at = revision(&mut fleet.setup.connection, "acme").await;
        let audited = fleet.get("audit?limit=1", &operator).await.json();
        let asked = fleet.send(method, &with_preview(&path), &operator, &any, body.clone()).await;
        assert_eq!(asked.status, 200, "{name}: {asked:?}");
        let preview = asked.json();
        // Whoever may do everything is told the same; once something narrows it, it may not.
        let root = fleet.setup.token("user:root2", 60);
        let by_root = fleet.send(method, &with_preview(&path), &root, &any, body.clone()).await;
        if by_root.status == 200 {
            assert_eq!(by_root.json(), preview, "{name}");
        }
        assert_eq!(revision(&mut fleet.setup.connection, "acme").await, at, "{name}: nothing was written");
        assert_eq!(
            fleet.get("audit?limit=1", &operator).await.json(),
            audited,
            "{name}: nothing was written"
        );
        assert_eq!(preview["revision"], at.to_string(), "{name}");
        let done = fleet.send(method, &path, &operator, &any, body).await;
        assert!(done.status.is_success(), "{name}: {done:?}");
        if done.status == 201 {
            last.insert(of_kind(&path), done.json()["id"].as_str().unwrap().to_owned());
        }
        let after = rights(&mut fleet, about).await;
        for (side, wanted) in [("gained", &after - &before), ("lost", &before - &after)] {
            assert_eq!(told(&preview, side), wanted, "{name}: {side}");
            let subjects: BTreeSet<&String> = wanted.iter().map(|right| &right.0).collect();
            let counted = json!({"subjects": subjects.len(), "permissions": wanted.len()});
            assert_eq!(preview[side], counted, "{name}: {side}");
            assert!(preview["concerned"].as_u64().unwrap() >= subjects.len() as u64, "{name}");
            gained += wanted.len();
        }
        assert_eq!(preview["more"], false);
    }
    assert!(gained > 50, "the writes change something: {gained}");
}

fn subject_only(id: &str) -> Value {
    json!({"subject": id})
}

/// Conditions are not asked about; that somebody is concerned is said.
#[tokio::test]
async fn who_is_concerned_under_conditions_only_is_counted() {
    let fleet = Fleet::new().await;
    let grant = json!({"subject": "user:none", "effect": "allow", "permissions": ["fleet:read"], "at": null,
        "require": {"env": "test"}});
    let preview = fleet.post("grants?preview=true", &fleet.operator, grant).await.json();
    assert_eq!((&preview["concerned"], &preview["changes"]), (&json!(1), &json!([])));
    let same = json!({"name": "Admin", "permissions": fleet.get("roles/role:system:ADMIN", &fleet.operator).await.json()
        ["permissions"]});
    let any = [("if-match", "*")];
    let role = "roles/role:system:ADMIN?preview=true";
    let preview = fleet.send("PUT", role, &fleet.operator, &any, same).await.json();
    assert_eq!((&preview["concerned"], &preview["preview"]), (&json!(0), &json!(true)));
}

/// Asking needs what writing needs, and is refused as that is.
#[tokio::test]
async fn a_preview_is_held_to_what_its_write_is() {
    let mut fleet = Fleet::new().await;
    let there = "INSERT INTO presets (organization_id, preset_id, name, name_key, resource_type)
        VALUES ('acme', '00000000-0000-0000-0000-000000000007', 'P7', 'p7', 'site')";
    run(&mut fleet.setup.connection, there).await;
    let reader = fleet.setup.key.clone();
    let nobody = fleet.setup.token("user:none", 60);
    for (method, path, body) in endpoints() {
        let name = format!("{method} {path}");
        let ask = async |bearer: &str, path: &str| {
            fleet.send(method, path, bearer, &[("if-match", "*")], body.clone()).await
        };
        let path_asked = with_preview(path);
        if matches!((method, path), ("GET", _) | (_, "explain")) {
            assert_eq!(ask(&fleet.operator, &path_asked).await.code(), "invalid_query", "{name}");
            continue;
        }
        assert_eq!(ask(&reader, &path_asked).await.code(), "read_only_key", "{name}");
        assert_eq!(ask(&nobody, &path_asked).await.code(), "forbidden", "{name}");
        let odd = format!("{path}?preview=perhaps");
        assert_eq!(ask(&fleet.operator, &odd).await.code(), "invalid_query", "{name}");
    }
    let rolf = fleet.setup.token("user:rolf", 60);
    let more = json!({"name": "More", "permissions": ["audit:read"]});
    assert_eq!(fleet.post("roles?preview=true", &rolf, more).await.code(), "cannot_grant");
    let stale = [("if-match", "\"old\"")];
    let role = fleet.send(
        "DELETE",
        "roles/role:system:FIELD_TECH?preview=true",
        &fleet.operator,
        &stale,
        Value::Null,
    );
    assert_eq!(role.await.code(), "precondition_failed");
    // What the database checks at the end of a transaction is checked as well.
    let any = [("if-match", "*")];
    for root in ["user:root", "user:root2"] {
        let path = format!("subjects/{root}");
        let asked = fleet.send("DELETE", &with_preview(&path), &fleet.operator, &any, Value::Null).await;
        let done = fleet.send("DELETE", &path, &fleet.operator, &any, Value::Null).await;
        assert_eq!(asked.status.is_success(), done.status.is_success(), "{root}");
        if !done.status.is_success() {
            assert_eq!(asked.code(), done.code());
        }
    }
    // A request that is asked about is not one that was made.
    let key = [("idempotency-key", "once")];
    let role = json!({"name": "Once", "permissions": []});
    let path = "roles?preview=true";
    for _ in 0..2 {
        let asked = fleet.send("POST", path, &fleet.operator, &key, role.clone()).await;
        assert_eq!((asked.status.as_u16(), asked.json()["preview"] == true), (200, true));
    }
    assert_eq!(fleet.send("POST", "roles", &fleet.operator, &key, role).await.status, 201);
}
