//! A check with its trail, and for a deny the smallest change that would allow it (`semantics.md` section 5).
//!
//! This names roles and holders: it is for those who may read roles. A denied user is told only what was required and
//! where.

use crate::ask::{Question, Ready, target};
use crate::decide::{Ask, Case, Held, Stated, Target, Who};
use crate::lists::id_text;
use crate::view::{View, *};
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::ControlFlow;
use postern_vocab::{Answer, Decision, Reason};

/// Where something stands: a resource by type and id, or the whole organization (`None`). In a slice the id of a
/// resource that only lies on the way up is empty.
pub type Place = Option<(String, String)>;

/// One thing that the decision looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// An assignment that stands at an anchor (rule 5).
    Candidate {
        /// Who holds the role: a subject, a group, or `user:all`.
        holder: String,
        /// The role; empty in a slice.
        role: String,
        /// Where.
        at: Place,
        /// Whether the role satisfies the permission (rule 7).
        satisfies: bool,
        /// Whether narrowing dropped it (rule 6).
        narrowed: bool,
    },
    /// A grant of the permission that applies (rule 11).
    Grant {
        /// Who holds it: a subject, a group, `user:all`, or a role.
        holder: String,
        /// Where.
        at: Place,
    },
    /// An exclusion of the permission that applies (rule 8).
    Exclusion {
        /// Who holds it: a subject, a group, `user:all`, or a role.
        holder: String,
        /// Where.
        at: Place,
    },
    /// One of the principals owns the resource (rule 9).
    Owner {
        /// Whether owners of its type may do this.
        satisfies: bool,
    },
}

/// One change of the facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Make the subject active, and lift its time bounds.
    ActivateSubject,
    /// List the resource.
    ListResource,
    /// Make the resource active, and lift its time bounds.
    ActivateResource,
    /// Take away what excludes the permission, as held there.
    RemoveExclusion {
        /// Who holds it.
        holder: String,
        /// Where.
        at: Place,
    },
    /// Grant the permission.
    Grant {
        /// Where: the resource itself, as narrow as it can be.
        at: Place,
        /// Or instead: the role with the fewest permissions that satisfies this one.
        or_role: Option<String>,
    },
}

/// A decision with what led to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The decision, the same that [`crate::check`] gives.
    pub answer: Answer,
    /// What was looked at; empty for an error.
    pub trail: Vec<Step>,
    /// For a deny: all of these together would allow it, and none can be left away (but for the grant, where a resource
    /// that is not live and whose ways up branch has to be activated first). Empty where none can help: an error, an
    /// undeclared type, or a question that a slice cannot answer.
    pub remedy: Vec<Change>,
}

/// Decides one question and says why. Cost: that of the check, and an allocation for each step.
pub fn explain<V: View>(view: &V, question: &Question<'_>) -> Explanation {
    let ready = Ready::new(view, Some(question.subject), Some(question.permission), Some(question.resource));
    let ready = match ready {
        Ok(ready) => ready,
        Err(error) => {
            return Explanation { answer: Err(error), trail: Vec::new(), remedy: Vec::new() };
        }
    };
    let context = &question.context;
    let reason = ready.check(view, question.resource, context);
    let mut explanation = Explanation { answer: Ok(reason), trail: Vec::new(), remedy: Vec::new() };
    let mut remedy = Vec::new();
    let found = match question.resource {
        None => Target::Organization,
        Some((kind, id)) => match target(view, kind, id, context) {
            Ok(found) => found,
            Err(Reason::UnknownResource) => match view.find_type(kind) {
                Some(kind) => {
                    // Once listed it has no facts of its own; what names it already stands at it.
                    remedy.push(Change::ListResource);
                    let row = view.find_resource(kind, id);
                    Target::Stated(Stated { kind, row, parents: &[], owner: None })
                }
                None => return explanation,
            },
            Err(_) => return explanation,
        },
    };
    if reason == Reason::InactiveSubject || dead(view, ready.who, context.now) {
        remedy.push(Change::ActivateSubject);
    }
    let resource = match found {
        Target::Listed(resource) => Some(resource),
        _ => None,
    };
    let permission = view.permission(ready.permission);
    if let Some(resource) = resource
        && permission.flags & PERMISSION_WORKS_WHEN_INACTIVE == 0
        && !crate::walk::resource_live(view, view.resource(resource), context.now)
    {
        remedy.push(Change::ActivateResource);
    }
    let ask = Ask {
        who: ready.who,
        permission: ready.permission,
        target: found,
        dimensions: context.dimensions,
        session: context.session,
        now: context.now,
    };
    let case = Case::new(view, &ask, permission.action, resource);
    explanation.trail = trail(&case);
    if reason.decision() == Decision::Deny {
        for step in &explanation.trail {
            if let Step::Exclusion { holder, at } = step {
                let change = Change::RemoveExclusion { holder: holder.clone(), at: at.clone() };
                if !remedy.contains(&change) {
                    remedy.push(change);
                }
            }
        }
        // Once it is live, a resource on a cycle may lie above its own ancestors, and narrowing falls out otherwise: then
        // only a grant to the subject is certain to allow.
        let certain = !remedy.contains(&Change::ActivateResource)
            || resource.is_none_or(|resource| view.resource(resource).up & RESOURCE_COMPLEX == 0);
        let allowed = explanation.trail.iter().any(|step| match step {
            Step::Candidate { satisfies, narrowed, .. } => *satisfies && !narrowed && certain,
            Step::Grant { .. } => certain,
            Step::Owner { satisfies } => *satisfies,
            Step::Exclusion { .. } => false,
        });
        if !allowed {
            let at = question.resource.map(|(kind, id)| (String::from(kind), String::from(id)));
            remedy.push(Change::Grant { at, or_role: nearest_role(view, ready.permission) });
        }
        explanation.remedy = remedy;
    }
    explanation
}

fn dead<V: View>(view: &V, who: Who<'_>, now: i64) -> bool {
    let Who::Known(subject) = who else { return false };
    let row = view.subject(subject);
    row.bits & SUBJECT_DEAD != 0
        || (row.bits & SUBJECT_EXT != 0 && !view.live(view.subject_ext(row.link()).timing, now))
}

/// What the decision looked at, in the order of the rules.
fn trail<V: View>(case: &Case<'_, V>) -> Vec<Step> {
    let (mut exclusions, mut candidates, mut grants) = (Vec::new(), Vec::new(), Vec::new());
    let mut look = |holder: &str, held: Held| {
        let _ = case.bindings_of(held, &mut |binding| {
            step(case, holder, binding, &mut exclusions, &mut candidates, &mut grants);
            ControlFlow::Continue(())
        });
    };
    if case.is_user() && case.view.everyone() != 0 {
        look("user:all", Held::List(case.view.list(case.view.everyone())));
    }
    let _ = case.each_principal(&mut |principal| {
        look(&subject_text(case.view, principal), case.held_by(principal));
        ControlFlow::Continue(())
    });
    let mut trail = exclusions;
    if case.owned() {
        trail.push(Step::Owner { satisfies: case.owner_allows() });
    }
    trail.append(&mut candidates);
    trail.append(&mut grants);
    trail
}

fn step<V: View>(
    case: &Case<'_, V>,
    holder: &str,
    binding: Binding,
    exclusions: &mut Vec<Step>,
    candidates: &mut Vec<Step>,
    grants: &mut Vec<Step>,
) {
    if binding.what & BINDING_TERMS != 0 && !case.terms_hold(binding) {
        return;
    }
    let satisfies = case.view.set_has(binding.what & BINDING_SET, case.ask.permission);
    let at = place(case.view, binding.at);
    if binding.what & (BINDING_EXCLUDE | BINDING_GRANT) != 0 {
        if satisfies {
            let holder = String::from(holder);
            if binding.what & BINDING_EXCLUDE != 0 {
                exclusions.push(Step::Exclusion { holder, at });
            } else {
                grants.push(Step::Grant { holder, at });
            }
        }
        return;
    }
    let role = binding.role.checked_sub(1).and_then(|role| case.view.role_id(role)).unwrap_or_default();
    let narrowed = !case.kept(binding.at);
    candidates.push(Step::Candidate {
        holder: String::from(holder),
        role: String::from(role),
        at,
        satisfies,
        narrowed,
    });
    // What the role holds applies with the candidate: exclusions always, grants when narrowing keeps it.
    case.role_grants(binding, &mut |grant| {
        let (holder, at) = (String::from(role), place(case.view, grant.at));
        if grant.what & BINDING_EXCLUDE != 0 {
            exclusions.push(Step::Exclusion { holder, at });
        } else if !narrowed {
            grants.push(Step::Grant { holder, at });
        }
    });
}

fn place<V: View>(view: &V, at: u32) -> Place {
    let resource = at.checked_sub(1)?;
    let kind = String::from(view.type_name(view.resource_kind(resource)));
    Some((kind, id_text("", view.resource_id(resource)).unwrap_or_default()))
}

fn subject_text<V: View>(view: &V, subject: u32) -> String {
    let kind = view.subject_kind(subject);
    id_text(kind, view.subject_id(subject)).unwrap_or_else(|| String::from(kind))
}

/// The role with the fewest permissions among those that satisfy one; the first of equals.
fn nearest_role<V: View>(view: &V, permission: u32) -> Option<String> {
    let mut nearest: Option<(u32, &str)> = None;
    for role in 0..view.role_count() {
        let Some(id) = view.role_id(role) else { continue };
        let set = view.role_set(role);
        let size = view.set_bytes(set).iter().map(|byte| byte.count_ones()).sum();
        if view.set_has(set, permission) && nearest.is_none_or(|(least, _)| size < least) {
            nearest = Some((size, id));
        }
    }
    nearest.map(|(_, id)| String::from(id))
}
