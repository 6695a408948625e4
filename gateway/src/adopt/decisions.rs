//! The checks of a plan: what the source says of who may do what, beside what is decided on the facts.

use super::error::AdoptError;
use super::plan::Plan;
use crate::publish::compile;
use crate::store::adopt::source::Source;
use postern_resolver::{Context, Question, check};
use postern_vocab::Decision;
use sqlx::PgConnection;

/// Disagreements that are shown.
const SAMPLES: usize = 5;

/// What one check found.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Its name.
    pub check: String,
    /// Decisions that were compared.
    pub decisions: u64,
    /// Of them, those that the source allows.
    pub allowed: u64,
    /// On which they do not agree.
    pub disagree: u64,
    /// Some of these.
    pub samples: Vec<String>,
}

/// Decides every row of every check on the facts as they are. `now`: microseconds since 1970.
pub async fn decide(
    plan: &Plan,
    target: &mut PgConnection,
    source: &mut Source,
    now: i64,
) -> Result<Vec<Checked>, AdoptError> {
    let mut all = Vec::new();
    if plan.checks.is_empty() {
        return Ok(all);
    }
    let state = compile(target, &plan.organization, &mut None).await?;
    let state = state.ok_or_else(|| AdoptError::NoOrganization(plan.organization.clone()))?;
    let view = state.view();
    for planned in &plan.checks {
        let mut checked = Checked {
            check: planned.name.clone(),
            decisions: 0,
            allowed: 0,
            disagree: 0,
            samples: Vec::new(),
        };
        let read = source.allowed(&planned.sql, |row| {
            let disagreement = compared(&view, &row, now, &mut checked.allowed);
            if let Some(disagreement) = disagreement {
                checked.disagree += 1;
                if checked.samples.len() < SAMPLES {
                    checked.samples.push(disagreement);
                }
            }
        });
        let read = read.await;
        checked.decisions =
            read.map_err(|error| AdoptError::Source { query: planned.name.clone(), error })?;
        all.push(checked);
    }
    Ok(all)
}

/// Why a row is none that the facts agree with. `None`: they do.
fn compared(
    view: &postern_snapshot::Snapshot<'_>,
    [subject, permission, kind, id, allowed]: &[Option<String>; 5],
    now: i64,
    allows: &mut u64,
) -> Option<String> {
    let (Some(subject), Some(permission), Some(allowed)) = (subject, permission, allowed) else {
        return Some("a row whose subject, permission or allowed is NULL".to_owned());
    };
    let resource = match (kind, id) {
        (Some(kind), Some(id)) => Some((kind.as_str(), id.as_str())),
        (None, None) => None,
        _ => return Some(format!("{subject} {permission}: type and id are both NULL, or neither is")),
    };
    let allowed = match allowed.as_str() {
        "true" => true,
        "false" => false,
        other => return Some(format!("{subject} {permission}: allowed is `{other}`, and no boolean")),
    };
    *allows += u64::from(allowed);
    let question = Question { subject, permission, resource, context: Context { now, ..Context::default() } };
    let at = resource.map_or("the organization".to_owned(), |(kind, id)| format!("{kind}/{id}"));
    let said = if allowed { "allows" } else { "denies" };
    match check(view, &question) {
        Ok(reason) if (reason.decision() == Decision::Allow) == allowed => None,
        Ok(reason) => {
            let decided = if allowed { "denied" } else { "allowed" };
            let reason = reason.as_str();
            Some(format!(
                "{subject} {permission} at {at}: the source {said} it, on the facts it is {decided} ({reason})"
            ))
        }
        Err(error) => Some(format!(
            "{subject} {permission} at {at}: the source {said} it, on the facts it is an error ({error})"
        )),
    }
}
