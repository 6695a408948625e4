//! Grants and exclusions: what is taken and told, and that nobody gains by them what their writer does not hold.

use crate::management_resources::{Yard, at, refused};
use crate::support::run;
use serde_json::{Value, json};

/// A grant by its holder, permissions and place, and what else is said.
fn grant(effect: &str, subject: &str, permissions: &[&str], place: Value, more: Value) -> Value {
    let mut body = json!({"subject": subject, "effect": effect, "permissions": permissions, "at": place});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn allow(subject: &str, permissions: &[&str], place: Value) -> Value {
    grant("allow", subject, permissions, place, json!({}))
}

fn exclude(subject: &str, permissions: &[&str], place: Value) -> Value {
    grant("exclude", subject, permissions, place, json!({}))
}

#[tokio::test]
async fn a_grant_says_what_a_world_can_say() {
    let mut yard = Yard::new().await;
    let operator = yard.operator.clone();
    let s1 = at("site", "s1");
    let body = grant(
        "allow",
        "user:ann@acme.example",
        &["miner:*", "fleet:read", "fleet:read"],
        s1.clone(),
        json!({
        "where": {"env": "test"}, "require": {"rack": "*"}, "session": "night", "own": false,
        "not_before": "2020-01-01T00:00:00Z", "expires_at": "2090-01-01T00:00:00Z"}),
    );
    let key = [("idempotency-key", "g-1")];
    let made = yard.send("POST", "grants", &operator, &key, body.clone()).await;
    assert_eq!(made.status, 201, "{made:?}");
    let wanted = json!({"id": made.json()["id"], "subject": "user:ann", "effect": "allow",
        "permissions": ["fleet:read", "miner:*"], "at": s1, "where": {"env": "test"}, "require": {"rack": "*"},
        "own": false, "session": "night", "share": false, "active": true,
        "not_before": "2020-01-01T00:00:00.000000Z", "expires_at": "2090-01-01T00:00:00.000000Z"});
    assert_eq!(made.json(), wanted);
    assert_eq!(yard.items("grants?subject=user:ann").await, std::slice::from_ref(&wanted));
    // The decision follows all of it.
    let m1 = ("miner", "m1");
    for (with, allowed) in [
        (json!({"session": "night", "where": {"rack": "7"}}), true),
        (json!({"session": "night", "where": {"rack": "7", "env": "test"}}), true),
        (json!({"session": "night", "where": {"rack": "7", "env": "prod"}}), false),
        (json!({"session": "night"}), false),
        (json!({"where": {"rack": "7"}}), false),
        (json!({"session": "night", "where": {"rack": "7"}, "now": "2091-01-01T00:00:00Z"}), false),
    ] {
        assert_eq!(yard.decides("user:ann", "miner:reboot", m1, with.clone()).await, allowed, "{with}");
    }
    // The same once more is no error and writes nothing, whatever the order; with the key it is the first answer.
    let again = yard.post("grants", &operator, body.clone()).await;
    assert_eq!((again.status.as_u16(), again.json()), (200, wanted.clone()));
    assert_eq!(again.header("postern-revision"), made.header("postern-revision"));
    assert_eq!(yard.send("POST", "grants", &operator, &key, body).await.body, made.body);
    let path = format!("grants/{}", wanted["id"].as_str().unwrap());
    let gone = yard.delete(&path, &operator).await;
    assert_eq!((gone.status.as_u16(), gone.header("etag")), (204, ""));
    refused(&yard.delete(&path, &operator).await, 404, "item_not_found");
    let night = json!({"session": "night", "where": {"rack": "7"}});
    assert!(!yard.decides("user:ann", "miner:reboot", m1, night).await);
    let log = yard.items("audit?limit=2").await;
    assert_eq!((&log[0]["operation"], &log[0]["before"]), (&json!("grant.delete"), &wanted));
    assert_eq!((&log[1]["operation"], &log[1]["after"]), (&json!("grant.create"), &wanted));
    // Roles and everybody hold grants, and an exclusion takes.
    yard.made("grants", allow("role:reader", &["miner:reboot"], Value::Null)).await;
    assert!(yard.may("user:sam", "miner:reboot", ("miner", "m2")).await);
    yard.made("grants", allow("user:all", &["fleet:read"], Value::Null)).await;
    assert!(yard.may("user:stranger", "fleet:read", m1).await);
    let taken = yard.made("grants", exclude("user:sam", &["miner:reboot"], at("miner", "m2"))).await;
    assert!(!yard.may("user:sam", "miner:reboot", ("miner", "m2")).await);
    assert_eq!(yard.items("grants?effect=exclude").await, [taken]);
}

#[tokio::test]
async fn every_fault_of_a_grant_is_named() {
    let yard = Yard::new().await;
    let s1 = at("site", "s1");
    let with = |more: Value| grant("allow", "user:sam", &["miner:read"], at("site", "s1"), more);
    for (body, code, said) in [
        (
            json!({"subject": "user:sam", "permissions": ["miner:read"], "at": s1}),
            "invalid_request",
            "`effect`",
        ),
        (
            json!({"subject": "user:sam", "effect": "allow", "permissions": ["miner:read"]}),
            "invalid_request",
            "`at`",
        ),
        (grant("deny", "user:sam", &["miner:read"], s1.clone(), json!({})), "invalid_request", "deny"),
        (allow("sam", &["miner:read"], s1.clone()), "invalid_request", "subject: "),
        (allow("role:none", &["miner:read"], s1.clone()), "unknown_role", "role"),
        (allow("group:none", &["miner:read"], s1.clone()), "unknown_group", "group"),
        (allow("user:sam", &[], s1.clone()), "invalid_request", "permissions: "),
        (allow("user:sam", &["miner:fly", "x:*"], s1.clone()), "unknown_permissions", "permissions"),
        (allow("user:sam", &["miner:read"], at("site", "none")), "unknown_scope", "resource"),
        (allow("user:sam", &["miner:read"], at("house", "h")), "unknown_scope", "resource"),
        (allow("user:sam", &["miner:read"], at("site", "*")), "invalid_request", "at/id: "),
        (with(json!({"where": {"a": "\u{0}"}})), "invalid_request", "where/a: "),
        (with(json!({"require": {"a": "x".repeat(4097)}})), "invalid_request", "require/a: "),
        (with(json!({"require": {"a": 1}})), "invalid_request", "a string"),
        (with(json!({"session": ""})), "invalid_request", "session: "),
        (with(json!({"expires_at": "x"})), "invalid_request", "expires_at: "),
        (with(json!({"role": "x"})), "invalid_request", "`role`"),
    ] {
        let answer = refused(&yard.post("grants", &yard.operator, body.clone()).await, 400, code);
        assert!(answer["detail"].as_str().unwrap().contains(said), "{body}: {answer}");
    }
}

#[tokio::test]
async fn a_grant_gives_nobody_what_its_writer_does_not_hold() {
    let mut yard = Yard::new().await;
    let mira = yard.token("user:mira");
    let s1 = at("site", "s1");
    // What mira holds, under whatever condition, in a session and for later.
    for more in [
        json!({}),
        json!({"where": {"a": "b"}}),
        json!({"require": {"a": "b"}}),
        json!({"own": true}),
        json!({"session": "x"}),
        json!({"not_before": "2999-01-01T00:00:00Z"}),
    ] {
        let made =
            yard.post("grants", &mira, grant("allow", "user:sam", &["miner:read"], s1.clone(), more)).await;
        assert_eq!(made.status, 201, "{made:?}");
    }
    assert!(yard.may("user:sam", "miner:read", ("miner", "m1")).await);
    // And nothing else: not under a condition either, nor for later, for herself, a group or a role.
    for (subject, more) in [
        ("user:sam", json!({})),
        ("user:mira", json!({})),
        ("group:crew", json!({})),
        ("role:reader", json!({})),
        ("user:nobody", json!({"require": {"env": "test"}})),
        ("user:mira", json!({"session": "x"})),
        ("user:mira", json!({"own": true})),
        ("user:mira", json!({"not_before": "2999-01-01T00:00:00Z"})),
        ("user:mira", json!({"active": false})),
    ] {
        let body = grant("allow", subject, &["miner:read", "miner:reboot"], s1.clone(), more);
        let answer = refused(&yard.post("grants", &mira, body).await, 403, "cannot_grant");
        assert_eq!(answer["required"], "miner:reboot", "{subject}");
    }
    refused(&yard.post("grants", &mira, allow("user:sam", &["*"], Value::Null)).await, 403, "cannot_grant");
    // What is implied by a permission comes with it: mira holds the first of three steps, and by that may do the second.
    // To give the second would be to give the third.
    assert!(yard.may("user:mira", "step:two", ("site", "s1")).await);
    let answer = refused(
        &yard.post("grants", &mira, allow("user:sam", &["step:two"], s1.clone())).await,
        403,
        "cannot_grant",
    );
    assert_eq!(answer["required"], "step:three");
    assert_eq!(yard.post("grants", &mira, allow("user:sam", &["step:one"], s1.clone())).await.status, 201);
    // The same by a role that begins later, where comparing now would not show it.
    let role = yard.made("roles", json!({"name": "Steps", "permissions": ["step:two"]})).await["id"].clone();
    let later = json!({"subject": "user:sam", "role": role, "at": s1, "not_before": "2999-01-01T00:00:00Z"});
    let answer = refused(&yard.post("assignments", &mira, later).await, 403, "cannot_grant");
    assert_eq!(answer["required"], "step:three");
    // Everything below counts: at a miner with a parent where mira holds nothing, nobody gets anything by her hand.
    yard.made("roles", json!({"name": "Nothing", "permissions": []})).await;
    let nothing =
        yard.items("roles").await.iter().find(|role| role["name"] == "Nothing").unwrap()["id"].clone();
    yard.made("assignments", json!({"subject": "user:mira", "role": nothing, "at": at("site", "s2")})).await;
    assert_eq!(yard.post("grants", &mira, allow("user:ann", &["miner:read"], s1.clone())).await.status, 201);
    yard.made("edges", json!({"child": at("miner", "m1"), "parent": at("site", "s2")})).await;
    let answer = refused(
        &yard.post("grants", &mira, allow("user:bo", &["miner:read"], s1.clone())).await,
        403,
        "cannot_grant",
    );
    assert_eq!(answer["scope"], at("miner", "m1"));
    // Whoever manages no roles there writes no grants there; everybody's are for those who may do everything.
    let keeper = yard.token("user:keeper");
    refused(
        &yard.post("grants", &keeper, allow("user:bo", &["miner:read"], at("site", "s2"))).await,
        403,
        "forbidden",
    );
    refused(
        &yard.post("grants", &keeper, allow("role:reader", &["miner:read"], s1.clone())).await,
        403,
        "forbidden",
    );
    refused(
        &yard.post("grants", &keeper, allow("user:all", &["miner:read"], s1.clone())).await,
        403,
        "gives_to_everybody",
    );
    assert_eq!(
        yard.post("grants", &yard.token("user:root"), allow("user:all", &["miner:read"], s1)).await.status,
        201
    );
}

/// Who holds something in one environment holds it in no other, and gives it away in none.
#[tokio::test]
async fn what_is_held_under_a_condition_is_not_given() {
    let mut yard = Yard::new().await;
    let (mira, s1) = (yard.token("user:mira"), at("site", "s1"));
    let narrow =
        grant("allow", "user:mira", &["miner:reboot"], Value::Null, json!({"where": {"env": "test"}}));
    let narrow = yard.made("grants", narrow).await;
    // As asked without an environment, it counts.
    assert!(yard.may("user:mira", "miner:reboot", ("site", "s1")).await);
    for (subject, more) in [
        ("user:mira", json!({})),
        ("user:mira", json!({"where": {"env": "prod"}})),
        ("user:sam", json!({"where": {"env": "test"}})),
    ] {
        let body = grant("allow", subject, &["miner:reboot"], s1.clone(), more);
        refused(&yard.post("grants", &mira, body).await, 403, "cannot_grant");
    }
    // By no other way either.
    let role = json!({"name": "Rebooters", "permissions": ["miner:reboot"]});
    refused(&yard.post("roles", &mira, role.clone()).await, 403, "cannot_grant");
    let role = yard.made("roles", role).await["id"].clone();
    let give = json!({"subject": "user:mira", "role": role, "at": s1});
    let answer = yard.post("assignments", &mira, give.clone()).await;
    assert!(["cannot_grant", "holds_more"].contains(&answer.code().as_str()), "{answer:?}");
    let give = json!({"subject": "user:sam", "role": role, "at": s1});
    refused(&yard.post("assignments", &mira, give).await, 403, "cannot_grant");
    let share =
        json!({"resource": at("miner", "m1"), "subject": "user:sam", "permissions": ["miner:reboot"]});
    refused(&yard.post("shares", &mira, share).await, 403, "cannot_grant");
    assert_eq!(
        yard.delete(&format!("grants/{}", narrow["id"].as_str().unwrap()), &yard.operator).await.status,
        204
    );
    // Everything in one environment is not everything.
    let all = grant("allow", "user:eve", &["*"], Value::Null, json!({"where": {"env": "test"}}));
    yard.made("grants", all).await;
    let eve = yard.token("user:eve");
    refused(&yard.post("grants", &eve, allow("user:eve", &["*"], Value::Null)).await, 403, "forbidden");
    refused(&yard.post("roles", &eve, json!({"name": "Mine", "permissions": ["*"]})).await, 403, "forbidden");
    refused(&yard.put("resources/miner/m1", &eve, json!({"owner": "user:eve"})).await, 403, "forbidden");
}

#[tokio::test]
async fn an_exclusion_takes_from_nobody_who_may_do_more() {
    let mut yard = Yard::new().await;
    let mira = yard.token("user:mira");
    run(
        &mut yard.setup.connection,
        "UPDATE roles SET builtin_key = 'ALL', immutable = true WHERE role_id = 'role:all';
         INSERT INTO memberships (organization_id, subject_id, group_id) VALUES ('acme', 'user:root', 'group:crew');
         INSERT INTO assignments (organization_id, subject_id, role_id) VALUES ('acme', 'user:root', 'role:reader')",
    )
    .await;
    for (subject, status, code) in [
        ("user:root", 403, "holds_more"),
        // Somebody in it, or somebody who is assigned it.
        ("group:crew", 403, "holds_more"),
        ("role:reader", 403, "holds_more"),
        ("role:all", 403, "BUILTIN_ROLE_IMMUTABLE"),
        ("user:all", 403, "gives_to_everybody"),
    ] {
        refused(
            &yard.post("grants", &mira, exclude(subject, &["miner:read"], Value::Null)).await,
            status,
            code,
        );
    }
    let all = allow("role:all", &["miner:read"], Value::Null);
    refused(&yard.post("grants", &yard.operator, all).await, 403, "BUILTIN_ROLE_IMMUTABLE");
    // Nor what one could not give back: ann's own secrets are nothing that mira may do anything with.
    for (subject, permission) in [("user:sam", "miner:reboot"), ("user:ann", "secret:read")] {
        let taken = exclude(subject, &[permission], at("site", "s1"));
        let answer = refused(&yard.post("grants", &mira, taken).await, 403, "cannot_grant");
        assert_eq!(answer["required"], permission);
    }
    let taken = exclude("user:sam", &["miner:read"], at("site", "s2"));
    let made = yard.post("grants", &mira, taken).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert!(!yard.may("user:sam", "miner:read", ("miner", "m2")).await);
    let path = format!("grants/{}", made.json()["id"].as_str().unwrap());
    assert_eq!(yard.delete(&path, &mira).await.status, 204);
    assert!(yard.may("user:sam", "miner:read", ("miner", "m2")).await);
}

/// To end an exclusion is to give what it took.
#[tokio::test]
async fn an_exclusion_is_ended_by_whoever_holds_what_it_took() {
    let mut yard = Yard::new().await;
    let (mira, root) = (yard.token("user:mira"), yard.token("user:root"));
    yard.made("assignments", json!({"subject": "user:carl", "role": "role:all", "at": at("site", "s1")}))
        .await;
    let path = |item: &Value| format!("grants/{}", item["id"].as_str().unwrap());
    // carl may do everything at s1 but restart; mira may not restart, and root may.
    yard.made("grants", allow("user:sam", &["miner:reboot"], at("site", "s1"))).await;
    let taken = yard.made("grants", exclude("user:sam", &["miner:reboot"], at("site", "s1"))).await;
    assert!(!yard.may("user:sam", "miner:reboot", ("miner", "m1")).await);
    refused(&yard.delete(&path(&taken), &mira).await, 403, "cannot_grant");
    assert_eq!(yard.delete(&path(&taken), &root).await.status, 204);
    assert!(yard.may("user:sam", "miner:reboot", ("miner", "m1")).await);
    // What an exclusion excludes besides what it names counts as well.
    yard.made("grants", allow("user:mira", &["miner:reboot"], Value::Null)).await;
    let taken = yard.made("grants", exclude("user:ann", &["miner:reboot"], at("site", "s1"))).await;
    let answer = refused(&yard.delete(&path(&taken), &mira).await, 403, "cannot_grant");
    assert_eq!(answer["required"], "miner:reset");
    yard.made("grants", allow("user:mira", &["miner:reset"], Value::Null)).await;
    assert_eq!(yard.delete(&path(&taken), &mira).await.status, 204);
    // Nobody ends his own, also where it is not in force at the moment.
    for more in [
        json!({}),
        json!({"require": {"env": "prod"}}),
        json!({"session": "x"}),
        json!({"own": true}),
        json!({"not_before": "2999-01-01T00:00:00Z"}),
    ] {
        let own = yard
            .made("grants", grant("exclude", "user:mira", &["miner:reboot"], at("site", "s1"), more))
            .await;
        let answer = yard.delete(&path(&own), &mira).await;
        assert!(["cannot_grant", "holds_more"].contains(&answer.code().as_str()), "{answer:?}");
        assert_eq!(yard.delete(&path(&own), &yard.operator).await.status, 204);
    }
    // To take a grant away is always possible of who may do no more.
    let given = yard.made("grants", allow("user:bo", &["miner:reboot"], at("site", "s1"))).await;
    assert_eq!(yard.delete(&path(&given), &mira).await.status, 204);
    let more = yard.made("grants", allow("user:root", &["miner:reboot"], at("site", "s1"))).await;
    refused(&yard.delete(&path(&more), &mira).await, 403, "holds_more");
    refused(&yard.delete("grants/x", &yard.token("user:sam")).await, 404, "item_not_found");
    refused(
        &yard.delete("grants/00000000-0000-0000-0000-000000000000", &yard.token("user:sam")).await,
        403,
        "forbidden",
    );
}
