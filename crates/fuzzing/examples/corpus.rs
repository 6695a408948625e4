//! Writes the corpora that the fuzz targets start from: `cargo run -p postern-fuzzing --example corpus`.
//!
//! To be run again when the format of snapshots or requests changes. Files that others have added stay.

use postern_abi::{Op, Pairs, Request};
use postern_snapshot::Snapshot;
use postern_statement::{KeySet, SecretKey, Statement, hash};
use postern_testkit::{Chance, json, random};
use postern_world::{Op as Asked, Query, World};
use std::fs;
use std::io;
use std::path::Path;

fn main() -> io::Result<()> {
    let write = |target: &str, name: String, bytes: &[u8]| -> io::Result<()> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(name), bytes)
    };
    for (number, world) in postern_fuzzing::worlds().enumerate() {
        write("import", format!("world-{number}"), world.to_json().as_bytes())?;
        let bytes = postern_compile::compile(&world).map_err(io::Error::other)?.to_bytes();
        write("open", format!("snapshot-{number}"), &bytes)?;
        let snapshot = Snapshot::open(&bytes).map_err(io::Error::other)?;
        let subject = world.subjects.first().map_or("user:a", |subject| &subject.id);
        let slice = postern_snapshot::slice(&snapshot, subject).map_err(io::Error::other)?;
        write("open", format!("slice-{number}"), &slice.to_bytes())?;
        for (change, later) in later(&world) {
            let later = postern_compile::compile(&later).map_err(io::Error::other)?.to_bytes();
            let later = Snapshot::open(&later).map_err(io::Error::other)?;
            write("apply", format!("{change}-{number}"), &postern_snapshot::diff(&snapshot, &later))?;
        }
        for (query, asked) in random::queries(&mut Chance::new(number as u64), &world, 6).iter().enumerate() {
            write("decide", format!("request-{number}-{query}"), &request(asked).to_bytes())?;
        }
    }
    let key = SecretKey::from_seed(&[7; 32]);
    write("statement", "keys".into(), KeySet::of([key.public()]).to_json().as_bytes())?;
    for (name, subject) in [("whole", None), ("slice", Some("user:a".to_owned()))] {
        let (organization, epoch) = ("acme".to_owned(), "e1".to_owned());
        let hash = hash(name.as_bytes());
        let statement =
            Statement { organization, subject, epoch, revision: 42, as_of: 45, hash, iat: 1000, exp: 1060 };
        write("statement", name.into(), key.sign(&statement).as_bytes())?;
        let said = serde_json::to_vec(&statement).map_err(io::Error::other)?;
        write("statement", format!("{name}-said"), &said)?;
    }
    let loose = json::world_text(&random::world(&mut Chance::new(99)), json::Style::Full);
    write("import", "world-full".into(), loose.as_bytes())
}

/// Later revisions of a world.
fn later(world: &World) -> impl Iterator<Item = (&'static str, World)> {
    let changed = |change: fn(&mut World)| {
        let mut world = world.clone();
        world.revision = world.revision.wrapping_add(1);
        change(&mut world);
        world
    };
    [
        ("still", changed(|_| ())),
        ("assignment", changed(|world| drop(world.assignments.pop()))),
        ("grants", changed(|world| world.grants.truncate(1))),
        ("whole", changed(|world| drop(world.catalog.permissions.pop_last()))),
    ]
    .into_iter()
    .filter(|(_, world)| world.validate().is_ok())
}

fn request(query: &Query) -> Request<'_> {
    Request {
        op: match query.op {
            Asked::Check | Asked::Explain => Op::Check,
            Asked::Filter => Op::Filter,
            Asked::Subjects => Op::Subjects,
            Asked::Actions => Op::Actions,
            Asked::Anywhere => Op::Anywhere,
            Asked::Everywhere => Op::Everywhere,
        },
        subject: &query.subject,
        permission: &query.permission,
        resource: query.resource.as_ref().map(|resource| (&*resource.kind, &*resource.id)),
        kind: &query.kind,
        parents: Pairs(query.parents.iter().map(|parent| (&*parent.kind, &*parent.id)).collect()),
        owner: query.owner.as_deref(),
        dimensions: Pairs(query.dimensions.iter().map(|(name, value)| (&**name, &**value)).collect()),
        session: query.session.as_deref(),
        now: query.now.unwrap_or(random::NOW),
    }
}
