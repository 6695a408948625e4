//! Queries in the words of the resolver, for the engines that run it natively.

use super::Asked;
use crate::answer::AnswerValue;
use postern_resolver::{self as resolver, Context, Question, View};
use postern_world::{Op, ResourceRef};

/// A resource as type and id.
pub(super) fn pair(place: &ResourceRef) -> (&str, &str) {
    (&place.kind, &place.id)
}

pub(super) fn answer(view: &impl View, asked: &Asked<'_>) -> AnswerValue {
    let query = asked.query;
    let parents: Vec<(&str, &str)> = query.parents.iter().map(pair).collect();
    let dimensions: Vec<(&str, &str)> = query
        .dimensions
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    let context = Context {
        parents: &parents,
        owner: query.owner.as_deref(),
        dimensions: &dimensions,
        session: query.session.as_deref(),
        now: asked.now,
    };
    let (subject, permission, resource) = (
        &*query.subject,
        &*query.permission,
        query.resource.as_ref().map(pair),
    );
    match query.op {
        // In a query file an explanation is its decision; the trail is for people, and no engine is compared by it.
        Op::Check | Op::Explain => AnswerValue::Check(resolver::check(
            view,
            &Question {
                subject,
                permission,
                resource,
                context,
            },
        )),
        Op::Filter => AnswerValue::Ids(resolver::filter(view, subject, permission, &query.kind, &context)),
        Op::Subjects => AnswerValue::Subjects(resolver::subjects(
            view,
            permission,
            resource,
            &query.kind,
            &context,
        )),
        Op::Actions => AnswerValue::Permissions(resolver::actions(view, subject, resource, &context)),
        Op::Anywhere => AnswerValue::Decision(resolver::anywhere(view, subject, permission, &context)),
        Op::Everywhere => AnswerValue::Decision(resolver::everywhere(view, subject, permission, &context)),
    }
}
