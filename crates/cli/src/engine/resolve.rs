//! Queries in the words of the resolver, for the engines that run it natively.

use super::Asked;
use crate::answer::AnswerValue;
use postern_resolver::{self as resolver, Context, Question, View};
use postern_world::{Op, Query, ResourceRef};

/// A resource as type and id.
pub(crate) fn pair(place: &ResourceRef) -> (&str, &str) {
    (&place.kind, &place.id)
}

/// A query as a check.
pub(crate) fn question_of<'a>(
    query: &'a Query,
    parents: &'a [(&'a str, &'a str)],
    dimensions: &'a [(&'a str, &'a str)],
    now: i64,
) -> Question<'a> {
    let (owner, session) = (query.owner.as_deref(), query.session.as_deref());
    Question {
        subject: &query.subject,
        permission: &query.permission,
        resource: query.resource.as_ref().map(pair),
        context: Context { parents, owner, dimensions, session, now },
    }
}

pub(super) fn answer(view: &impl View, asked: &Asked<'_>) -> AnswerValue {
    let query = asked.query;
    let parents: Vec<(&str, &str)> = query.parents.iter().map(pair).collect();
    let dimensions: Vec<(&str, &str)> =
        query.dimensions.iter().map(|(name, value)| (&**name, &**value)).collect();
    let question = question_of(query, &parents, &dimensions, asked.now);
    let Question { subject, permission, resource, context } = question;
    match query.op {
        // In a query file an explanation is its decision; the trail is for people, and no engine is compared by it.
        Op::Check | Op::Explain => AnswerValue::Check(resolver::check(view, &question)),
        Op::Filter => AnswerValue::Ids(resolver::filter(view, subject, permission, &query.kind, &context)),
        Op::Subjects => {
            AnswerValue::Subjects(resolver::subjects(view, permission, resource, &query.kind, &context))
        }
        Op::Actions => AnswerValue::Permissions(resolver::actions(view, subject, resource, &context)),
        Op::Anywhere => AnswerValue::Decision(resolver::anywhere(view, subject, permission, &context)),
        Op::Everywhere => AnswerValue::Decision(resolver::everywhere(view, subject, permission, &context)),
    }
}
