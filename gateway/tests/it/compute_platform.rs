//! A compute platform, from its first preset to a project that is purged: domains, projects, users, sessions and folders
//! over the management interface, as one flow. The ids are those of docs/systems.md.

use crate::flow::{expects, lists};
use crate::management_resources::{Yard, at, refused};
use crate::scopes::{names, preset};
use crate::support::{Setup, config, world, writing_key};
use serde_json::{Value, json};

/// What the platform's code knows, and who installed it.
const PLATFORM: &str = r#"{"format": "postern-world/1", "organization": "acme", "revision": 1,
  "catalog": {
    "types": {"domain": {"scope": true}, "project": {"scope": true}, "user": {"scope": true},
      "session": {}, "vfolder": {}, "kernel": {}, "agent": {}, "resource_group": {}},
    "permissions": {
      "vfolder:create": {}, "vfolder:read": {}, "vfolder:update": {}, "vfolder:soft_delete": {}, "vfolder:hard_delete": {},
      "session:create": {}, "session:read": {}, "session:update": {}, "session:hard_delete": {},
      "kernel:read": {}, "agent:read": {}, "resource_group:read": {}, "user:read": {}, "project:read": {},
      "role:manage": {}, "role:read": {}, "user:manage": {}, "resource:manage": {}, "resource:read": {}, "resource:share": {}}},
  "subjects": [{"id": "user:root"}, {"id": "user:dana"}, {"id": "user:ann", "aliases": ["ann@acme.example"]}, {"id": "user:bo"},
    {"id": "user:cleo"}, {"id": "user:eve"}],
  "memberships": [], "resources": [],
  "roles": [{"id": "role:all", "name": "Superadmin", "permissions": ["*"]}],
  "assignments": [{"subject": "user:root", "role": "role:all"}], "grants": []}"#;

const VF1: (&str, &str) = ("vfolder", "vf1");
const VF9: (&str, &str) = ("vfolder", "vf9");
const S1: (&str, &str) = ("session", "s1");
const K1: (&str, &str) = ("kernel", "k1");
const P1: (&str, &str) = ("project", "p1");
const P2: (&str, &str) = ("project", "p2");

/// A gateway with the platform's presets, and its scopes: a domain, two projects below it, and each user's own.
async fn platform() -> Yard {
    let mut setup = Setup::of(&world(PLATFORM), config()).await;
    let operator = writing_key(&mut setup.connection, "acme", None).await;
    let yard = Yard { setup, operator };
    // What a system role holds at its own scope: the owner and the admins everything, members to read.
    let every = ["session:*", "vfolder:*"];
    let own = [&every[..], &["resource:share", "user:read"]].concat();
    let admin =
        [&every[..], &["role:manage", "resource:manage", "resource_group:read", "project:read"]].concat();
    let domain_admin = [&admin[..], &["kernel:read", "agent:read", "user:read"]].concat();
    let member = ["session:read", "vfolder:read", "resource_group:read", "project:read"];
    for (name, kind, permissions, more) in [
        ("Owner", "user", &own[..], json!({"for_creator": true})),
        ("Project admin", "project", &admin, json!({})),
        ("Project member", "project", &member, json!({"auto_assign": true})),
        ("Domain admin", "domain", &domain_admin, json!({})),
    ] {
        yard.made("presets", preset(name, kind, permissions, more)).await;
    }
    let domain = yard.made("scopes", json!({"type": "domain", "id": "d"})).await;
    assert_eq!(names(&domain), ["Domain admin d"]);
    for project in ["p1", "p2"] {
        let body = json!({"type": "project", "id": project, "parents": [at("domain", "d")]});
        let made = yard.made("scopes", body).await;
        assert_eq!(names(&made), [format!("Project admin {project}"), format!("Project member {project}")]);
    }
    for user in ["ann", "bo", "cleo"] {
        let body = json!({"type": "user", "id": user, "parents": [at("domain", "d")], "creator": format!("user:{user}")});
        yard.made("scopes", body).await;
    }
    yard
}

/// The id of the role that a scope has by a preset.
async fn role(yard: &Yard, scope: (&str, &str), name: &str) -> String {
    let scope = yard.get(&format!("scopes/{}/{}", scope.0, scope.1), &yard.operator).await.json();
    let roles = scope["roles"].as_array().unwrap();
    let named = |role: &&Value| role["name"].as_str().unwrap().starts_with(name);
    roles.iter().find(named).unwrap_or_else(|| panic!("{name}: {scope}"))["id"].as_str().unwrap().to_owned()
}

async fn assign(yard: &Yard, subject: &str, scope: (&str, &str), name: &str) -> String {
    let role = role(yard, scope, name).await;
    let body = json!({"subject": subject, "role": role, "at": at(scope.0, scope.1)});
    yard.made("assignments", body).await["id"].as_str().unwrap().to_owned()
}

/// Folders and a session with its kernel, as they are made while people work.
async fn work(yard: &Yard) {
    for body in [
        json!({"type": "vfolder", "id": "vf1", "parents": [at("project", "p1")]}),
        json!({"type": "vfolder", "id": "vf9", "parents": [at("user", "ann")]}),
        json!({"type": "session", "id": "s1", "parents": [at("user", "ann"), at("project", "p1")]}),
        json!({"type": "resource_group", "id": "rg", "parents": [at("domain", "d"), at("project", "p1")]}),
        json!({"type": "agent", "id": "a1", "parents": [at("resource_group", "rg")]}),
        json!({"type": "kernel", "id": "k1", "parents": [at("session", "s1"), at("agent", "a1")]}),
    ] {
        yard.made("resources", body).await;
    }
    // A project's members are seen from it, and nothing of theirs: the edge is a reference (BA-16).
    let seen = json!({"child": at("user", "ann"), "parent": at("project", "p1"), "relation": "ref"});
    yard.made("edges", seen).await;
}

#[tokio::test]
async fn a_compute_platform_from_its_first_preset_to_a_purge() {
    let mut yard = platform().await;
    work(&yard).await;
    let operator = yard.operator.clone();

    // BA-30, BA-32: who has a scope of their own holds what it comes with, and nobody anything besides.
    expects(
        &mut yard,
        "made",
        &[
            ("user:ann", "vfolder:create", ("user", "ann"), true),
            ("user:ann", "vfolder:hard_delete", VF9, true),
            ("user:ann@acme.example", "session:update", S1, true),
            ("user:bo", "vfolder:read", VF9, false),
            ("user:bo", "vfolder:read", VF1, false),
            ("user:ann", "vfolder:read", VF1, false),
            // BA-18: the installation's own administrator.
            ("user:root", "vfolder:hard_delete", VF9, true),
            ("user:root", "project:read", ("", ""), true),
            ("user:ann", "user:manage", ("", ""), false),
        ],
    )
    .await;

    // BA-34: who joins a project gets its member's role and no administration; BA-7, BA-8, BA-16.
    for subject in ["user:bo", "user:eve"] {
        let joined = yard.post("scopes/project/p1/members", &operator, json!({"subject": subject})).await;
        assert_eq!(joined.status, 200, "{joined:?}");
    }
    assign(&yard, "user:dana", ("domain", "d"), "Domain admin").await;
    expects(
        &mut yard,
        "joined",
        &[
            ("user:bo", "vfolder:read", VF1, true),
            ("user:bo", "vfolder:update", VF1, false),
            ("user:bo", "session:read", S1, true),
            ("user:bo", "role:manage", P1, false),
            ("user:bo", "vfolder:read", VF9, false),
            ("user:bo", "vfolder:read", ("project", "p2"), false),
            // BA-14: to see a group of resources is not to see what is in it.
            ("user:bo", "resource_group:read", ("resource_group", "rg"), true),
            ("user:bo", "agent:read", ("agent", "a1"), false),
            // BA-3, BA-13: along any way up to the domain.
            ("user:dana", "vfolder:update", VF1, true),
            ("user:dana", "vfolder:read", VF9, true),
            ("user:dana", "kernel:read", K1, true),
            ("user:dana", "agent:read", ("agent", "a1"), true),
            // BA-9: to list and to create is decided at the scope.
            ("user:bo", "session:read", P1, true),
            ("user:bo", "session:create", P1, false),
            ("user:dana", "session:create", P2, true),
        ],
    )
    .await;
    lists(&mut yard, "user:bo", "vfolder:read", &["vf1"]).await;
    lists(&mut yard, "user:dana", "vfolder:read", &["vf1", "vf9"]).await;

    // BA-60: an invitation to administer a project, accepted once, together with the assignment.
    let dana = yard.token("user:dana");
    let admin = role(&yard, P1, "Project admin").await;
    let offer = json!({"assignment": {"subject": "user:cleo", "role": admin, "at": at("project", "p1")}});
    let sent = yard.post("invitations", &dana, offer).await;
    assert_eq!(sent.status, 201, "{sent:?}");
    let invitation = format!("invitations/{}", sent.json()["id"].as_str().unwrap());
    expects(&mut yard, "invited", &[("user:cleo", "vfolder:update", VF1, false)]).await;
    let cleo = yard.token("user:cleo");
    refused(
        &yard.post(&format!("{invitation}/accept"), &yard.token("user:bo"), Value::Null).await,
        403,
        "forbidden",
    );
    let accepted = yard.post(&format!("{invitation}/accept"), &cleo, Value::Null).await;
    assert_eq!(
        (accepted.status.as_u16(), &accepted.json()["state"]),
        (200, &json!("accepted")),
        "{accepted:?}"
    );
    refused(
        &yard.post(&format!("{invitation}/accept"), &cleo, Value::Null).await,
        409,
        "invitation_answered",
    );
    expects(
        &mut yard,
        "accepted",
        &[
            ("user:cleo", "vfolder:update", VF1, true),
            ("user:cleo", "session:create", P1, true),
            ("user:cleo", "vfolder:update", ("project", "p2"), false),
            ("user:cleo", "vfolder:read", VF9, false),
        ],
    )
    .await;

    // BA-17: a folder is shared with somebody, for reading and changing, and found among what is theirs.
    let ann = yard.token("user:ann");
    let body = json!({"resource": at("vfolder", "vf9"), "subject": "user:bo", "permissions": ["vfolder:read", "vfolder:update"],
        "into": at("user", "bo")});
    let shared = yard.post("shares", &ann, body).await;
    assert_eq!(shared.status, 201, "{shared:?}");
    expects(
        &mut yard,
        "shared",
        &[
            ("user:bo", "vfolder:read", VF9, true),
            ("user:bo", "vfolder:update", VF9, true),
            // Whatever bo holds at home does not reach it; and it is still ann's.
            ("user:bo", "vfolder:hard_delete", ("user", "bo"), true),
            ("user:bo", "vfolder:hard_delete", VF9, false),
            ("user:ann", "vfolder:hard_delete", VF9, true),
            ("user:eve", "vfolder:read", VF9, false),
        ],
    )
    .await;
    lists(&mut yard, "user:bo", "vfolder:read", &["vf1", "vf9"]).await;
    assert_eq!(yard.items("edges?parent_type=user&parent_id=bo").await.len(), 1);
    // BA-62: ended, it is nowhere any more.
    let share = format!("shares/{}", shared.json()["id"].as_str().unwrap());
    assert_eq!(yard.delete(&share, &ann).await.status, 204);
    expects(&mut yard, "unshared", &[("user:bo", "vfolder:read", VF9, false)]).await;
    lists(&mut yard, "user:bo", "vfolder:read", &["vf1"]).await;
    assert_eq!(yard.items("edges?parent_type=user&parent_id=bo").await, Vec::<Value>::new());

    // BA-31: a preset that changes later changes the roles that are there only when it is asked to.
    let presets = yard.items("presets?type=project").await;
    let member = presets.iter().find(|preset| preset["name"] == "Project member").unwrap();
    let path = format!("presets/{}", member["id"].as_str().unwrap());
    let more = preset(
        "Project member",
        "project",
        &["session:read", "session:create", "vfolder:read", "resource_group:read", "project:read"],
        json!({"auto_assign": true}),
    );
    assert_eq!(yard.put(&path, &operator, more).await.status, 200);
    expects(&mut yard, "changed", &[("user:bo", "session:create", P1, false)]).await;
    let preview = yard.get(&format!("{path}/sync"), &operator).await;
    let synced = yard
        .send(
            "POST",
            &format!("{path}/sync"),
            &operator,
            &[("if-match", preview.header("etag"))],
            Value::Null,
        )
        .await;
    assert_eq!(synced.status, 200, "{synced:?}");
    expects(&mut yard, "synced", &[("user:bo", "session:create", P1, true)]).await;

    // BA-10: a role that is not active gives nothing, and gives it again.
    let member = role(&yard, P1, "Project member").await;
    let role_path = format!("roles/{member}");
    let before = yard.get(&role_path, &operator).await.json();
    for (active, may) in [(false, false), (true, true)] {
        let body = json!({"name": before["name"], "permissions": before["permissions"], "active": active});
        assert_eq!(yard.put(&role_path, &operator, body).await.status, 200);
        expects(&mut yard, "role", &[("user:bo", "vfolder:read", VF1, may)]).await;
    }

    // A project that is deleted is there for nobody, with what hangs on it; what hangs elsewhere as well stays. Restored, it
    // is as it was.
    let gone = |may| {
        [
            ("user:bo", "vfolder:read", VF1, may),
            ("user:cleo", "vfolder:update", VF1, may),
            ("user:dana", "vfolder:update", VF1, may),
            ("user:bo", "session:read", S1, may),
            ("user:ann", "session:read", S1, true),
            ("user:dana", "kernel:read", K1, true),
        ]
    };
    assert_eq!(yard.delete("scopes/project/p1", &operator).await.status, 200);
    expects(&mut yard, "deleted", &gone(false)).await;
    let any = [("if-match", "*")];
    let restored = yard.send("POST", "scopes/project/p1/restore", &operator, &any, Value::Null).await;
    assert_eq!(restored.status, 200, "{restored:?}");
    expects(&mut yard, "restored", &gone(true)).await;

    // BA-33: purged, nothing leads to it or away from it, and the roles that were made for it are gone. vf1 lies nowhere now.
    let purged =
        yard.send("POST", "scopes/project/p1/purge", &operator, &[("if-match", "*")], Value::Null).await;
    let wanted = json!({"edges": 5, "grants": 0, "assignments": 3, "permissions": 11, "roles": 2});
    assert_eq!((purged.status.as_u16(), purged.json()), (200, wanted), "{purged:?}");
    expects(&mut yard, "purged", &gone(false)).await;
    expects(
        &mut yard,
        "purged",
        &[
            ("user:root", "vfolder:read", VF1, true),
            ("user:dana", "vfolder:read", VF9, true),
            ("user:dana", "session:create", P2, true),
        ],
    )
    .await;
    refused(&yard.get("scopes/project/p1", &operator).await, 404, "item_not_found");
    let left = yard.items("roles").await;
    assert!(!left.iter().any(|role| role["name"].as_str().unwrap().ends_with(" p1")), "{left:?}");
    lists(&mut yard, "user:cleo", "vfolder:update", &[]).await;
}
