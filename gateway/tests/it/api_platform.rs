//! An API platform as one flow: roles under two names, grants with selectors, what is taken away, people from a directory, and
//! the end of the old names. The ids are those of docs/systems.md.

use crate::flow::{expects, expects_with, lists};
use crate::management_resources::{Yard, at, refused};
use crate::support::{Answer, Setup, call, config, world, writing_key};
use serde_json::{Value, json};

/// What the platform's code knows: one step of implication, and exclusions that reach downwards.
const PLATFORM: &str = r#"{"format": "postern-world/1", "organization": "acme", "revision": 1,
  "catalog": {
    "types": {"project": {"scope": true}, "mcp": {}},
    "permissions": {
      "org:read": {"implied_by": ["org:admin"]}, "org:admin": {},
      "project:read": {"implied_by": ["project:write"]}, "project:write": {"excluded_by": ["project:read"]},
      "mcp:connect": {"implied_by": ["mcp:read", "mcp:write"]},
      "mcp:read": {"implied_by": ["mcp:write"], "excluded_by": ["mcp:connect"]},
      "mcp:write": {"excluded_by": ["mcp:read", "mcp:connect"]},
      "role:manage": {}, "user:read": {}}},
  "subjects": [{"id": "user:root"}],
  "memberships": [],
  "resources": [{"type": "project", "id": "p"}, {"type": "project", "id": "q"},
    {"type": "mcp", "id": "t", "attributes": {"project_id": "p"}, "parents": [{"type": "project", "id": "p"}]},
    {"type": "mcp", "id": "u", "attributes": {"project_id": "q"}, "parents": [{"type": "project", "id": "q"}]}],
  "roles": [{"id": "role:all", "name": "Platform", "permissions": ["*"]}],
  "assignments": [{"subject": "user:root", "role": "role:all"}], "grants": []}"#;

const P: (&str, &str) = ("project", "p");
const Q: (&str, &str) = ("project", "q");
const T: (&str, &str) = ("mcp", "t");
const U: (&str, &str) = ("mcp", "u");

async fn platform() -> Yard {
    let mut setup = Setup::of(&world(PLATFORM), config()).await;
    let operator = writing_key(&mut setup.connection, "acme", None).await;
    Yard { setup, operator }
}

/// What the directory says.
async fn directory(yard: &Yard, method: &str, path: &str, body: Value) -> Answer {
    let bearer = format!("Bearer {}", yard.operator);
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/scim+json")];
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let answer = call(yard.setup.address(), method, &format!("/scim/v2/acme/{path}"), &headers, &body).await;
    assert!(answer.status.is_success(), "{path}: {answer:?}");
    answer
}

fn grant(subject: &str, effect: &str, permission: &str, place: Value, more: Value) -> Value {
    let mut body = json!({"subject": subject, "effect": effect, "permissions": [permission], "at": place});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn an_api_platform_from_two_names_of_a_role_to_one() {
    let mut yard = platform().await;
    let operator = yard.operator.clone();
    let made = async |yard: &Yard, name: &str| {
        let role = yard.made("roles", json!({"name": name, "permissions": []})).await;
        role["id"].as_str().unwrap().to_owned()
    };
    let (editors, members) = (made(&yard, "Editors").await, made(&yard, "Members").await);

    // GR-1: both names stand for the role, while some of the platform's code writes the old one.
    yard.made("role-aliases", json!({"id": "role:editors", "role": editors})).await;
    for (subject, permission, place, more) in [
        // Old code and new code; GR-11: write gives read, and GR-16: by a dimension of the resource.
        ("role:editors", "project:write", at("project", "p"), json!({})),
        (editors.as_str(), "mcp:read", Value::Null, json!({"where": {"project_id": "p"}})),
        (members.as_str(), "project:read", Value::Null, json!({})),
        // GR-14: for one tool.
        (members.as_str(), "mcp:connect", at("mcp", "u"), json!({"where": {"tool": "search"}})),
    ] {
        yard.made("grants", grant(subject, "allow", permission, place, more)).await;
    }
    assert_eq!(yard.items("grants?subject=role:editors").await.len(), 2, "read under either name");

    // People come from a directory: eve into a group that edits, and max, who is a member.
    let user = |name: &str, external: &str| json!({"userName": format!("{name}@acme.example"), "externalId": external, "active": true});
    let eve = directory(&yard, "POST", "Users", user("eve", "u-1")).await.json();
    let max = directory(&yard, "POST", "Users", user("max", "u-2")).await.json();
    let crew = json!({"displayName": "Crew", "externalId": "g-1", "members": [{"value": eve["id"]}]});
    let crew = directory(&yard, "POST", "Groups", crew).await.json();
    let group = format!("group:{}", crew["id"].as_str().unwrap());
    // Assigned under the old name as well as the new one.
    yard.made("assignments", json!({"subject": group, "role": "role:editors", "at": null})).await;
    yard.made("assignments", json!({"subject": "user:max@acme.example", "role": members, "at": null})).await;
    let (eve_is, max_is) = ("user:eve@acme.example", "user:u-2");
    expects(
        &mut yard,
        "joined",
        &[
            (eve_is, "project:write", P, true),
            (eve_is, "project:read", P, true),
            (eve_is, "project:write", Q, false),
            (eve_is, "mcp:read", T, true),
            (eve_is, "mcp:connect", T, true),
            (eve_is, "mcp:read", U, false),
            (max_is, "project:read", Q, true),
            (max_is, "project:write", Q, false),
            // GR-14: where the question does not say which tool, the grant does not ask.
            (max_is, "mcp:connect", U, true),
            (max_is, "mcp:connect", T, false),
        ],
    )
    .await;
    expects_with(&mut yard, "tool", &(max_is, "mcp:connect", U, true), json!({"tool": "search"})).await;
    expects_with(&mut yard, "tool", &(max_is, "mcp:connect", U, false), json!({"tool": "delete"})).await;
    lists(&mut yard, max_is, "project:read", &["p", "q"]).await;
    lists(&mut yard, eve_is, "mcp:read", &["t"]).await;

    // GR-31: who is excluded from reading is from writing; GR-33: only where the question says so; GR-36: it gives nothing.
    let crewless = grant(&group, "exclude", "project:read", at("project", "p"), json!({}));
    let crewless = yard.made("grants", crewless).await;
    let strict =
        grant(&members, "exclude", "mcp:connect", Value::Null, json!({"require": {"tool": "search"}}));
    yard.made("grants", strict).await;
    expects(
        &mut yard,
        "excluded",
        &[
            (eve_is, "project:read", P, false),
            (eve_is, "project:write", P, false),
            // GR-32, from the side: a toolset is not its project.
            (eve_is, "mcp:read", T, true),
            (max_is, "mcp:connect", U, true),
        ],
    )
    .await;
    expects_with(&mut yard, "strict", &(max_is, "mcp:connect", U, false), json!({"tool": "search"})).await;
    let path = format!("grants/{}", crewless["id"].as_str().unwrap());
    assert_eq!(yard.delete(&path, &operator).await.status, 204);
    expects(&mut yard, "no longer", &[(eve_is, "project:write", P, true)]).await;

    // GR-49: members in pages, and how many there are.
    for number in 3..10 {
        directory(&yard, "POST", "Users", user(&format!("u{number}"), &format!("u-{number}"))).await;
    }
    let mut seen = Vec::new();
    for start in [1, 5, 9] {
        let list =
            directory(&yard, "GET", &format!("Users?startIndex={start}&count=4"), Value::Null).await.json();
        assert_eq!(list["totalResults"], 10, "nine, and who installed it");
        seen.extend(
            list["Resources"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()),
        );
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 10);

    // GR-1, the cut-over: the old name is nobody's, and what was given under it stays the role's.
    assert_eq!(yard.delete("role-aliases/role:editors", &operator).await.status, 204);
    let late = grant("role:editors", "allow", "project:write", at("project", "q"), json!({}));
    refused(&yard.post("grants", &operator, late).await, 400, "unknown_role");
    expects(&mut yard, "cut over", &[(eve_is, "project:write", P, true), (eve_is, "mcp:read", T, true)])
        .await;

    // GR-44: the role goes, and who held it gets another one.
    refused(&yard.delete(&format!("roles/{editors}"), &operator).await, 409, "role_held");
    let gone = yard.delete(&format!("roles/{editors}?reassign_to={members}"), &operator).await;
    assert_eq!(gone.status, 204, "{gone:?}");
    expects(
        &mut yard,
        "reassigned",
        &[
            (eve_is, "project:write", P, false),
            (eve_is, "project:read", Q, true),
            (eve_is, "mcp:read", T, false),
        ],
    )
    .await;

    // Who leaves the group, and who leaves altogether.
    let off = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "remove", "path": format!("members[value eq \"{}\"]", eve["id"].as_str().unwrap())}]});
    directory(&yard, "PATCH", &format!("Groups/{}", crew["id"].as_str().unwrap()), off).await;
    let off = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "active", "value": false}]});
    directory(&yard, "PATCH", &format!("Users/{}", max["id"].as_str().unwrap()), off).await;
    expects(
        &mut yard,
        "left",
        &[
            (eve_is, "project:read", Q, false),
            (max_is, "project:read", Q, false),
            ("user:root", "org:admin", ("", ""), true),
        ],
    )
    .await;
    lists(&mut yard, max_is, "project:read", &[]).await;
    // All of it was taken down, newest first.
    let log = yard.items("audit?limit=3").await;
    let done: Vec<&Value> = log.iter().map(|event| &event["operation"]).collect();
    assert_eq!(json!(done), json!(["subject.update", "membership.delete", "role.delete"]));
}
