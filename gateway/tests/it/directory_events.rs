//! Events of a directory: in whatever order they come, and however often, what is newest stands.

use crate::scim::Directory;
use crate::secrets::FACTS;
use crate::support::{full_world, world};
use postern_gateway::store::import::import;
use serde_json::{Value, json};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

fn user(id: &str, external: &str, name: &str, active: bool) -> Value {
    json!({"id": id, "resource":
        {"schemas": [USER], "externalId": external, "userName": format!("{name}@dir.example"), "active": active}})
}

fn group(id: &str, external: &str, name: &str, members: &[&str]) -> Value {
    let members: Vec<Value> = members.iter().map(|member| json!({"value": member})).collect();
    json!({"id": id, "resource":
        {"schemas": [GROUP], "externalId": external, "displayName": name, "members": members}})
}

fn gone(id: &str, kind: &str, external: &str) -> Value {
    json!({"id": id, "deleted": {"resourceType": kind, "externalId": external}})
}

async fn tell(directory: &Directory, events: Vec<Value>) -> Vec<Value> {
    let answer = directory.send("POST", "Events", &[], json!({"events": events})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["results"].as_array().unwrap().clone()
}

fn outcomes(results: &[Value]) -> Vec<&str> {
    results.iter().map(|result| result["outcome"].as_str().unwrap()).collect()
}

/// Whom a directory calls so: its name, whether it is active, and what its members are called; null: nobody.
async fn found(directory: &Directory, kind: &str, external: &str) -> Value {
    let list = directory.get(&format!("{kind}?filter=externalId%20eq%20%22{external}%22")).await;
    let Some(one) = list["Resources"].as_array().unwrap().first() else { return Value::Null };
    let mut members: Vec<&str> =
        one["members"].as_array().into_iter().flatten().filter_map(|one| one["display"].as_str()).collect();
    members.sort_unstable();
    let name = one["userName"].as_str().or(one["displayName"].as_str());
    json!({"name": name, "active": one["active"], "members": members})
}

/// GR-47: an event that comes again, or after a newer one about the same user or group, changes nothing; also not after
/// the user is gone.
#[tokio::test]
async fn gr_47_events_are_done_once_and_an_older_one_never_after_a_newer() {
    let mut directory = Directory::new().await;
    let results = tell(&directory, vec![user("e1", "u1", "eve", true)]).await;
    assert_eq!(outcomes(&results), ["applied"]);
    let subject = results[0]["subject"].as_str().unwrap().to_owned();
    let grant = json!({"subject": subject, "effect": "allow", "permissions": ["note:read"], "at": null});
    assert_eq!(directory.desk.call("", "POST", "grants", grant).await.status, 201);
    assert!(directory.may("user:u1", "note:read").await);
    // Deactivated by a newer event; then the older ones come, and the same again.
    let off = user("e5", "u1", "eve", false);
    let late = vec![off.clone(), user("e3", "u1", "eve", true), off.clone(), user("e1", "u1", "eve", true)];
    assert_eq!(outcomes(&tell(&directory, late).await), ["applied", "older", "older", "older"]);
    assert!(!directory.may("user:u1", "note:read").await);
    // What changes nothing is newest all the same.
    let same = vec![user("e7", "u1", "eve", false), user("e6", "u1", "eve", true)];
    assert_eq!(outcomes(&tell(&directory, same).await), ["unchanged", "older"]);
    assert_eq!(found(&directory, "Users", "u1").await["active"], false);
    let after = vec![gone("e8", "User", "u1"), user("e75", "u1", "eve", true), gone("e8", "User", "u1")];
    assert_eq!(outcomes(&tell(&directory, after).await), ["applied", "older", "older"]);
    assert_eq!(found(&directory, "Users", "u1").await, Value::Null);
    // Who comes back is somebody new, without what was held before.
    let results = tell(&directory, vec![user("e9", "u1", "eve", true)]).await;
    assert_eq!(outcomes(&results), ["applied"]);
    assert_ne!(results[0]["subject"], subject);
    assert!(!directory.may("user:u1", "note:read").await);
    // What was done is known after all facts were exchanged.
    import(&mut directory.desk.setup.connection, &full_world("acme"), true).await.unwrap();
    let results = tell(&directory, vec![user("e85", "u1", "eve", true), user("ea", "u1", "eve", true)]).await;
    assert_eq!(outcomes(&results), ["older", "applied"]);
}

/// The same events in many orders, some of them twice, come to the same.
#[tokio::test]
async fn gr_47_every_order_of_events_comes_to_the_same() {
    let directory = Directory::new().await;
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % limit as u64).unwrap()
    };
    for round in 0..24 {
        let of = |name: &str| format!("{name}-{round}");
        let (a, b, c, g, h) = (of("a"), of("b"), of("c"), of("g"), of("h"));
        let mut events = vec![
            user("01", &a, &a, true),
            user("02", &b, &b, true),
            group("03", &g, &of("ops"), &[&a, &b]),
            user("04", &c, &c, true),
            group("05", &h, &of("all"), &[&g, &c]),
            user("06", &a, &of("anna"), true),
            group("07", &g, &of("operators"), &[&b, &c]),
            user("08", &b, &b, false),
            gone("09", "User", &c),
            user("10", &b, &b, true),
        ];
        if round > 0 {
            for at in (1..events.len()).rev() {
                events.swap(at, below(at + 1));
            }
            let again = events[below(events.len())].clone();
            events.insert(below(events.len()), again);
        }
        for event in events {
            let results = tell(&directory, vec![event.clone()]).await;
            assert!(
                ["applied", "unchanged", "older"].contains(&outcomes(&results)[0]),
                "{event} {results:?}"
            );
        }
        let (b_name, anna) = (format!("{b}@dir.example"), format!("{}@dir.example", of("anna")));
        let stands = [
            found(&directory, "Users", &a).await,
            found(&directory, "Users", &b).await,
            found(&directory, "Users", &c).await,
            found(&directory, "Groups", &g).await,
            found(&directory, "Groups", &h).await,
        ];
        let wanted = [
            json!({"name": anna, "active": true, "members": []}),
            json!({"name": b_name, "active": true, "members": []}),
            Value::Null,
            json!({"name": of("operators"), "active": null, "members": [b_name]}),
            json!({"name": of("all"), "active": null, "members": [of("operators")]}),
        ];
        assert_eq!(stands, wanted, "round {round}");
    }
}

/// One that was there before the directory wrote it is known by its name, and is linked; one that it wrote is not taken
/// for another of the same name.
#[tokio::test]
async fn who_was_there_is_linked_by_name() {
    let directory = Directory::new().await;
    let mut ann = user("1", "u-ann", "ann", true);
    ann["resource"]["userName"] = json!("ann@acme.example");
    let results = tell(&directory, vec![ann.clone()]).await;
    assert_eq!(results[0]["subject"], "user:ann");
    // Another one who is called as she is.
    ann["id"] = json!("2");
    ann["resource"]["externalId"] = json!("u-other");
    let results = tell(&directory, vec![ann, user("3", "u3", "later", true)]).await;
    // It is refused by itself, is not taken for done, and does not hold up the next.
    assert_eq!(outcomes(&results), ["refused", "applied"]);
    assert_eq!(results[0]["code"], "id_taken");
    let mut renamed = user("2", "u-other", "other", true);
    renamed["resource"]["userName"] = json!("other@acme.example");
    assert_eq!(outcomes(&tell(&directory, vec![renamed]).await), ["applied"]);
}

#[tokio::test]
async fn what_is_no_event_is_refused_and_nothing_of_it_is_done() {
    let directory = Directory::new().await;
    let good = user("1", "u1", "eve", true);
    for (event, said) in [
        (json!(1), "an event is an object"),
        (json!({"resource": good["resource"]}), "id: write a text"),
        (json!({"id": "", "resource": good["resource"]}), "id: write a text"),
        (json!({"id": "2"}), "write either `resource`"),
        (json!({"id": "2", "resource": {"userName": "x"}}), "externalId: write what"),
        (json!({"id": "2", "resource": {"externalId": "x"}}), "displayName: it is missing"),
        (json!({"id": "2", "deleted": {"externalId": "x"}}), "deleted.resourceType"),
        (json!({"id": "2", "deleted": {"resourceType": "User"}}), "deleted.externalId"),
        (json!({"id": "2", "resource": good["resource"], "deleted": {}}), "write either"),
        (json!({"id": "2", "resource": good["resource"], "at": "now"}), "`at` is no member"),
    ] {
        let answer = directory.send("POST", "Events", &[], json!({"events": [good, event]})).await;
        assert_eq!(answer.status, 400, "{event} {answer:?}");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.starts_with("events[1]: ") && detail.contains(said), "{event} {detail}");
    }
    let many = vec![good.clone(); 1001];
    for body in [json!({"events": many}), json!({}), json!([])] {
        assert_eq!(directory.send("POST", "Events", &[], body).await.status, 400);
    }
    assert_eq!(found(&directory, "Users", "u1").await, Value::Null);
    // It is for directories, and the world of these tests has no stranger in it.
    assert!(world(FACTS).subjects.iter().all(|subject| subject.id != "user:u1"));
    let token = directory.desk.setup.token("user:root", 60);
    let body = json!({"events": [good]});
    assert_eq!(directory.send_as(&token, "POST", "Events", &[], body.clone()).await.status, 403);
    assert_eq!(directory.send_as("nobody", "POST", "Events", &[], body.clone()).await.status, 401);
    let reading = directory.desk.setup.key.clone();
    assert_eq!(directory.send_as(&reading, "POST", "Events", &[], body).await.status, 403);
    assert_eq!(found(&directory, "Users", "u1").await, Value::Null);
}
