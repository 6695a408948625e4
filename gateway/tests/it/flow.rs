//! What a flow over the management interface expects after each of its steps: asked of the gateway that was written to, and
//! of the specification, on the facts as they are exported. Where these two part, either the authority or its meaning is wrong.

use crate::management_resources::Yard;
use crate::support::revision;
use postern_gateway::cli::{WorldExportArgs, world_export};
use postern_gateway::clock::now_micros;
use postern_gateway::config::DatabaseArgs;
use postern_oracle::Oracle;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Subject, permission, type and id of the resource (empty: the organization), and whether it is to be allowed.
pub type Expected<'e> = (&'e str, &'e str, (&'e str, &'e str), bool);

/// The facts of an organization as a document.
pub async fn exported(url: &str, organization: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("world.json");
    let database =
        DatabaseArgs { database_url: Some(url.to_owned()), data_dir: PathBuf::new(), pg_bin: None };
    let args =
        WorldExportArgs { organization: organization.to_owned(), output: Some(file.clone()), database };
    world_export(args).await.unwrap();
    std::fs::read_to_string(file).unwrap()
}

/// Asks all of it, in each way that there is.
pub async fn expects(yard: &mut Yard, when: &str, expected: &[Expected<'_>]) {
    for row in expected {
        expects_with(yard, when, row, json!({})).await;
    }
}

/// One question, with dimensions that it states.
pub async fn expects_with(yard: &mut Yard, when: &str, expected: &Expected<'_>, dimensions: Value) {
    let (subject, permission, at, allowed) = expected;
    let what = format!("{when}: {subject} {permission} {at:?} {dimensions}");
    let oracle = Oracle::parse(exported(&yard.setup.url, "acme").await.as_bytes()).unwrap();
    let resource = if at.0.is_empty() { Value::Null } else { json!({"type": at.0, "id": at.1}) };
    let question =
        json!({"subject": subject, "permission": permission, "resource": resource, "where": dimensions});
    let meant: Value = serde_json::from_str(&oracle.answer(&question.to_string(), now_micros())).unwrap();
    assert_eq!(
        meant["decision"],
        if *allowed { "allow" } else { "deny" },
        "{what}: the specification: {meant}"
    );
    let token = newest(yard).await;
    let header = [("postern-at-least", token.as_str())];
    let operator = yard.operator.clone();
    let explained = yard.send("POST", "explain", &operator, &header, question).await;
    assert_eq!(explained.status, 200, "{what}: {explained:?}");
    let explained = explained.json();
    assert_eq!(
        (&explained["decision"], &explained["reason"]),
        (&meant["decision"], &meant["reason"]),
        "{what}: the gateway"
    );
    // AuthZEN asks for permissions of the resource's own type.
    let (kind, action) = permission.split_once(':').unwrap();
    if at.0 == kind {
        let (subject_type, subject_id) = subject.split_once(':').unwrap();
        let mut resource = resource;
        resource["properties"] = dimensions;
        let asked = json!({"subject": {"type": subject_type, "id": subject_id}, "action": {"name": action},
            "resource": resource});
        let decided = yard.setup.post("/access/v1/evaluation", &header, &asked.to_string()).await;
        assert_eq!(
            (decided.status.as_u16(), &decided.json()["decision"]),
            (200, &json!(allowed)),
            "{what}: AuthZEN"
        );
    }
}

/// The ids of a type on which a subject may do something, as the gateway lists them and as the specification does.
pub async fn lists(yard: &mut Yard, subject: &str, permission: &str, wanted: &[&str]) {
    let (kind, action) = permission.split_once(':').unwrap();
    let (subject_type, subject_id) = subject.split_once(':').unwrap();
    let asked = json!({"subject": {"type": subject_type, "id": subject_id}, "action": {"name": action},
        "resource": {"type": kind}});
    let token = newest(yard).await;
    let header = [("postern-at-least", token.as_str())];
    let answer = yard.setup.post("/access/v1/search/resource", &header, &asked.to_string()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = answer.json();
    let mut ids: Vec<&str> =
        answer["results"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, wanted, "{subject} {permission}");
    let oracle = Oracle::parse(exported(&yard.setup.url, "acme").await.as_bytes()).unwrap();
    let question = json!({"op": "filter", "subject": subject, "permission": permission, "type": kind});
    let meant: Value = serde_json::from_str(&oracle.answer(&question.to_string(), now_micros())).unwrap();
    assert_eq!(meant["ids"], json!(wanted), "{subject} {permission}: {meant}");
}

async fn newest(yard: &mut Yard) -> String {
    let now = revision(&mut yard.setup.connection, "acme").await;
    postern_gateway::consistency::token("acme", now).to_str().unwrap().to_owned()
}
