//! Invitations: what is offered is made when, and only when, its subject accepts it, in the name of whoever offered it.

use crate::management_resources::{Yard, at, refused};
use crate::support::{revision, run, writing_key};
use serde_json::{Value, json};

fn offer(subject: &str, role: &str, place: Value) -> Value {
    json!({"assignment": {"subject": subject, "role": role, "at": place}})
}

impl Yard {
    async fn invited(&self, bearer: &str, body: Value) -> String {
        let answer = self.post("invitations", bearer, body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    async fn answer(&self, id: &str, what: &str, bearer: &str) -> crate::support::Answer {
        self.post(&format!("invitations/{id}/{what}"), bearer, Value::Null).await
    }

    async fn state(&self, id: &str) -> String {
        let answer = self.get(&format!("invitations/{id}"), &self.operator).await.json();
        answer["state"].as_str().unwrap().to_owned()
    }
}

/// BA-60: accepted once, in one transaction with what it offers.
#[tokio::test]
async fn ba_60_an_invitation_is_accepted_once() {
    let mut yard = Yard::new().await;
    let (mira, ann) = (yard.token("user:mira"), yard.token("user:ann"));
    let before = revision(&mut yard.setup.connection, "acme").await;
    let body = offer("user:ann@acme.example", "role:reader", at("site", "s1"));
    let key = [("idempotency-key", "i-1")];
    let made = yard.send("POST", "invitations", &mira, &key, body.clone()).await;
    assert_eq!(made.status, 201, "{made:?}");
    let item = made.json();
    let wanted = json!({"id": item["id"], "subject": "user:ann", "share": null, "invited_by": "user:mira",
        "assignment": {"role": "role:reader", "at": at("site", "s1"), "active": true, "not_before": null,
            "expires_at": null},
        "state": "pending", "created_at": item["created_at"], "expires_at": item["expires_at"],
        "answered_at": null, "made": null});
    assert_eq!(item, wanted);
    let id = item["id"].as_str().unwrap().to_owned();
    assert_eq!(
        made.header("location"),
        format!("/v1/organizations/acme/invitations/{}", id.replace('-', "%2D"))
    );
    // Offered twice, it is one offer; and an offer gives nothing and raises nothing.
    assert_eq!(yard.send("POST", "invitations", &mira, &key, body.clone()).await.body, made.body);
    let again = yard.post("invitations", &yard.operator, body).await;
    assert_eq!((again.status.as_u16(), again.json()), (200, item.clone()));
    assert!(!yard.may("user:ann", "miner:read", ("site", "s1")).await);
    assert_eq!(revision(&mut yard.setup.connection, "acme").await, before);
    assert_eq!(yard.items("assignments?subject=user:ann").await, Vec::<Value>::new());
    // Whoever was invited sees it, whatever they hold; nobody else accepts it.
    for path in [format!("invitations/{id}"), "invitations?subject=user:ann".to_owned()] {
        assert_eq!(yard.get(&path, &ann).await.status, 200, "{path}");
    }
    refused(&yard.get("invitations", &ann).await, 403, "forbidden");
    refused(&yard.get("invitations?subject=user:sam", &ann).await, 403, "forbidden");
    refused(&yard.get(&format!("invitations/{id}"), &yard.token("user:sam")).await, 403, "forbidden");
    refused(&yard.answer(&id, "accept", &yard.token("user:sam")).await, 403, "forbidden");
    refused(&yard.answer(&id, "accept", &mira).await, 403, "not_invited");
    refused(&yard.answer(&id, "reject", &yard.operator).await, 403, "not_invited");
    // What it would change is told, and not done.
    let preview = yard.post(&format!("invitations/{id}/accept?preview=true"), &ann, Value::Null).await;
    assert_eq!((preview.status.as_u16(), &preview.json()["gained"]["subjects"]), (200, &json!(1)));
    assert_eq!(revision(&mut yard.setup.connection, "acme").await, before);
    // Twenty times at once.
    let answers = (0..20).map(|_| yard.answer(&id, "accept", &ann));
    let answers = futures_util::future::join_all(answers).await;
    let (done, late): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!(done.len(), 1);
    for answer in late {
        assert_eq!(refused(answer, 409, "invitation_answered")["state"], "accepted");
    }
    let accepted = done[0].json();
    assert_eq!(accepted["state"], "accepted");
    let held = yard.items("assignments?subject=user:ann").await;
    assert_eq!((held.len(), &held[0]["id"]), (1, &accepted["made"]));
    assert!(yard.may("user:ann", "miner:read", ("site", "s1")).await);
    assert_eq!(revision(&mut yard.setup.connection, "acme").await, before + 1);
    assert_eq!(done[0].header("postern-revision"), (before + 1).to_string());
    // Who did what is told apart.
    let log = yard.items("audit?limit=3").await;
    let told: Vec<_> = log.iter().map(|event| (&event["operation"], &event["actor"])).collect();
    assert_eq!(
        json!(told),
        json!([
            ["assignment.create", "user:mira"],
            ["invitation.accept", "user:ann"],
            ["invitation.create", "user:mira"]
        ])
    );
    assert_eq!((&log[1]["before"], &log[1]["after"]), (&wanted, &accepted));
    // It waits for no other answer either, and what is held is not offered.
    refused(&yard.answer(&id, "reject", &ann).await, 409, "invitation_answered");
    refused(&yard.answer(&id, "cancel", &mira).await, 409, "invitation_answered");
    let held = offer("user:ann", "role:reader", at("site", "s1"));
    refused(&yard.post("invitations", &mira, held).await, 409, "already_held");
}

/// BA-61, decided otherwise: who has refused can be asked again. To refuse or cancel twice is no error.
#[tokio::test]
async fn ba_61_who_has_rejected_can_be_invited_again() {
    let yard = Yard::new().await;
    let (mira, ann) = (yard.token("user:mira"), yard.token("user:ann"));
    let body = offer("user:ann", "role:reader", Value::Null);
    let first = yard.invited(&mira, body.clone()).await;
    for _ in 0..2 {
        let answer = yard.answer(&first, "reject", &ann).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["state"]), (200, &json!("rejected")));
    }
    refused(&yard.answer(&first, "accept", &ann).await, 409, "invitation_answered");
    let second = yard.invited(&mira, body.clone()).await;
    assert_ne!(second, first);
    // Sam did not send it, and could not have.
    refused(&yard.answer(&second, "cancel", &yard.token("user:sam")).await, 403, "forbidden");
    for _ in 0..2 {
        let answer = yard.answer(&second, "cancel", &mira).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["state"]), (200, &json!("cancelled")));
    }
    let third = yard.invited(&mira, body).await;
    assert_eq!(yard.answer(&third, "accept", &ann).await.status, 200);
    let list = async |path: &str| {
        let items = yard.items(path).await;
        items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(list("invitations").await, [first.clone(), second.clone(), third.clone()]);
    assert_eq!(list("invitations?state=rejected").await, [first]);
    assert_eq!(list("invitations?state=cancelled&subject=user:ann").await, [second]);
    assert!(list("invitations?state=pending").await.is_empty());
    let operations: Vec<Value> = yard.items("audit?limit=3").await;
    assert_eq!(operations[0]["operation"], "assignment.create");
}

/// Nobody gives by an invitation what they cannot give, neither when it is sent nor when it is accepted.
#[tokio::test]
async fn an_invitation_gives_what_its_sender_may_give_by_then() {
    let mut yard = Yard::new().await;
    let (mira, ann) = (yard.token("user:mira"), yard.token("user:ann"));
    refused(
        &yard.post("invitations", &mira, offer("user:ann", "role:all", Value::Null)).await,
        403,
        "cannot_grant",
    );
    refused(
        &yard.post("invitations", &ann, offer("user:sam", "role:reader", Value::Null)).await,
        403,
        "forbidden",
    );
    let waiting = yard.invited(&mira, offer("user:ann", "role:reader", Value::Null)).await;
    let other = yard.invited(&mira, offer("user:sam", "role:reader", Value::Null)).await;
    // The role becomes more than mira holds.
    let more = json!({"name": "Reader", "permissions": ["miner:read", "secret:read"]});
    assert_eq!(yard.put("roles/role:reader", &yard.operator, more).await.status, 200);
    let before = revision(&mut yard.setup.connection, "acme").await;
    refused(&yard.answer(&waiting, "accept", &ann).await, 409, "inviter_may_not");
    let less = json!({"name": "Reader", "permissions": ["miner:read"]});
    assert_eq!(yard.put("roles/role:reader", &yard.operator, less).await.status, 200);
    // Mira may nothing any more; then she may again.
    run(&mut yard.setup.connection, "UPDATE subjects SET active = false WHERE subject_id = 'user:mira'")
        .await;
    refused(&yard.answer(&waiting, "accept", &ann).await, 409, "inviter_may_not");
    assert_eq!(
        (yard.state(&waiting).await, before + 2),
        ("pending".to_owned(), revision(&mut yard.setup.connection, "acme").await)
    );
    run(&mut yard.setup.connection, "UPDATE subjects SET active = true WHERE subject_id = 'user:mira'").await;
    assert_eq!(yard.answer(&waiting, "accept", &ann).await.status, 200);
    // Who is deleted is invited no more, also when somebody else gets the id.
    run(&mut yard.setup.connection, "UPDATE resources SET owner_id = NULL").await;
    assert_eq!(yard.delete("subjects/user:sam", &yard.operator).await.status, 204);
    yard.made("subjects", json!({"id": "user:sam"})).await;
    refused(&yard.answer(&other, "accept", &yard.token("user:sam")).await, 409, "invitation_answered");
    assert_eq!(yard.state(&other).await, "cancelled");
    // A role that has gone is not given.
    let gone = yard.made("roles", json!({"name": "Gone", "permissions": ["miner:read"]})).await;
    let id = yard.invited(&mira, offer("user:bo", gone["id"].as_str().unwrap(), Value::Null)).await;
    let path = format!("roles/{}", gone["id"].as_str().unwrap());
    assert_eq!(yard.delete(&path, &yard.operator).await.status, 204);
    refused(&yard.answer(&id, "accept", &yard.token("user:bo")).await, 400, "unknown_role");
}

/// The invitations of a key end with it, and a subject of a key's name is nobody but itself.
#[tokio::test]
async fn a_keys_invitations_end_with_the_key() {
    let mut yard = Yard::new().await;
    let ann = yard.token("user:ann");
    let key = writing_key(&mut yard.setup.connection, "acme", None).await;
    let id = yard.invited(&key, offer("user:ann", "role:all", Value::Null)).await;
    let item = yard.get(&format!("invitations/{id}"), &ann).await.json();
    let name = item["invited_by"].as_str().unwrap().to_owned();
    let prefix = name.strip_prefix("key:").unwrap();
    assert!(key.starts_with(prefix), "{name}");
    let set = |what: &str| format!("UPDATE api_keys SET {what} WHERE prefix = '{prefix}'");
    for (gone, back) in [
        ("revoked_at = now()", "revoked_at = NULL"),
        ("expires_at = now()", "expires_at = NULL"),
        ("can_write = false", "can_write = true"),
    ] {
        run(&mut yard.setup.connection, &set(gone)).await;
        refused(&yard.answer(&id, "accept", &ann).await, 409, "inviter_may_not");
        run(&mut yard.setup.connection, &set(back)).await;
    }
    assert_eq!(yard.answer(&id, "accept", &ann).await.status, 200);
    assert!(yard.may("user:ann", "miner:reboot", ("site", "s2")).await);
    // One whose id looks like a key's name has a subject's rights.
    yard.made("assignments", json!({"subject": name, "role": "role:manager", "at": null})).await;
    let odd = yard.token(&name);
    let id = yard.invited(&odd, offer("user:bo", "role:reader", Value::Null)).await;
    run(&mut yard.setup.connection, "DELETE FROM assignments WHERE role_id = 'role:manager'").await;
    refused(&yard.answer(&id, "accept", &yard.token("user:bo")).await, 409, "inviter_may_not");
}

/// A share waits for its receiver as well; and an invitation ends by itself.
#[tokio::test]
async fn a_share_is_offered_and_an_offer_ends() {
    let mut yard = Yard::new().await;
    let (ann, sam) = (yard.token("user:ann"), yard.token("user:sam"));
    let share = json!({"resource": at("secret", "k1"), "subject": "user:sam", "permissions": ["secret:read"],
        "into": at("drive", "sam")});
    let facts = async |yard: &mut Yard| -> i64 {
        let sql = "SELECT (SELECT count(*) FROM grants) + (SELECT count(*) FROM resource_parents)";
        sqlx::query_scalar(sql).fetch_one(&mut yard.setup.connection).await.unwrap()
    };
    let before = facts(&mut yard).await;
    // Ann manages nobody: she owns the secret.
    let id = yard.invited(&ann, json!({"share": share})).await;
    assert_eq!(facts(&mut yard).await, before);
    assert!(!yard.may("user:sam", "secret:read", ("secret", "k1")).await);
    let accepted = yard.answer(&id, "accept", &sam).await;
    assert_eq!(accepted.status, 200, "{accepted:?}");
    assert!(yard.may("user:sam", "secret:read", ("secret", "k1")).await);
    assert_eq!(facts(&mut yard).await, before + 2);
    let path = format!("shares/{}", accepted.json()["made"].as_str().unwrap());
    assert_eq!(yard.delete(&path, &ann).await.status, 204);
    assert_eq!(facts(&mut yard).await, before);
    // What is ann's no more is not given by her.
    let id = yard.invited(&ann, json!({"share": share})).await;
    run(&mut yard.setup.connection, "UPDATE resources SET owner_id = 'user:bo' WHERE resource_id = 'k1'")
        .await;
    refused(&yard.answer(&id, "accept", &sam).await, 409, "inviter_may_not");
    run(&mut yard.setup.connection, "UPDATE resources SET owner_id = 'user:ann' WHERE resource_id = 'k1'")
        .await;
    run(&mut yard.setup.connection, "UPDATE invitations SET expires_at = now()").await;
    assert_eq!(
        refused(&yard.answer(&id, "accept", &sam).await, 409, "invitation_answered")["state"],
        "expired"
    );
    assert_eq!(yard.items("invitations?state=expired").await.len(), 1);
    // It is in nobody's way.
    let next = yard.invited(&ann, json!({"share": share, "expires_at": "2999-01-01T00:00:00Z"})).await;
    let item = yard.get(&format!("invitations/{next}"), &sam).await.json();
    assert_eq!(item["expires_at"], "2999-01-01T00:00:00.000000Z");
    let mut other = share.clone();
    other["subject"] = json!("user:bo");
    let preview = yard.post("invitations?preview=true", &ann, json!({"share": other})).await;
    assert_eq!(
        (preview.status.as_u16(), &preview.json()["gained"]["subjects"]),
        (200, &json!(1)),
        "{preview:?}"
    );
    assert_eq!(yard.items("invitations").await.len(), 3);
    for (body, what) in [
        (json!({}), "one of them"),
        (
            json!({"share": share, "assignment": {"subject": "user:sam", "role": "r", "at": null}}),
            "one of them",
        ),
        (json!({"share": share, "expires_at": "2001-01-01T00:00:00Z"}), "it has passed"),
        (json!({"share": share, "expires_at": "soon"}), "expires_at: `soon`"),
        (offer("group:crew", "role:reader", Value::Null), "a group cannot answer"),
        (offer("user:all", "role:reader", Value::Null), "subject: "),
    ] {
        let answer = refused(&yard.post("invitations", &yard.operator, body).await, 400, "invalid_request");
        assert!(answer["detail"].as_str().unwrap().contains(what), "{answer}");
    }
}
