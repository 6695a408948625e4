//! Questions as texts: rule 1, and the resolution of ids to numbers (rules 2 and 3).

use crate::decide::{Ask, Stated, Target, Who, decide};
use crate::fast::{ORGANIZATION, check_short};
use crate::view::{View, *};
use postern_vocab::{Answer, QueryError, Reason, is_reserved_id, split_subject};

/// What may accompany every question.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'a> {
    /// `in`: parents, by type and id, of a resource that the world does not list.
    pub parents: &'a [(&'a str, &'a str)],
    /// The owner's id of a resource that the world does not list.
    pub owner: Option<&'a str>,
    /// `where`: stated dimensions by name; they override the stored ones.
    pub dimensions: &'a [(&'a str, &'a str)],
    /// The session that the subject is in; an absent one never equals anything.
    pub session: Option<&'a str>,
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub now: i64,
}

/// One check.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// `<type>:<id>`, or with an alias as the id.
    pub subject: &'a str,
    /// A permission key.
    pub permission: &'a str,
    /// Type and id; `None` asks at organization level.
    pub resource: Option<(&'a str, &'a str)>,
    /// What accompanies it.
    pub context: Context<'a>,
}

/// The handle of a subject, by id or alias. `None` where no fact names it: it then has no handle, and [`check`] by
/// text decides.
pub fn subject_handle<V: View>(view: &V, subject: &str) -> Option<u32> {
    view.subject_at_once(subject.as_bytes()).or_else(|| subject_handle_other(view, subject))
}

/// [`subject_handle`] for what [`View::subject_at_once`] is known not to find; right, and slower, for what it does.
pub fn subject_handle_other<V: View>(view: &V, subject: &str) -> Option<u32> {
    let (kind, id) = split_subject(subject).filter(|(_, id)| !is_reserved_id(id))?;
    view.find_subject(kind, id)
}

/// The handle of a permission.
pub fn permission_handle<V: View>(view: &V, permission: &str) -> Option<u32> {
    view.find_permission(permission)
}

/// The handle of a listed resource: its number plus one, as 0 stands for the organization. `None` where the world, or
/// the slice, does not list it.
pub fn resource_handle<V: View>(view: &V, kind: &str, id: &str) -> Option<u32> {
    let kind = view.find_type(kind)?;
    listed(view, kind, id).map(|resource| resource + 1)
}

/// Decides one question (`semantics.md` section 4).
///
/// # Errors
/// `InvalidRequest` and `UnknownPermission` by rule 1; on a slice `NotInSlice` for another subject than its own.
pub fn check<V: View>(view: &V, question: &Question<'_>) -> Answer {
    let ready = Ready::new(view, Some(question.subject), Some(question.permission), Some(question.resource))?;
    Ok(ready.check(view, question.resource, &question.context))
}

pub(crate) fn listed<V: View>(view: &V, kind: u32, id: &str) -> Option<u32> {
    let resource = view.find_resource(kind, id)?;
    is_listed(view, resource).then_some(resource)
}

fn is_listed<V: View>(view: &V, resource: u32) -> bool {
    let row = view.resource(resource);
    let flags = if row.ext == 0 { 0 } else { view.resource_ext(row.ext - 1).flags };
    flags & (RESOURCE_UNLISTED | RESOURCE_HIDDEN) == 0
}

/// A question that rule 1 has passed, with its subject and permission resolved.
#[derive(Clone, Copy)]
pub(crate) struct Ready<'a> {
    pub who: Who<'a>,
    pub permission: u32,
}

impl<'a> Ready<'a> {
    /// Rule 1 for whatever parts a question has. Order: malformed, then unknown, then not in this slice.
    pub fn new<V: View>(
        view: &V,
        subject: Option<&'a str>,
        permission: Option<&str>,
        resource: Option<Option<(&str, &str)>>,
    ) -> Result<Self, QueryError> {
        let parts = match subject.map(split_subject) {
            Some(None) => return Err(QueryError::InvalidRequest),
            Some(Some((_, id))) if is_reserved_id(id) => return Err(QueryError::InvalidRequest),
            Some(parts) => parts,
            None => None,
        };
        if permission == Some("") {
            return Err(QueryError::InvalidRequest);
        }
        if let Some(Some((kind, id))) = resource
            && (kind.is_empty() || id.is_empty() || id == "*")
        {
            return Err(QueryError::InvalidRequest);
        }
        let permission = match permission {
            None => 0,
            Some(key) => view.find_permission(key).ok_or(QueryError::UnknownPermission)?,
        };
        let Some(((kind, id), text)) = parts.zip(subject) else {
            if view.own_subject().is_some() {
                return Err(QueryError::NotInSlice);
            }
            return Ok(Ready { who: Who::Unknown { id: "", user: false }, permission });
        };
        let found = view.find_subject(kind, id);
        if let Some(own) = view.own_subject()
            && found != Some(own)
        {
            return Err(QueryError::NotInSlice);
        }
        let who = match found {
            Some(subject) => Who::Known(subject),
            None => Who::Unknown { id: text, user: kind == "user" },
        };
        Ok(Ready { who, permission })
    }

    /// Rules 2 to 12 for one resource.
    pub fn check<V: View>(&self, view: &V, resource: Option<(&str, &str)>, context: &Context<'_>) -> Reason {
        let target = match resource {
            None => Ok(Target::Organization),
            Some((kind, id)) => target(view, kind, id, context),
        };
        match target {
            Ok(target) => self.at(view, target, context),
            // Rule 2 comes before rule 3: a dead subject is told so whatever it asks about.
            Err(reason) => match self.at(view, Target::Organization, context) {
                Reason::InactiveSubject => Reason::InactiveSubject,
                _ => reason,
            },
        }
    }

    /// The same about a resource that is resolved already.
    pub fn at<V: View>(&self, view: &V, target: Target<'_>, context: &Context<'_>) -> Reason {
        let resource = match target {
            Target::Organization => Some(ORGANIZATION),
            Target::Listed(resource) => Some(resource + 1),
            Target::Stated(_) => None,
        };
        if let (Who::Known(subject), Some(resource)) = (self.who, resource)
            && let Some(reason) = check_short(view, view.subject(subject), self.permission, resource)
        {
            return reason;
        }
        decide(
            view,
            &Ask {
                who: self.who,
                permission: self.permission,
                target,
                dimensions: context.dimensions,
                session: context.session,
                now: context.now,
            },
        )
    }
}

/// Rule 3, and what section 7 says about resources that a slice does not list.
pub(crate) fn target<'a, V: View>(
    view: &V,
    kind: &str,
    id: &str,
    context: &Context<'a>,
) -> Result<Target<'a>, Reason> {
    let kind = view.find_type(kind).ok_or(Reason::UnknownResource)?;
    let row = view.find_resource(kind, id);
    if let Some(resource) = row
        && is_listed(view, resource)
    {
        return Ok(Target::Listed(resource));
    }
    let slice = view.flags() & WORLD_SLICE != 0;
    let flags = view.resource_type(kind).flags;
    if flags & TYPE_SCOPE != 0 {
        return Err(if slice { Reason::NotInSlice } else { Reason::UnknownResource });
    }
    if !slice && flags & TYPE_UNREGISTERED == 0 {
        return Err(Reason::UnknownResource);
    }
    if slice && context.parents.iter().any(|(kind, id)| hidden(view, kind, id)) {
        return Err(Reason::NotInSlice);
    }
    Ok(Target::Stated(Stated { kind, row, parents: context.parents, owner: context.owner }))
}

/// Whether a stated parent may be a resource that the whole snapshot lists and this slice does not. A scope that a
/// slice does not list has nothing of the subject's at it or above it, so that leaving it away changes nothing.
fn hidden<V: View>(view: &V, kind: &str, id: &str) -> bool {
    match view.find_type(kind) {
        None => false,
        Some(kind) => {
            view.resource_type(kind).flags & (TYPE_SCOPE | TYPE_EMPTY) == 0
                && listed(view, kind, id).is_none()
        }
    }
}
