//! The world document as Rust values. Field names are those of the JSON, whose meaning `docs/semantics.md` gives.

use std::collections::BTreeMap;

/// When an object counts. Times are microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Life {
    /// False takes the object out of every decision.
    pub active: bool,
    /// Inclusive; `None` holds always.
    pub not_before: Option<i64>,
    /// Exclusive; `None` holds always.
    pub expires_at: Option<i64>,
}

impl Default for Life {
    fn default() -> Self {
        Life { active: true, not_before: None, expires_at: None }
    }
}

/// Everything that a decision of one organization may depend on, at one revision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct World {
    /// Any non-empty string.
    pub organization: String,
    /// Raised by every change of a fact.
    pub revision: u64,
    /// Types and permissions.
    pub catalog: Catalog,
    /// Who may ask.
    pub subjects: Vec<Subject>,
    /// Who belongs to which group.
    pub memberships: Vec<Membership>,
    /// What can be acted on.
    pub resources: Vec<Resource>,
    /// Named sets of permissions.
    pub roles: Vec<Role>,
    /// Who holds which role where.
    pub assignments: Vec<Assignment>,
    /// Permissions given, or excluded, without a role's set.
    pub grants: Vec<Grant>,
}

/// Types and permissions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalog {
    /// Resource types by name.
    pub types: BTreeMap<String, ResourceType>,
    /// Permissions by key.
    pub permissions: BTreeMap<String, Permission>,
}

/// What is true of every resource of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceType {
    /// Roles are assigned at resources of this type; all of them are listed.
    pub scope: bool,
    /// An assignment at a resource of this type replaces those at its ancestors (rule 6).
    pub narrows: bool,
    /// False: its resources need not be listed.
    pub registered: bool,
    /// A permission list: what the owner of a resource may do (rule 9).
    pub owner_permissions: Vec<String>,
}

impl Default for ResourceType {
    fn default() -> Self {
        ResourceType { scope: false, narrows: false, registered: true, owner_permissions: Vec::new() }
    }
}

/// One grantable key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permission {
    /// For people.
    pub description: String,
    /// Keys that satisfy this one too; one step.
    pub implied_by: Vec<String>,
    /// Keys whose exclusion excludes this one too; one step.
    pub excluded_by: Vec<String>,
    /// Keys that a role with this one must hold as well; checked when a role is saved.
    pub requires: Vec<String>,
    /// A resource that is not live does not deny it (rule 3).
    pub works_when_inactive: bool,
}

/// A resource by type and id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceRef {
    /// Its type.
    pub kind: String,
    /// Its id.
    pub id: String,
}

/// One who may ask; also a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// `<type>:<id>`
    pub id: String,
    /// Further ids of the same type, without the type.
    pub aliases: Vec<String>,
    /// Dimensions under `subject.<name>`.
    pub attributes: BTreeMap<String, String>,
    /// When it counts.
    pub life: Life,
}

/// A subject or group belongs to a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Membership {
    /// The member's id.
    pub subject: String,
    /// The group's id.
    pub group: String,
    /// When it counts.
    pub life: Life,
}

/// A node that can be acted on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Its type and id; in JSON the members `type` and `id`.
    pub at: ResourceRef,
    /// Its parent edges.
    pub parents: Vec<Parent>,
    /// The id of the subject that owns it.
    pub owner: Option<String>,
    /// Dimensions under their names.
    pub attributes: BTreeMap<String, String>,
    /// When it counts.
    pub life: Life,
}

/// An edge from a resource to its parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parent {
    /// The parent; in JSON the members `type` and `id`.
    pub at: ResourceRef,
    /// `None`: relation `auto`, everything flows down. `Some`: relation `ref`, only these actions.
    pub cap: Option<Vec<String>>,
}

/// A named set of permissions. It has no time bounds: only `active`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// `role:…`
    pub id: String,
    /// For people.
    pub name: String,
    /// A permission list.
    pub permissions: Vec<String>,
    /// False: none of its assignments is a candidate.
    pub active: bool,
}

/// A subject or group holds a role at a resource, or in the whole organization.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assignment {
    /// The holder's id; also `user:all`.
    pub subject: String,
    /// The role's id.
    pub role: String,
    /// `None`: the whole organization.
    pub at: Option<ResourceRef>,
    /// When it counts.
    pub life: Life,
}

/// Whether a grant gives or takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// Gives (rule 11).
    #[default]
    Allow,
    /// Takes (rule 8).
    Exclude,
}

/// Permissions given or excluded without a role's set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// The holder: a subject, group or role id, or `user:all`.
    pub subject: String,
    /// Gives or takes.
    pub effect: Effect,
    /// A permission list.
    pub permissions: Vec<String>,
    /// `None`: everywhere.
    pub at: Option<ResourceRef>,
    /// Dimensions that must be equal where the query states them.
    pub conditions: BTreeMap<String, String>,
    /// Dimensions that must be present and equal.
    pub require: BTreeMap<String, String>,
    /// Only on what the subject owns.
    pub own: bool,
    /// Only in this session.
    pub session: Option<String>,
    /// When it counts.
    pub life: Life,
}
