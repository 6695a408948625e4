//! The facts and the questions of W(n), in the form that AuthZEN asks in.

use crate::workload::SEED;
use anyhow::Result;
use bytes::Bytes;
use postern_testkit::workload::{PERMISSIONS, SITES, Workload, generate, permission_key, site_id};
use postern_world::{Life, Parent, Resource, ResourceRef, ResourceType, World};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Items of a batch.
pub(super) const BATCH: usize = 50;
/// Questions of a run, which are asked over and over: about most of the users.
const QUESTIONS: usize = 20_000;

/// A request, with the decisions that have to come back.
pub(super) struct Ask {
    pub body: Bytes,
    pub truth: Vec<bool>,
}

/// Everything that is asked.
pub(super) struct Asked {
    /// One question each.
    pub single: Vec<Ask>,
    /// The same questions in the same order, [`BATCH`] in each.
    pub batches: Vec<Ask>,
}

/// W(n) as a world, and its questions.
///
/// AuthZEN asks about a resource, and the permission is one of that resource's type. W(n) asks about a permission at a
/// site. So each site has one listed resource of each permission's type below it, and the question is about that: what
/// is held at the site or in the organization is held there too, and W(n)'s truth stays the truth.
pub(super) fn prepare(users: usize) -> Result<(World, Asked)> {
    let workload = generate(users, QUESTIONS, SEED);
    let mut world = workload.world();
    let keys = (0..PERMISSIONS as u16).map(permission_key);
    let kinds: BTreeSet<String> = keys.map(|key| kind_and_action(&key).0.to_owned()).collect();
    for kind in kinds {
        for site in 0..SITES as u8 {
            world.resources.push(Resource {
                at: ResourceRef { kind: kind.clone(), id: resource_id(site) },
                parents: vec![Parent {
                    at: ResourceRef { kind: "site".to_owned(), id: site_id(site) },
                    cap: None,
                }],
                owner: None,
                attributes: Default::default(),
                life: Life::default(),
            });
        }
        world.catalog.types.insert(kind, ResourceType::default());
    }
    let (items, truth) = questions(&workload);
    let single =
        items.iter().zip(&truth).map(|(item, truth)| ask(item, vec![*truth])).collect::<Result<_>>()?;
    let batches = items.chunks(BATCH).zip(truth.chunks(BATCH));
    let batches = batches.map(|(items, truth)| ask(&json!({ "evaluations": items }), truth.to_vec()));
    Ok((world, Asked { single, batches: batches.collect::<Result<_>>()? }))
}

fn questions(workload: &Workload) -> (Vec<Value>, Vec<bool>) {
    let questions = workload.queries.iter().map(|query| {
        let (subject, key) = (workload.user_id(query.user), permission_key(query.permission));
        let (subject_kind, subject_id) = subject.split_once(':').unwrap_or_default();
        let (kind, action) = kind_and_action(&key);
        let item = json!({
            "subject": { "type": subject_kind, "id": subject_id },
            "action": { "name": action },
            "resource": { "type": kind, "id": resource_id(query.site) },
        });
        (item, query.allowed)
    });
    questions.unzip()
}

fn ask(body: &Value, truth: Vec<bool>) -> Result<Ask> {
    Ok(Ask { body: serde_json::to_vec(body)?.into(), truth })
}

fn kind_and_action(key: &str) -> (&str, &str) {
    key.rsplit_once(':').unwrap_or_default()
}

/// The one resource of a type at a site.
fn resource_id(site: u8) -> String {
    format!("at-{}", site_id(site))
}
