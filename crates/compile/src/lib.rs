//! From facts by name to compiled facts by number.
//!
//! [`Compiler`] takes facts one by one, as a world document lists them or as rows come from a database, and
//! [`Compiler::finish`] gives [`Facts`], ready to decide on or to write. Names are resolved here (ids, aliases, roles),
//! wildcards in permission lists are expanded (`semantics.md` section 2), and the one-step implications of rules 7 and 8
//! are folded into the sets, so that a decision tests one bit. What can never count (inactive facts) is left out; the
//! subjects, resources and terms that it names stay.

#![forbid(unsafe_code)]

mod compiler;
mod error;
mod sets;

pub use compiler::{Compiler, GrantFacts};
pub use error::CompileError;
pub use postern_snapshot::Facts;

use postern_world::World;

/// Compiles a world document.
///
/// # Errors
/// [`CompileError`] for a world that names what it does not declare (`World::parse` has refused it already), or that is
/// more than a snapshot can carry.
pub fn compile(world: &World) -> Result<Facts, CompileError> {
    let mut compiler = Compiler::new(&world.organization, world.revision);
    for (name, row) in &world.catalog.types {
        compiler.resource_type(name, row.scope, row.narrows, row.registered, &row.owner_permissions);
    }
    for (key, row) in &world.catalog.permissions {
        compiler.permission(key, &row.implied_by, &row.excluded_by, row.works_when_inactive);
    }
    for row in &world.subjects {
        compiler.subject(&row.id, &row.aliases, &pairs(&row.attributes), row.life);
    }
    for row in &world.memberships {
        compiler.membership(&row.subject, &row.group, row.life);
    }
    for row in &world.resources {
        let owner = row.owner.as_deref();
        compiler.resource(&row.at.kind, &row.at.id, owner, &pairs(&row.attributes), row.life);
        for parent in &row.parents {
            let child = (row.at.kind.as_str(), row.at.id.as_str());
            compiler.parent(child, (&parent.at.kind, &parent.at.id), parent.cap.as_deref());
        }
    }
    for row in &world.roles {
        compiler.role(&row.id, &row.name, &row.permissions, row.active);
    }
    for row in &world.assignments {
        let at = row.at.as_ref().map(|at| (at.kind.as_str(), at.id.as_str()));
        compiler.assignment(&row.subject, &row.role, at, row.life);
    }
    for row in &world.grants {
        compiler.grant(&GrantFacts {
            subject: &row.subject,
            exclude: row.effect == postern_world::Effect::Exclude,
            permissions: &row.permissions,
            at: row.at.as_ref().map(|at| (at.kind.as_str(), at.id.as_str())),
            conditions: &pairs(&row.conditions),
            require: &pairs(&row.require),
            own: row.own,
            session: row.session.as_deref(),
            life: row.life,
        });
    }
    compiler.finish()
}

fn pairs(map: &std::collections::BTreeMap<String, String>) -> Vec<(&str, &str)> {
    map.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}
