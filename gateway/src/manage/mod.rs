//! The rules of the management interface: who may write what (`docs/management.md`).
//!
//! Every write runs in one transaction that first locks the organization's head. From then on nobody else writes facts
//! of the organization, so what is decided is decided on the facts that the write will change: on the published state
//! if it has the locked revision, else on one that is compiled in the transaction. Rights are never a second
//! implementation: the resolver says what the caller may do, and what a write gives to others is found by asking it
//! before and after.

mod assignments;
pub mod builtins;
pub mod directory;
mod edges;
mod grants;
mod guard;
mod impact;
mod input;
mod invitations;
mod memberships;
pub mod organizations;
mod presets;
mod refused;
mod resources;
mod rights;
mod role_aliases;
mod role_names;
mod roles;
mod scopes;
mod secrets;
mod shares;
mod subjects;
mod webhooks;
mod write;
mod written;

pub use assignments::NewAssignment;
pub use edges::NewEdge;
pub use grants::NewGrant;
pub use invitations::{NewInvitation, accept_invitation};
pub use memberships::NewMembership;
pub use presets::PresetFields;
pub use resources::ResourceFields;
pub use rights::{Need, forbidden};
pub use role_aliases::NewRoleAlias;
pub use roles::RoleFields;
pub use scopes::{NewMember, ScopeFields};
pub use secrets::{NewValue, SECRET, SecretFields};
pub use shares::NewShare;
pub use subjects::SubjectFields;
pub use webhooks::{EVENTS, WebhookFields};
pub use write::{Begun, Write};
pub use written::{Replay, Written};

use crate::problem::Refusal;
use crate::store::manage::Item;
use postern_snapshot::Snapshot;
use rights::Rights;
use serde::de::DeserializeOwned;

/// Who calls, having proved to belong to the organization.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The only organization that this call is about.
    pub organization: String,
    /// In whose name.
    pub actor: Actor,
    /// Whether the credential may write at all.
    pub can_write: bool,
    /// The request's id, for the audit.
    pub request_id: Option<String>,
    /// What a write would change is asked, and nothing is written.
    pub preview: bool,
}

/// In whose name a call is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A key without an owner: made by whoever runs the gateway, with all rights in its organization. Named
    /// `key:<prefix>`.
    Operator(String),
    /// A subject, with its current rights.
    Subject(String),
}

impl Caller {
    /// Refuses a caller who lacks what is needed, as of a state.
    pub fn require(&self, view: &Snapshot<'_>, need: &Need<'_>) -> Result<(), Refusal> {
        Rights::new(Some(*view), self).require(need)
    }
}

impl Actor {
    /// For the audit.
    pub fn name(&self) -> &str {
        match self {
            Actor::Operator(name) | Actor::Subject(name) => name,
        }
    }
}

/// What callers say of something that is made.
pub trait Make: DeserializeOwned + Send + Sync {
    /// The collection that it comes into, as paths name it.
    const COLLECTION: &'static str;

    /// What stands behind the collection in its path.
    fn segments(item: &Item) -> Vec<String> {
        vec![item.id.clone()]
    }

    /// Makes it.
    fn make(&self, write: Write<'_>) -> impl Future<Output = Result<Written, Refusal>> + Send;
}

/// A place: a resource by type and id, or the whole organization.
pub type Place = Option<(String, String)>;

/// Permissions of the interface itself. They are ordinary keys of the organization's catalog; where the catalog lacks
/// one, only an operator may do what it is for.
pub mod permission {
    /// Read roles and assignments.
    pub const ROLE_READ: &str = "role:read";
    /// Write roles; assign them to whoever holds no more than the caller.
    pub const ROLE_MANAGE: &str = "role:manage";
    /// Read subjects, groups and memberships.
    pub const USER_READ: &str = "user:read";
    /// Write subjects, groups, memberships and assignments of whoever holds less than the caller.
    pub const USER_MANAGE: &str = "user:manage";
    /// Read resources and their edges.
    pub const RESOURCE_READ: &str = "resource:read";
    /// Write resources and their edges.
    pub const RESOURCE_MANAGE: &str = "resource:manage";
    /// Share a resource, and read and end its shares.
    pub const RESOURCE_SHARE: &str = "resource:share";
    /// Make secrets of one's own.
    pub const SECRET_CREATE: &str = "secret:create";
    /// See what is told of a secret; its value is not.
    pub const SECRET_DESCRIBE: &str = "secret:describe";
    /// Read the value of a secret.
    pub const SECRET_READ: &str = "secret:read";
    /// Write the value of a secret.
    pub const SECRET_WRITE: &str = "secret:write";
    /// Change what is told of a secret, and when it counts; delete it.
    pub const SECRET_MANAGE: &str = "secret:manage";
    /// Say who else reads a secret, and read and end its shares.
    pub const SECRET_SHARE: &str = "secret:share";
    /// Put a secret into a session.
    pub const SESSION_EDIT: &str = "session:edit";
    /// Manage webhooks; with `audit:read` those that are told of what was written.
    pub const WEBHOOK_MANAGE: &str = "webhook:manage";
    /// Read the audit.
    pub const AUDIT_READ: &str = "audit:read";
}
