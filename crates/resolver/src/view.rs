//! What the algorithm may look up, and the rows that it reads.
//!
//! Indexes are dense `u32` numbers. An *at* is where a binding stands: [`ORGANIZATION_AT`], or a resource's index plus
//! one. A *list* is a number too: 0 is the empty list. Every look-up is total: an index that does not exist reads as
//! a row that matches nothing, so that no look-up can fail and none can allow.

/// The *at* of the whole organization.
pub const ORGANIZATION_AT: u32 = 0;
/// The *at* of the binding that fills unused places: no resource has it.
pub const NOWHERE: u32 = u32::MAX;

/// The bytes are one subject's slice (`semantics.md` section 7).
pub const WORLD_SLICE: u32 = 1;
/// Some fact has a time bound: answers depend on `now`.
pub const WORLD_TIMED: u32 = 2;

/// A permission of the catalog. Permissions are numbered in the byte order of their keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PermissionRow {
    /// The number of its action, which caps name.
    pub action: u32,
    /// [`PERMISSION_WORKS_WHEN_INACTIVE`]
    pub flags: u32,
}

/// A resource that is not live does not deny it (rule 3).
pub const PERMISSION_WORKS_WHEN_INACTIVE: u32 = 1;

/// A resource type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TypeRow {
    /// `TYPE_*`
    pub flags: u32,
    /// 0, or one more than the set that its owners hold (rule 9).
    pub owner_set: u32,
}

/// Roles are assigned at its resources.
pub const TYPE_SCOPE: u32 = 1;
/// An assignment at one of its resources replaces wider ones (rule 6).
pub const TYPE_NARROWS: u32 = 2;
/// Its resources need not be listed (rule 3).
pub const TYPE_UNREGISTERED: u32 = 4;
/// The world lists no resource of it: a slice that lists none hides none.
pub const TYPE_EMPTY: u32 = 8;

/// A subject or group: eight bytes that stand beside its id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SubjectRow {
    /// `SUBJECT_*`
    pub bits: u16,
    /// Up to three bindings, 0 where unused; or with [`SUBJECT_LIST`] a list of bindings, or with [`SUBJECT_EXT`] a
    /// [`SubjectExt`], as low half, high half and 0.
    pub words: [u16; 3],
}

impl SubjectRow {
    /// What stands for a row that is not at hand: none of those that exist has all bits.
    pub const ELSEWHERE: SubjectRow = SubjectRow { bits: u16::MAX, words: [0; 3] };
}

/// The words number a list of bindings.
pub const SUBJECT_LIST: u16 = 4;
/// The words number a [`SubjectExt`].
pub const SUBJECT_EXT: u16 = 8;
/// A fact names it; the world does not list it.
pub const SUBJECT_UNLISTED: u16 = 16;
/// It is listed and not active.
pub const SUBJECT_DEAD: u16 = 32;

impl SubjectRow {
    /// The list or extension that the words number.
    #[inline]
    pub fn link(self) -> u32 {
        u32::from(self.words[0]) | u32::from(self.words[1]) << 16
    }
}

/// What only some subjects have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SubjectExt {
    /// Its bindings, a list.
    pub bindings: u32,
    /// Its own memberships, a list of pairs (group, timing).
    pub memberships: u32,
    /// Every group that it can ever reach, a list.
    pub groups: u32,
    /// When it counts.
    pub timing: u32,
    /// Its dimensions, a list of pairs (name, value) of strings; names begin with `subject.`.
    pub attributes: u32,
    /// [`GROUPS_ALWAYS`]
    pub flags: u32,
}

/// No membership on any way to `groups` has time bounds: all of them are reached always.
pub const GROUPS_ALWAYS: u32 = 1;

/// A resource: eight bytes that stand beside its id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResourceRow {
    /// [`RESOURCE_COMPLEX`], or the *at* of its only parent, 0 for none.
    pub up: u32,
    /// 0, or one more than the number of its [`ResourceExt`].
    pub ext: u32,
}

/// The ways up from here branch, loop, end, or depend on the action or the time: the extension has the edges. A row
/// without it leads to rows without it only, all of them live always.
pub const RESOURCE_COMPLEX: u32 = 1 << 31;

impl ResourceRow {
    /// What stands for the row of a resource that does not exist; no other row is complex without an extension.
    pub const NONE: ResourceRow = ResourceRow { up: RESOURCE_COMPLEX, ext: 0 };
}

/// What only some resources have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResourceExt {
    /// `RESOURCE_*`
    pub flags: u32,
    /// 0, or one more than the owner's subject number.
    pub owner: u32,
    /// When it counts.
    pub timing: u32,
    /// Its dimensions, a list of pairs (name, value) of strings.
    pub attributes: u32,
    /// Its parent edges, a list of pairs (resource, cap): cap 0 passes everything, others number a list of actions.
    pub edges: u32,
    /// Every other resource that it can ever reach upwards, a list.
    pub reach: u32,
}

/// A fact names it; the world does not list it.
pub const RESOURCE_UNLISTED: u32 = 1;
/// It is listed and not active.
pub const RESOURCE_DEAD: u32 = 2;
/// A slice keeps it as a step on the way up; without its id, unless something stands at it.
pub const RESOURCE_HIDDEN: u32 = 4;

/// An assignment or a grant, without its holder. Bindings are sorted by *at* first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Binding {
    /// Where it stands.
    pub at: u32,
    /// The set of permissions that it satisfies (rule 7) or excludes (rule 8), with `BINDING_*` bits.
    pub what: u32,
    /// For an assignment one more than the role's number; else 0.
    pub role: u32,
    /// 0, or one more than the number of its [`Terms`].
    pub terms: u32,
}

/// The part of [`Binding::what`] that numbers the set.
pub const BINDING_SET: u32 = 0x00FF_FFFF;
/// It is an `allow` grant; neither this nor [`BINDING_EXCLUDE`]: it is an assignment.
pub const BINDING_GRANT: u32 = 1 << 24;
/// It is an `exclude` grant.
pub const BINDING_EXCLUDE: u32 = 1 << 25;
/// It is an assignment at a resource whose type narrows (rule 6).
pub const BINDING_NARROWS: u32 = 1 << 26;
/// It has terms.
pub const BINDING_TERMS: u32 = 1 << 27;
/// It is an assignment of a role that holds grants of its own.
pub const BINDING_ROLE_GRANTS: u32 = 1 << 28;
/// Any of these takes a check off the short way.
pub const BINDING_SPECIAL: u32 = BINDING_EXCLUDE | BINDING_NARROWS | BINDING_TERMS | BINDING_ROLE_GRANTS;

/// Under which terms a binding applies; each number 0 means no such term.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Terms {
    /// When it counts.
    pub timing: u32,
    /// [`TERMS_OWN`]
    pub flags: u32,
    /// One more than the string that the query's session must equal.
    pub session: u32,
    /// A list of pairs (name, value): equal where the query states them.
    pub conditions: u32,
    /// A list of pairs (name, value): present and equal.
    pub require: u32,
}

/// Only on what one of the principals owns.
pub const TERMS_OWN: u32 = 1;

/// How an id is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Id<'a> {
    /// The sixteen bytes of a canonical UUID.
    Uuid([u8; 16]),
    /// Any other text.
    Text(&'a str),
    /// A slice does not tell.
    Hidden,
}

/// The look-ups that deciding may make.
pub trait View {
    /// `WORLD_*`
    fn flags(&self) -> u32;
    /// In a slice, the subject that it was cut for.
    fn own_subject(&self) -> Option<u32>;
    /// The bindings of `user:all`, a list.
    fn everyone(&self) -> u32;

    /// How many permissions the catalog has.
    fn permission_count(&self) -> u32;
    /// A permission by key.
    fn find_permission(&self, key: &str) -> Option<u32>;
    /// A permission.
    fn permission(&self, permission: u32) -> PermissionRow;
    /// A permission's key.
    fn permission_key(&self, permission: u32) -> &str;

    /// The subject `<type>:<id>`, of bytes that may be no text, where it is of the kind that most are and found without
    /// looking into anything else. `None` says nothing.
    #[inline(always)]
    fn subject_at_once(&self, _subject: &[u8]) -> Option<u32> {
        None
    }
    /// A subject by type and id, or by type and alias.
    fn find_subject(&self, kind: &str, id: &str) -> Option<u32>;
    /// A subject.
    fn subject(&self, subject: u32) -> SubjectRow;
    /// A subject, where its row can be had without a search; else [`SubjectRow::ELSEWHERE`].
    #[inline(always)]
    fn subject_at_hand(&self, subject: u32) -> SubjectRow {
        self.subject(subject)
    }
    /// What only some subjects have.
    fn subject_ext(&self, ext: u32) -> SubjectExt;
    /// The subjects of a type: ranges of numbers.
    fn subjects_of(&self, kind: &str) -> [(u32, u32); 2];
    /// A subject's id, without its type.
    fn subject_id(&self, subject: u32) -> Id<'_>;
    /// The type of a subject.
    fn subject_kind(&self, subject: u32) -> &str;

    /// How many resource types the catalog has.
    fn type_count(&self) -> u32;
    /// A resource type's name.
    fn type_name(&self, kind: u32) -> &str;
    /// A resource type by name.
    fn find_type(&self, name: &str) -> Option<u32>;
    /// A resource type.
    fn resource_type(&self, kind: u32) -> TypeRow;
    /// A resource by type and id.
    fn find_resource(&self, kind: u32, id: &str) -> Option<u32>;
    /// A resource.
    fn resource(&self, resource: u32) -> ResourceRow;
    /// A resource, where its row can be had without a search; else [`ResourceRow::NONE`].
    #[inline(always)]
    fn resource_at_hand(&self, resource: u32) -> ResourceRow {
        self.resource(resource)
    }
    /// What only some resources have.
    fn resource_ext(&self, ext: u32) -> ResourceExt;
    /// The resources of a type: ranges of numbers.
    fn resources_of(&self, kind: u32) -> [(u32, u32); 2];
    /// A resource's id.
    fn resource_id(&self, resource: u32) -> Id<'_>;
    /// The type of a resource.
    fn resource_kind(&self, resource: u32) -> u32;

    /// A binding.
    fn binding(&self, binding: u32) -> Binding;
    /// The grants that a role holds, a list of bindings.
    fn role_grants(&self, role: u32) -> u32;
    /// How many roles there are.
    fn role_count(&self) -> u32;
    /// The set that a role satisfies.
    fn role_set(&self, role: u32) -> u32;
    /// A role's id; a slice does not tell.
    fn role_id(&self, role: u32) -> Option<&str>;
    /// One byte of a set; 0 beyond its end.
    fn set_byte(&self, set: u32, place: u32) -> u8;
    /// One byte of a set, of a place that every set has. Of another place: some byte.
    #[inline(always)]
    fn set_byte_within(&self, set: u32, place: u32) -> u8 {
        self.set_byte(set, place)
    }
    /// Whether a set has a permission.
    #[inline]
    fn set_has(&self, set: u32, permission: u32) -> bool {
        self.set_byte(set, permission / 8) >> (permission % 8) & 1 != 0
    }
    /// A set as bytes: permission p is bit `p % 8` of byte `p / 8`.
    fn set_bytes(&self, set: u32) -> &[u8];
    /// The terms of a binding.
    fn terms(&self, terms: u32) -> Terms;
    /// The bounds of a timing, in microseconds: from (inclusive), to (exclusive). Number 0 is always.
    fn timing(&self, timing: u32) -> (i64, i64);
    /// The positions of a list's items.
    fn list(&self, list: u32) -> (u32, u32);
    /// The item at a position.
    fn item(&self, position: u32) -> u32;
    /// A string.
    fn string(&self, string: u32) -> &str;

    /// Whether something with this timing counts at `now`.
    #[inline]
    fn live(&self, timing: u32, now: i64) -> bool {
        if timing == 0 {
            return true;
        }
        let (from, to) = self.timing(timing);
        from <= now && now < to
    }
}
