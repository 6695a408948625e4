//! What each role of the example may do where, as a text that people can read and agree on.

use postern_oracle::{Node, Op, Oracle, Query};
use postern_resolver::{Context, Question, check};
use postern_suite::engines::{compile, open};
use postern_testkit::random::NOW;
use postern_vocab::Decision;
use postern_world::{Assignment, Life, Resource, ResourceRef, World};
use std::collections::BTreeMap;
use std::fmt::Write;

const FLEET: &str = include_str!("../../../examples/fleet/world.json");

fn site(id: &str) -> ResourceRef {
    ResourceRef { kind: "site".to_owned(), id: id.to_owned() }
}

fn assignment(subject: &str, role: &str, at: Option<&str>) -> Assignment {
    Assignment { subject: subject.to_owned(), role: role.to_owned(), at: at.map(site), life: Life::default() }
}

/// The catalog and the roles of the fleet, with two sites, and people who hold one role everywhere, one at the first
/// site, and the built-in ones in pairs.
fn people() -> (World, Vec<(String, String)>) {
    let fleet = World::parse(FLEET.as_bytes()).unwrap();
    let mut world = World {
        organization: "matrix".to_owned(),
        revision: 1,
        catalog: fleet.catalog,
        roles: fleet.roles,
        ..World::default()
    };
    for id in ["here", "there"] {
        let (owner, attributes) = (None, BTreeMap::new());
        world.resources.push(Resource {
            at: site(id),
            parents: Vec::new(),
            owner,
            attributes,
            life: Life::default(),
        });
    }
    let mut people = Vec::new();
    for role in &world.roles {
        for (at, words) in [(None, "everywhere"), (Some("here"), "at the site `here`")] {
            let subject = format!("user:{}", people.len());
            world.assignments.push(assignment(&subject, &role.id, at));
            people.push((subject, format!("{} {words}", role.name)));
        }
    }
    let built_in: Vec<(String, String)> =
        world.roles.iter().take(3).map(|role| (role.id.clone(), role.name.clone())).collect();
    for (wide_id, wide) in &built_in {
        for (narrow_id, narrow) in built_in.iter().filter(|(id, _)| id != wide_id) {
            let subject = format!("user:{}", people.len());
            world.assignments.push(assignment(&subject, wide_id, None));
            world.assignments.push(assignment(&subject, narrow_id, Some("here")));
            people.push((subject, format!("{wide} everywhere, {narrow} at the site `here`")));
        }
    }
    (world, people)
}

#[test]
fn roles_may_what_was_agreed() {
    let (world, people) = people();
    let oracle = Oracle::parse(world.to_json().as_bytes()).unwrap();
    let bytes = compile(&world).to_bytes();
    let view = open(&bytes);
    let mut text = String::from(
        "What the roles of the fleet may do: in the whole organization, at the site `here`, and at another site.\n\
         Made by `cargo xtask golden`; the oracle agrees with every line.\n",
    );
    let places = [None, Some(("site", "here")), Some(("site", "there"))];
    for (subject, who) in people {
        writeln!(text, "\n{who}\n    {:<26}organization  here   there", "").unwrap();
        for permission in world.catalog.permissions.keys() {
            let allowed = places.map(|resource| {
                let context = Context { now: NOW, ..Context::default() };
                let question = Question { subject: &subject, permission, resource, context };
                let answer = check(&view, &question).unwrap();
                let query = Query {
                    op: Op::Check,
                    subject: subject.clone(),
                    permission: permission.clone(),
                    resource: resource.map(|(kind, id)| Node { kind: kind.to_owned(), id: id.to_owned() }),
                    kind: String::new(),
                    parents: Vec::new(),
                    owner: None,
                    dimensions: BTreeMap::new(),
                    session: None,
                    now: NOW,
                };
                let allowed = answer.decision() == Decision::Allow;
                assert_eq!(oracle.check(&query), Ok((allowed, answer.as_str())), "{who}: {permission}");
                if allowed { "yes" } else { "-" }
            });
            if allowed != ["-"; 3] {
                let [everywhere, here, there] = allowed;
                writeln!(text, "    {permission:<26}{everywhere:<14}{here:<7}{there}").unwrap();
            }
        }
    }
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../golden/roles.txt");
    if std::env::var_os("POSTERN_GOLDEN").is_some() {
        std::fs::write(file, &text).unwrap();
    }
    let wanted = std::fs::read_to_string(file).unwrap_or_default();
    assert!(wanted == text, "tests/golden/roles.txt is another: look at what `cargo xtask golden` changes");
}
