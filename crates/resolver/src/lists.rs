//! The questions of `semantics.md` section 5 whose answers are lists, and the two that look at every scope.
//!
//! Each answer is the check, asked for every candidate; lists are complete and sorted by bytes (by a heap: its code is a
//! tenth of a sort's, which counts in a browser).

use crate::ask::{Context, Ready};
use crate::decide::{Target, Who};
use crate::view::{Id, View, *};
use alloc::collections::BinaryHeap;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::ControlFlow;
use postern_vocab::{Decision, QueryError, Reason, format_uuid};

fn allows(reason: Reason) -> bool {
    reason.decision() == Decision::Allow
}

/// The ids of the listed resources of a type for which the check allows. An unknown type lists nothing.
///
/// # Errors
/// Those of rule 1; on a slice `NotInSlice` for a type that is not a scope type.
pub fn filter<V: View>(
    view: &V,
    subject: &str,
    permission: &str,
    kind: &str,
    context: &Context<'_>,
) -> Result<Vec<String>, QueryError> {
    let ready = Ready::new(view, Some(subject), Some(permission), None)?;
    let kind = view.find_type(kind);
    let scope = kind.is_some_and(|kind| view.resource_type(kind).flags & TYPE_SCOPE != 0);
    if view.flags() & WORLD_SLICE != 0 && !scope {
        return Err(QueryError::NotInSlice);
    }
    let mut ids = BinaryHeap::new();
    let Some(kind) = kind else { return Ok(Vec::new()) };
    for (start, end) in view.resources_of(kind) {
        for resource in start..end {
            if allows(ready.at(view, Target::Listed(resource), context))
                && let Some(id) = id_text("", view.resource_id(resource))
            {
                ids.push(id);
            }
        }
    }
    Ok(ids.into_sorted_vec())
}

/// What a [`filter`] comes to, as a condition for a database query over the same resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Residual {
    /// Every resource of the type.
    All,
    /// Every one but these; sorted by bytes, never empty.
    AllExcept(Vec<String>),
    /// These; sorted by bytes, never empty.
    Only(Vec<String>),
    /// None at all: a query that asks for nothing should not be asked. Never to be taken for "no condition".
    None,
}

/// The same as [`filter`], shorter where the subject is allowed at organization level: then it names those that are
/// excepted. A slice always names what is allowed, because it does not know of every resource that is denied.
///
/// # Errors
/// Those of [`filter`].
pub fn residual<V: View>(
    view: &V,
    subject: &str,
    permission: &str,
    kind: &str,
    context: &Context<'_>,
) -> Result<Residual, QueryError> {
    let allowed = filter(view, subject, permission, kind, context)?;
    let ready = Ready::new(view, Some(subject), Some(permission), None)?;
    if allowed.is_empty() {
        return Ok(Residual::None);
    }
    if view.flags() & WORLD_SLICE != 0 || !allows(ready.at(view, Target::Organization, context)) {
        return Ok(Residual::Only(allowed));
    }
    let mut denied = BinaryHeap::new();
    if let Some(kind) = view.find_type(kind) {
        for resource in view.resources_of(kind).into_iter().flat_map(|(start, end)| start..end) {
            let row = view.resource(resource);
            let named_only = row.ext != 0 && view.resource_ext(row.ext - 1).flags & RESOURCE_UNLISTED != 0;
            if !named_only
                && !allows(ready.at(view, Target::Listed(resource), context))
                && let Some(id) = id_text("", view.resource_id(resource))
            {
                denied.push(id);
            }
        }
    }
    Ok(if denied.is_empty() { Residual::All } else { Residual::AllExcept(denied.into_sorted_vec()) })
}

/// The listed subjects of a type for which the check allows.
///
/// # Errors
/// Those of rule 1; on a slice always `NotInSlice`.
pub fn subjects<V: View>(
    view: &V,
    permission: &str,
    resource: Option<(&str, &str)>,
    kind: &str,
    context: &Context<'_>,
) -> Result<Vec<String>, QueryError> {
    let mut ready = Ready::new(view, None, Some(permission), Some(resource))?;
    let mut ids = BinaryHeap::new();
    for (start, end) in view.subjects_of(kind) {
        for subject in start..end {
            if view.subject(subject).bits & SUBJECT_UNLISTED != 0 {
                continue;
            }
            ready.who = Who::Known(subject);
            if allows(ready.check(view, resource, context))
                && let Some(id) = id_text(kind, view.subject_id(subject))
            {
                ids.push(id);
            }
        }
    }
    Ok(ids.into_sorted_vec())
}

/// The permissions for which the check allows.
///
/// # Errors
/// Those of rule 1; on a slice `NotInSlice` for another subject than its own.
pub fn actions<V: View>(
    view: &V,
    subject: &str,
    resource: Option<(&str, &str)>,
    context: &Context<'_>,
) -> Result<Vec<String>, QueryError> {
    let mut ready = Ready::new(view, Some(subject), None, Some(resource))?;
    let mut keys = Vec::new();
    // Permissions are numbered in the byte order of their keys.
    for permission in 0..view.permission_count() {
        ready.permission = permission;
        if allows(ready.check(view, resource, context)) {
            keys.push(String::from(view.permission_key(permission)));
        }
    }
    Ok(keys)
}

/// Whether the subject may do it at organization level or at one live listed scope at least.
///
/// # Errors
/// Those of rule 1; on a slice `NotInSlice` for another subject than its own.
pub fn anywhere<V: View>(
    view: &V,
    subject: &str,
    permission: &str,
    context: &Context<'_>,
) -> Result<Decision, QueryError> {
    let ready = Ready::new(view, Some(subject), Some(permission), None)?;
    let found = allows(ready.at(view, Target::Organization, context))
        || scopes(view, context.now, &mut |scope| stop_if(allows(ready.at(view, scope, context)))).is_break();
    Ok(if found { Decision::Allow } else { Decision::Deny })
}

/// Whether the subject may do it at organization level and at every live listed scope.
///
/// # Errors
/// Those of rule 1; on a slice `NotInSlice` for another subject than its own.
pub fn everywhere<V: View>(
    view: &V,
    subject: &str,
    permission: &str,
    context: &Context<'_>,
) -> Result<Decision, QueryError> {
    let ready = Ready::new(view, Some(subject), Some(permission), None)?;
    // Whoever is allowed at organization level holds something at every scope, so that a slice lists them all.
    let everywhere = allows(ready.at(view, Target::Organization, context))
        && scopes(view, context.now, &mut |scope| stop_if(!allows(ready.at(view, scope, context))))
            .is_continue();
    Ok(if everywhere { Decision::Allow } else { Decision::Deny })
}

fn stop_if(stop: bool) -> ControlFlow<()> {
    if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

/// Calls `visit` with every live listed resource of a scope type.
fn scopes<V: View>(
    view: &V,
    now: i64,
    visit: &mut dyn FnMut(Target<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    for kind in 0..view.type_count() {
        if view.resource_type(kind).flags & TYPE_SCOPE == 0 {
            continue;
        }
        for (start, end) in view.resources_of(kind) {
            for resource in start..end {
                // What is only named, or not live, is left out whatever the permission.
                if crate::walk::resource_live(view, view.resource(resource), now) {
                    visit(Target::Listed(resource))?;
                }
            }
        }
    }
    ControlFlow::Continue(())
}

/// Every live listed resource of a scope type, by type and id; in no particular order.
pub fn live_scopes<V: View>(view: &V, now: i64) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let _ = scopes(view, now, &mut |scope| {
        if let Target::Listed(resource) = scope
            && let Some(id) = id_text("", view.resource_id(resource))
        {
            found.push((String::from(view.type_name(view.resource_kind(resource))), id));
        }
        ControlFlow::Continue(())
    });
    found
}

/// An id as text, with its type before it unless that is empty; `None` where it is not told.
pub(crate) fn id_text(kind: &str, id: Id<'_>) -> Option<String> {
    let uuid;
    let id = match id {
        Id::Text(text) => text,
        Id::Uuid(bytes) => {
            uuid = format_uuid(&bytes);
            core::str::from_utf8(&uuid).unwrap_or_default()
        }
        Id::Hidden => return None,
    };
    let mut whole = String::with_capacity(kind.len() + 1 + id.len());
    if !kind.is_empty() {
        whole.push_str(kind);
        whole.push(':');
    }
    whole.push_str(id);
    Some(whole)
}
