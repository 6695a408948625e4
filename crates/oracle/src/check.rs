//! The check: section 4, rule by rule.

use std::collections::BTreeMap;

use crate::facts::{Edge, Grant, Permission, Role, When};
use crate::{Answer, Decision, Node, Oracle, Query};

/// The resource that is asked about (rule 3), with its facts, stored or stated.
pub(crate) struct Asked {
    pub(crate) node: Node,
    parents: Vec<Edge>,
    pub(crate) owner: Option<String>,
    attributes: BTreeMap<String, String>,
    /// Whether the parents and the owner are those that the query states.
    stated: bool,
}

/// A candidate (rule 5). `at` is `None` for the whole organization.
pub(crate) struct Candidate<'a> {
    pub(crate) role: &'a Role,
    pub(crate) at: Option<&'a Node>,
}

impl Oracle {
    /// Section 4.
    pub fn check(&self, query: &Query) -> Answer {
        // Rule 1. Malformed questions first, then unknown permissions.
        if query.permission.is_empty() || !well_formed_subject(&query.subject) || !well_formed_resource(query)
        {
            return Err("invalid_request");
        }
        let permission = self.permission(&query.permission).ok_or("unknown_permission")?;
        Ok(self.decide(query, permission, false))
    }

    /// Rules 2 to 12. With `unlisted`, the resource counts as one that the world does not list and whose type need not
    /// be registered: what a slice that does not list it is asked (section 7).
    pub(crate) fn decide(&self, query: &Query, permission: &Permission, unlisted: bool) -> Decision {
        let when = When::At(query.now);
        let deny = |reason| (false, reason);
        let allow = |reason| (true, reason);

        // Rule 2: an alias stands for its subject; a listed subject must be live.
        let id = self.canonical(&query.subject);
        let subject = self.subject(&id);
        if subject.is_some_and(|subject| !subject.life.live(when)) {
            return deny("inactive_subject");
        }
        let principals = self.principals(&id, when);

        // Rule 3: the resource, if any.
        let asked = match &query.resource {
            None => None,
            Some(node) => match self.resource(node) {
                Some(resource) if !unlisted => {
                    if !resource.life.live(when) && !permission.works_when_inactive {
                        return deny("inactive_resource");
                    }
                    Some(self.stored(node))
                }
                _ => {
                    let need_not_be_listed =
                        self.declared_type(&node.kind).is_some_and(|kind| !kind.registered);
                    if !need_not_be_listed && !unlisted {
                        return deny("unknown_resource");
                    }
                    Some(self.stated(node, query))
                }
            },
        };

        // Rule 4: the anchors beside the organization, which anchors everything.
        let anchors = match &asked {
            None => Vec::new(),
            Some(asked) => self.anchors(asked, permission, when),
        };

        // Rule 5 and rule 6.
        let candidates = self.candidates(&principals, &anchors, when);
        let kept: Vec<&Candidate> = candidates
            .iter()
            .filter(|candidate| !self.is_narrowed(candidate, &candidates, asked.as_ref(), permission, when))
            .collect();
        let all: Vec<&Candidate> = candidates.iter().collect();

        let dimensions = self.dimensions(query, &id, asked.as_ref());
        let owned = asked
            .as_ref()
            .and_then(|asked| asked.owner.as_ref())
            .is_some_and(|owner| principals.contains(owner));

        // Rule 8: a role counts before narrowing. Every dimension must be present.
        let excluded = self.grants.iter().any(|grant| {
            grant.exclude
                && grant.life.live(when)
                && is_held(grant, &principals, &all)
                && is_at(&grant.at, &anchors)
                && grant.conditions.iter().all(|(name, wanted)| present_and_equal(&dimensions, name, wanted))
                && grant.require.iter().all(|(name, wanted)| present_and_equal(&dimensions, name, wanted))
                && is_in_session(grant, query)
                && (!grant.own || owned)
                && excludes(&grant.permissions, permission)
        });
        if excluded {
            return deny("excluded");
        }

        // Rule 9.
        if let Some(asked) = &asked
            && owned
            && let Some(kind) = self.declared_type(&asked.node.kind)
            && satisfies(&kind.owner_permissions, permission)
        {
            return allow("owner");
        }

        // Rule 10, of the candidates that narrowing kept, or of all.
        let by_assignment = |candidates: &[&Candidate]| {
            candidates.iter().any(|candidate| satisfies(&candidate.role.permissions, permission))
        };
        if by_assignment(&kept) {
            return allow("assignment");
        }

        // Rule 11, likewise. A dimension of `where` may be absent; one of `require` may not.
        let by_grant = |candidates: &[&Candidate]| {
            self.grants.iter().any(|grant| {
                !grant.exclude
                    && grant.life.live(when)
                    && is_held(grant, &principals, candidates)
                    && is_at(&grant.at, &anchors)
                    && grant
                        .conditions
                        .iter()
                        .all(|(name, wanted)| absent_or_equal(&dimensions, name, wanted))
                    && grant.require.iter().all(|(name, wanted)| present_and_equal(&dimensions, name, wanted))
                    && is_in_session(grant, query)
                    && (!grant.own || owned)
                    && satisfies(&grant.permissions, permission)
            })
        };
        if by_grant(&kept) {
            return allow("grant");
        }

        // Rule 12.
        if by_assignment(&all) || by_grant(&all) {
            return deny("narrowed");
        }
        if subject.is_none() {
            return deny("unknown_subject");
        }
        deny("not_granted")
    }

    /// Rule 2: itself, every group reached over live memberships, and `user:all` when it is a user.
    pub(crate) fn principals(&self, id: &str, when: When) -> Vec<String> {
        let mut principals = vec![id.to_string()];
        let mut next = 0;
        while next < principals.len() {
            for membership in &self.memberships {
                if membership.member == principals[next]
                    && membership.life.live(when)
                    && !principals.contains(&membership.group)
                {
                    principals.push(membership.group.clone());
                }
            }
            next += 1;
        }
        if id.starts_with("user:") {
            principals.push("user:all".to_string());
        }
        principals
    }

    /// A listed resource with its own facts.
    pub(crate) fn stored(&self, node: &Node) -> Asked {
        let resource = self.resource(node);
        Asked {
            node: node.clone(),
            parents: resource.map(|resource| resource.parents.clone()).unwrap_or_default(),
            owner: resource.and_then(|resource| resource.owner.clone()),
            attributes: resource.map(|resource| resource.attributes.clone()).unwrap_or_default(),
            stated: false,
        }
    }

    /// A resource that is not listed: no stored facts, its parents are those of `in` (which `auto` edges lead to), its
    /// owner is `owner`. Nobody is called `all` or `*`, so these own nothing.
    fn stated(&self, node: &Node, query: &Query) -> Asked {
        Asked {
            node: node.clone(),
            parents: query.parents.iter().map(|parent| Edge { parent: parent.clone(), cap: None }).collect(),
            owner: query
                .owner
                .as_ref()
                .filter(|owner| well_formed_subject(owner))
                .map(|owner| self.canonical(owner)),
            attributes: BTreeMap::new(),
            stated: true,
        }
    }

    /// Rule 4: the resource itself, live or not, and its ancestors.
    pub(crate) fn anchors(&self, asked: &Asked, permission: &Permission, when: When) -> Vec<Node> {
        let mut anchors = vec![asked.node.clone()];
        anchors.extend(self.ancestors(&asked.parents, permission, when));
        anchors
    }

    /// Every live listed resource that is reached from the edges, over edges that let the permission's action pass.
    fn ancestors(&self, edges: &[Edge], permission: &Permission, when: When) -> Vec<Node> {
        let action = permission.key.rsplit_once(':').map_or("", |(_, action)| action);
        let passes =
            |edge: &Edge| edge.cap.as_ref().is_none_or(|cap| cap.iter().any(|passing| passing == action));
        let mut reached: Vec<Node> = Vec::new();
        let mut edges = edges.to_vec();
        while let Some(edge) = edges.pop() {
            if !passes(&edge) || reached.contains(&edge.parent) {
                continue;
            }
            if let Some(parent) = self.resource(&edge.parent)
                && parent.life.live(when)
            {
                reached.push(parent.node.clone());
                edges.extend(parent.parents.iter().cloned());
            }
        }
        reached
    }

    /// Rule 5.
    pub(crate) fn candidates(
        &self,
        principals: &[String],
        anchors: &[Node],
        when: When,
    ) -> Vec<Candidate<'_>> {
        let mut candidates = Vec::new();
        for assignment in &self.assignments {
            if assignment.life.live(when)
                && principals.contains(&assignment.holder)
                && is_at(&assignment.at, anchors)
                && let Some(role) = self.roles.iter().find(|role| role.id == assignment.role && role.active)
            {
                candidates.push(Candidate { role, at: assignment.at.as_ref() });
            }
        }
        candidates
    }

    /// Rule 6: whether a candidate stands at a strict ancestor of a narrowing resource at which another stands.
    fn is_narrowed(
        &self,
        candidate: &Candidate,
        candidates: &[Candidate],
        asked: Option<&Asked>,
        permission: &Permission,
        when: When,
    ) -> bool {
        candidates.iter().filter_map(|narrower| narrower.at).any(|narrower| {
            if !self.declared_type(&narrower.kind).is_some_and(|kind| kind.narrows) {
                return false;
            }
            match candidate.at {
                None => true,
                Some(at) if at == narrower => false,
                Some(at) => {
                    let edges = match asked {
                        Some(asked) if asked.stated && asked.node == *narrower => asked.parents.clone(),
                        _ => self.stored(narrower).parents,
                    };
                    self.ancestors(&edges, permission, when).contains(at)
                }
            }
        })
    }

    /// Rule 11, its end: the resource's attributes, the subject's, and over both what the query states.
    fn dimensions(&self, query: &Query, subject: &str, asked: Option<&Asked>) -> BTreeMap<String, String> {
        let mut dimensions = asked.map(|asked| asked.attributes.clone()).unwrap_or_default();
        if let Some(subject) = self.subject(subject) {
            for (name, value) in &subject.attributes {
                dimensions.insert(format!("subject.{name}"), value.clone());
            }
        }
        dimensions.extend(query.dimensions.clone());
        dimensions
    }
}

/// Rule 1: `<type>:<id>`, and an id that stands for one subject only.
pub(crate) fn well_formed_subject(subject: &str) -> bool {
    match subject.split_once(':') {
        Some((kind, id)) => !kind.is_empty() && !id.is_empty() && id != "*" && id != "all",
        None => false,
    }
}

/// Rule 1: no resource, or one with a type and with an id that stands for one resource only.
pub(crate) fn well_formed_resource(query: &Query) -> bool {
    match &query.resource {
        Some(node) => !node.kind.is_empty() && !node.id.is_empty() && node.id != "*",
        None => true,
    }
}

/// Rule 7.
pub(crate) fn satisfies(held: &[String], permission: &Permission) -> bool {
    held.contains(&permission.key) || permission.implied_by.iter().any(|key| held.contains(key))
}

/// Rule 8, its end.
fn excludes(excluded: &[String], permission: &Permission) -> bool {
    excluded.contains(&permission.key) || permission.excluded_by.iter().any(|key| excluded.contains(key))
}

/// Rules 8 and 11: the holder is a principal, or a role of a candidate. A role's id names no subject, so a question of
/// a subject that calls itself `role:…` does not get the role's grants.
pub(crate) fn is_held(grant: &Grant, principals: &[String], candidates: &[&Candidate]) -> bool {
    if grant.holder.starts_with("role:") {
        candidates.iter().any(|candidate| candidate.role.id == grant.holder)
    } else {
        principals.contains(&grant.holder)
    }
}

/// Rules 5, 8 and 11: at an anchor; the organization (no `at`) is one for everything.
pub(crate) fn is_at(at: &Option<Node>, anchors: &[Node]) -> bool {
    at.as_ref().is_none_or(|at| anchors.contains(at))
}

/// Rules 8 and 11: an absent session equals nothing.
fn is_in_session(grant: &Grant, query: &Query) -> bool {
    grant.session.is_none() || grant.session == query.session
}

fn present_and_equal(dimensions: &BTreeMap<String, String>, name: &str, wanted: &str) -> bool {
    dimensions.get(name).is_some_and(|value| wanted == "*" || value == wanted)
}

fn absent_or_equal(dimensions: &BTreeMap<String, String>, name: &str, wanted: &str) -> bool {
    dimensions.get(name).is_none_or(|value| wanted == "*" || value == wanted)
}
