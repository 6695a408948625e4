//! Answering a request.

use crate::{Answer, Op, Request};
use alloc::vec::Vec;
use postern_resolver::{Context, Question, View};
use postern_vocab::QueryError;

/// Answers one question about one snapshot, or about facts in memory.
pub fn answer<V: View>(view: &V, request: &Request<'_>) -> Answer {
    let Request { subject, permission, resource, kind, .. } = *request;
    let context = Context {
        parents: &request.parents.0,
        owner: request.owner,
        dimensions: &request.dimensions.0,
        session: request.session,
        now: request.now,
    };
    match request.op {
        Op::Check => {
            postern_resolver::check(view, &Question { subject, permission, resource, context }).into()
        }
        Op::Filter => postern_resolver::filter(view, subject, permission, kind, &context).into(),
        Op::Subjects => postern_resolver::subjects(view, permission, resource, kind, &context).into(),
        Op::Actions => postern_resolver::actions(view, subject, resource, &context).into(),
        Op::Anywhere => postern_resolver::anywhere(view, subject, permission, &context).into(),
        Op::Everywhere => postern_resolver::everywhere(view, subject, permission, &context).into(),
    }
}

/// Answers one encoded request with one encoded answer. Bytes that are no request: the error `invalid_request`.
pub fn answer_bytes<V: View>(view: &V, request: &[u8]) -> Vec<u8> {
    match Request::from_bytes(request) {
        Ok(request) => answer(view, &request).to_bytes(),
        Err(_) => Answer::Error(QueryError::InvalidRequest as u8).to_bytes(),
    }
}
