//! Explanations as JSON, for the command line and for HTTP. They name holders and roles: for those who may read roles.

use postern_resolver::{Change, Explanation, Place, Step};
use serde_json::{Value, json};

/// The decision with its trail, and for a deny what would allow it; or the error.
pub fn to_json(explanation: &Explanation) -> Value {
    match explanation.answer {
        Err(error) => json!({ "error": error.as_str() }),
        Ok(reason) => json!({
            "decision": reason.decision().as_str(),
            "reason": reason.as_str(),
            "trail": explanation.trail.iter().map(step).collect::<Vec<_>>(),
            "remedy": explanation.remedy.iter().map(change).collect::<Vec<_>>(),
        }),
    }
}

fn place(place: &Place) -> Value {
    match place {
        None => Value::Null,
        Some((kind, id)) => json!({ "type": kind, "id": id }),
    }
}

fn step(step: &Step) -> Value {
    match step {
        Step::Candidate { holder, role, at, satisfies, narrowed } => json!({
            "candidate": { "holder": holder, "role": role, "at": place(at), "satisfies": satisfies, "narrowed": narrowed }
        }),
        Step::Grant { holder, at } => json!({ "grant": { "holder": holder, "at": place(at) } }),
        Step::Exclusion { holder, at } => json!({ "exclusion": { "holder": holder, "at": place(at) } }),
        Step::Owner { satisfies } => json!({ "owner": { "satisfies": satisfies } }),
    }
}

fn change(change: &Change) -> Value {
    match change {
        Change::ActivateSubject => json!("activate_subject"),
        Change::ListResource => json!("list_resource"),
        Change::ActivateResource => json!("activate_resource"),
        Change::RemoveExclusion { holder, at } => {
            json!({ "remove_exclusion": { "holder": holder, "at": place(at) } })
        }
        Change::Grant { at, or_role } => json!({ "grant": { "at": place(at), "or_role": or_role } }),
    }
}
