//! Workload W(n) as a snapshot, and its questions in the forms that the engines take.

use anyhow::{Context as _, Result, ensure};
use postern_compile::{Compiler, GrantFacts};
use postern_resolver::{permission_handle, resource_handle, subject_handle};
use postern_snapshot::Snapshot;
use postern_testkit::workload::{Workload, generate, permission_key, role_id, site_id};
use postern_world::Life;
use serde_json::json;
use std::path::Path;

/// The seed of every run: figures of different days are of the same worlds.
pub(crate) const SEED: u64 = 20_261_122;
/// How many questions.
pub(crate) const QUERIES: usize = 100_000;

/// The workload in all its forms.
pub(crate) struct Work {
    pub workload: Workload,
    pub bytes: Vec<u8>,
    /// The next revision, in which one user has lost an assignment.
    pub next: Vec<u8>,
    /// (subject, permission, resource) as handles.
    pub handles: Vec<[u32; 3]>,
    /// The same questions' subjects as texts.
    pub subjects: Vec<String>,
    /// Permission keys and site ids by number.
    pub permissions: Vec<String>,
    pub sites: Vec<String>,
    /// The answers.
    pub truth: Vec<bool>,
}

impl Work {
    pub fn new(users: usize) -> Result<Work> {
        let mut workload = generate(users, QUERIES, SEED);
        let bytes = compile(&workload, 1)?;
        let lost = workload.assignments.len() / 2;
        let assignment = workload.assignments.remove(lost);
        let next = compile(&workload, 2)?;
        workload.assignments.insert(lost, assignment);
        let permissions: Vec<String> = (0..200).map(permission_key).collect();
        let sites: Vec<String> = (0..20).map(site_id).collect();
        let snapshot = Snapshot::open(&bytes)?;
        let mut handles = Vec::with_capacity(QUERIES);
        let mut subjects = Vec::with_capacity(QUERIES);
        for query in &workload.queries {
            let subject = workload.user_id(query.user);
            handles.push([
                subject_handle(&snapshot, &subject).context("a user of the workload has no handle")?,
                permission_handle(&snapshot, &permissions[usize::from(query.permission)])
                    .context("permission")?,
                resource_handle(&snapshot, "site", &sites[usize::from(query.site)]).context("site")?,
            ]);
            subjects.push(subject);
        }
        let truth = workload.queries.iter().map(|query| query.allowed).collect();
        Ok(Work { workload, bytes, next, handles, subjects, permissions, sites, truth })
    }

    /// Fails unless as many answers are allowed as should be: an engine that is fast and wrong has no figure.
    pub fn expect(&self, engine: &str, allowed: usize) -> Result<()> {
        let truth = self.truth.iter().filter(|allowed| **allowed).count();
        ensure!(allowed == truth, "{engine}: {allowed} allowed, {truth} should be");
        Ok(())
    }

    /// Writes it for another process, in rows of little-endian numbers (`bench/node/workload.mjs` reads them).
    pub fn write_to(&self, folder: &Path) -> Result<()> {
        let write = |name: &str, bytes: &[u8]| {
            std::fs::write(folder.join(name), bytes).with_context(|| format!("cannot write {name}"))
        };
        write("snapshot.bin", &self.bytes)?;
        let texts =
            json!({ "permissions": self.permissions, "sites": self.sites, "roles": self.workload.roles });
        write("texts.json", texts.to_string().as_bytes())?;
        let mut users = Vec::new();
        for user in 0..self.workload.users.len() as u32 {
            users.extend(self.workload.user_id(user).into_bytes());
        }
        write("users.bin", &users)?;
        let mut rows = Vec::new();
        for row in &self.workload.assignments {
            rows.extend(row.user.to_le_bytes());
            rows.extend([row.role, row.site.unwrap_or(u8::MAX), 0, 0]);
        }
        write("assignments.bin", &rows)?;
        rows.clear();
        for row in &self.workload.grants {
            rows.extend(row.user.to_le_bytes());
            rows.extend(row.permission.to_le_bytes());
            rows.extend([row.site, 0]);
        }
        write("grants.bin", &rows)?;
        rows.clear();
        for (query, handles) in self.workload.queries.iter().zip(&self.handles) {
            rows.extend(query.user.to_le_bytes());
            rows.extend(query.permission.to_le_bytes());
            rows.extend([query.site, u8::from(query.allowed)]);
            rows.extend(handles.iter().flat_map(|handle| handle.to_le_bytes()));
        }
        write("queries.bin", &rows)
    }
}

fn compile(workload: &Workload, revision: u64) -> Result<Vec<u8>> {
    const NONE: [&str; 0] = [];
    let mut compiler = Compiler::new("workload", revision);
    compiler.resource_type("site", true, false, true, &NONE);
    let permissions: Vec<String> = (0..200).map(permission_key).collect();
    for key in &permissions {
        compiler.permission(key, &NONE, &NONE, false);
    }
    for user in 0..workload.users.len() as u32 {
        compiler.subject(&workload.user_id(user), &NONE, &[], Life::default());
    }
    for site in 0..20 {
        compiler.resource("site", &site_id(site), None, &[], Life::default());
    }
    for (role, keys) in workload.roles.iter().enumerate() {
        let keys: Vec<&str> = keys.iter().map(|key| permissions[usize::from(*key)].as_str()).collect();
        compiler.role(&role_id(role as u8), &format!("Role {role}"), &keys, true);
    }
    for assignment in &workload.assignments {
        let site = assignment.site.map(site_id);
        let at = site.as_deref().map(|site| ("site", site));
        compiler.assignment(
            &workload.user_id(assignment.user),
            &role_id(assignment.role),
            at,
            Life::default(),
        );
    }
    for grant in &workload.grants {
        compiler.grant(&GrantFacts {
            subject: &workload.user_id(grant.user),
            exclude: false,
            permissions: &[permissions[usize::from(grant.permission)].as_str()],
            at: Some(("site", &site_id(grant.site))),
            conditions: &[],
            require: &[],
            own: false,
            session: None,
            life: Life::default(),
        });
    }
    Ok(compiler.finish()?.to_bytes())
}
