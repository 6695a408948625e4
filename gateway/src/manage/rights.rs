//! What somebody may do, as the resolver says.

use super::{Actor, Caller, Place};
use crate::clock::now_micros;
use crate::problem::{Problem, Refusal};
use postern_resolver::view::View;
use postern_resolver::{Context, Question, actions, check, live_scopes};
use postern_snapshot::Snapshot;
use postern_vocab::Decision;
use serde_json::{Value, json};
use uuid::Uuid;

/// One of several permissions, any of which will do, at a place. The first is the one that a denial names.
pub struct Need<'n> {
    /// Not empty.
    pub any_of: &'n [&'n str],
    /// Where.
    pub at: Option<(&'n str, &'n str)>,
}

/// The facts that a call is decided on, and who calls.
pub(super) struct Rights<'s> {
    /// Not needed for an operator, who may do everything.
    view: Option<Snapshot<'s>>,
    /// The same, or without what counts under conditions: what the caller is asked about on.
    mine: Option<Snapshot<'s>>,
    caller: &'s Caller,
    now: i64,
}

impl<'s> Rights<'s> {
    pub fn new(view: Option<Snapshot<'s>>, caller: &'s Caller) -> Self {
        Rights { view, mine: view, caller, now: now_micros() }
    }

    /// The same, where the caller holds only what it holds on other facts.
    pub fn with(view: Option<Snapshot<'s>>, mine: Option<Snapshot<'s>>, caller: &'s Caller) -> Self {
        Rights { mine, ..Rights::new(view, caller) }
    }

    fn context(&self) -> Context<'static> {
        Context { now: self.now, ..Context::default() }
    }

    /// Whether the caller holds a permission at a place.
    pub fn holds(&self, permission: &str, at: Option<(&str, &str)>) -> bool {
        match &self.caller.actor {
            Actor::Operator(_) => true,
            Actor::Subject(subject) => {
                let question = Question { subject, permission, resource: at, context: self.context() };
                let answer = self.mine.as_ref().map(|view| check(view, &question));
                answer.is_some_and(|answer| answer.is_ok_and(|reason| reason.decision() == Decision::Allow))
            }
        }
    }

    /// Refuses a caller who holds none of the permissions.
    pub fn require(&self, need: &Need<'_>) -> Result<(), Refusal> {
        match need.any_of.iter().any(|permission| self.holds(permission, need.at)) {
            true => Ok(()),
            false => Err(forbidden(need.any_of.first().copied().unwrap_or_default(), need.at)),
        }
    }

    /// Everything that a subject may do at a place, sorted. Nothing where it cannot ask.
    pub fn held(&self, subject: &str, at: Option<(&str, &str)>) -> Vec<String> {
        self.held_on(self.view.as_ref(), subject, at)
    }

    fn held_on(&self, view: Option<&Snapshot<'_>>, subject: &str, at: Option<(&str, &str)>) -> Vec<String> {
        let held = view.map(|view| actions(view, subject, at, &self.context()));
        held.and_then(Result::ok).unwrap_or_default()
    }

    /// The same of a caller who is a subject.
    pub fn held_by_caller(&self, at: Option<(&str, &str)>) -> Vec<String> {
        match &self.caller.actor {
            Actor::Operator(_) => Vec::new(),
            Actor::Subject(subject) => self.held_on(self.mine.as_ref(), subject, at),
        }
    }

    /// A permission of the catalog that the caller lacks at a place.
    pub fn lacking(&self, at: Option<(&str, &str)>) -> Option<String> {
        self.lacking_of(&self.held_by_caller(at))
    }

    /// The same at whatever lies below a place without being listed, of a type whose ids need not be: nobody owns it, and
    /// nothing stands at it.
    pub fn lacking_beneath(&self, kind: &str, at: (&str, &str)) -> Option<String> {
        self.lacking_of(&self.held_beneath(kind, at))
    }

    /// Everything that a caller who is a subject may do there, sorted.
    pub fn held_beneath(&self, kind: &str, at: (&str, &str)) -> Vec<String> {
        let (Some(view), Actor::Subject(subject)) = (&self.mine, &self.caller.actor) else {
            return Vec::new();
        };
        let anything = Uuid::now_v7().to_string();
        let context = Context { parents: &[at], ..self.context() };
        actions(view, subject, Some((kind, &anything)), &context).unwrap_or_default()
    }

    fn lacking_of(&self, held: &[String]) -> Option<String> {
        let view = self.mine.as_ref()?;
        let mut all = (0..view.permission_count()).map(|permission| view.permission_key(permission));
        all.find(|key| held.binary_search_by(|held| held.as_str().cmp(key)).is_err()).map(str::to_owned)
    }

    /// The organization, and every live scope: where somebody can be allowed something.
    pub fn places(&self) -> Vec<Place> {
        let scopes = self.view.as_ref().map(|view| live_scopes(view, self.now)).unwrap_or_default();
        std::iter::once(None).chain(scopes.into_iter().map(Some)).collect()
    }

    /// Whether there is nothing that the caller may not do, so that it can give nothing away that it does not hold.
    pub fn everything(&self) -> bool {
        if matches!(self.caller.actor, Actor::Operator(_)) {
            return true;
        }
        let all = self.view.as_ref().map_or(0, |view| view.permission_count() as usize);
        self.places().iter().all(|at| self.held_by_caller(borrowed(at)).len() == all)
    }

    /// Whether the caller may do whatever a subject may do at these places; with `more`, also something else at one of
    /// them.
    pub fn covers(&self, subject: &str, places: &[Place], more: bool) -> bool {
        let own = matches!(&self.caller.actor, Actor::Subject(caller) if caller == subject);
        let mut beyond = false;
        for at in places {
            let mine = self.held_by_caller(borrowed(at));
            // Nobody may do more than himself, whatever he holds under conditions.
            let theirs = if own { mine.clone() } else { self.held(subject, borrowed(at)) };
            if !theirs.iter().all(|permission| mine.binary_search(permission).is_ok()) {
                return false;
            }
            beyond |= mine.len() > theirs.len();
        }
        beyond || !more
    }
}

pub(super) fn borrowed(at: &Place) -> Option<(&str, &str)> {
    at.as_ref().map(|(kind, id)| (kind.as_str(), id.as_str()))
}

/// A denial: the permission and the place that were needed, and nothing else.
pub fn forbidden(permission: &str, at: Option<(&str, &str)>) -> Refusal {
    Refusal::from(Problem::FORBIDDEN).with("required", permission.into()).with("scope", scope(at))
}

/// A write that gives away what the caller does not hold.
pub(super) fn cannot_grant(permission: &str, at: Option<(&str, &str)>) -> Refusal {
    Refusal::from(Problem::CANNOT_GRANT).with("required", permission.into()).with("scope", scope(at))
}

fn scope(at: Option<(&str, &str)>) -> Value {
    match at {
        None => json!({}),
        Some((kind, id)) => json!({"type": kind, "id": id}),
    }
}
