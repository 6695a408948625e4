//! The other questions: section 5. Each is a loop over checks.

use crate::check::{well_formed_resource, well_formed_subject};
use crate::facts::When;
use crate::query::{check_line, decision_line, error_line, list_line};
use crate::{Answer, Node, Op, Oracle, Query};

impl Oracle {
    /// Answers one line of a query file with one line (section 6). A line that cannot be read is no question, and
    /// answers as a malformed one.
    pub fn answer(&self, query_json: &str, default_now_micros: i64) -> String {
        match Query::parse(query_json, default_now_micros) {
            Ok(query) => self.answer_query(&query),
            Err(_) => error_line("invalid_request"),
        }
    }

    /// The same of a question that has been read.
    pub fn answer_query(&self, query: &Query) -> String {
        self.answer_by(query, &|query| self.check(query))
    }

    /// The line that answers a question, by a check: the same loops whether the whole world decides or a slice.
    pub(crate) fn answer_by(&self, query: &Query, check: &dyn Fn(&Query) -> Answer) -> String {
        match query.op {
            Op::Check => check_line(check(query)),
            Op::Filter => list_line("ids", self.filter_by(query, check)),
            Op::Subjects => list_line("subjects", self.subjects_by(query, check)),
            Op::Actions => list_line("permissions", self.actions_by(query, check)),
            Op::Anywhere => decision_line(self.anywhere_by(query, check)),
            Op::Everywhere => decision_line(self.everywhere_by(query, check)),
        }
    }

    /// The ids of the listed resources of the type `kind` for which the check allows.
    pub fn filter(&self, query: &Query) -> Result<Vec<String>, &'static str> {
        self.filter_by(query, &|query| self.check(query))
    }

    /// The listed subjects of the type `kind` for which the check allows.
    pub fn subjects(&self, query: &Query) -> Result<Vec<String>, &'static str> {
        self.subjects_by(query, &|query| self.check(query))
    }

    /// The permissions for which the check allows.
    pub fn actions(&self, query: &Query) -> Result<Vec<String>, &'static str> {
        self.actions_by(query, &|query| self.check(query))
    }

    /// Allowed at organization level or at one live listed scope.
    pub fn anywhere(&self, query: &Query) -> Result<bool, &'static str> {
        self.anywhere_by(query, &|query| self.check(query))
    }

    /// Allowed at organization level and at every live listed scope.
    pub fn everywhere(&self, query: &Query) -> Result<bool, &'static str> {
        self.everywhere_by(query, &|query| self.check(query))
    }

    fn filter_by(
        &self,
        query: &Query,
        check: &dyn Fn(&Query) -> Answer,
    ) -> Result<Vec<String>, &'static str> {
        self.malformed(query)?;
        let mut ids = Vec::new();
        for resource in &self.resources {
            if resource.node.kind == query.kind && check(&at(query, &resource.node))?.0 {
                ids.push(resource.node.id.clone());
            }
        }
        ids.sort();
        Ok(ids)
    }

    fn subjects_by(
        &self,
        query: &Query,
        check: &dyn Fn(&Query) -> Answer,
    ) -> Result<Vec<String>, &'static str> {
        self.malformed(query)?;
        let mut subjects = Vec::new();
        for subject in &self.subjects {
            let kind = subject.id.split_once(':').map_or("", |(kind, _)| kind);
            if kind == query.kind && check(&Query { subject: subject.id.clone(), ..query.clone() })?.0 {
                subjects.push(subject.id.clone());
            }
        }
        subjects.sort();
        Ok(subjects)
    }

    fn actions_by(
        &self,
        query: &Query,
        check: &dyn Fn(&Query) -> Answer,
    ) -> Result<Vec<String>, &'static str> {
        self.malformed(query)?;
        let mut keys = Vec::new();
        for permission in &self.permissions {
            if check(&Query { permission: permission.key.clone(), ..query.clone() })?.0 {
                keys.push(permission.key.clone());
            }
        }
        keys.sort();
        Ok(keys)
    }

    fn anywhere_by(&self, query: &Query, check: &dyn Fn(&Query) -> Answer) -> Result<bool, &'static str> {
        self.malformed(query)?;
        let mut allowed = check(&Query { resource: None, ..query.clone() })?.0;
        for scope in self.live_scopes(query.now) {
            allowed |= check(&at(query, scope))?.0;
        }
        Ok(allowed)
    }

    fn everywhere_by(&self, query: &Query, check: &dyn Fn(&Query) -> Answer) -> Result<bool, &'static str> {
        self.malformed(query)?;
        let mut allowed = check(&Query { resource: None, ..query.clone() })?.0;
        for scope in self.live_scopes(query.now) {
            allowed &= check(&at(query, scope))?.0;
        }
        Ok(allowed)
    }

    fn live_scopes(&self, now: i64) -> impl Iterator<Item = &Node> {
        self.resources
            .iter()
            .filter(move |resource| resource.life.live(When::At(now)))
            .map(|resource| &resource.node)
            .filter(|node| self.declared_type(&node.kind).is_some_and(|kind| kind.scope))
    }

    /// Rule 1 for every question: of the parts that it has, none is malformed; then its permission is known.
    pub(crate) fn malformed(&self, query: &Query) -> Result<(), &'static str> {
        let has_subject = query.op != Op::Subjects;
        let has_permission = query.op != Op::Actions;
        let has_resource = matches!(query.op, Op::Check | Op::Subjects | Op::Actions);
        if (has_subject && !well_formed_subject(&query.subject))
            || (has_permission && query.permission.is_empty())
            || (has_resource && !well_formed_resource(query))
        {
            return Err("invalid_request");
        }
        if has_permission && self.permission(&query.permission).is_none() {
            return Err("unknown_permission");
        }
        Ok(())
    }
}

/// The question about one listed resource.
fn at(query: &Query, node: &Node) -> Query {
    Query { resource: Some(node.clone()), ..query.clone() }
}
