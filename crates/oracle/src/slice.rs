//! Slices: what an engine that holds only the slice of one subject answers (section 7), derived from the whole world.
//!
//! Section 7 leaves a few things to the one who cuts: whether a resource of a type that is no scope, and that the
//! subject holds no grant of its own on, is listed. Each such choice is a [`View`] here, and every view's answer is
//! acceptable. The first view is the plain reading.

use crate::check::{Candidate, is_at, is_held, satisfies};
use crate::facts::{Assignment, When};
use crate::query::error_line;
use crate::{Answer, Node, Op, Oracle, Query};

/// One way to cut a slice.
#[derive(Clone, Copy)]
struct View {
    scopes: Scopes,
    /// Whether a resource of no scope type is listed also when only a role of the subject, or an assignment, reaches it.
    lists_by_role: bool,
    /// Whether a stated parent that the slice does not list, and that might have parents of its own, makes the question
    /// undecidable. One who cuts may know that it has none, and then gives the whole world's answer.
    doubts_parents: bool,
}

/// Which scopes are listed of those at which the answer is deny.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scopes {
    /// Those at which the subject might be allowed something at some time, or is narrowed or excluded.
    Plain,
    /// None.
    Fewest,
    /// All that anything of the subject reaches, whether it could ever count there or not.
    Most,
}

/// The plain reading first.
fn views() -> impl Iterator<Item = View> {
    [Scopes::Plain, Scopes::Fewest, Scopes::Most].into_iter().flat_map(|scopes| {
        [(false, true), (false, false), (true, true), (true, false)]
            .map(|(lists_by_role, doubts_parents)| View { scopes, lists_by_role, doubts_parents })
    })
}

impl Oracle {
    /// What an engine that holds the slice of `of_subject` answers.
    pub fn answer_in_slice(&self, of_subject: &str, query_json: &str, default_now_micros: i64) -> String {
        self.answers_in_slice(of_subject, query_json, default_now_micros).swap_remove(0)
    }

    /// Every answer that section 7 permits; the plain reading's first. There is always at least one.
    pub fn answers_in_slice(&self, of_subject: &str, query_json: &str, default_now_micros: i64) -> Vec<String> {
        let Ok(query) = Query::parse(query_json, default_now_micros) else {
            return vec![error_line("invalid_request")];
        };
        let mut answers = Vec::new();
        for view in views() {
            let answer = match self.outside(of_subject, &query) {
                Err(error) => error_line(error),
                Ok(()) => self.answer_by(&query, &|query| self.check_in_slice(query, view)),
            };
            if !answers.contains(&answer) {
                answers.push(answer);
            }
        }
        answers
    }

    /// The errors: rule 1's, then those of questions that only the whole snapshot can answer.
    fn outside(&self, of_subject: &str, query: &Query) -> Result<(), &'static str> {
        self.malformed(query)?;
        let other_subject = self.canonical(of_subject) != self.canonical(&query.subject);
        let other_type =
            query.op == Op::Filter && !self.declared_type(&query.kind).is_some_and(|kind| kind.scope);
        if query.op == Op::Subjects || other_subject || other_type { Err("not_in_slice") } else { Ok(()) }
    }

    fn check_in_slice(&self, query: &Query, view: View) -> Answer {
        let whole = self.check(query)?;
        let Some(node) = &query.resource else {
            return Ok(whole);
        };
        let not_in_slice = (false, "not_in_slice");
        let id = self.canonical(&query.subject);
        // Rule 2 is the subject's own and comes before anything about the resource; so does the catalog's word on types.
        let Some(kind) = self.declared_type(&node.kind) else {
            return Ok(whole);
        };
        if whole.1 == "inactive_subject" {
            return Ok(whole);
        }
        if kind.scope {
            let listed = whole.0
                || match view.scopes {
                    Scopes::Plain => self.slice_lists_scope(&id, node),
                    Scopes::Fewest => false,
                    Scopes::Most => self.slice_may_list_scope(&id, node),
                };
            return Ok(if listed { whole } else { not_in_slice });
        }
        if self.slice_lists_other(&id, node, view) {
            return Ok(whole);
        }
        // Undecidable: a stated parent that the slice does not list may have parents of its own.
        for parent in &query.parents {
            let Some(kind) = self.declared_type(&parent.kind) else { continue };
            let lists_some = self.resources.iter().any(|resource| resource.node.kind == parent.kind);
            if !kind.scope
                && lists_some
                && !self.slice_lists_other(&id, parent, view)
                && (kind.registered || view.doubts_parents)
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

    /// Whether the slice of a subject may list a scope: whether anything of the subject reaches it, even if it could
    /// never count there. About any other scope the slice must not tell whether it exists.
    pub fn slice_may_list_scope(&self, subject: &str, scope: &Node) -> bool {
        if self.resource(scope).is_none() {
            return false;
        }
        let principals = self.principals(&self.canonical(subject), When::Ever);
        let asked = self.stored(scope);
        asked.owner.as_ref().is_some_and(|owner| principals.contains(owner))
            || self.permissions.iter().any(|permission| {
                let anchors = self.anchors(&asked, permission, When::Ever);
                let candidates = self.candidates(&principals, &anchors, When::Ever);
                !candidates.is_empty()
                    || self.grants.iter().any(|grant| {
                        grant.life.live(When::Ever)
                            && is_held(grant, &principals, &[])
                            && is_at(&grant.at, &anchors)
                    })
            })
    }

    /// Whether the slice lists a resource of a type that is no scope: the subject owns it or holds a grant on it.
    fn slice_lists_other(&self, subject: &str, node: &Node, view: View) -> bool {
        let Some(resource) = self.resource(node) else {
            return false;
        };
        let principals = self.principals(subject, When::Ever);
        let is_owner = resource.owner.as_ref().is_some_and(|owner| principals.contains(owner));
        let is_here = |at: &Option<Node>| at.as_ref() == Some(node);
        let held = self.grants.iter().any(|grant| {
            grant.life.live(When::Ever) && is_here(&grant.at) && is_held(grant, &principals, &[])
        });
        let reached = || {
            let assigned = |assignment: &&Assignment| principals.contains(&assignment.holder);
            self.assignments.iter().filter(assigned).any(|assignment| {
                is_here(&assignment.at)
                    || self.grants.iter().any(|grant| grant.holder == assignment.role && is_here(&grant.at))
            })
        };
        is_owner || held || (view.lists_by_role && reached())
    }
}
