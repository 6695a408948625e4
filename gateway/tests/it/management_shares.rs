//! Shares: made of an edge and a grant, which go together, and of nothing else.

use crate::management_resources::{Yard, at, refused};
use crate::support::{refused_by, revision, run};
use serde_json::{Value, json};

/// Every edge and grant, with its id: what must be as it was.
async fn facts(yard: &mut Yard) -> Vec<String> {
    let mut all = Vec::new();
    for table in
        ["resources", "resource_parents", "grants", "grant_permissions", "assignments", "roles", "subjects"]
    {
        let sql = format!("SELECT row_to_json({table})::text FROM {table} ORDER BY 1");
        let rows: Vec<String> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(&mut yard.setup.connection).await.unwrap();
        all.extend(rows.into_iter().map(|row| format!("{table} {row}")));
    }
    all
}

fn share(subject: &str, permissions: &[&str]) -> Value {
    json!({"resource": at("secret", "k1"), "subject": subject, "permissions": permissions, "into": at("drive", "sam")})
}

#[tokio::test]
async fn a_share_is_an_edge_and_a_grant_and_both_go_together() {
    let mut yard = Yard::new().await;
    let operator = yard.operator.clone();
    // What says the same beside it: an edge, a grant and, to a group, a share.
    yard.made("edges", json!({"child": at("secret", "k1"), "parent": at("drive", "sam"), "relation": "ref"}))
        .await;
    yard.made(
        "grants",
        json!({"subject": "user:sam", "effect": "allow", "permissions": ["secret:read"],
        "at": at("miner", "m1")}),
    )
    .await;
    yard.made("shares", share("group:crew", &["secret:read"])).await;
    let before = facts(&mut yard).await;
    let k1 = ("secret", "k1");
    assert!(!yard.may("user:sam", "secret:read", k1).await);
    let key = [("idempotency-key", "s-1")];
    let made = yard.send("POST", "shares", &operator, &key, share("user:sam", &["secret:read"])).await;
    assert_eq!(made.status, 201, "{made:?}");
    let wanted = json!({"id": made.json()["id"], "resource": at("secret", "k1"), "subject": "user:sam",
        "permissions": ["secret:read"], "into": at("drive", "sam"), "active": true, "not_before": null,
        "expires_at": null});
    assert_eq!(made.json(), wanted);
    let id = wanted["id"].as_str().unwrap().to_owned();
    // BA-17: what is shared, and what is not.
    assert!(yard.may("user:sam", "secret:read", k1).await);
    assert!(!yard.may("user:sam", "secret:write", k1).await);
    // What sam holds at home does not flow to it.
    yard.made("assignments", json!({"subject": "user:sam", "role": "role:all", "at": at("drive", "sam")}))
        .await;
    assert!(yard.may("user:sam", "secret:write", ("drive", "sam")).await);
    assert!(!yard.may("user:sam", "secret:write", k1).await);
    // The receiver's home lists it; the resource tells its own edges only.
    assert_eq!(yard.items("edges?parent_type=drive&parent_id=sam").await.len(), 3);
    let resource = yard.get("resources/secret/k1", &operator).await.json();
    assert_eq!(resource["parents"].as_array().unwrap().len(), 3);
    assert_eq!(yard.items("shares?resource_type=secret&resource_id=k1").await.len(), 2);
    // AB-7, BA-46: shared twice is shared once.
    let again = yard.post("shares", &operator, share("user:sam", &["secret:read"])).await;
    assert_eq!((again.status.as_u16(), again.json()), (200, wanted.clone()));
    assert_eq!(
        yard.send("POST", "shares", &operator, &key, share("user:sam", &["secret:read"])).await.body,
        made.body
    );
    // Its parts go with it, and not by themselves.
    let edges = yard.items("edges?child_type=secret&child_id=k1").await;
    let edge = edges.iter().find(|edge| edge["share"] == json!(id)).unwrap();
    let edge = format!("edges/{}", edge["id"].as_str().unwrap());
    refused(&yard.delete(&edge, &operator).await, 409, "part_of_share");
    refused(&yard.delete(&format!("grants/{id}"), &operator).await, 409, "part_of_share");
    // A change of the resource leaves its shares as they are.
    let mut change = resource.clone();
    change["attributes"] = json!({"colour": "red"});
    assert_eq!(yard.put("resources/secret/k1", &operator, change).await.status, 200);
    change = resource;
    assert_eq!(yard.put("resources/secret/k1", &operator, change).await.status, 200);
    let home = yard.items("assignments?subject=user:sam&role=role:all").await[0]["id"].clone();
    yard.delete(&format!("assignments/{}", home.as_str().unwrap()), &operator).await;
    // BA-62: ended, it is nowhere any more, and everything else is as it was.
    assert_eq!(yard.delete(&format!("shares/{id}"), &operator).await.status, 204);
    assert!(!yard.may("user:sam", "secret:read", k1).await);
    assert_eq!(facts(&mut yard).await, before);
    refused(&yard.delete(&format!("shares/{id}"), &operator).await, 404, "item_not_found");
    let log = yard.items(&format!("audit?target={id}")).await;
    assert_eq!((&log[0]["operation"], &log[0]["before"]), (&json!("share.delete"), &wanted));
    // A grant that is no share is not ended as one.
    let grant = yard.items("grants?at_type=miner&at_id=m1").await[0]["id"].clone();
    refused(
        &yard.delete(&format!("shares/{}", grant.as_str().unwrap()), &operator).await,
        404,
        "item_not_found",
    );
}

/// BA-40: who has the resource by right keeps it, whichever comes first.
#[tokio::test]
async fn a_share_neither_blocks_nor_escalates_ownership() {
    let mut yard = Yard::new().await;
    yard.made("assignments", json!({"subject": "user:sam", "role": "role:all", "at": at("drive", "sam")}))
        .await;
    let k1 = ("secret", "k1");
    // First the share, then the edge by which sam has all of it.
    let first = yard.made("shares", share("user:sam", &["secret:read"])).await;
    let edge = json!({"child": at("secret", "k1"), "parent": at("drive", "sam")});
    let edge = yard.made("edges", edge).await;
    assert!(yard.may("user:sam", "secret:write", k1).await);
    assert_eq!(
        yard.delete(&format!("shares/{}", first["id"].as_str().unwrap()), &yard.operator).await.status,
        204
    );
    assert!(yard.may("user:sam", "secret:write", k1).await);
    // First the edge, then a share, which is not more than it says when the edge is gone.
    yard.made("shares", share("user:sam", &["secret:read"])).await;
    assert_eq!(
        yard.delete(&format!("edges/{}", edge["id"].as_str().unwrap()), &yard.operator).await.status,
        204
    );
    assert!(!yard.may("user:sam", "secret:write", k1).await);
    assert!(yard.may("user:sam", "secret:read", k1).await);
    // Ended by SQL, it goes as whole; and its edge is none that lets anything flow.
    let connection = &mut yard.setup.connection;
    let wide = "UPDATE resource_parents SET relation = 'auto' WHERE share_grant_id IS NOT NULL";
    assert_eq!(refused_by(connection, wide).await, "resource_parents_share_form");
    let more = "UPDATE grants SET own = true WHERE shared";
    assert_eq!(refused_by(connection, more).await, "grants_shared_form");
    run(connection, "DELETE FROM grants WHERE shared").await;
    assert_eq!(yard.items("edges?parent_type=drive&parent_id=sam").await, Vec::<Value>::new());
    // With the receiver's home its place is gone, and not the share; with the resource all of it.
    let third = yard.made("shares", share("user:sam", &["secret:read"])).await;
    assert_eq!(yard.delete("resources/drive/sam?cascade=true", &yard.operator).await.status, 204);
    let mut left = third.clone();
    left["into"] = Value::Null;
    assert_eq!(yard.items("shares").await, [left]);
    assert_eq!(yard.delete("resources/secret/k1?cascade=true", &yard.operator).await.status, 204);
    assert_eq!(yard.items("shares").await, Vec::<Value>::new());
}

#[tokio::test]
async fn who_may_share_shares_what_they_hold() {
    let mut yard = Yard::new().await;
    let (ann, sam, mira) = (yard.token("user:ann"), yard.token("user:sam"), yard.token("user:mira"));
    // Owners of secrets may share them; they manage nothing else.
    let made = yard.post("shares", &ann, share("user:sam", &["secret:read"])).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert!(yard.may("user:sam", "secret:read", ("secret", "k1")).await);
    let log = yard.items("audit?limit=1").await;
    assert_eq!((&log[0]["operation"], &log[0]["actor"]), (&json!("share.create"), &json!("user:ann")));
    // Not what ann does not hold at it, not to everybody, and not what is not hers.
    let answer =
        refused(&yard.post("shares", &ann, share("user:sam", &["miner:read"])).await, 403, "cannot_grant");
    assert_eq!((&answer["required"], &answer["scope"]), (&json!("miner:read"), &at("secret", "k1")));
    refused(&yard.post("shares", &ann, share("user:sam", &["*"])).await, 403, "cannot_grant");
    refused(&yard.post("shares", &ann, share("user:all", &["secret:read"])).await, 403, "gives_to_everybody");
    let site = json!({"resource": at("site", "s1"), "subject": "user:ann", "permissions": ["miner:read"]});
    refused(&yard.post("shares", &ann, site).await, 403, "forbidden");
    // Who was given it does not give it on, and ends no share but by its owner's hand; mira may not read it.
    refused(&yard.post("shares", &sam, share("user:bo", &["secret:read"])).await, 403, "forbidden");
    let path = format!("shares/{}", made.json()["id"].as_str().unwrap());
    refused(&yard.delete(&path, &sam).await, 403, "forbidden");
    refused(&yard.post("shares", &mira, share("user:bo", &["secret:read"])).await, 403, "cannot_grant");
    // Ann sees who has it, and no other shares.
    let list = yard.get("shares?resource_type=secret&resource_id=k1", &ann).await;
    assert_eq!(list.json()["items"], json!([made.json()]));
    refused(&yard.get("shares", &ann).await, 403, "forbidden");
    refused(&yard.get("shares?resource_type=miner&resource_id=m1", &ann).await, 403, "forbidden");
    assert_eq!(yard.delete(&path, &ann).await.status, 204);
    assert!(!yard.may("user:sam", "secret:read", ("secret", "k1")).await);
    // A group's members have it, until it ends by itself.
    let mut crew = share("group:crew", &["secret:*"]);
    crew["expires_at"] = json!("2090-01-01T00:00:00Z");
    assert_eq!(yard.post("shares", &ann, crew).await.status, 201);
    assert!(yard.may("user:carl", "secret:write", ("secret", "k1")).await);
    let later = json!({"now": "2091-01-01T00:00:00Z"});
    assert!(!yard.decides("user:carl", "secret:write", ("secret", "k1"), later).await);
    // A share into somebody's home keeps nobody from looking after that home.
    yard.made("assignments", json!({"subject": "user:bo", "role": "role:all", "at": at("drive", "sam")}))
        .await;
    let bo = yard.token("user:bo");
    let change = yard.put("resources/drive/sam", &bo, json!({"expires_at": "2090-01-01T00:00:00Z"})).await;
    assert_eq!(change.status, 200, "{change:?}");
    // Nor from giving what they hold there.
    yard.made("assignments", json!({"subject": "user:kim", "role": "role:all", "at": at("site", "s1")}))
        .await;
    yard.made(
        "shares",
        json!({"resource": at("site", "s2"), "subject": "user:sam", "permissions": ["miner:read"],
        "into": at("site", "s1")}),
    )
    .await;
    let give = json!({"subject": "user:bo", "role": "role:reader", "at": at("site", "s1")});
    let given = yard.post("assignments", &yard.token("user:kim"), give).await;
    assert_eq!(given.status, 201, "{given:?}");
    // Who does everything shares with everybody, and ends that.
    let root = yard.token("user:root");
    let all = yard.post("shares", &root, share("user:all", &["secret:read"])).await;
    assert_eq!(all.status, 201);
    let path = format!("shares/{}", all.json()["id"].as_str().unwrap());
    refused(&yard.delete(&path, &ann).await, 403, "gives_to_everybody");
    assert_eq!(yard.delete(&path, &root).await.status, 204);
}

/// However many ask at once, it is shared once, and its revisions are followed.
#[tokio::test]
async fn a_share_that_is_asked_for_by_many_at_once_is_made_once() {
    let mut yard = Yard::new().await;
    let ann = yard.token("user:ann");
    let before = revision(&mut yard.setup.connection, "acme").await;
    let asks = (0..20).map(|_| yard.post("shares", &ann, share("user:sam", &["secret:read"])));
    let answers = futures_util::future::join_all(asks).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert!(answers.iter().all(|answer| answer.json() == answers[0].json()));
    assert_eq!(revision(&mut yard.setup.connection, "acme").await, before + 1);
    assert_eq!(yard.items("shares").await.len(), 1);
    assert_eq!(yard.items("audit").await.len(), 1);
}

#[tokio::test]
async fn every_fault_of_a_share_is_named() {
    let yard = Yard::new().await;
    let k1 = at("secret", "k1");
    let of = |subject: &str, more: Value| {
        let mut body =
            json!({"resource": at("secret", "k1"), "subject": subject, "permissions": ["secret:read"]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (body, code, said) in [
        (json!({"resource": k1, "permissions": ["secret:read"]}), "invalid_request", "`subject`"),
        (of("role:reader", json!({})), "invalid_request", "subject: "),
        (of("sam", json!({})), "invalid_request", "subject: "),
        (of("group:none", json!({})), "unknown_group", "group"),
        (of("user:sam", json!({"permissions": []})), "invalid_request", "permissions: "),
        (of("user:sam", json!({"permissions": ["a:b"]})), "unknown_permissions", "permissions"),
        (of("user:sam", json!({"resource": at("secret", "k2")})), "unknown_resource", "resource: "),
        (of("user:sam", json!({"resource": at("secret", "*")})), "invalid_request", "resource/id: "),
        (of("user:sam", json!({"into": at("drive", "none")})), "unknown_resource", "into: "),
        (of("user:sam", json!({"into": at("", "none")})), "invalid_request", "into/type: "),
        (of("user:sam", json!({"not_before": "x"})), "invalid_request", "not_before: "),
        (of("user:sam", json!({"effect": "exclude"})), "invalid_request", "`effect`"),
    ] {
        let answer = refused(&yard.post("shares", &yard.operator, body.clone()).await, 400, code);
        assert!(answer["detail"].as_str().unwrap().contains(said), "{body}: {answer}");
    }
}
