//! Slices: what an engine that holds only the slice of one subject answers (section 7), derived from the whole world.

use crate::check::{Candidate, is_at, is_held, satisfies};
use crate::facts::When;
use crate::query::error_line;
use crate::{Answer, Node, Op, Oracle, Query};

impl Oracle {
    /// What an engine that holds the slice of `of_subject` answers.
    pub fn answer_in_slice(&self, of_subject: &str, query_json: &str, default_now_micros: i64) -> String {
        let Ok(query) = Query::parse(query_json, default_now_micros) else {
            return error_line("invalid_request");
        };
        match self.outside(of_subject, &query) {
            Err(error) => error_line(error),
            Ok(()) => self.answer_by(&query, &|query| self.check_in_slice(query)),
        }
    }

    /// The errors: rule 1's, then those of questions that only the whole snapshot can answer.
    fn outside(&self, of_subject: &str, query: &Query) -> Result<(), &'static str> {
        self.malformed(query)?;
        let other_subject = self.canonical(of_subject) != self.canonical(&query.subject);
        let other_type =
            query.op == Op::Filter && !self.declared_type(&query.kind).is_some_and(|kind| kind.scope);
        if query.op == Op::Subjects || other_subject || other_type { Err("not_in_slice") } else { Ok(()) }
    }

    fn check_in_slice(&self, query: &Query) -> Answer {
        let whole = self.check(query)?;
        let not_in_slice = (false, "not_in_slice");
        let id = self.canonical(&query.subject);
        // Rule 2 is about the subject alone and comes first; the organization and the catalog's types are in every slice.
        let Some(node) = &query.resource else {
            return Ok(whole);
        };
        let Some(kind) = self.declared_type(&node.kind) else {
            return Ok(whole);
        };
        if whole.1 == "inactive_subject" {
            return Ok(whole);
        }
        if kind.scope {
            return Ok(if self.slice_lists_scope(&id, node) { whole } else { not_in_slice });
        }
        if self.slice_lists_other(&id, node) {
            return Ok(whole);
        }
        // A stated parent that the slice does not list may have parents of its own, unless it is a scope: at a scope
        // that is not listed, nothing of the subject counts. Nor may one of a type of which the world lists nothing.
        for parent in &query.parents {
            if self.declared_type(&parent.kind).is_some_and(|kind| !kind.scope)
                && self.resources.iter().any(|resource| resource.node.kind == parent.kind)
                && !self.slice_lists_other(&id, parent)
            {
                return Ok(not_in_slice);
            }
        }
        let permission = self.permission(&query.permission).ok_or("unknown_permission")?;
        Ok(self.decide(query, permission, true))
    }

    /// Whether the slice of a subject lists a scope: whether, at whatever time, in whatever session and with whatever
    /// dimensions, the subject might be allowed something there, or an assignment or exclusion of its own reaches it.
    pub fn slice_lists_scope(&self, subject: &str, scope: &Node) -> bool {
        let Some(resource) = self.resource(scope) else {
            return false;
        };
        let principals = self.principals(&self.canonical(subject), When::Ever);
        let asked = self.stored(scope);
        let is_owner = asked.owner.as_ref().is_some_and(|owner| principals.contains(owner));

        // A grant of a role that the subject holds anywhere counts at its own place: stated parents can bring both together.
        let holds_role = |role: &str| {
            self.assignments.iter().any(|assignment| {
                assignment.life.live(When::Ever)
                    && principals.contains(&assignment.holder)
                    && assignment.role == role
                    && self.roles.iter().any(|role| role.id == assignment.role && role.active)
            })
        };
        for permission in &self.permissions {
            if !resource.life.live(When::Ever) && !permission.works_when_inactive {
                continue;
            }
            let anchors = self.anchors(&asked, permission, When::Ever);
            let candidates = self.candidates(&principals, &anchors, When::Ever);
            let candidates: Vec<&Candidate> = candidates.iter().collect();
            let grants = || {
                self.grants.iter().filter(|grant| {
                    grant.life.live(When::Ever)
                        && is_held(grant, &principals, &candidates)
                        && is_at(&grant.at, &anchors)
                })
            };
            if is_owner
                && self
                    .declared_type(&scope.kind)
                    .is_some_and(|kind| satisfies(&kind.owner_permissions, permission))
                || candidates.iter().any(|candidate| satisfies(&candidate.role.permissions, permission))
                || grants().any(|grant| !grant.exclude && satisfies(&grant.permissions, permission))
                || candidates.iter().any(|candidate| candidate.at.is_some())
                || grants().any(|grant| grant.exclude && grant.at.is_some())
                || self.grants.iter().any(|grant| {
                    grant.life.live(When::Ever)
                        && grant.at.is_some()
                        && is_at(&grant.at, &anchors)
                        && holds_role(&grant.holder)
                        && (grant.exclude || satisfies(&grant.permissions, permission))
                })
            {
                return true;
            }
        }
        false
    }

    /// Whether the slice lists a resource of a type that is no scope: the subject owns it or holds a grant on it.
    fn slice_lists_other(&self, subject: &str, node: &Node) -> bool {
        let Some(resource) = self.resource(node) else {
            return false;
        };
        let principals = self.principals(subject, When::Ever);
        resource.owner.as_ref().is_some_and(|owner| principals.contains(owner))
            || self.grants.iter().any(|grant| {
                grant.life.live(When::Ever)
                    && grant.at.as_ref() == Some(node)
                    && is_held(grant, &principals, &[])
            })
    }
}
