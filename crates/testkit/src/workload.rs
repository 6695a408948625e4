//! The workload W(n) that the speed is measured on, with the truth about each of its questions.
//!
//! One organization; 20 sites; 200 permissions (50 types times create, read, update, delete); 12 roles of 5 to 120
//! permissions; n users with UUIDs, each with one to three distinct assignments, half of them in the whole
//! organization; one user in twenty has one to five grants at sites as well. No rule beside union decides: sites do
//! not narrow, and nothing is excluded.
//!
//! About 35 % of the questions are allowed. Half of these are drawn from the user's own assignments, 5 % from its
//! grants, the others are whatever chance allows. 30 % of the denied ones are near misses: the permission is of one of
//! the user's roles, the site is another.

use crate::Chance;
use postern_world::{
    Assignment, Catalog, Effect, Grant, Permission, Resource, ResourceRef, ResourceType, Role, Subject, World,
};

/// Sites of every workload.
pub const SITES: usize = 20;
/// Permissions of every workload.
pub const PERMISSIONS: usize = 200;
/// Roles of every workload.
pub const ROLES: usize = 12;

/// Everything by number; the texts come from the methods, so that a million users need no million strings.
pub struct Workload {
    /// Permissions of each role, as numbers in ascending order.
    pub roles: Vec<Vec<u16>>,
    /// The id of each user, as a version 4 UUID.
    pub users: Vec<u128>,
    /// In the order of the users.
    pub assignments: Vec<WorkAssignment>,
    /// In the order of the users.
    pub grants: Vec<WorkGrant>,
    /// Questions, each with its answer.
    pub queries: Vec<WorkQuery>,
}

/// A user holds a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkAssignment {
    /// Number of the user.
    pub user: u32,
    /// Number of the role.
    pub role: u8,
    /// Number of the site; `None` is the whole organization.
    pub site: Option<u8>,
}

/// A user holds a permission at a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkGrant {
    /// Number of the user.
    pub user: u32,
    /// Number of the permission.
    pub permission: u16,
    /// Number of the site.
    pub site: u8,
}

/// A question with its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkQuery {
    /// Number of the user.
    pub user: u32,
    /// Number of the permission.
    pub permission: u16,
    /// Number of the site.
    pub site: u8,
    /// The truth.
    pub allowed: bool,
}

/// W(n) with `users` users and so many questions. The same arguments make the same workload.
pub fn generate(users: usize, queries: usize, seed: u64) -> Workload {
    let mut chance = Chance::new(seed);
    let mut workload = Workload {
        roles: (0..ROLES).map(|role| role_permissions(&mut chance, role)).collect(),
        users: (0..users).map(|_| uuid_v4(&mut chance)).collect(),
        assignments: Vec::with_capacity(users * 2),
        grants: Vec::new(),
        queries: Vec::with_capacity(queries),
    };
    for user in 0..users as u32 {
        let first = workload.assignments.len();
        let count = chance.between(1, 3);
        while workload.assignments.len() < first + count {
            let site = if chance.percent(50) { None } else { Some(chance.below(SITES) as u8) };
            let assignment = WorkAssignment { user, role: chance.below(ROLES) as u8, site };
            if !workload.assignments[first..].contains(&assignment) {
                workload.assignments.push(assignment);
            }
        }
        if chance.percent(5) {
            for _ in 0..chance.between(1, 5) {
                let (permission, site) = (chance.below(PERMISSIONS) as u16, chance.below(SITES) as u8);
                workload.grants.push(WorkGrant { user, permission, site });
            }
        }
    }
    let truth = Truth::of(&workload);
    if users > 0 {
        for _ in 0..queries {
            let query = query(&mut chance, &workload, &truth);
            workload.queries.push(query);
        }
    }
    workload
}

/// 5, 15, 26 … 120 permissions: a straight line from the first role to the last.
fn role_permissions(chance: &mut Chance, role: usize) -> Vec<u16> {
    let count = 5 + (role * 115 + (ROLES - 1) / 2) / (ROLES - 1);
    let mut all: Vec<u16> = (0..PERMISSIONS as u16).collect();
    chance.shuffle(&mut all);
    all.truncate(count);
    all.sort_unstable();
    all
}

fn uuid_v4(chance: &mut Chance) -> u128 {
    let bits = (u128::from(chance.bits()) << 64) | u128::from(chance.bits());
    (bits & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62)
}

/// Who may do what, by plain search: independent of every engine that is measured.
struct Truth {
    /// A bit per permission, by role.
    roles: Vec<[u64; 4]>,
    /// Where a user's assignments begin; one more than there are users.
    assignments_from: Vec<u32>,
    grants_from: Vec<u32>,
}

impl Truth {
    fn of(workload: &Workload) -> Truth {
        let mut roles = vec![[0u64; 4]; ROLES];
        for (role, permissions) in roles.iter_mut().zip(&workload.roles) {
            for permission in permissions {
                role[usize::from(permission / 64)] |= 1 << (permission % 64);
            }
        }
        let users = workload.users.len();
        Truth {
            roles,
            assignments_from: starts(workload.assignments.iter().map(|it| it.user), users),
            grants_from: starts(workload.grants.iter().map(|it| it.user), users),
        }
    }

    fn assignments<'w>(&self, workload: &'w Workload, user: u32) -> &'w [WorkAssignment] {
        let user = user as usize;
        &workload.assignments[self.assignments_from[user] as usize..self.assignments_from[user + 1] as usize]
    }

    fn grants<'w>(&self, workload: &'w Workload, user: u32) -> &'w [WorkGrant] {
        let user = user as usize;
        &workload.grants[self.grants_from[user] as usize..self.grants_from[user + 1] as usize]
    }

    fn allows(&self, workload: &Workload, user: u32, permission: u16, site: u8) -> bool {
        self.assignments(workload, user).iter().any(|assignment| {
            assignment.site.is_none_or(|at| at == site)
                && self.roles[usize::from(assignment.role)][usize::from(permission / 64)] >> (permission % 64)
                    & 1
                    == 1
        }) || self
            .grants(workload, user)
            .iter()
            .any(|grant| (grant.permission, grant.site) == (permission, site))
    }
}

/// The position at which each user's facts begin, and the end.
fn starts(users_of_facts: impl Iterator<Item = u32>, users: usize) -> Vec<u32> {
    let mut starts = vec![0u32; users + 1];
    for user in users_of_facts {
        starts[user as usize + 1] += 1;
    }
    for user in 0..users {
        starts[user + 1] += starts[user];
    }
    starts
}

fn query(chance: &mut Chance, workload: &Workload, truth: &Truth) -> WorkQuery {
    let allowed = chance.percent(35);
    let kind = chance.below(100);
    loop {
        let user = chance.below(workload.users.len()) as u32;
        let (mut permission, mut site) = (chance.below(PERMISSIONS) as u16, chance.below(SITES) as u8);
        let own = *chance.pick(truth.assignments(workload, user));
        if allowed && kind < 50 {
            permission = *chance.pick(&workload.roles[usize::from(own.role)]);
            site = own.site.unwrap_or(site);
        } else if allowed && kind < 55 && !workload.grants.is_empty() {
            let grant = chance.pick(&workload.grants);
            return WorkQuery { user: grant.user, permission: grant.permission, site: grant.site, allowed };
        } else if !allowed && kind < 30 {
            permission = *chance.pick(&workload.roles[usize::from(own.role)]);
        }
        if truth.allows(workload, user, permission, site) == allowed {
            return WorkQuery { user, permission, site, allowed };
        }
    }
}

impl Workload {
    /// `user:<uuid>`
    pub fn user_id(&self, user: u32) -> String {
        let hex = format!("{:032x}", self.users[user as usize]);
        format!("user:{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }

    /// The whole workload as a world document's values. For small n: the benchmarks hand the facts of large ones to the compiler one by one.
    pub fn world(&self) -> World {
        let mut catalog = Catalog::default();
        catalog.types.insert("site".to_string(), ResourceType { scope: true, ..ResourceType::default() });
        for permission in 0..PERMISSIONS as u16 {
            catalog.permissions.insert(permission_key(permission), Permission::default());
        }
        let at = |site: u8| ResourceRef { kind: "site".to_string(), id: site_id(site) };
        World {
            organization: "workload".to_string(),
            revision: 1,
            catalog,
            subjects: (0..self.users.len() as u32)
                .map(|user| Subject { id: self.user_id(user), ..Subject::default() })
                .collect(),
            memberships: Vec::new(),
            resources: (0..SITES as u8)
                .map(|site| Resource {
                    at: at(site),
                    parents: Vec::new(),
                    owner: None,
                    attributes: Default::default(),
                    life: Default::default(),
                })
                .collect(),
            roles: self
                .roles
                .iter()
                .enumerate()
                .map(|(role, permissions)| Role {
                    id: role_id(role as u8),
                    name: format!("Role {role}"),
                    permissions: permissions.iter().map(|&permission| permission_key(permission)).collect(),
                    active: true,
                })
                .collect(),
            assignments: self
                .assignments
                .iter()
                .map(|assignment| Assignment {
                    subject: self.user_id(assignment.user),
                    role: role_id(assignment.role),
                    at: assignment.site.map(at),
                    life: Default::default(),
                })
                .collect(),
            grants: self
                .grants
                .iter()
                .map(|grant| Grant {
                    subject: self.user_id(grant.user),
                    effect: Effect::Allow,
                    permissions: vec![permission_key(grant.permission)],
                    at: Some(at(grant.site)),
                    ..Grant::default()
                })
                .collect(),
        }
    }
}

/// `site-07`
pub fn site_id(site: u8) -> String {
    format!("site-{site:02}")
}

/// `type-13:update`
pub fn permission_key(permission: u16) -> String {
    let action = ["create", "read", "update", "delete"][usize::from(permission % 4)];
    format!("type-{:02}:{action}", permission / 4)
}

/// `role:system:r03`
pub fn role_id(role: u8) -> String {
    format!("role:system:r{role:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workload_is_as_described() {
        let workload = generate(2000, 20_000, 1);
        let sizes: Vec<usize> = workload.roles.iter().map(Vec::len).collect();
        assert_eq!(sizes, [5, 15, 26, 36, 47, 57, 68, 78, 89, 99, 110, 120]);
        assert_eq!(workload.user_id(0).len(), 41);
        assert_eq!(workload.user_id(0).as_bytes()[5 + 14], b'4');

        let share = |part: usize, whole: usize| part * 100 / whole;
        let everywhere = workload.assignments.iter().filter(|it| it.site.is_none()).count();
        assert!((47..54).contains(&share(everywhere, workload.assignments.len())));
        let allowed = workload.queries.iter().filter(|it| it.allowed).count();
        assert!((33..38).contains(&share(allowed, workload.queries.len())));
        let mut holders: Vec<u32> = workload.grants.iter().map(|it| it.user).collect();
        holders.dedup();
        assert!((3..8).contains(&share(holders.len(), 2000)));
    }

    #[test]
    fn a_seed_means_the_same_workload() {
        assert_eq!(generate(50, 100, 3).queries, generate(50, 100, 3).queries);
        assert_ne!(generate(50, 100, 3).queries, generate(50, 100, 4).queries);
        assert_eq!(generate(0, 10, 3).queries, []);
    }
}
